package character

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

func TestTurnsOfACharacterComeOneByOne(t *testing.T) {
	t.Parallel()
	var all turns
	one, other := uuid.New(), uuid.New()
	var running sync.WaitGroup
	inside, most := 0, 0 // only who has the turn touches them, which the race detector watches
	for range 50 {
		running.Go(func() {
			done, err := all.take(t.Context(), one)
			if err != nil {
				t.Error(err)
				return
			}
			inside++
			most = max(most, inside)
			inside--
			done()
		})
	}
	running.Wait()
	if most != 1 || len(all.of) != 0 {
		t.Errorf("%d at once, %d queues left", most, len(all.of))
	}

	done, err := all.take(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	if free, err := all.take(t.Context(), other); err != nil {
		t.Errorf("another character waits too: %v", err)
	} else {
		free()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := all.take(ctx, one); !fault.Is(err, fault.Unavailable) {
		t.Errorf("who waited in vain is told %v", err)
	}
	done()
	if len(all.of) != 0 {
		t.Errorf("%d queues left", len(all.of))
	}
}
