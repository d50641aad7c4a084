package redis

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxOwed bounds the changes that are remembered until Redis can be told of them, about 100 bytes each. Past it,
	// the whole cache is passed by for one time to live.
	maxOwed = 100_000
	// mostTold is how many changes are told in one trip.
	mostTold = 200
)

// changes knows for which ids what Redis has must not be believed: those being changed by this instance, and those
// that were changed while Redis could not be told.
type changes struct {
	// count is the number of held and owed ids, and one more while everything is passed by. Readers look at it first.
	count atomic.Int64

	mu       sync.Mutex
	held     map[[16]byte]int
	owed     map[[16]byte]debt
	allUntil time.Time
	made     uint64
}

// debt is a change that Redis was not told of.
type debt struct {
	// until is when the last value from before the change must have expired.
	until time.Time
	// number tells debts of the same id apart.
	number uint64
}

// touch tells whether id must not be read from Redis.
func (c *changes) touch(id [16]byte) bool {
	if c.count.Load() == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	return c.held[id] > 0 || now.Before(c.owed[id].until) || now.Before(c.allUntil)
}

// hold begins a change of id.
func (c *changes) hold(id [16]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = map[[16]byte]int{}
	}
	if c.held[id]++; c.held[id] == 1 {
		c.count.Add(1)
	}
}

// release ends a change of id.
func (c *changes) release(id [16]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[id]--; c.held[id] == 0 {
		delete(c.held, id)
		c.count.Add(-1)
	}
}

// owe notes that Redis was not told of a change of id, and may have what was there before until then.
func (c *changes) owe(id [16]byte, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owed == nil {
		c.owed = map[[16]byte]debt{}
	}
	if _, known := c.owed[id]; !known {
		if len(c.owed) >= maxOwed {
			if c.allUntil.IsZero() {
				c.count.Add(1)
			}
			c.allUntil = until
			return
		}
		c.count.Add(1)
	}
	c.made++
	c.owed[id] = debt{until: until, number: c.made}
}

// due gives up to mostTold debts to settle, and forgets those that settled themselves.
func (c *changes) due() map[[16]byte]debt {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.allUntil.IsZero() && !now.Before(c.allUntil) {
		c.allUntil = time.Time{}
		c.count.Add(-1)
	}
	batch := map[[16]byte]debt{}
	for id, d := range c.owed {
		if !now.Before(d.until) {
			delete(c.owed, id)
			c.count.Add(-1)
			continue
		}
		if len(batch) < mostTold {
			batch[id] = d
		} else {
			break
		}
	}
	return batch
}

// settle notes that Redis was told, unless a later change of the id is owed since.
func (c *changes) settle(id [16]byte, d debt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now, ok := c.owed[id]; ok && now.number == d.number {
		delete(c.owed, id)
		c.count.Add(-1)
	}
}
