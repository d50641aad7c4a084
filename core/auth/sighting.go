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
	stored bool
	value  string
	// digest and fields are what the stores know the secret by; they are the same for every look-up.
	digest  Digest
	fields  []string
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
const maxSightings = 131072

// sightings is a bounded map from secrets, in lower case, split so that readers on many cores do not meet on one lock.
// It has the secrets themselves, in memory alone: a digest for each request would cost more than all the rest.
type sightings struct{ shards [16]sightingShard }

type sightingShard struct {
	mu    sync.RWMutex
	byKey map[string]*sighting
}

func newSightings() *sightings {
	s := &sightings{}
	for i := range s.shards {
		s.shards[i].byKey = map[string]*sighting{}
	}
	return s
}

// shard finds a secret's part by the value of its last hexadecimal digit, which is random; any other byte has one, too.
func (s *sightings) shard(secret string) *sightingShard {
	digit := secret[len(secret)-1]
	return &s.shards[(digit+digit>>6*9)%byte(len(s.shards))]
}

func (s *sightings) get(secret string) *sighting {
	shard := s.shard(secret)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	return shard.byKey[secret]
}

// put remembers a sighting as made at now.
func (s *sightings) put(secret string, seen *sighting, now time.Time) *sighting {
	seen.checked.Store(now.UnixNano())
	shard := s.shard(secret)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	for other := range shard.byKey {
		if len(shard.byKey) < maxSightings/len(s.shards) {
			break
		}
		delete(shard.byKey, other)
	}
	shard.byKey[secret] = seen
	return seen
}

func (s *sightings) drop(secret string) {
	shard := s.shard(secret)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	delete(shard.byKey, secret)
}

// forgetStored drops every key of the KeyStore, so that a change made here shows here at once.
func (s *sightings) forgetStored() {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		for secret, seen := range shard.byKey {
			if seen.stored {
				delete(shard.byKey, secret)
			}
		}
		shard.mu.Unlock()
	}
}
