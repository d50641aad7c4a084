package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// clock is a time that the test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// away is a store that can be cut off.
type away struct {
	auth.KeyStore
	auth.Directory
	keysAway, directoryAway bool
	finds                   int
}

var errAway = fault.New(fault.Unavailable, "away")

func (a *away) Find(ctx context.Context, d auth.Digest) (auth.Key, error) {
	a.finds++
	if a.keysAway {
		return auth.Key{}, errAway
	}
	return a.KeyStore.Find(ctx, d)
}

func (a *away) Lookup(ctx context.Context, fields ...string) (string, bool, error) {
	if a.directoryAway {
		return "", false, errAway
	}
	return a.Directory.Lookup(ctx, fields...)
}

type fixture struct {
	*auth.Service
	stores    *away
	directory *memory.Directory
	clock     *clock
	admin     context.Context
}

func newFixture() *fixture {
	directory := memory.NewDirectory(nil)
	f := &fixture{stores: &away{KeyStore: memory.NewKeys(), Directory: directory}, directory: directory,
		clock: &clock{time.Date(2026, 11, 22, 2, 29, 0, 123456789, time.UTC)}}
	f.Service = auth.NewService(auth.Config{Keys: f.stores, Directory: f.stores, Tokens: []string{"one-token", "another-token"},
		Grace: 5 * time.Minute, Now: f.clock.Now})
	f.admin = auth.With(context.Background(), &auth.Principal{User: "admin", Scopes: auth.AllScopes()})
	return f
}

func (f *fixture) wantUser(t *testing.T, key, user string) {
	t.Helper()
	p, err := f.AuthenticateKey(context.Background(), key)
	if err != nil || p.User != user {
		t.Fatalf("the key opens %v, %v; wanted is %s", p, err, user)
	}
}

func (f *fixture) wantError(t *testing.T, key string, want error) {
	t.Helper()
	if p, err := f.AuthenticateKey(context.Background(), key); !errors.Is(err, want) {
		t.Fatalf("the key opens %v, %v; wanted is %v", p, err, want)
	}
}

func (f *fixture) wantUnavailable(t *testing.T, key string) {
	t.Helper()
	if p, err := f.AuthenticateKey(context.Background(), key); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the key opens %v, %v; wanted is Unavailable", p, err)
	}
}

const hashKey = "12345678-90ab-cdef-1234-567890abcdef"

