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

var historyLabels = []HistoryCheck{
	{Name: "a label is set, moved and removed", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 2)
		if err != nil {
			return err
		}
		id := history[0].ID
		return first(hasLabels(ctx, db, id),
			db.SetLabel(ctx, id, labelAt("production", 2, 1)), hasLabels(ctx, db, id, labelAt("production", 2, 1)),
			db.SetLabel(ctx, id, labelAt("production", 3, 2)), hasLabels(ctx, db, id, labelAt("production", 3, 2)),
			db.SetLabel(ctx, id, labelAt("production", 1, 3)), hasLabels(ctx, db, id, labelAt("production", 1, 3)),
			db.SetLabel(ctx, id, labelAt("production", 1, 4)), hasLabels(ctx, db, id, labelAt("production", 1, 4)),
			db.RemoveLabel(ctx, id, "production", "ann", at(5)), hasLabels(ctx, db, id),
			db.SetLabel(ctx, id, labelAt("production", 2, 6)), hasLabels(ctx, db, id, labelAt("production", 2, 6)), holds(ctx, db, history[2]))
	}},
	{Name: "labels are sorted by name", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 1)
		if err != nil {
			return err
		}
		// Byte for byte: what a language's collation makes of - . and _ differs.
		names := []string{"b", "a", "a-b", "a.b", "a_b", "ab", "a0", "0", "9a", "a.a", "a-a", "zz", "aa", "stage", "st-age", "10", "2"}
		var want []template.Label
		for i, name := range names {
			l := labelAt(name, 1+i%2, i)
			if err := db.SetLabel(ctx, history[0].ID, l); err != nil {
				return err
			}
			want = append(want, l)
		}
		slices.SortFunc(want, func(a, b template.Label) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
		return hasLabels(ctx, db, history[0].ID, want...)
	}},
	{Name: "labels of two templates are apart", Run: func(ctx context.Context, db template.Database) error {
		a, b := sample(1), sample(2)
		return first(create(ctx, db, a, b), db.SetLabel(ctx, a.ID, labelAt("x", 1, 1)), hasLabels(ctx, db, b.ID),
			db.SetLabel(ctx, b.ID, labelAt("x", 1, 2)), db.SetLabel(ctx, b.ID, labelAt("y", 1, 3)), hasLabels(ctx, db, a.ID, labelAt("x", 1, 1)),
			db.RemoveLabel(ctx, a.ID, "x", "ann", at(4)), hasLabels(ctx, db, a.ID), hasLabels(ctx, db, b.ID, labelAt("x", 1, 2), labelAt("y", 1, 3)),
			hasMoves(ctx, db, a.ID, "x", template.LabelMove{From: 1, User: "ann", Time: at(4)}, moveOf(labelAt("x", 1, 1), 0)),
			hasMoves(ctx, db, b.ID, "x", moveOf(labelAt("x", 1, 2), 0)), hasMoves(ctx, db, a.ID, "y"), hasMoves(ctx, db, b.ID, "y", moveOf(labelAt("y", 1, 3), 0)))
	}},
	{Name: "a label is only put on what is there", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 1)
		if err != nil {
			return err
		}
		id, l := history[0].ID, labelAt("x", 2, 1)
		if err := db.SetLabel(ctx, id, l); err != nil {
			return err
		}
		unchanged := func() error { return first(hasLabels(ctx, db, id, l), hasMoves(ctx, db, id, "x", moveOf(l, 0))) }
		for _, n := range []int{3, 0, -1, 1 << 40} {
			if err := first(wantKind(fmt.Sprintf("SetLabel on revision %d of 2", n), db.SetLabel(ctx, id, labelAt("x", n, 2)), fault.NotFound), unchanged()); err != nil {
				return err
			}
		}
		ghost := idOf(9)
		return first(wantKind("SetLabel on an unknown id", db.SetLabel(ctx, ghost, labelAt("x", 1, 2)), fault.NotFound), hasLabels(ctx, db, ghost), hasMoves(ctx, db, ghost, "x"),
			db.Trash(ctx, id, 2, at(3)),
			wantKind("SetLabel in the trash", db.SetLabel(ctx, id, labelAt("x", 1, 4)), fault.NotFound),
			wantKind("SetLabel of a new label in the trash", db.SetLabel(ctx, id, labelAt("new", 1, 4)), fault.NotFound), unchanged(), hasMoves(ctx, db, id, "new"),
			db.Undelete(ctx, id, 2, nil), unchanged(), db.SetLabel(ctx, id, labelAt("x", 1, 5)), hasLabels(ctx, db, id, labelAt("x", 1, 5)))
	}},
	{Name: "labels stay with their revisions", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 1)
		if err != nil {
			return err
		}
		id, l := history[0].ID, labelAt("x", 2, 1)
		return first(db.SetLabel(ctx, id, l), db.Replace(ctx, next(history[1], "third"), 2, nil), hasLabels(ctx, db, id, l),
			db.Trash(ctx, id, 3, at(2)), hasLabels(ctx, db, id, l), db.Undelete(ctx, id, 3, nil), hasLabels(ctx, db, id, l))
	}},
	{Name: "a label that is not there cannot be removed", Run: func(ctx context.Context, db template.Database) error {
		a := sample(1)
		l := labelAt("x", 1, 1)
		if err := first(create(ctx, db, a), wantKind("RemoveLabel of one that never was", db.RemoveLabel(ctx, a.ID, "x", "ann", at(1)), fault.NotFound),
			hasMoves(ctx, db, a.ID, "x"), db.SetLabel(ctx, a.ID, l)); err != nil {
			return err
		}
		removed := template.LabelMove{From: 1, User: "ann", Time: at(2)}
		return first(wantKind("RemoveLabel of another name", db.RemoveLabel(ctx, a.ID, "X", "ann", at(2)), fault.NotFound),
			wantKind("RemoveLabel of an unknown id", db.RemoveLabel(ctx, idOf(2), "x", "ann", at(2)), fault.NotFound), hasLabels(ctx, db, a.ID, l),
			db.RemoveLabel(ctx, a.ID, "x", "ann", at(2)),
			wantKind("RemoveLabel of a removed one", db.RemoveLabel(ctx, a.ID, "x", "bob", at(3)), fault.NotFound), hasMoves(ctx, db, a.ID, "x", removed, moveOf(l, 0)))
	}},
}

