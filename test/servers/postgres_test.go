package servers_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq"

	"bitbucket.org/templar/templar/test/servers"
)

func openDB(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func mustSelect(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var text string
	if err := db.QueryRowContext(ctx, query).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

func TestPostgresShared(t *testing.T) {
	t.Parallel()
	first := servers.Postgres(t)
	if again := servers.Postgres(t); again != first {
		t.Error("a second call started a second server")
	}
	one, two := first.Database(t), first.Database(t)
	if one.Name == two.Name {
		t.Fatalf("two databases are called %q", one.Name)
	}
	if one.User != "root" || one.Password != "password" {
		t.Errorf("user and password are %q and %q", one.User, one.Password)
	}
	db1, db2 := openDB(t, one.URL()), openDB(t, two.URL())
	mustExec(t, db1, "CREATE TABLE a (x text)")
	if got := mustSelect(t, db2, "SELECT count(*) FROM pg_tables WHERE tablename = 'a'"); got != "0" {
		t.Error("a table of one database shows in another")
	}
	for query, want := range map[string]string{
		"SHOW server_encoding":            "UTF8",
		"SHOW fsync":                      "off",
		"SHOW max_connections":            "200",
		"SHOW timezone":                   "UTC",
		"SELECT 'B' < 'a'":                "true",
		"SELECT lower('ÄÖ')":              "äö",
		"SELECT current_database()::text": one.Name,
		"SELECT rolsuper FROM pg_roles WHERE rolname = current_user": "true",
	} {
		if got := mustSelect(t, db1, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	wrong := one
	wrong.Password = "wrong"
	if err := openDB(t, wrong.URL()).PingContext(t.Context()); err == nil {
		t.Error("a wrong password was let in")
	}
}

func TestPostgresDatabaseIsDropped(t *testing.T) {
	t.Parallel()
	server := servers.Postgres(t)
	var name string
	t.Run("inner", func(t *testing.T) {
		d := server.Database(t)
		name = d.Name
		// Still connected when the test ends.
		db, err := sql.Open("postgres", d.URL())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	db := openDB(t, server.Database(t).URL())
	if got := mustSelect(t, db, "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"); got != "0" {
		t.Errorf("the database %s is still there", name)
	}
}

func TestPostgresSharedCannotBeDisturbed(t *testing.T) {
	server := servers.Postgres(t)
	for name, do := range map[string]func(){
		"Stop": server.Stop, "Start": server.Start, "Kill": server.Kill,
		"Pause": server.Pause, "Resume": server.Resume,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of the shared server does not panic", name)
				}
			}()
			do()
		}()
	}
	mustExec(t, openDB(t, server.Database(t).URL()), "SELECT 1")
}

func TestPostgresSurvivesKillAndStop(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t)
	db := openDB(t, server.Database(t).URL())
	if got := mustSelect(t, db, "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s", got)
	}
	mustExec(t, db, "CREATE TABLE kept (x int)")
	mustExec(t, db, "INSERT INTO kept SELECT generate_series(1, 1000)")

	server.Kill()
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("a killed server answers")
	}
	server.Start()
	if got := mustSelect(t, db, "SELECT sum(x) FROM kept"); got != "500500" {
		t.Errorf("after the kill the sum is %s", got)
	}

	server.Stop()
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("a stopped server answers")
	}
	server.Start()
	if got := mustSelect(t, db, "SELECT sum(x) FROM kept"); got != "500500" {
		t.Errorf("after the stop the sum is %s", got)
	}
	// What is left of a server that ends killed is removed as well.
	server.Kill()
}

func TestPostgresPause(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t, servers.PostgresFsync(false), servers.PostgresSetting("work_mem", "1MB"))
	db := openDB(t, server.Database(t).URL())
	if got := mustSelect(t, db, "SHOW work_mem"); got != "1MB" {
		t.Errorf("work_mem is %s", got)
	}
	server.Pause()
	answer := make(chan error, 1)
	go func() {
		_, err := db.Exec("SELECT 1") // on the connection that is open: its backend must be paused too
		answer <- err
	}()
	select {
	case err := <-answer:
		t.Fatalf("a paused server answered: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	server.Resume()
	select {
	case err := <-answer:
		if err != nil {
			t.Fatalf("the query that waited failed: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no answer after the server was resumed")
	}

	server.Pause()
	server.Kill()
	server.Start()
	server.Pause()
	server.Stop()
	server.Start()
	mustExec(t, openDB(t, server.Database(t).URL()), "SELECT 1")
	server.Pause() // and ends paused
}

func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	d := servers.Database{Host: "127.0.0.1", Port: 5, User: "u", Password: "p@/", Name: "n"}
	if got := d.URL(); !strings.HasPrefix(got, "postgres://u:p%40%2F@127.0.0.1:5/n?") {
		t.Errorf("URL is %s", got)
	}
}
