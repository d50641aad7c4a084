package servers

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// RedisClusterServer is a Redis Cluster of three masters with a replica each. Every node may be stopped, paused and
// killed by itself; a replica takes over about 4 seconds after its master went.
type RedisClusterServer struct {
	Nodes    []*RedisServer
	Password string // of the default user, the same on all nodes

	tb testing.TB
}

// clusterNodes and clusterReplicas are the shape that redis-cli makes a cluster of.
const (
	clusterNodes    = 6
	clusterReplicas = 1
)

// clusterNodeTimeout is how long a node must be silent to be taken for dead, in milliseconds. Much less, and a busy
// machine makes nodes look dead that are not.
const clusterNodeTimeout = 2000

// RedisCluster starts an empty Redis Cluster for this test, ended when the test is over, and returns once every replica
// follows its master. The test fails when that cannot be done.
func RedisCluster(tb testing.TB) *RedisClusterServer {
	tb.Helper()
	c := &RedisClusterServer{tb: tb}
	for range clusterNodes {
		c.Nodes = append(c.Nodes, NewRedis(tb,
			RedisSetting("cluster-enabled", "yes"),
			RedisSetting("cluster-config-file", "nodes.conf"),
			RedisSetting("cluster-node-timeout", strconv.Itoa(clusterNodeTimeout)),
			// Its own port plus 10000 would lie among those of outgoing connections.
			RedisSetting("cluster-port", strconv.Itoa(FreePort(tb))),
			RedisSetting("masterauth", "password"),
			RedisSetting("repl-diskless-sync-delay", "0")))
	}
	c.Password = c.Nodes[0].Password
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	arguments := append([]string{"--cluster", "create"}, c.Addrs()...)
	arguments = append(arguments, "--cluster-replicas", strconv.Itoa(clusterReplicas), "--cluster-yes")
	cmd := exec.CommandContext(ctx, c.Nodes[0].cli, arguments...)
	cmd.Env = append(serverEnvironment(), "REDISCLI_AUTH="+c.Password)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("servers: make a Redis Cluster: %v: %s", err, out[max(0, len(out)-1500):])
	}
	c.AwaitWhole(startWait)
	return c
}

// Addrs returns host and port of every node, with those that do not run.
func (c *RedisClusterServer) Addrs() []string {
	addrs := make([]string, 0, len(c.Nodes))
	for _, n := range c.Nodes {
		addrs = append(addrs, n.Addr())
	}
	return addrs
}

// MasterOf returns the node that serves a key as a master now; nil when there is none that says so.
func (c *RedisClusterServer) MasterOf(key string) *RedisServer {
	c.tb.Helper()
	for _, n := range c.Nodes {
		// A master that has the slot answers; all others point elsewhere, and one that is down says nothing.
		if n.Running() && strings.HasPrefix(n.CLI("ROLE"), "master") && isNumber(n.CLI("EXISTS", key)) {
			return n
		}
	}
	return nil
}

// AwaitWhole waits until every node that is there serves a whole cluster in which every master has a replica that
// follows it. The test fails after the limit.
func (c *RedisClusterServer) AwaitWhole(limit time.Duration) {
	c.tb.Helper()
	c.await(limit, c.notWhole)
}

// AwaitServing waits until all slots are served, by whichever masters, and every node that is there knows. The test
// fails after the limit.
func (c *RedisClusterServer) AwaitServing(limit time.Duration) {
	c.tb.Helper()
	c.await(limit, c.notServing)
}

func (c *RedisClusterServer) await(limit time.Duration, wrong func() string) {
	c.tb.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		why := wrong()
		if why == "" {
			return
		}
		if time.Now().After(end) {
			c.tb.Fatalf("servers: the Redis Cluster is not well after %v: %s", limit, why)
		}
	}
}

// notServing tells what is wrong; "" when nothing is. Every node must see every slot served by one that it can reach.
func (c *RedisClusterServer) notServing() string {
	for _, n := range c.Nodes {
		if !n.Running() {
			continue
		}
		if info := n.CLI("CLUSTER", "INFO"); !has(info, "cluster_state:ok") || !has(info, "cluster_slots_ok:16384") {
			return n.Addr() + ": " + info
		}
	}
	return ""
}

func (c *RedisClusterServer) notWhole() string {
	if why := c.notServing(); why != "" {
		return why
	}
	for _, n := range c.Nodes {
		if !n.Running() {
			return n.Addr() + " does not run"
		}
		info := n.CLI("INFO", "replication")
		switch {
		case has(info, "role:master") && has(info, fmt.Sprintf("connected_slaves:%d", clusterReplicas)):
		case has(info, "role:slave") && has(info, "master_link_status:up"):
		default:
			return n.Addr() + ": " + info
		}
	}
	return ""
}

// has tells whether one of the lines that Redis answered is this one.
func has(info, line string) bool {
	for l := range strings.Lines(info) {
		if strings.TrimSpace(l) == line {
			return true
		}
	}
	return false
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}
