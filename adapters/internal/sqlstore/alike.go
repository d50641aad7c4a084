package sqlstore

import (
	"context"
	"sync"
)

// alike lets calls that ask for the same share trips to the database: those that come while one is under way wait and
// are all answered by the next, which begins after they did. Calls that ask for something else go their own way. It is
// safe for concurrent use, and keeps nothing of what nobody asks for any more.
type alike[K comparable, A any] struct {
	// lanes is how many trips for the same are under way at the same time; most how many calls share one.
	lanes, most int

	mu    sync.Mutex
	asked map[K]*crowd[A]
}

// crowd are the calls that ask for the same.
type crowd[A any] struct {
	trips gathering[func(context.Context) (A, error), A]
	calls int
}

// do answers with what ask gives: that of this call, or that of another one with the same key. What it gives is shared.
func (a *alike[K, A]) do(ctx context.Context, key K, ask func(context.Context) (A, error)) (A, error) {
	c := a.join(key)
	defer a.leave(key, c)
	return c.trips.do(ctx, ask)
}

func (a *alike[K, A]) join(key K) *crowd[A] {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.asked[key]
	if c == nil {
		if a.asked == nil {
			a.asked = map[K]*crowd[A]{}
		}
		c = &crowd[A]{}
		c.trips.lanes, c.trips.most, c.trips.trip = a.lanes, a.most, askOnce
		a.asked[key] = c
	}
	c.calls++
	return c
}

func (a *alike[K, A]) leave(key K, c *crowd[A]) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.calls--; c.calls == 0 {
		delete(a.asked, key)
	}
}

// askOnce answers calls that ask for the same.
func askOnce[A any](ctx context.Context, asks []func(context.Context) (A, error)) ([]A, error) {
	answer, err := asks[0](ctx)
	if err != nil {
		return nil, err
	}
	answers := make([]A, len(asks))
	for i := range answers {
		answers[i] = answer
	}
	return answers, nil
}
