package contract

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

var claimsLater = breakStore("looks for claims first and notes them later", func(good template.Store, b *brokenStore) {
	gap := newGap()
	b.create = func(ctx context.Context, t template.Template, c *template.Claim) error {
		if c != nil {
			if _, err := good.Receipt(ctx, c.User, c.Key, time.Now()); err == nil {
				return template.ErrClaimed
			}
			gap()
		}
		if err := good.Create(ctx, t, c); !errors.Is(err, template.ErrClaimed) {
			return err
		}
		return good.Create(ctx, t, nil)
	}
})

var claimBreakers = map[string][]breaker[template.Store]{
	"a claim is stored with the create": {
		mangledCreate("keeps no claims", func(good template.Store, ctx context.Context, t template.Template, _ *template.Claim) error {
			return good.Create(ctx, t, nil)
		}),
		mangledCreate("loses half of the fingerprint", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
			half := *c
			clear(half.Fingerprint[16:])
			return good.Create(ctx, t, &half)
		}),
	},
	"a refused create keeps no claim": {mangledCreate("notes the claim on its own", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
		err := good.Create(ctx, t, c)
		if errors.Is(err, template.ErrTaken) {
			t.ID = uuid.New()
			_ = good.Create(ctx, t, c)
		}
		return err
	})},
	"a claim is used once": {mangledCreate("creates all the same", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
		err := good.Create(ctx, t, c)
		if errors.Is(err, template.ErrClaimed) {
			_ = good.Create(ctx, t, nil)
		}
		return err
	})},
	"claims of others do not meet": {
		mangledCreate("does not tell users apart", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
			for _, user := range []string{"ann", "Ann", "bob"} {
				if _, err := good.Receipt(ctx, user, c.Key, at(0)); err == nil {
					return template.ErrClaimed
				}
			}
			return good.Create(ctx, t, c)
		}),
		breakStore("joins user and key", func(good template.Store, b *brokenStore) {
			b.create = func(ctx context.Context, t template.Template, c *template.Claim) error {
				joined := *c
				joined.User, joined.Key = "", c.User+c.Key
				return good.Create(ctx, t, &joined)
			}
			b.receipt = func(ctx context.Context, user, key string, now time.Time) (template.Receipt, error) {
				return good.Receipt(ctx, "", user+key, now)
			}
		}),
	},
	"an expired claim may be used anew": {mangledCreate("keeps claims for ever", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
		forever := *c
		forever.Expires = farAhead
		return good.Create(ctx, t, &forever)
	})},
	"receipts end when they expire": {breakStore("does not look at the time", func(good template.Store, b *brokenStore) {
		b.receipt = func(ctx context.Context, user, key string, _ time.Time) (template.Receipt, error) {
			return good.Receipt(ctx, user, key, at(0))
		}
	})},
	"of concurrent creates with a claim one wins": {claimsLater},
	"an expired claim is taken over once":         {claimsLater},
	"undelete with a claim": {breakStore("ignores claims", func(good template.Store, b *brokenStore) {
		b.undelete = func(ctx context.Context, id uuid.UUID, was int, _ *template.Claim) error {
			return good.Undelete(ctx, id, was, nil)
		}
	})},
	"replace with a claim": {
		breakStore("ignores claims", func(good template.Store, b *brokenStore) {
			b.replace = func(ctx context.Context, t template.Template, was int, _ *template.Claim) error {
				return good.Replace(ctx, t, was, nil)
			}
		}),
		breakStore("notes the claim on its own", func(good template.Store, b *brokenStore) {
			b.replace = func(ctx context.Context, t template.Template, was int, c *template.Claim) error {
				if c != nil {
					if err := good.Claim(ctx, t.ID, *c); err != nil {
						return err
					}
				}
				return good.Replace(ctx, t, was, nil)
			}
		}),
		breakStore("replaces all the same", func(good template.Store, b *brokenStore) {
			b.replace = func(ctx context.Context, t template.Template, was int, c *template.Claim) error {
				err := good.Replace(ctx, t, was, c)
				if errors.Is(err, template.ErrClaimed) {
					_ = good.Replace(ctx, t, was, nil)
				}
				return err
			}
		}),
	},
	"of concurrent replaces with a claim one wins": {breakStore("looks for claims first and notes them later", func(good template.Store, b *brokenStore) {
		gap := newGap()
		b.replace = func(ctx context.Context, t template.Template, was int, c *template.Claim) error {
			if c != nil {
				if _, err := good.Receipt(ctx, c.User, c.Key, time.Now()); err == nil {
					return template.ErrClaimed
				}
				gap()
			}
			if err := good.Replace(ctx, t, was, c); !errors.Is(err, template.ErrClaimed) {
				return err
			}
			return good.Replace(ctx, t, was, nil)
		}
	})},
	"a claim on its own": {
		breakStore("keeps none", func(_ template.Store, b *brokenStore) {
			b.claim = func(context.Context, uuid.UUID, template.Claim) error { return nil }
		}),
		breakStore("takes over claims", func(good template.Store, b *brokenStore) {
			b.claim = func(ctx context.Context, id uuid.UUID, c template.Claim) error {
				if err := good.Claim(ctx, id, c); !errors.Is(err, template.ErrClaimed) {
					return err
				}
				return nil
			}
		}),
	},
	"forgetting removes expired receipts up to the limit": {
		breakStore("has no limit", func(good template.Store, b *brokenStore) {
			b.forgetReceipts = func(ctx context.Context, now time.Time, _ int) (int, error) {
				return good.ForgetReceipts(ctx, now, 1000)
			}
		}),
		breakStore("removes too early", func(good template.Store, b *brokenStore) {
			b.forgetReceipts = func(ctx context.Context, now time.Time, limit int) (int, error) {
				return good.ForgetReceipts(ctx, now.Add(time.Second), limit)
			}
		}),
	},
}
