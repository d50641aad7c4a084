package servers

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"
)

// PostgresServer is a PostgreSQL. Stop, Start, Kill, Pause and Resume act on one
// that NewPostgres made; they panic on the shared one.
type PostgresServer struct {
	process
	Host     string
	Port     int
	User     string // a superuser
	Password string

	admin     *sql.DB
	databases atomic.Int64
}

// Database is one empty database, encoded in UTF-8 and sorted by code point.
type Database struct {
	Host     string
	Port     int
	User     string
	Password string
	Name     string
}

// URL returns the database's address as a connection string without TLS.
func (d Database) URL() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(d.User, d.Password),
		Host: net.JoinHostPort(d.Host, strconv.Itoa(d.Port)), Path: d.Name,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// PostgresOption changes how NewPostgres starts its server.
type PostgresOption func(map[string]string)

// PostgresFsync says whether a commit waits for the disk. NewPostgres starts with true.
func PostgresFsync(on bool) PostgresOption {
	return func(s map[string]string) {
		value := "off"
		if on {
			value = "on"
		}
		s["fsync"], s["synchronous_commit"], s["full_page_writes"] = value, value, value
	}
}

// PostgresSetting sets any setting of postgresql.conf.
func PostgresSetting(name, value string) PostgresOption {
	return func(s map[string]string) { s[name] = value }
}

// sharedPostgres is the server that the tests of this process share.
var sharedPostgres struct {
	sync.Mutex
	server *PostgresServer
	err    error
}

// Postgres returns the server that all tests of this process share, started at
// first use, with fsync off. The test fails when there is none to be had.
func Postgres(tb testing.TB) *PostgresServer {
	tb.Helper()
	need(tb)
	sharedPostgres.Lock()
	defer sharedPostgres.Unlock()
	if sharedPostgres.server == nil && sharedPostgres.err == nil {
		sharedPostgres.server, sharedPostgres.err = startPostgres(nil, []PostgresOption{PostgresFsync(false)})
	}
	if sharedPostgres.err != nil {
		tb.Fatalf("servers: PostgreSQL: %v", sharedPostgres.err)
	}
	return sharedPostgres.server
}

// NewPostgres starts a server for this test alone, with fsync on, ended when the
// test is over.
func NewPostgres(tb testing.TB, options ...PostgresOption) *PostgresServer {
	tb.Helper()
	need(tb)
	s, err := startPostgres(tb, append([]PostgresOption{PostgresFsync(true)}, options...))
	if err != nil {
		tb.Fatalf("servers: PostgreSQL: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.discard(); err != nil {
			tb.Errorf("servers: end PostgreSQL: %v", err)
		}
	})
	return s
}

// Database makes a fresh database for a test. In the shared server it is dropped
// when the test is over, with whatever is still connected to it.
func (s *PostgresServer) Database(tb testing.TB) Database {
	tb.Helper()
	d := s.database(s.newName(tb.Name()))
	name := pq.QuoteIdentifier(d.Name)
	if err := s.exec("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"); err != nil {
		tb.Fatalf("servers: make a database: %v", err)
	}
	if s.tb == nil {
		tb.Cleanup(func() {
			if err := s.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
				tb.Errorf("servers: drop a database: %v", err)
			}
		})
	}
	return d
}

func (s *PostgresServer) database(name string) Database {
	return Database{Host: s.Host, Port: s.Port, User: s.User, Password: s.Password, Name: name}
}

// newName makes a name that this server has not given before and that tells of its test.
func (s *PostgresServer) newName(test string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(test))
	return fmt.Sprintf("t%d_%s", s.databases.Add(1), plain[:min(len(plain), 40)])
}

func (s *PostgresServer) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := s.admin.ExecContext(ctx, statement)
	return err
}

// startPostgres starts a server; without a test it is the shared one.
func startPostgres(tb testing.TB, options []PostgresOption) (*PostgresServer, error) {
	var err error
	// Another program may take the port between its choice and its use.
	for range 3 {
		var s *PostgresServer
		if s, err = openPostgres(tb, options); err == nil || !portTaken(err) {
			return s, err
		}
	}
	return nil, err
}

func openPostgres(tb testing.TB, options []PostgresOption) (*PostgresServer, error) {
	bin, err := findPostgres()
	if err != nil {
		return nil, err
	}
	credential, err := postgresCredential()
	if err != nil {
		return nil, err
	}
	dir, dog, err := newDir("pg")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := makeCluster(bin, credential, dir, data); err != nil {
		return nil, err
	}
	port, lock, err := takePort()
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{Host: host, Port: port, User: clusterUser, Password: clusterPassword}
	s.process = process{
		tb: tb, dir: dir, dog: dog, port: lock, credential: credential,
		command: filepath.Join(bin, "postgres"), args: []string{"-D", data},
		orderly: syscall.SIGINT, immediate: syscall.SIGQUIT,
		ready:     func(ctx context.Context) error { return s.admin.PingContext(ctx) },
		afterKill: func() { s.admin.Close(); freeSharedMemory(filepath.Join(data, "postmaster.pid")) },
	}
	settings := map[string]string{
		"listen_addresses": s.Host, "port": strconv.Itoa(s.Port), "unix_socket_directories": dir,
		"max_connections": "200", "shared_buffers": "32MB", "max_wal_size": "1GB",
		"timezone": "UTC", "log_timezone": "UTC", "lc_messages": "C",
		// In the folder rather than in /dev/shm, where a killed server would leave it.
		"dynamic_shared_memory_type": "mmap",
	}
	for _, option := range options {
		option(settings)
	}
	for name, value := range settings {
		s.args = append(s.args, "-c", name+"="+value)
	}
	if s.admin, err = sql.Open("postgres", s.database("postgres").URL()+"&connect_timeout=5"); err != nil {
		return nil, err
	}
	s.admin.SetMaxOpenConns(4)
	s.admin.SetMaxIdleConns(1)

	s.mu.Lock()
	err = s.start()
	s.mu.Unlock()
	if err != nil {
		_ = s.discard() // the first error is the one that counts
		return nil, err
	}
	return s, nil
}
