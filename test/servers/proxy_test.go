package servers_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// line is a connection to a Redis that asks and reads one line at a time.
type line struct {
	net.Conn
	answers *bufio.Reader
}

func dial(t *testing.T, addr string) *line {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &line{conn, bufio.NewReader(conn)}
}

func (l *line) ask(wait time.Duration) (string, error) {
	if err := l.SetDeadline(time.Now().Add(wait)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprint(l, "AUTH password\r\n"); err != nil {
		return "", err
	}
	return l.answers.ReadString('\n')
}

func TestProxy(t *testing.T) {
	t.Parallel()
	redis := servers.Redis(t)
	proxy := servers.Proxy(t, redis.Addr())
	mustAnswer := func(l *line) {
		t.Helper()
		if got, err := l.ask(5 * time.Second); err != nil || got != "+OK\r\n" {
			t.Fatalf("answered %q, %v", got, err)
		}
	}
	first := dial(t, proxy.Addr())
	mustAnswer(first)

	proxy.Latency(150 * time.Millisecond)
	begin := time.Now()
	mustAnswer(first)
	if took := time.Since(begin); took < 150*time.Millisecond || took > 3*time.Second {
		t.Errorf("with latency an answer took %v", took)
	}
	proxy.Latency(time.Millisecond)
	proxy.Heal()
	begin = time.Now()
	mustAnswer(first)
	if took := time.Since(begin); took > 100*time.Millisecond {
		t.Errorf("healed, an answer took %v", took)
	}

	proxy.Blackhole()
	proxy.Blackhole() // twice is once
	for name, l := range map[string]*line{"old": first, "new": dial(t, proxy.Addr())} {
		if got, err := l.ask(200 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("in a black hole the %s connection answered %q, %v", name, got, err)
		}
	}
	proxy.Heal()
	second := dial(t, proxy.Addr())
	mustAnswer(second)

	for range 2 {
		proxy.Cut()
		if got, err := second.ask(5 * time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a cut connection answered %q, %v", got, err)
		}
		if _, err := net.DialTimeout("tcp", proxy.Addr(), time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a cut proxy was dialled: %v", err)
		}
		proxy.Heal()
		second = dial(t, proxy.Addr())
		mustAnswer(second)
	}
}

func TestFreePort(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 50 {
		port := servers.FreePort(t)
		if seen[port] {
			t.Fatalf("port %d was given twice", port)
		}
		seen[port] = true
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
