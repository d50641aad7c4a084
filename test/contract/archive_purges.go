package contract

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

var archivePurges = []ArchiveCheck{
	{Name: "a purge takes what was in the trash before the moment", Run: func(ctx context.Context, db template.Database) error {
		rows := samples(6)
		if err := create(ctx, db, rows...); err != nil {
			return err
		}
		moment := at(100)
		for i, when := range []time.Time{moment.Add(-time.Hour), moment.Add(-time.Microsecond), moment, moment.Add(time.Microsecond)} {
			rows[i].Deleted = when
			if err := db.Trash(ctx, rows[i].ID, 1, when); err != nil {
				return err
			}
		}
		return first(purges(ctx, db, at(-10000), 50, 0, 0), purges(ctx, db, moment, 50, 2, 2), absent(ctx, db, rows[0]), absent(ctx, db, rows[1]),
			exports(ctx, db, template.Wanted{Trash: true}, recordsOf(rows[2:])...), lists(ctx, db, rows[2:], template.Filter{Trash: true}), lists(ctx, db, rows[2:], template.Filter{}),
			purges(ctx, db, moment, 50, 0, 0), purges(ctx, db, farAhead, 50, 2, 2), exports(ctx, db, template.Wanted{Trash: true}, recordsOf(rows[4:])...))
	}},
	{Name: "a purge has a limit", Run: func(ctx context.Context, db template.Database) error {
		rows := samples(11)
		if err := create(ctx, db, rows...); err != nil {
			return err
		}
		for i, t := range rows[:9] {
			if err := db.Trash(ctx, t.ID, 1, at(i)); err != nil {
				return err
			}
		}
		return first(purges(ctx, db, at(7), 3, 7, 3), purges(ctx, db, at(7), 3, 4, 3), purges(ctx, db, at(7), 3, 1, 1), purges(ctx, db, at(7), 3, 0, 0),
			exports(ctx, db, template.Wanted{Trash: true}, rec(deleted(rows[7], 7)), rec(deleted(rows[8], 8)), rec(rows[9]), rec(rows[10])))
	}},
	{Name: "a purge leaves nothing behind, and the id free", Run: func(ctx context.Context, db template.Database) error {
		claim, other := claimOf("ann", "key"), claimOf("ann", "other")
		if err := first(db.Create(ctx, sample(1), claim), db.Create(ctx, sample(2), other)); err != nil {
			return err
		}
		a, b := sample(1), next(sample(1), "second")
		l := labelAt("x", 1, 2)
		if err := first(db.Replace(ctx, b, 1, nil), db.SetLabel(ctx, a.ID, labelAt("x", 1, 1)), db.SetLabel(ctx, sample(2).ID, l), db.Trash(ctx, a.ID, 2, at(5)), purges(ctx, db, at(6), 5, 1, 1),
			absent(ctx, db, a), absent(ctx, db, b), hasMoves(ctx, db, a.ID, "x")); err != nil {
			return err
		}
		_, receipt := db.Receipt(ctx, "ann", "key", at(0))
		anew := sample(1)
		anew.Revision, claim.Revision = 2, 2
		if err := first(wantKind("Receipt of a purged template", receipt, fault.NotFound), hasReceipt(ctx, db, other, sample(2)), hasLabels(ctx, db, sample(2).ID, l),
			db.Create(ctx, anew, claim), holds(ctx, db, anew), hasReceipt(ctx, db, claim, anew), hasLabels(ctx, db, a.ID), hasMoves(ctx, db, a.ID, "x"),
			listsRevisions(ctx, db, []template.Template{anew}, 0, 5), lists(ctx, db, []template.Template{anew, sample(2)}, template.Filter{Words: "content"})); err != nil {
			return err
		}
		_, old := db.Revision(ctx, a.ID, 1)
		return wantKind("an old revision of an id that was purged and made anew", old, fault.NotFound)
	}},
	{Name: "an undelete and a purge do not both win", Run: func(ctx context.Context, db template.Database) error {
		for i := range 10 {
			a := sample(i)
			if err := first(create(ctx, db, a), db.Trash(ctx, a.ID, 1, at(5))); err != nil {
				return err
			}
			purged := 0
			errs := together(2, func(j int) (err error) {
				if j == 0 {
					return db.Undelete(ctx, a.ID, 1, nil)
				}
				purged, err = db.Purge(ctx, at(6), 5)
				return err
			})
			if errs[1] != nil {
				return fmt.Errorf("Purge beside an Undelete: %w", errs[1])
			}
			if errs[0] == nil && purged == 0 {
				if err := first(holds(ctx, db, a), holdsRevision(ctx, db, a)); err != nil {
					return fmt.Errorf("after an Undelete beside a Purge of none: %w", err)
				}
				continue
			}
			if err := first(wantErr("Undelete beside a Purge", errs[0], template.ErrStale), absent(ctx, db, a)); err != nil || purged != 1 {
				return fmt.Errorf("an Undelete that ended with %v beside a Purge of %d: %w", errs[0], purged, err)
			}
		}
		return nil
	}},
}

