package httpapi

import (
	"context"
	"errors"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/auth"
)

// work gives a request whose work has a limit, on a connection.
func work(connection context.Context, limit time.Duration) (echo.Context, *workContext) {
	request := httptest.NewRequest("GET", "/", nil).WithContext(connection)
	c := echo.New().NewContext(request, httptest.NewRecorder())
	return c, beginWork(c.Request().Context(), c, time.Now(), limit)
}

func TestWorkEndsAtItsLimit(t *testing.T) {
	_, w := work(t.Context(), 20*time.Millisecond)
	if deadline, bounded := w.Deadline(); !bounded || time.Until(deadline) > 20*time.Millisecond {
		t.Errorf("the deadline is %v, %t", deadline, bounded)
	}
	if err := w.Err(); err != nil {
		t.Errorf("before its limit: %v", err)
	}
	derived, cancel := context.WithCancel(w)
	defer cancel()
	for name, ended := range map[string]context.Context{"the work": w, "what was derived from it": derived} {
		select {
		case <-ended.Done():
		case <-time.After(5 * time.Second):
			t.Fatalf("%s does not end", name)
		}
		if !errors.Is(ended.Err(), context.DeadlineExceeded) {
			t.Errorf("%s ends with %v", name, ended.Err())
		}
	}
	_, unwatched := work(t.Context(), time.Nanosecond)
	if time.Sleep(time.Millisecond); !errors.Is(unwatched.Err(), context.DeadlineExceeded) {
		t.Errorf("nobody waited, and past the limit it says %v", unwatched.Err())
	}
}

func TestWorkEndsWithItsConnectionAndItsRequest(t *testing.T) {
	for _, limit := range []time.Duration{0, time.Hour} {
		connection, cut := context.WithCancel(t.Context())
		_, w := work(connection, limit)
		cut()
		select {
		case <-w.Done():
		case <-time.After(5 * time.Second):
			t.Fatalf("with a limit of %v it outlives its connection", limit)
		}
		if !errors.Is(w.Err(), context.Canceled) {
			t.Errorf("it ends with %v", w.Err())
		}
	}
	_, w := work(t.Context(), time.Hour)
	done := w.Done()
	w.end()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("the end of the request leaves its timer")
	}
	_, late := work(t.Context(), time.Hour)
	late.end()
	if !errors.Is(late.Err(), context.Canceled) {
		t.Errorf("after the request it says %v", late.Err())
	}
	<-late.Done()
}

// TestASlowBodyDoesNotCount sets the clock anew after a body that took its time, and not after a quick one.
func TestASlowBodyDoesNotCount(t *testing.T) {
	c, w := work(t.Context(), time.Minute)
	before, _ := w.Deadline()
	restartWork(c)
	if after, _ := w.Deadline(); !after.Equal(before) {
		t.Error("a quick body sets the clock anew")
	}
	w.began = w.began.Add(-time.Second)
	_ = w.Done()
	restartWork(c)
	if deadline, _ := w.Deadline(); time.Until(deadline) < 59*time.Second || w.Err() != nil {
		t.Errorf("after a slow body there are %v left, %v", time.Until(deadline), w.Err())
	}
}

// TestWorkCarriesItsCaller also holds it to what it is for: contexts made of it cost no goroutine.
func TestWorkCarriesItsCaller(t *testing.T) {
	_, w := work(t.Context(), time.Hour)
	if auth.From(w) != nil {
		t.Error("there is a caller before the guard")
	}
	caller := &auth.Principal{User: "ann"}
	w.admit(caller)
	before := runtime.NumGoroutine()
	for range 100 {
		derived, cancel := context.WithCancel(w)
		defer cancel()
		if auth.From(derived) != caller {
			t.Fatal("the caller is lost")
		}
	}
	if after := runtime.NumGoroutine(); after > before+10 {
		t.Errorf("100 contexts made of it started %d goroutines", after-before)
	}
}
