package redis

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"bitbucket.org/templar/templar/ports"
)

// bucket is what one instance knows of one bucket. Times are durations since the limiter's origin.
type bucket struct {
	name    string
	lease   atomic.Pointer[lease]
	denial  atomic.Pointer[denial]
	waiting atomic.Int64 // askers that have to wait for a trip
	seen    atomic.Int64 // when it was last asked for a permit that was not in hand

	mu   sync.Mutex
	trip *trip // the one under way; nil without one

	// used is the debt as last known, true at the time at, for a bucket of size limit; limit 0 is: nothing known.
	used  float64
	at    time.Duration
	limit int
	// fresh is until when the debt known from Redis is good enough for Peek.
	fresh time.Duration
	// local tells that permits were given out without Redis since it was last asked.
	local bool
	// localUntil is until when Redis is not asked, because it refused.
	localUntil time.Duration
}

// lease is a batch of permits from Redis.
type lease struct {
	limit int
	size  int64 // permits that there were
	until time.Duration
	hand  atomic.Int64 // permits left; below 0 when more was asked for
	left  int64        // what the bucket held beside them
	full  time.Duration
	begun time.Duration
}

// trip is a question to Redis that askers wait for. The permits that it brings go to them first: those who come later
// could otherwise be faster each time.
type trip struct {
	done  chan struct{}
	limit int
	// waiters is how many of that limit wait for it. Guarded by the bucket's mu.
	waiters int64

	// What follows is set before done is closed.
	lease    *lease       // what it brought; nil without permits
	reserved atomic.Int64 // how many of its permits are for those who waited
}

// claim takes a permit of the trip for one who waited for it.
func (t *trip) claim(now time.Duration, perMinute int) (ports.Permit, bool) {
	l := t.lease
	if l == nil || t.limit != perMinute {
		return ports.Permit{}, false
	}
	reserved := t.reserved.Add(-1)
	if reserved < 0 {
		return ports.Permit{}, false
	}
	return l.permit(now, reserved+max(l.hand.Load(), 0)), true
}

// leave is for one who waited and gives up. A permit that was reserved meanwhile goes to the others.
func (b *bucket) leave(t *trip, perMinute int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.trip == t {
		if t.limit == perMinute {
			t.waiters--
		}
	} else if _, reserved := t.claim(0, perMinute); reserved {
		t.lease.hand.Add(1)
	}
}

// permit is the answer to one who takes a permit of the lease, of which so many are still in hand.
func (l *lease) permit(now time.Duration, hand int64) ports.Permit {
	return ports.Permit{Granted: true, Limit: l.limit, Remaining: int(min(hand+l.left, int64(l.limit))),
		Reset: max(l.full-(now-l.begun), 0)}
}

// denial is the knowledge that there is no permit.
type denial struct {
	limit int
	until time.Duration
	full  time.Duration // when all permits are back
}

// permit makes an answer of what a bucket has left.
func permit(limit int, left int64, next, full time.Duration) ports.Permit {
	left = min(max(left, 0), int64(limit))
	p := ports.Permit{Granted: left > 0, Limit: limit, Remaining: int(left), Reset: max(full, 0)}
	if !p.Granted {
		p.RetryAfter = max(next, time.Millisecond)
		p.Reset = max(p.Reset, p.RetryAfter)
	}
	return p
}

// takeKnown takes a permit that is in hand, or denies what is known to be denied. known is false when only a trip can
// tell.
func (b *bucket) takeKnown(now time.Duration, perMinute int) (p ports.Permit, known bool) {
	if l := b.lease.Load(); l != nil && l.limit == perMinute && now < l.until {
		if hand := l.hand.Add(-1); hand >= 0 {
			return l.permit(now, hand), true
		}
	}
	if d := b.denial.Load(); d != nil && d.limit == perMinute && now < d.until {
		return permit(perMinute, 0, d.until-now, d.full-now), true
	}
	return ports.Permit{}, false
}

// inHand counts the permits of the lease.
func (b *bucket) inHand(now time.Duration, perMinute int) int64 {
	if l := b.lease.Load(); l != nil && l.limit == perMinute && now < l.until {
		return max(l.hand.Load(), 0)
	}
	return 0
}

