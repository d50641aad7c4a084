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

var characterPurges = []CharacterCheck{
	{Name: "a purge takes what was in the trash before the moment", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(6)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		moment := at(100)
		for i, when := range []time.Time{moment.Add(-time.Hour), moment.Add(-time.Microsecond), moment, moment.Add(time.Microsecond)} {
			rows[i].Deleted = when
			if err := s.Trash(ctx, rows[i].ID, 1, when); err != nil {
				return err
			}
		}
		return first(purgesCharacters(ctx, s, at(-10000), 50, 0, 0), purgesCharacters(ctx, s, moment, 50, 2, 2), noCharacter(ctx, s, rows[0]), noCharacter(ctx, s, rows[1]),
			listsCharacters(ctx, s, rows[2:], character.Filter{Trash: true}), listsCharacters(ctx, s, rows[2:], character.Filter{}), listsCharacters(ctx, s, rows[2:], character.Filter{Trash: true, Words: "name"}),
			purgesCharacters(ctx, s, moment, 50, 0, 0), purgesCharacters(ctx, s, farAhead, 50, 2, 2), listsCharacters(ctx, s, rows[4:], character.Filter{}), listsCharacters(ctx, s, nil, character.Filter{Trash: true}))
	}},
	{Name: "a purge has a limit", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(11)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for i := range rows[:9] {
			rows[i].Deleted = at(i)
			if err := s.Trash(ctx, rows[i].ID, 1, rows[i].Deleted); err != nil {
				return err
			}
		}
		return first(purgesCharacters(ctx, s, at(7), 0, 7, 0), purgesCharacters(ctx, s, at(7), 3, 7, 3), purgesCharacters(ctx, s, at(7), 3, 4, 3), purgesCharacters(ctx, s, at(7), 3, 1, 1), purgesCharacters(ctx, s, at(7), 3, 0, 0),
			listsCharacters(ctx, s, rows[7:], character.Filter{Trash: true}), listsCharacters(ctx, s, rows[7:], character.Filter{}))
	}},
	{Name: "a purge leaves the id free", Run: func(ctx context.Context, s character.Store) error {
		a, anew := sampleCharacter(1), sampleCharacter(2)
		anew.ID = a.ID
		return first(createCharacters(ctx, s, a), s.Trash(ctx, a.ID, 1, at(5)), purgesCharacters(ctx, s, at(6), 5, 1, 1), wantErr("Undelete of one that is gone", s.Undelete(ctx, a.ID, 1, nil), character.ErrStale),
			createCharacters(ctx, s, anew), holdsCharacter(ctx, s, anew), listsCharacters(ctx, s, []character.Character{anew}, character.Filter{Words: "name"}))
	}},
	{Name: "a purge leaves the receipts", Run: func(ctx context.Context, s character.Store) error {
		a, claim := sampleCharacter(1), answerTo("ann", "key")
		return first(s.Create(ctx, a, claim, uuid.Nil), s.Trash(ctx, a.ID, 1, at(5)), purgesCharacters(ctx, s, at(6), 5, 1, 1), answered(ctx, s, claim))
	}},
	{Name: "an undelete and a purge do not both win", Run: func(ctx context.Context, s character.Store) error {
		for i := range 10 {
			a := sampleCharacter(i)
			if err := first(createCharacters(ctx, s, a), s.Trash(ctx, a.ID, 1, at(5))); err != nil {
				return err
			}
			purged := 0
			errs := together(2, func(j int) (err error) {
				if j == 0 {
					return s.Undelete(ctx, a.ID, 1, nil)
				}
				purged, err = s.Purge(ctx, at(6), 5)
				return err
			})
			if errs[1] != nil {
				return fmt.Errorf("Purge beside an Undelete: %w", errs[1])
			}
			if errs[0] == nil && purged == 0 {
				if err := holdsCharacter(ctx, s, a); err != nil {
					return fmt.Errorf("after an Undelete beside a Purge of none: %w", err)
				}
				continue
			}
			if err := first(wantErr("Undelete beside a Purge", errs[0], character.ErrStale), noCharacter(ctx, s, a)); err != nil || purged != 1 {
				return errors.Join(fmt.Errorf("an Undelete that ended with %v beside a Purge of %d", errs[0], purged), err)
			}
		}
		return nil
	}},
}

// purgesCharacters demands that so many stand in the trash before the moment, and that a Purge of at most limit takes so
// many of them.
func purgesCharacters(ctx context.Context, s character.Store, before time.Time, limit, count, want int) error {
	if n, err := s.CountTrash(ctx, before); n != count || err != nil {
		return fmt.Errorf("CountTrash: want %d, got %d, %w", count, n, err)
	}
	if n, err := s.Purge(ctx, before, limit); n != want || err != nil {
		return fmt.Errorf("Purge of at most %d: want %d, got %d, %w", limit, want, n, err)
	}
	return nil
}

func noCharacter(ctx context.Context, s character.Store, c character.Character) error {
	_, err := s.Get(ctx, c.ID)
	return wantKind("Get of a purged character", err, fault.NotFound)
}
