package memory

import (
	"context"
	"hash/maphash"
	"math"
	"sync"
	"time"

	"bitbucket.org/templar/templar/ports"
)

// Limiter is a ports.Limiter of one process. A bucket is kept as its debt: how many permits are missing until it is
// full. The debt shrinks steadily, and a bucket without debt is not kept at all, so that rates may differ from call
// to call and memory holds only who called within about the last minute.
type Limiter struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [limiterShards]limiterShard
}

const (
	limiterShards = 16
	// maxBuckets bounds one shard: all together 131,072 buckets, some 20 MiB. Past it the least indebted of a few is
	// forgotten, which gives away what that one had used. So whoever comes from endless addresses makes room for them
	// with their own fresh buckets, not with those of callers that are at their limit.
	maxBuckets = 8192
	// glances is how many buckets a new one looks at, for some to forget.
	glances = 8
)

type limiterShard struct {
	mu      sync.Mutex
	buckets map[string]*debt
}

// debt is how many permits a bucket lacked at a moment, and how fast it refills.
type debt struct {
	used float64
	at   time.Time
	rate float64 // permits a minute, of the last Take
}

// left is the debt at a moment, when the bucket refills at the rate.
func (d *debt) left(now time.Time, rate float64) float64 {
	elapsed := max(0, now.Sub(d.at).Minutes())
	return max(0, d.used-elapsed*rate)
}

// NewLimiter makes a limiter whose buckets are all full. now is the clock; nil means time.Now.
func NewLimiter(now func() time.Time) *Limiter {
	l := &Limiter{now: now, seed: maphash.MakeSeed()}
	if l.now == nil {
		l.now = time.Now
	}
	for i := range l.shards {
		l.shards[i].buckets = map[string]*debt{}
	}
	return l
}

// Take implements ports.Limiter. It never blocks, so ctx does not matter.
func (l *Limiter) Take(_ context.Context, bucket string, perMinute int) ports.Permit {
	return l.ask(bucket, perMinute, true)
}

// Peek implements ports.Limiter.
func (l *Limiter) Peek(_ context.Context, bucket string, perMinute int) ports.Permit {
	return l.ask(bucket, perMinute, false)
}

func (l *Limiter) ask(bucket string, perMinute int, take bool) ports.Permit {
	if perMinute <= 0 {
		return ports.Permit{Granted: true}
	}
	shard := &l.shards[maphash.String(l.seed, bucket)%limiterShards]
	now, rate := l.now(), float64(perMinute)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	d, used := shard.buckets[bucket], 0.0
	if d != nil {
		used = d.left(now, rate)
	}
	granted := used+1 <= rate
	if take {
		if granted {
			used++
		}
		if d == nil {
			d = &debt{}
			shard.makeRoom(now)
			shard.buckets[bucket] = d
		}
		if now.Before(d.at) {
			now = d.at // a clock that was set back refills nothing twice
		}
		*d = debt{used: used, at: now, rate: rate}
	}
	return permit(granted, used, rate)
}

// permit tells of a bucket of that rate that lacks used permits.
func permit(granted bool, used, rate float64) ports.Permit {
	p := ports.Permit{Granted: granted, Limit: int(rate), Remaining: int(max(0, math.Floor(rate-used))), Reset: refill(used, rate)}
	if !granted {
		p.RetryAfter = max(1, refill(used+1-rate, rate))
	}
	return p
}

// refill is how long permits take to come back, rounded up to the nanosecond.
func refill(permits, rate float64) time.Duration {
	return time.Duration(math.Ceil(permits / rate * float64(time.Minute)))
}

// makeRoom forgets those of a few buckets that are full again, and the least indebted of them when there is still no
// room. Looking at a few for each new one keeps the shard clean without ever stopping for all of it.
func (s *limiterShard) makeRoom(now time.Time) {
	var least string
	lowest, looked := math.Inf(1), 0
	for name, d := range s.buckets { // Go starts at an arbitrary one
		left := d.left(now, d.rate)
		if left == 0 {
			delete(s.buckets, name)
		} else if left < lowest {
			least, lowest = name, left
		}
		if looked++; looked == glances {
			break
		}
	}
	if len(s.buckets) >= maxBuckets {
		delete(s.buckets, least)
	}
}