func TestStoredKeys(t *testing.T) {
	f := newFixture()
	k, secret, err := f.Create(f.admin, auth.NewKey{User: " ann ", Scopes: []auth.Scope{auth.TemplatesWrite, auth.TemplatesRead, auth.TemplatesRead}, Rate: auth.DefaultRate, Expires: f.clock.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if id := uuid.MustParse(secret); id.Version() != 4 || strings.Contains(k.ID.String(), secret) {
		t.Errorf("the secret is %s, the id %s", secret, k.ID)
	}
	if len(k.Scopes) != 2 || k.User != "ann" || k.Created.Nanosecond()%1000 != 0 {
		t.Errorf("made %+v", k)
	}
	f.wantUser(t, secret, "ann")
	f.wantUser(t, strings.ToUpper(secret), "ann")
	before := f.stores.finds
	for range 100 {
		f.wantUser(t, secret, "ann")
	}
	if f.stores.finds != before {
		t.Errorf("%d look-ups for a key that was just seen", f.stores.finds-before)
	}
	f.clock.now = f.clock.now.Add(time.Hour)
	f.wantError(t, secret, auth.ErrExpired)
}

func TestRevocationShowsAtOnceHere(t *testing.T) {
	f := newFixture()
	k, secret, err := f.Create(f.admin, auth.NewKey{User: "ann", Scopes: []auth.Scope{auth.TemplatesRead}})
	if err != nil {
		t.Fatal(err)
	}
	f.wantUser(t, secret, "ann")
	if err := f.Revoke(f.admin, k.ID); err != nil {
		t.Fatal(err)
	}
	f.wantError(t, secret, auth.ErrUnknown)
	if err := f.Revoke(f.admin, k.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("revoking twice: %v", err)
	}
}

func TestRevocationElsewhereShowsWithinTwoSeconds(t *testing.T) {
	f := newFixture()
	k, secret, err := f.Create(f.admin, auth.NewKey{User: "ann", Scopes: []auth.Scope{auth.TemplatesRead}})
	if err != nil {
		t.Fatal(err)
	}
	f.wantUser(t, secret, "ann")
	if err := f.stores.Remove(context.Background(), k.ID); err != nil {
		t.Fatal(err)
	}
	f.clock.now = f.clock.now.Add(1100 * time.Millisecond)
	f.wantError(t, secret, auth.ErrUnknown)
}

func TestRotation(t *testing.T) {
	f := newFixture()
	k, old, err := f.Create(f.admin, auth.NewKey{User: "ann", Scopes: []auth.Scope{auth.TemplatesRead}})
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := f.Rotate(f.admin, k.ID, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	f.wantUser(t, old, "ann")
	f.wantUser(t, second, "ann")
	f.clock.now = f.clock.now.Add(61 * time.Second)
	f.wantError(t, old, auth.ErrExpired)
	if _, third, err := f.Rotate(f.admin, k.ID, 0); err != nil {
		t.Fatal(err)
	} else {
		f.wantUser(t, third, "ann")
	}
	f.wantError(t, second, auth.ErrUnknown)
	if _, _, err := f.Rotate(f.admin, k.ID, -time.Second); !fault.Is(err, fault.Invalid) {
		t.Errorf("a negative grace: %v", err)
	}
}

func TestDirectoryKeys(t *testing.T) {
	f := newFixture()
	f.wantError(t, hashKey, auth.ErrUnknown)
	f.directory.Set(hashKey, "user: Org")
	f.wantUser(t, hashKey, "Org")
	f.wantUser(t, strings.ToUpper(hashKey), "Org")
	f.directory.Set(hashKey, `{"user":"Other","scopes":["templates:read"],"rate":0,"expires":"2026-11-22T03:00:00Z"}`)
	p, err := f.AuthenticateKey(context.Background(), hashKey)
	if err != nil || p.User != "Other" || p.Rate != 0 || p.May(auth.TemplatesWrite) || !p.May(auth.TemplatesRead) {
		t.Fatalf("%+v, %v", p, err)
	}
	f.clock.now = f.clock.now.Add(time.Hour)
	f.wantError(t, hashKey, auth.ErrExpired)
	f.directory.Delete(hashKey)
	f.wantError(t, hashKey, auth.ErrUnknown)
	f.directory.Set("sha256:"+auth.DigestOf(hashKey).Hex(), "user: Hashed")
	f.wantUser(t, hashKey, "Hashed")
}

func TestOutages(t *testing.T) {
	f := newFixture()
	f.directory.Set(hashKey, "user: Org")
	_, stored, err := f.Create(f.admin, auth.NewKey{User: "ann", Scopes: []auth.Scope{auth.TemplatesRead}})
	if err != nil {
		t.Fatal(err)
	}
	f.wantUser(t, hashKey, "Org")
	f.wantUser(t, stored, "ann")

	f.stores.directoryAway = true
	f.clock.now = f.clock.now.Add(4 * time.Minute)
	f.wantUser(t, hashKey, "Org") // seen valid less than the grace ago
	f.wantUser(t, stored, "ann")
	f.wantUnavailable(t, uuid.NewString())
	f.clock.now = f.clock.now.Add(2 * time.Minute)
	f.wantUnavailable(t, hashKey)
	f.wantUser(t, stored, "ann")

	f.stores.keysAway = true
	f.clock.now = f.clock.now.Add(4 * time.Minute)
	f.wantUser(t, stored, "ann")
	f.clock.now = f.clock.now.Add(2 * time.Minute)
	f.wantUnavailable(t, stored)

	f.stores.directoryAway, f.stores.keysAway = false, false
	f.wantUser(t, hashKey, "Org")
	f.wantUser(t, stored, "ann")

	// Both away at once.
	f.stores.directoryAway, f.stores.keysAway = true, true
	f.clock.now = f.clock.now.Add(4 * time.Minute)
	f.wantUser(t, hashKey, "Org")
	f.wantUser(t, stored, "ann")

	// A database that is away does not bring back what the directory has dropped.
	f.stores.directoryAway = false
	f.directory.Delete(hashKey)
	f.wantUnavailable(t, hashKey)
}

func TestGraceEndsWithTheKey(t *testing.T) {
	f := newFixture()
	f.directory.Set(hashKey, `{"user":"Org","expires":"2026-11-22T02:30:00Z"}`)
	f.wantUser(t, hashKey, "Org")
	f.stores.directoryAway = true
	f.clock.now = f.clock.now.Add(2 * time.Minute)
	f.wantError(t, hashKey, auth.ErrExpired)
}

func TestBearer(t *testing.T) {
	f := newFixture()
	f.directory.Set(hashKey, "user: Org")
	for token, user := range map[string]string{"one-token": "token", "another-token": "token", hashKey: "Org"} {
		if p, err := f.AuthenticateBearer(context.Background(), token); err != nil || p.User != user {
			t.Errorf("%s opens %v, %v", token, p, err)
		}
	}
	for _, token := range []string{"one-toke", "one-token ", "One-token", "x"} {
		if p, err := f.AuthenticateBearer(context.Background(), token); !errors.Is(err, auth.ErrUnknown) {
			t.Errorf("%q opens %v, %v", token, p, err)
		}
	}
	if _, err := f.AuthenticateBearer(context.Background(), ""); !errors.Is(err, auth.ErrMissing) {
		t.Errorf("no token: %v", err)
	}
}

func TestNobodyGivesWhatTheyLack(t *testing.T) {
	f := newFixture()
	reader := auth.With(context.Background(), &auth.Principal{User: "r", Scopes: []auth.Scope{auth.KeysAdmin}})
	if _, _, err := f.Create(reader, auth.NewKey{User: "x", Scopes: []auth.Scope{auth.TemplatesWrite}}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a key with more rights than its maker: %v", err)
	}
	plain := auth.With(context.Background(), &auth.Principal{User: "r", Scopes: []auth.Scope{auth.TemplatesRead}})
	if _, err := f.List(plain, uuid.Nil, 1); !fault.Is(err, fault.Forbidden) {
		t.Errorf("listing without the scope: %v", err)
	}
	if _, err := f.List(context.Background(), uuid.Nil, 1); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("listing without a principal: %v", err)
	}
}

func TestManyKeysAreForgotten(t *testing.T) {
	f := newFixture()
	for n := range auth.MaxSightings + 20_000 {
		key := uuid.NewSHA1(uuid.Nil, []byte{byte(n), byte(n >> 8), byte(n >> 16)}).String()
		f.directory.Set(key, "user: Org")
		f.wantUser(t, key, "Org")
		f.directory.Delete(key)
	}
	if n := auth.Sightings(f.Service); n > auth.MaxSightings || n < auth.MaxSightings*9/10 {
		t.Errorf("%d keys are remembered", n)
	}
}
