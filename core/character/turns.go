package character

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

// turns lets changes of one character through one after the other, as far as they come to this process. The store's
// compare-and-swap keeps them apart anyway, across processes too; but of many at once it lets one through and sends all
// others back to start again, so that the work grows with the square of their number.
type turns struct {
	mu sync.Mutex
	of map[uuid.UUID]*turn
}

// turn is the queue for one character, there while somebody is in it.
type turn struct {
	taken chan struct{} // holds one entry while a change runs
	users int
}

// take waits for a character's turn, until ctx ends; done gives it to the next.
func (t *turns) take(ctx context.Context, id uuid.UUID) (done func(), err error) {
	t.mu.Lock()
	if t.of == nil {
		t.of = map[uuid.UUID]*turn{}
	}
	queue := t.of[id]
	if queue == nil {
		queue = &turn{taken: make(chan struct{}, 1)}
		t.of[id] = queue
	}
	queue.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if queue.users--; queue.users == 0 {
			delete(t.of, id)
		}
	}
	select {
	case queue.taken <- struct{}{}:
		return func() { <-queue.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "too many others change this character just now; try again")
	}
}
