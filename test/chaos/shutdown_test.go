package chaos

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// slow is a request whose body comes in two parts.
type slow struct {
	conn net.Conn
	rest string
}

// sendHalf sends the head of a creation and half of its body.
func sendHalf(t *testing.T, p *process) *slow {
	t.Helper()
	conn, err := net.DialTimeout("tcp", p.Addr, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	body := `{"name": "slow", "content": "a body that takes its time"}`
	if _, err := fmt.Fprintf(conn, "POST /v1/templates HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		token, len(body), body[:20]); err != nil {
		t.Fatal(err)
	}
	return &slow{conn: conn, rest: body[20:]}
}

// finish sends the rest and gives the answer's status.
func (s *slow) finish() (int, error) {
	if _, err := io.WriteString(s.conn, s.rest); err != nil {
		return 0, err
	}
	return s.answer()
}

// answer waits for the answer, for 10 seconds.
func (s *slow) answer() (int, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(bufio.NewReader(s.conn), nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// TestStop ends the program with a request under way.
func TestStop(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			with := base(t).with(sqliteSettings(dir))
			p := start(t, dir, with)
			request := sendHalf(t, p)
			time.Sleep(100 * time.Millisecond)
			p.signal(t, s)
			p.waitFor(t, "GET", "/readyz", 503, 900*time.Millisecond)
			// Past the moment in which new connections are still taken.
			time.Sleep(1500 * time.Millisecond)
			select {
			case <-p.ended:
				t.Fatal("it did not wait for the request")
			default:
			}
			if status, err := request.finish(); err != nil || status != 201 {
				t.Errorf("the request under way was answered %d, %v", status, err)
			}
			if code := p.exit(t, 3*time.Second); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if n := len(start(t, dir, with).walk(t, "name=slow")); n != 1 {
				t.Errorf("what was answered 201 is there %d times", n)
			}
		})
	}
}

// TestStopTwice ends the program at once with a second signal.
func TestStopTwice(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), base(t).with(settings{"DB_ENGINE": "memory"}))
	sendHalf(t, p)
	time.Sleep(100 * time.Millisecond)
	p.signal(t, syscall.SIGTERM)
	time.Sleep(200 * time.Millisecond)
	select {
	case <-p.ended:
		t.Fatal("it ended with the first signal")
	default:
	}
	p.signal(t, syscall.SIGINT)
	if code := p.exit(t, time.Second); code == 0 {
		t.Error("exit code 0, though a request was cut off")
	}
}

// TestStopIsBounded has a request that never ends.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), base(t).with(settings{"DB_ENGINE": "memory", "SHUTDOWN_TIMEOUT": "1500ms"}))
	sendHalf(t, p)
	time.Sleep(100 * time.Millisecond)
	began := time.Now()
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t, 4*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took < time.Second || took > 2500*time.Millisecond {
		t.Errorf("with SHUTDOWN_TIMEOUT 1.5s it ended after %v", took)
	}
}

// TestStopUnderLoad ends the program while clients write: nothing acknowledged is lost.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	with := base(t).with(sqliteSettings(dir))
	p, l, stop := start(t, dir, with), &ledger{}, make(chan struct{})
	running := l.write(p, 6, stop)
	time.Sleep(500 * time.Millisecond)
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t, 5*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	close(stop)
	running.Wait()
	l.check(t, start(t, dir, with))
}

// TestStopWithoutDatabase ends the program while it waits for its database.
func TestStopWithoutDatabase(t *testing.T) {
	t.Parallel()
	p := launch(t, t.TempDir(), base(t).with(settings{"DB_ENGINE": "pg", "DB_PORT": "1", "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1", "SHUTDOWN_TIMEOUT": "2s"}))
	p.waitFor(t, "GET", "/livez", 200, 5*time.Second)
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t, 4*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
