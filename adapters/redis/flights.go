package redis

import (
	"context"
	"sync"
	"time"
)

// joinable is how long after its start a load may still be joined. It bounds how old an answer can be that a caller
// gets from a load which began before it.
const joinable = 250 * time.Millisecond

// flights lets callers that want the same object at the same time share one load. They are never more than there are
// callers.
type flights struct {
	mu   sync.Mutex
	byID map[[16]byte]*flight
}

type flight struct {
	begun time.Time
	done  chan struct{}
	value []byte
	err   error
	// landed is false when the load panicked, or ended with its caller's context: its end tells others nothing.
	landed bool
}

// do joins the load of id that is under way, or begins one.
func (f *flights) do(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	for {
		f.mu.Lock()
		under := f.byID[id]
		if under == nil || time.Since(under.begun) > joinable {
			break
		}
		f.mu.Unlock()
		select {
		case <-under.done:
			if under.landed {
				return under.value, under.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if f.byID == nil {
		f.byID = map[[16]byte]*flight{}
	}
	own := &flight{begun: time.Now(), done: make(chan struct{})}
	f.byID[id] = own
	f.mu.Unlock()

	defer func() {
		f.mu.Lock()
		if f.byID[id] == own {
			delete(f.byID, id)
		}
		f.mu.Unlock()
		close(own.done)
	}()
	own.value, own.err = load(ctx)
	own.landed = own.err == nil || ctx.Err() == nil
	return own.value, own.err
}

// detach sees to it that nobody joins a load of id that is under way.
func (f *flights) detach(id [16]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byID, id)
}
