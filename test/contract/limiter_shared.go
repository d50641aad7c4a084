package contract

import (
	"context"
	"fmt"
	"time"

	"bitbucket.org/templar/templar/ports"
)

var limiterShared = []LimiterCheck{
	{Name: "many at once never get more than the bucket", Run: func(ctx context.Context, g LimiterGroup) error {
		for _, size := range []int{1, 5, 60, 300} {
			if err := rush(ctx, g.Instances, newTap(fmt.Sprint("bucket ", size), size), 300*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "many at once get no more than the refill", Run: func(ctx context.Context, g LimiterGroup) error {
		return rush(ctx, g.Instances, newTap("bucket", 600), 2*time.Second)
	}},
	{Name: "instances drain a bucket together", Inapplicable: aloneLimiter, Run: func(ctx context.Context, g LimiterGroup) error {
		for _, size := range []int{1, 4, 100} {
			b := newTap(fmt.Sprint("bucket ", size), size)
			if err := first(b.runsDry(ctx, g.Instances...), b.wasUsed(size*9/10)); err != nil {
				return err
			}
			for i, l := range g.Instances {
				if err := b.runsDry(ctx, l); err != nil {
					return fmt.Errorf("instance %d: %w", i, err)
				}
			}
		}
		return nil
	}},
	{Name: "one instance after the other", Inapplicable: aloneLimiter, Run: func(ctx context.Context, g LimiterGroup) error {
		b := newTap("bucket", 40)
		if err := first(b.runsDry(ctx, g.Instances[0]), b.wasUsed(40)); err != nil {
			return err
		}
		for i, l := range g.Instances {
			if err := b.runsDry(ctx, l); err != nil {
				return fmt.Errorf("instance %d, after another drained the bucket: %w", i, err)
			}
		}
		return eventually(ctx, 1500*time.Millisecond, func() error {
			for i, l := range g.Instances {
				if p := l.Peek(ctx, "bucket", 40); p.Remaining > 2 {
					return fmt.Errorf("Peek on instance %d, after another drained the bucket: %+v", i, p)
				}
			}
			return nil
		})
	}},
	{Name: "cut off, each instance keeps the limit by itself", Inapplicable: cannotCutLimiter, Run: func(ctx context.Context, g LimiterGroup) error {
		if p := g.Instances[0].Take(ctx, "warm", 100); !p.Granted {
			return fmt.Errorf("the first Take: refused: %+v", p)
		}
		for i := range g.Instances {
			g.Cut(i)
			defer g.Heal(i)
		}
		for i, l := range g.Instances {
			began := time.Now()
			b := newTap("bucket", 100)
			if err := first(b.runsDry(ctx, l), b.wasUsed(90)); err != nil {
				return fmt.Errorf("instance %d, cut off from the store: %w", i, err)
			}
			if took := time.Since(began); took > 2*prompt {
				return fmt.Errorf("instance %d, cut off from the store: 100 takes took %v", i, took)
			}
			if p := l.Peek(ctx, "bucket", 100); p.Limit != 100 || p.Remaining > 5 {
				return fmt.Errorf("instance %d, cut off from the store: Peek into an empty bucket: %+v", i, p)
			}
		}
		return nil
	}},
	{Name: "joined again, the limit is shared again", Inapplicable: cannotCutLimiter, Run: func(ctx context.Context, g LimiterGroup) error {
		for i := range g.Instances {
			g.Cut(i)
			g.Instances[i].Take(ctx, "apart", 10)
		}
		for i := range g.Instances {
			g.Heal(i)
		}
		// Give it the time in which a service must have recovered.
		if err := pause(ctx, recovery); err != nil {
			return err
		}
		return rush(ctx, g.Instances, newTap("bucket", 60), 300*time.Millisecond)
	}},
}

// rush takes as fast as it can, by several on each instance, for a while, and demands that all of the bucket is given
// and not more.
func rush(ctx context.Context, instances []ports.Limiter, b *tap, lasts time.Duration) error {
	const each = 3
	stop := time.Now().Add(lasts)
	together(each*len(instances), func(n int) error {
		for ctx.Err() == nil && time.Now().Before(stop) {
			if !b.take(ctx, instances[n/each]).Granted {
				_ = pause(ctx, time.Millisecond)
			}
		}
		return nil
	})
	if n := b.granted.Load(); n > b.most() {
		return fmt.Errorf("%d instances were given %d permits of a bucket of %d a minute within %v", len(instances), n, b.rate, time.Since(b.began))
	}
	return b.wasUsed(b.rate * 9 / 10)
}

func aloneLimiter(g LimiterGroup) string {
	if len(g.Instances) < 2 {
		return "it shares nothing"
	}
	return ""
}

func cannotCutLimiter(g LimiterGroup) string {
	if g.Cut == nil || g.Heal == nil {
		return "there is no shared store to be cut off from"
	}
	return ""
}
