package servers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// PatroniServer is a PostgreSQL of several nodes that Patroni keeps over one etcd: one takes writes, the others follow
// it, one of them synchronously, so that no commit is acknowledged that only the primary has. When the primary dies, the
// synchronous one takes over after some 10 to 15 seconds.
type PatroniServer struct {
	Nodes    []*PatroniNode
	User     string // a superuser
	Password string

	tb        testing.TB
	databases atomic.Int64
}

// PatroniNode is one PostgreSQL with its Patroni. Stop, Start, Kill, Pause and Resume act on both together.
type PatroniNode struct {
	process
	Name string
	Host string
	Port int

	rest string // where its Patroni is asked
	data string
}

// How soon Patroni acts, in seconds: a primary that does not renew its key is replaced after patroniTTL. Patroni demands
// that one loop and two attempts to reach etcd fit into it.
const (
	patroniTTL   = 10
	patroniLoop  = 1
	patroniRetry = 4
)

// patroniInit runs before Patroni and is the parent of whatever loses its own: Patroni starts PostgreSQL as a daemon, which
// would otherwise belong to nobody, and outlive the test.
const patroniInit = "tini"

// Patroni starts so many nodes, at least two, for this test, ended when the test is over, and returns once all of them
// follow the primary. The test fails when that cannot be done.
func Patroni(tb testing.TB, nodes int) *PatroniServer {
	tb.Helper()
	need(tb)
	bin, err := findPostgres()
	if err != nil {
		tb.Fatalf("servers: PostgreSQL: %v", err)
	}
	launcher, patroni := Program(tb, patroniInit, "tini"), Program(tb, "patroni", "patroni")
	Package(tb, "python3-etcd", func() bool {
		found, err := filepath.Glob("/usr/lib/python3*/*-packages/etcd/__init__.py")
		return err == nil && len(found) > 0
	})
	credential, err := postgresCredential()
	if err != nil {
		tb.Fatalf("servers: Patroni: %v", err)
	}
	etcd := newEtcd(tb)
	c := &PatroniServer{User: clusterUser, Password: clusterPassword, tb: tb}
	for i := range nodes {
		n, err := newPatroniNode(tb, fmt.Sprintf("node%d", i+1), bin, etcd.addr, credential)
		if err != nil {
			tb.Fatalf("servers: Patroni: %v", err)
		}
		n.command, n.args = launcher, append([]string{"-s", "--", patroni}, n.args...)
		c.Nodes = append(c.Nodes, n)
	}
	var starting sync.WaitGroup
	failures := make([]error, nodes)
	for i, n := range c.Nodes {
		starting.Go(func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			failures[i] = n.start()
		})
	}
	starting.Wait()
	if err := errors.Join(failures...); err != nil {
		tb.Fatalf("servers: Patroni: %v", err)
	}
	c.AwaitWhole(startWait)
	return c
}

func newPatroniNode(tb testing.TB, name, bin, etcd string, credential *syscall.Credential) (*PatroniNode, error) {
	dir, dog, err := newDir("patroni")
	if err != nil {
		return nil, err
	}
	port, lock, err := takePort()
	if err != nil {
		return nil, err
	}
	n := &PatroniNode{Name: name, Host: host, Port: port, data: filepath.Join(dir, "data"),
		rest: net.JoinHostPort(host, strconv.Itoa(FreePort(tb)))}
	file := filepath.Join(dir, "patroni.json")
	n.process = process{
		tb: tb, dir: dir, dog: dog, port: lock, credential: credential, args: []string{file},
		orderly: syscall.SIGTERM, immediate: syscall.SIGTERM,
		ready:     n.healthy,
		afterKill: func() { freeSharedMemory(filepath.Join(n.data, "postmaster.pid")) },
	}
	tb.Cleanup(func() {
		// Patroni would take its time to hand over first.
		if n.Running() {
			n.Kill()
		}
		if err := n.discard(); err != nil {
			tb.Errorf("servers: end Patroni: %v", err)
		}
	})
	// YAML takes JSON as it is.
	text, err := json.Marshal(n.configuration(bin, etcd))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	return n, errors.Join(chown(dir, credential), chown(file, credential))
}

