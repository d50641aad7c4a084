package contract

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bitbucket.org/templar/templar/ports"
)

// LimiterGroup is a number of limiters on trial, as the instances of one service have them.
type LimiterGroup struct {
	// Instances share one store, empty at first; one instance if the adapter shares nothing.
	Instances []ports.Limiter
	// Cut parts instance i from the shared store, and Heal joins it again; nil: it cannot be parted.
	Cut, Heal func(i int)
	// Disturbed says what parted an instance from the shared store though nobody cut it, such as a machine too busy to
	// answer in time, "" for nothing: a check that failed meanwhile is made again. nil: nothing can.
	Disturbed func() string
}

func (g LimiterGroup) disturbance() string { return disturbed(g.Disturbed) }

// LimiterCheck is one promise of ports.Limiter, tried on a fresh group.
type LimiterCheck = Check[LimiterGroup]

// LimiterHarness is how an adapter is tried. The limiters must go by the real clock.
type LimiterHarness struct {
	// Open gives a fresh group of limiters; it registers its own clean-up. Checks run side by side.
	Open  func(t *testing.T) LimiterGroup
	Lacks map[string]string
}

// Limiter runs the suite of ports.Limiter.
func Limiter(t *testing.T, h LimiterHarness) {
	runChecks(t, LimiterChecks, h.Lacks, true, h.Open)
}

// LimiterChecks are all promises of ports.Limiter.
var LimiterChecks = slices.Concat(limiterBasics, limiterShared)

