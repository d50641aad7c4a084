package servers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// etcdServer is an etcd of one member.
type etcdServer struct {
	process
	addr string
}

// newEtcd starts an empty etcd for this test, ended when the test is over.
func newEtcd(tb testing.TB) *etcdServer {
	tb.Helper()
	program := Program(tb, "etcd", "etcd-server")
	dir, dog, err := newDir("etcd")
	if err != nil {
		tb.Fatalf("servers: etcd: %v", err)
	}
	port, lock, err := takePort()
	if err != nil {
		tb.Fatalf("servers: etcd: %v", err)
	}
	s := &etcdServer{addr: net.JoinHostPort(host, strconv.Itoa(port))}
	clients, peers := "http://"+s.addr, "http://"+net.JoinHostPort(host, strconv.Itoa(FreePort(tb)))
	s.process = process{
		tb: tb, dir: dir, dog: dog, port: lock,
		command: program, args: []string{
			"--name", "etcd", "--data-dir", filepath.Join(dir, "data"),
			"--listen-client-urls", clients, "--advertise-client-urls", clients,
			"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "etcd=" + peers,
		},
		orderly: syscall.SIGTERM, immediate: syscall.SIGTERM,
		ready: func(ctx context.Context) error { return answers200(ctx, clients+"/health") },
	}
	tb.Cleanup(func() {
		if err := s.discard(); err != nil {
			tb.Errorf("servers: end etcd: %v", err)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(); err != nil {
		tb.Fatalf("servers: etcd: %v", err)
	}
	return s
}

// answers200 asks an address once, for a second at most.
func answers200(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return nil
}
