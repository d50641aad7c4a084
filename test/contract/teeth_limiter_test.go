package contract

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/ports"
)

// asker is a limiter made of one function.
type asker func(ctx context.Context, bucket string, rate int, take bool) ports.Permit

func (a asker) Take(ctx context.Context, bucket string, rate int) ports.Permit {
	return a(ctx, bucket, rate, true)
}
func (a asker) Peek(ctx context.Context, bucket string, rate int) ports.Permit {
	return a(ctx, bucket, rate, false)
}

func ask(ctx context.Context, l ports.Limiter, bucket string, rate int, take bool) ports.Permit {
	if take {
		return l.Take(ctx, bucket, rate)
	}
	return l.Peek(ctx, bucket, rate)
}

// goodLimiters are three instances that share one limiter, and fall back to one of their own when they are cut off.
func goodLimiters() LimiterGroup {
	shared := memory.NewLimiter(nil)
	var cut [3]atomic.Bool
	g := LimiterGroup{Cut: func(i int) { cut[i].Store(true) }, Heal: func(i int) { cut[i].Store(false) }}
	for i := range cut {
		own := memory.NewLimiter(nil)
		g.Instances = append(g.Instances, asker(func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
			if cut[i].Load() {
				return ask(ctx, own, bucket, rate, take)
			}
			return ask(ctx, shared, bucket, rate, take)
		}))
	}
	return g
}

// breakLimiters puts something in front of each instance.
func breakLimiters(what string, breaks func(i int, good ports.Limiter) asker) breaker[LimiterGroup] {
	return breaker[LimiterGroup]{what, func(g LimiterGroup) LimiterGroup {
		for i, l := range g.Instances {
			g.Instances[i] = breaks(i, l)
		}
		return g
	}}
}

// mangles changes the question and the answer.
func mangles(what string, question func(bucket *string, rate *int, take *bool), answer func(p *ports.Permit)) breaker[LimiterGroup] {
	return breakLimiters(what, func(_ int, good ports.Limiter) asker {
		return func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
			if question != nil {
				question(&bucket, &rate, &take)
			}
			p := ask(ctx, good, bucket, rate, take)
			if answer != nil {
				answer(&p)
			}
			return p
		}
	})
}

var (
	apart = breakLimiters("shares nothing", func(int, ports.Limiter) asker {
		own := memory.NewLimiter(nil)
		return func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
			return ask(ctx, own, bucket, rate, take)
		}
	})
	racy = breakLimiters("looks first and takes later", func(_ int, good ports.Limiter) asker {
		gap := newGap()
		return func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
			p := good.Peek(ctx, bucket, rate)
			if p.Granted && take {
				gap()
				good.Take(ctx, bucket, rate)
			}
			return p
		}
	})
	unlimited = breakLimiters("grants everything", func(int, ports.Limiter) asker {
		return func(_ context.Context, _ string, rate int, _ bool) ports.Permit {
			return ports.Permit{Granted: true, Limit: rate}
		}
	})
)

// withClock replaces the limiter of all by one that goes by another clock.
func withClock(what string, clock func(began, now time.Time) time.Time) breaker[LimiterGroup] {
	return breaker[LimiterGroup]{what, func(g LimiterGroup) LimiterGroup {
		began := time.Now()
		l := memory.NewLimiter(func() time.Time { return clock(began, time.Now()) })
		return LimiterGroup{Instances: []ports.Limiter{l, l, l}, Cut: g.Cut, Heal: g.Heal}
	}}
}

