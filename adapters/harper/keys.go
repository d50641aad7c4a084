package harper

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// Keys is an auth.KeyStore on a DB.
type Keys struct{ d *DB }

// Keys gives the store of keys.
func (d *DB) Keys() *Keys { return &Keys{d} }

var (
	errNoKey      error = fault.New(fault.NotFound, "there is no such key")
	errKeyTaken   error = fault.New(fault.Conflict, "a key with this id or secret exists already")
	errKeyRotated error = fault.New(fault.Conflict, "the key has been rotated by somebody else; read it again")
)

// keysLock is the lock of all keys: secrets are taken once, whatever the ids.
var keysLock = []string{"keys"}

type keyRow struct {
	ID          string `json:"keyid"`
	User        text   `json:"username"`
	Scopes      string `json:"scopes"`
	Expires     string `json:"expires"`
	Rate        *int   `json:"rate"`
	Secret      string `json:"secret"`
	Former      string `json:"former"`
	FormerUntil string `json:"former_until"`
	Created     string `json:"created"`
}

var keyAttributes = []string{"keyid", "username", "scopes", "expires", "rate", "secret", "former", "former_until", "created"}

func (r *keyRow) value() (auth.Key, error) {
	k := auth.Key{User: string(r.User), Rate: auth.DefaultRate}
	var err error
	if k.ID, err = uuid.Parse(r.ID); err != nil {
		return k, err
	}
	for _, scope := range strings.Fields(r.Scopes) {
		k.Scopes = append(k.Scopes, auth.Scope(scope))
	}
	if r.Rate != nil {
		k.Rate = *r.Rate
	}
	for text, into := range map[string]*auth.Digest{r.Secret: &k.Secret, r.Former: &k.Former} {
		if text == "" {
			continue
		}
		if n, err := hex.Decode(into[:], []byte(text[:min(len(text), 2*len(into))])); err != nil || n != len(into) {
			return k, fmt.Errorf("a stored digest is broken: %T", err)
		}
	}
	return k, timesOf([]string{r.Expires, r.FormerUntil, r.Created}, &k.Expires, &k.FormerUntil, &k.Created)
}

// digestText is how a digest is stored; null for none.
func digestText(d auth.Digest) any {
	if d == (auth.Digest{}) {
		return nil
	}
	return d.Hex()
}

func keyRecord(k auth.Key) record {
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		scopes[i] = string(scope)
	}
	var rate any
	if k.Rate != auth.DefaultRate {
		rate = k.Rate
	}
	return record{
		"keyid": k.ID.String(), "username": text(k.User), "scopes": strings.Join(scopes, " "), "expires": timeText(instant(k.Expires)), "rate": rate,
		"secret": digestText(k.Secret), "former": digestText(k.Former), "former_until": timeText(instant(k.FormerUntil)), "created": timeText(instant(k.Created)),
	}
}

// Add implements auth.KeyStore.
func (s *Keys) Add(ctx context.Context, k auth.Key) error {
	return s.d.change(ctx, "key.add", keysLock, func(ctx context.Context) error {
		old, err := one[keyRow](ctx, s.d, keysTable, k.ID.String(), keyAttributes)
		if err != nil {
			return err
		}
		if old != nil {
			return errKeyTaken
		}
		if err := s.free(ctx, k); err != nil {
			return err
		}
		return s.d.commit(ctx, writes(keysTable, keyRecord(k)))
	})
}

// free tells whether no other key has a secret of k.
func (s *Keys) free(ctx context.Context, k auth.Key) error {
	for _, d := range []auth.Digest{k.Secret, k.Former} {
		other, err := s.find(ctx, d)
		if err != nil {
			return err
		}
		if other != nil && other.ID != k.ID.String() {
			return errKeyTaken
		}
	}
	return nil
}

// find reads the key that a digest opens; nil when there is none.
func (s *Keys) find(ctx context.Context, d auth.Digest) (*keyRow, error) {
	if d == (auth.Digest{}) {
		return nil, nil
	}
	var found *keyRow
	err := equal(ctx, s.d, keysTable, d.Hex(), []string{"secret", "former"}, keyAttributes, 1, func(r *keyRow) error {
		found = r
		return nil
	})
	return found, err
}

// Find implements auth.KeyStore.
func (s *Keys) Find(ctx context.Context, d auth.Digest) (k auth.Key, err error) {
	return s.answer(ctx, "key.find", func(ctx context.Context) (*keyRow, error) { return s.find(ctx, d) })
}

// Get implements auth.KeyStore.
func (s *Keys) Get(ctx context.Context, id uuid.UUID) (auth.Key, error) {
	return s.answer(ctx, "key.get", func(ctx context.Context) (*keyRow, error) {
		return one[keyRow](ctx, s.d, keysTable, id.String(), keyAttributes)
	})
}

func (s *Keys) answer(ctx context.Context, name string, get func(context.Context) (*keyRow, error)) (k auth.Key, err error) {
	err = s.d.read(ctx, name, func(ctx context.Context) error {
		row, err := get(ctx)
		if err == nil && row == nil {
			err = errNoKey
		}
		if err == nil {
			k, err = row.value()
		}
		return err
	})
	if err != nil {
		return auth.Key{}, err
	}
	return k, nil
}

// List implements auth.KeyStore.
func (s *Keys) List(ctx context.Context, after uuid.UUID, limit int) ([]auth.Key, error) {
	var keys []auth.Key
	err := s.d.read(ctx, "key.list", func(ctx context.Context) error {
		keys = nil
		if limit < 1 {
			return nil
		}
		sc := scan{table: keysTable, along: keysTable.hash, low: after.String(), attributes: keyAttributes, page: min(limit+1, lightPage)}
		return walk(ctx, s.d, sc, func(r *keyRow) string { return r.ID }, func(r *keyRow) error {
			k, err := r.value()
			if err != nil || k.ID == after {
				return err
			}
			if keys = append(keys, k); len(keys) == limit {
				return errEnough
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// Rotate implements auth.KeyStore.
func (s *Keys) Rotate(ctx context.Context, k auth.Key, was auth.Digest) error {
	return s.d.change(ctx, "key.rotate", keysLock, func(ctx context.Context) error {
		old, err := one[keyRow](ctx, s.d, keysTable, k.ID.String(), keyAttributes)
		switch {
		case err != nil:
			return err
		case old == nil:
			return errNoKey
		case old.Secret != was.Hex():
			return errKeyRotated
		}
		if err := s.free(ctx, k); err != nil {
			return err
		}
		return s.d.commit(ctx, writes(keysTable, record{"keyid": k.ID.String(), "secret": digestText(k.Secret), "former": digestText(k.Former),
			"former_until": timeText(instant(k.FormerUntil))}))
	})
}

// Remove implements auth.KeyStore.
func (s *Keys) Remove(ctx context.Context, id uuid.UUID) error {
	return s.d.change(ctx, "key.remove", keysLock, func(ctx context.Context) error {
		old, err := one[keyRow](ctx, s.d, keysTable, id.String(), []string{"keyid"})
		if err != nil {
			return err
		}
		if old == nil {
			return errNoKey
		}
		return s.d.commit(ctx, removes(keysTable, id.String()))
	})
}
