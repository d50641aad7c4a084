package chaos

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// dial opens a connection that is closed when the test is over.
func dial(t *testing.T, p *process) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", p.Addr, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// head is the head of a creation with one more line.
func head(line string) string {
	return "POST /v1/templates HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\n" + line + "\r\n\r\n"
}

// statusOf reads answers until the connection's end and gives the last status; 0 when it was closed without one, -1
// when it is still open after limit.
func statusOf(conn net.Conn, limit time.Duration) int { return readStatus(conn, limit, false) }

// readStatus is statusOf, or gives the first status at once.
func readStatus(conn net.Conn, limit time.Duration, first bool) int {
	if err := conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return -1
	}
	reader, status := bufio.NewReader(conn), 0
	for {
		response, err := http.ReadResponse(reader, nil)
		if e, ok := err.(net.Error); ok && e.Timeout() {
			return -1
		}
		if err != nil {
			return status
		}
		status = response.StatusCode
		if _, err := io.Copy(io.Discard, response.Body); err != nil || first {
			return status
		}
	}
}

// gauges are what a process holds.
type gauges struct{ goroutines, files float64 }

func gaugesOf(t *testing.T, p *process) gauges {
	t.Helper()
	return gauges{p.metric(t, "go_goroutines"), p.metric(t, "process_open_fds")}
}

// waitCalm waits until a process holds about as much as before.
func waitCalm(t *testing.T, p *process, before gauges, limit time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		now := gaugesOf(t, p)
		if now.goroutines <= before.goroutines+10 && now.files <= before.files+5 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it held %+v before and holds %+v now", before, now)
		}
	}
}

// served demands that others are served while something is going on, soon.
func served(t *testing.T, p *process, path string) {
	t.Helper()
	for range 20 {
		if a := p.want(t, 200, "GET", path, nil); a.Took > time.Second {
			t.Errorf("another client waited %v", a.Took)
		}
	}
}

// TestBadClients has clients that are slow, that lie, and that go away.
func TestBadClients(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), base(t).with(sqliteSettings(t.TempDir())))
	path := p.create(t, "a template")
	before := gaugesOf(t, p)

	var running sync.WaitGroup
	// 200 that say nothing, 50 that dribble their headers: cut off after 5 seconds.
	for range 200 {
		conn := dial(t, p)
		running.Go(func() {
			if status := statusOf(conn, 9*time.Second); status == -1 {
				t.Error("a connection on which nothing came is still open after 9 s")
			}
		})
	}
	for range 50 {
		conn := dial(t, p)
		if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			began := time.Now()
			for time.Since(began) < 9*time.Second {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
				if err := conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
					return
				}
				if _, err := conn.Read(make([]byte, 1024)); err == io.EOF {
					return
				}
			}
			t.Error("a client that dribbles its headers is still connected after 9 s")
		})
	}
	// Bodies that end too soon.
	for range 20 {
		conn := dial(t, p)
		if _, err := io.WriteString(conn, head("Content-Length: 100000")+`{"name": "half`); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if status := statusOf(conn, 5*time.Second); status != 400 && status != 0 {
				t.Errorf("a body that ends too soon was answered %d", status)
			}
		})
	}
	// Clients that go away in the middle.
	for range 50 {
		conn := dial(t, p)
		if _, err := io.WriteString(conn, head("Content-Length: 100000")+`{"name": "half`); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	if now := gaugesOf(t, p); now.files < before.files+200 {
		t.Errorf("with 270 connections open it holds %+v, so nothing is measured", now)
	}
	served(t, p, path)
	p.want(t, 201, "POST", "/v1/templates", object{Name: "meanwhile"}.draft())
	running.Wait()
	waitCalm(t, p, before, 5*time.Second)
	if n := len(p.walk(t, "name_prefix=half")); n != 0 {
		t.Errorf("%d halves were stored", n)
	}
}

// TestMalformedRequests sends what is no HTTP, or no body: each gets a clear answer, at once.
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), base(t).with(settings{"DB_ENGINE": "memory"}))
	good := `{"name": "n"}`
	for name, r := range map[string]struct {
		sent string
		want int
	}{
		"no body":               {head("Content-Length: 0"), 400},
		"no length at all":      {head("X-Nothing: here"), 400},
		"a chunk of garbage":    {head("Transfer-Encoding: chunked") + "zz\r\n" + good + "\r\n0\r\n\r\n", 400},
		"a chunk too short":     {head("Transfer-Encoding: chunked") + "ffff\r\n" + good + "\r\n0\r\n\r\n", 400},
		"chunks":                {head("Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good), 201},
		"a negative length":     {head("Content-Length: -5"), 400},
		"two lengths":           {head("Content-Length: 13\r\nContent-Length: 14") + good, 400},
		"an announced gigabyte": {head("Content-Length: 1073741824") + good, 413},
		"no HTTP":               {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", 400},
		"no host":               {"GET /livez HTTP/1.1\r\n\r\n", 400},
		"a huge header":         {head("X-Huge: " + strings.Repeat("x", 2<<20)), 431},
		"10,000 headers":        {head(strings.TrimSuffix(strings.Repeat("X-Many: y\r\n", 10_000), "\r\n")), 431},
		"a long path":           {"GET /v1/templates/" + strings.Repeat("x", 100_000) + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n\r\n", 400},
		"another transfer":      {head("Transfer-Encoding: gzip") + good, 501},
		"a method of its own":   {"BREW /v1/templates HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n\r\n", 405},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, p)
			go func() {
				// It may have answered before everything was sent.
				_, _ = io.WriteString(conn, r.sent)
				if r.want != 201 {
					// What ends too soon ends here. To Go's server this is a client that has gone.
					_ = conn.(*net.TCPConn).CloseWrite()
				}
			}()
			if status := readStatus(conn, 5*time.Second, r.want == 201); status != r.want {
				t.Errorf("answered %d, %d is wanted", status, r.want)
			}
		})
	}
}

// TestSlowBody sends a body over seconds: longer than any work on a request may take, and within what a whole request may.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]settings{"memory": {"DB_ENGINE": "memory"}, "sqlite": sqliteSettings(t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, t.TempDir(), base(t).with(engine))
			request := sendHalf(t, p)
			time.Sleep(7 * time.Second)
			if status, err := request.finish(); err != nil || status != 201 {
				t.Errorf("a body that took 7 s was answered %d, %v", status, err)
			}
		})
	}
}

// TestEndlessBody sends a body that never ends: it is cut off at the end of the time for a whole request.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), base(t).with(settings{"DB_ENGINE": "memory"}))
	before := gaugesOf(t, p)
	conn := dial(t, p)
	if _, err := io.WriteString(conn, head("Content-Length: 100000")+`{"name": "`); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(500 * time.Millisecond):
				_, _ = io.WriteString(conn, "x") // until it is cut off
			}
		}
	}()
	if status := statusOf(conn, 36*time.Second); status != 400 && status != 0 && status != 408 {
		t.Errorf("a body without an end was answered %d (-1: it is still open)", status)
	}
	close(stop)
	waitCalm(t, p, before, 5*time.Second)
}
