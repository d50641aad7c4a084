// Package contract holds one suite for each port of the project. An adapter proves that it keeps a port's promises by
// calling the suite from its own test, against the real thing:
//
//	func TestTemplates(t *testing.T) {
//		contract.TemplateStore(t, contract.TemplateHarness{Open: openEmptyStore})
//	}
//
// A suite is a list of checks. They return errors instead of failing a test, so that this package's own tests can
// feed each of them an implementation that is broken on purpose and demand that it says so.
package contract

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/core/fault"
)

// Check is one promise of a port. S is what it is tried on: a fresh and empty implementation.
type Check[S any] struct {
	// Name says the promise; it is the name of the subtest, and the key of a harness's Lacks.
	Name string
	// Run tries it. The error says what was expected and what came instead.
	Run func(ctx context.Context, s S) error
	// Inapplicable says why s cannot be tried at all, "" when it can; nil for a check that always applies.
	Inapplicable func(s S) string
}

// disturbable is an implementation that knows when something from outside kept it from its work.
type disturbable interface {
	// disturbance says what it was, "" for nothing.
	disturbance() string
}

// disturbed asks what may not be there.
func disturbed(ask func() string) string {
	if ask == nil {
		return ""
	}
	return ask()
}

// mostTries is how often a check is made that was disturbed. The last result counts, whatever came in between.
const mostTries = 4

// checkTime bounds one check, so that an implementation that hangs fails instead of stopping the run.
const checkTime = time.Minute

// sideBySide is how many checks that mostly wait run at once. t.Parallel would run as many as there are cores, which
// is too few for waiting and leaves the suite slow on small machines.
const sideBySide = 6

// runChecks runs each check on what open gives; parallel is for checks that mostly wait.
func runChecks[S any](t *testing.T, checks []Check[S], lacks map[string]string, parallel bool, open func(*testing.T) S) {
	t.Helper()
	known := map[string]bool{}
	for _, c := range checks {
		known[c.Name] = true
	}
	for name := range lacks {
		if !known[name] {
			t.Errorf("Lacks names %q, which is no check", name)
		}
	}
	atOnce := 1
	if parallel {
		atOnce = sideBySide
	}
	runEach(t, checks, atOnce, func(t *testing.T, c Check[S]) {
		if why := lacks[c.Name]; why != "" {
			t.Logf("not promised here: %s", why)
			return
		}
		for try := 1; ; try++ {
			s := open(t)
			if c.Inapplicable != nil {
				if why := c.Inapplicable(s); why != "" {
					t.Logf("does not apply: %s", why)
					return
				}
			}
			err := runCheck(t, c, s)
			if err == nil {
				return
			}
			if d, ok := any(s).(disturbable); ok && try < mostTries && d.disturbance() != "" {
				t.Logf("try %d was disturbed (%s): %v", try, d.disturbance(), err)
				continue
			}
			t.Error(err)
			return
		}
	})
}

func runCheck[S any](t *testing.T, c Check[S], s S) error {
	ctx, cancel := context.WithTimeout(t.Context(), checkTime)
	defer cancel()
	return c.Run(ctx, s)
}

// runEach makes a subtest of each check, so many at once.
func runEach[S any](t *testing.T, checks []Check[S], atOnce int, run func(t *testing.T, c Check[S])) {
	t.Helper()
	places := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for _, c := range checks {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			t.Run(c.Name, func(t *testing.T) { run(t, c) })
		})
	}
	wg.Wait()
}

// wantKind complains unless err is a fault of the kind.
func wantKind(what string, err error, kind fault.Kind) error {
	if !fault.Is(err, kind) {
		return fmt.Errorf("%s: want a fault of the kind %q, got %v", what, kind, err)
	}
	return nil
}

// wantErr complains unless one of the errors wanted is in the chain of err.
func wantErr(what string, err error, wanted ...error) error {
	for _, w := range wanted {
		if errors.Is(err, w) {
			return nil
		}
	}
	return fmt.Errorf("%s: want %v, got %v", what, wanted, err)
}

// sameTime complains unless got is want, in UTC and to the microsecond.
func sameTime(what string, got, want time.Time) error {
	if !got.Equal(want) || got.IsZero() != want.IsZero() {
		return fmt.Errorf("%s: want %v, got %v", what, want, got)
	}
	if got.Location() != time.UTC {
		return fmt.Errorf("%s: want UTC, got the zone %v", what, got.Location())
	}
	return nil
}

// together runs n calls at once, as near as goroutines get, and answers their errors in order.
func together(n int, call func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// winners splits the outcome of a race: how many won, and the first loser whose error is none of those allowed.
func winners(errs []error, allowed ...error) (won int, bad error) {
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		if bad == nil {
			bad = wantErr("a loser of the race", err, allowed...)
		}
	}
	return won, bad
}

// eventually tries until try is satisfied, at most for the time within, and answers its last complaint.
func eventually(ctx context.Context, within time.Duration, try func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("still after %v: %w", within, err)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// pause sleeps for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shorten makes a value fit into a message.
func shorten(text string) string {
	const most = 60
	if len(text) <= most {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q... (%d bytes)", text[:most], len(text))
}
