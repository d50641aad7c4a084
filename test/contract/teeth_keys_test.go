package contract

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// brokenKeys is a key store of which some methods are replaced.
type brokenKeys struct {
	auth.KeyStore
	add    func(context.Context, auth.Key) error
	find   func(context.Context, auth.Digest) (auth.Key, error)
	get    func(context.Context, uuid.UUID) (auth.Key, error)
	list   func(context.Context, uuid.UUID, int) ([]auth.Key, error)
	rotate func(context.Context, auth.Key, auth.Digest) error
	remove func(context.Context, uuid.UUID) error
}

func breakKeys(what string, breaks func(good auth.KeyStore, b *brokenKeys)) breaker[auth.KeyStore] {
	return breaker[auth.KeyStore]{what, func(good auth.KeyStore) auth.KeyStore {
		b := &brokenKeys{good, good.Add, good.Find, good.Get, good.List, good.Rotate, good.Remove}
		breaks(good, b)
		return b
	}}
}

func (b *brokenKeys) Add(ctx context.Context, k auth.Key) error { return b.add(ctx, k) }
func (b *brokenKeys) Find(ctx context.Context, d auth.Digest) (auth.Key, error) {
	return b.find(ctx, d)
}
func (b *brokenKeys) Get(ctx context.Context, id uuid.UUID) (auth.Key, error) { return b.get(ctx, id) }
func (b *brokenKeys) List(ctx context.Context, after uuid.UUID, limit int) ([]auth.Key, error) {
	return b.list(ctx, after, limit)
}
func (b *brokenKeys) Rotate(ctx context.Context, k auth.Key, was auth.Digest) error {
	return b.rotate(ctx, k, was)
}
func (b *brokenKeys) Remove(ctx context.Context, id uuid.UUID) error { return b.remove(ctx, id) }

// spoilsKeys changes what is stored.
func spoilsKeys(what string, spoil func(*auth.Key)) breaker[auth.KeyStore] {
	return breakKeys(what, func(good auth.KeyStore, b *brokenKeys) {
		b.add = func(ctx context.Context, k auth.Key) error {
			k = k.Clone()
			spoil(&k)
			return good.Add(ctx, k)
		}
	})
}

var (
	careless = breakKeys("rotates whatever the secret was", func(good auth.KeyStore, b *brokenKeys) {
		b.rotate = func(ctx context.Context, k auth.Key, _ auth.Digest) error {
			for {
				now, err := good.Get(ctx, k.ID)
				if err != nil {
					return err
				}
				if err = good.Rotate(ctx, k, now.Secret); !fault.Is(err, fault.Conflict) {
					return err
				}
			}
		}
	})
	swallowsConflicts = breakKeys("takes conflicts for success", func(good auth.KeyStore, b *brokenKeys) {
		hide := func(err error) error {
			if fault.Is(err, fault.Conflict) {
				return nil
			}
			return err
		}
		b.add = func(ctx context.Context, k auth.Key) error { return hide(good.Add(ctx, k)) }
		b.rotate = func(ctx context.Context, k auth.Key, was auth.Digest) error { return hide(good.Rotate(ctx, k, was)) }
	})
)

