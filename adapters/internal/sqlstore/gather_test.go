package sqlstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestGathering has many callers at once: each gets its own answer, trips are shared and never more than the lanes.
func TestGathering(t *testing.T) {
	var trips, under, most, widest atomic.Int64
	g := gathering[int, int]{lanes: 2, most: 10, trip: func(_ context.Context, asks []int) ([]int, error) {
		trips.Add(1)
		if n := under.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer under.Add(-1)
		if n := int64(len(asks)); n > widest.Load() {
			widest.Store(n)
		}
		time.Sleep(time.Millisecond)
		answers := make([]int, len(asks))
		for i, ask := range asks {
			answers[i] = 2 * ask
		}
		return answers, nil
	}}
	var callers sync.WaitGroup
	for n := range 1000 {
		callers.Go(func() {
			if answer, err := g.do(t.Context(), n); err != nil || answer != 2*n {
				t.Errorf("%d is answered with %d, %v", n, answer, err)
			}
		})
	}
	callers.Wait()
	if trips.Load() > 500 || trips.Load() < 100 {
		t.Errorf("1000 calls made %d trips", trips.Load())
	}
	if most.Load() > 2 || widest.Load() > 10 {
		t.Errorf("%d trips at once, %d calls in one", most.Load(), widest.Load())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running != 0 || g.waiting != nil {
		t.Errorf("at the end %d run and %d wait", g.running, len(g.waiting))
	}
}

// TestGatheringWeight keeps heavy calls apart.
func TestGatheringWeight(t *testing.T) {
	begin := make(chan struct{})
	var widest atomic.Int64
	g := gathering[int, int]{lanes: 1, most: 100, heavy: 10, weight: func(n int) int { return n }, trip: func(_ context.Context, asks []int) ([]int, error) {
		<-begin
		sum := 0
		for _, ask := range asks {
			sum += ask
		}
		if len(asks) > 1 && int64(sum) > widest.Load() {
			widest.Store(int64(sum))
		}
		return asks, nil
	}}
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() { _, _ = g.do(t.Context(), 3) })
	}
	callers.Go(func() { _, _ = g.do(t.Context(), 50) })
	time.Sleep(10 * time.Millisecond)
	close(begin)
	callers.Wait()
	if widest.Load() != 9 {
		t.Errorf("the heaviest shared trip carries %d", widest.Load())
	}
}

// TestGatheringGivesUp has a caller that goes away while it waits, and a trip that fails: nobody else is hurt.
func TestGatheringGivesUp(t *testing.T) {
	begin, broken := make(chan struct{}), errors.New("broken")
	g := gathering[int, int]{lanes: 1, most: 1, trip: func(_ context.Context, asks []int) ([]int, error) {
		<-begin
		if asks[0] == 9 {
			t.Error("a trip was made for one that went away")
		}
		if asks[0] == 2 {
			return nil, broken
		}
		return asks, nil
	}}
	var callers sync.WaitGroup
	for n := range 5 {
		callers.Go(func() {
			_, err := g.do(t.Context(), n)
			if want := map[bool]error{true: broken}[n == 2]; !errors.Is(err, want) {
				t.Errorf("%d: %v", n, err)
			}
		})
	}
	time.Sleep(10 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := g.do(ctx, 9); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that went away gets %v", err)
	}
	close(begin)
	callers.Wait()
}

// TestSharedTripBelongsToItsFirstCaller has a trip carry the values of the first call's context, and outlive that call.
func TestSharedTripBelongsToItsFirstCaller(t *testing.T) {
	type callerKey struct{}
	begun, release := make(chan struct{}), make(chan struct{})
	var carried, ended any
	g := gathering[int, int]{lanes: 1, most: 10, trip: func(ctx context.Context, asks []int) ([]int, error) {
		if asks[0] == 0 {
			close(begun)
			<-release
			return asks, nil
		}
		carried = ctx.Value(callerKey{})
		<-release
		time.Sleep(20 * time.Millisecond)
		ended = ctx.Err()
		return asks, nil
	}}
	var callers sync.WaitGroup
	callers.Go(func() { _, _ = g.do(t.Context(), 0) })
	<-begun
	waiting := func(n int) {
		for {
			g.mu.Lock()
			there := len(g.waiting)
			g.mu.Unlock()
			if there == n {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
	first, cancel := context.WithCancel(context.WithValue(t.Context(), callerKey{}, "first"))
	callers.Go(func() { _, _ = g.do(first, 1) })
	waiting(1)
	callers.Go(func() {
		if answer, err := g.do(context.WithValue(t.Context(), callerKey{}, "second"), 2); answer != 2 || err != nil {
			t.Errorf("the second is answered with %d, %v", answer, err)
		}
	})
	waiting(2)
	close(release)
	time.Sleep(5 * time.Millisecond)
	cancel()
	callers.Wait()
	if carried != "first" || ended != nil {
		t.Errorf("the trip carried %v and ended with %v", carried, ended)
	}
}
