package memory

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// Keys is an auth.KeyStore in memory.
type Keys struct {
	mu       sync.RWMutex
	byID     map[uuid.UUID]*auth.Key
	byDigest map[auth.Digest]*auth.Key // current and former secrets
}

// NewKeys makes an empty store.
func NewKeys() *Keys {
	return &Keys{byID: map[uuid.UUID]*auth.Key{}, byDigest: map[auth.Digest]*auth.Key{}}
}

var errNoKey error = fault.New(fault.NotFound, "there is no such key")

// Ping works as long as ctx goes on.
func (s *Keys) Ping(ctx context.Context) error { return ended(ctx) }

// Add implements auth.KeyStore.
func (s *Keys) Add(ctx context.Context, k auth.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	if s.byID[k.ID] != nil {
		return fault.New(fault.Conflict, "a key with this id exists already")
	}
	if s.taken(k, nil) {
		return fault.New(fault.Conflict, "a key with this secret exists already")
	}
	k = normalKey(k)
	s.byID[k.ID] = &k
	s.index(&k)
	return nil
}

// Find implements auth.KeyStore.
func (s *Keys) Find(ctx context.Context, d auth.Digest) (auth.Key, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return answer(ctx, s.byDigest[d])
}

// Get implements auth.KeyStore.
func (s *Keys) Get(ctx context.Context, id uuid.UUID) (auth.Key, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return answer(ctx, s.byID[id])
}

// List implements auth.KeyStore.
func (s *Keys) List(ctx context.Context, after uuid.UUID, limit int) ([]auth.Key, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	var keys []auth.Key
	for _, k := range s.byID {
		if after == uuid.Nil || bytes.Compare(k.ID[:], after[:]) > 0 {
			keys = append(keys, *k)
		}
	}
	slices.SortFunc(keys, func(a, b auth.Key) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	keys = keys[:min(len(keys), max(limit, 0))]
	for i := range keys {
		keys[i] = keys[i].Clone()
	}
	return keys, nil
}

// Rotate implements auth.KeyStore.
func (s *Keys) Rotate(ctx context.Context, k auth.Key, was auth.Digest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	stored := s.byID[k.ID]
	if stored == nil {
		return errNoKey
	}
	if stored.Secret != was {
		return fault.New(fault.Conflict, "the key was rotated by somebody else a moment ago")
	}
	if s.taken(k, stored) {
		return fault.New(fault.Conflict, "a key with this secret exists already")
	}
	s.unindex(stored)
	stored.Secret, stored.Former, stored.FormerUntil = k.Secret, k.Former, instant(k.FormerUntil)
	s.index(stored)
	return nil
}

// Remove implements auth.KeyStore.
func (s *Keys) Remove(ctx context.Context, id uuid.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	k := s.byID[id]
	if k == nil {
		return errNoKey
	}
	s.unindex(k)
	delete(s.byID, id)
	return nil
}

// taken tells whether a secret of k opens another key than owner.
func (s *Keys) taken(k auth.Key, owner *auth.Key) bool {
	for _, d := range []auth.Digest{k.Secret, k.Former} {
		if other := s.byDigest[d]; other != nil && other != owner {
			return true
		}
	}
	return false
}

func (s *Keys) index(k *auth.Key) {
	s.byDigest[k.Secret] = k
	if k.Former != (auth.Digest{}) {
		s.byDigest[k.Former] = k
	}
}

func (s *Keys) unindex(k *auth.Key) {
	delete(s.byDigest, k.Secret)
	delete(s.byDigest, k.Former)
}

// answer hands out a copy of a stored key, errNoKey for nil.
func answer(ctx context.Context, k *auth.Key) (auth.Key, error) {
	if err := ended(ctx); err != nil {
		return auth.Key{}, err
	}
	if k == nil {
		return auth.Key{}, errNoKey
	}
	return k.Clone(), nil
}

// normalKey gives a copy of k with its times in UTC and in whole microseconds, as databases keep them.
func normalKey(k auth.Key) auth.Key {
	k = k.Clone()
	k.Expires, k.FormerUntil, k.Created = instant(k.Expires), instant(k.FormerUntil), instant(k.Created)
	return k
}