var historyMoves = []HistoryCheck{
	{Name: "every move of a label is noted and kept", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 2)
		if err != nil {
			return err
		}
		id := history[0].ID
		one, two, again, back := labelAt("x", 1, 1), labelAt("x", 3, 2), labelAt("x", 3, 3), labelAt("x", 2, 9)
		removed := template.LabelMove{From: 3, User: oddText, Time: at(4).Add(3 * time.Microsecond)}
		moves := []template.LabelMove{moveOf(back, 0), removed, moveOf(again, 3), moveOf(two, 1), moveOf(one, 0)}
		return first(hasMoves(ctx, db, id, "x"), db.SetLabel(ctx, id, one), hasMoves(ctx, db, id, "x", moves[4:]...),
			db.SetLabel(ctx, id, two), hasMoves(ctx, db, id, "x", moves[3:]...), db.SetLabel(ctx, id, again), hasMoves(ctx, db, id, "x", moves[2:]...),
			db.RemoveLabel(ctx, id, "x", removed.User, removed.Time), hasMoves(ctx, db, id, "x", moves[1:]...),
			db.SetLabel(ctx, id, back), hasMoves(ctx, db, id, "x", moves...),
			db.Trash(ctx, id, 3, at(10)), hasMoves(ctx, db, id, "x", moves...))
	}},
	{Name: "pages of a label's history join up", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 3)
		if err != nil {
			return err
		}
		id, from := history[0].ID, 0
		var want []template.LabelMove
		for i := range 13 {
			l := labelAt("x", 1+i*3%4, i)
			if err := first(db.SetLabel(ctx, id, l), db.SetLabel(ctx, id, labelAt("y", 1, i))); err != nil {
				return err
			}
			want = slices.Insert(want, 0, moveOf(l, from))
			from = l.Revision
		}
		for _, limit := range []int{1, 4, 13, 100} {
			var got []template.LabelMove
			before := int64(0)
			for range 20 {
				items, err := db.LabelHistory(ctx, id, "x", before, limit)
				if err != nil || len(items) > limit {
					return fmt.Errorf("LabelHistory of at most %d: got %d, %v", limit, len(items), err)
				}
				if len(items) == 0 {
					break
				}
				got = append(got, items...)
				before = items[len(items)-1].Number
			}
			if err := sameMoves(fmt.Sprintf("LabelHistory in pages of %d", limit), got, want); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "numbers of moves rise over all labels", Run: func(ctx context.Context, db template.Database) error {
		a, b := sample(1), sample(2)
		if err := create(ctx, db, a, b); err != nil {
			return err
		}
		last := int64(0)
		for i := range 12 {
			id, name := []uuid.UUID{a.ID, b.ID}[i%2], []string{"x", "y", "z"}[i%3]
			var err error
			if i >= 6 && i < 9 { // these were set six moves ago
				err = db.RemoveLabel(ctx, id, name, "ann", at(i))
			} else {
				err = db.SetLabel(ctx, id, labelAt(name, 1, i))
			}
			if err != nil {
				return err
			}
			moves, err := db.LabelHistory(ctx, id, name, 0, 1)
			if err != nil || len(moves) != 1 || moves[0].Number <= last {
				return fmt.Errorf("LabelHistory after move %d: want one with a number above %d, got %+v, %v", i, last, moves, err)
			}
			last = moves[0].Number
		}
		return nil
	}},
	{Name: "concurrent moves of a label follow each other", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 3)
		if err != nil {
			return err
		}
		id := history[0].ID
		for round := range 3 {
			const n = 10
			name := fmt.Sprint("x", round)
			for i, err := range together(n, func(i int) error { return db.SetLabel(ctx, id, labelAt(name, 1+i%4, i)) }) {
				if err != nil {
					return fmt.Errorf("SetLabel %d of %d at once: %w", i, n, err)
				}
			}
			moves, err := db.LabelHistory(ctx, id, name, 0, 50)
			if err != nil || len(moves) != n {
				return fmt.Errorf("LabelHistory after %d at once: want %d, got %d, %v", n, n, len(moves), err)
			}
			from := 0
			for i, m := range slices.Backward(moves) {
				if m.From != from {
					return fmt.Errorf("LabelHistory after %d at once: entry %d comes from %d, but the label stood at %d", n, i, m.From, from)
				}
				from = m.To
			}
			labels, err := db.Labels(ctx, id)
			if err != nil || len(labels) != round+1 || labels[round].Revision != from {
				return fmt.Errorf("Labels after %d at once: want %s at %d, got %+v, %v", n, name, from, labels, err)
			}
		}
		return nil
	}},
}

