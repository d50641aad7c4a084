package httpapi

import (
	"context"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/auth"
)

const (
	// requestTimeout bounds the work on one request. The time that a client takes to send its body is bounded by the
	// server and does not count.
	requestTimeout = 5 * time.Second
	// quickBody is how long a body may take without the clock being set anew.
	quickBody = 100 * time.Millisecond
)

// workContext is the context of one request: it ends with the connection or, where the work has a limit, that long
// after the clock began, and carries the caller. It makes its timer for the first one who waits for its end: most
// requests are answered from memory and need none.
type workContext struct {
	connection context.Context
	caller     *auth.Principal // set by the guard; nil before

	// access is the line of the log about the request, and single the values of headers of its answer: here they need no
	// memory of their own.
	access  Access
	single  [6]string
	singles int

	mu       sync.Mutex
	began    time.Time
	limit    time.Duration   // 0 is none
	timer    context.Context // nil until somebody waits
	stop     context.CancelFunc
	finished bool
}

// beginWork gives the request its context, made of that of its connection; limit 0 is no limit but the connection's.
func beginWork(connection context.Context, c echo.Context, began time.Time, limit time.Duration) *workContext {
	w := &workContext{connection: connection, began: began, limit: limit}
	c.SetRequest(c.Request().WithContext(w))
	return w
}

// one gives the values of a header that has one.
func (w *workContext) one(value string) []string {
	if w == nil || w.singles == len(w.single) {
		return []string{value}
	}
	w.single[w.singles] = value
	w.singles++
	return w.single[w.singles-1 : w.singles : w.singles]
}

// workOf finds the context that beginWork gave the request; nil for a request that has another one by now.
func workOf(c echo.Context) *workContext {
	w, _ := c.Request().Context().(*workContext)
	return w
}

// admit makes the caller known to what comes behind the guard.
func (w *workContext) admit(caller *auth.Principal) { w.caller = caller }

// end lets go of the clock.
func (w *workContext) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finished = true
	if w.stop != nil {
		w.stop()
	}
}

// restartWork sets the clock anew after a client took its time.
func restartWork(c echo.Context) {
	w := workOf(c)
	if w == nil || w.limit == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.began) > quickBody {
		if w.stop != nil {
			w.stop()
		}
		w.began, w.timer, w.stop = now, nil, nil
	}
}

// Deadline implements context.Context.
func (w *workContext) Deadline() (time.Time, bool) {
	if w.limit == 0 {
		return w.connection.Deadline()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.began.Add(w.limit), true
}

// Done implements context.Context.
func (w *workContext) Done() <-chan struct{} { return w.clock().Done() }

// clock is the context that ends when the work must.
func (w *workContext) clock() context.Context {
	if w.limit == 0 {
		return w.connection
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		w.timer, w.stop = context.WithDeadline(w.connection, w.began.Add(w.limit))
		if w.finished {
			w.stop()
		}
	}
	return w.timer
}

// Err implements context.Context.
func (w *workContext) Err() error {
	w.mu.Lock()
	timer, began, finished := w.timer, w.began, w.finished
	w.mu.Unlock()
	switch {
	case timer != nil:
		return timer.Err()
	case finished && w.limit > 0:
		return context.Canceled
	case w.limit > 0 && time.Since(began) >= w.limit:
		return context.DeadlineExceeded
	}
	return w.connection.Err()
}

// Value implements context.Context. Contexts made of this one find the clock by it, and need no goroutine to follow it.
func (w *workContext) Value(key any) any {
	if w.caller != nil && auth.IsKey(key) {
		return w.caller
	}
	w.mu.Lock()
	timer := w.timer
	w.mu.Unlock()
	if timer != nil {
		return timer.Value(key)
	}
	return w.connection.Value(key)
}
