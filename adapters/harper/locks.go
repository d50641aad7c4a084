package harper

import (
	"context"
	"hash/maphash"
	"slices"
)

// stripes is how many locks there are for all ids together. Two ids may share one, which only makes them wait.
const stripes = 256

// places is how many changes run at once.
const places = 64

// locks serialise the writers of this process.
type locks struct {
	seed    maphash.Seed
	stripes [stripes]chan struct{}
	// shared has a place for each change; who takes all of them is alone. turn is for one such at a time.
	shared chan struct{}
	turn   chan struct{}
}

func newLocks() *locks {
	l := &locks{seed: maphash.MakeSeed(), shared: make(chan struct{}, places), turn: make(chan struct{}, 1)}
	for i := range l.stripes {
		l.stripes[i] = make(chan struct{}, 1)
	}
	return l
}

// take waits for the locks of the names, in an order that all keep to.
func (l *locks) take(ctx context.Context, names []string) (release func(), err error) {
	release, err = l.enter(ctx)
	if err != nil {
		return nil, err
	}
	numbers := make([]int, len(names))
	for i, name := range names {
		numbers[i] = int(maphash.String(l.seed, name) % stripes)
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	held := 0
	undo := release
	release = func() {
		for _, n := range numbers[:held] {
			<-l.stripes[n]
		}
		undo()
	}
	for _, n := range numbers {
		select {
		case l.stripes[n] <- struct{}{}:
			held++
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		}
	}
	return release, nil
}

// enter waits until nobody is alone.
func (l *locks) enter(ctx context.Context) (release func(), err error) {
	select {
	case l.shared <- struct{}{}:
		return func() { <-l.shared }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// alone waits until no change runs, and keeps all others from beginning.
func (l *locks) alone(ctx context.Context) (release func(), err error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	held := 0
	release = func() {
		for range held {
			<-l.shared
		}
		<-l.turn
	}
	for held < places {
		select {
		case l.shared <- struct{}{}:
			held++
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		}
	}
	return release, nil
}
