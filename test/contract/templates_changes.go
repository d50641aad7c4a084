package contract

import (
	"context"
	"fmt"
	"time"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

var templateChanges = []TemplateCheck{
	{Name: "replace makes the next revision current", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		b := next(a, "second")
		b.Name, b.Description, b.Syntax, b.Author = "New name", "", template.Plain, ""
		if err := first(create(ctx, s, a, sample(2)), s.Replace(ctx, b, 1, nil), holds(ctx, s, b), holds(ctx, s, sample(2))); err != nil {
			return err
		}
		c := next(b, "")
		return first(s.Replace(ctx, c, 2, nil), holds(ctx, s, c))
	}},
	{Name: "old revisions stay as they were", Run: oldRevisions},
	{Name: "replace keeps created and does not look at deleted", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		if err := create(ctx, s, a); err != nil {
			return err
		}
		b := next(a, "second")
		given := b
		given.Created, given.Deleted = at(-5000), at(50)
		return first(s.Replace(ctx, given, 1, nil), holds(ctx, s, b), holdsRevision(ctx, s, b), holdsRevision(ctx, s, a))
	}},
	{Name: "replace at another revision is stale", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		b := next(a, "second")
		if err := first(create(ctx, s, a), s.Replace(ctx, b, 1, nil)); err != nil {
			return err
		}
		for _, was := range []int{1, 0, 3, -1} {
			late := next(b, "late")
			late.Revision = was + 1
			if err := first(wantErr(fmt.Sprintf("Replace from %d of a template at 2", was), s.Replace(ctx, late, was, nil), template.ErrStale),
				holds(ctx, s, b), holdsRevision(ctx, s, a), holdsRevision(ctx, s, b)); err != nil {
				return err
			}
		}
		_, third := s.Revision(ctx, a.ID, 3)
		return wantKind("a revision of a stale Replace", third, fault.NotFound)
	}},
	{Name: "replace of a missing template is stale", Run: func(ctx context.Context, s template.Store) error {
		ghost := next(sample(1), "x")
		err := wantErr("Replace of a missing template", s.Replace(ctx, ghost, 1, nil), template.ErrStale)
		_, get := s.Get(ctx, ghost.ID)
		_, revision := s.Revision(ctx, ghost.ID, 2)
		return first(err, wantKind("Get after a stale Replace", get, fault.NotFound), wantKind("Revision after a stale Replace", revision, fault.NotFound))
	}},
	{Name: "replace in the trash is stale", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		if err := first(create(ctx, s, a), s.Trash(ctx, a.ID, 1, at(3))); err != nil {
			return err
		}
		a.Deleted = at(3)
		err := wantErr("Replace in the trash", s.Replace(ctx, next(a, "x"), 1, nil), template.ErrStale)
		_, second := s.Revision(ctx, a.ID, 2)
		return first(err, holds(ctx, s, a), wantKind("a revision of a stale Replace", second, fault.NotFound))
	}},
	{Name: "of many writers one wins", Run: func(ctx context.Context, s template.Store) error {
		current := sample(1)
		if err := create(ctx, s, current); err != nil {
			return err
		}
		for round := range 5 {
			errs := together(8, func(i int) error {
				return s.Replace(ctx, next(current, fmt.Sprintf("writer %d of round %d", i, round)), current.Revision, nil)
			})
			won, bad := winners(errs, template.ErrStale)
			if won != 1 || bad != nil {
				return fmt.Errorf("8 writers from revision %d: want 1 to win, got %d (%v)", current.Revision, won, bad)
			}
			for i, err := range errs {
				if err == nil {
					current = next(current, fmt.Sprintf("writer %d of round %d", i, round))
				}
			}
			if err := first(holds(ctx, s, current), holdsRevision(ctx, s, current)); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "to the trash and back", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		b := next(a, "second")
		gone := b
		gone.Deleted = at(3).Add(999 * time.Microsecond)
		return first(create(ctx, s, a, sample(2)), s.Replace(ctx, b, 1, nil),
			s.Trash(ctx, a.ID, 2, gone.Deleted), holds(ctx, s, gone), holds(ctx, s, sample(2)), holdsRevision(ctx, s, a), holdsRevision(ctx, s, b),
			s.Undelete(ctx, a.ID, 2, nil), holds(ctx, s, b), holdsRevision(ctx, s, b),
			s.Replace(ctx, next(b, "third"), 2, nil), holds(ctx, s, next(b, "third")))
	}},
	{Name: "trash at another revision or place is stale", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		b := next(a, "second")
		err := first(wantErr("Trash of a missing template", s.Trash(ctx, a.ID, 1, at(3)), template.ErrStale),
			create(ctx, s, a), s.Replace(ctx, b, 1, nil),
			wantErr("Trash from 1 of a template at 2", s.Trash(ctx, a.ID, 1, at(3)), template.ErrStale),
			wantErr("Trash from 3 of a template at 2", s.Trash(ctx, a.ID, 3, at(3)), template.ErrStale), holds(ctx, s, b),
			s.Trash(ctx, a.ID, 2, at(4)))
		b.Deleted = at(4)
		return first(err, wantErr("Trash of one in the trash", s.Trash(ctx, a.ID, 2, at(5)), template.ErrStale), holds(ctx, s, b))
	}},
	{Name: "undelete at another revision or place is stale", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		b := next(a, "second")
		err := first(wantErr("Undelete of a missing template", s.Undelete(ctx, a.ID, 1, nil), template.ErrStale),
			create(ctx, s, a), s.Replace(ctx, b, 1, nil),
			wantErr("Undelete of a living template", s.Undelete(ctx, a.ID, 2, nil), template.ErrStale), holds(ctx, s, b),
			s.Trash(ctx, a.ID, 2, at(4)))
		b.Deleted = at(4)
		return first(err, wantErr("Undelete from 1 of a template at 2", s.Undelete(ctx, a.ID, 1, nil), template.ErrStale),
			wantErr("Undelete from 3 of a template at 2", s.Undelete(ctx, a.ID, 3, nil), template.ErrStale), holds(ctx, s, b))
	}},
	{Name: "of concurrent trashes and undeletes one wins", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		if err := create(ctx, s, a); err != nil {
			return err
		}
		for range 3 {
			won, bad := winners(together(6, func(i int) error { return s.Trash(ctx, a.ID, 1, at(i)) }), template.ErrStale)
			if won != 1 || bad != nil {
				return fmt.Errorf("6 trashes at once: want 1 to win, got %d (%v)", won, bad)
			}
			won, bad = winners(together(6, func(int) error { return s.Undelete(ctx, a.ID, 1, nil) }), template.ErrStale)
			if won != 1 || bad != nil {
				return fmt.Errorf("6 undeletes at once: want 1 to win, got %d (%v)", won, bad)
			}
		}
		return holds(ctx, s, a)
	}},
	{Name: "a replace and a trash do not both win", Run: func(ctx context.Context, s template.Store) error {
		for i := range 10 {
			a := sample(i)
			if err := create(ctx, s, a); err != nil {
				return err
			}
			errs := together(2, func(j int) error {
				if j == 0 {
					return s.Replace(ctx, next(a, "second"), 1, nil)
				}
				return s.Trash(ctx, a.ID, 1, at(9))
			})
			if won, bad := winners(errs, template.ErrStale); won != 1 || bad != nil {
				return fmt.Errorf("a replace and a trash from one revision: want 1 to win, got %d (%v)", won, bad)
			}
			want := next(a, "second")
			if errs[1] == nil {
				want = a
				want.Deleted = at(9)
			}
			if err := holds(ctx, s, want); err != nil {
				return err
			}
		}
		return nil
	}},
}

