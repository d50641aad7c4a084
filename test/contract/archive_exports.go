package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

var archiveExports = []ArchiveCheck{
	{Name: "an export of nothing", Run: func(ctx context.Context, db template.Database) error {
		return first(exports(ctx, db, template.Wanted{}), exports(ctx, db, template.Wanted{Trash: true, Revisions: true}))
	}},
	{Name: "an export is ordered by created, then id", Run: func(ctx context.Context, db template.Database) error {
		rows := mixedRows(60)
		for i := range rows {
			switch i % 7 {
			case 0:
				rows[i].Created = time.Time{}
			case 1:
				rows[i].Created = time.Unix(int64(i/7%3-1), 0).UTC()
			case 2:
				rows[i].Created = epoch.Add(time.Duration(i*5%12) * time.Microsecond)
			}
		}
		return first(create(ctx, db, rows...), exports(ctx, db, template.Wanted{}, recordsOf(rows)...),
			exports(ctx, db, template.Wanted{Revisions: true}, recordsOf(rows)...))
	}},
	{Name: "the trash is exported only when wanted", Run: func(ctx context.Context, db template.Database) error {
		rows := samples(9)
		if err := create(ctx, db, rows...); err != nil {
			return err
		}
		var living []template.Template
		for i := range rows {
			if i%3 == 1 {
				rows[i] = deleted(rows[i], 100-i)
				if err := db.Trash(ctx, rows[i].ID, 1, rows[i].Deleted); err != nil {
					return err
				}
			} else {
				living = append(living, rows[i])
			}
		}
		for _, revisions := range []bool{false, true} {
			if err := first(exports(ctx, db, template.Wanted{Revisions: revisions}, recordsOf(living)...),
				exports(ctx, db, template.Wanted{Revisions: revisions, Trash: true}, recordsOf(rows)...)); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "an export has the current revisions, or all", Run: exportOfRevisions},
	{Name: "an export has the labels of each revision, sorted", Run: exportOfLabels},
	{Name: "odd texts and missing times are exported", Run: func(ctx context.Context, db template.Database) error {
		var rows []template.Template
		for i, text := range []string{oddText, "", " padded\t", "a\r\nb\rc\n", "NULL", `\`, "\ufeff", strings.Repeat("\U0001F9D9", 5000)} {
			t := sample(i)
			t.Name, t.Description, t.Content, t.Author = text, text, text, text
			if i%2 == 0 {
				t.Created, t.Modified, t.Syntax = time.Time{}, time.Time{}, template.Plain
			}
			rows = append(rows, t)
		}
		big := sample(20)
		big.Content = strings.Repeat("0123456789abcde\n", 1<<16)
		rows = append(rows, big)
		return first(create(ctx, db, rows...), exports(ctx, db, template.Wanted{}, recordsOf(rows)...))
	}},
	{Name: "an error of the reader ends an export", Run: exportRefused},
	{Name: "an export is of one moment, and stops no writer", Run: exportOfOneMoment},
	{Name: "exports among writers are of one moment each", Run: exportsAmongWriters},
	{Name: "an export ends with its context", Run: func(ctx context.Context, db template.Database) error {
		rows := samples(500)
		if err := write(ctx, db, creations(rows...)...); err != nil {
			return err
		}
		limited, cancel := context.WithCancel(ctx)
		defer cancel()
		seen := 0
		err := db.Export(limited, template.Wanted{}, func(template.Record) error {
			cancel()
			seen++
			return pause(ctx, time.Millisecond)
		})
		if seen == len(rows) {
			return fmt.Errorf("Export: all %d records came, though its context ended at the first (%v)", seen, err)
		}
		return wantKind("Export whose context ends on the way", err, fault.Unavailable)
	}},
	{Name: "archives under a context that has ended", Run: archiveCancelled},
	{Name: "current revisions of many", Run: func(ctx context.Context, db template.Database) error {
		rows := samples(600)
		if err := write(ctx, db, creations(rows...)...); err != nil {
			return err
		}
		rows[1], rows[2] = next(rows[1], "second"), deleted(rows[2], 7)
		if err := first(db.Replace(ctx, rows[1], 1, nil), db.Trash(ctx, rows[2].ID, 1, rows[2].Deleted)); err != nil {
			return err
		}
		for _, asked := range [][]uuid.UUID{nil, {}, ids(rows[1]), ids(rows[2], sample(9999), rows[0]), ids(rows[3], rows[1], rows[3], rows[3]), {idOf(8888), idOf(8888)}, append(ids(rows[:580]...), idOf(7777))} {
			want := map[uuid.UUID]template.Template{}
			for _, id := range asked {
				for _, t := range rows {
					if t.ID == id {
						want[id] = t
					}
				}
			}
			got, err := db.Current(ctx, asked)
			if err != nil || len(got) != len(want) {
				return fmt.Errorf("Current of %d ids: want %d, got %d, %v", len(asked), len(want), len(got), err)
			}
			for id, t := range want {
				if err := sameTemplate("Current", got[id], t); err != nil {
					return err
				}
			}
		}
		return nil
	}},
}

func exportOfRevisions(ctx context.Context, db template.Database) error {
	var all, current []template.Template
	for i, more := range []int{3, 0, 11, 1} {
		t := sample(10 - i)
		if i == 3 {
			t.Revision = 9 // numbers of two digits, which are no texts
		}
		history, err := grow(ctx, db, t, more)
		if err != nil {
			return err
		}
		if i == 2 {
			for j := range history {
				history[j] = deleted(history[j], 50)
			}
			if err := db.Trash(ctx, t.ID, more+1, at(50)); err != nil {
				return err
			}
		}
		all, current = append(all, history...), append(current, history[more])
	}
	living := func(rows []template.Template) (alive []template.Template) {
		for _, t := range rows {
			if !t.InTrash() {
				alive = append(alive, t)
			}
		}
		return alive
	}
	return first(exports(ctx, db, template.Wanted{}, recordsOf(living(current))...), exports(ctx, db, template.Wanted{Trash: true}, recordsOf(current)...),
		exports(ctx, db, template.Wanted{Revisions: true}, recordsOf(living(all))...), exports(ctx, db, template.Wanted{Revisions: true, Trash: true}, recordsOf(all)...))
}

func exportOfLabels(ctx context.Context, db template.Database) error {
	a, err := grow(ctx, db, sample(1), 2)
	if err != nil {
		return err
	}
	b, err := grow(ctx, db, sample(2), 1)
	if err != nil {
		return err
	}
	if err := create(ctx, db, sample(3)); err != nil {
		return err
	}
	for i, l := range []struct {
		id       uuid.UUID
		name     string
		revision int
	}{{a[0].ID, "b", 1}, {a[0].ID, "a-b", 3}, {a[0].ID, "a.b", 3}, {a[0].ID, "a_b", 3}, {a[0].ID, "ab", 3}, {a[0].ID, "a", 1}, {a[0].ID, "gone", 2}, {a[0].ID, "moved", 3}, {a[0].ID, "moved", 1},
		{b[0].ID, "a", 2}, {b[0].ID, "0", 1}} {
		if err := db.SetLabel(ctx, l.id, labelAt(l.name, l.revision, i)); err != nil {
			return err
		}
	}
	if err := first(db.RemoveLabel(ctx, a[0].ID, "gone", "ann", at(20)), db.Trash(ctx, b[0].ID, 2, at(30))); err != nil {
		return err
	}
	want := []template.Record{rec(a[0], "a", "b", "moved"), rec(a[1]), rec(a[2], "a-b", "a.b", "a_b", "ab")}
	withTrash := append(want[:3:3], rec(deleted(b[0], 30), "0"), rec(deleted(b[1], 30), "a"), rec(sample(3)))
	return first(exports(ctx, db, template.Wanted{Revisions: true}, append(want[:3:3], rec(sample(3)))...),
		exports(ctx, db, template.Wanted{Revisions: true, Trash: true}, withTrash...),
		exports(ctx, db, template.Wanted{}, rec(a[2]), rec(sample(3))))
}

// exportRefused demands that what each answers comes back, that nothing more is shown then, and that nothing is left
// behind: the store goes on after more of them than it can have connections.
func exportRefused(ctx context.Context, db template.Database) error {
	if _, err := grow(ctx, db, sample(1), 3); err != nil {
		return err
	}
	refusal := errors.New("the pipe is broken")
	for i := range 120 {
		seen, stop := 0, 1+i%3
		err := db.Export(ctx, template.Wanted{Revisions: true}, func(template.Record) error {
			if seen++; seen >= stop {
				return refusal
			}
			return nil
		})
		if seen != stop {
			return fmt.Errorf("Export: %d records came, though the reader refused record %d", seen, stop)
		}
		if err := wantErr("Export whose reader refuses", err, refusal); err != nil {
			return err
		}
	}
	return first(create(ctx, db, sample(2)), holds(ctx, db, sample(2)))
}

// writersWait is how long writers are given beside an export that waits for them.
const writersWait = 5 * time.Second

// exportOfOneMoment demands that an export shows how all was when it began, though at its first record others change
// every kind of thing; and that they can, because a slow reader must not stop a service.
func exportOfOneMoment(ctx context.Context, db template.Database) error {
	const n = 1495 // more than a page of any size that a store may read at once
	rows := samples(n)
	var want []template.Record
	var changes []template.Writing
	for i := range rows {
		old := rows[i]
		if i%5 == 0 {
			rows[i] = next(old, "second")
		}
		if i%7 == 3 {
			when := 5
			if i == n-1 {
				when = 7
			}
			rows[i], old = deleted(rows[i], when), deleted(old, when)
		}
		if i%5 == 0 {
			changes = append(changes, template.Writing{Template: old, Labels: []string{"first"}}, template.Writing{Template: rows[i], Was: 1, Labels: []string{"head"}})
			want = append(want, rec(old, "first"), rec(rows[i], "head"))
		} else {
			changes = append(changes, template.Writing{Template: old})
			want = append(want, rec(old))
		}
	}
	for part := 0; part < len(changes); part += 1000 {
		if err := write(ctx, db, changes[part:min(part+1000, len(changes))]...); err != nil {
			return err
		}
	}
	last, inTrash, living, other := rows[n-5], rows[n-1], rows[n-3], rows[n-2] // at 2, in the trash, and twice not
	if last.Revision != 2 || last.InTrash() || !inTrash.InTrash() || living.InTrash() || other.InTrash() {
		return fmt.Errorf("the samples are not what this check needs")
	}
	others := func() error {
		early, late := sample(n), sample(n+1)
		early.Created = at(-5)
		more := next(last, "third")
		purged, err := db.Purge(ctx, at(6), 50)
		if err != nil || purged != 50 {
			return fmt.Errorf("Purge beside an export: want 50, got %d, %v", purged, err)
		}
		if err := first(create(ctx, db, early, late), db.Replace(ctx, more, 2, nil), db.SetLabel(ctx, last.ID, labelAt("head", 3, 1)),
			db.RemoveLabel(ctx, last.ID, "first", "ann", at(8)), db.Undelete(ctx, inTrash.ID, inTrash.Revision, nil),
			db.Trash(ctx, living.ID, living.Revision, at(9)), write(ctx, db, template.Writing{Template: next(other, "late"), Was: other.Revision})); err != nil {
			return err
		}
		thinned, _, _, err := db.Thin(ctx, 1, uuid.Nil, n, false)
		if err != nil || thinned == 0 {
			return fmt.Errorf("Thin beside an export: want some, got %d, %v", thinned, err)
		}
		return nil
	}
	var got []template.Record
	err := db.Export(ctx, template.Wanted{Trash: true, Revisions: true}, func(r template.Record) error {
		if got == nil {
			done := make(chan error, 1)
			go func() { done <- others() }()
			select {
			case err := <-done:
				if err != nil {
					return err
				}
			case <-time.After(writersWait):
				return fmt.Errorf("writers beside an export still wait after %v", writersWait)
			}
		}
		got = append(got, template.Record{Template: r.Template, Labels: append([]string(nil), r.Labels...)})
		return nil
	})
	if err != nil {
		return fmt.Errorf("Export: %w", err)
	}
	return sameRecords("Export while others write", got, want)
}

// exportsAmongWriters demands that exports never show half of a transaction: each moves a label and the current
// revisions of some templates together, so that the label stands on the last revision of each and all are as far.
func exportsAmongWriters(ctx context.Context, db template.Database) error {
	const n, rounds = 12, 10
	rows := samples(n)
	advance := func() error {
		changes := make([]template.Writing, n)
		for i := range rows {
			was := rows[i].Revision
			rows[i] = next(rows[i], fmt.Sprint("content ", was+1))
			changes[i] = template.Writing{Template: rows[i], Was: was, Labels: []string{"head"}}
		}
		return write(ctx, db, changes...)
	}
	if err := first(write(ctx, db, creations(rows...)...), advance()); err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() {
		const bound = 400
		var err error
		for i := 0; i < bound && err == nil && background.Err() == nil; i++ {
			err = advance()
		}
		stopped <- err
	}()
	err := func() error {
		for range rounds {
			records, err := export(ctx, db, template.Wanted{Revisions: true})
			if err != nil {
				return err
			}
			newest := len(records) / n
			if newest == 0 || len(records)%n != 0 {
				return fmt.Errorf("Export: %d records of %d templates that change together", len(records), n)
			}
			for i, r := range records {
				isHead := len(r.Labels) == 1 && r.Labels[0] == "head"
				if r.ID != idOf(i/newest) || r.Revision != i%newest+1 || isHead != (r.Revision == newest) || !isHead && len(r.Labels) > 0 {
					return fmt.Errorf("Export: %d records of %d templates that change together; record %d is revision %d with the labels %q", len(records), n, i, r.Revision, r.Labels)
				}
			}
		}
		return nil
	}()
	stop()
	return first(<-stopped, err)
}

// ids gives the ids of templates.
func ids(rows ...template.Template) []uuid.UUID {
	list := make([]uuid.UUID, len(rows))
	for i, t := range rows {
		list[i] = t.ID
	}
	return list
}

// archiveCancelled demands that every method refuses to work under a context that has ended, and that nothing happens.
func archiveCancelled(ctx context.Context, db template.Database) error {
	history, err := grow(ctx, db, sample(1), 2)
	if err != nil {
		return err
	}
	gone := deleted(sample(2), 5)
	if err := first(create(ctx, db, sample(2)), db.Trash(ctx, gone.ID, 1, gone.Deleted)); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	export := db.Export(ended, template.Wanted{}, func(template.Record) error { return errors.New("a record came") })
	_, current := db.Current(ended, ids(gone))
	results, write := db.Write(ended, []template.Writing{{Template: sample(3)}, {Template: next(history[2], "x"), Was: 3, Labels: []string{"x"}}})
	_, purge := db.Purge(ended, at(9), 5)
	_, count := db.CountTrash(ended, at(9))
	_, _, _, thin := db.Thin(ended, 1, uuid.Nil, 5, false)
	for what, err := range map[string]error{"Export": export, "Current": current, "Write": write, "Purge": purge, "CountTrash": count, "Thin": thin} {
		if err := wantKind(what+" under a cancelled context", err, fault.Unavailable); err != nil {
			return err
		}
	}
	for i, err := range results {
		if err == nil {
			return fmt.Errorf("Write under a cancelled context: change %d is answered as made", i)
		}
	}
	return first(absent(ctx, db, sample(3)), hasLabels(ctx, db, history[0].ID),
		exports(ctx, db, template.Wanted{Trash: true, Revisions: true}, rec(history[0]), rec(history[1]), rec(history[2]), rec(gone)))
}
