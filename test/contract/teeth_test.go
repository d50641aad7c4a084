package contract

import (
	"context"
	"sync"
	"testing"
	"time"
)

// breaker is one way to break an implementation.
type breaker[S any] struct {
	what   string
	breaks func(good S) S
}

// demandTeeth demands that each check passes on what is good, and says so about everything that is broken in its way.
func demandTeeth[S any](t *testing.T, checks []Check[S], good func() S, breakers map[string][]breaker[S]) {
	t.Helper()
	known := map[string]bool{}
	for _, c := range checks {
		known[c.Name] = true
	}
	runEach(t, checks, 16, func(t *testing.T, c Check[S]) {
		try := func(s S) error {
			if c.Inapplicable != nil {
				if why := c.Inapplicable(s); why != "" {
					t.Fatalf("the check does not apply to what it is tried on: %s", why)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), checkTime)
			defer cancel()
			return c.Run(ctx, s)
		}
		if err := try(good()); err != nil {
			t.Errorf("a good implementation is refused: %v", err)
		}
		if len(breakers[c.Name]) == 0 {
			t.Error("nothing shows that this check can fail")
		}
		for _, b := range breakers[c.Name] {
			if err := try(b.breaks(good())); err == nil {
				t.Errorf("not found out: %s", b.what)
			} else {
				t.Logf("%s: %v", b.what, err)
			}
		}
	})
	for name := range breakers {
		if !known[name] {
			t.Errorf("%q is no check", name)
		}
	}
}

// newGap makes the moment between looking and acting, for those who do not do both at once: whoever calls it waits for
// another to come, so that a race is lost for certain and not by chance. It lasts a second at most.
func newGap() func() {
	var mu sync.Mutex
	var waiting chan struct{}
	return func() {
		mu.Lock()
		other := waiting
		if other != nil {
			waiting = nil
			mu.Unlock()
			close(other)
			return
		}
		mine := make(chan struct{})
		waiting = mine
		mu.Unlock()
		select {
		case <-mine:
		case <-time.After(time.Second):
			mu.Lock()
			defer mu.Unlock()
			if waiting == mine {
				waiting = nil
			}
		}
	}
}
