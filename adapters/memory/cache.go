package memory

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// Cache is a ports.Cache of one process: an otter cache with a budget in bytes.
//
// Why it stays right: otter drops the result of a load when its key is invalidated while it runs, and nobody who comes
// after the invalidation joins that load. So Changing and changed both invalidate: the first drops what was there and
// what is being loaded, the second what was loaded in between. Fetches between the two bypass the cache: what they
// load may be older than the change that is being made.
type Cache struct {
	ttl  time.Duration
	kept *otter.Cache[[16]byte, kept] // nil keeps nothing

	// underWay is how many changes are in changing; reading it spares readers the lock while there are none.
	underWay atomic.Int64
	mu       sync.RWMutex
	changing map[[16]byte]int
}

// kept is a value with the moment at which it ends, in Unix nanoseconds: the time to live counts from the start of
// its load, because only then the value is known to have been current.
type kept struct {
	value []byte
	ends  int64
}

// entryOverhead is what an entry costs beside its value, in bytes: node, key, table and policy.
const entryOverhead = 256

// NewCache makes an empty cache. ttl bounds how old a value may be, maxBytes how much memory the values take, with what
// it needs to keep them. It keeps nothing when either is not positive.
func NewCache(ttl time.Duration, maxBytes int64) *Cache {
	c := &Cache{ttl: ttl, changing: map[[16]byte]int{}}
	if ttl > 0 && maxBytes > 0 {
		c.kept = otter.Must(&otter.Options[[16]byte, kept]{
			MaximumWeight: uint64(maxBytes),
			Weigher:       func(_ [16]byte, k kept) uint32 { return uint32(len(k.value)) + entryOverhead },
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[[16]byte, kept]) time.Duration {
				return max(1, time.Duration(e.Value.ends-e.SnapshotAtNano))
			}),
		})
	}
	return c
}

// errRaced ends a fetch whose loads were overtaken by changes again and again.
var errRaced = errors.New("the load was overtaken by changes")

// maxLoads is how often a fetch begins anew because a change overtook its load. Then it answers what it loads, and
// nothing is kept: readers of a busy id must not wait for its writers to rest.
const maxLoads = 3

// Kept implements ports.Cache.
func (c *Cache) Kept(id [16]byte) ([]byte, bool) {
	if c.kept == nil || c.isChanging(id) {
		return nil, false
	}
	k, ok := c.kept.GetIfPresent(id)
	return k.value, ok
}

// Fetch implements ports.Cache.
func (c *Cache) Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	if c.kept == nil || c.isChanging(id) {
		return load(ctx)
	}
	if k, ok := c.kept.GetIfPresent(id); ok {
		return k.value, nil
	}
	loads := 0
	k, err := c.kept.Get(ctx, id, otter.LoaderFunc[[16]byte, kept](func(ctx context.Context, _ [16]byte) (kept, error) {
		if loads++; loads > maxLoads {
			return kept{}, errRaced
		}
		ends := time.Now().Add(c.ttl).UnixNano()
		value, err := load(ctx)
		return kept{value: value, ends: ends}, err
	}))
	if errors.Is(err, errRaced) || ctx.Err() == nil && isContextError(err) {
		return load(ctx) // what ended the load that was joined is not ours
	}
	return k.value, err
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Changing implements ports.Cache. It never blocks.
func (c *Cache) Changing(_ context.Context, ids ...[16]byte) (changed func()) {
	if c.kept == nil {
		return func() {}
	}
	c.mu.Lock()
	for _, id := range ids {
		c.changing[id]++
	}
	c.mu.Unlock()
	c.underWay.Add(int64(len(ids)))
	c.invalidate(ids)
	return sync.OnceFunc(func() {
		c.invalidate(ids)
		c.underWay.Add(-int64(len(ids)))
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, id := range ids {
			if c.changing[id]--; c.changing[id] == 0 {
				delete(c.changing, id)
			}
		}
	})
}

func (c *Cache) invalidate(ids [][16]byte) {
	for _, id := range ids {
		c.kept.Invalidate(id)
	}
}

// isChanging tells whether a change of id is under way.
func (c *Cache) isChanging(id [16]byte) bool {
	if c.underWay.Load() == 0 {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.changing[id] > 0
}
