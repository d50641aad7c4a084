package contract

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// KeyCheck is one promise of auth.KeyStore, tried on a fresh and empty one.
type KeyCheck = Check[auth.KeyStore]

// KeyHarness is how an adapter is tried; its fields are as in TemplateHarness.
type KeyHarness struct {
	Open  func(t *testing.T) auth.KeyStore
	Pause func(t *testing.T) (s auth.KeyStore, resume func())
	Lacks map[string]string
}

// KeyStore runs the suite of auth.KeyStore.
func KeyStore(t *testing.T, h KeyHarness) {
	runChecks(t, KeyChecks, h.Lacks, false, h.Open)
	if h.Pause == nil {
		return
	}
	t.Run("a paused database", func(t *testing.T) {
		s, resume := h.Pause(t)
		ctx, cancel := context.WithTimeout(t.Context(), checkTime)
		defer cancel()
		if err := PausedKeyStore(ctx, s, resume); err != nil {
			t.Error(err)
		}
	})
}

// PausedKeyStore tries a store whose database does not answer until resume is called.
func PausedKeyStore(ctx context.Context, s auth.KeyStore, resume func()) error {
	k := keySample(1)
	var err error
	for _, step := range []struct {
		what string
		call func(context.Context) error
	}{
		{"Find", func(ctx context.Context) error { _, err := s.Find(ctx, k.Secret); return err }},
		{"Get", func(ctx context.Context) error { _, err := s.Get(ctx, k.ID); return err }},
		{"List", func(ctx context.Context) error { _, err := s.List(ctx, uuid.Nil, 5); return err }},
		{"Add", func(ctx context.Context) error { return s.Add(ctx, k) }},
		{"Rotate", func(ctx context.Context) error { return s.Rotate(ctx, rotated(k, 2), k.Secret) }},
		{"Remove", func(ctx context.Context) error { return s.Remove(ctx, k.ID) }},
	} {
		if err = whilePaused(ctx, step.what, step.call); err != nil {
			break
		}
	}
	resume()
	if err != nil {
		return err
	}
	n := 10
	return eventually(ctx, recovery, func() error {
		limited, cancel := context.WithTimeout(ctx, slack)
		defer cancel()
		n++ // the one that failed may be there all the same
		if err := s.Add(limited, keySample(n)); err != nil {
			return fmt.Errorf("Add after the database went on: %w", err)
		}
		return holdsKey(limited, s, keySample(n))
	})
}

