package redis

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"bitbucket.org/templar/templar/ports"
)

const (
	// maxBuckets bounds the buckets that an instance knows of, about 300 bytes each. Past it, arbitrary ones are
	// forgotten: they cost a trip when they come back.
	maxBuckets = 131072
	// idleBucket is how long after its last use a bucket is forgotten, as soon as what is known of it is of no use
	// any more.
	idleBucket = 10 * time.Second
	sweepGap   = 5 * time.Second
	// longestName is the longest name of a bucket that is put into a key as it is.
	longestName = 100
	// maxWant bounds how many askers one trip speaks for.
	maxWant = 1000
	// maxTrips bounds how often one asker waits for a trip before it is turned away.
	maxTrips = 20
	// failedPause is how long a limit is kept in the process after Redis refused to keep it.
	failedPause = 500 * time.Millisecond
)

var errStrangeAnswer = errors.New("the server's answer is not the script's")

// limiter is a ports.Limiter whose buckets stand in Redis; see takeScript. Permits are leased in batches and then
// given out without a trip. A denial is remembered until there may be a permit again, so that a flood over a limit
// costs no trips. While Redis is away each bucket goes on in the process from what was last known of it, and brings
// its debt back when Redis is there again.
type limiter struct {
	client   *Client
	instance string
	origin   time.Time // times are kept as durations since then

	mu      sync.RWMutex
	buckets map[string]*bucket
}

var _ ports.Limiter = (*limiter)(nil)

// Limiter makes a ports.Limiter that all instances with the same namespace share. Make one for each Client.
func (c *Client) Limiter() ports.Limiter {
	// The first letter keeps it apart from the fields of a bucket that are no leases.
	l := &limiter{client: c, instance: "i" + rand.Text()[:16], origin: time.Now(), buckets: map[string]*bucket{}}
	c.workers.Go(l.sweepAll)
	return l
}

// Take implements ports.Limiter.
func (l *limiter) Take(ctx context.Context, name string, perMinute int) ports.Permit {
	if perMinute <= 0 {
		return ports.Permit{Granted: true}
	}
	b := l.bucket(name)
	now := time.Since(l.origin)
	if p, known := b.takeKnown(now, perMinute); known {
		return p
	}
	return l.takeShared(ctx, b, perMinute)
}

// takeShared waits for trips to Redis until one brings a permit or a denial.
func (l *limiter) takeShared(ctx context.Context, b *bucket, perMinute int) ports.Permit {
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	for range maxTrips {
		b.mu.Lock()
		now := time.Since(l.origin)
		if p, known := b.takeKnown(now, perMinute); known {
			b.mu.Unlock()
			return p
		}
		rdb := l.client.ready()
		if rdb == nil || now < b.localUntil {
			p := b.takeLocal(now, perMinute)
			b.mu.Unlock()
			return p
		}
		under := b.trip
		if under == nil {
			under = &trip{done: make(chan struct{}), limit: perMinute}
			b.trip = under
			a := b.prepare(now, perMinute, min(max(b.waiting.Load(), 1), maxWant))
			go func() {
				g, err := l.askRedis(ctx, rdb, b.name, a)
				b.mu.Lock()
				defer b.mu.Unlock()
				b.conclude(under, now, time.Since(l.origin), a, g, err)
				b.trip = nil
				close(under.done)
			}()
		}
		if under.limit == perMinute {
			under.waiters++
		}
		b.mu.Unlock()
		select {
		case <-under.done:
			if p, reserved := under.claim(time.Since(l.origin), perMinute); reserved {
				return p
			}
		case <-ctx.Done():
			b.leave(under, perMinute)
			return ports.Permit{Limit: perMinute, RetryAfter: time.Second}
		}
	}
	return ports.Permit{Limit: perMinute, RetryAfter: time.Second}
}

// Peek implements ports.Limiter. What is known from the last leaseLife is answered without a trip.
func (l *limiter) Peek(ctx context.Context, name string, perMinute int) ports.Permit {
	if perMinute <= 0 {
		return ports.Permit{Granted: true}
	}
	b := l.bucket(name)
	b.mu.Lock()
	now := time.Since(l.origin)
	rdb := l.client.ready()
	local := rdb == nil || now < b.localUntil
	if p, known := b.peekKnown(now, perMinute, local); known {
		b.mu.Unlock()
		return p
	}
	hand, a := b.inHand(now, perMinute), ask{perMinute: perMinute}
	if b.local {
		b.refill(now, perMinute)
		a.used = b.used
	}
	b.mu.Unlock()

	g, err := l.askRedis(ctx, rdb, b.name, a)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.localUntil = max(b.localUntil, now+failedPause)
		p, _ := b.peekKnown(now, perMinute, true)
		return p
	}
	if b.trip == nil && !b.local {
		b.learn(time.Since(l.origin), perMinute, g)
	}
	return permit(perMinute, g.left+hand, g.next, g.full)
}

// bucket finds the bucket of that name, or makes it.
func (l *limiter) bucket(name string) *bucket {
	l.mu.RLock()
	b := l.buckets[name]
	l.mu.RUnlock()
	if b != nil {
		return b
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b = l.buckets[name]; b != nil {
		return b
	}
	for other := range l.buckets {
		if len(l.buckets) < maxBuckets {
			break
		}
		delete(l.buckets, other)
	}
	b = &bucket{name: name}
	b.seen.Store(int64(time.Since(l.origin)))
	l.buckets[name] = b
	return b
}

// bucketKey is the key of a bucket. A name may be as long as somebody pleases.
func (l *limiter) bucketKey(name string) string {
	if len(name) > longestName {
		sum := sha256.Sum256([]byte(name))
		name = "sha256:" + hex.EncodeToString(sum[:])
	}
	return l.client.key("r", name)
}

// sweepAll forgets idle buckets until the client is closed.
func (l *limiter) sweepAll() {
	ticker := time.NewTicker(sweepGap)
	defer ticker.Stop()
	for {
		select {
		case <-l.client.closing:
			return
		case <-ticker.C:
			l.sweep(time.Since(l.origin))
		}
	}
}

func (l *limiter) sweep(now time.Duration) {
	l.mu.RLock()
	var idle []string
	for name, b := range l.buckets {
		if b.idle(now) {
			idle = append(idle, name)
		}
	}
	l.mu.RUnlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range idle {
		if b := l.buckets[name]; b != nil && b.idle(now) {
			delete(l.buckets, name)
		}
	}
}