var limiterBreakers = map[string][]breaker[LimiterGroup]{
	"a bucket starts full and runs empty": {
		mangles("starts half full", func(_ *string, rate *int, _ *bool) { *rate = (*rate + 1) / 2 }, nil),
		mangles("holds one more", func(_ *string, rate *int, _ *bool) { *rate += 3 }, nil),
		unlimited,
	},
	"every instance can drain a bucket": {breakLimiters("splits the bucket among instances", func(_ int, good ports.Limiter) asker {
		return func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
			return ask(ctx, good, bucket, (rate+2)/3, take)
		}
	})},
	"a bucket refills steadily": {
		withClock("never refills", func(began, _ time.Time) time.Time { return began }),
		withClock("refills by whole minutes", func(began, now time.Time) time.Time { return began.Add(now.Sub(began).Truncate(time.Minute)) }),
		withClock("refills twice as fast", func(began, now time.Time) time.Time { return began.Add(2 * now.Sub(began)) }),
	},
	"nothing is saved beyond a full bucket": {breakLimiters("saves for ever", func(int, ports.Limiter) asker {
		began, taken := time.Now(), 0.0
		return func(_ context.Context, _ string, rate int, take bool) ports.Permit {
			p := ports.Permit{Limit: rate, Granted: taken+1 <= float64(rate)*(1+time.Since(began).Minutes())}
			if p.Granted && take {
				taken++
			}
			return p
		}
	})},
	"no limit counts nothing": {
		mangles("takes 0 for a small limit", func(_ *string, rate *int, _ *bool) { *rate = max(*rate, 1) }, nil),
		mangles("counts all the same", func(_ *string, rate *int, _ *bool) {
			if *rate <= 0 {
				*rate = 1000
			}
		}, func(p *ports.Permit) {
			if p.Limit == 1000 {
				*p = ports.Permit{Granted: true}
			}
		}),
	},
	"what a permit tells is sane": {
		mangles("tells of a full bucket", nil, func(p *ports.Permit) { p.Remaining = p.Limit }),
		mangles("does not tell when it is full", nil, func(p *ports.Permit) { p.Reset = time.Minute }),
		mangles("tells all to come back", nil, func(p *ports.Permit) { p.RetryAfter = time.Second }),
		mangles("tells none to come back", nil, func(p *ports.Permit) { p.RetryAfter = 0 }),
	},
	"after RetryAfter there is a permit": {mangles("promises too much", nil, func(p *ports.Permit) { p.RetryAfter /= 4 })},
	"a peek takes nothing":               {mangles("takes on peeks", func(_ *string, _ *int, take *bool) { *take = true }, nil), mangles("always sees a full bucket", nil, func(p *ports.Permit) { p.Granted = true })},
	"buckets do not meet": {
		mangles("ignores case", func(bucket *string, _ *int, _ *bool) { *bucket = strings.ToLower(*bucket) }, nil),
		mangles("trims", func(bucket *string, _ *int, _ *bool) { *bucket = strings.TrimSpace(*bucket) }, nil),
		mangles("cuts names off", func(bucket *string, _ *int, _ *bool) { *bucket = (*bucket)[:min(3, len(*bucket))] }, nil),
	},
	"two rates share a bucket": {breakLimiters("has a bucket for each rate", func(_ int, good ports.Limiter) asker {
		return func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
			return ask(ctx, good, fmt.Sprint(bucket, rate), rate, take)
		}
	})},
	"a context that has ended": {
		breakLimiters("answers nothing", func(_ int, good ports.Limiter) asker {
			return func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
				if ctx.Err() != nil {
					return ports.Permit{}
				}
				return ask(ctx, good, bucket, rate, take)
			}
		}),
		breakLimiters("waits", func(_ int, good ports.Limiter) asker {
			return func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
				if ctx.Err() != nil {
					time.Sleep(time.Second)
				}
				return ask(ctx, good, bucket, rate, take)
			}
		}),
	},
	"many at once never get more than the bucket": {apart, racy},
	"many at once get no more than the refill":    {apart, racy},
	"instances drain a bucket together":           {apart},
	"one instance after the other":                {apart},
	"cut off, each instance keeps the limit by itself": {
		withCut("grants everything", func(_ context.Context, _ string, rate int, _ bool) ports.Permit {
			return ports.Permit{Granted: true, Limit: rate}
		}),
		withCut("refuses everything", func(_ context.Context, _ string, rate int, _ bool) ports.Permit {
			return ports.Permit{Limit: rate, RetryAfter: time.Second}
		}),
		withCut("waits for each", func(_ context.Context, _ string, rate int, _ bool) ports.Permit {
			time.Sleep(200 * time.Millisecond)
			return ports.Permit{Limit: rate, RetryAfter: time.Second}
		}),
	},
	"joined again, the limit is shared again": {{"stays apart", func(g LimiterGroup) LimiterGroup {
		g.Heal = func(int) {}
		return g
	}}},
}

// withCut has another idea of what to do when it is cut off.
func withCut(what string, then asker) breaker[LimiterGroup] {
	return breaker[LimiterGroup]{what, func(g LimiterGroup) LimiterGroup {
		var mu sync.RWMutex
		cut := map[int]bool{}
		for i, l := range g.Instances {
			g.Instances[i] = asker(func(ctx context.Context, bucket string, rate int, take bool) ports.Permit {
				mu.RLock()
				defer mu.RUnlock()
				if cut[i] {
					return then(ctx, bucket, rate, take)
				}
				return ask(ctx, l, bucket, rate, take)
			})
		}
		g.Cut = func(i int) { mu.Lock(); defer mu.Unlock(); cut[i] = true }
		g.Heal = func(i int) { mu.Lock(); defer mu.Unlock(); cut[i] = false }
		return g
	}}
}

func TestLimiterTeeth(t *testing.T) {
	t.Parallel()
	demandTeeth(t, LimiterChecks, goodLimiters, limiterBreakers)
}