// prepare makes the question of the next trip. The permits in hand go back with it, and nobody can take them any more.
func (b *bucket) prepare(now time.Duration, perMinute int, want int64) ask {
	b.seen.Store(int64(now))
	a := ask{perMinute: perMinute, want: want}
	if l := b.lease.Swap(nil); l != nil {
		a.back = max(l.hand.Swap(math.MinInt64/2), 0)
		a.spent = l.size - a.back
	}
	if b.local {
		b.refill(now, perMinute)
		a.used = b.used
	}
	return a
}

// conclude notes how a trip ended that began at begun.
func (b *bucket) conclude(t *trip, begun, now time.Duration, a ask, g grant, err error) {
	if err != nil {
		b.localUntil = now + failedPause
		return
	}
	b.local = false
	b.learn(now, a.perMinute, g)
	if g.count > 0 {
		l := &lease{limit: a.perMinute, size: g.count, until: begun + g.life, left: g.left, full: g.full, begun: now}
		l.hand.Store(g.count)
		if now < l.until {
			reserved := min(t.waiters, g.count)
			t.reserved.Store(reserved)
			t.lease = l
			l.hand.Add(-reserved)
		}
		b.lease.Store(l)
	}
	if g.next > 0 {
		b.denial.Store(&denial{limit: a.perMinute, until: now + g.next, full: now + g.full})
	}
}

// learn notes what Redis told of the bucket.
func (b *bucket) learn(now time.Duration, perMinute int, g grant) {
	b.used = g.full.Seconds() * float64(perMinute) / 60
	b.at, b.limit, b.fresh = now, perMinute, now+leaseLife
}

// refill brings the debt up to now, for a bucket of that size.
func (b *bucket) refill(now time.Duration, perMinute int) {
	b.used = max(b.used-(now-b.at).Seconds()*float64(perMinute)/60, 0)
	b.at, b.limit = now, perMinute
}

// takeLocal takes a permit without Redis.
func (b *bucket) takeLocal(now time.Duration, perMinute int) ports.Permit {
	b.seen.Store(int64(now))
	b.refill(now, perMinute)
	b.local = true
	p := b.localPermit(perMinute)
	if p.Granted {
		b.used++
		p.Remaining--
		p.Reset += time.Minute / time.Duration(perMinute)
	}
	return p
}

// localPermit tells what takeLocal would give. The debt is up to now.
func (b *bucket) localPermit(perMinute int) ports.Permit {
	size := float64(perMinute)
	next := time.Duration((b.used - size + 1) * float64(time.Minute) / size)
	full := time.Duration(b.used * float64(time.Minute) / size)
	return permit(perMinute, int64(math.Floor(size-b.used+1e-6)), next, full)
}

// peekKnown tells what takeKnown or, when it is local, takeLocal would answer.
func (b *bucket) peekKnown(now time.Duration, perMinute int, local bool) (p ports.Permit, known bool) {
	if d := b.denial.Load(); d != nil && d.limit == perMinute && now < d.until && b.inHand(now, perMinute) == 0 {
		return permit(perMinute, 0, d.until-now, d.full-now), true
	}
	if !local && (b.limit != perMinute || now >= b.fresh || b.local) {
		return ports.Permit{}, false
	}
	b.seen.Store(int64(now))
	b.refill(now, perMinute)
	p = b.localPermit(perMinute)
	if hand := b.inHand(now, perMinute); hand > 0 {
		p = permit(perMinute, int64(p.Remaining)+hand, 0, p.Reset)
	}
	return p, true
}

// idle tells whether nothing is lost by forgetting the bucket.
func (b *bucket) idle(now time.Duration) bool {
	if b.waiting.Load() > 0 || now-time.Duration(b.seen.Load()) < idleBucket {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.lease.Load(); l != nil && (now < l.until || l.hand.Load() > 0) && now-l.until < time.Minute {
		return false
	}
	if d := b.denial.Load(); d != nil && now < d.until {
		return false
	}
	if b.local {
		b.refill(now, max(b.limit, 1))
	}
	return b.trip == nil && (!b.local || b.used < 1)
}
