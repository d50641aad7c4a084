package chaos

import (
	"database/sql"
	"net"
	"path/filepath"
	"strconv"
	"testing"

	_ "github.com/lib/pq" // the driver

	"bitbucket.org/templar/templar/test/servers"
)

func sqliteSettings(dir string) settings {
	return settings{"DB_ENGINE": "sqlite", "DATABASE_URL": "sqlite:" + filepath.Join(dir, "templar.db")}
}

func postgresSettings(d servers.Database) settings {
	return settings{"DB_ENGINE": "pg", "DB_HOST": d.Host, "DB_PORT": strconv.Itoa(d.Port), "DB_USER": d.User,
		"DB_PASS": d.Password, "DB_NAME": d.Name, "DB_SSLMODE": "disable"}
}

// redisSettings connect to Redis at an address, its own or a proxy's.
func redisSettings(t *testing.T, r *servers.RedisServer, addr string) settings {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return settings{"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_PASS": r.Password}
}

// connect opens a database by hand.
func connect(t *testing.T, d servers.Database) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", d.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statement string, arguments ...any) {
	t.Helper()
	if _, err := db.Exec(statement, arguments...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
