package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// spoilsRolls changes the rolls that are stored.
func spoilsRolls(what string, spoil func(*character.Roll)) breaker[character.Store] {
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error {
			spoil(&r)
			return good.SaveRoll(ctx, r, claim)
		}
	})
}

// changesAllTheSame makes the change without its roll when the roll cannot be used, if may says so.
func changesAllTheSame(what string, may func(ctx context.Context, good character.Store, roll uuid.UUID) bool) breaker[character.Store] {
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			err := good.Create(ctx, c, claim, roll)
			if errors.Is(err, character.ErrRollUsed) && may(ctx, good, roll) {
				return good.Create(ctx, c, claim, uuid.Nil)
			}
			return err
		}
		b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			err := good.Replace(ctx, c, was, claim, roll)
			if errors.Is(err, character.ErrRollUsed) && may(ctx, good, roll) {
				return good.Replace(ctx, c, was, claim, uuid.Nil)
			}
			return err
		}
	})
}

var notesNoRolls = breakCharacters("does not note who uses a roll", func(good character.Store, b *brokenCharacters) {
	b.create = func(ctx context.Context, c character.Character, claim *character.Claim, _ uuid.UUID) error {
		return good.Create(ctx, c, claim, uuid.Nil)
	}
	b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, _ uuid.UUID) error {
		return good.Replace(ctx, c, was, claim, uuid.Nil)
	}
})

var characterRollBreakers = map[string][]breaker[character.Store]{
	"a roll is kept with every field": {
		spoilsRolls("loses the seed", func(r *character.Roll) { r.Seed = "" }),
		spoilsRolls("takes every seed for its own", func(r *character.Roll) { r.Own = true }),
		spoilsRolls("cuts long rolls", func(r *character.Roll) { r.Rolls = r.Rolls[:min(len(r.Rolls), 100)] }),
	},
	"a roll's id is taken once": {breakCharacters("hides that", func(good character.Store, b *brokenCharacters) {
		b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error {
			if err := good.SaveRoll(ctx, r, claim); !fault.Is(err, fault.Conflict) {
				return err
			}
			return nil
		}
	}), breakCharacters("looks first and writes later", func(good character.Store, b *brokenCharacters) {
		gap := newGap()
		b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error {
			if _, err := good.Roll(ctx, r.ID); err == nil {
				return fault.New(fault.Conflict, "taken")
			}
			if r.ID == idOf(77) {
				gap()
			}
			_ = good.SaveRoll(ctx, r, claim)
			return nil
		}
	})},
	"a roll that is saved is used by nobody": {breakCharacters("believes what it is told", func(good character.Store, b *brokenCharacters) {
		var by uuid.UUID
		b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error {
			by = r.UsedBy
			return good.SaveRoll(ctx, r, claim)
		}
		b.roll = func(ctx context.Context, id uuid.UUID) (character.Roll, error) {
			r, err := good.Roll(ctx, id)
			r.UsedBy = by
			return r, err
		}
	})},
	"rolls are not shared": {
		breakCharacters("keeps what it is given", func(good character.Store, b *brokenCharacters) {
			var given character.Roll
			b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error { given = r; return nil }
			b.roll = func(context.Context, uuid.UUID) (character.Roll, error) { return given, nil }
		}),
		breakCharacters("hands out its own", func(good character.Store, b *brokenCharacters) {
			var own character.Roll
			b.roll = func(ctx context.Context, id uuid.UUID) (_ character.Roll, err error) {
				if own.ID != id {
					own, err = good.Roll(ctx, id)
				}
				return own, err
			}
		}),
	},
	"a create uses its roll": {notesNoRolls},
	"a replace uses its roll": {notesNoRolls, replacesBy("refuses a roll that the character uses already",
		func(good character.Store, ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			if r, err := good.Roll(ctx, roll); err == nil && r.UsedBy != uuid.Nil {
				return character.ErrRollUsed
			}
			return good.Replace(ctx, c, was, claim, roll)
		})},
	"a roll is used once": {notesNoRolls, changesAllTheSame("lets others use it", func(context.Context, character.Store, uuid.UUID) bool { return true })},
	"a roll that does not exist cannot be used": {changesAllTheSame("does not look for the roll", func(ctx context.Context, good character.Store, roll uuid.UUID) bool {
		_, err := good.Roll(ctx, roll)
		return err != nil
	})},
	"a refused change uses no roll": {breakCharacters("notes the roll on its own", func(good character.Store, b *brokenCharacters) {
		by := map[uuid.UUID]uuid.UUID{}
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			by[roll] = c.ID
			return good.Create(ctx, c, claim, roll)
		}
		b.roll = func(ctx context.Context, id uuid.UUID) (character.Roll, error) {
			r, err := good.Roll(ctx, id)
			r.UsedBy = by[id]
			return r, err
		}
	})},
	"of concurrent uses of a roll one wins": {breakCharacters("looks first and notes later", func(good character.Store, b *brokenCharacters) {
		gap := newGap()
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			if roll != uuid.Nil {
				if r, err := good.Roll(ctx, roll); err != nil || r.UsedBy != uuid.Nil {
					return character.ErrRollUsed
				}
				gap()
			}
			err := good.Create(ctx, c, claim, roll)
			if errors.Is(err, character.ErrRollUsed) {
				err = good.Create(ctx, c, claim, uuid.Nil)
			}
			return err
		}
	})},
	"a roll stays used when its character is gone": {breakCharacters("frees it", func(good character.Store, b *brokenCharacters) {
		b.roll = func(ctx context.Context, id uuid.UUID) (character.Roll, error) {
			r, err := good.Roll(ctx, id)
			if _, gone := good.Get(ctx, r.UsedBy); gone != nil {
				r.UsedBy = uuid.Nil
			}
			return r, err
		}
	})},
}

