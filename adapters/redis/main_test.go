package redis

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

func TestMain(m *testing.M) {
	// The suites' checks wait most of the time.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(servers.Main(m))
}

// open makes a Client of a server at addr, closed when the test is over.
func open(tb testing.TB, server *servers.RedisServer, addr string, change ...func(*Config)) *Client {
	tb.Helper()
	config := Config{Addrs: []string{addr}, Password: server.Password, CacheBytes: 16 << 20}
	for _, c := range change {
		c(&config)
	}
	client, err := Open(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return client
}

// eventually waits until try is satisfied.
func eventually(tb testing.TB, within time.Duration, try func() error) time.Duration {
	tb.Helper()
	begun := time.Now()
	for {
		err := try()
		if err == nil {
			return time.Since(begun)
		}
		if time.Since(begun) > within {
			tb.Fatalf("still after %v: %v", within, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// isUp complains unless the circuit is as wanted.
func isUp(c *Client, want bool) func() error {
	return func() error {
		if up := c.ready() != nil; up != want {
			return fmt.Errorf("the circuit says up: %t (%v)", up, c.outage.Load().err)
		}
		return nil
	}
}

func answer(text string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}
