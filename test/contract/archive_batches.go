package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

var archiveBatches = []ArchiveCheck{
	{Name: "changes of a batch follow each other", Run: func(ctx context.Context, db template.Database) error {
		a, b, c := sample(1), sample(2), sample(3)
		a2, a3 := next(a, "second"), deleted(next(next(a, "second"), "third"), 5)
		other, c2 := sample(4), next(c, "second")
		other.ID = b.ID
		changes := []template.Writing{
			{Template: a, Labels: []string{"x", "y"}}, {Template: b}, {Template: other, Labels: []string{"lost"}}, {Template: a2, Was: 1, Labels: []string{"x"}}, {Template: c2, Was: 1},
			{Template: a3, Was: 2}, {Template: next(a, "late"), Was: 1, Labels: []string{"lost"}}, {Template: c}, {Template: c2, Was: 1}, {Template: deleted(c2, 7), Was: 2}, {Template: a},
		}
		ok, taken, stale := error(nil), template.ErrTaken, template.ErrStale
		return first(outcome(ctx, db, changes, ok, ok, taken, ok, stale, ok, stale, ok, ok, ok, taken),
			holds(ctx, db, a3), holds(ctx, db, b), holds(ctx, db, deleted(c2, 7)),
			hasMoves(ctx, db, a.ID, "x", template.LabelMove{From: 1, To: 2, User: a2.Author, Time: a2.Modified}, template.LabelMove{To: 1, User: a.Author, Time: a.Modified}),
			hasLabels(ctx, db, b.ID), hasMoves(ctx, db, b.ID, "lost"), hasMoves(ctx, db, a.ID, "lost"),
			exports(ctx, db, template.Wanted{Trash: true, Revisions: true}, rec(deleted(a, 5), "y"), rec(deleted(a2, 5), "x"), rec(a3), rec(b), rec(deleted(c, 7)), rec(deleted(c2, 7))))
	}},
	{Name: "any mix of changes is as if each came alone", Run: anyMix},
	{Name: "a batch of a thousand", Run: func(ctx context.Context, db template.Database) error {
		rows := samples(1000)
		for i := range rows {
			rows[i].Content = strings.Repeat(rows[i].Content, 5)
		}
		if err := write(ctx, db, creations(rows...)...); err != nil {
			return err
		}
		changes := make([]template.Writing, len(rows))
		for i := range rows {
			rows[i] = next(rows[i], fmt.Sprint("second ", i))
			changes[i] = template.Writing{Template: rows[i], Was: 1, Labels: []string{"live", "head"}}
		}
		if err := first(write(ctx, db, changes...), exports(ctx, db, template.Wanted{}, recordsOf(rows)...)); err != nil {
			return err
		}
		for _, i := range []int{0, 499, 999} {
			l := template.Label{Name: "head", Revision: 2, User: rows[i].Author, Modified: rows[i].Modified}
			live := l
			live.Name = "live"
			if err := first(hasLabels(ctx, db, rows[i].ID, l, live), lists(ctx, db, rows, template.Filter{Words: fmt.Sprint("second ", i)})); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a batch appears at once", Run: func(ctx context.Context, db template.Database) error {
		watching, stop := context.WithCancel(ctx)
		defer stop()
		const n, rounds = 100, 5
		watched := make(chan error, 1)
		go func() {
			const bound = 100_000
			for range bound {
				count, err := db.Count(ctx, template.Filter{})
				if err != nil || count%n != 0 {
					watched <- fmt.Errorf("Count beside batches of %d: %d, %v", n, count, err)
					return
				}
				if watching.Err() != nil {
					break
				}
			}
			watched <- nil
		}()
		rows := samples(n * rounds)
		for i := range rounds {
			if err := write(ctx, db, creations(rows[i*n:(i+1)*n]...)...); err != nil {
				return err
			}
		}
		stop()
		return <-watched
	}},
	{Name: "a batch that is broken off is stored whole or not at all", Run: func(ctx context.Context, db template.Database) error {
		const n = 300
		total := 0
		for i, patience := range []time.Duration{time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond} {
			rows := samples(n * (i + 1))[n*i:]
			limited, cancel := context.WithTimeout(ctx, patience)
			_, err := db.Write(limited, creations(rows...))
			cancel()
			count, countErr := db.Count(ctx, template.Filter{})
			switch {
			case countErr != nil:
				return countErr
			case err == nil && count != total+n, count != total && count != total+n:
				return fmt.Errorf("Count after a Write of %d that ended with %v: %d, was %d before", n, err, count, total)
			case err != nil && !fault.Is(err, fault.Unavailable):
				return wantKind("Write whose context ends on the way", err, fault.Unavailable)
			}
			total = count
		}
		return nil
	}},
	{Name: "of concurrent batches each change is made once", Run: func(ctx context.Context, db template.Database) error {
		const n, writers = 40, 4
		rows := samples(n)
		for round := range 4 {
			results := make([][]error, writers)
			errs := together(writers, func(i int) (err error) {
				changes := make([]template.Writing, n)
				for j, t := range rows {
					changes[j] = template.Writing{Template: t, Labels: []string{"head"}}
					if round > 0 {
						changes[j] = template.Writing{Template: next(t, fmt.Sprintf("by %d in round %d", i, round)), Was: t.Revision, Labels: []string{"head"}}
					}
				}
				if i%2 == 1 { // the other way around: who locks in the order of the batch waits for the other forever
					slices.Reverse(changes)
				}
				results[i], err = db.Write(ctx, changes)
				slices.Reverse(results[i][:len(results[i])*(i%2)])
				return err
			})
			for i, err := range errs {
				if err != nil || len(results[i]) != n {
					return fmt.Errorf("batch %d of %d at once: %d answers, %v", i, writers, len(results[i]), err)
				}
			}
			for j := range rows {
				var answers []error
				for i := range results {
					answers = append(answers, results[i][j])
				}
				refused := template.ErrTaken
				if round > 0 {
					refused = template.ErrStale
				}
				won, bad := winners(answers, refused)
				if won != 1 || bad != nil {
					return fmt.Errorf("%d batches at once change one template: want 1 to win, got %d (%v)", writers, won, bad)
				}
				if round > 0 {
					rows[j] = next(rows[j], fmt.Sprintf("by %d in round %d", slices.Index(answers, nil), round))
				}
				moves, err := db.LabelHistory(ctx, rows[j].ID, "head", 0, 50)
				if err != nil || len(moves) != round+1 {
					return fmt.Errorf("LabelHistory after %d batches that each moved the label: got %d, %v", round+1, len(moves), err)
				}
			}
		}
		return exports(ctx, db, template.Wanted{}, recordsOf(rows)...)
	}},
}

// model does one change after another, slowly and simply.
type model struct {
	current map[uuid.UUID]template.Template
	history map[uuid.UUID][]template.Template
	labels  map[uuid.UUID]map[string]int
}

func (m *model) write(w template.Writing) error {
	t := w.Template
	now, exists := m.current[t.ID]
	switch {
	case w.Was == 0 && exists:
		return template.ErrTaken
	case w.Was != 0 && (!exists || now.Revision != w.Was):
		return template.ErrStale
	case !exists:
		m.labels[t.ID] = map[string]int{}
		m.history[t.ID] = []template.Template{t}
	case t.Revision == w.Was:
		now.Deleted = t.Deleted
		t = now
	default:
		t.Created = now.Created
		m.history[t.ID] = append(m.history[t.ID], t)
	}
	m.current[t.ID] = t
	for _, name := range w.Labels {
		m.labels[t.ID][name] = t.Revision
	}
	return nil
}

// records gives an export of all.
func (m *model) records() []template.Record {
	var records []template.Record
	for id, history := range m.history {
		for _, t := range history {
			t.Deleted = m.current[id].Deleted
			r := rec(t)
			for name, revision := range m.labels[id] {
				if revision == t.Revision {
					r.Labels = append(r.Labels, name)
				}
			}
			slices.Sort(r.Labels)
			records = append(records, r)
		}
	}
	return inOrder(records)
}

// anyMix writes random batches over few templates and compares with the model: a store that does the changes of a
// batch by kind, and not in their order, is found out.
func anyMix(ctx context.Context, db template.Database) error {
	random := rand.New(rand.NewPCG(5, 6))
	m := &model{map[uuid.UUID]template.Template{}, map[uuid.UUID][]template.Template{}, map[uuid.UUID]map[string]int{}}
	for batch := range 25 {
		var changes []template.Writing
		var want []error
		for i := range 1 + random.IntN(24) {
			t := sample(1000*batch + i)
			t.ID = idOf(random.IntN(12))
			w := template.Writing{}
			if now, exists := m.current[t.ID]; exists && random.IntN(5) > 0 {
				w.Was = max(1, now.Revision-random.IntN(5)/4)
				t.Revision = now.Revision + random.IntN(4)*2/3
			} else if !exists && random.IntN(4) == 0 {
				w.Was = 1 // it may be made behind this in the same batch
			}
			if random.IntN(4) == 0 {
				t.Deleted = at(batch)
			}
			for _, name := range []string{"a", "b", "c"} {
				if random.IntN(5) == 0 {
					w.Labels = append(w.Labels, name)
				}
			}
			w.Template = t
			changes, want = append(changes, w), append(want, m.write(w))
		}
		if err := first(outcome(ctx, db, changes, want...), exports(ctx, db, template.Wanted{Trash: true, Revisions: true}, m.records()...)); err != nil {
			return fmt.Errorf("batch %d: %w", batch, err)
		}
	}
	return nil
}
