package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// Keys is an auth.KeyStore on a Handle.
type Keys struct{ h *Handle }

// Keys gives the store of keys.
func (h *Handle) Keys() *Keys { return &Keys{h} }

var errNoKey error = fault.New(fault.NotFound, "there is no key with this id")
var errUnknownKey error = fault.New(fault.NotFound, "the key is not known")
var errKeyTaken error = fault.New(fault.Conflict, "a key with this id or secret exists already")
var errKeyRotated error = fault.New(fault.Conflict, "the key has been rotated by somebody else; read it again")

// digest reads a SHA-256 digest; null makes it zero.
type digest struct{ to []byte }

// Scan implements sql.Scanner.
func (d digest) Scan(value any) error {
	clear(d.to)
	if value == nil {
		return nil
	}
	raw, ok := value.([]byte)
	if !ok || len(raw) != len(d.to) {
		return fmt.Errorf("a digest of %d bytes was expected in a column of digests", len(d.to))
	}
	copy(d.to, raw)
	return nil
}

// digestParameter makes a parameter of a digest; null for zero.
func digestParameter(d auth.Digest) any {
	if d == (auth.Digest{}) {
		return nil
	}
	return d[:]
}

const keyColumns = `SELECT keyid, username, scopes, expires, rate, secret, former, former_until, created FROM api_keys`

// keyRow is a row of api_keys as far as it is not read straight into a Key.
type keyRow struct {
	key    auth.Key
	scopes string
	rate   sql.NullInt64
}

func (r *keyRow) fields() []any {
	return []any{&r.key.ID, &r.key.User, &r.scopes, stamp{&r.key.Expires}, &r.rate, digest{r.key.Secret[:]},
		digest{r.key.Former[:]}, stamp{&r.key.FormerUntil}, stamp{&r.key.Created}}
}

func (r *keyRow) value() auth.Key {
	for _, scope := range strings.Fields(r.scopes) {
		r.key.Scopes = append(r.key.Scopes, auth.Scope(scope))
	}
	r.key.Rate = auth.DefaultRate
	if r.rate.Valid {
		r.key.Rate = int(r.rate.Int64)
	}
	return r.key
}

const addKey = `INSERT INTO api_keys (keyid, username, scopes, expires, rate, secret, former, former_until, created)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

// Add implements auth.KeyStore.
func (s *Keys) Add(ctx context.Context, k auth.Key) error {
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		scopes[i] = string(scope)
	}
	var rate any
	if k.Rate != auth.DefaultRate {
		rate = k.Rate
	}
	d := &s.h.dialect
	return s.h.run(ctx, "key.add", func(ctx context.Context) error {
		_, err := s.h.exec(ctx, addKey, k.ID.String(), k.User, strings.Join(scopes, " "), d.time(k.Expires), rate,
			k.Secret[:], digestParameter(k.Former), d.time(k.FormerUntil), d.time(k.Created))
		if err != nil && d.Duplicate(err) {
			return errKeyTaken
		}
		return err
	})
}

func (s *Keys) one(ctx context.Context, name, text string, none error, arg any) (auth.Key, error) {
	var r keyRow
	err := s.h.run(ctx, name, func(ctx context.Context) error {
		return orElse(s.h.row(ctx, text, r.fields(), arg), none)
	})
	if err != nil {
		return auth.Key{}, err
	}
	return r.value(), nil
}

// Find implements auth.KeyStore.
func (s *Keys) Find(ctx context.Context, d auth.Digest) (auth.Key, error) {
	return s.one(ctx, "key.find", keyColumns+` WHERE secret = $1 OR former = $1`, errUnknownKey, d[:])
}

// Get implements auth.KeyStore.
func (s *Keys) Get(ctx context.Context, id uuid.UUID) (auth.Key, error) {
	return s.one(ctx, "key.get", keyColumns+` WHERE keyid = $1`, errNoKey, id.String())
}

// List implements auth.KeyStore.
func (s *Keys) List(ctx context.Context, after uuid.UUID, limit int) ([]auth.Key, error) {
	var found []auth.Key
	err := s.h.run(ctx, "key.list", func(ctx context.Context) error {
		found = nil
		return s.h.rows(ctx, false, keyColumns+` WHERE keyid > $1 ORDER BY keyid LIMIT $2`, []any{after.String(), limit},
			func(rows *sql.Rows) error {
				var r keyRow
				if err := rows.Scan(r.fields()...); err != nil {
					return err
				}
				found = append(found, r.value())
				return nil
			})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

const rotateKey = `UPDATE api_keys SET secret = $3, former = $4, former_until = $5 WHERE keyid = $1 AND secret = $2`
const hasKey = `SELECT 1 FROM api_keys WHERE keyid = $1`

// Rotate implements auth.KeyStore.
func (s *Keys) Rotate(ctx context.Context, k auth.Key, was auth.Digest) error {
	d := &s.h.dialect
	return s.h.run(ctx, "key.rotate", func(ctx context.Context) error {
		n, err := s.h.exec(ctx, rotateKey, k.ID.String(), was[:], k.Secret[:], digestParameter(k.Former), d.time(k.FormerUntil))
		if err != nil && d.Duplicate(err) {
			return errKeyTaken
		}
		if err != nil || n > 0 {
			return err
		}
		var one int
		if err = s.h.row(ctx, hasKey, []any{&one}, k.ID.String()); errors.Is(err, sql.ErrNoRows) {
			return errNoKey
		}
		if err == nil {
			err = errKeyRotated
		}
		return err
	})
}

// Remove implements auth.KeyStore.
func (s *Keys) Remove(ctx context.Context, id uuid.UUID) error {
	return s.h.run(ctx, "key.remove", func(ctx context.Context) error {
		n, err := s.h.exec(ctx, `DELETE FROM api_keys WHERE keyid = $1`, id.String())
		return oneOr(n, err, errNoKey)
	})
}

var _ auth.KeyStore = (*Keys)(nil)
