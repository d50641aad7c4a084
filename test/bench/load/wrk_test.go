package load

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"bitbucket.org/templar/templar/test/servers"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// seen counts what a server is asked.
type seen struct {
	mu    sync.Mutex
	paths map[string]int
	wrong string // of a request that is not as it was sent
}

func serve(t *testing.T, status int) (*seen, string) {
	t.Helper()
	s := &seen{paths: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.paths[r.URL.Path]++
		body := new(strings.Builder)
		_ = r.Header.Write(body) // a strings.Builder takes everything
		if r.Method != "POST" || r.ContentLength != 7 || r.Header.Get("X-API-KEY") != "key" || r.Header.Get("Content-Type") != "application/json" {
			s.wrong = r.Method + " " + body.String()
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return s, strings.TrimPrefix(server.URL, "http://")
}

// TestRequests sends numbered requests in turn and at random to a real server.
func TestRequests(t *testing.T) {
	wrk := servers.Program(t, "wrk", "wrk")
	for _, c := range []struct {
		numbers int
		inTurn  bool
		want    []string
	}{
		{1, false, []string{"/v-000000000001/000000000001"}},
		{3, true, []string{"/v-000000000001/000000000001", "/v-000000000002/000000000002", "/v-000000000003/000000000003"}},
		{2, false, []string{"/v-000000000001/000000000001", "/v-000000000002/000000000002"}},
	} {
		s, addr := serve(t, 201)
		r := Requests{Wrk: wrk, Address: addr, Text: Request("POST", "/v-%x/%x", `{"a":1}`, "X-API-KEY: key"), Numbers: c.numbers, InTurn: c.inTurn, From: 1, Connections: 2, Seconds: 1}
		result, err := r.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := 0
		for _, path := range c.want {
			if s.paths[path] == 0 {
				t.Errorf("%+v: %s was not asked for, but %v", c, path, s.paths)
			}
			all += s.paths[path]
		}
		total := 0
		for _, n := range s.paths {
			total += n
		}
		if all != total || s.wrong != "" {
			t.Errorf("%+v: other requests came: %v, %s", c, s.paths, s.wrong)
		}
		// A few may be under way at the end.
		if int64(total) < result.Done || int64(total) > result.Done+10 || result.Took <= 0 || result.P99 < result.Median || result.Generator <= 0 {
			t.Errorf("%d requests came, the result is %+v", total, result)
		}
	}
}

// TestRefusals demands that a fast failure is no result.
func TestRefusals(t *testing.T) {
	wrk := servers.Program(t, "wrk", "wrk")
	_, addr := serve(t, 429)
	r := Requests{Wrk: wrk, Address: addr, Text: Request("GET", "/", ""), Connections: 2, Seconds: 1}
	if result, err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "by their status") {
		t.Errorf("answers of 429 are %+v, %v", result, err)
	}
	r.Address = "127.0.0.1:1"
	if result, err := r.Run(t.Context()); err == nil {
		t.Errorf("no server is %+v", result)
	}
}

func TestReadWrk(t *testing.T) {
	if _, err := readWrk([]byte("\nRESULT 10 1000 0 0 0 1 0 5 5\n")); err == nil {
		t.Error("a request without an answer in time is no error")
	}
	if _, err := readWrk([]byte("\nRESULT 0 1000 0 0 0 0 0 5 5\n")); err == nil {
		t.Error("no request at all is no error")
	}
	if r, err := readWrk([]byte("Running\n\nRESULT 500 2000000 0 0 0 0 0 5 7\n")); err != nil || r.PerSecond() != 250 {
		t.Errorf("got %+v, %v", r, err)
	}
}
