package contract

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

var archiveWrites = []ArchiveCheck{
	{Name: "writing creates templates as they are given", Run: func(ctx context.Context, db template.Database) error {
		a, b, c, d := sample(1), sample(2), deleted(sample(3), 9), sample(4)
		a.Revision, b.Created, b.Modified, b.Author, b.Syntax = 17, time.Time{}, time.Time{}, "", template.Plain
		d.Name, d.Description, d.Content, d.Author = oddText, oddText, oddText, oddText
		rows := []template.Template{a, b, c, d}
		if err := write(ctx, db, creations(rows...)...); err != nil {
			return err
		}
		for _, t := range rows {
			if err := first(holds(ctx, db, t), holdsRevision(ctx, db, t), listsRevisions(ctx, db, []template.Template{t}, 0, 5), hasLabels(ctx, db, t.ID)); err != nil {
				return err
			}
		}
		_, before := db.Revision(ctx, a.ID, 16)
		return first(wantKind("a revision before the first", before, fault.NotFound), exports(ctx, db, template.Wanted{Trash: true}, recordsOf(rows)...), write(ctx, db))
	}},
	{Name: "writing does not create what is taken", Run: func(ctx context.Context, db template.Database) error {
		a, b, other := sample(1), deleted(sample(2), 5), sample(3)
		if err := first(create(ctx, db, a, sample(2)), db.Trash(ctx, b.ID, 1, b.Deleted)); err != nil {
			return err
		}
		again, back := next(a, "again"), next(sample(2), "back")
		return first(outcome(ctx, db, []template.Writing{{Template: again, Labels: []string{"x"}}, {Template: other}, {Template: back, Labels: []string{"x"}}}, template.ErrTaken, nil, template.ErrTaken),
			holds(ctx, db, a), holds(ctx, db, b), holds(ctx, db, other), hasLabels(ctx, db, a.ID), hasLabels(ctx, db, b.ID),
			exports(ctx, db, template.Wanted{Trash: true, Revisions: true}, rec(a), rec(b), rec(other)))
	}},
	{Name: "writing at another revision is stale", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 1)
		if err != nil {
			return err
		}
		for _, was := range []int{1, 3, 4, -1, 1 << 40} {
			t := next(history[1], "late")
			t.Revision = max(was+1, 5)
			if err := outcome(ctx, db, []template.Writing{{Template: t, Was: was, Labels: []string{"x"}}}, template.ErrStale); err != nil {
				return err
			}
		}
		same := deleted(history[0], 5) // would only go to the trash, but stands at 2
		ghost := next(sample(2), "ghost")
		return first(outcome(ctx, db, []template.Writing{{Template: same, Was: 1, Labels: []string{"x"}}, {Template: ghost, Was: 1, Labels: []string{"x"}}, {Template: ghost, Was: 2}},
			template.ErrStale, template.ErrStale, template.ErrStale), absent(ctx, db, ghost), holds(ctx, db, history[1]), hasLabels(ctx, db, history[0].ID), hasMoves(ctx, db, history[0].ID, "x"),
			exports(ctx, db, template.Wanted{Trash: true, Revisions: true}, rec(history[0]), rec(history[1])))
	}},
	{Name: "writing a revision keeps the one before and created", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 1)
		if err != nil {
			return err
		}
		third := next(history[1], "third")
		third.Name, third.Description, third.Syntax, third.Author, third.Revision = "Third", "", template.Plain, "", 7
		given := third
		given.Created = at(-5000)
		return first(write(ctx, db, template.Writing{Template: given, Was: 2}), holds(ctx, db, third), holdsRevision(ctx, db, history[0]), holdsRevision(ctx, db, history[1]),
			holdsRevision(ctx, db, third), listsRevisions(ctx, db, append(history, third), 0, 9), db.Replace(ctx, next(third, "fourth"), 7, nil), holds(ctx, db, next(third, "fourth")))
	}},
	{Name: "writing moves to the trash and back", Run: func(ctx context.Context, db template.Database) error {
		a := sample(1)
		inTrash, back := deleted(next(a, "second"), 5), next(next(a, "second"), "third")
		later := deleted(next(back, "fourth"), 6)
		stays := deleted(next(later, "fifth"), 7) // from the trash to the trash
		second := inTrash
		second.Deleted = a.Deleted
		return first(create(ctx, db, a), write(ctx, db, template.Writing{Template: inTrash, Was: 1}), holds(ctx, db, inTrash), holdsRevision(ctx, db, a), finds1(ctx, db, a.Name, uuid.Nil),
			write(ctx, db, template.Writing{Template: back, Was: 2}), holds(ctx, db, back), holdsRevision(ctx, db, second), finds1(ctx, db, a.Name, a.ID),
			write(ctx, db, template.Writing{Template: later, Was: 3}, template.Writing{Template: stays, Was: 4}), holds(ctx, db, stays),
			db.Undelete(ctx, a.ID, 5, nil))
	}},
	{Name: "writing the same revision sets only deleted and labels", Run: func(ctx context.Context, db template.Database) error {
		a := sample(1)
		given := sample(2)
		given.ID, given.Deleted = a.ID, at(5)
		given.Syntax = template.Plain
		labels := func(n int) template.Label {
			return template.Label{Name: "x", Revision: 1, User: given.Author, Modified: given.Modified.Add(time.Duration(n) * time.Second)}
		}
		lives := given
		lives.Deleted, lives.Modified = time.Time{}, given.Modified.Add(time.Second)
		return first(create(ctx, db, a), write(ctx, db, template.Writing{Template: given, Was: 1, Labels: []string{"x"}}), holds(ctx, db, deleted(a, 5)), holdsRevision(ctx, db, a), hasLabels(ctx, db, a.ID, labels(0)),
			lists(ctx, db, []template.Template{deleted(a, 5)}, template.Filter{Words: "content", Trash: true}),
			write(ctx, db, template.Writing{Template: lives, Was: 1, Labels: []string{"x"}}), holds(ctx, db, a), hasLabels(ctx, db, a.ID, labels(1)), listsRevisions(ctx, db, []template.Template{a}, 0, 5),
			lists(ctx, db, []template.Template{a}, template.Filter{Words: "1"}), lists(ctx, db, []template.Template{a}, template.Filter{Words: "2"}),
			write(ctx, db, template.Writing{Template: a, Was: 1}), hasLabels(ctx, db, a.ID, labels(1)))
	}},
	{Name: "written labels are those of the author, with a move each", Run: func(ctx context.Context, db template.Database) error {
		a := sample(1)
		b := next(a, "second")
		of := func(t template.Template, name string) template.Label {
			return template.Label{Name: name, Revision: t.Revision, User: t.Author, Modified: t.Modified}
		}
		return first(write(ctx, db, template.Writing{Template: a, Labels: []string{"y", "x", "a"}}), hasLabels(ctx, db, a.ID, of(a, "a"), of(a, "x"), of(a, "y")),
			hasMoves(ctx, db, a.ID, "x", moveOf(of(a, "x"), 0)), db.SetLabel(ctx, a.ID, labelAt("z", 1, 1)), db.RemoveLabel(ctx, a.ID, "a", "ann", at(2)),
			write(ctx, db, template.Writing{Template: b, Was: 1, Labels: []string{"x", "z", "a", "n"}}), hasLabels(ctx, db, a.ID, of(b, "a"), of(b, "n"), of(b, "x"), of(a, "y"), of(b, "z")),
			hasMoves(ctx, db, a.ID, "x", moveOf(of(b, "x"), 1), moveOf(of(a, "x"), 0)), hasMoves(ctx, db, a.ID, "z", moveOf(of(b, "z"), 1), moveOf(labelAt("z", 1, 1), 0)),
			hasMoves(ctx, db, a.ID, "a", moveOf(of(b, "a"), 0), template.LabelMove{From: 1, User: "ann", Time: at(2)}, moveOf(of(a, "a"), 0)),
			hasMoves(ctx, db, a.ID, "y", moveOf(of(a, "y"), 0)), hasMoves(ctx, db, a.ID, "n", moveOf(of(b, "n"), 0)))
	}},
	{Name: "lists, searches and names see what was written", Run: func(ctx context.Context, db template.Database) error {
		rows := contents("alpha", "alpha beta", "beta", "gamma")
		rows[2].Deleted = at(5)
		seen := func() error {
			return first(search(ctx, db, rows, "alpha", "beta", "gamma", "delta", "row0", ""), lists(ctx, db, rows, template.Filter{Trash: true, Words: "beta"}),
				lists(ctx, db, rows, template.Filter{Trash: true}), lists(ctx, db, rows, template.Filter{NamePrefix: "row"}))
		}
		if err := first(write(ctx, db, creations(rows...)...), seen(), finds1(ctx, db, "row1", rows[1].ID)); err != nil {
			return err
		}
		rows[0], rows[1], rows[2] = next(rows[0], "delta"), deleted(next(rows[1], "beta"), 6), next(rows[2], "beta delta")
		rows[2].Deleted, rows[0].Name = rows[0].Deleted, "renamed"
		return first(write(ctx, db, template.Writing{Template: rows[0], Was: 1}, template.Writing{Template: rows[1], Was: 1}, template.Writing{Template: rows[2], Was: 1}), seen(),
			finds1(ctx, db, "renamed", rows[0].ID), finds1(ctx, db, "row0", uuid.Nil), finds1(ctx, db, "row1", uuid.Nil), finds1(ctx, db, "row2", rows[2].ID))
	}},
	{Name: "a written template cannot be claimed away", Run: func(ctx context.Context, db template.Database) error {
		a := sample(1)
		claim := claimOf("ann", "key")
		return first(db.Create(ctx, a, claim), write(ctx, db, template.Writing{Template: next(a, "second"), Was: 1}), hasReceipt(ctx, db, claim, a), holdsRevision(ctx, db, a),
			wantErr("Create with the claim again", db.Create(ctx, sample(2), claim), template.ErrClaimed), write(ctx, db, template.Writing{Template: sample(3)}),
			wantErr("Create of what was written", db.Create(ctx, sample(3), nil), template.ErrTaken))
	}},
	{Name: "an export that is written anew is the same", Run: func(ctx context.Context, db template.Database) error {
		if err := fillArchive(ctx, db); err != nil {
			return err
		}
		all := template.Wanted{Trash: true, Revisions: true}
		want, err := export(ctx, db, all)
		if err != nil {
			return err
		}
		for _, batch := range []int{1, 3, 1000} {
			if err := emptied(ctx, db, want); err != nil {
				return err
			}
			var changes []template.Writing
			for i, r := range want {
				w := template.Writing{Template: r.Template, Labels: r.Labels}
				if i > 0 && want[i-1].ID == r.ID {
					w.Was = want[i-1].Revision
				}
				changes = append(changes, w)
			}
			for len(changes) > 0 {
				n := min(batch, len(changes))
				if err := write(ctx, db, changes[:n]...); err != nil {
					return err
				}
				changes = changes[n:]
			}
			if err := exports(ctx, db, all, want...); err != nil {
				return fmt.Errorf("written anew in batches of %d: %w", batch, err)
			}
		}
		return nil
	}},
}

