package servers_test

import (
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// TestRedisCluster kills a master and sees its replica take over, with what was stored.
func TestRedisCluster(t *testing.T) {
	t.Parallel()
	began := time.Now()
	c := servers.RedisCluster(t)
	t.Logf("started in %v", time.Since(began))
	master := c.MasterOf("a key")
	if master == nil {
		t.Fatal("no node has the key's slot")
	}
	if got := master.CLI("SET", "a key", "value"); got != "OK" {
		t.Fatalf("SET answered %q", got)
	}
	if got := master.CLI("WAIT", "1", "5000"); got != "1" {
		t.Fatalf("WAIT answered %q: no replica follows", got)
	}
	for _, n := range c.Nodes {
		if n == master {
			continue
		}
		if got := n.CLI("SET", "a key", "other"); !strings.Contains(got, "MOVED") {
			t.Errorf("%s took a key of another node: %q", n.Addr(), got)
		}
	}
	master.Kill()
	began = time.Now()
	var heir *servers.RedisServer
	for heir == nil && time.Since(began) < time.Minute {
		heir = c.MasterOf("a key")
	}
	if heir == nil || heir == master {
		t.Fatalf("no replica took over within %v", time.Since(began))
	}
	t.Logf("a replica took over after %v", time.Since(began))
	if got := heir.CLI("GET", "a key"); got != "value" {
		t.Errorf("GET answered %q", got)
	}
	c.AwaitServing(time.Minute)
	master.Start()
	c.AwaitWhole(time.Minute)
	t.Logf("whole again after %v", time.Since(began))
}
