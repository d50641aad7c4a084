package contract

import (
	"context"
	"fmt"
	"time"
)

var cacheCuts = []CacheCheck{
	{Name: "cut off, fetches and changes go on", Inapplicable: cannotCut, Run: func(ctx context.Context, g CacheGroup) error {
		c, truth := g.Instances[0], newTruth(1)
		if err := truth.isCurrent(ctx, c); err != nil {
			return err
		}
		g.Cut(0)
		defer g.Heal(0)
		for n := range 5 {
			fresh := newTruth(byte(10 + n))
			began := time.Now()
			if err := first(fresh.isCurrent(ctx, c), truth.change(ctx, c), truth.isCurrent(ctx, c), truth.isCurrent(ctx, c)); err != nil {
				return fmt.Errorf("cut off from the store: %w", err)
			}
			if took := time.Since(began); took > 2*prompt {
				return fmt.Errorf("cut off from the store, three fetches and a change took %v", took)
			}
		}
		raced := newTruth(2)
		release, err := raced.slowLoad(ctx, c)
		if err != nil {
			return err
		}
		err = raced.change(ctx, c)
		_, late := release()
		err = first(err, late, raced.isCurrent(ctx, c))
		if err != nil {
			return fmt.Errorf("a load that raced a change, cut off from the store: %w", err)
		}
		return nil
	}},
	{Name: "joined again, no old value comes back", Inapplicable: cannotCut, Run: func(ctx context.Context, g CacheGroup) error {
		c, truth := g.Instances[0], newTruth(1)
		if err := truth.areCurrent(ctx, g.Instances, "at first"); err != nil {
			return err
		}
		g.Cut(0)
		err := first(truth.change(ctx, c), truth.isCurrent(ctx, c))
		g.Heal(0)
		if err != nil {
			return err
		}
		// The store may still hold the old value, and other instances read it: this one must not, however soon it is back.
		for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); {
			if err := first(truth.isCurrent(ctx, c), pause(ctx, 5*time.Millisecond)); err != nil {
				return fmt.Errorf("joined again after a change of its own: %w", err)
			}
		}
		return nil
	}},
	{Name: "joined again, what was changed is told", Inapplicable: cannotCut, Run: func(ctx context.Context, g CacheGroup) error {
		truth := newTruth(1)
		g.Cut(0)
		if _, err := truth.read(ctx, g.Instances[0]); err != nil {
			g.Heal(0)
			return err
		}
		err := first(truth.areCurrent(ctx, g.Instances[1:], "at first"), truth.change(ctx, g.Instances[0]))
		g.Heal(0)
		if err != nil {
			return err
		}
		return eventually(ctx, recovery, func() error { return truth.areCurrent(ctx, g.Instances, "joined again") })
	}},
	{Name: "joined again, changes are told within a second", Inapplicable: cannotCut, Run: func(ctx context.Context, g CacheGroup) error {
		g.Cut(0)
		apart := newTruth(9)
		err := first(apart.change(ctx, g.Instances[0]), apart.isCurrent(ctx, g.Instances[0]))
		g.Heal(0)
		if err != nil {
			return err
		}
		// Give it the time in which a service must have recovered.
		if err := pause(ctx, recovery); err != nil {
			return err
		}
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			if err := first(truth.areCurrent(ctx, g.Instances, "joined again"), truth.change(ctx, c), pause(ctx, told),
				truth.areCurrent(ctx, g.Instances, fmt.Sprintf("joined again, a second after a change on instance %d", i))); err != nil {
				return err
			}
		}
		return nil
	}},
}

// cutOffTTL makes one change on an instance that is cut off, and one elsewhere that it cannot hear of.
func cutOffTTL(ctx context.Context, g CacheGroup) error {
	made, seen := newTruth(1), newTruth(2)
	if err := first(made.areCurrent(ctx, g.Instances, "at first"), seen.areCurrent(ctx, g.Instances, "at first")); err != nil {
		return err
	}
	g.Cut(0)
	defer g.Heal(0)
	last := len(g.Instances) - 1
	if err := first(made.change(ctx, g.Instances[0]), made.isCurrent(ctx, g.Instances[0]), seen.change(ctx, g.Instances[last]), seen.isCurrent(ctx, g.Instances[last])); err != nil {
		return err
	}
	if err := pause(ctx, g.TTL+g.TTL/10+100*time.Millisecond); err != nil {
		return err
	}
	return first(made.areCurrent(ctx, g.Instances, "a time to live after a change by an instance that is cut off"),
		seen.areCurrent(ctx, g.Instances, "a time to live after a change that one could not hear of"))
}

func cannotCut(g CacheGroup) string {
	if g.Cut == nil || g.Heal == nil || len(g.Instances) < 2 {
		return "there is no shared store to be cut off from"
	}
	return ""
}
