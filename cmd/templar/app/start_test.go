package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"bitbucket.org/templar/templar/config"
)

// started makes an App on an embedded database of its own.
func started(t *testing.T) *App {
	t.Helper()
	dir := t.TempDir()
	environment := map[string]string{"HTTP_PORT": "0", "API_TOKENS": "st4rt-t0ken", "DATABASE_URL": "sqlite:" + filepath.Join(dir, "t.db")}
	c, err := config.Load(nil, func(name string) (string, bool) { value, ok := environment[name]; return value, ok }, filepath.Join(dir, ".env"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(c, Output{Log: io.Discard, Greeting: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestFirstRequestsWait has a request there before the service runs: it is answered by the service that is ready.
func TestFirstRequestsWait(t *testing.T) {
	a := started(t)
	answered := make(chan error, 1)
	go func() {
		request, _ := http.NewRequestWithContext(t.Context(), "GET", a.URL()+"/v1/templates", nil)
		request.Header.Set("Authorization", "Bearer st4rt-t0ken")
		answer, err := http.DefaultClient.Do(request)
		if err == nil && answer.StatusCode != http.StatusOK {
			err = errors.New(answer.Status)
		}
		answered <- err
	}()
	time.Sleep(100 * time.Millisecond) // the request is in the listener's queue
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	if err := <-answered; err != nil {
		t.Error(err)
	}
	stop()
	if err := errors.Join(<-ended, a.Close()); err != nil {
		t.Error(err)
	}
}

// TestNobodyWaitsForLong has requests refused at once that come later than the first moment, or do not want to wait.
func TestNobodyWaitsForLong(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late := &App{began: time.Now().Add(-firstMoment), prepared: make(chan struct{})}
	young := &App{began: time.Now(), prepared: make(chan struct{})}
	began := time.Now()
	if late.await(t.Context()) == nil || young.await(gone) == nil {
		t.Error("a service that is not ready says that it is")
	}
	if took := time.Since(began); took > firstMoment/2 {
		t.Errorf("it took %v", took)
	}
	if err := young.await(t.Context()); err == nil || time.Since(began) < firstMoment/2 || time.Since(began) > 3*firstMoment {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	close(young.prepared)
	if err := young.await(gone); err != nil {
		t.Error(err)
	}
}
