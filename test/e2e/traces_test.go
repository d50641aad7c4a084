package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/collector"
	"bitbucket.org/templar/templar/test/servers"
)

// traced is the program itself, run with the settings and nothing else in its environment.
type traced struct {
	service
	cmd   *exec.Cmd
	ended chan struct{}
}

// startTraced builds the program and runs it in a folder of its own, with that `.env`. It is the real process because the
// OpenTelemetry library reads the environment of the process.
func startTraced(t *testing.T, s settings, dotenv string) *traced {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "templar")
	if err := servers.Templar(program); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, ".env"), []byte(dotenv), 0o600); err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(servers.FreePort(t))
	p := &traced{service: service{URL: "http://127.0.0.1:" + port, logs: &syncBuffer{}}, cmd: exec.Command(program, "serve"), ended: make(chan struct{})}
	p.cmd.Dir = folder
	p.cmd.Env = []string{"HOME=" + folder, "HTTP_PORT=" + port, "API_TOKENS=" + token, "SECRET_KEY=a secret key of these tests", "SHUTDOWN_TIMEOUT=4s"}
	for name, value := range s {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = p.logs, p.logs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended stands in ProcessState
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		if t.Failed() {
			t.Logf("the program told:\n%s", p.logs)
		}
	})
	p.waitReady(t, 20*time.Second)
	return p
}

// terminate ends the program as an operator would.
func (p *traced) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		t.Fatal("the program still runs 15 s after SIGTERM")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// trace is the id of the trace in the log line of a request.
func (p *traced) trace(t *testing.T, request string) string {
	t.Helper()
	for line := range strings.Lines(p.logs.String()) {
		var fields struct {
			Request string `json:"request_id"`
			Trace   string `json:"trace_id"`
		}
		if json.Unmarshal([]byte(line), &fields) == nil && fields.Request == request {
			return fields.Trace
		}
	}
	t.Fatalf("the log has no line of the request %s", request)
	return ""
}

func TestTracesOfTheWholeService(t *testing.T) {
	t.Parallel()
	c := collector.New(t)
	redis := servers.Redis(t)
	s := postgresSettings(t)
	for name, value := range redisSettings(redis) {
		s[name] = value
	}
	const key = "6c0a7e4e-1f53-4c8b-9f0e-8a3c1f7b2d10"
	redis.CLI("hset", "sec_apikeys", key, "user: tracer")
	s["OTEL_EXPORTER_OTLP_ENDPOINT"] = c.URL
	s["OTEL_BSP_SCHEDULE_DELAY"] = "600000" // what comes before the end of the test comes by SIGTERM
	s["OTEL_EXPORTER_OTLP_HEADERS"] = "x-tenant=blue"
	p := startTraced(t, s, "OTEL_SERVICE_NAME=templar-of-dotenv\nOTEL_EXPORTER_OTLP_COMPRESSION=gzip\n")

	const words = "content-that-no-span-may-hold"
	const outer, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	made := p.do(t, "POST", "/v1/templates", map[string]any{"name": "traced", "content": words}, asKey(key),
		header{"traceparent", "00-" + outer + "-" + caller + "-01"}, header{"X-Request-ID", "making"}).want(201)
	id := made.object()["templateid"].(string)
	p.do(t, "GET", "/v1/templates/"+id+"?nothing=a-query-that-no-span-may-hold", nil, asKey(key), header{"X-Request-ID", "reading"}).want(200)
	for n := range 10 {
		p.do(t, "GET", "/v1/templates/"+id, nil, asKey(key), header{"X-Request-ID", "cached-" + strconv.Itoa(n)}).want(200)
	}
	p.do(t, "PUT", "/v1/templates/"+id, map[string]any{"name": "traced again", "content": words}, asKey(key), header{"X-Request-ID", "changing"}).want(200)
	p.do(t, "GET", "/v1/templates/"+id, nil, asKey(key), header{"Cache-Control", "no-cache"}, header{"X-Request-ID", "reading-anew"}).want(200)
	p.do(t, "GET", "/v1/templates/"+unknownKey, nil, asKey(key), header{"X-Request-ID", "missing"}).want(404)
	if arrivals := c.Arrivals(); len(arrivals) > 0 {
		t.Errorf("spans came before they were due")
	}
	p.terminate(t)

	all := map[string][]collector.Span{} // by trace
	for _, span := range c.Spans() {
		all[span.TraceID] = append(all[span.TraceID], span)
	}
	// spans of one request: that of the server, and those below it.
	spans := func(request string) (server collector.Span, below []collector.Span) {
		trace := p.trace(t, request)
		for _, span := range all[trace] {
			if span.Kind == "SPAN_KIND_SERVER" {
				server = span
			} else {
				below = append(below, span)
			}
		}
		if server.ID == "" {
			t.Fatalf("%s: the trace %s of the log has no span of the server, among %+v", request, trace, all[trace])
		}
		for _, span := range below {
			if span.Parent != server.ID || span.Kind != "SPAN_KIND_CLIENT" {
				t.Errorf("%s: not below the server's span: %+v", request, span)
			}
		}
		return server, below
	}
	named := func(spans []collector.Span, system, name string) collector.Span {
		t.Helper()
		i := slices.IndexFunc(spans, func(s collector.Span) bool {
			return s.Attributes["db.system.name"] == system && strings.HasPrefix(s.Name, name)
		})
		if i < 0 {
			var names []string
			for _, s := range spans {
				names = append(names, s.Attributes["db.system.name"]+": "+s.Name)
			}
			t.Fatalf("no span %q of %s among %q", name, system, names)
		}
		return spans[i]
	}

	server, below := spans("making")
	if server.Name != "POST /v1/templates" || server.TraceID != outer || server.Parent != caller || server.Attributes["http.response.status_code"] != "201" {
		t.Errorf("got %+v", server)
	}
	if server.Resource["service.name"] != "templar-of-dotenv" {
		t.Errorf("the resource is %v: .env did not reach the library", server.Resource)
	}
	if text := named(below, "postgresql", "INSERT").Attributes["db.query.text"]; !strings.Contains(text, "INSERT INTO templates") || !strings.Contains(text, "$1") {
		t.Errorf("the statement is %q", text)
	}
	named(below, "redis", "redis hmget") // the first use of the key

	server, below = spans("reading")
	if server.Name != "GET /v1/templates/{templateid}" || server.Attributes["http.route"] != "/v1/templates/{templateid}" || server.Attributes["url.path"] != "/v1/templates/"+id || server.Failed {
		t.Errorf("got %+v", server)
	}
	named(below, "postgresql", "SELECT")
	named(below, "redis", "redis get")
	named(below, "redis", "redis lease")
	named(below, "redis", "redis keep")
	if _, below = spans("cached-9"); slices.ContainsFunc(below, func(s collector.Span) bool { return s.Name != "redis take" }) {
		t.Errorf("a read from the copy in the process made trips: %+v", below)
	}
	_, below = spans("changing")
	named(below, "redis", "redis hold")
	named(below, "redis", "redis drop")

	_, below = spans("reading-anew")
	if text := named(below, "postgresql", "SELECT").Attributes["db.query.text"]; !strings.Contains(text, "FROM templates") {
		t.Errorf("the statement is %q", text)
	}
	if server, _ = spans("missing"); server.Attributes["http.response.status_code"] != "404" || server.Failed {
		t.Errorf("got %+v", server)
	}

	roots := 0
	for _, span := range c.Spans() {
		if span.Kind != "SPAN_KIND_SERVER" && span.Parent == "" {
			t.Errorf("work that nobody asked for made a trace: %+v", span)
		}
		if span.Kind == "SPAN_KIND_SERVER" {
			roots++
		}
	}
	if roots < 15 {
		t.Errorf("%d requests were traced", roots)
	}
	for _, a := range c.Arrivals() {
		for _, secret := range []string{words, key, token, "no-span-may-hold", "a secret key", s["DB_PASS"] + "@", "user: tracer"} {
			if bytes.Contains(a.Body, []byte(secret)) {
				t.Errorf("%q was sent to the collector", secret)
			}
		}
		if a.Header.Get("X-Tenant") != "blue" || a.Header.Get("Content-Encoding") != "gzip" || a.Path != "/v1/traces" {
			t.Errorf("sent to %s with %v", a.Path, a.Header)
		}
	}
}

