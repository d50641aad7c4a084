package memory

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"
)

func cacheID(n int) (id [16]byte) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

func TestCacheKeepsItsBudget(t *testing.T) {
	const budget = 1 << 20
	c := NewCache(time.Minute, budget)
	value := make([]byte, 4000)
	for i := range 2000 {
		if _, err := c.Fetch(t.Context(), cacheID(i), func(context.Context) ([]byte, error) { return value, nil }); err != nil {
			t.Fatal(err)
		}
	}
	c.kept.CleanUp()
	if w := c.kept.WeightedSize(); w > budget || w < budget/2 {
		t.Errorf("8 MB put into a cache of 1 MiB: it holds %d bytes", w)
	}
}

func TestCacheTakesNothingLargerThanItself(t *testing.T) {
	c := NewCache(time.Minute, 1000)
	for range 3 {
		value, err := c.Fetch(t.Context(), cacheID(1), func(context.Context) ([]byte, error) { return make([]byte, 5000), nil })
		if err != nil || len(value) != 5000 {
			t.Fatalf("want 5000 bytes, got %d, %v", len(value), err)
		}
	}
	c.kept.CleanUp()
	if w := c.kept.WeightedSize(); w > 1000 {
		t.Errorf("a cache of 1000 bytes holds %d", w)
	}
}

func TestCacheThatMayKeepNothing(t *testing.T) {
	for _, c := range []*Cache{NewCache(0, 1<<20), NewCache(time.Minute, 0), NewCache(-1, -1)} {
		loads := 0
		for range 3 {
			c.Changing(t.Context(), cacheID(1))()
			if _, err := c.Fetch(t.Context(), cacheID(1), func(context.Context) ([]byte, error) { loads++; return nil, nil }); err != nil {
				t.Fatal(err)
			}
		}
		if loads != 3 {
			t.Errorf("want 3 loads, got %d", loads)
		}
	}
}

// TestCacheDoesNotStarveReaders changes an id during each of its loads: a reader must not wait until the writers rest.
func TestCacheDoesNotStarveReaders(t *testing.T) {
	c := NewCache(time.Minute, 1<<20)
	var loads atomic.Int64
	value, err := c.Fetch(t.Context(), cacheID(1), func(ctx context.Context) ([]byte, error) {
		if loads.Add(1) > 20 {
			t.Error("the fetch loads again and again")
			return nil, context.Canceled
		}
		c.Changing(ctx, cacheID(1))()
		return []byte("value"), nil
	})
	if err != nil || string(value) != "value" {
		t.Fatalf("want the value, got %q, %v", value, err)
	}
	if _, kept := c.kept.GetIfPresent(cacheID(1)); kept {
		t.Error("what raced a change was kept")
	}
}

func TestCacheForgetsChanges(t *testing.T) {
	c := NewCache(time.Minute, 1<<20)
	for i := range 1000 {
		changed := c.Changing(t.Context(), cacheID(i%10))
		changed()
		changed() // more than once is a mistake of the caller, but must not unbalance the count
	}
	if n := len(c.changing); n != 0 || c.underWay.Load() != 0 {
		t.Errorf("after all changes: %d ids and %d changes are still noted", n, c.underWay.Load())
	}
}

func BenchmarkCacheHit(b *testing.B) {
	c := NewCache(time.Hour, 64<<20)
	load := func(context.Context) ([]byte, error) { return make([]byte, 1000), nil }
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := c.Fetch(context.Background(), cacheID(i%1000), load); err != nil {
				b.Error(err)
			}
		}
	})
}
