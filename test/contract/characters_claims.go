package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// claimTime is how long the claims of samples last.
const claimTime = 24 * time.Hour

// answerTo is a claim that is made at the start.
func answerTo(user, key string) *character.Claim {
	c := &character.Claim{User: user, Key: key, Answer: fmt.Appendf(nil, `{"answer": %q}`, user+"/"+key), Made: at(0), Expires: at(0).Add(claimTime)}
	copy(c.Fingerprint[:], user+"\x00\xff"+key)
	return c
}

// answerLater is a claim of the same key by another request, that long after the start.
func answerLater(user, key string, later time.Duration) *character.Claim {
	c := answerTo(user, key)
	c.Fingerprint[31]++
	c.Answer = append(c.Answer, " later"...)
	c.Made, c.Expires = c.Made.Add(later), c.Expires.Add(later)
	return c
}

// answered complains unless the receipt of c tells what it was used for.
func answered(ctx context.Context, s character.Store, c *character.Claim) error {
	got, err := s.Receipt(ctx, c.User, c.Key, c.Made)
	if err != nil {
		return fmt.Errorf("Receipt: %w", err)
	}
	if got.Fingerprint != c.Fingerprint || !bytes.Equal(got.Answer, c.Answer) {
		return fmt.Errorf("Receipt: want %x with %s, got %x with %s", c.Fingerprint, shorten(string(c.Answer)), got.Fingerprint, shorten(string(got.Answer)))
	}
	return nil
}

// unanswered complains if there is a receipt of c.
func unanswered(ctx context.Context, s character.Store, c *character.Claim) error {
	_, err := s.Receipt(ctx, c.User, c.Key, c.Made)
	return wantKind("Receipt of a claim that was not to be stored", err, fault.NotFound)
}

