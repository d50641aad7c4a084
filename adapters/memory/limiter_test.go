package memory

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// clock is a time that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func drain(l *Limiter, bucket string, rate int) (granted int) {
	for l.Take(context.Background(), bucket, rate).Granted {
		granted++
	}
	return granted
}

func buckets(l *Limiter) (n int) {
	for i := range l.shards {
		n += len(l.shards[i].buckets)
	}
	return n
}

func TestLimiterRefillsByItsClock(t *testing.T) {
	c := newClock()
	l := NewLimiter(c.Now)
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 60}, {time.Second, 1}, {999 * time.Millisecond, 0}, {time.Millisecond, 1}, {-time.Hour, 0}, {time.Hour, 0}, {30 * time.Second, 30}, {time.Hour, 60}} {
		c.pass(step.pass)
		if got := drain(l, "b", 60); got != step.want {
			t.Errorf("after another %v: want %d permits, got %d", step.pass, step.want, got)
		}
	}
	p := l.Take(context.Background(), "b", 60)
	if p.RetryAfter != time.Second || p.Reset != time.Minute || p.Remaining != 0 || p.Limit != 60 {
		t.Errorf("Take from an empty bucket: got %+v", p)
	}
}

func TestLimiterForgetsFullBuckets(t *testing.T) {
	c := newClock()
	l := NewLimiter(c.Now)
	for i := range 5000 {
		l.Take(context.Background(), fmt.Sprint("old ", i), 60)
	}
	c.pass(2 * time.Second)
	for i := range 2000 {
		l.Take(context.Background(), fmt.Sprint("new ", i), 60)
	}
	if n := buckets(l); n > 2500 {
		t.Errorf("5000 buckets that are full again and 2000 others: want about 2000 kept, got %d", n)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	c := newClock()
	l := NewLimiter(c.Now)
	limited := []string{"ann", "bob", "carl"}
	for _, name := range limited {
		if got := drain(l, name, 100); got != 100 {
			t.Fatalf("want 100 permits, got %d", got)
		}
	}
	most := limiterShards * maxBuckets
	for i := range 2 * most {
		l.Take(context.Background(), fmt.Sprint("address ", i), 100)
	}
	if n := buckets(l); n > most {
		t.Errorf("want at most %d buckets, got %d", most, n)
	}
	for _, name := range limited {
		if got := drain(l, name, 100); got != 0 {
			t.Errorf("%s was at the limit and got %d more after others had come from endless addresses", name, got)
		}
	}
}

func BenchmarkLimiterTake(b *testing.B) {
	l := NewLimiter(nil)
	names := make([]string, 64)
	for i := range names {
		names[i] = fmt.Sprint("user ", i)
	}
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			l.Take(context.Background(), names[i%len(names)], 1_000_000)
		}
	})
}
