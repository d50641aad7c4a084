package memory_test

import (
	"context"
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/memory"
)

// TestAJoinedLoadThatIsGivenUp shows that the end of one caller's context does not fail those who wait for its load.
func TestAJoinedLoadThatIsGivenUp(t *testing.T) {
	cache, id := memory.NewCache(time.Minute, 1<<20), [16]byte{1}
	first, giveUp := context.WithCancel(context.Background())
	loading := make(chan struct{})
	go func() {
		_, _ = cache.Fetch(first, id, func(ctx context.Context) ([]byte, error) {
			close(loading)
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond)
			return nil, ctx.Err()
		})
	}()
	<-loading
	go func() {
		time.Sleep(50 * time.Millisecond)
		giveUp()
	}()
	value, err := cache.Fetch(context.Background(), id, func(context.Context) ([]byte, error) { return []byte("mine"), nil })
	if err != nil || string(value) != "mine" {
		t.Errorf("%q, %v", value, err)
	}
}
