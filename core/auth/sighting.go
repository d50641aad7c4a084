package auth

import (
	"sync"
	"sync/atomic"
	"time"
)

// sighting is a key as it was last seen valid. It spares a look-up for a moment, and carries the key over an outage.
type sighting struct {
	principal *Principal
	// ends is when this secret stops being good, zero for never.
	ends time.Time
	// stored tells a key of the KeyStore from one of the Directory, whose text is value.
	stored  bool
	value   string
	checked atomic.Int64 // Unix nanoseconds
}

func sightingOfKey(k Key, d Digest) *sighting {
	ends := k.Expires
	if d != k.Secret && (ends.IsZero() || k.FormerUntil.Before(ends)) {
		ends = k.FormerUntil
	}
	return &sighting{
		principal: &Principal{User: k.User, Scopes: k.Scopes, Expires: k.Expires, Rate: k.Rate},
		ends:      ends,
		stored:    true,
	}
}

func (s *sighting) checkedAt() time.Time { return time.Unix(0, s.checked.Load()) }

func (s *sighting) admit(now time.Time) (*Principal, error) {
	if !s.ends.IsZero() && !now.Before(s.ends) {
		return nil, ErrExpired
	}
	return s.principal, nil
}

// maxSightings bounds what is remembered, about 500 bytes each. Past it, arbitrary ones are forgotten: they cost
// a look-up when they come back.
const maxSightings = 16384

// sightings is a bounded map, split so that readers on many cores do not meet on one lock.
type sightings struct{ shards [16]sightingShard }

type sightingShard struct {
	mu    sync.RWMutex
	byKey map[Digest]*sighting
}

func newSightings() *sightings {
	s := &sightings{}
	for i := range s.shards {
		s.shards[i].byKey = map[Digest]*sighting{}
	}
	return s
}

func (s *sightings) shard(d Digest) *sightingShard { return &s.shards[int(d[0])%len(s.shards)] }

func (s *sightings) get(d Digest) *sighting {
	shard := s.shard(d)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	return shard.byKey[d]
}

// put remembers a sighting as made at now.
func (s *sightings) put(d Digest, seen *sighting, now time.Time) *sighting {
	seen.checked.Store(now.UnixNano())
	shard := s.shard(d)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	for other := range shard.byKey {
		if len(shard.byKey) < maxSightings/len(s.shards) {
			break
		}
		delete(shard.byKey, other)
	}
	shard.byKey[d] = seen
	return seen
}

func (s *sightings) drop(d Digest) {
	shard := s.shard(d)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	delete(shard.byKey, d)
}

// forgetStored drops every key of the KeyStore, so that a change made here shows here at once.
func (s *sightings) forgetStored() {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		for d, seen := range shard.byKey {
			if seen.stored {
				delete(shard.byKey, d)
			}
		}
		shard.mu.Unlock()
	}
}
