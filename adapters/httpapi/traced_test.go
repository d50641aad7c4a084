package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/ports"
)

// recorder is a Tracer and a Meter that keeps what it was told.
type recorder struct {
	request  ports.TracedRequest
	statuses []int
	failures []string
}

type recorderKey struct{}

func (r *recorder) Begin(ctx context.Context, request ports.TracedRequest) (context.Context, ports.Span) {
	r.request = request
	return context.WithValue(ctx, recorderKey{}, r), r
}

func (r *recorder) TraceID() string { return "the trace" }

func (r *recorder) End(status int, failure string) {
	r.statuses, r.failures = append(r.statuses, status), append(r.failures, failure)
}

func (*recorder) Began()                                   {}
func (*recorder) Ended(string, string, int, time.Duration) {}
func (*recorder) RateLimited()                             {}
func (*recorder) Rendered()                                {}
func (*recorder) AuthFailed(string)                        {}

// TestSpansEnd has every end of a request end its span, once.
func TestSpansEnd(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler echo.HandlerFunc
		status  int
		failure string
		broken  bool
	}{
		{"fine", func(c echo.Context) error { return c.String(200, "fine") }, 200, "", false},
		{"not found", func(echo.Context) error { return fault.New(fault.NotFound, "gone") }, 404, "", false},
		{"unavailable", func(echo.Context) error { return fault.New(fault.Unavailable, "away") }, 503, "unavailable", false},
		{"a bug", func(echo.Context) error { return errors.New("content of a template") }, 500, "internal", false},
		{"panic", func(echo.Context) error { panic("content of a template") }, 500, "panic", false},
		{"broken off", func(c echo.Context) error {
			_ = c.String(200, "half")
			return errors.Join(errBrokenOff, errors.New("content of a template"))
		}, 200, "broken_off", true},
		{"panic after the beginning", func(c echo.Context) error {
			_ = c.String(200, "half")
			panic("content of a template")
		}, 200, "panic", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, logged := &recorder{}, ""
			a := &API{config: Config{Meter: r, Tracer: r, AccessLog: func(a *Access) { logged = a.TraceID }}, documented: map[string]string{"/v1/x/:id": "/v1/x/{id}"}}
			request := httptest.NewRequest("GET", "/v1/x/7?secret", nil)
			context := echo.New().NewContext(request, httptest.NewRecorder())
			context.SetPath("/v1/x/:id")
			func() {
				defer func() {
					if got := recover(); (got == http.ErrAbortHandler) != c.broken {
						t.Errorf("it ends with the panic %v", got)
					}
				}()
				err := a.observe(func(e echo.Context) error {
					if e.Request().Context().Value(recorderKey{}) != r {
						t.Error("the context of the request does not carry the span")
					}
					return c.handler(e)
				})(context)
				if err != nil {
					t.Error(err)
				}
			}()
			if len(r.statuses) != 1 || r.statuses[0] != c.status || r.failures[0] != c.failure {
				t.Errorf("ended with %v %q", r.statuses, r.failures)
			}
			if r.request.Method != "GET" || r.request.Route != "/v1/x/{id}" || r.request.Path != "/v1/x/7" || r.request.Scheme != "http" || r.request.Address != "192.0.2.1" {
				t.Errorf("began with %+v", r.request)
			}
			if logged != "the trace" {
				t.Errorf("the log has the trace %q", logged)
			}
		})
	}
}