var keyBreakers = map[string][]breaker[auth.KeyStore]{
	"add and get every field": {
		spoilsKeys("loses the last scope", func(k *auth.Key) { k.Scopes = k.Scopes[:max(0, len(k.Scopes)-1)] }),
		spoilsKeys("takes no limit for the default", func(k *auth.Key) {
			if k.Rate == 0 {
				k.Rate = auth.DefaultRate
			}
		}),
		spoilsKeys("lets all keys end", func(k *auth.Key) {
			if k.Expires.IsZero() {
				k.Expires = at(9)
			}
		}),
		spoilsKeys("keeps milliseconds", func(k *auth.Key) { k.Created = k.Created.Truncate(time.Millisecond) }),
	},
	"find by secret and by former secret": {
		breakKeys("knows no former secrets", func(good auth.KeyStore, b *brokenKeys) {
			b.find = func(ctx context.Context, d auth.Digest) (auth.Key, error) {
				k, err := good.Find(ctx, d)
				if err == nil && k.Secret != d {
					return auth.Key{}, fault.New(fault.NotFound, "none")
				}
				return k, err
			}
		}),
		breakKeys("hides expired keys", func(good auth.KeyStore, b *brokenKeys) {
			b.find = func(ctx context.Context, d auth.Digest) (auth.Key, error) {
				k, err := good.Find(ctx, d)
				if err == nil && k.Expires.Before(at(0)) {
					return auth.Key{}, fault.New(fault.NotFound, "none")
				}
				return k, err
			}
		}),
	},
	"unknown keys are not found": {
		breakKeys("finds keys without a former secret by none", func(good auth.KeyStore, b *brokenKeys) {
			b.find = func(ctx context.Context, d auth.Digest) (auth.Key, error) {
				if d == (auth.Digest{}) {
					return good.Get(ctx, idOf(1))
				}
				return good.Find(ctx, d)
			}
		}),
		breakKeys("removes what is not there", func(good auth.KeyStore, b *brokenKeys) {
			b.remove = func(ctx context.Context, id uuid.UUID) error { _ = good.Remove(ctx, id); return nil }
		}),
	},
	"an id or a secret is taken once": {swallowsConflicts, breakKeys("does not look at secrets", func(good auth.KeyStore, b *brokenKeys) {
		b.add = func(ctx context.Context, k auth.Key) error {
			if _, err := good.Find(ctx, k.Secret); err == nil {
				if _, err := good.Get(ctx, k.ID); err != nil {
					return nil
				}
			}
			return good.Add(ctx, k)
		}
	})},
	"of concurrent adds of an id one wins": {swallowsConflicts, breakKeys("calls a taken id a bug", func(good auth.KeyStore, b *brokenKeys) {
		b.add = func(ctx context.Context, k auth.Key) error {
			if err := good.Add(ctx, k); err != nil {
				return errors.New("duplicate key")
			}
			return nil
		}
	})},
	"rotate replaces the secrets and nothing else": {
		breakKeys("replaces everything", func(good auth.KeyStore, b *brokenKeys) {
			b.rotate = func(ctx context.Context, k auth.Key, was auth.Digest) error {
				return first(good.Remove(ctx, k.ID), good.Add(ctx, k))
			}
		}),
		breakKeys("keeps no former secret", func(good auth.KeyStore, b *brokenKeys) {
			b.rotate = func(ctx context.Context, k auth.Key, was auth.Digest) error {
				k.Former, k.FormerUntil = auth.Digest{}, time.Time{}
				return good.Rotate(ctx, k, was)
			}
		}),
	},
	"rotate from another secret is a conflict": {careless},
	"rotate to a taken secret is a conflict":   {swallowsConflicts},
	"of concurrent rotations one wins":         {careless, swallowsConflicts},
	"a removed key is gone": {breakKeys("removes nothing", func(_ auth.KeyStore, b *brokenKeys) {
		b.remove = func(context.Context, uuid.UUID) error { return nil }
	}), breakKeys("forgets about former secrets", func(good auth.KeyStore, b *brokenKeys) {
		var former auth.Digest
		b.remove = func(ctx context.Context, id uuid.UUID) error {
			k, _ := good.Get(ctx, id)
			former = k.Former
			return good.Remove(ctx, id)
		}
		b.find = func(ctx context.Context, d auth.Digest) (auth.Key, error) {
			if d == former {
				return auth.Key{Former: d}, nil
			}
			return good.Find(ctx, d)
		}
	})},
	"keys are listed by id in pages": {
		breakKeys("ignores the limit", func(good auth.KeyStore, b *brokenKeys) {
			b.list = func(ctx context.Context, after uuid.UUID, _ int) ([]auth.Key, error) {
				return good.List(ctx, after, 1000)
			}
		}),
		breakKeys("starts the page at the last key", func(good auth.KeyStore, b *brokenKeys) {
			b.list = func(ctx context.Context, after uuid.UUID, limit int) ([]auth.Key, error) {
				keys, err := good.List(ctx, after, limit)
				if k, found := good.Get(ctx, after); found == nil {
					keys = append([]auth.Key{k}, keys...)[:min(limit, len(keys)+1)]
				}
				return keys, err
			}
		}),
		breakKeys("compares ids as signed bytes", func(good auth.KeyStore, b *brokenKeys) {
			b.list = func(ctx context.Context, after uuid.UUID, limit int) ([]auth.Key, error) {
				keys, err := good.List(ctx, after, limit)
				for i, k := range keys {
					if k.ID[0] >= 0x80 {
						return append(keys[i:len(keys):len(keys)], keys[:i]...), err
					}
				}
				return keys, err
			}
		}),
	},
	"what is taken and given is not shared": {
		breakKeys("hands out its own", func(good auth.KeyStore, b *brokenKeys) {
			var own auth.Key
			b.add = func(ctx context.Context, k auth.Key) error { own = k.Clone(); return good.Add(ctx, k) }
			b.get = func(context.Context, uuid.UUID) (auth.Key, error) { return own, nil }
		}),
		breakKeys("keeps what it was given", func(good auth.KeyStore, b *brokenKeys) {
			var own auth.Key
			b.add = func(ctx context.Context, k auth.Key) error { own = k; return good.Add(ctx, k) }
			b.get = func(context.Context, uuid.UUID) (auth.Key, error) { return own.Clone(), nil }
		}),
	},
	"a context that has ended": {breakKeys("does not listen", func(good auth.KeyStore, b *brokenKeys) {
		b.remove = func(ctx context.Context, id uuid.UUID) error { return good.Remove(context.WithoutCancel(ctx), id) }
	})},
}

