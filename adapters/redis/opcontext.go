package redis

import (
	"context"
	"sync"
	"time"
)

// opContext is the context of one command. It carries the values of the caller's context but not its end, because a
// caller that goes away must not break a trip that others wait for; it ends opTimeout after its first use. A read that
// the copy in this process answers never uses it, and so pays for no clock and no timer.
type opContext struct {
	parent context.Context

	mu    sync.Mutex
	begun time.Time
	done  chan struct{}
	timer *time.Timer
	err   error
}

// begin notes the first use. The caller holds mu.
func (o *opContext) begin() {
	if o.begun.IsZero() {
		o.begun = time.Now()
	}
}

func (o *opContext) Deadline() (time.Time, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin()
	return o.begun.Add(opTimeout), true
}

func (o *opContext) Done() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin()
	if o.done == nil {
		o.done = make(chan struct{})
		o.timer = time.AfterFunc(time.Until(o.begun.Add(opTimeout)), o.expire)
	}
	return o.done
}

func (o *opContext) expire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = context.DeadlineExceeded
		close(o.done)
	}
}

func (o *opContext) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin()
	return o.err
}

func (o *opContext) Value(key any) any { return o.parent.Value(key) }

// end frees the timer and tells when the context was first used; zero when it never was.
func (o *opContext) end() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.timer != nil {
		o.timer.Stop()
	}
	return o.begun
}
