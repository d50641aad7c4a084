package redis

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/test/servers"
)

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for _, c := range []Config{
		{}, {Addrs: []string{"a:1"}, Mode: "double"}, {Addrs: []string{"a:1"}, Mode: Cluster, DB: 1},
		{Addrs: []string{"a:1"}, Mode: Sentinel}, {Addrs: []string{"a:1"}, DB: -1},
	} {
		if client, err := Open(c); err == nil {
			client.Close()
			t.Errorf("Open(%+v): want an error", c)
		}
	}
}

// states keeps what OnState was told.
type states struct {
	mu   sync.Mutex
	told []string
}

func (s *states) on(up bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, fmt.Sprintf("up %t: %v", up, err))
}

func (s *states) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.told, "\n")
}

func TestAbsentAtStart(t *testing.T) {
	server := servers.Redis(t)
	server.Stop()
	var told states
	begun := time.Now()
	client := open(t, server, server.Addr(), func(c *Config) { c.OnState = told.on })
	if took := time.Since(begun); took > time.Second {
		t.Errorf("Open took %v", took)
	}
	if err := client.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Ping: want Unavailable, got %v", err)
	}
	cache := client.Cache(time.Minute)
	if raw, err := cache.Fetch(t.Context(), [16]byte{1}, answer("text")); err != nil || string(raw) != "text" {
		t.Errorf("Fetch: %q, %v", raw, err)
	}
	server.Start()
	t.Logf("up %v after Redis", eventually(t, 3*time.Second, isUp(client, true)))
	for round := range 3 {
		server.Kill()
		eventually(t, 3*time.Second, isUp(client, false))
		server.Start()
		t.Logf("round %d: up %v after Redis", round, eventually(t, 3*time.Second, isUp(client, true)))
	}
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	eventually(t, time.Second, func() error {
		lines := strings.Split(told.all(), "\n")
		if len(lines) < 2+2*3 || len(lines)%2 != 0 {
			return fmt.Errorf("want at least 4 outages and 4 returns, got:\n%s", told.all())
		}
		for i, line := range lines {
			if strings.HasPrefix(line, "up true: <nil>") != (i%2 == 1) {
				return fmt.Errorf("want away and back in turn, got:\n%s", told.all())
			}
		}
		return nil
	})
}

func TestAnAddressThatSwallowsEverything(t *testing.T) {
	server := servers.Redis(t)
	proxy := servers.Proxy(t, server.Addr())
	proxy.Blackhole()
	begun := time.Now()
	client := open(t, server, proxy.Addr())
	if took := time.Since(begun); took > time.Second {
		t.Errorf("Open took %v", took)
	}
	proxy.Heal()
	t.Logf("up after %v", eventually(t, 3*time.Second, isUp(client, true)))
	proxy.Blackhole()
	t.Logf("noticed after %v", eventually(t, 1500*time.Millisecond, isUp(client, false)))
	proxy.Heal()
	t.Logf("up after %v", eventually(t, 3*time.Second, isUp(client, true)))
	proxy.Blackhole()
	begun = time.Now()
	client.Close()
	if took := time.Since(begun); took > closeTimeout+500*time.Millisecond {
		t.Errorf("Close took %v", took)
	}
	if err := client.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Ping after Close: %v", err)
	}
}

func TestAWrongPassword(t *testing.T) {
	server := servers.Redis(t)
	var told states
	client := open(t, server, server.Addr(), func(c *Config) { c.Password, c.OnState = "not it", told.on })
	eventually(t, time.Second, func() error {
		if all := told.all(); !strings.Contains(all, "WRONGPASS") || strings.Contains(all, "not it") {
			return fmt.Errorf("OnState was told %q", all)
		}
		return nil
	})
	if _, _, err := client.Directory("keys").Lookup(t.Context(), "a"); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("Lookup: %v", err)
	}
	server.CLI("config", "set", "requirepass", "not it")
	server.Password = "not it"
	eventually(t, 3*time.Second, isUp(client, true))
}

