package contract

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

var characterChanges = []CharacterCheck{
	{Name: "replace makes the next revision current", Run: func(ctx context.Context, s character.Store) error {
		a := sampleCharacter(1)
		b := nextCharacter(sampleCharacter(3), 2)
		b.ID, b.Created, b.Author, b.Player, b.Multiclass, b.HitPoints = a.ID, a.Created, "", "", nil, nil
		c := nextCharacter(b, 0)
		return first(createCharacters(ctx, s, a, sampleCharacter(2)), replaceCharacter(ctx, s, b, 1), holdsCharacter(ctx, s, b), holdsCharacter(ctx, s, sampleCharacter(2)),
			replaceCharacter(ctx, s, c, 2), holdsCharacter(ctx, s, c))
	}},
	{Name: "replace keeps created and does not look at deleted", Run: func(ctx context.Context, s character.Store) error {
		a := sampleCharacter(1)
		b := nextCharacter(a, 2)
		given := b
		given.Created, given.Deleted = at(-5000), at(50)
		return first(createCharacters(ctx, s, a), replaceCharacter(ctx, s, given, 1), holdsCharacter(ctx, s, b), listsCharacters(ctx, s, []character.Character{b}, character.Filter{}))
	}},
	{Name: "replace at another revision is stale", Run: func(ctx context.Context, s character.Store) error {
		a := sampleCharacter(1)
		b := nextCharacter(a, 2)
		if err := first(createCharacters(ctx, s, a), replaceCharacter(ctx, s, b, 1)); err != nil {
			return err
		}
		for _, was := range []int{1, 0, 3, -1} {
			late := nextCharacter(b, 99)
			late.Revision = was + 1
			if err := first(wantErr(fmt.Sprintf("Replace from %d of a character at 2", was), replaceCharacter(ctx, s, late, was), character.ErrStale), holdsCharacter(ctx, s, b)); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "replace of a missing character is stale", Run: func(ctx context.Context, s character.Store) error {
		ghost := nextCharacter(sampleCharacter(1), 2)
		err := wantErr("Replace of a missing character", replaceCharacter(ctx, s, ghost, 1), character.ErrStale)
		_, get := s.Get(ctx, ghost.ID)
		return first(err, wantKind("Get after a stale Replace", get, fault.NotFound))
	}},
	{Name: "replace in the trash is stale", Run: func(ctx context.Context, s character.Store) error {
		a := sampleCharacter(1)
		return first(createCharacters(ctx, s, a), s.Trash(ctx, a.ID, 1, at(3)),
			wantErr("Replace in the trash", replaceCharacter(ctx, s, nextCharacter(a, 2), 1), character.ErrStale), holdsCharacter(ctx, s, deletedAt(a, at(3))))
	}},
	{Name: "of many writers one wins", Run: func(ctx context.Context, s character.Store) error {
		current := sampleCharacter(1)
		if err := createCharacters(ctx, s, current); err != nil {
			return err
		}
		for round := range 5 {
			errs := together(8, func(i int) error {
				return replaceCharacter(ctx, s, nextCharacter(current, 100*round+i), current.Revision)
			})
			won, bad := winners(errs, character.ErrStale)
			if won != 1 || bad != nil {
				return fmt.Errorf("8 writers from revision %d: want 1 to win, got %d (%v)", current.Revision, won, bad)
			}
			for i, err := range errs {
				if err == nil {
					current = nextCharacter(current, 100*round+i)
				}
			}
			if err := holdsCharacter(ctx, s, current); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "of concurrent damage none is lost", Run: concurrentDamage},
	{Name: "to the trash and back", Run: func(ctx context.Context, s character.Store) error {
		a := sampleCharacter(1)
		b := nextCharacter(a, 2)
		when := at(3).Add(999 * time.Microsecond)
		return first(createCharacters(ctx, s, a, sampleCharacter(2)), replaceCharacter(ctx, s, b, 1),
			s.Trash(ctx, a.ID, 2, when), holdsCharacter(ctx, s, deletedAt(b, when)), holdsCharacter(ctx, s, sampleCharacter(2)),
			s.Undelete(ctx, a.ID, 2, nil), holdsCharacter(ctx, s, b), replaceCharacter(ctx, s, nextCharacter(b, 3), 2), holdsCharacter(ctx, s, nextCharacter(b, 3)))
	}},
	{Name: "trash at another revision or place is stale", Run: func(ctx context.Context, s character.Store) error {
		a := sampleCharacter(1)
		b := nextCharacter(a, 2)
		return first(wantErr("Trash of a missing character", s.Trash(ctx, a.ID, 1, at(3)), character.ErrStale),
			createCharacters(ctx, s, a), replaceCharacter(ctx, s, b, 1),
			wantErr("Trash from 1 of a character at 2", s.Trash(ctx, a.ID, 1, at(3)), character.ErrStale),
			wantErr("Trash from 3 of a character at 2", s.Trash(ctx, a.ID, 3, at(3)), character.ErrStale), holdsCharacter(ctx, s, b),
			s.Trash(ctx, a.ID, 2, at(4)),
			wantErr("Trash of one in the trash", s.Trash(ctx, a.ID, 2, at(5)), character.ErrStale), holdsCharacter(ctx, s, deletedAt(b, at(4))))
	}},
	{Name: "undelete at another revision or place is stale", Run: func(ctx context.Context, s character.Store) error {
		a := sampleCharacter(1)
		b := nextCharacter(a, 2)
		return first(wantErr("Undelete of a missing character", s.Undelete(ctx, a.ID, 1, nil), character.ErrStale),
			createCharacters(ctx, s, a), replaceCharacter(ctx, s, b, 1),
			wantErr("Undelete of a living character", s.Undelete(ctx, a.ID, 2, nil), character.ErrStale), holdsCharacter(ctx, s, b),
			s.Trash(ctx, a.ID, 2, at(4)),
			wantErr("Undelete from 1 of a character at 2", s.Undelete(ctx, a.ID, 1, nil), character.ErrStale),
			wantErr("Undelete from 3 of a character at 2", s.Undelete(ctx, a.ID, 3, nil), character.ErrStale), holdsCharacter(ctx, s, deletedAt(b, at(4))))
	}},
	{Name: "of concurrent trashes and undeletes one wins", Run: func(ctx context.Context, s character.Store) error {
		a := sampleCharacter(1)
		if err := createCharacters(ctx, s, a); err != nil {
			return err
		}
		for range 3 {
			won, bad := winners(together(6, func(i int) error { return s.Trash(ctx, a.ID, 1, at(i)) }), character.ErrStale)
			if won != 1 || bad != nil {
				return fmt.Errorf("6 trashes at once: want 1 to win, got %d (%v)", won, bad)
			}
			won, bad = winners(together(6, func(int) error { return s.Undelete(ctx, a.ID, 1, nil) }), character.ErrStale)
			if won != 1 || bad != nil {
				return fmt.Errorf("6 undeletes at once: want 1 to win, got %d (%v)", won, bad)
			}
		}
		return holdsCharacter(ctx, s, a)
	}},
	{Name: "a replace and a trash do not both win", Run: func(ctx context.Context, s character.Store) error {
		for i := range 10 {
			a := sampleCharacter(i)
			if err := createCharacters(ctx, s, a); err != nil {
				return err
			}
			errs := together(2, func(j int) error {
				if j == 0 {
					return replaceCharacter(ctx, s, nextCharacter(a, 2), 1)
				}
				return s.Trash(ctx, a.ID, 1, at(9))
			})
			if won, bad := winners(errs, character.ErrStale); won != 1 || bad != nil {
				return fmt.Errorf("a replace and a trash from one revision: want 1 to win, got %d (%v)", won, bad)
			}
			want := nextCharacter(a, 2)
			if errs[1] == nil {
				want = deletedAt(a, at(9))
			}
			if err := holdsCharacter(ctx, s, want); err != nil {
				return err
			}
		}
		return nil
	}},
}

// concurrentDamage lets several take hit points from one character as the service does, by compare-and-swap, and
// demands that all of them are gone in the end.
func concurrentDamage(ctx context.Context, s character.Store) error {
	const hitters, blows = 6, 5
	c := sampleCharacter(1)
	c.State.HP = 1000
	if err := createCharacters(ctx, s, c); err != nil {
		return err
	}
	errs := together(hitters, func(int) error {
		for landed := 0; landed < blows; {
			now, err := s.Get(ctx, c.ID)
			if err != nil {
				return err
			}
			err = s.Replace(ctx, nextCharacter(now, now.State.HP-1), now.Revision, nil, uuid.Nil)
			if err == nil {
				landed++
			} else if !errors.Is(err, character.ErrStale) {
				return err
			}
		}
		return nil
	})
	got, err := s.Get(ctx, c.ID)
	if err = first(append(errs, err)...); err != nil {
		return err
	}
	if want := 1000 - hitters*blows; got.State.HP != want || got.Revision != 1+hitters*blows {
		return fmt.Errorf("after %d blows: want %d hit points at revision %d, got %d at %d", hitters*blows, want, 1+hitters*blows, got.State.HP, got.Revision)
	}
	return nil
}
