package contract

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/character/dice"
	"bitbucket.org/templar/templar/core/fault"
)

var characterRolls = []CharacterCheck{
	{Name: "a roll is kept with every field", Run: func(ctx context.Context, s character.Store) error {
		a, b := sampleRoll(1), sampleRoll(2)
		b.Own, b.Author, b.Seed, b.Rolls = false, "", oddText, []dice.Result{{Dice: []int{7}, Total: -3}}
		large := sampleRoll(3)
		for range character.MaxRollDice / 100 {
			large.Rolls = append(large.Rolls, dice.Result{Dice: make([]int, 100), Dropped: []int{1}, Total: 1 << 30})
		}
		return first(s.SaveRoll(ctx, a, nil), s.SaveRoll(ctx, b, nil), s.SaveRoll(ctx, large, nil), holdsRoll(ctx, s, a), holdsRoll(ctx, s, b), holdsRoll(ctx, s, large))
	}},
	{Name: "a roll's id is taken once", Run: func(ctx context.Context, s character.Store) error {
		a, other := sampleRoll(1), sampleRoll(2)
		other.ID = a.ID
		if err := first(s.SaveRoll(ctx, a, nil), wantKind("SaveRoll with an id that exists", s.SaveRoll(ctx, other, nil), fault.Conflict), holdsRoll(ctx, s, a)); err != nil {
			return err
		}
		errs := together(8, func(i int) error {
			r := sampleRoll(i)
			r.ID = idOf(77)
			return s.SaveRoll(ctx, r, nil)
		})
		won := 0
		for i, err := range errs {
			want := sampleRoll(i)
			want.ID = idOf(77)
			if err == nil {
				won++
				err = holdsRoll(ctx, s, want)
			} else {
				err = wantKind("a loser of the race", err, fault.Conflict)
			}
			if err != nil {
				return err
			}
		}
		if won != 1 {
			return fmt.Errorf("8 rolls with one id at once: want 1 to be kept, got %d", won)
		}
		return nil
	}},
	{Name: "a roll that is saved is used by nobody", Run: func(ctx context.Context, s character.Store) error {
		given := sampleRoll(1)
		given.UsedBy = idOf(9)
		return first(s.SaveRoll(ctx, given, nil), holdsRoll(ctx, s, sampleRoll(1)))
	}},
	{Name: "rolls are not shared", Run: func(ctx context.Context, s character.Store) error {
		given := sampleRoll(1)
		if err := s.SaveRoll(ctx, given, nil); err != nil {
			return err
		}
		given.Rolls[0].Dice[0] = 99
		got, err := s.Roll(ctx, given.ID)
		if err = first(err, sameRoll(got, sampleRoll(1))); err != nil {
			return fmt.Errorf("after the caller changed what it had saved: %w", err)
		}
		got.Rolls[0].Dice[0], got.Rolls[0].Dropped[0], got.Rolls[1].Total = 99, 99, 99
		return holdsRoll(ctx, s, sampleRoll(1))
	}},
	{Name: "a create uses its roll", Run: func(ctx context.Context, s character.Store) error {
		r, other, c := sampleRoll(1), sampleRoll(2), sampleCharacter(1)
		return first(s.SaveRoll(ctx, r, nil), s.SaveRoll(ctx, other, nil), s.Create(ctx, c, nil, r.ID), holdsCharacter(ctx, s, c), holdsRoll(ctx, s, usedRoll(r, c.ID)), holdsRoll(ctx, s, other))
	}},
	{Name: "a replace uses its roll", Run: func(ctx context.Context, s character.Store) error {
		r, other, c := sampleRoll(1), sampleRoll(2), sampleCharacter(1)
		b := nextCharacter(c, 2)
		return first(s.SaveRoll(ctx, r, nil), s.SaveRoll(ctx, other, nil), createCharacters(ctx, s, c), s.Replace(ctx, b, 1, nil, r.ID), holdsCharacter(ctx, s, b), holdsRoll(ctx, s, usedRoll(r, c.ID)),
			// The character that uses it may say so again, and may take another.
			s.Replace(ctx, nextCharacter(b, 3), 2, nil, r.ID), holdsRoll(ctx, s, usedRoll(r, c.ID)), s.Replace(ctx, nextCharacter(nextCharacter(b, 3), 4), 3, nil, other.ID),
			holdsRoll(ctx, s, usedRoll(other, c.ID)), holdsRoll(ctx, s, usedRoll(r, c.ID)))
	}},
	{Name: "a roll is used once", Run: func(ctx context.Context, s character.Store) error {
		r, a, b, c := sampleRoll(1), sampleCharacter(1), sampleCharacter(2), sampleCharacter(3)
		if err := first(s.SaveRoll(ctx, r, nil), s.Create(ctx, a, nil, r.ID), createCharacters(ctx, s, b)); err != nil {
			return err
		}
		err := wantErr("Create with a used roll", s.Create(ctx, c, nil, r.ID), character.ErrRollUsed)
		_, get := s.Get(ctx, c.ID)
		return first(err, wantKind("Get of what asked for a used roll", get, fault.NotFound),
			wantErr("Replace with a roll that another uses", s.Replace(ctx, nextCharacter(b, 2), 1, nil, r.ID), character.ErrRollUsed),
			holdsCharacter(ctx, s, b), holdsRoll(ctx, s, usedRoll(r, a.ID)))
	}},
	{Name: "a roll that does not exist cannot be used", Run: func(ctx context.Context, s character.Store) error {
		a, b := sampleCharacter(1), sampleCharacter(2)
		err := first(createCharacters(ctx, s, a), wantErr("Create with an unknown roll", s.Create(ctx, b, nil, idOf(66)), character.ErrRollUsed),
			wantErr("Replace with an unknown roll", s.Replace(ctx, nextCharacter(a, 2), 1, nil, idOf(66)), character.ErrRollUsed), holdsCharacter(ctx, s, a))
		_, get := s.Get(ctx, b.ID)
		_, roll := s.Roll(ctx, idOf(66))
		return first(err, wantKind("Get of what asked for an unknown roll", get, fault.NotFound), wantKind("an unknown roll that was asked for", roll, fault.NotFound))
	}},
	{Name: "a refused change uses no roll", Run: func(ctx context.Context, s character.Store) error {
		r, a, taken := sampleRoll(1), sampleCharacter(1), sampleCharacter(2)
		taken.ID = a.ID
		claim := answerTo("ann", "key")
		return first(s.SaveRoll(ctx, r, claim), createCharacters(ctx, s, a), wantErr("Create of a taken id with a roll", s.Create(ctx, taken, nil, r.ID), character.ErrTaken), holdsRoll(ctx, s, r),
			wantErr("a stale Replace with a roll", s.Replace(ctx, nextCharacter(a, 2), 7, nil, r.ID), character.ErrStale), holdsRoll(ctx, s, r),
			wantErr("Create with a used claim and a roll", s.Create(ctx, sampleCharacter(3), claim, r.ID), character.ErrClaimed), holdsRoll(ctx, s, r),
			s.Create(ctx, sampleCharacter(3), nil, r.ID), holdsRoll(ctx, s, usedRoll(r, sampleCharacter(3).ID)))
	}},
	{Name: "of concurrent uses of a roll one wins", Run: func(ctx context.Context, s character.Store) error {
		made := 0
		for round := range 3 {
			r, old := sampleRoll(round), sampleCharacter(100*round+50)
			if err := first(s.SaveRoll(ctx, r, nil), createCharacters(ctx, s, old)); err != nil {
				return err
			}
			made++
			errs := together(8, func(i int) error {
				if i == 0 {
					return s.Replace(ctx, nextCharacter(old, 2), 1, nil, r.ID)
				}
				return s.Create(ctx, sampleCharacter(100*round+i), nil, r.ID)
			})
			won, bad := winners(errs, character.ErrRollUsed)
			for i, err := range errs {
				user := old
				if i > 0 {
					user = sampleCharacter(100*round + i)
				}
				if err == nil {
					bad = first(bad, holdsRoll(ctx, s, usedRoll(r, user.ID)))
					made += min(i, 1)
				}
			}
			if n, err := s.Count(ctx, character.Filter{}); won != 1 || bad != nil || err != nil || n != made {
				return fmt.Errorf("8 uses of one roll: want 1 to win and %d characters, got %d and %d (%v, %v)", made, won, n, bad, err)
			}
		}
		return nil
	}},
	{Name: "a roll stays used when its character is gone", Run: func(ctx context.Context, s character.Store) error {
		r, a, b := sampleRoll(1), sampleCharacter(1), sampleCharacter(2)
		if err := first(s.SaveRoll(ctx, r, nil), s.Create(ctx, a, nil, r.ID), s.Trash(ctx, a.ID, 1, at(3)), holdsRoll(ctx, s, usedRoll(r, a.ID))); err != nil {
			return err
		}
		if n, err := s.Purge(ctx, at(4), 5); n != 1 || err != nil {
			return fmt.Errorf("Purge: want 1, got %d, %v", n, err)
		}
		return first(holdsRoll(ctx, s, usedRoll(r, a.ID)), wantErr("Create with the roll of one that is gone", s.Create(ctx, b, nil, r.ID), character.ErrRollUsed))
	}},
}