var limiterBasics = []LimiterCheck{
	{Name: "a bucket starts full and runs empty", Run: func(ctx context.Context, g LimiterGroup) error {
		for _, size := range []int{1, 2, 3, 10, 100} {
			b := newTap(fmt.Sprint("bucket ", size), size)
			for i := range size {
				if p := b.take(ctx, g.Instances[0]); !p.Granted {
					return fmt.Errorf("Take %d of %d: refused: %+v", i+1, size, p)
				}
			}
			if err := b.runsDry(ctx, g.Instances[0]); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "every instance can drain a bucket", Run: func(ctx context.Context, g LimiterGroup) error {
		for i, l := range g.Instances {
			b := newTap(fmt.Sprint("bucket ", i), 50)
			if err := first(b.runsDry(ctx, l), b.wasUsed(50)); err != nil {
				return fmt.Errorf("instance %d: %w", i, err)
			}
		}
		return nil
	}},
	{Name: "a bucket refills steadily", Run: func(ctx context.Context, g LimiterGroup) error {
		b := newTap("bucket", 600) // 10 a second
		if err := b.runsDry(ctx, g.Instances[0]); err != nil {
			return err
		}
		for range 2 {
			before := b.granted.Load()
			if err := first(pause(ctx, time.Second), b.runsDry(ctx, g.Instances[0])); err != nil {
				return err
			}
			if n := b.granted.Load() - before; n < 7 {
				return fmt.Errorf("a second after it ran dry a bucket of 600 a minute gave %d permits, want about 10", n)
			}
		}
		return nil
	}},
	{Name: "nothing is saved beyond a full bucket", Run: func(ctx context.Context, g LimiterGroup) error {
		b := newTap("bucket", 6000) // 100 a second
		if p := b.take(ctx, g.Instances[0]); !p.Granted {
			return fmt.Errorf("the first Take: refused: %+v", p)
		}
		if err := pause(ctx, 700*time.Millisecond); err != nil {
			return err
		}
		again := newTap("bucket", 6000)
		return again.runsDry(ctx, g.Instances[0])
	}},
	{Name: "no limit counts nothing", Run: func(ctx context.Context, g LimiterGroup) error {
		for range 30 {
			for _, rate := range []int{0, -1, -100} {
				for what, p := range map[string]ports.Permit{"Take": g.Instances[0].Take(ctx, "bucket", rate), "Peek": g.Instances[0].Peek(ctx, "bucket", rate)} {
					if p != (ports.Permit{Granted: true}) {
						return fmt.Errorf("%s at the rate %d: want nothing but Granted, got %+v", what, rate, p)
					}
				}
			}
		}
		b := newTap("bucket", 5)
		return first(b.runsDry(ctx, g.Instances[0]), b.wasUsed(5))
	}},
	{Name: "what a permit tells is sane", Run: saneRemaining},
	{Name: "after RetryAfter there is a permit", Run: func(ctx context.Context, g LimiterGroup) error {
		b := newTap("bucket", 120) // one each 500 ms
		for range 3 {
			if err := b.runsDry(ctx, g.Instances[0]); err != nil {
				return err
			}
			p := b.take(ctx, g.Instances[0])
			if p.Granted { // the refill came in between
				continue
			}
			if p.RetryAfter <= 0 || p.RetryAfter > 600*time.Millisecond {
				return fmt.Errorf("RetryAfter of a bucket of 120 a minute that ran dry: want up to 500ms, got %v", p.RetryAfter)
			}
			if err := pause(ctx, p.RetryAfter+30*time.Millisecond); err != nil {
				return err
			}
			if p := b.take(ctx, g.Instances[0]); !p.Granted {
				return fmt.Errorf("Take after RetryAfter had passed: refused: %+v", p)
			}
		}
		return nil
	}},
	{Name: "a peek takes nothing", Run: func(ctx context.Context, g LimiterGroup) error {
		l, b := g.Instances[0], newTap("bucket", 10)
		for range 50 {
			if p := l.Peek(ctx, "bucket", 10); !p.Granted || p.Limit != 10 || p.Remaining < 9 || p.Remaining > 10 || p.RetryAfter != 0 {
				return fmt.Errorf("Peek into a full bucket of 10: got %+v", p)
			}
		}
		if err := first(b.runsDry(ctx, l), b.wasUsed(10)); err != nil {
			return err
		}
		return eventually(ctx, time.Second, func() error {
			if p := l.Peek(ctx, "bucket", 10); p.Granted || p.Limit != 10 || p.Remaining != 0 || p.RetryAfter <= 0 {
				return fmt.Errorf("Peek into an empty bucket of 10: got %+v", p)
			}
			return nil
		})
	}},
	{Name: "buckets do not meet", Run: func(ctx context.Context, g LimiterGroup) error {
		for _, name := range []string{"a", "A", "a ", "", "a:1", "a:1:", "{a}", "{a}b", "user:a", "addr:a", "\u0416", "*", "%s", "a\nb", strings.Repeat("\U0001F9D9", 200), strings.Repeat("x", 2000)} {
			b := newTap(name, 3)
			if err := first(b.runsDry(ctx, g.Instances[0]), b.wasUsed(3)); err != nil {
				return fmt.Errorf("bucket %s: %w", shorten(name), err)
			}
		}
		return nil
	}},
	{Name: "two rates share a bucket", Run: func(ctx context.Context, g LimiterGroup) error {
		l := g.Instances[0]
		small, large := newTap("bucket", 10), newTap("bucket", 100)
		if err := first(small.runsDry(ctx, l), small.wasUsed(10), large.runsDry(ctx, l)); err != nil {
			return err
		}
		if n := large.granted.Load(); n > 92 || n < 80 {
			return fmt.Errorf("after 10 takes at the rate 10, a bucket at the rate 100 gave %d, want 90", n)
		}
		if p := small.take(ctx, l); p.Granted {
			return fmt.Errorf("after 100 takes at the rate 100, the rate 10 was granted another: %+v", p)
		}
		return nil
	}},
	{Name: "a context that has ended", Run: func(ctx context.Context, g LimiterGroup) error {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		began := time.Now()
		for _, p := range []ports.Permit{g.Instances[0].Take(ended, "bucket", 10), g.Instances[0].Peek(ended, "bucket", 10)} {
			if p.Limit != 10 {
				return fmt.Errorf("under a cancelled context: want the limit 10, got %+v", p)
			}
		}
		if took := time.Since(began); took > time.Second {
			return fmt.Errorf("Take and Peek under a cancelled context took %v", took)
		}
		b := newTap("bucket", 10)
		return first(b.runsDry(ctx, g.Instances[0]), b.wasUsed(9))
	}},
}

func saneRemaining(ctx context.Context, g LimiterGroup) error {
	const size = 60 // one a second
	l, began := g.Instances[0], time.Now()
	for i := range size + 1 {
		p := l.Take(ctx, "bucket", size)
		refilled := int(time.Since(began).Seconds()) + 1
		low := max(0, size-1-i)
		if p.Limit != size || p.Remaining < 0 || p.Granted && (p.Remaining < low-1 || p.Remaining > low+refilled) {
			return fmt.Errorf("Take %d of a bucket of %d: want about %d remaining, got %+v", i+1, size, low, p)
		}
		if p.Granted != (p.RetryAfter == 0) || p.RetryAfter < 0 || !p.Granted && (p.Remaining != 0 || p.RetryAfter > 1500*time.Millisecond) {
			return fmt.Errorf("Take %d of a bucket of %d: RetryAfter does not fit: %+v", i+1, size, p)
		}
		full := time.Duration(min(i+1, size)) * time.Second
		if p.Reset < full-time.Duration(refilled+1)*time.Second || p.Reset > full+2*time.Second {
			return fmt.Errorf("Take %d of a bucket of %d: want it full again in about %v, got %+v", i+1, size, full, p)
		}
	}
	return nil
}

// tap takes from one bucket and counts.
type tap struct {
	bucket  string
	rate    int
	granted atomic.Int64
	began   time.Time
}

func newTap(bucket string, rate int) *tap { return &tap{bucket: bucket, rate: rate, began: time.Now()} }

func (b *tap) take(ctx context.Context, l ports.Limiter) ports.Permit {
	p := l.Take(ctx, b.bucket, b.rate)
	if p.Granted {
		b.granted.Add(1)
	}
	return p
}

// most is how many permits a bucket that was full at first can have given by now. The clock of a shared store may run
// a few milliseconds ahead.
func (b *tap) most() int64 {
	return int64(float64(b.rate) * (1 + (time.Since(b.began) + 5*time.Millisecond).Minutes()))
}

// runsDry takes until it is refused, and complains when the bucket gives more than it can hold.
func (b *tap) runsDry(ctx context.Context, instances ...ports.Limiter) error {
	refused := 0
	for i := 0; refused < len(instances); i++ {
		if b.take(ctx, instances[i%len(instances)]).Granted {
			refused = 0
		} else {
			refused++
		}
		if n := b.granted.Load(); n > b.most() {
			return fmt.Errorf("a bucket of %d a minute gave %d within %v", b.rate, n, time.Since(b.began))
		}
		if i > 100*b.rate+10000 {
			return fmt.Errorf("a bucket of %d a minute does not run dry", b.rate)
		}
	}
	return nil
}

// wasUsed complains unless at least n permits were granted.
func (b *tap) wasUsed(n int) error {
	if got := b.granted.Load(); got < int64(n) {
		return fmt.Errorf("a bucket of %d a minute that was full gave only %d, want %d", b.rate, got, n)
	}
	return nil
}
