package postgres

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

func sample(name string) template.Template {
	return template.Template{ID: uuid.New(), Name: name, Content: "text of " + name, Syntax: template.Plain, Revision: 1, Author: "ann",
		Created: at(1), Modified: at(1)}
}

// wantAway demands an Unavailable fault that comes within a time and tells its reader nothing of the inside.
func wantAway(t *testing.T, what string, within time.Duration, call func() error) {
	t.Helper()
	start := time.Now()
	err := call()
	if took := time.Since(start); took > within {
		t.Errorf("%s took %v, at most %v is fine", what, took, within)
	}
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("%s: want Unavailable, got %v", what, err)
		return
	}
	if f, ok := err.(*fault.Error); !ok || !strings.HasPrefix(f.Detail, "the database") || strings.Contains(f.Detail, "pq") {
		t.Errorf("%s: the reader is told %v", what, err)
	}
}

func TestAbsent(t *testing.T) {
	db := openOnly(t, fmt.Sprintf("host=127.0.0.1 port=%d user=x dbname=x sslmode=disable", servers.FreePort(t)))
	s := db.Templates()
	wantAway(t, "Ping", time.Second, func() error { return db.Ping(t.Context()) })
	wantAway(t, "SchemaReady", time.Second, func() error { return db.SchemaReady(t.Context()) })
	wantAway(t, "Get", time.Second, func() error { _, err := s.Get(t.Context(), uuid.New()); return err })
	wantAway(t, "Create", time.Second, func() error { return s.Create(t.Context(), sample("a"), nil) })
}

func TestNoAnswerToANewConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	db := openOnly(t, fmt.Sprintf("postgres://x@%s/x?sslmode=disable", listener.Addr()))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	wantAway(t, "Get", time.Second, func() error { _, err := db.Templates().Get(ctx, uuid.New()); return err })
}

func TestBadConnectionString(t *testing.T) {
	_, err := Open(Config{DSN: "postgres://ann:hunter2@host:99999999/x?sslmode=nonsense"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("want an error that does not tell the password, got %v", err)
	}
}

// TestPausedPool fills the pool with calls that wait for a paused server: every one ends soon after its context, and
// so do those that wait for a connection.
func TestPausedPool(t *testing.T) {
	server := servers.NewPostgres(t)
	db := open(t, server.Database(t))
	s := db.Templates()
	if err := s.Create(t.Context(), sample("a"), nil); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			wantAway(t, "call "+strconv.Itoa(i), 1300*time.Millisecond, func() error {
				switch i % 4 {
				case 0:
					return s.Create(ctx, sample("b"), nil)
				case 1:
					return s.Create(ctx, sample("b"), &template.Claim{User: "ann", Key: strconv.Itoa(i), Revision: 1, Expires: time.Now().Add(time.Hour)})
				case 2:
					_, err := s.List(ctx, template.Query{Limit: 5, Filter: template.Filter{Words: "b"}})
					return err
				}
				_, err := s.Get(ctx, uuid.New())
				return err
			})
		})
	}
	all.Wait()
	server.Resume()
	ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.Create(ctx, sample("c"), nil); err != nil {
		t.Errorf("after the server went on: %v", err)
	}
}

// TestRestart shows that no caller meets a connection that died while nobody used it.
func TestRestart(t *testing.T) {
	server := servers.NewPostgres(t)
	db := open(t, server.Database(t))
	s := db.Templates()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := s.Create(t.Context(), sample("before"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	server.Stop()
	wantAway(t, "Create", time.Second, func() error { return s.Create(t.Context(), sample("stopped"), nil) })
	server.Start()
	for i := range 16 {
		if err := s.Create(t.Context(), sample("after"), nil); err != nil {
			t.Errorf("write %d after the restart: %v", i, err)
		}
	}
}

// TestKill ends the server by SIGKILL under writers: what was acknowledged is there, what was not is Unavailable and
// never taken for a conflict with itself, and writers go on as soon as the server is back.
func TestKill(t *testing.T) {
	server := servers.NewPostgres(t)
	db := open(t, server.Database(t))
	s := db.Templates()
	var mu sync.Mutex
	var stored []template.Template
	lost := 0
	stop := make(chan struct{})
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				made := sample(fmt.Sprint(w, "-", i))
				err := s.Create(t.Context(), made, nil)
				if err == nil && i%2 == 0 {
					next := made
					next.Revision, next.Content = 2, "second"
					if err = s.Replace(t.Context(), next, 1, nil); err == nil {
						made = next
					}
				}
				mu.Lock()
				switch {
				case err == nil:
					stored = append(stored, made)
				case fault.Is(err, fault.Unavailable):
					lost++
				default:
					t.Errorf("a write while the server was killed: %v", err)
				}
				mu.Unlock()
				if err != nil {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	for range 2 {
		time.Sleep(400 * time.Millisecond)
		server.Kill()
		time.Sleep(100 * time.Millisecond)
		server.Start()
	}
	mu.Lock()
	before := len(stored)
	mu.Unlock()
	time.Sleep(time.Second)
	close(stop)
	all.Wait()
	if len(stored) == before || before == 0 || lost == 0 {
		t.Errorf("want writes stored before the last kill and after it, and some lost: %d, %d, %d", before, len(stored)-before, lost)
	}
	for _, want := range stored {
		got, err := s.Get(t.Context(), want.ID)
		if err != nil || got.Revision != want.Revision || got.Content != want.Content {
			t.Fatalf("%v was acknowledged at revision %d: got %d, %v", want.ID, want.Revision, got.Revision, err)
		}
	}
	t.Logf("%d writes stored, %d lost", len(stored), lost)
}

// TestReadOnly shows that a server that takes no writes any more is left for another connection.
func TestReadOnly(t *testing.T) {
	db, err := Open(Config{DSN: open(t, servers.Postgres(t).Database(t)).dsnOf(t), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run(t, db.SQL(), "SET default_transaction_read_only = on")
	wantAway(t, "Create", time.Second, func() error { return db.Templates().Create(t.Context(), sample("a"), nil) })
	if err := db.Templates().Create(t.Context(), sample("b"), nil); err != nil {
		t.Errorf("on a new connection: %v", err)
	}
}

func TestTablesNotInPlace(t *testing.T) {
	db := openOnly(t, servers.Postgres(t).Database(t).URL())
	wantAway(t, "SchemaReady", time.Second, func() error { return db.SchemaReady(t.Context()) })
	wantAway(t, "Create", time.Second, func() error { return db.Templates().Create(t.Context(), sample("a"), nil) })
	bringUp(t, db.SQL())
	if err := db.SchemaReady(t.Context()); err != nil {
		t.Error(err)
	}
	if err := db.Templates().Create(t.Context(), sample("a"), nil); err != nil {
		t.Error(err)
	}
}

// TestChangedTables shows that statements prepared before a change of the tables are prepared anew.
func TestChangedTables(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	s := db.Templates()
	a := sample("a")
	if err := s.Create(t.Context(), a, nil); err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{"ALTER TABLE templates ALTER revision TYPE integer", "DEALLOCATE ALL", "ALTER TABLE templates ADD more text"} {
		var all sync.WaitGroup
		try := func() {
			for range 8 {
				all.Go(func() {
					if _, err := s.Get(t.Context(), a.ID); err != nil {
						t.Errorf("%s: Get: %v", change, err)
					}
					if err := s.Create(t.Context(), sample("b"), nil); err != nil {
						t.Errorf("%s: Create: %v", change, err)
					}
				})
			}
			all.Wait()
		}
		try()
		run(t, db.SQL(), change)
		try()
	}
}
