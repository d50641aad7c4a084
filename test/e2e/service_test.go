// Package e2e runs the whole service on real servers and looks at it from the outside. Every answer is held against
// the OpenAPI document.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/config"
	"bitbucket.org/templar/templar/test/servers"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// settings are the variables that a service is started with.
type settings map[string]string

// token is an API token that every service of these tests takes; it holds every scope.
const token = "e2e-token-3f6c1c52-6d0f-4f0e"

// service is one running instance.
type service struct {
	URL  string
	logs *syncBuffer
	// greeting is what it told on its first start.
	greeting *syncBuffer
	stop     func() error
}

// syncBuffer is a buffer that may be read while it is written.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// start runs an instance on a free port and waits until it is ready.
func start(t *testing.T, s settings) *service {
	t.Helper()
	i := startUnready(t, s)
	i.waitReady(t, 20*time.Second)
	return i
}

// startUnready runs an instance and does not wait.
func startUnready(t *testing.T, s settings) *service {
	t.Helper()
	all := settings{"HTTP_PORT": "0", "API_TOKENS": token, "SECRET_KEY": "a secret key of these tests", "DEFAULT_RATE_LIMIT": "0", "LOG_LEVEL": "DEBUG"}
	maps.Copy(all, s)
	c, err := config.Load(nil, func(name string) (string, bool) { v, ok := all[name]; return v, ok }, "")
	if err != nil {
		t.Fatal(err)
	}
	return run(t, c)
}

// run runs an instance with a configuration and does not wait until it is ready.
func run(t *testing.T, c *config.Config) *service {
	t.Helper()
	i := &service{logs: &syncBuffer{}, greeting: &syncBuffer{}}
	a, err := app.New(c, app.Output{Log: i.logs, Greeting: i.greeting})
	if err != nil {
		t.Fatal(err)
	}
	i.URL = a.URL()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	i.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		if closeErr := a.Close(); err == nil {
			err = closeErr
		}
		return err
	})
	t.Cleanup(func() {
		if err := i.stop(); err != nil {
			t.Errorf("the service did not end well: %v", err)
		}
		if t.Failed() {
			lines := strings.Split(i.logs.String(), "\n")
			t.Logf("last log lines of %s:\n%s", i.URL, strings.Join(lines[max(0, len(lines)-12):], "\n"))
		}
	})
	return i
}

func (i *service) waitReady(t *testing.T, limit time.Duration) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		response, err := http.Get(i.URL + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready after %v\n%s", limit, i.logs.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// engines are the ways in which the service is run, each fresh and empty.
var engines = []struct {
	name string
	open func(t *testing.T) settings
}{
	{"memory", func(*testing.T) settings { return settings{"DB_ENGINE": "memory"} }},
	{"sqlite", func(t *testing.T) settings {
		return settings{"DB_ENGINE": "sqlite", "DATABASE_URL": "sqlite:" + t.TempDir() + "/templar.db"}
	}},
	{"pg", postgresSettings},
	{"pg and redis", func(t *testing.T) settings {
		s := postgresSettings(t)
		maps.Copy(s, redisSettings(servers.Redis(t)))
		return s
	}},
}

func postgresSettings(t *testing.T) settings {
	return databaseSettings(servers.Postgres(t).Database(t))
}

func databaseSettings(d servers.Database) settings {
	return settings{"DB_ENGINE": "pg", "DB_HOST": d.Host, "DB_PORT": strconv.Itoa(d.Port), "DB_USER": d.User,
		"DB_PASS": d.Password, "DB_NAME": d.Name, "DB_SSLMODE": "disable"}
}

func redisSettings(r *servers.RedisServer) settings {
	return settings{"REDIS_HOST": r.Host, "REDIS_PORT": strconv.Itoa(r.Port), "REDIS_PASS": r.Password}
}

// onEveryEngine runs a test on each engine.
func onEveryEngine(t *testing.T, test func(t *testing.T, i *service)) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, engine.open(t)))
		})
	}
}

// answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
	t      *testing.T
	what   string
}

// header is one header line of a request.
type header struct{ name, value string }

// asToken is the credential of most requests.
var asToken = header{"Authorization", "Bearer " + token}

// do sends a request with the token, unless it brings a credential of its own, and holds the answer against the
// OpenAPI document. A body that is no string is sent as JSON.
func (i *service) do(t *testing.T, method, path string, body any, headers ...header) *answer {
	t.Helper()
	var sent []byte
	switch b := body.(type) {
	case nil:
	case string:
		sent = []byte(b)
	default:
		var err error
		if sent, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, i.URL+path, bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	anonymous := false
	for _, h := range headers {
		switch {
		case h.name == "anonymous":
			anonymous = true
		case h.value == "":
			request.Header.Del(h.name)
		default:
			request.Header.Add(h.name, h.value)
		}
	}
	if !anonymous && request.Header.Get("Authorization") == "" && request.Header.Get("X-API-KEY") == "" {
		request.Header.Set(asToken.name, asToken.value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if err := conforms(request, response, received); err != nil {
		t.Errorf("%s %s answered what the OpenAPI document does not have: %v\n%d %s", method, path, err, response.StatusCode, received)
	}
	return &answer{Status: response.StatusCode, Header: response.Header, Body: received, t: t, what: method + " " + path}
}

// anonymous leaves the credential out.
var anonymous = header{name: "anonymous"}

// want ends the test unless the status is the wanted one.
func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%s: %d is wanted, got %d: %s", a.what, status, a.Status, a.Body)
	}
	return a
}

// object is the body as a JSON object.
func (a *answer) object() map[string]any {
	a.t.Helper()
	var o map[string]any
	if err := json.Unmarshal(a.Body, &o); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.Body)
	}
	return o
}

// has ends the test unless the body's field is the value, compared as it prints.
func (a *answer) has(field string, value any) *answer {
	a.t.Helper()
	if got := a.object()[field]; fmt.Sprint(got) != fmt.Sprint(value) {
		a.t.Fatalf("%s: %s is wanted to be %v, is %v", a.what, field, value, got)
	}
	return a
}

// pointers are the places that a 422 names.
func (a *answer) pointers() []string {
	a.t.Helper()
	var problem struct {
		Errors []struct{ Pointer, Detail string }
	}
	if err := json.Unmarshal(a.Body, &problem); err != nil {
		a.t.Fatalf("%s: %v", a.what, err)
	}
	var list []string
	for _, e := range problem.Errors {
		if e.Detail == "" {
			a.t.Errorf("%s: the error at %s has no detail", a.what, e.Pointer)
		}
		list = append(list, e.Pointer)
	}
	return list
}

func (a *answer) headerHas(name, value string) *answer {
	a.t.Helper()
	if got := a.Header.Get(name); got != value {
		a.t.Fatalf("%s: the header %s is wanted to be %q, is %q", a.what, name, value, got)
	}
	return a
}

// create makes a template and gives its id.
func (i *service) create(t *testing.T, name, content string) string {
	t.Helper()
	return i.do(t, "POST", "/v1/templates", map[string]any{"name": name, "content": content}).want(201).object()["templateid"].(string)
}
