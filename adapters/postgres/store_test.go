package postgres

import (
	"database/sql"
	"os"
	"testing"
	"time"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/contract"
	"bitbucket.org/templar/templar/test/servers"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// open makes a database with Templar's tables in it.
func open(t testing.TB, d servers.Database) *DB {
	t.Helper()
	db := openOnly(t, d.URL())
	bringUp(t, db.SQL())
	return db
}

func openOnly(t testing.TB, dsn string) *DB {
	t.Helper()
	db, err := Open(Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func run(t testing.TB, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
}

func TestTemplateStore(t *testing.T) {
	contract.TemplateStore(t, contract.TemplateHarness{
		Open: func(t *testing.T) template.Store {
			return open(t, servers.Postgres(t).Database(t)).Templates()
		},
		Pause: func(t *testing.T) (template.Store, func()) {
			db, resume := paused(t)
			return db.Templates(), resume
		},
	})
}

func TestKeyStore(t *testing.T) {
	contract.KeyStore(t, contract.KeyHarness{
		Open: func(t *testing.T) auth.KeyStore {
			return open(t, servers.Postgres(t).Database(t)).Keys()
		},
		Pause: func(t *testing.T) (auth.KeyStore, func()) {
			db, resume := paused(t)
			return db.Keys(), resume
		},
	})
}

// paused gives a database that has stopped answering on connections that were in use before.
func paused(t *testing.T) (*DB, func()) {
	t.Helper()
	server := servers.NewPostgres(t)
	db := open(t, server.Database(t))
	if _, err := db.Templates().List(t.Context(), template.Query{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	return db, server.Resume
}

func at(n int) time.Time {
	return time.Date(2026, 5, 1, 12, 0, n, 123456000, time.UTC)
}

// dsnOf tells how to connect to the same database again.
func (db *DB) dsnOf(t testing.TB) string {
	t.Helper()
	var name, port string
	if err := db.SQL().QueryRowContext(t.Context(), "SELECT current_database(), inet_server_port()").Scan(&name, &port); err != nil {
		t.Fatal(err)
	}
	server := servers.Postgres(t)
	return servers.Database{Host: server.Host, Port: server.Port, User: server.User, Password: server.Password, Name: name}.URL()
}