func TestKeyTeeth(t *testing.T) {
	t.Parallel()
	demandTeeth(t, KeyChecks, func() auth.KeyStore { return memory.NewKeys() }, keyBreakers)
}

func TestPausedKeyTeeth(t *testing.T) {
	t.Parallel()
	for _, try := range []struct {
		what string
		good bool
		fail func(ctx context.Context, paused <-chan struct{}) error
	}{
		{"a good one", true, func(ctx context.Context, paused <-chan struct{}) error {
			select {
			case <-paused:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}},
		{"one that waits whatever its context says", false, func(_ context.Context, paused <-chan struct{}) error { <-paused; return nil }},
		{"one that answers not found", false, func(context.Context, <-chan struct{}) error { return fault.New(fault.NotFound, "none") }},
		{"one that never recovers", false, func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() }},
	} {
		t.Run(try.what, func(t *testing.T) {
			t.Parallel()
			paused := make(chan struct{})
			s := breakKeys("paused", func(good auth.KeyStore, b *brokenKeys) {
				b.add = func(ctx context.Context, k auth.Key) error { return first(try.fail(ctx, paused), good.Add(ctx, k)) }
				b.get = func(ctx context.Context, id uuid.UUID) (auth.Key, error) {
					if err := try.fail(ctx, paused); err != nil {
						return auth.Key{}, err
					}
					return good.Get(ctx, id)
				}
				b.find = func(ctx context.Context, _ auth.Digest) (auth.Key, error) { return auth.Key{}, try.fail(ctx, paused) }
				b.list = func(ctx context.Context, _ uuid.UUID, _ int) ([]auth.Key, error) { return nil, try.fail(ctx, paused) }
				b.rotate = func(ctx context.Context, _ auth.Key, _ auth.Digest) error { return try.fail(ctx, paused) }
				b.remove = func(ctx context.Context, _ uuid.UUID) error { return try.fail(ctx, paused) }
			}).breaks(memory.NewKeys())
			if err := PausedKeyStore(t.Context(), s, func() { close(paused) }); (err == nil) != try.good {
				t.Errorf("want good %t, got %v", try.good, err)
			}
		})
	}
}