// sampleRoll is a roll that differs from every other sample.
func sampleRoll(n int) character.Roll {
	return character.Roll{
		ID: idOf(n + 7000), Notation: "4d6dl1", Seed: fmt.Sprintf("seed %d", n), Own: true, Author: fmt.Sprintf("author%d", n), Created: at(n),
		Rolls: []dice.Result{{Dice: []int{6, 5, 3, 2}, Dropped: []int{2}, Total: 14}, {Dice: []int{1, 1, 1, 1}, Dropped: []int{1}, Total: 3 + n}},
	}
}

// usedRoll is r when a character has used it.
func usedRoll(r character.Roll, by uuid.UUID) character.Roll {
	r.UsedBy = by
	return r
}

func sameRoll(got, want character.Roll) error {
	if g, w := character.EncodeRoll(got), character.EncodeRoll(want); !bytes.Equal(g, w) {
		return fmt.Errorf("Roll: want %s, got %s", w, g)
	}
	if got.UsedBy != want.UsedBy {
		return fmt.Errorf("Roll: UsedBy: want %v, got %v", want.UsedBy, got.UsedBy)
	}
	return sameTime("Roll: Created", got.Created, want.Created)
}

// holdsRoll complains unless Roll answers r.
func holdsRoll(ctx context.Context, s character.Store, r character.Roll) error {
	got, err := s.Roll(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("Roll: %w", err)
	}
	return sameRoll(got, r)
}