// healthy asks whether PostgreSQL answers. Patroni asks PostgreSQL itself, with a new connection as long as it starts: that
// is too much work to be repeated at once.
func (n *PatroniNode) healthy(ctx context.Context) error {
	err := answers200(ctx, "http://"+n.rest+"/health")
	if err != nil {
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return err
}

// configuration is what Patroni reads.
func (n *PatroniNode) configuration(bin, etcd string) map[string]any {
	type object = map[string]any
	address := net.JoinHostPort(n.Host, strconv.Itoa(n.Port))
	return object{
		"scope": "templar", "name": n.Name,
		"restapi": object{"listen": n.rest, "connect_address": n.rest},
		"etcd3":   object{"host": etcd},
		"bootstrap": object{
			"dcs": object{
				"ttl": patroniTTL, "loop_wait": patroniLoop, "retry_timeout": patroniRetry,
				"synchronous_mode": true,
				// An etcd that is slow for a moment makes no failover.
				"failsafe_mode": true,
				"postgresql": object{"use_pg_rewind": true, "parameters": object{
					"max_connections": 100, "wal_log_hints": "on", "synchronous_commit": "on",
				}},
			},
			"initdb": []any{object{"encoding": "UTF8"}, object{"locale": "C.UTF-8"}, object{"wal-segsize": "1"}, "no-sync"},
		},
		"postgresql": object{
			"listen": address, "connect_address": address, "data_dir": n.data, "bin_dir": bin,
			"pgpass": filepath.Join(n.dir, "pgpass"),
			"authentication": object{
				"superuser":   object{"username": clusterUser, "password": clusterPassword},
				"replication": object{"username": "replicator", "password": clusterPassword},
			},
			"parameters": object{
				"unix_socket_directories": n.dir, "shared_buffers": "32MB", "dynamic_shared_memory_type": "mmap",
				"timezone": "UTC", "log_timezone": "UTC", "lc_messages": "C",
			},
			"pg_hba": []string{
				"local all all scram-sha-256",
				"host all all 127.0.0.1/32 scram-sha-256",
				"host replication all 127.0.0.1/32 scram-sha-256",
			},
			"basebackup": []any{object{"checkpoint": "fast"}},
		},
	}
}

// Hosts returns host:port of every node's PostgreSQL, with those that do not run.
func (c *PatroniServer) Hosts() []string {
	hosts := make([]string, 0, len(c.Nodes))
	for _, n := range c.Nodes {
		hosts = append(hosts, net.JoinHostPort(n.Host, strconv.Itoa(n.Port)))
	}
	return hosts
}

// Database makes an empty database and returns it as it is found on the primary of this moment.
func (c *PatroniServer) Database(tb testing.TB) Database {
	tb.Helper()
	p := c.Primary()
	if p == nil {
		tb.Fatal("servers: Patroni has no primary")
	}
	d := Database{Host: p.Host, Port: p.Port, User: c.User, Password: c.Password, Name: "postgres"}
	admin, err := sql.Open("postgres", d.URL()+"&connect_timeout=5")
	if err != nil {
		tb.Fatalf("servers: make a database: %v", err)
	}
	defer admin.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	d.Name = fmt.Sprintf("t%d", c.databases.Add(1))
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+d.Name); err != nil {
		tb.Fatalf("servers: make a database: %v", err)
	}
	return d
}

// patroniMember is what a Patroni tells of one node.
type patroniMember struct {
	Name  string
	Role  string // leader, sync_standby, replica
	State string // running, streaming, starting, stopped, ...
	Port  int
}

// members asks the nodes that run for all that they know of, until one answers.
func (c *PatroniServer) members(ctx context.Context) ([]patroniMember, error) {
	failed := errors.New("no node runs")
	for _, n := range c.Nodes {
		if !n.Running() {
			continue
		}
		var known struct{ Members []patroniMember }
		if failed = n.ask(ctx, "/cluster", &known); failed == nil {
			return known.Members, nil
		}
	}
	return nil, failed
}

// ask reads a JSON document of the node's Patroni.
func (n *PatroniNode) ask(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.rest+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

// Primary returns the node that takes writes; nil when there is none just now.
func (c *PatroniServer) Primary() *PatroniNode {
	for _, n := range c.Nodes {
		if n.Running() && answers200(context.Background(), "http://"+n.rest+"/primary") == nil {
			return n
		}
	}
	return nil
}

// Synchronous returns the node that has every acknowledged commit beside the primary; nil when there is none.
func (c *PatroniServer) Synchronous() *PatroniNode {
	members, err := c.members(context.Background())
	if err != nil {
		return nil
	}
	for _, m := range members {
		for _, n := range c.Nodes {
			if m.Role == "sync_standby" && m.Name == n.Name {
				return n
			}
		}
	}
	return nil
}

// AwaitWhole waits until all nodes run, one as the primary and the others following it, one of them synchronously. The
// test fails after the limit.
func (c *PatroniServer) AwaitWhole(limit time.Duration) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		why := c.notWhole(ctx)
		if why == "" {
			return
		}
		select {
		case <-ctx.Done():
			c.tb.Fatalf("servers: Patroni is not whole after %v: %s; the logs end with:%s", limit, why, c.logEnds())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *PatroniServer) notWhole(ctx context.Context) string {
	members, err := c.members(ctx)
	if err != nil {
		return err.Error()
	}
	roles := map[string]int{}
	for _, m := range members {
		if m.State == "running" || m.State == "streaming" {
			roles[m.Role]++
		}
	}
	if roles["leader"] == 1 && roles["sync_standby"] == 1 && roles["leader"]+roles["sync_standby"]+roles["replica"] == len(c.Nodes) {
		return ""
	}
	return fmt.Sprintf("it has %+v", members)
}

func (c *PatroniServer) logEnds() string {
	var all strings.Builder
	for _, n := range c.Nodes {
		fmt.Fprintf(&all, "\n%s: %s", n.Name, n.logEnd())
	}
	return all.String()
}

// HoldReplication stops what sends the node's changes to the others, as a network would that swallows everything. It
// ends with Kill, or with ReleaseReplication.
func (n *PatroniNode) HoldReplication() { n.signalSenders(syscall.SIGSTOP) }

// ReleaseReplication ends what HoldReplication began.
func (n *PatroniNode) ReleaseReplication() { n.signalSenders(syscall.SIGCONT) }

func (n *PatroniNode) signalSenders(s syscall.Signal) {
	n.tb.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	var senders []int
	tree, err := treeOf(n.pid)
	for _, pid := range tree {
		// PostgreSQL tells in its title what each of its processes does.
		title, readErr := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if readErr == nil && strings.Contains(string(title), "walsender") {
			senders = append(senders, pid)
		}
	}
	if err == nil && len(senders) == 0 {
		err = errors.New("nothing is sent")
	}
	if err = errors.Join(err, signalAll(senders, s)); err != nil {
		n.tb.Errorf("servers: hold or release the replication of %s: %v", n.Name, err)
	}
}
