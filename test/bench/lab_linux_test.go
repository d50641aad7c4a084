package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq" // the database is filled through it

	"bitbucket.org/templar/templar/test/bench/load"
	"bitbucket.org/templar/templar/test/bench/usage"
	"bitbucket.org/templar/templar/test/servers"
)

const (
	// apiToken holds every scope in every Templar of the benchmarks.
	apiToken = "bench-token-2f6b0c1e-5d0a-4b6e"
	// hashKey is a key in the Redis hash.
	hashKey = "00000000-0000-4000-8000-000000000001"
	// targets are how many templates the requests by id go to.
	targets = 100
	// connections are the clients of the table.
	connections = 64
	// clients are pgbench's in the report.
	clients = 32
)

// lab is what the measurements need beside the programs measured.
type lab struct {
	tb          testing.TB
	postgres    *servers.PostgresServer
	postgresPID int
	redis       *servers.RedisServer
	redisPID    int
	wrk         string
	pgbench     string
	clients     int // pgbench's
	// profiles is a folder for profiles of the service; "" where none are taken.
	profiles string
}

// newLab starts PostgreSQL, with fsync, and Redis.
func newLab(tb testing.TB) *lab {
	tb.Helper()
	l := &lab{tb: tb, wrk: servers.Program(tb, "wrk", "wrk"), clients: clients}
	l.postgres = servers.NewPostgres(tb, servers.PostgresSetting("shared_buffers", "1GB"), servers.PostgresSetting("max_wal_size", "4GB"),
		servers.PostgresSetting("maintenance_work_mem", "1GB"), servers.PostgresSetting("checkpoint_timeout", "15min"))
	l.redis = servers.Redis(tb)

	admin := servers.Database{Host: l.postgres.Host, Port: l.postgres.Port, User: l.postgres.User, Password: l.postgres.Password, Name: "postgres"}
	db := connect(tb, admin)
	defer db.Close()
	var backend int
	err := db.QueryRow("SELECT pg_backend_pid()").Scan(&backend)
	if err == nil {
		l.postgresPID, err = usage.Parent(backend)
	}
	if err != nil {
		tb.Fatal(err)
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", l.postgresPID))
	if err != nil {
		tb.Fatal(err)
	}
	// It comes with the server: on Debian in the same package.
	l.pgbench = filepath.Join(filepath.Dir(exe), "pgbench")
	if _, err := os.Stat(l.pgbench); err != nil {
		l.pgbench = servers.Program(tb, "pgbench", "postgresql-contrib")
	}
	for line := range strings.Lines(l.redis.CLI("INFO", "server")) {
		if pid, found := strings.CutPrefix(line, "process_id:"); found {
			if l.redisPID, err = strconv.Atoi(strings.TrimSpace(pid)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	l.redis.CLI("HSET", "sec_apikeys", hashKey, "user: bench")
	return l
}

func connect(tb testing.TB, d servers.Database) *sql.DB {
	tb.Helper()
	db, err := sql.Open("postgres", d.URL())
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1) // so that SET holds for what comes after
	return db
}

func execute(tb testing.TB, db *sql.DB, statement string, args ...any) {
	tb.Helper()
	if _, err := db.Exec(statement, args...); err != nil {
		tb.Fatalf("%.200s: %v", statement, err)
	}
}

// templar starts the service on a database with everything on: keys and limits in Redis, cache, metrics, and the
// access log at INFO into a file.
func (l *lab) templar(d servers.Database, extra settings) *program {
	l.tb.Helper()
	addr := freeAddr(l.tb)
	_, port, _ := strings.Cut(addr, ":")
	s := settings{"HTTP_PORT": port, "API_TOKENS": apiToken, "SECRET_KEY": "the secret key of the benchmarks",
		"DEFAULT_RATE_LIMIT": "1000000000", "PROMETHEUS_ENABLED": "True", "LOG_LEVEL": "INFO",
		"DB_ENGINE": "pg", "DB_HOST": d.Host, "DB_PORT": strconv.Itoa(d.Port), "DB_USER": d.User, "DB_PASS": d.Password,
		"DB_NAME": d.Name, "DB_SSLMODE": "disable",
		"REDIS_HOST": l.redis.Host, "REDIS_PORT": strconv.Itoa(l.redis.Port), "REDIS_PASS": l.redis.Password}
	if l.profiles != "" {
		s["PPROF_ADDR"] = freeAddr(l.tb)
	}
	p := launch(l.tb, addr, "/readyz", s.with(extra), build(l.tb, "../..", "./cmd/templar"), "serve")
	p.profiles = s["PPROF_ADDR"]
	return p
}

// shot is one measurement of one side.
type shot struct {
	load.Result
	// Server, Redis and Postgres are the time on processors of one request; Server is that of the program measured
	// with all its processes.
	Server, Redis, Postgres time.Duration
	// Memory is that of the program measured, right after the load.
	Memory usage.Memory
}

// generator is the load generator's time on processors of one request.
func (s shot) generator() time.Duration { return s.Generator / time.Duration(s.Done) }

// shoot puts a load on a program and looks at what it costs.
func (l *lab) shoot(p *program, r load.Requests) (shot, error) {
	// The log of one measurement is enough.
	if err := p.log.Truncate(0); err != nil {
		return shot{}, err
	}
	r.Wrk, r.Address = l.wrk, p.addr
	if r.Connections == 0 {
		r.Connections = connections
	}
	if p.profiles == "" || r.Seconds == 1 { // a second only warms it up
		return l.account(p.pid, r.Run)
	}
	return l.account(p.pid, func(ctx context.Context) (load.Result, error) {
		taken := make(chan error, 1)
		go func() { taken <- l.takeProfile(ctx, p, r.Seconds-1) }()
		result, err := r.Run(ctx)
		return result, errors.Join(err, <-taken)
	})
}

// statements runs SQL in pgbench, which is the program measured.
func (l *lab) statements(s load.Statements) (shot, error) {
	s.Pgbench, s.Clients = l.pgbench, l.clients
	return l.account(0, s.Run)
}

// account runs a load and takes the difference of the accounts; pid may be 0.
func (l *lab) account(pid int, run func(context.Context) (load.Result, error)) (shot, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	pids := [3]int{pid, l.redisPID, l.postgresPID}
	sum := func() (cpu [3]time.Duration, err error) {
		for i, id := range pids {
			if id == 0 {
				continue
			}
			if cpu[i], err = usage.CPU(id); err != nil {
				return cpu, err
			}
		}
		return cpu, nil
	}
	before, err := sum()
	if err != nil {
		return shot{}, err
	}
	result, err := run(ctx)
	if err != nil {
		return shot{}, err
	}
	after, err := sum()
	if err != nil {
		return shot{}, err
	}
	s := shot{Result: result}
	for i, part := range []*time.Duration{&s.Server, &s.Redis, &s.Postgres} {
		*part = (after[i] - before[i]) / time.Duration(result.Done)
	}
	if pid != 0 {
		s.Memory, err = usage.MemoryOf(pid)
	}
	return s, err
}