var archiveThins = []ArchiveCheck{
	{Name: "thinning keeps the newest", Run: func(ctx context.Context, db template.Database) error {
		long, err := grow(ctx, db, sample(1), 6)
		if err != nil {
			return err
		}
		short, err := grow(ctx, db, sample(2), 2)
		if err != nil {
			return err
		}
		if err := create(ctx, db, sample(3)); err != nil {
			return err
		}
		eighth := next(long[6], "eighth")
		return first(thins(ctx, db, 9, 0), survive(ctx, db, long, 0), thins(ctx, db, 3, 4), survive(ctx, db, long, 4), survive(ctx, db, short, 0), thins(ctx, db, 3, 0),
			db.Replace(ctx, eighth, 7, nil), survive(ctx, db, append(long, eighth), 4), thins(ctx, db, 1, 5), survive(ctx, db, append(long, eighth), 7), survive(ctx, db, short, 2),
			exports(ctx, db, template.Wanted{Revisions: true}, rec(eighth), rec(short[2]), rec(sample(3))))
	}},
	{Name: "thinning counts revisions, not numbers", Run: func(ctx context.Context, db template.Database) error {
		history := []template.Template{sample(1)}
		if err := create(ctx, db, history[0]); err != nil {
			return err
		}
		for i, n := range []int{5, 6, 30, 100} {
			t := next(history[i], fmt.Sprint("content ", n))
			t.Revision = n
			if err := db.Replace(ctx, t, history[i].Revision, nil); err != nil {
				return err
			}
			history = append(history, t)
		}
		return first(thins(ctx, db, 4, 1), survive(ctx, db, history, 1), thins(ctx, db, 2, 2), survive(ctx, db, history, 3))
	}},
	{Name: "thinning keeps what is labelled", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 5)
		if err != nil {
			return err
		}
		id := history[0].ID
		x, y := labelAt("x", 1, 1), labelAt("y", 3, 2)
		if err := first(db.SetLabel(ctx, id, x), db.SetLabel(ctx, id, labelAt("y", 2, 1)), db.SetLabel(ctx, id, y), db.SetLabel(ctx, id, labelAt("z", 4, 3)),
			db.RemoveLabel(ctx, id, "z", "ann", at(4)), thins(ctx, db, 2, 2)); err != nil {
			return err
		}
		kept := []template.Template{history[0], history[2], history[4], history[5]}
		return first(listsRevisions(ctx, db, kept, 0, 50), hasLabels(ctx, db, id, x, y), holdsRevision(ctx, db, kept[0]), holdsRevision(ctx, db, kept[1]),
			exports(ctx, db, template.Wanted{Revisions: true}, rec(kept[0], "x"), rec(kept[1], "y"), rec(kept[2]), rec(kept[3])),
			db.RemoveLabel(ctx, id, "x", "ann", at(5)), thins(ctx, db, 2, 1), listsRevisions(ctx, db, kept[1:], 0, 50),
			// What is gone was noted, and stays so.
			hasMoves(ctx, db, id, "x", template.LabelMove{From: 1, User: "ann", Time: at(5)}, moveOf(x, 0)))
	}},
	{Name: "thinning leaves the trash alone", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 3)
		if err != nil {
			return err
		}
		id := history[0].ID
		return first(db.Trash(ctx, id, 4, at(5)), thins(ctx, db, 1, 0), survive(ctx, db, history, 0), db.Undelete(ctx, id, 4, nil), thins(ctx, db, 1, 3), survive(ctx, db, history, 3))
	}},
	{Name: "a dry thinning only counts", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 5)
		if err != nil {
			return err
		}
		if err := db.SetLabel(ctx, history[0].ID, labelAt("x", 2, 1)); err != nil {
			return err
		}
		for range 2 {
			n, last, done, err := db.Thin(ctx, 3, uuid.Nil, 10, true)
			if err != nil || n != 2 || last != history[0].ID || !done {
				return fmt.Errorf("Thin to 3, dry, of 6 with a label: want 2, %v, true, got %d, %v, %t, %v", history[0].ID, n, last, done, err)
			}
			if err := listsRevisions(ctx, db, history, 0, 50); err != nil {
				return err
			}
		}
		return thins(ctx, db, 3, 2)
	}},
	{Name: "thinning goes on where it ended", Run: func(ctx context.Context, db template.Database) error {
		var histories [][]template.Template
		for _, id := range []string{
			"00000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000000", "7fffffff-ffff-4fff-bfff-ffffffffffff", "80000000-0000-4000-8000-000000000000",
			"a0000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff",
		} {
			t := sample(100 - len(histories)) // created the other way around
			t.ID = uuid.MustParse(id)
			history, err := grow(ctx, db, t, len(histories)+1)
			if err != nil {
				return err
			}
			histories = append(histories, history)
		}
		for _, dry := range []bool{true, false} {
			for _, limit := range []int{4, 2, 1, 5, 6, 7} {
				after := uuid.Nil
				for part := range slices.Chunk([]int{0, 1, 2, 3, 4, 5}, limit) {
					end := part[len(part)-1]
					want := 0
					for _, i := range part {
						want += i + 1
					}
					n, last, done, err := db.Thin(ctx, 1, after, limit, dry)
					if err != nil || n != want || last != histories[end][0].ID || done != (end == 5) {
						return fmt.Errorf("Thin of at most %d after %v, dry %t: want %d, %v, %t, got %d, %v, %t, %v", limit, after, dry, want, histories[end][0].ID, end == 5, n, last, done, err)
					}
					if !dry {
						for i, history := range histories {
							gone := 0
							if i <= end {
								gone = i + 1
							}
							if err := survive(ctx, db, history, gone); err != nil {
								return err
							}
						}
					}
					after = last
				}
				if !dry {
					break // nothing is left to thin
				}
			}
		}
		n, _, done, err := db.Thin(ctx, 1, uuid.Max, 5, false)
		if err != nil || n != 0 || !done {
			return fmt.Errorf("Thin behind all: want 0, true, got %d, %t, %v", n, done, err)
		}
		return nil
	}},
	{Name: "a label and a thinning do not both win", Run: func(ctx context.Context, db template.Database) error {
		for i := range 10 {
			history, err := grow(ctx, db, sample(i), 1)
			if err != nil {
				return err
			}
			id, l, removed := history[0].ID, labelAt("x", 1, i), 0
			errs := together(2, func(j int) (err error) {
				if j == 0 {
					return db.SetLabel(ctx, id, l)
				}
				removed, _, _, err = db.Thin(ctx, 1, uuid.Nil, 50, false)
				return err
			})
			if errs[1] != nil {
				return fmt.Errorf("Thin beside a SetLabel: %w", errs[1])
			}
			if errs[0] == nil {
				err = first(hasLabels(ctx, db, id, l), survive(ctx, db, history, 0))
			} else {
				err = first(wantKind("SetLabel beside a Thin", errs[0], fault.NotFound), hasLabels(ctx, db, id), survive(ctx, db, history, 1))
			}
			if err != nil || (removed == 1) != (errs[0] != nil) {
				return fmt.Errorf("a SetLabel that ended with %v beside a Thin of %d: %w", errs[0], removed, err)
			}
		}
		return nil
	}},
}