// fillArchive stores some of everything.
func fillArchive(ctx context.Context, db template.Database) error {
	for i, more := range []int{0, 4, 1, 0, 7, 2} {
		t := sample(i)
		if i%3 == 0 {
			t.Created, t.Modified = time.Time{}, time.Time{}
		}
		if i == 4 {
			t.Revision = 6
		}
		t.Content = strings.Repeat(oddText, i)
		history, err := grow(ctx, db, t, more)
		if err != nil {
			return err
		}
		for j, name := range []string{"production", "a.b", "a-b"} {
			if err := db.SetLabel(ctx, t.ID, labelAt(name, history[j*i%len(history)].Revision, j)); err != nil {
				return err
			}
		}
		if i%2 == 1 {
			if err := db.Trash(ctx, t.ID, history[more].Revision, at(50+i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// emptied removes all that an export held.
func emptied(ctx context.Context, db template.Database, records []template.Record) error {
	for i, r := range records {
		if i+1 < len(records) && records[i+1].ID == r.ID || r.InTrash() {
			continue
		}
		if err := db.Trash(ctx, r.ID, r.Revision, at(70)); err != nil {
			return err
		}
	}
	if _, err := db.Purge(ctx, at(80), 1000); err != nil {
		return fmt.Errorf("Purge: %w", err)
	}
	return exports(ctx, db, template.Wanted{Trash: true, Revisions: true})
}
