package servers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// The range from which ports are taken lies below the one from which Linux
// takes the ports of outgoing connections: a server that is stopped and started again finds its port free.
const (
	firstPort = 20000
	portCount = 12000
)

// FreePort returns a TCP port of 127.0.0.1 that nothing listens on and that no
// other test process is given before tb ends.
func FreePort(tb testing.TB) int {
	tb.Helper()
	port, lock, err := takePort()
	if err != nil {
		tb.Fatalf("servers: %v", err)
	}
	tb.Cleanup(func() { lock.Close() })
	return port
}

// takePort finds a free port. It is kept from others until the file is closed.
func takePort() (int, *os.File, error) {
	base, err := publicTempDir()
	if err != nil {
		return 0, nil, err
	}
	dir := filepath.Join(base, fmt.Sprintf("templar-test-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, nil, err
	}
	for range 500 {
		port := firstPort + rand.IntN(portCount)
		lock, err := lockFile(context.Background(), filepath.Join(dir, strconv.Itoa(port)), 0)
		if errors.Is(err, context.DeadlineExceeded) {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			return port, lock, listener.Close()
		}
		lock.Close()
		time.Sleep(time.Millisecond)
	}
	return 0, nil, errors.New("no free port found")
}
