package httpapi

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// pair is a connection that Listener gave, and its other end.
func pair(t *testing.T) (served, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if served, err = Listener(l).Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { served.Close(); client.Close() })
	return served, client
}

// endsAfter demands that a call meets its deadline after at least that long, and not much later.
func endsAfter(t *testing.T, what string, least time.Duration, call func() error) {
	t.Helper()
	began := time.Now()
	err := call()
	if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took < least-5*time.Millisecond || took > least+5*time.Second {
		t.Errorf("%s ended after %v with %v; its deadline was after %v", what, took, err, least)
	}
}

func TestDeadlinesMove(t *testing.T) {
	const long = 200 * time.Millisecond
	served, client := pair(t)
	one := make([]byte, 1)
	read := func() error { _, err := served.Read(one); return err }
	set := func(t *testing.T, at time.Time) {
		t.Helper()
		if err := served.SetReadDeadline(at); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		name string
		set  func(now time.Time) // before the call
		ends time.Duration
	}{
		{"set once", func(now time.Time) { set(t, now.Add(long)) }, long},
		{"put off", func(now time.Time) { set(t, now.Add(long/4)); set(t, now.Add(long)) }, long},
		{"brought near", func(now time.Time) { set(t, now.Add(time.Hour)); set(t, now.Add(long)) }, long},
		{"taken away and set", func(now time.Time) { set(t, now.Add(long/4)); set(t, time.Time{}); set(t, now.Add(long)) }, long},
		{"past, then set", func(now time.Time) { set(t, time.Unix(1, 0)); set(t, now.Add(long)) }, long},
		{"set, past, put off", func(now time.Time) {
			set(t, now.Add(long/4))
			set(t, time.Unix(1, 0))
			set(t, time.Time{})
			set(t, now.Add(long))
		}, long},
		{"past", func(time.Time) { set(t, time.Unix(1, 0)) }, 0},
		{"just now", func(now time.Time) { set(t, now) }, 0},
		{"met long ago, put off", func(now time.Time) { time.Sleep(20 * time.Millisecond); set(t, time.Now().Add(long)) }, long},
	} {
		row.set(time.Now())
		endsAfter(t, row.name, row.ends, read)
	}
	// Without one it waits for as long as it takes.
	set(t, time.Now().Add(long/4))
	set(t, time.Time{})
	time.AfterFunc(long, func() { _, _ = client.Write([]byte("x")) })
	if err := read(); err != nil {
		t.Error(err)
	}
	// What is under way ends, too.
	set(t, time.Now().Add(time.Hour))
	time.AfterFunc(long, func() { _ = served.SetReadDeadline(time.Now()) })
	endsAfter(t, "ended while it reads", long, read)
	set(t, time.Now().Add(time.Hour))
	time.AfterFunc(long, func() { _ = served.SetReadDeadline(time.Unix(1, 0)) })
	endsAfter(t, "cut while it reads", long, read)
}

// TestWritesGoOn has a deadline put off while a write is under way that fills all buffers: nothing of it is lost or sent
// twice.
func TestWritesGoOn(t *testing.T) {
	served, client := pair(t)
	if err := served.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := served.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("0123456789abcdef", 1<<20)
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(served, text)
		sent <- errors.Join(err, served.Close())
	}()
	time.Sleep(200 * time.Millisecond)
	got, err := io.ReadAll(client)
	if err = errors.Join(err, <-sent); err != nil || string(got) != text {
		t.Errorf("%d of %d bytes came: %v", len(got), len(text), err)
	}

	served, _ = pair(t)
	if err := served.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	endsAfter(t, "a write that nobody reads", 100*time.Millisecond, func() error { _, err := io.WriteString(served, text); return err })
}

// TestServerTimeouts has a server on such connections end those that are too slow, and no others.
func TestServerTimeouts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, ReadTimeout: 2 * time.Second, IdleTimeout: 3 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })}
	defer server.Close()
	go func() { _ = server.Serve(Listener(l)) }()
	const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, row := range []struct {
		name, text string
		ends       time.Duration
	}{
		{"half a header", "GET / HTTP/1.1\r\nHo", time.Second},
		{"half a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345", 2 * time.Second},
		{"idle", get, 3 * time.Second},
	} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		answers := bufio.NewReader(c)
		for range 20 { // so that deadlines have been put off many times
			if _, err := io.WriteString(c, get); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(answers, nil)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%s: %v", row.name, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		began := time.Now()
		if _, err := io.WriteString(c, row.text); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = io.Copy(io.Discard, answers)
		if took := time.Since(began); err != nil || took < row.ends-10*time.Millisecond {
			t.Errorf("%s: the connection ended after %v with %v; it had %v", row.name, took, err, row.ends)
		}
		c.Close()
	}
}