// TestTracesOfFailures has a database go away: the failing statement and the request are marked.
func TestTracesOfFailures(t *testing.T) {
	t.Parallel()
	c := collector.New(t)
	server := servers.NewPostgres(t)
	s := databaseSettings(server.Database(t))
	s["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = c.URL + "/somewhere/else"
	s["OTEL_BSP_SCHEDULE_DELAY"] = "100"
	p := startTraced(t, s, "")
	p.do(t, "GET", "/v1/templates/"+unknownKey, nil).want(404)
	server.Pause()
	failed := p.do(t, "GET", "/v1/templates/"+unknownKey, nil, header{"X-Request-ID", "failing"}).want(503)
	server.Resume()
	p.terminate(t)
	trace := p.trace(t, failed.Header.Get("X-Request-ID"))
	var request, statement bool
	for _, span := range c.Spans() {
		if span.TraceID != trace {
			continue
		}
		switch span.Kind {
		case "SPAN_KIND_SERVER":
			request = span.Failed && span.Attributes["error.type"] == "unavailable" && span.Attributes["http.response.status_code"] == "503"
		case "SPAN_KIND_CLIENT":
			statement = statement || span.Failed && span.Attributes["error.type"] == "timeout"
		}
		if span.Events != 0 || span.Message != "" {
			t.Errorf("an error is told by its text: %+v", span)
		}
	}
	if !request || !statement {
		t.Errorf("marked: the request %v, the statement %v; got %+v", request, statement, c.Spans())
	}
	if a := c.Arrivals(); len(a) == 0 || a[0].Path != "/somewhere/else" {
		t.Errorf("sent elsewhere: %+v", a)
	}
}

// TestTracesToNobody has the service work and end well while its collector is away, and say so in one line.
func TestTracesToNobody(t *testing.T) {
	t.Parallel()
	p := startTraced(t, settings{"DB_ENGINE": "memory", "OTEL_BSP_SCHEDULE_DELAY": "50",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:" + strconv.Itoa(servers.FreePort(t)), "OTEL_EXPORTER_OTLP_HEADERS": "key=hunter2"}, "")
	for range 20 {
		began := time.Now()
		p.do(t, "GET", "/v1/whoami", nil).want(http.StatusOK)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a request took %v", took)
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.terminate(t)
	if n := strings.Count(p.logs.String(), "spans could not be sent"); n != 1 || !strings.Contains(p.logs.String(), `"level":"WARNING"`) || strings.Contains(p.logs.String(), "hunter2") {
		t.Errorf("%d warnings:\n%s", n, p.logs)
	}
}