// whoeverAsks changes whose claim is stored and looked for.
func whoeverAsks(what string, change func(user, key string) (string, string)) breaker[character.Store] {
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			changed := *claim
			changed.User, changed.Key = change(claim.User, claim.Key)
			return good.Create(ctx, c, &changed, roll)
		}
		b.receipt = func(ctx context.Context, user, key string, now time.Time) (character.Receipt, error) {
			user, key = change(user, key)
			return good.Receipt(ctx, user, key, now)
		}
	})
}

var (
	storesNoClaims   = spoilsClaims("stores no claims", func(*character.Claim) *character.Claim { return nil })
	notesClaimsFirst = breakCharacters("notes the claim on its own", func(good character.Store, b *brokenCharacters) {
		used := func(ctx context.Context, claim *character.Claim) bool {
			if claim == nil {
				return false
			}
			_, err := good.Receipt(ctx, claim.User, claim.Key, claim.Made)
			noteClaim(ctx, good, claim)
			return err == nil
		}
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			if used(ctx, claim) {
				return character.ErrClaimed
			}
			return good.Create(ctx, c, nil, roll)
		}
		b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			if used(ctx, claim) {
				return character.ErrClaimed
			}
			return good.Replace(ctx, c, was, nil, roll)
		}
		b.undelete = func(ctx context.Context, id uuid.UUID, was int, claim *character.Claim) error {
			if used(ctx, claim) {
				return character.ErrClaimed
			}
			return good.Undelete(ctx, id, was, nil)
		}
	})
	writesAllTheSame = breakCharacters("writes all the same", func(good character.Store, b *brokenCharacters) {
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			err := good.Create(ctx, c, claim, roll)
			if errors.Is(err, character.ErrClaimed) {
				_ = good.Create(ctx, c, nil, roll)
			}
			return err
		}
		b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			err := good.Replace(ctx, c, was, claim, roll)
			if errors.Is(err, character.ErrClaimed) {
				_ = good.Replace(ctx, c, was, nil, roll)
			}
			return err
		}
		b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error {
			err := good.SaveRoll(ctx, r, claim)
			if errors.Is(err, character.ErrClaimed) {
				_ = good.SaveRoll(ctx, r, nil)
			}
			return err
		}
	})
)

