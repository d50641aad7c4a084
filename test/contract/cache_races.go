package contract

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"bitbucket.org/templar/templar/ports"
)

var cacheRaces = []CacheCheck{
	{Name: "a change shows at once where it was made", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			for range 20 {
				if err := first(truth.isCurrent(ctx, c), truth.isCurrent(ctx, c), truth.change(ctx, c), truth.isCurrent(ctx, c)); err != nil {
					return fmt.Errorf("after a change: %w", err)
				}
			}
		}
		return nil
	}},
	{Name: "a load that raced a change is not kept", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			release, err := truth.slowLoad(ctx, c)
			if err != nil {
				return err
			}
			if err := truth.change(ctx, c); err != nil {
				return err
			}
			if _, err := release(); err != nil {
				return fmt.Errorf("the load that raced: %w", err)
			}
			for range 3 {
				if err := truth.isCurrent(ctx, c); err != nil {
					return fmt.Errorf("after a load that began before a change and ended after it: %w", err)
				}
			}
		}
		return nil
	}},
	{Name: "nobody joins a load that began before a change", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			release, err := truth.slowLoad(ctx, c)
			if err != nil {
				return err
			}
			err = first(truth.change(ctx, c), truth.isCurrent(ctx, c), truth.isCurrent(ctx, c))
			_, late := release()
			if err := first(err, late, truth.isCurrent(ctx, c)); err != nil {
				return fmt.Errorf("beside a load that began before a change and still runs: %w", err)
			}
		}
		return nil
	}},
	{Name: "a load that began during a change is not kept", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			changed := c.Changing(ctx, truth.id)
			release, err := truth.slowLoad(ctx, c)
			if err != nil {
				changed()
				return err
			}
			truth.value.Add(1)
			changed()
			if err := truth.isCurrent(ctx, c); err != nil {
				_, _ = release()
				return fmt.Errorf("beside a load that began before the commit: %w", err)
			}
			if _, err := release(); err != nil {
				return err
			}
			if err := truth.isCurrent(ctx, c); err != nil {
				return fmt.Errorf("after a load that began before the commit and ended after it: %w", err)
			}
		}
		return nil
	}},
	{Name: "nothing is kept during a change", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			if err := truth.isCurrent(ctx, c); err != nil {
				return err
			}
			changed := c.Changing(ctx, truth.id)
			for range 3 {
				truth.value.Add(1)
				if err := truth.isCurrent(ctx, c); err != nil {
					changed()
					return fmt.Errorf("between Changing and changed: %w", err)
				}
			}
			changed()
			if err := truth.isCurrent(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "changes of one id may overlap", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			if err := truth.isCurrent(ctx, c); err != nil {
				return err
			}
			firstChanged, secondChanged := c.Changing(ctx, truth.id), c.Changing(ctx, truth.id)
			truth.value.Add(1)
			firstChanged()
			for range 3 { // the second change is still under way
				if err := truth.isCurrent(ctx, c); err != nil {
					secondChanged()
					return fmt.Errorf("after the first of two changes ended: %w", err)
				}
				truth.value.Add(1)
			}
			secondChanged()
			if err := truth.isCurrent(ctx, c); err != nil {
				return fmt.Errorf("after both changes ended: %w", err)
			}
		}
		return nil
	}},
	{Name: "many are changed at once", Run: changeMany},
	{Name: "a change is told although its caller has gone", Run: func(ctx context.Context, g CacheGroup) error {
		truth := newTruth(1)
		for _, before := range []bool{true, false} {
			if err := eventually(ctx, told, func() error { return truth.areCurrent(ctx, g.Instances, "before the change") }); err != nil {
				return err
			}
			leaving, leave := context.WithCancel(ctx)
			if before {
				leave()
			}
			changed := g.Instances[0].Changing(leaving, truth.id)
			truth.value.Add(1)
			leave()
			changed()
			if err := truth.isCurrent(ctx, g.Instances[0]); err != nil {
				return fmt.Errorf("after a change whose context ended (before it: %t): %w", before, err)
			}
			if err := pause(ctx, told); err != nil {
				return err
			}
			if err := truth.areCurrent(ctx, g.Instances, "a second after a change whose context ended"); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a change that came to nothing does no harm", Run: func(ctx context.Context, g CacheGroup) error {
		truth := newTruth(1)
		for _, c := range g.Instances {
			if err := truth.isCurrent(ctx, c); err != nil {
				return err
			}
			c.Changing(ctx, truth.id)()
			if err := truth.isCurrent(ctx, c); err != nil {
				return err
			}
		}
		if err := pause(ctx, told); err != nil {
			return err
		}
		before := truth.loads.Load()
		for range 20 {
			if err := truth.areCurrent(ctx, g.Instances, "after a change that came to nothing"); err != nil {
				return err
			}
		}
		// Short lives may end in between; keeping nothing at all any more would be 20 loads each.
		if n := truth.loads.Load() - before; n > int64(6*len(g.Instances)) {
			return fmt.Errorf("20 fetches on each of %d instances after a change: %d loads: nothing is kept any more", len(g.Instances), n)
		}
		return nil
	}},
	{Name: "readers and writers at once", Run: readersAndWriters},
	{Name: "other instances see a change within a second", Inapplicable: alone, Run: func(ctx context.Context, g CacheGroup) error {
		truth := newTruth(1)
		for i, c := range g.Instances {
			if err := first(truth.areCurrent(ctx, g.Instances, "before the change"), truth.change(ctx, c), pause(ctx, told)); err != nil {
				return err
			}
			if err := truth.areCurrent(ctx, g.Instances, fmt.Sprintf("a second after a change on instance %d", i)); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a load elsewhere that raced a change is not kept", Inapplicable: alone, Run: func(ctx context.Context, g CacheGroup) error {
		for _, early := range []bool{true, false} {
			truth := newTruth(map[bool]byte{true: 1, false: 2}[early])
			release, err := truth.slowLoad(ctx, g.Instances[1])
			if err != nil {
				return err
			}
			if err := truth.change(ctx, g.Instances[0]); err != nil {
				return err
			}
			if early {
				_, err = release()
			}
			if err := first(err, pause(ctx, told), truth.areCurrent(ctx, g.Instances, "a second after a change that raced a load on instance 1")); err != nil {
				_, _ = release()
				return err
			}
			if _, err := release(); err != nil {
				return err
			}
			if err := truth.areCurrent(ctx, g.Instances, "after a load on instance 1 that outlasted a change by a second"); err != nil {
				return err
			}
		}
		return nil
	}},
}

// readersAndWriters lets all instances read and change one id at once: no read on the instance of a change may be
// older than it, and a second later nobody's.
func readersAndWriters(ctx context.Context, g CacheGroup) error {
	truth := newTruth(1)
	truth.delay = 300 * time.Microsecond // so that loads and changes do meet
	stop := time.Now().Add(300 * time.Millisecond)
	errs := together(4*len(g.Instances), func(n int) error {
		c := g.Instances[n/4]
		for time.Now().Before(stop) && ctx.Err() == nil {
			if n%4 == 0 {
				if err := truth.change(ctx, c); err != nil {
					return err
				}
				_ = pause(ctx, time.Millisecond)
				continue
			}
			if _, err := truth.read(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err := first(errs...); err != nil {
		return err
	}
	if err := first(pause(ctx, told), truth.areCurrent(ctx, g.Instances, "a second after many changes")); err != nil {
		return err
	}
	return readYourWrites(ctx, g.Instances[0])
}

// readYourWrites lets one cache be read while it is changed, and demands of every read what was current when it began
// or later.
func readYourWrites(ctx context.Context, c ports.Cache) error {
	truth := newTruth(2)
	truth.delay = 300 * time.Microsecond
	var done atomic.Int64
	stop := time.Now().Add(200 * time.Millisecond)
	return first(together(6, func(n int) error {
		for time.Now().Before(stop) && ctx.Err() == nil {
			if n == 0 {
				if err := truth.change(ctx, c); err != nil {
					return err
				}
				done.Store(truth.value.Load())
				continue
			}
			want := done.Load()
			if got, err := truth.read(ctx, c); err != nil || got < want {
				return fmt.Errorf("a read beside a writer: want %d or later, got %d, %v", want, got, err)
			}
		}
		return nil
	})...)
}

// changeMany changes more ids at once than an implementation would tell a shared store of in one message.
func changeMany(ctx context.Context, g CacheGroup) error {
	truths, ids := make([]*truth, 450), make([][16]byte, 450)
	for i := range truths {
		truths[i] = &truth{id: [16]byte{14: byte(i >> 8), 15: byte(i)}}
		ids[i] = truths[i].id
	}
	current := func(when string, of []ports.Cache) error {
		for _, t := range truths {
			if err := t.areCurrent(ctx, of, when); err != nil {
				return err
			}
		}
		return nil
	}
	if err := current("at first", g.Instances); err != nil {
		return err
	}
	changed := g.Instances[0].Changing(ctx, ids...)
	for _, t := range truths {
		t.value.Add(1)
	}
	during := current("during the change", g.Instances[:1])
	for _, t := range truths {
		t.value.Add(1)
	}
	changed()
	if err := first(during, current("after the change", g.Instances[:1])); err != nil || len(g.Instances) == 1 {
		return err
	}
	return first(pause(ctx, told), current("a second after the change", g.Instances))
}
