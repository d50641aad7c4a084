package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// everyText changes the texts of a character.
func everyText(change func(string) string) func(*character.Character) {
	return func(c *character.Character) {
		c.Name, c.Player, c.Author, c.Background = change(c.Name), change(c.Player), change(c.Author), change(c.Background)
	}
}

var characterBreakers = map[string][]breaker[character.Store]{
	"create and get every field": {
		spoilsCharacters("loses rolled hit points", func(c *character.Character) { c.HitPoints = nil }),
		spoilsCharacters("loses rolled scores", func(c *character.Character) { c.RolledScores = nil }),
		spoilsCharacters("loses choices of features", func(c *character.Character) { c.Choices.Features = nil }),
		spoilsCharacters("loses authors", func(c *character.Character) { c.Author = "" }),
		readsCharacters("answers another revision", func(c *character.Character) { c.Revision++ }),
	},
	"what is not chosen stays empty": {
		spoilsCharacters("makes up a player", func(c *character.Character) {
			if c.Player == "" {
				c.Player = "nobody"
			}
		}),
		picksCharactersBy("takes no player for any", func(f *character.Filter, _ *character.Character) {
			if f.Player != nil && *f.Player == "" {
				f.Player = nil
			}
		}),
	},
	"odd texts are kept byte for byte": {
		spoilsCharacters("trims", everyText(strings.TrimSpace)),
		spoilsCharacters("changes line ends", everyText(func(t string) string { return strings.ReplaceAll(t, "\r\n", "\n") })),
		spoilsCharacters("knows no four-byte characters", everyText(func(t string) string { return strings.ReplaceAll(t, "\U0001F9D9", "?") })),
		spoilsCharacters("eats backslashes", everyText(func(t string) string { return strings.ReplaceAll(t, `\\`, `\`) })),
		spoilsCharacters("drops byte order marks", everyText(func(t string) string { return strings.TrimPrefix(t, "\ufeff") })),
		spoilsCharacters("escapes for HTML", everyText(func(t string) string { return strings.ReplaceAll(t, "<", "&lt;") })),
	},
	"a character may be large": {
		spoilsCharacters("cuts the equipment", func(c *character.Character) { c.Equipment = c.Equipment[:min(len(c.Equipment), 200)] }),
		spoilsCharacters("cuts names by bytes", func(c *character.Character) { c.Name = c.Name[:min(len(c.Name), 255)] }),
	},
	"times keep their microseconds": {
		spoilsCharacters("keeps milliseconds", func(c *character.Character) { c.Created = c.Created.Truncate(time.Millisecond) }),
		readsCharacters("answers in another zone", func(c *character.Character) { c.Modified = c.Modified.In(time.FixedZone("", 3600)) }),
		breakCharacters("trashes by the second", func(good character.Store, b *brokenCharacters) {
			b.trash = func(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
				return good.Trash(ctx, id, was, at.Truncate(time.Second))
			}
		}),
	},
	"times of other zones and finer clocks are kept as UTC in microseconds": {
		spoilsCharacters("rounds up", func(c *character.Character) { c.Created = c.Created.Round(time.Microsecond) }),
		breakCharacters("answers what it was given", func(good character.Store, b *brokenCharacters) {
			var given time.Time
			b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
				given = c.Created
				return good.Create(ctx, c, claim, roll)
			}
			b.get = func(ctx context.Context, id uuid.UUID) (character.Character, error) {
				c, err := good.Get(ctx, id)
				c.Created = given
				return c, err
			}
		}),
	},
	"a character may start at any revision": {spoilsCharacters("starts at revision 1", func(c *character.Character) { c.Revision = 1 })},
	"an id is taken once": {
		createsBy("overwrites", func(good character.Store, ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			err := good.Create(ctx, c, claim, roll)
			if errors.Is(err, character.ErrTaken) {
				if now, _ := good.Get(ctx, c.ID); !now.InTrash() {
					return good.Replace(ctx, c, now.Revision, nil, uuid.Nil)
				}
			}
			return err
		}),
		createsBy("forgets about the trash", func(good character.Store, ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			if now, err := good.Get(ctx, c.ID); err == nil && now.InTrash() {
				return good.Undelete(ctx, c.ID, now.Revision, nil)
			}
			return good.Create(ctx, c, claim, roll)
		}),
	},
	"of concurrent creates of an id one wins": {breakCharacters("looks first and writes later", func(good character.Store, b *brokenCharacters) {
		gap := newGap()
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			if _, err := good.Get(ctx, c.ID); err == nil {
				return character.ErrTaken
			}
			gap()
			_ = good.Create(ctx, c, claim, roll)
			return nil
		}
	})},
	"what is not there is not found": {
		breakCharacters("answers an empty character", func(good character.Store, b *brokenCharacters) {
			b.get = func(ctx context.Context, id uuid.UUID) (character.Character, error) {
				c, _ := good.Get(ctx, id)
				return c, nil
			}
		}),
		breakCharacters("answers an empty roll", func(good character.Store, b *brokenCharacters) {
			b.roll = func(ctx context.Context, id uuid.UUID) (character.Roll, error) {
				r, _ := good.Roll(ctx, id)
				return r, nil
			}
		}),
		breakCharacters("fails", func(good character.Store, b *brokenCharacters) {
			b.receipt = func(ctx context.Context, user, key string, now time.Time) (character.Receipt, error) {
				r, err := good.Receipt(ctx, user, key, now)
				if err != nil {
					err = errors.New("no rows in result set")
				}
				return r, err
			}
		}),
	},
	"what is taken and given is not shared": {
		breakCharacters("keeps what it is given", func(good character.Store, b *brokenCharacters) {
			var given character.Character
			b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
				given = c
				return good.Create(ctx, c, claim, roll)
			}
			b.get = func(context.Context, uuid.UUID) (character.Character, error) { return given.Clone(), nil }
		}),
		breakCharacters("hands out its own", func(good character.Store, b *brokenCharacters) {
			var own character.Character
			b.get = func(ctx context.Context, id uuid.UUID) (_ character.Character, err error) {
				if own.Revision == 0 {
					own, err = good.Get(ctx, id)
				}
				return own, err
			}
		}),
		breakCharacters("hands out its own list", func(good character.Store, b *brokenCharacters) {
			var own []character.Character
			b.list = func(ctx context.Context, q character.Query) (_ []character.Character, err error) {
				if own == nil {
					own, err = good.List(ctx, q)
				}
				return own, err
			}
		}),
		breakCharacters("copies no maps in lists", func(good character.Store, b *brokenCharacters) {
			var own []character.Character
			b.list = func(ctx context.Context, q character.Query) (_ []character.Character, err error) {
				if own == nil {
					own, err = good.List(ctx, q)
				}
				return append([]character.Character(nil), own...), err
			}
		}),
	},
	"a context that has ended": {
		createsBy("does not listen to contexts", func(good character.Store, ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			return good.Create(context.WithoutCancel(ctx), c, claim, roll)
		}),
		breakCharacters("does not listen when it purges", func(good character.Store, b *brokenCharacters) {
			b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
				return good.Purge(context.WithoutCancel(ctx), before, limit)
			}
		}),
	},
	"replace makes the next revision current": {
		replacesBy("does nothing", func(character.Store, context.Context, character.Character, int, *character.Claim, uuid.UUID) error {
			return nil
		}),
		replacesBy("merges", func(good character.Store, ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			if old, _ := good.Get(ctx, c.ID); c.Multiclass == nil {
				c.Multiclass = old.Multiclass
			}
			return good.Replace(ctx, c, was, claim, roll)
		}),
	},
	"replace keeps created and does not look at deleted": {
		breakCharacters("takes over created", func(good character.Store, b *brokenCharacters) {
			var given time.Time
			b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
				given = c.Created
				return good.Replace(ctx, c, was, claim, roll)
			}
			b.get = func(ctx context.Context, id uuid.UUID) (character.Character, error) {
				c, err := good.Get(ctx, id)
				c.Created = given
				return c, err
			}
		}),
		replacesBy("takes over deleted", func(good character.Store, ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			err := good.Replace(ctx, c, was, claim, roll)
			if err == nil && c.InTrash() {
				err = good.Trash(ctx, c.ID, c.Revision, c.Deleted)
			}
			return err
		}),
	},
	"replace at another revision is stale": {ignoresCharacterRevisions},
	"replace of a missing character is stale": {
		replacesBy("creates it", func(good character.Store, ctx context.Context, c character.Character, _ int, claim *character.Claim, roll uuid.UUID) error {
			return good.Create(ctx, c, claim, roll)
		}),
		replacesBy("says not found", func(character.Store, context.Context, character.Character, int, *character.Claim, uuid.UUID) error {
			return fault.New(fault.NotFound, "none")
		}),
	},
	"replace in the trash is stale": {replacesBy("brings it back", func(good character.Store, ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
		_ = good.Undelete(ctx, c.ID, was, nil)
		return good.Replace(ctx, c, was, claim, roll)
	})},
	"of many writers one wins":          {losesUpdates},
	"of concurrent damage none is lost": {losesUpdates},
	"to the trash and back": {
		breakCharacters("does not undelete", func(_ character.Store, b *brokenCharacters) {
			b.undelete = func(context.Context, uuid.UUID, int, *character.Claim) error { return nil }
		}),
		breakCharacters("notes another time", func(good character.Store, b *brokenCharacters) {
			b.trash = func(ctx context.Context, id uuid.UUID, was int, _ time.Time) error {
				return good.Trash(ctx, id, was, time.Now())
			}
		}),
	},
	"trash at another revision or place is stale":    {ignoresCharacterRevisions},
	"undelete at another revision or place is stale": {ignoresCharacterRevisions},
	"of concurrent trashes and undeletes one wins":   {losesUpdates},
	"a replace and a trash do not both win":          {losesUpdates},
}

func TestCharacterTeeth(t *testing.T) {
	t.Parallel()
	breakers := map[string][]breaker[character.Store]{}
	for _, table := range []map[string][]breaker[character.Store]{characterBreakers, characterRollBreakers, characterClaimBreakers, characterListBreakers} {
		for name, list := range table {
			if breakers[name] != nil {
				t.Fatalf("%q has breakers in two tables", name)
			}
			breakers[name] = list
		}
	}
	demandTeeth(t, CharacterChecks, func() character.Store { return memory.NewCharacters() }, breakers)
}

func TestPausedCharacterTeeth(t *testing.T) {
	t.Parallel()
	for _, try := range []struct {
		what string
		good bool
		wait func(paused <-chan struct{}) func(context.Context) error
	}{
		{"a good one", true, func(paused <-chan struct{}) func(context.Context) error {
			return func(ctx context.Context) error {
				select {
				case <-paused:
					return nil
				case <-ctx.Done():
					return fault.Wrap(fault.Unavailable, ctx.Err(), "away")
				}
			}
		}},
		{"one that waits whatever its context says", false, func(paused <-chan struct{}) func(context.Context) error {
			return func(context.Context) error { <-paused; return nil }
		}},
		{"one that hides the reason", false, func(<-chan struct{}) func(context.Context) error {
			return func(ctx context.Context) error {
				<-ctx.Done()
				return fmt.Errorf("canceling statement due to user request")
			}
		}},
		{"one that never recovers", false, func(<-chan struct{}) func(context.Context) error {
			return func(ctx context.Context) error { <-ctx.Done(); return fault.Wrap(fault.Unavailable, ctx.Err(), "away") }
		}},
	} {
		t.Run(try.what, func(t *testing.T) {
			t.Parallel()
			paused := make(chan struct{})
			wait := try.wait(paused)
			s := breakCharacters("paused", func(good character.Store, b *brokenCharacters) {
				b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
					if err := wait(ctx); err != nil {
						return err
					}
					return good.Create(ctx, c, claim, roll)
				}
				b.get = func(ctx context.Context, id uuid.UUID) (character.Character, error) {
					if err := wait(ctx); err != nil {
						return character.Character{}, err
					}
					return good.Get(ctx, id)
				}
				b.replace = func(ctx context.Context, _ character.Character, _ int, _ *character.Claim, _ uuid.UUID) error {
					return wait(ctx)
				}
				b.trash = func(ctx context.Context, _ uuid.UUID, _ int, _ time.Time) error { return wait(ctx) }
				b.undelete = func(ctx context.Context, _ uuid.UUID, _ int, _ *character.Claim) error { return wait(ctx) }
				b.list = func(ctx context.Context, _ character.Query) ([]character.Character, error) { return nil, wait(ctx) }
				b.count = func(ctx context.Context, _ character.Filter) (int, error) { return 0, wait(ctx) }
				b.saveRoll = func(ctx context.Context, _ character.Roll, _ *character.Claim) error { return wait(ctx) }
				b.roll = func(ctx context.Context, _ uuid.UUID) (character.Roll, error) { return character.Roll{}, wait(ctx) }
				b.receipt = func(ctx context.Context, _, _ string, _ time.Time) (character.Receipt, error) {
					return character.Receipt{}, wait(ctx)
				}
				b.forget = func(ctx context.Context, _ time.Time, _ int) (int, error) { return 0, wait(ctx) }
				b.purge = func(ctx context.Context, _ time.Time, _ int) (int, error) { return 0, wait(ctx) }
				b.counted = func(ctx context.Context, _ time.Time) (int, error) { return 0, wait(ctx) }
			}).breaks(memory.NewCharacters())
			var once sync.Once
			if err := PausedCharacterStore(t.Context(), s, func() { once.Do(func() { close(paused) }) }); (err == nil) != try.good {
				t.Errorf("want good %t, got %v", try.good, err)
			}
		})
	}
}