var characterClaimBreakers = map[string][]breaker[character.Store]{
	"a claim is stored with the create": {storesNoClaims, spoilsClaims("loses half of the fingerprint", func(c *character.Claim) *character.Claim {
		clear(c.Fingerprint[16:])
		return c
	})},
	"answers are kept byte for byte": {
		spoilsClaims("keeps 64 kilobytes", func(c *character.Claim) *character.Claim {
			c.Answer = c.Answer[:min(len(c.Answer), 1<<16-1)]
			return c
		}),
		spoilsClaims("reads and writes the JSON", func(c *character.Claim) *character.Claim {
			var compact bytes.Buffer
			if json.Compact(&compact, c.Answer) == nil {
				c.Answer = compact.Bytes()
			}
			return c
		}),
	},
	"answers are not shared": {
		breakCharacters("keeps what it is given", func(good character.Store, b *brokenCharacters) {
			var given []byte
			b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
				given = claim.Answer
				return good.Create(ctx, c, claim, roll)
			}
			b.receipt = func(ctx context.Context, user, key string, now time.Time) (character.Receipt, error) {
				r, err := good.Receipt(ctx, user, key, now)
				r.Answer = given
				return r, err
			}
		}),
		breakCharacters("hands out its own", func(good character.Store, b *brokenCharacters) {
			var own character.Receipt
			b.receipt = func(ctx context.Context, user, key string, now time.Time) (_ character.Receipt, err error) {
				if own.Answer == nil {
					own, err = good.Receipt(ctx, user, key, now)
				}
				return own, err
			}
		}),
	},
	"a refused create keeps no claim": {notesClaimsFirst},
	"a claim is used once": {writesAllTheSame, breakCharacters("takes the claim over", func(good character.Store, b *brokenCharacters) {
		var last *character.Claim
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			last = claim
			return good.Create(ctx, c, claim, roll)
		}
		b.receipt = func(ctx context.Context, user, key string, now time.Time) (character.Receipt, error) {
			r, err := good.Receipt(ctx, user, key, now)
			r.Answer = last.Answer
			return r, err
		}
	})},
	"claims of others do not meet": {
		whoeverAsks("joins user and key", func(user, key string) (string, string) { return "", user + key }),
		whoeverAsks("joins them with a colon", func(user, key string) (string, string) { return "", user + ":" + key }),
		whoeverAsks("is deaf to case", func(user, key string) (string, string) { return strings.ToLower(user), strings.ToLower(key) }),
		whoeverAsks("trims", func(user, key string) (string, string) { return user, strings.TrimSpace(key) }),
	},
	"an expired claim may be used anew": {spoilsClaims("keeps claims for ever", func(c *character.Claim) *character.Claim {
		c.Expires = farAhead
		return c
	})},
	"receipts end when they expire": {breakCharacters("does not look at the time", func(good character.Store, b *brokenCharacters) {
		b.receipt = func(ctx context.Context, user, key string, _ time.Time) (character.Receipt, error) {
			return good.Receipt(ctx, user, key, at(0))
		}
	})},
	"of concurrent creates with a claim one wins": {claimsCharactersLater},
	"an expired claim is taken over once":         {claimsCharactersLater},
	"replace with a claim":                        {storesNoClaims, notesClaimsFirst, writesAllTheSame},
	"a claim with nothing new keeps the revision": {
		replacesBy("refuses what is not new", func(good character.Store, ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			if c.Revision == was {
				return character.ErrStale
			}
			return good.Replace(ctx, c, was, claim, roll)
		}),
		replacesBy("does not look whether it is still so", func(good character.Store, ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			if c.Revision == was {
				noteClaim(ctx, good, claim)
				return nil
			}
			return good.Replace(ctx, c, was, claim, roll)
		}),
	},
	"of concurrent replaces with a claim one wins": {claimsCharactersLater},
	"undelete with a claim":                        {storesNoClaims, notesClaimsFirst},
	"a roll with a claim": {storesNoClaims, writesAllTheSame, claimsCharactersLater, breakCharacters("keeps the keys of rolls apart", func(good character.Store, b *brokenCharacters) {
		var mu sync.Mutex
		rolled := map[string]bool{}
		b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error {
			if claim == nil {
				return good.SaveRoll(ctx, r, nil)
			}
			apart := *claim
			apart.Key = "roll " + claim.Key
			mu.Lock()
			rolled[claim.Key] = true
			mu.Unlock()
			return good.SaveRoll(ctx, r, &apart)
		}
		b.receipt = func(ctx context.Context, user, key string, now time.Time) (character.Receipt, error) {
			mu.Lock()
			if rolled[key] {
				key = "roll " + key
			}
			mu.Unlock()
			return good.Receipt(ctx, user, key, now)
		}
	})},
	"forgetting removes expired receipts up to the limit": {
		breakCharacters("has no limit", func(good character.Store, b *brokenCharacters) {
			b.forget = func(ctx context.Context, now time.Time, _ int) (int, error) {
				return good.ForgetReceipts(ctx, now, 1000)
			}
		}),
		breakCharacters("removes too early", func(good character.Store, b *brokenCharacters) {
			b.forget = func(ctx context.Context, now time.Time, limit int) (int, error) {
				return good.ForgetReceipts(ctx, now.Add(time.Second), limit)
			}
		}),
	},
}