// oldRevisions demands that every revision of a long history can be read, also in the trash, and none but those.
func oldRevisions(ctx context.Context, s template.Store) error {
	history := []template.Template{sample(1)}
	if err := create(ctx, s, history[0]); err != nil {
		return err
	}
	for i := range 12 {
		t := next(history[i], fmt.Sprintf("content of step %d", i))
		t.Name, t.Description = fmt.Sprintf("Step %d", i), fmt.Sprintf("Description of step %d", i)
		if i%2 == 0 {
			t.Syntax = template.Plain
		}
		if err := s.Replace(ctx, t, t.Revision-1, nil); err != nil {
			return fmt.Errorf("Replace to revision %d: %w", t.Revision, err)
		}
		history = append(history, t)
	}
	all := func(when string) error {
		for _, t := range history {
			if err := holdsRevision(ctx, s, t); err != nil {
				return fmt.Errorf("%s: %w", when, err)
			}
		}
		_, err := s.Revision(ctx, history[0].ID, len(history)+1)
		return wantKind("a revision that was not made yet", err, fault.NotFound)
	}
	id := history[0].ID
	return first(all("while it lives"), s.Trash(ctx, id, len(history), at(3)), all("in the trash"),
		s.Undelete(ctx, id, len(history), nil), all("after the trash"))
}