var characterClaims = []CharacterCheck{
	{Name: "a claim is stored with the create", Run: func(ctx context.Context, s character.Store) error {
		a, claim := sampleCharacter(1), answerTo("ann", "key")
		for i := range claim.Fingerprint {
			claim.Fingerprint[i] = byte(i * 37)
		}
		return first(s.Create(ctx, a, claim, uuid.Nil), holdsCharacter(ctx, s, a), answered(ctx, s, claim))
	}},
	{Name: "answers are kept byte for byte", Run: func(ctx context.Context, s character.Store) error {
		large := []byte(`{"text": "` + strings.Repeat(`\u0416"`, (1<<20)/7-3) + `"}`)
		for i, answer := range [][]byte{[]byte(`{}`), {}, nil, []byte(" {\"b\": 1.0,\r\n \"a\":\t1e400, \"b\": \"\u2028\U0001F409<&>\\u0000\"} "), large} {
			claim := answerTo("ann", fmt.Sprint("key", i))
			claim.Answer = answer
			if err := first(s.Create(ctx, sampleCharacter(i), claim, uuid.Nil), answered(ctx, s, claim)); err != nil {
				return fmt.Errorf("an answer of %d bytes: %w", len(answer), err)
			}
		}
		return nil
	}},
	{Name: "answers are not shared", Run: func(ctx context.Context, s character.Store) error {
		given := answerTo("ann", "key")
		if err := s.Create(ctx, sampleCharacter(1), given, uuid.Nil); err != nil {
			return err
		}
		given.Answer[0] = 'x'
		got, err := s.Receipt(ctx, "ann", "key", at(0))
		if err != nil || len(got.Answer) == 0 {
			return fmt.Errorf("Receipt: want an answer, got %q, %w", got.Answer, err)
		}
		got.Answer[1] = 'x'
		return answered(ctx, s, answerTo("ann", "key"))
	}},
	{Name: "a refused create keeps no claim", Run: func(ctx context.Context, s character.Store) error {
		a, b, claim := sampleCharacter(1), sampleCharacter(2), answerTo("ann", "key")
		return first(createCharacters(ctx, s, a), wantErr("Create of a taken id with a claim", s.Create(ctx, a, claim, uuid.Nil), character.ErrTaken), unanswered(ctx, s, claim),
			wantErr("Create with an unknown roll and a claim", s.Create(ctx, b, claim, idOf(66)), character.ErrRollUsed), unanswered(ctx, s, claim),
			s.Create(ctx, b, claim, uuid.Nil), answered(ctx, s, claim))
	}},
	{Name: "a claim is used once", Run: func(ctx context.Context, s character.Store) error {
		a, b, claim := sampleCharacter(1), sampleCharacter(2), answerTo("ann", "key")
		if err := s.Create(ctx, a, claim, uuid.Nil); err != nil {
			return err
		}
		again := answerLater("ann", "key", claimTime-time.Microsecond)
		for _, c := range []*character.Claim{claim, again} {
			err := wantErr("Create with a used claim", s.Create(ctx, b, c, uuid.Nil), character.ErrClaimed)
			_, get := s.Get(ctx, b.ID)
			if err := first(err, wantKind("Get of what a used claim asked for", get, fault.NotFound), answered(ctx, s, claim)); err != nil {
				return err
			}
		}
		// Both stand in the way here; either may be named.
		return first(wantErr("Create of a taken id with a used claim", s.Create(ctx, a, again, uuid.Nil), character.ErrClaimed, character.ErrTaken),
			holdsCharacter(ctx, s, a), answered(ctx, s, claim))
	}},
	{Name: "claims of others do not meet", Run: func(ctx context.Context, s character.Store) error {
		for i, c := range []*character.Claim{
			answerTo("ann", "key"), answerTo("bob", "key"), answerTo("ann", "KEY"), answerTo("Ann", "key"), answerTo("ann", "key "), answerTo("annk", "ey"), answerTo("", "annkey"), answerTo("ann", ""),
			answerTo("a", "b:c"), answerTo("a:b", "c"), answerTo("a", "b/c"), answerTo("a/b", "c"), answerTo("\u0416'", "%_\\"), answerTo("\u0416'", "%_"), answerTo("ann", strings.Repeat("k", 255)),
			answerTo("ann", strings.Repeat("k", 254)), answerTo(strings.Repeat("\U0001F9D9", 200), "key"),
		} {
			if err := first(s.Create(ctx, sampleCharacter(i), c, uuid.Nil), answered(ctx, s, c)); err != nil {
				return fmt.Errorf("claim %d: %w", i, err)
			}
		}
		return nil
	}},
	{Name: "an expired claim may be used anew", Run: func(ctx context.Context, s character.Store) error {
		old, fresh := answerTo("ann", "key"), answerLater("ann", "key", claimTime)
		return first(s.Create(ctx, sampleCharacter(1), old, uuid.Nil), s.Create(ctx, sampleCharacter(2), fresh, uuid.Nil), answered(ctx, s, fresh),
			wantErr("Create with a claim that was used anew", s.Create(ctx, sampleCharacter(3), fresh, uuid.Nil), character.ErrClaimed), answered(ctx, s, fresh))
	}},
	{Name: "receipts end when they expire", Run: func(ctx context.Context, s character.Store) error {
		claim := answerTo("ann", "key")
		if err := s.Create(ctx, sampleCharacter(1), claim, uuid.Nil); err != nil {
			return err
		}
		if _, err := s.Receipt(ctx, "ann", "key", claim.Expires.Add(-time.Microsecond)); err != nil {
			return fmt.Errorf("Receipt a microsecond before it expires: %w", err)
		}
		_, now := s.Receipt(ctx, "ann", "key", claim.Expires)
		_, later := s.Receipt(ctx, "ann", "key", claim.Expires.Add(time.Hour))
		return first(wantKind("Receipt at the moment it expires", now, fault.NotFound), wantKind("Receipt after it expired", later, fault.NotFound))
	}},
	{Name: "of concurrent creates with a claim one wins", Run: func(ctx context.Context, s character.Store) error {
		for round := range 3 {
			key := fmt.Sprint("key", round)
			won, bad := winners(together(20, func(i int) error { return s.Create(ctx, sampleCharacter(100*round+i), answerTo("ann", key), uuid.Nil) }), character.ErrClaimed, character.ErrClaimRunning)
			n, err := s.Count(ctx, character.Filter{})
			if won != 1 || bad != nil || err != nil || n != round+1 {
				return fmt.Errorf("20 creates with one claim: want 1 to win and %d characters, got %d and %d (%v, %v)", round+1, won, n, bad, err)
			}
			if err := answered(ctx, s, answerTo("ann", key)); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "an expired claim is taken over once", Run: func(ctx context.Context, s character.Store) error {
		if err := s.Create(ctx, sampleCharacter(0), answerTo("ann", "key"), uuid.Nil); err != nil {
			return err
		}
		won, bad := winners(together(10, func(i int) error {
			return s.Create(ctx, sampleCharacter(1+i), answerLater("ann", "key", claimTime), uuid.Nil)
		}),
			character.ErrClaimed, character.ErrClaimRunning)
		n, err := s.Count(ctx, character.Filter{})
		if won != 1 || bad != nil || err != nil || n != 2 {
			return fmt.Errorf("10 creates with an expired claim: want 1 to win and 2 characters, got %d and %d (%v, %v)", won, n, bad, err)
		}
		return answered(ctx, s, answerLater("ann", "key", claimTime))
	}},
	{Name: "replace with a claim", Run: func(ctx context.Context, s character.Store) error {
		a, claim := sampleCharacter(1), answerTo("ann", "key")
		b := nextCharacter(a, 2)
		c := nextCharacter(b, 3)
		return first(createCharacters(ctx, s, a), wantErr("a stale Replace with a claim", s.Replace(ctx, b, 7, claim, uuid.Nil), character.ErrStale), unanswered(ctx, s, claim),
			wantErr("Replace with an unknown roll and a claim", s.Replace(ctx, b, 1, claim, idOf(66)), character.ErrRollUsed), unanswered(ctx, s, claim), holdsCharacter(ctx, s, a),
			s.Replace(ctx, b, 1, claim, uuid.Nil), holdsCharacter(ctx, s, b), answered(ctx, s, claim),
			wantErr("Replace with a used claim", s.Replace(ctx, c, 2, claim, uuid.Nil), character.ErrClaimed), holdsCharacter(ctx, s, b),
			wantErr("Create with a claim that a Replace used", s.Create(ctx, sampleCharacter(5), claim, uuid.Nil), character.ErrClaimed), answered(ctx, s, claim),
			s.Replace(ctx, c, 2, answerTo("ann", "other"), uuid.Nil), holdsCharacter(ctx, s, c))
	}},
	{Name: "a claim with nothing new keeps the revision", Run: func(ctx context.Context, s character.Store) error {
		a, claim := sampleCharacter(1), answerTo("ann", "key")
		b := nextCharacter(a, 2)
		return first(createCharacters(ctx, s, a), s.Replace(ctx, a, 1, claim, uuid.Nil), holdsCharacter(ctx, s, a), answered(ctx, s, claim),
			replaceCharacter(ctx, s, b, 1), wantErr("Replace with a claim and nothing new at another revision", s.Replace(ctx, a, 1, answerTo("ann", "other"), uuid.Nil), character.ErrStale),
			unanswered(ctx, s, answerTo("ann", "other")), holdsCharacter(ctx, s, b))
	}},
	{Name: "of concurrent replaces with a claim one wins", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(10)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		errs := together(len(rows), func(i int) error {
			return s.Replace(ctx, nextCharacter(rows[i], 2), 1, answerTo("ann", "key"), uuid.Nil)
		})
		if won, bad := winners(errs, character.ErrClaimed, character.ErrClaimRunning); won != 1 || bad != nil {
			return fmt.Errorf("%d replaces with one claim: want 1 to win, got %d (%v)", len(rows), won, bad)
		}
		for i, err := range errs {
			want := rows[i]
			if err == nil {
				want = nextCharacter(want, 2)
			}
			if err := holdsCharacter(ctx, s, want); err != nil {
				return err
			}
		}
		return answered(ctx, s, answerTo("ann", "key"))
	}},
	{Name: "undelete with a claim", Run: func(ctx context.Context, s character.Store) error {
		a, claim, other := sampleCharacter(1), answerTo("ann", "key"), answerTo("ann", "other")
		return first(createCharacters(ctx, s, a), wantErr("Undelete of a living one with a claim", s.Undelete(ctx, a.ID, 1, claim), character.ErrStale), unanswered(ctx, s, claim),
			s.Trash(ctx, a.ID, 1, at(2)), s.Undelete(ctx, a.ID, 1, claim), holdsCharacter(ctx, s, a), answered(ctx, s, claim), s.Trash(ctx, a.ID, 1, at(3)),
			wantErr("Undelete with a used claim", s.Undelete(ctx, a.ID, 1, claim), character.ErrClaimed), holdsCharacter(ctx, s, deletedAt(a, at(3))),
			s.Undelete(ctx, a.ID, 1, other), holdsCharacter(ctx, s, a))
	}},
	{Name: "a roll with a claim", Run: func(ctx context.Context, s character.Store) error {
		r, again, claim := sampleRoll(1), sampleRoll(2), answerTo("ann", "key")
		taken := answerTo("ann", "taken")
		err := first(s.SaveRoll(ctx, r, claim), holdsRoll(ctx, s, r), answered(ctx, s, claim), wantErr("SaveRoll with a used claim", s.SaveRoll(ctx, again, claim), character.ErrClaimed),
			wantKind("SaveRoll of a taken id with a claim", s.SaveRoll(ctx, r, taken), fault.Conflict), unanswered(ctx, s, taken))
		_, unsaved := s.Roll(ctx, again.ID)
		if err := first(err, wantKind("Roll of what a used claim asked for", unsaved, fault.NotFound),
			// Characters and rolls have their keys in common.
			wantErr("Create with a claim that a roll used", s.Create(ctx, sampleCharacter(1), claim, uuid.Nil), character.ErrClaimed),
			s.Create(ctx, sampleCharacter(1), taken, uuid.Nil), wantErr("SaveRoll with a claim that a create used", s.SaveRoll(ctx, again, taken), character.ErrClaimed)); err != nil {
			return err
		}
		errs := together(10, func(i int) error { return s.SaveRoll(ctx, sampleRoll(10+i), answerTo("bob", "key")) })
		won, bad := winners(errs, character.ErrClaimed, character.ErrClaimRunning)
		kept := 0
		for i := range errs {
			if _, err := s.Roll(ctx, sampleRoll(10+i).ID); err == nil {
				kept++
			}
		}
		if won != 1 || bad != nil || kept != 1 {
			return fmt.Errorf("10 rolls with one claim: want 1 to win and be kept, got %d and %d (%v)", won, kept, bad)
		}
		return nil
	}},
	{Name: "forgetting removes expired receipts up to the limit", Run: forgettingAnswers},
}

func forgettingAnswers(ctx context.Context, s character.Store) error {
	soon := farAhead.Add(-time.Hour)
	for i := range 9 {
		c := answerTo("ann", fmt.Sprint("key", i))
		c.Expires = farAhead
		if i < 5 {
			c.Expires = soon.Add(time.Duration(i-4) * time.Second) // the last at soon itself
		}
		if err := s.Create(ctx, sampleCharacter(i), c, uuid.Nil); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		now         time.Time
		limit, want int
	}{
		{at(0), 10, 0}, {soon.Add(-4*time.Second - time.Microsecond), 10, 0}, {soon, 0, 0}, {soon, 2, 2}, {soon, 2, 2}, {soon, 2, 1}, {soon, 2, 0}, {farAhead.Add(-time.Microsecond), 100, 0},
	} {
		if n, err := s.ForgetReceipts(ctx, step.now, step.limit); err != nil || n != step.want {
			return fmt.Errorf("ForgetReceipts at %v, at most %d: want %d, got %d, %w", step.now, step.limit, step.want, n, err)
		}
	}
	// A time before their end shows which receipts are really gone.
	for i := range 9 {
		_, err := s.Receipt(ctx, "ann", fmt.Sprint("key", i), at(0))
		if i < 5 {
			err = wantKind("Receipt of a forgotten claim", err, fault.NotFound)
		}
		if err != nil {
			return fmt.Errorf("receipt %d: %w", i, err)
		}
	}
	if n, err := s.Count(ctx, character.Filter{}); err != nil || n != 9 {
		return errors.Join(fmt.Errorf("characters after forgetting receipts: want 9, got %d", n), err)
	}
	return nil
}
