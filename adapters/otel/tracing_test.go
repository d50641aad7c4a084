package otel

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/collector"
	"bitbucket.org/templar/templar/test/servers"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// warnings keep what a Tracing warned of.
type warnings struct {
	mu   sync.Mutex
	told []string
}

func (w *warnings) add(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, err.Error())
}

func (w *warnings) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.told...)
}

// open makes a Tracing that sends to endpoint.
func open(t testing.TB, endpoint string) (*Tracing, *warnings) {
	t.Helper()
	w := &warnings{}
	tracing, err := Open(Config{Endpoint: endpoint, Version: "1.2.3", Warn: w.add})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = tracing.Close(ctx) // the tests close by themselves where it matters
	})
	return tracing, w
}

// flushed closes a Tracing and gives what the collector got.
func flushed(t *testing.T, tracing *Tracing, c *collector.Collector) []collector.Span {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := tracing.Close(ctx); err != nil {
		t.Fatal(err)
	}
	return c.Spans()
}

func get(header map[string][]string) ports.TracedRequest {
	return ports.TracedRequest{Method: "GET", Route: "/v1/templates/{id}", Path: "/v1/templates/17", Scheme: "https", Address: "192.0.2.7", Header: header}
}

func check(t *testing.T, span collector.Span, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got, there := span.Attributes[name]; got != value || there == (value == "") {
			t.Errorf("%s of %q: %q is wanted, got %q", name, span.Name, value, got)
		}
	}
}

func TestRequestContinuesATrace(t *testing.T) {
	c := collector.New(t)
	tracing, told := open(t, c.URL)
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	_, span := tracing.Begin(t.Context(), get(http.Header{
		"Traceparent": {"00-" + trace + "-" + parent + "-01"}, "Tracestate": {"a=b"}, "User-Agent": {"curl/8"},
		"Authorization": {"Bearer secret"}, "X-Api-Key": {"secret"}, "Cookie": {"secret"},
	}))
	if span.TraceID() != trace {
		t.Errorf("the trace is %s", span.TraceID())
	}
	span.End(200, "")
	spans := flushed(t, tracing, c)
	if len(spans) != 1 {
		t.Fatalf("one span is wanted, got %+v", spans)
	}
	s := spans[0]
	if s.Name != "GET /v1/templates/{id}" || s.Kind != "SPAN_KIND_SERVER" || s.TraceID != trace || s.Parent != parent || s.Failed || !s.Ended.After(s.Began) {
		t.Errorf("got %+v", s)
	}
	check(t, s, map[string]string{"http.request.method": "GET", "http.route": "/v1/templates/{id}", "url.path": "/v1/templates/17", "url.scheme": "https",
		"http.response.status_code": "200", "client.address": "192.0.2.7", "user_agent.original": "curl/8", "error.type": ""})
	for name, value := range map[string]string{"service.name": "templar", "service.version": "1.2.3", "telemetry.sdk.language": "go"} {
		if s.Resource[name] != value {
			t.Errorf("%s is %q", name, s.Resource[name])
		}
	}
	for _, a := range c.Arrivals() {
		if strings.Contains(string(a.Body), "secret") || a.Path != "/v1/traces" {
			t.Errorf("sent to %s: %q", a.Path, a.Body)
		}
	}
	if len(told.all()) != 0 {
		t.Errorf("warned: %v", told.all())
	}
}

func TestRequestsThatFail(t *testing.T) {
	c := collector.New(t)
	tracing, _ := open(t, c.URL)
	for _, r := range []struct {
		status  int
		failure string
	}{{404, ""}, {429, ""}, {500, "internal"}, {503, ""}, {200, "broken_off"}, {200, "panic"}} {
		_, span := tracing.Begin(t.Context(), get(nil))
		span.End(r.status, r.failure)
	}
	_, odd := tracing.Begin(t.Context(), ports.TracedRequest{Method: "BREW", Path: "/pot"})
	odd.End(405, "")
	spans := flushed(t, tracing, c)
	if len(spans) != 7 {
		t.Fatalf("%d spans", len(spans))
	}
	for i, want := range []string{"", "", "internal", "503", "broken_off", "panic", ""} {
		if spans[i].Failed != (want != "") || spans[i].Message != "" {
			t.Errorf("span %d: failed %v %q", i, spans[i].Failed, spans[i].Message)
		}
		check(t, spans[i], map[string]string{"error.type": want})
	}
	if last := spans[6]; last.Name != "HTTP" {
		t.Errorf("an unknown method is named %q", last.Name)
	}
	check(t, spans[6], map[string]string{"http.request.method": "_OTHER", "http.request.method_original": "BREW", "http.route": ""})
	seen := map[string]bool{}
	for _, s := range spans {
		if s.Parent != "" || seen[s.TraceID] {
			t.Errorf("no trace of its own: %+v", s)
		}
		seen[s.TraceID] = true
	}
}

func TestSampledOutSendsNothing(t *testing.T) {
	for _, c := range []struct {
		name, sampler, argument, traceparent string
		sent                                 bool
	}{
		{"never", "always_off", "", "", false},
		{"a ratio of nothing", "parentbased_traceidratio", "0", "", false},
		{"a ratio of everything", "parentbased_traceidratio", "1", "", true},
		{"the caller wants none", "", "", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false},
		{"the caller wants it", "parentbased_always_off", "", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("OTEL_TRACES_SAMPLER", c.sampler)
			t.Setenv("OTEL_TRACES_SAMPLER_ARG", c.argument)
			server := collector.New(t)
			tracing, _ := open(t, server.URL)
			header := http.Header{}
			if c.traceparent != "" {
				header["Traceparent"] = []string{c.traceparent}
			}
			ctx, span := tracing.Begin(t.Context(), get(header))
			tracing.Trip("redis")(ctx, "get", time.Millisecond, nil)
			if id := span.TraceID(); len(id) != 32 || strings.Trim(id, "0") == "" {
				t.Errorf("the log would have the trace %q", id)
			}
			span.End(500, "internal")
			want := 0
			if c.sent {
				want = 2
			}
			if spans := flushed(t, tracing, server); len(spans) != want || !c.sent && len(server.Arrivals()) != 0 {
				t.Errorf("%d spans are wanted, got %+v", want, spans)
			}
		})
	}
}