func TestUserDatabaseAndNamespace(t *testing.T) {
	server := servers.Redis(t)
	server.CLI("acl", "setuser", "ann", "on", ">secret", "~mine:*", "~sec_apikeys", "+@all", "-flushall")
	var mu sync.Mutex
	seen := map[string]int{}
	client := open(t, server, server.Addr(), func(c *Config) {
		c.Username, c.Password, c.DB, c.Namespace = "ann", "secret", 3, "mine:"
		c.Observe = func(_ context.Context, command string, d time.Duration, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil || d <= 0 {
				t.Errorf("observed %s, %v, %v", command, d, err)
			}
			seen[command]++
		}
	})
	server.CLI("-n", "3", "hset", "sec_apikeys", "key", "user: ann")
	cache, directory := client.Cache(time.Minute), client.Directory("sec_apikeys")
	for range 10 {
		if _, err := cache.Fetch(t.Context(), [16]byte{1}, answer("text")); err != nil {
			t.Fatal(err)
		}
		if v, found, err := directory.Lookup(t.Context(), "key"); v != "user: ann" || !found || err != nil {
			t.Fatal(v, found, err)
		}
	}
	client.Limiter().Take(t.Context(), "ann", 10)
	client.Limiter().Peek(t.Context(), "ann", 10)
	cache.Changing(t.Context(), [16]byte{2})()
	if err := client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	keys := server.CLI("-n", "3", "keys", "*")
	for _, want := range []string{"mine:t:01000000-", "mine:r:ann"} {
		if !strings.Contains(keys, want) {
			t.Errorf("want a key %s in database 3, got %s", want, keys)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for command, want := range map[string]int{"lease": 1, "keep": 1, "hold": 1, "drop": 1, "hmget": 1, "take": 1, "peek": 1, "ping": 1} {
		if seen[command] != want {
			t.Errorf("observed: want %d of %s, got %v", want, command, seen)
		}
	}
	if n := seen["get"]; n < 2 || n > 4 {
		t.Errorf("observed: want 10 reads of one key to make few trips, got %v", seen)
	}
}

func TestADirectoryOfTheWrongType(t *testing.T) {
	server := servers.Redis(t)
	client := open(t, server, server.Addr())
	server.CLI("set", "keys", "a string")
	directory := client.Directory("keys")
	for range 2 {
		if _, _, err := directory.Lookup(t.Context(), "a"); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "WRONGTYPE") {
			t.Errorf("Lookup: %v", err)
		}
	}
	if err := isUp(client, true)(); err != nil {
		t.Error(err)
	}
	server.CLI("del", "keys")
	server.CLI("hset", "keys", "a", "value")
	eventually(t, time.Second, func() error {
		if v, found, err := directory.Lookup(t.Context(), "a"); v != "value" || !found || err != nil {
			return fmt.Errorf("Lookup: %q, %t, %v", v, found, err)
		}
		return nil
	})
}

// everything tries what a Client makes.
func everything(t *testing.T, client *Client) {
	t.Helper()
	cache, limiter := client.Cache(time.Minute), client.Limiter()
	var truth number
	for n := range 200 {
		id := [16]byte{byte(n % 20)}
		changed := cache.Changing(t.Context(), id)
		want := truth.value.Add(1)
		changed()
		for range 2 {
			if got, err := truth.read(t.Context(), cache, id); err != nil || got != want {
				t.Fatalf("Fetch: want %d, got %d, %v", want, got, err)
			}
		}
	}
	granted := 0
	for range 60 {
		if limiter.Take(t.Context(), "ann", 50).Granted {
			granted++
		}
	}
	if granted < 50 || granted > 52 {
		t.Errorf("a bucket of 50 gave %d", granted)
	}
	if _, found, err := client.Directory("keys").Lookup(t.Context(), "a", "b"); found || err != nil {
		t.Errorf("Lookup: %t, %v", found, err)
	}
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if err := isUp(client, true)(); err != nil {
		t.Error(err)
	}
}

func TestCluster(t *testing.T) {
	server := servers.NewRedis(t, servers.RedisSetting("cluster-enabled", "yes"))
	server.CLI("cluster", "addslotsrange", "0", "16383")
	eventually(t, 10*time.Second, func() error {
		if info := server.CLI("cluster", "info"); !strings.Contains(info, "cluster_state:ok") {
			return fmt.Errorf("%s", info)
		}
		return nil
	})
	client := open(t, server, server.Addr(), func(c *Config) { c.Mode = Cluster })
	eventually(t, 3*time.Second, isUp(client, true))
	everything(t, client)
	server.Kill()
	eventually(t, 3*time.Second, isUp(client, false))
	server.Start()
	t.Logf("up after %v", eventually(t, 5*time.Second, isUp(client, true)))
}

func TestSentinel(t *testing.T) {
	server := servers.Redis(t)
	port := servers.FreePort(t)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\nsentinel monitor main %s %d 1\nsentinel auth-pass main %s\n",
		port, server.Host, server.Port, server.Password)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := exec.CommandContext(t.Context(), "redis-server", conf, "--sentinel")
	if err := sentinel.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sentinel.Wait() })
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	client := open(t, server, addr, func(c *Config) { c.Mode, c.Master = Sentinel, "main" })
	eventually(t, 10*time.Second, isUp(client, true))
	everything(t, client)
}
