package sqlstore

import (
	"context"
	"sync"
	"time"
)

// sharedTrip bounds a trip that several calls share; each of them waits for it no longer than its own context says.
const sharedTrip = 5 * time.Second

// gathering lets calls that come while others are under way share one trip to the database: under load many rows cost
// little more than one, and a commit is shared. A call that comes alone goes at once, by itself.
//
// What a call asks for begins after the call did, so a read never answers what was true before it. Those who wait are
// never more than there are callers: one that has given up is passed over, and nothing is done for it.
type gathering[Q, A any] struct {
	// lanes is how many trips are under way at the same time; most how many calls share one, and weight, which may be
	// nil, what a call adds to the heaviest trip.
	lanes  int
	most   int
	weight func(Q) int
	heavy  int
	// trip answers all calls, or fails for all of them. It is bounded by its context.
	trip func(context.Context, []Q) ([]A, error)

	mu      sync.Mutex
	running int
	waiting []*gathered[Q, A]
}

// gathered is one call.
type gathered[Q, A any] struct {
	ctx    context.Context
	ask    Q
	answer A
	err    error
	done   chan struct{}
}

// do makes the call, alone or with others.
func (g *gathering[Q, A]) do(ctx context.Context, ask Q) (A, error) {
	g.mu.Lock()
	if g.running < g.lanes && len(g.waiting) == 0 {
		g.running++
		g.mu.Unlock()
		defer g.next()
		answers, err := g.trip(ctx, []Q{ask})
		if err != nil {
			var none A
			return none, err
		}
		return answers[0], nil
	}
	call := &gathered[Q, A]{ctx: ctx, ask: ask, done: make(chan struct{})}
	g.waiting = append(g.waiting, call)
	g.mu.Unlock()
	select {
	case <-call.done:
		return call.answer, call.err
	case <-ctx.Done():
		var none A
		return none, ctx.Err()
	}
}

// next gives the lane to those who wait, or back.
func (g *gathering[Q, A]) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	calls := g.take()
	if len(calls) == 0 {
		g.running--
		return
	}
	go func() {
		defer g.next()
		g.share(calls)
	}()
}

// take removes as many calls from those that wait as one trip may carry, and those that nobody waits for any more. The
// caller holds mu.
func (g *gathering[Q, A]) take() []*gathered[Q, A] {
	var calls []*gathered[Q, A]
	load := 0
	for len(g.waiting) > 0 && len(calls) < g.most {
		call := g.waiting[0]
		if call.ctx.Err() == nil {
			if g.weight != nil {
				if load += g.weight(call.ask); len(calls) > 0 && load > g.heavy {
					return calls
				}
			}
			calls = append(calls, call)
		}
		g.waiting[0] = nil
		g.waiting = g.waiting[1:]
	}
	if len(g.waiting) == 0 {
		g.waiting = nil
	}
	return calls
}

// share makes one trip for several calls. It does not end with any of them: the others still want their answers. It
// carries the values of the first one's context, so that in a trace it belongs to that call; the others show no trip.
func (g *gathering[Q, A]) share(calls []*gathered[Q, A]) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(calls[0].ctx), sharedTrip)
	defer cancel()
	asks := make([]Q, len(calls))
	for i, call := range calls {
		asks[i] = call.ask
	}
	answers, err := g.trip(ctx, asks)
	for i, call := range calls {
		if call.err = err; err == nil {
			call.answer = answers[i]
		}
		close(call.done)
	}
}