func TestTheEnvironment(t *testing.T) {
	c := collector.New(t)
	t.Setenv("OTEL_SERVICE_NAME", "mine")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging,service.name=other")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.URL+"/its/own")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue")
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	t.Setenv("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "10")
	tracing, _ := open(t, "http://192.0.2.1:1")
	_, span := tracing.Begin(t.Context(), get(nil))
	span.End(200, "")
	spans := flushed(t, tracing, c)
	if len(spans) != 1 || spans[0].Resource["service.name"] != "mine" || spans[0].Resource["deployment.environment.name"] != "staging" {
		t.Fatalf("got %+v", spans)
	}
	check(t, spans[0], map[string]string{"url.path": "/v1/templa"})
	a := c.Arrivals()[0]
	if a.Path != "/its/own" || a.Header.Get("X-Tenant") != "blue" || a.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("sent to %s with %v", a.Path, a.Header)
	}
}

func TestBaseURLWithAPathAndLongValues(t *testing.T) {
	c := collector.New(t)
	tracing, _ := open(t, c.URL+"/otel/")
	r := get(http.Header{"User-Agent": {strings.Repeat("x", 100_000)}})
	_, span := tracing.Begin(t.Context(), r)
	span.End(200, "")
	spans := flushed(t, tracing, c)
	if len(spans) != 1 || len(spans[0].Attributes["user_agent.original"]) != longestValue || c.Arrivals()[0].Path != "/otel/v1/traces" {
		t.Errorf("got %d spans at %s", len(spans), c.Arrivals()[0].Path)
	}
}

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		endpoint, traces, disabled, exporter string
		want                                 bool
	}{
		{"", "", "", "", false},
		{"http://a", "", "", "", true},
		{"", "http://a/v1/traces", "", "", true},
		{"http://a", "", "True", "", false},
		{"http://a", "", "false", "otlp", true},
		{"http://a", "http://a", "", "none", false},
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.traces)
		t.Setenv("OTEL_SDK_DISABLED", c.disabled)
		t.Setenv("OTEL_TRACES_EXPORTER", c.exporter)
		if Wanted(c.endpoint) != c.want {
			t.Errorf("%+v", c)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, values := range map[string][]string{
		"OTEL_TRACES_EXPORTER":               {"zipkin", "console"},
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": {"localhost:4318", "grpc://a", "http://u:hunter2@a", "http://a?x", "http://", "::"},
	} {
		for _, value := range values {
			t.Run(name+"="+value, func(t *testing.T) {
				t.Setenv(name, value)
				_, err := Open(Config{Endpoint: "http://localhost:4318"})
				if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// TestOddEnvironment has what cannot be used told once, without the values of headers.
func TestOddEnvironment(t *testing.T) {
	t.Setenv("OTEL_TRACES_SAMPLER", "sometimes")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "hunter2,key=%zzhunter2")
	c := collector.New(t)
	_, told := open(t, c.URL)
	all := strings.Join(told.all(), "\n")
	if !strings.Contains(all, "unsupported sampler: sometimes") || !strings.Contains(all, "header") || strings.Contains(all, "hunter2") || strings.Contains(all, "%zz") {
		t.Errorf("told: %s", all)
	}
}

func TestTripsAreSpansAfterTheFact(t *testing.T) {
	c := collector.New(t)
	tracing, _ := open(t, c.URL)
	trip := tracing.Trip("redis")
	trip(context.Background(), "probe", time.Millisecond, nil) // nobody asked for it
	ctx, span := tracing.Begin(t.Context(), get(nil))
	trip(ctx, "lease", 30*time.Millisecond, nil)
	trip(ctx, "get", time.Millisecond, context.DeadlineExceeded)
	trip(ctx, "take", time.Millisecond, errors.New("quotes a secret"))
	span.End(200, "")
	spans := flushed(t, tracing, c)
	if len(spans) != 4 {
		t.Fatalf("got %+v", spans)
	}
	server := spans[3]
	for i, want := range []struct{ name, failure string }{{"redis lease", ""}, {"redis get", "timeout"}, {"redis take", "_OTHER"}} {
		s := spans[i]
		if s.Name != want.name || s.Kind != "SPAN_KIND_CLIENT" || s.Parent != server.ID || s.TraceID != server.TraceID || s.Failed != (want.failure != "") || s.Events != 0 {
			t.Errorf("got %+v", s)
		}
		check(t, s, map[string]string{"db.system.name": "redis", "db.operation.name": strings.TrimPrefix(want.name, "redis "), "error.type": want.failure})
	}
	if took := spans[0].Ended.Sub(spans[0].Began); took != 30*time.Millisecond {
		t.Errorf("30 ms are told as %v", took)
	}
	if strings.Contains(string(c.Arrivals()[0].Body), "secret") {
		t.Error("the text of an error was sent")
	}
}

// TestSpanIsInTheContext has other libraries' spans become children too.
func TestSpanIsInTheContext(t *testing.T) {
	tracing, _ := open(t, "http://127.0.0.1:1")
	ctx, span := tracing.Begin(t.Context(), get(nil))
	defer span.End(200, "")
	if trace.SpanContextFromContext(ctx).TraceID().String() != span.TraceID() {
		t.Error("the context has another trace")
	}
}