// purges demands what CountTrash tells, and then what Purge removes.
func purges(ctx context.Context, db template.Database, before time.Time, limit, there, want int) error {
	if n, err := db.CountTrash(ctx, before); err != nil || n != there {
		return fmt.Errorf("CountTrash before %v: want %d, got %d, %v", before, there, n, err)
	}
	if n, err := db.Purge(ctx, before, limit); err != nil || n != want {
		return fmt.Errorf("Purge before %v, at most %d: want %d, got %d, %v", before, limit, want, n, err)
	}
	return nil
}

// thins thins all templates, of which there are few, and demands that so many revisions go.
func thins(ctx context.Context, db template.Database, keep, want int) error {
	n, _, done, err := db.Thin(ctx, keep, uuid.Nil, 50, false)
	if err != nil || n != want || !done {
		return fmt.Errorf("Thin to %d: want %d, true, got %d, %t, %v", keep, want, n, done, err)
	}
	return nil
}

// survive demands that all but the first gone of a history are there.
func survive(ctx context.Context, db template.Database, history []template.Template, gone int) error {
	if err := listsRevisions(ctx, db, history[gone:], 0, 100); err != nil {
		return err
	}
	for i, t := range history {
		if i >= gone {
			if err := holdsRevision(ctx, db, t); err != nil {
				return err
			}
			continue
		}
		if _, err := db.Revision(ctx, t.ID, t.Revision); !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("Revision %d after a Thin: want NotFound, got %v", t.Revision, err)
		}
	}
	return nil
}
