package sqlstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestAlike has many ask for few things at once: all get what they asked for, as it was after they had asked.
func TestAlike(t *testing.T) {
	var now, trips atomic.Int64
	a := alike[int64, [2]int64]{lanes: 2, most: 10}
	var callers sync.WaitGroup
	for n := range int64(1000) {
		callers.Go(func() {
			key, before := n%3, now.Add(1)
			answer, err := a.do(t.Context(), key, func(context.Context) ([2]int64, error) {
				trips.Add(1)
				seen := now.Load()
				time.Sleep(time.Millisecond)
				return [2]int64{key, seen}, nil
			})
			if err != nil || answer[0] != key || answer[1] < before {
				t.Errorf("%d at %d is answered with %v, %v", key, before, answer, err)
			}
		})
	}
	callers.Wait()
	if trips.Load() > 500 || trips.Load() < 100 {
		t.Errorf("1000 calls made %d trips", trips.Load())
	}
	if len(a.asked) != 0 {
		t.Errorf("%d keys are kept", len(a.asked))
	}
}

// TestAlikeGivenUp has callers give up, and trips fail: the others are answered, and nothing stays behind.
func TestAlikeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := alike[string, int]{lanes: 1, most: 10}
		slow := func(answer int, err error) func(context.Context) (int, error) {
			return func(context.Context) (int, error) {
				time.Sleep(time.Second)
				return answer, err
			}
		}
		broken := errors.New("broken")
		impatient, giveUp := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer giveUp()
		var callers sync.WaitGroup
		expect := func(ctx context.Context, ask func(context.Context) (int, error), answer int, failure error) {
			callers.Go(func() {
				if got, err := a.do(ctx, "same", ask); got != answer || !errors.Is(err, failure) {
					t.Errorf("got %d, %v instead of %d, %v", got, err, answer, failure)
				}
			})
			synctest.Wait()
		}
		expect(t.Context(), slow(0, broken), 0, broken)
		expect(impatient, slow(1, nil), 0, context.DeadlineExceeded)
		expect(t.Context(), slow(2, nil), 2, nil) // the first of those that share, so its own
		expect(t.Context(), slow(3, nil), 2, nil)
		callers.Wait()
		if len(a.asked) != 0 {
			t.Errorf("%d keys are kept", len(a.asked))
		}
	})
}