// KeyChecks are all promises of auth.KeyStore.
var KeyChecks = []KeyCheck{
	{Name: "add and get every field", Run: keyFields},
	{Name: "find by secret and by former secret", Run: func(ctx context.Context, s auth.KeyStore) error {
		a, b := keySample(1), keySample(2)
		b.Former, b.FormerUntil = digest(77), at(60)
		b.Expires = at(-1000000) // expired long ago: found all the same
		return first(addKeys(ctx, s, a, b), findsKey(ctx, s, a.Secret, a), findsKey(ctx, s, b.Secret, b), findsKey(ctx, s, b.Former, b))
	}},
	{Name: "unknown keys are not found", Run: func(ctx context.Context, s auth.KeyStore) error {
		a := keySample(1)
		if err := addKeys(ctx, s, a, keySample(2)); err != nil {
			return err
		}
		near := a.Secret
		near[31]++
		_, get := s.Get(ctx, idOf(9))
		_, find := s.Find(ctx, near)
		_, zero := s.Find(ctx, auth.Digest{})
		return first(wantKind("Get of an unknown id", get, fault.NotFound), wantKind("Find of an unknown digest", find, fault.NotFound),
			wantKind("Find of the zero digest, which is the Former of keys without one", zero, fault.NotFound),
			wantKind("Remove of an unknown id", s.Remove(ctx, idOf(9)), fault.NotFound),
			wantKind("Rotate of an unknown id", s.Rotate(ctx, keySample(9), digest(9)), fault.NotFound))
	}},
	{Name: "an id or a secret is taken once", Run: func(ctx context.Context, s auth.KeyStore) error {
		a, sameID, sameSecret := keySample(1), keySample(2), keySample(3)
		sameID.ID, sameSecret.Secret = a.ID, a.Secret
		if err := first(addKeys(ctx, s, a), wantKind("Add with a taken id", s.Add(ctx, sameID), fault.Conflict),
			wantKind("Add with a taken secret", s.Add(ctx, sameSecret), fault.Conflict)); err != nil {
			return err
		}
		_, get := s.Get(ctx, sameSecret.ID)
		_, find := s.Find(ctx, sameID.Secret)
		return first(wantKind("Get of what was refused", get, fault.NotFound), wantKind("Find of what was refused", find, fault.NotFound), holdsKey(ctx, s, a), findsKey(ctx, s, a.Secret, a))
	}},
	{Name: "of concurrent adds of an id one wins", Run: func(ctx context.Context, s auth.KeyStore) error {
		won := 0
		for _, err := range together(8, func(i int) error {
			k := keySample(i)
			k.ID = idOf(50)
			return s.Add(ctx, k)
		}) {
			if err == nil {
				won++
			} else if err := wantKind("a loser of 8 adds of one id", err, fault.Conflict); err != nil {
				return err
			}
		}
		keys, err := s.List(ctx, uuid.Nil, 10)
		if won != 1 || err != nil || len(keys) != 1 {
			return fmt.Errorf("8 adds of one id: want 1 to win and 1 key, got %d and %d, %v", won, len(keys), err)
		}
		return nil
	}},
	{Name: "rotate replaces the secrets and nothing else", Run: func(ctx context.Context, s auth.KeyStore) error {
		a := keySample(1)
		b := rotated(a, 2)
		given := b
		given.User, given.Scopes, given.Rate, given.Created, given.Expires = "somebody", nil, 1, at(99), at(98)
		if err := first(addKeys(ctx, s, a, keySample(5)), s.Rotate(ctx, given, a.Secret), holdsKey(ctx, s, b), findsKey(ctx, s, b.Secret, b), findsKey(ctx, s, a.Secret, b), holdsKey(ctx, s, keySample(5))); err != nil {
			return err
		}
		c := rotated(b, 3)
		c.Former, c.FormerUntil = auth.Digest{}, time.Time{}
		if err := first(s.Rotate(ctx, c, b.Secret), holdsKey(ctx, s, c), findsKey(ctx, s, c.Secret, c)); err != nil {
			return err
		}
		for _, old := range []auth.Digest{a.Secret, b.Secret, {}} {
			_, err := s.Find(ctx, old)
			if err := wantKind("Find of a secret that was rotated away", err, fault.NotFound); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "rotate from another secret is a conflict", Run: func(ctx context.Context, s auth.KeyStore) error {
		a := keySample(1)
		b := rotated(a, 2)
		if err := first(addKeys(ctx, s, a), s.Rotate(ctx, b, a.Secret)); err != nil {
			return err
		}
		late := rotated(a, 3)
		err := first(wantKind("Rotate from the former secret", s.Rotate(ctx, late, a.Secret), fault.Conflict), wantKind("Rotate from an unknown secret", s.Rotate(ctx, late, digest(9)), fault.Conflict))
		_, find := s.Find(ctx, late.Secret)
		return first(err, wantKind("Find of a refused secret", find, fault.NotFound), holdsKey(ctx, s, b))
	}},
	{Name: "rotate to a taken secret is a conflict", Run: func(ctx context.Context, s auth.KeyStore) error {
		a, other := keySample(1), keySample(2)
		b := rotated(a, 3)
		b.Secret = other.Secret
		return first(addKeys(ctx, s, a, other), wantKind("Rotate to the secret of another key", s.Rotate(ctx, b, a.Secret), fault.Conflict),
			holdsKey(ctx, s, a), holdsKey(ctx, s, other), findsKey(ctx, s, other.Secret, other), findsKey(ctx, s, a.Secret, a))
	}},
	{Name: "of concurrent rotations one wins", Run: func(ctx context.Context, s auth.KeyStore) error {
		current := keySample(1)
		if err := addKeys(ctx, s, current); err != nil {
			return err
		}
		for round := range 4 {
			errs := together(8, func(i int) error { return s.Rotate(ctx, rotated(current, 100*(round+1)+i), current.Secret) })
			won, winner := 0, 0
			for i, err := range errs {
				if err == nil {
					won, winner = won+1, i
				} else if err := wantKind("a loser of 8 rotations", err, fault.Conflict); err != nil {
					return err
				}
			}
			if won != 1 {
				return fmt.Errorf("8 rotations from one secret: want 1 to win, got %d", won)
			}
			current = rotated(current, 100*(round+1)+winner)
			if err := findsKey(ctx, s, current.Secret, current); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a removed key is gone", Run: func(ctx context.Context, s auth.KeyStore) error {
		a := rotated(keySample(1), 3)
		if err := first(addKeys(ctx, s, a, keySample(2)), s.Remove(ctx, a.ID)); err != nil {
			return err
		}
		_, get := s.Get(ctx, a.ID)
		_, find := s.Find(ctx, a.Secret)
		_, former := s.Find(ctx, a.Former)
		keys, err := s.List(ctx, uuid.Nil, 10)
		if err != nil || len(keys) != 1 {
			return fmt.Errorf("List after Remove: want 1 key, got %d, %v", len(keys), err)
		}
		return first(wantKind("Get of a removed key", get, fault.NotFound), wantKind("Find of a removed key", find, fault.NotFound), wantKind("Find of its former secret", former, fault.NotFound),
			wantKind("a second Remove", s.Remove(ctx, a.ID), fault.NotFound), wantKind("Rotate of a removed key", s.Rotate(ctx, rotated(a, 4), a.Secret), fault.NotFound), holdsKey(ctx, s, keySample(2)))
	}},
	{Name: "keys are listed by id in pages", Run: listKeys},
	{Name: "what is taken and given is not shared", Run: func(ctx context.Context, s auth.KeyStore) error {
		a := keySample(1)
		given := a.Clone()
		if err := s.Add(ctx, given); err != nil {
			return err
		}
		given.Scopes[0] = "scribbled"
		for range 2 {
			if err := first(holdsKey(ctx, s, a), findsKey(ctx, s, a.Secret, a)); err != nil {
				return fmt.Errorf("after the caller changed what it had: %w", err)
			}
			got, _ := s.Get(ctx, a.ID)
			found, _ := s.Find(ctx, a.Secret)
			list, err := s.List(ctx, uuid.Nil, 5)
			if err != nil || len(list) != 1 {
				return fmt.Errorf("List: want 1 key, got %d, %v", len(list), err)
			}
			got.Scopes[0], found.Scopes[0], list[0].Scopes[0] = "scribbled", "scribbled", "scribbled"
		}
		return nil
	}},
	{Name: "a context that has ended", Run: func(ctx context.Context, s auth.KeyStore) error {
		a := keySample(1)
		if err := addKeys(ctx, s, a); err != nil {
			return err
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, find := s.Find(ended, a.Secret)
		_, get := s.Get(ended, a.ID)
		_, list := s.List(ended, uuid.Nil, 5)
		for what, err := range map[string]error{"Find": find, "Get": get, "List": list, "Add": s.Add(ended, keySample(2)), "Rotate": s.Rotate(ended, rotated(a, 3), a.Secret), "Remove": s.Remove(ended, a.ID)} {
			if err := wantKind(what+" under a cancelled context", err, fault.Unavailable); err != nil {
				return err
			}
		}
		_, missing := s.Get(ctx, keySample(2).ID)
		return first(wantKind("Get of what was added under a cancelled context", missing, fault.NotFound), holdsKey(ctx, s, a))
	}},
}

func keyFields(ctx context.Context, s auth.KeyStore) error {
	plain, never, odd, bare := keySample(1), keySample(2), keySample(3), keySample(4)
	plain.Former, plain.FormerUntil = digest(70), at(70)
	never.Expires, never.Rate, never.Scopes = time.Time{}, 0, auth.AllScopes()
	odd.User, odd.Rate = "J\u00f6rg '%_\\ \U0001F409", 1_000_000_000
	for i := range odd.Secret {
		odd.Secret[i] = byte(255 - i*8)
	}
	bare.Scopes, bare.Rate = nil, auth.DefaultRate
	for _, k := range []auth.Key{plain, never, odd, bare} {
		if err := first(s.Add(ctx, k), holdsKey(ctx, s, k), findsKey(ctx, s, k.Secret, k)); err != nil {
			return fmt.Errorf("the key of %q: %w", k.User, err)
		}
	}
	return nil
}

func listKeys(ctx context.Context, s auth.KeyStore) error {
	var keys []auth.Key
	for i := range 23 {
		k := keySample(i)
		k.ID[0] = byte(i * 101) // over and under 0x80
		keys = append(keys, k)
	}
	if err := addKeys(ctx, s, keys...); err != nil {
		return err
	}
	slices.SortFunc(keys, func(a, b auth.Key) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, limit := range []int{1, 5, 23, 100} {
		var got []auth.Key
		after := uuid.Nil
		for len(got) <= len(keys) {
			page, err := s.List(ctx, after, limit)
			if err != nil || len(page) > limit {
				return fmt.Errorf("List, at most %d: got %d, %v", limit, len(page), err)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1].ID
		}
		if len(got) != len(keys) {
			return fmt.Errorf("List in pages of %d: want %d keys, got %d", limit, len(keys), len(got))
		}
		for i := range keys {
			if err := sameKey(fmt.Sprintf("key %d in pages of %d", i, limit), got[i], keys[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func digest(n int) auth.Digest { return auth.DigestOf(idOf(n).String()) }

func keySample(n int) auth.Key {
	return auth.Key{ID: idOf(n), User: fmt.Sprintf("user%d", n), Scopes: []auth.Scope{auth.TemplatesRead, auth.TemplatesWrite}, Expires: at(100000 + n), Rate: 60 + n, Secret: digest(n), Created: at(n)}
}

// rotated is k with the secret number n, its current one as the former.
func rotated(k auth.Key, n int) auth.Key {
	k.Former, k.FormerUntil, k.Secret = k.Secret, at(200000+n), digest(1000+n)
	return k
}

func addKeys(ctx context.Context, s auth.KeyStore, keys ...auth.Key) error {
	for _, k := range keys {
		if err := s.Add(ctx, k); err != nil {
			return fmt.Errorf("Add %v: %w", k.ID, err)
		}
	}
	return nil
}

func sameKey(what string, got, want auth.Key) error {
	if got.ID != want.ID || got.User != want.User || !slices.Equal(got.Scopes, want.Scopes) || got.Rate != want.Rate || got.Secret != want.Secret || got.Former != want.Former {
		return fmt.Errorf("%s: want %+v, got %+v", what, want, got)
	}
	return first(sameTime(what+": Expires", got.Expires, want.Expires), sameTime(what+": FormerUntil", got.FormerUntil, want.FormerUntil), sameTime(what+": Created", got.Created, want.Created))
}

func holdsKey(ctx context.Context, s auth.KeyStore, k auth.Key) error {
	got, err := s.Get(ctx, k.ID)
	if err != nil {
		return fmt.Errorf("Get: %w", err)
	}
	return sameKey("Get", got, k)
}

func findsKey(ctx context.Context, s auth.KeyStore, d auth.Digest, k auth.Key) error {
	got, err := s.Find(ctx, d)
	if err != nil {
		return fmt.Errorf("Find: %w", err)
	}
	return sameKey("Find", got, k)
}
