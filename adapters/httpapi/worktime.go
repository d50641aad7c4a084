package httpapi

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// requestTimeout bounds the work on one request. The time that a client takes to send its body is bounded by the
	// server and does not count.
	requestTimeout = 5 * time.Second
	// quickBody is how long a body may take without the clock being set anew.
	quickBody = 100 * time.Millisecond
)

// workLimit is the time limit of one request, as its context carries it.
type workLimit struct {
	connection context.Context
	began      time.Time
	cancel     context.CancelFunc
}

const workLimitKey = "work limit"

// beginWork starts the clock.
func beginWork(c echo.Context) *workLimit {
	w := &workLimit{connection: c.Request().Context()}
	w.start(c)
	c.Set(workLimitKey, w)
	return w
}

func (w *workLimit) start(c echo.Context) {
	var ctx context.Context
	w.began = time.Now()
	ctx, w.cancel = context.WithTimeout(valuesOf{w.connection, c.Request().Context()}, requestTimeout)
	c.SetRequest(c.Request().WithContext(ctx))
}

// end lets go of the clock.
func (w *workLimit) end() { w.cancel() }

// restartWork sets the clock anew after a client took its time.
func restartWork(c echo.Context) {
	w, _ := c.Get(workLimitKey).(*workLimit)
	if w != nil && time.Since(w.began) > quickBody {
		w.cancel()
		w.start(c)
	}
}

// valuesOf ends with one context and has the values of another.
type valuesOf struct {
	context.Context
	values context.Context
}

// Value implements context.Context.
func (v valuesOf) Value(key any) any { return v.values.Value(key) }