// labelAt is a label that was put on a revision n seconds after the start.
func labelAt(name string, revision, n int) template.Label {
	return template.Label{Name: name, Revision: revision, User: fmt.Sprintf("\u0416ser%d'", n), Modified: at(n).Add(time.Duration(n) * time.Microsecond)}
}

// moveOf is the entry that setting l makes, without its number.
func moveOf(l template.Label, from int) template.LabelMove {
	return template.LabelMove{From: from, To: l.Revision, User: l.User, Time: l.Modified}
}

// hasLabels complains unless Labels answers these.
func hasLabels(ctx context.Context, db template.Database, id uuid.UUID, want ...template.Label) error {
	got, err := db.Labels(ctx, id)
	if err != nil {
		return fmt.Errorf("Labels: %w", err)
	}
	if len(got) != len(want) {
		return fmt.Errorf("Labels: want %d, got %+v", len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if g.Name != w.Name || g.Revision != w.Revision || g.User != w.User {
			return fmt.Errorf("Labels, item %d: want %+v, got %+v", i, w, g)
		}
		if err := sameTime(fmt.Sprintf("Labels, item %d: Modified", i), g.Modified, w.Modified); err != nil {
			return err
		}
	}
	return nil
}

// hasMoves complains unless LabelHistory answers these, newest first, with numbers of its own.
func hasMoves(ctx context.Context, db template.Database, id uuid.UUID, name string, want ...template.LabelMove) error {
	got, err := db.LabelHistory(ctx, id, name, 0, 100)
	if err != nil {
		return fmt.Errorf("LabelHistory: %w", err)
	}
	return sameMoves("LabelHistory", got, want)
}

func sameMoves(what string, got, want []template.LabelMove) error {
	if len(got) != len(want) {
		return fmt.Errorf("%s: want %d, got %+v", what, len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if g.Number <= 0 || i > 0 && g.Number >= got[i-1].Number {
			return fmt.Errorf("%s: the numbers do not fall: %+v", what, got)
		}
		if g.From != w.From || g.To != w.To || g.User != w.User {
			return fmt.Errorf("%s, item %d: want %+v, got %+v", what, i, w, g)
		}
		if err := sameTime(fmt.Sprintf("%s, item %d: Time", what, i), g.Time, w.Time); err != nil {
			return err
		}
	}
	return nil
}
