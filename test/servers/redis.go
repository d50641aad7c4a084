package servers

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// RedisServer is a Redis that one test has for itself. Stop, Start, Kill, Pause
// and Resume act on it.
type RedisServer struct {
	process
	Host     string
	Port     int
	Password string // of the default user

	cli string
}

// RedisOption changes how NewRedis starts its server.
type RedisOption func(map[string]string)

// RedisAppendOnly has every write on disk before it is answered (appendonly yes,
// appendfsync always), so that Kill and Start lose nothing. The default keeps nothing.
func RedisAppendOnly() RedisOption {
	return func(s map[string]string) { s["appendonly"], s["appendfsync"] = "yes", "always" }
}

// RedisMaxMemory bounds the data, in bytes. Past it Redis refuses writes, as its
// maxmemory-policy is noeviction until RedisSetting says otherwise.
func RedisMaxMemory(bytes int64) RedisOption {
	return RedisSetting("maxmemory", strconv.FormatInt(bytes, 10))
}

// RedisSetting sets any setting of redis.conf.
func RedisSetting(name, value string) RedisOption {
	return func(s map[string]string) { s[name] = value }
}

// Redis starts an empty Redis for this test, ended when the test is over. The
// test fails when that cannot be done.
func Redis(tb testing.TB) *RedisServer {
	tb.Helper()
	return NewRedis(tb)
}

// NewRedis is Redis with options.
func NewRedis(tb testing.TB, options ...RedisOption) *RedisServer {
	tb.Helper()
	need(tb)
	var err error
	// Another program may take the port between its choice and its use.
	for range 3 {
		var s *RedisServer
		if s, err = openRedis(tb, options); err == nil {
			tb.Cleanup(func() {
				if err := s.discard(); err != nil {
					tb.Errorf("servers: end Redis: %v", err)
				}
			})
			return s
		}
		if !portTaken(err) {
			break
		}
	}
	tb.Fatalf("servers: Redis: %v", err)
	return nil
}

// Addr returns host and port, as in 127.0.0.1:20123.
func (s *RedisServer) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// CLI runs redis-cli against the server, for at most 10 seconds, and returns
// what it prints without the last line break. An answer that is a Redis error
// is returned like any other; the test fails when there is no answer.
func (s *RedisServer) CLI(args ...string) string {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.cli, append([]string{"-h", s.Host, "-p", strconv.Itoa(s.Port)}, args...)...)
	cmd.Env = append(serverEnvironment(), "REDISCLI_AUTH="+s.Password)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.tb.Errorf("servers: redis-cli %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func openRedis(tb testing.TB, options []RedisOption) (_ *RedisServer, err error) {
	programs, err := findRedis()
	if err != nil {
		return nil, err
	}
	dir, dog, err := newDir("redis")
	if err != nil {
		return nil, err
	}
	port, lock, err := takePort()
	if err != nil {
		return nil, err
	}
	s := &RedisServer{Host: host, Port: port, Password: "password", cli: programs.cli}
	s.process = process{
		tb: tb, dir: dir, dog: dog, port: lock,
		command: programs.server, args: []string{filepath.Join(dir, "redis.conf")},
		orderly: syscall.SIGTERM, immediate: syscall.SIGTERM,
		ready: s.ping,
	}
	settings := map[string]string{
		"bind": s.Host, "port": strconv.Itoa(s.Port), "requirepass": s.Password, "dir": dir,
		"daemonize": "no", "save": "", "appendonly": "no",
	}
	for _, option := range options {
		option(settings)
	}
	var conf strings.Builder
	for name, value := range settings {
		fmt.Fprintf(&conf, "%s %s\n", name, strconv.Quote(value))
	}
	if err = os.WriteFile(s.args[0], []byte(conf.String()), 0o600); err == nil {
		s.mu.Lock()
		err = s.start()
		s.mu.Unlock()
	}
	if err != nil {
		_ = s.discard() // the first error is the one that counts
		return nil, err
	}
	return s, nil
}

// ping asks whether the server answers. It speaks the protocol by hand, so that
// a client's own retries and caches cannot get between.
func (s *RedisServer) ping(ctx context.Context) error {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", s.Password); err != nil {
		return err
	}
	answers := bufio.NewReader(conn)
	for _, want := range []string{"+OK", "+PONG"} {
		got, err := answers.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.TrimSpace(got) != want {
			return fmt.Errorf("answered %q instead of %q", strings.TrimSpace(got), want)
		}
	}
	return nil
}

// portTaken tells whether a server did not start because of its port.
func portTaken(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "address already in use")
}
