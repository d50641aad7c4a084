package redis

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// recall keeps what was read through rueidis' copy of the server's keys, by what it was asked for: the copy's own look-up
// costs more than all else that a cached read does in this adapter. It believes nothing longer than the copy does: what the
// server tells of a change drops it, the end of a connection drops everything, and each entry has the copy's time to live.
// It is safe for concurrent use.
type recall[K comparable, V any] struct {
	seed   maphash.Seed
	shards [16]recallShard[K, V]
	// most is how many bytes a shard may keep.
	most int
}

type recallShard[K comparable, V any] struct {
	mu   sync.RWMutex
	kept map[K]recalled[V]
	size int
	// changes counts what was dropped, so that what was read before a change is not kept after it.
	changes uint64
}

type recalled[V any] struct {
	value V
	size  int
	ends  time.Time
}

// recallOverhead is about what an entry takes beside its value, in bytes.
const recallOverhead = 160

// newRecall makes a recall of at most that many bytes.
func newRecall[K comparable, V any](most int) *recall[K, V] {
	r := &recall[K, V]{seed: maphash.MakeSeed()}
	r.most = most / len(r.shards)
	for i := range r.shards {
		r.shards[i].kept = map[K]recalled[V]{}
	}
	return r
}

func (r *recall[K, V]) shard(key K) *recallShard[K, V] {
	return &r.shards[maphash.Comparable(r.seed, key)%uint64(len(r.shards))]
}

// get gives what is kept of key. Where there is nothing, it gives the ticket that keep wants, to be taken before the
// server or the copy is asked.
func (r *recall[K, V]) get(key K) (value V, known bool, ticket uint64) {
	s := r.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e, ok := s.kept[key]; ok && time.Now().Before(e.ends) {
		return e.value, true, 0
	}
	return value, false, s.changes
}

// keep keeps a value of size bytes that was read since the ticket was given, unless something changed in between. Past the
// bound, arbitrary others are dropped: they cost a trip when they come back, unless the copy still has them.
func (r *recall[K, V]) keep(key K, ticket uint64, value V, size int, ends time.Time) {
	size += recallOverhead
	s := r.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes != ticket || size > r.most {
		return
	}
	s.size += size - s.kept[key].size
	s.kept[key] = recalled[V]{value, size, ends}
	for other, e := range s.kept {
		if s.size <= r.most {
			break
		}
		if other != key {
			delete(s.kept, other)
			s.size -= e.size
		}
	}
}

// drop forgets key.
func (r *recall[K, V]) drop(key K) {
	s := r.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	s.size -= s.kept[key].size
	delete(s.kept, key)
}

// dropAll forgets everything.
func (r *recall[K, V]) dropAll() {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.changes++
		s.size = 0
		clear(s.kept)
		s.mu.Unlock()
	}
}

// follower is told what the server tells of changed keys.
type follower interface {
	// changed tells that a key may have changed.
	changed(key string)
	// dropAll tells that all may have changed, or that the server can tell no more.
	dropAll()
}

// follow has f told from now on.
func (c *Client) follow(f follower) {
	for {
		old := c.followers.Load()
		var grown []follower
		if old != nil {
			grown = append(grown, *old...)
		}
		grown = append(grown, f)
		if c.followers.CompareAndSwap(old, &grown) {
			return
		}
	}
}

// invalidated is called by rueidis for what the server tells, after its own copy has followed; nil is everything.
func (c *Client) invalidated(keys []rueidis.RedisMessage) {
	all := c.followers.Load()
	if all == nil {
		return
	}
	for _, f := range *all {
		if keys == nil {
			f.dropAll()
		}
		for i := range keys {
			if key, err := keys[i].ToString(); err == nil {
				f.changed(key)
			}
		}
	}
}
