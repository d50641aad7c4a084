package otel

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/XSAM/otelsql"
	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/adapters/postgres"
	"bitbucket.org/templar/templar/adapters/sqlite"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/collector"
	"bitbucket.org/templar/templar/test/contract"
	"bitbucket.org/templar/templar/test/servers"
)

// content is what no span may hold.
const content = "the-content-of-a-template-5b1f"

func openPostgres(t *testing.T, url string, wrap func(driver.Connector) driver.Connector) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(postgres.Config{DSN: url, Wrap: wrap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openSQLite(t *testing.T, wrap func(driver.Connector) driver.Connector) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(sqlite.Config{Path: filepath.Join(t.TempDir(), "templar.db"), Wrap: wrap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func bringUp(t *testing.T, m ports.Migrator) {
	t.Helper()
	wanted, err := migrations.Templar().Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Apply(t.Context(), wanted, ports.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (t *Tracing) wrap(system string) func(driver.Connector) driver.Connector {
	return func(inner driver.Connector) driver.Connector { return t.SQL(system, inner) }
}

// always gives every call of a driver a recording span to be the child of, as a request would.
func (t *Tracing) always(system string) func(driver.Connector) driver.Connector {
	return func(inner driver.Connector) driver.Connector {
		outer, _ := otelsql.WrapDriver(connected{t.SQL(system, inner)}, otelsql.WithTracerProvider(t.provider)).(driver.DriverContext).OpenConnector("")
		return outer
	}
}

func sample() template.Template {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return template.Template{ID: uuid.New(), Name: "a", Content: content, Syntax: template.Plain, Revision: 1, Author: "ann", Created: at, Modified: at}
}

func TestStatementsOfARequest(t *testing.T) {
	type database struct {
		system, duplicate string
		store             template.Store
		ping              func(context.Context) error
		raw               *sql.DB
	}
	for name, open := range map[string]func(*testing.T, *Tracing) database{
		"postgres": func(t *testing.T, tracing *Tracing) database {
			db := openPostgres(t, servers.Postgres(t).Database(t).URL(), tracing.wrap("postgresql"))
			bringUp(t, postgres.NewMigrator(db.SQL()))
			return database{"postgresql", "23505", db.Templates(), db.Ping, db.SQL()}
		},
		"sqlite": func(t *testing.T, tracing *Tracing) database {
			db := openSQLite(t, tracing.wrap("sqlite"))
			bringUp(t, sqlite.NewMigrator(db.SQL()))
			return database{"sqlite", "1555", db.Templates(), db.Ping, db.SQL()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := collector.New(t)
			tracing, told := openTracing(t, c)
			db := open(t, tracing)
			if err := db.ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			one := sample()
			if err := db.store.Create(t.Context(), one, nil); err != nil { // belongs to no request
				t.Fatal(err)
			}
			ctx, span := tracing.Begin(t.Context(), get(nil))
			if _, err := db.store.Get(ctx, one.ID); err != nil {
				t.Fatal(err)
			}
			if err := db.store.Create(ctx, sample(), nil); err != nil {
				t.Fatal(err)
			}
			again := sample()
			again.ID = one.ID
			if err := db.store.Create(ctx, again, nil); !fault.Is(err, fault.Conflict) {
				t.Fatal(err)
			}
			const twice = "INSERT INTO templar_traces VALUES (1)"
			for i, text := range []string{"CREATE TABLE templar_traces (a int PRIMARY KEY)", twice, twice} {
				if _, err := db.raw.ExecContext(ctx, text); (err != nil) != (i == 2) {
					t.Fatal(text, err)
				}
			}
			span.End(200, "")
			spans := flushed(t, tracing, c)
			server := spans[len(spans)-1]
			var reads, writes int
			for _, s := range spans[:len(spans)-1] {
				if s.Kind != "SPAN_KIND_CLIENT" || s.Parent != server.ID || s.TraceID != server.TraceID || s.Events != 0 || s.Message != "" {
					t.Errorf("got %+v", s)
				}
				check(t, s, map[string]string{"db.system.name": db.system})
				switch {
				case strings.HasPrefix(s.Name, "SELECT "):
					reads++
				case strings.HasPrefix(s.Name, "INSERT ") || strings.HasPrefix(s.Name, "WITH "):
					writes++
				}
				text := s.Attributes["db.query.text"]
				if known := slices.Contains([]string{"BEGIN", "COMMIT", "ROLLBACK"}, s.Name); known != (text == "") {
					t.Errorf("%q has the text %q", s.Name, text)
				}
				if s.Failed != (s.Attributes["error.type"] != "") {
					t.Errorf("got %+v", s)
				}
			}
			if reads == 0 || writes < 2 {
				t.Errorf("%d reads and %d writes", reads, writes)
			}
			last := spans[len(spans)-2]
			if last.Name != "INSERT templar_traces" || !last.Failed {
				t.Errorf("got %+v", last)
			}
			check(t, last, map[string]string{"error.type": db.duplicate, "db.response.status_code": db.duplicate, "db.query.text": twice,
				"db.query.summary": "INSERT templar_traces", "db.operation.name": "INSERT"})
			for _, a := range c.Arrivals() {
				for _, secret := range []string{content, one.ID.String(), "duplicate key", "UNIQUE constraint"} {
					if strings.Contains(string(a.Body), secret) {
						t.Errorf("%q was sent", secret)
					}
				}
			}
			if len(told.all()) > 0 {
				t.Errorf("warned: %v", told.all())
			}
		})
	}
}

func openTracing(t *testing.T, c *collector.Collector) (*Tracing, *warnings) { return open(t, c.URL) }

// TestStoresKeepTheirPromisesTraced runs the contract's suites with a span around every statement.
func TestStoresKeepTheirPromisesTraced(t *testing.T) {
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
	tracing, told := openTracing(t, collector.New(t))
	t.Run("postgres", func(t *testing.T) { // the keys have a check of each kind; all templates would take a minute
		contract.KeyStore(t, contract.KeyHarness{
			Open: func(t *testing.T) auth.KeyStore {
				db := openPostgres(t, servers.Postgres(t).Database(t).URL(), tracing.always("postgresql"))
				bringUp(t, postgres.NewMigrator(db.SQL()))
				return db.Keys()
			},
			Pause: func(t *testing.T) (auth.KeyStore, func()) {
				server := servers.NewPostgres(t)
				db := openPostgres(t, server.Database(t).URL(), tracing.always("postgresql"))
				bringUp(t, postgres.NewMigrator(db.SQL()))
				if _, err := db.Keys().List(t.Context(), uuid.Nil, 1); err != nil {
					t.Fatal(err)
				}
				server.Pause()
				return db.Keys(), server.Resume
			},
		})
	})
	t.Run("sqlite", func(t *testing.T) {
		contract.TemplateStore(t, contract.TemplateHarness{Open: func(t *testing.T) template.Store {
			db := openSQLite(t, tracing.always("sqlite"))
			bringUp(t, sqlite.NewMigrator(db.SQL()))
			return db.Templates()
		}})
	})
	if len(told.all()) > 0 {
		t.Errorf("warned: %v", told.all())
	}
}

// TestConnectionsStayWhatTheyAre has database/sql find behind the wrapper what it asks connections for.
func TestConnectionsStayWhatTheyAre(t *testing.T) {
	tracing, _ := open(t, "http://127.0.0.1:1")
	db := openPostgres(t, servers.Postgres(t).Database(t).URL(), tracing.always("postgresql")).SQL()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		for name, ok := range map[string]bool{
			"Pinger": is[driver.Pinger](c), "SessionResetter": is[driver.SessionResetter](c), "Validator": is[driver.Validator](c),
			"NamedValueChecker": is[driver.NamedValueChecker](c), "ConnBeginTx": is[driver.ConnBeginTx](c), "ConnPrepareContext": is[driver.ConnPrepareContext](c),
			"ExecerContext": is[driver.ExecerContext](c), "QueryerContext": is[driver.QueryerContext](c),
		} {
			if !ok {
				t.Errorf("the connection is no %s any more", name)
			}
		}
		return driver.ErrBadConn // has the pool give it up
	})
	if !errors.Is(err, driver.ErrBadConn) {
		t.Error(err)
	}
	if err := conn.PingContext(t.Context()); err == nil {
		t.Error("a connection that was given up answers")
	}
	// lib/pq turns a slice into an array: CheckNamedValue reaches it.
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_class WHERE relname = ANY($1)", []string{"a", "b"}).Scan(new(int)); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := db.ExecContext(ctx, "SELECT pg_sleep(10)"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a statement out of time: %v", err)
	}
}

func is[T any](c any) bool {
	_, ok := c.(T)
	return ok
}

func TestSummary(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT a, b FROM templates WHERE id = $1": "SELECT templates",
		"select 1": "SELECT",
		"\n\tINSERT INTO \"template_revisions\" (a) VALUES ($1)":      "INSERT template_revisions",
		"INSERT INTO receipts(a) VALUES ($1)":                         "INSERT receipts",
		"UPDATE templates SET a = $1":                                 "UPDATE templates",
		"DELETE FROM api_keys;":                                       "DELETE api_keys",
		"WITH x AS (UPDATE templates SET a = 1 RETURNING 1) SELECT 1": "WITH templates",
		"SELECT * FROM (SELECT 1 FROM labels) x":                      "SELECT labels",
		"SELECT * FROM unnest($1::uuid[])":                            "SELECT unnest",
		"":                                                            "SQL",
	} {
		if got := summary(otelsql.MethodStmtQuery, query); got != want {
			t.Errorf("%q is %q, want %q", query, got, want)
		}
	}
	if got := summary(otelsql.MethodConnPrepare, "SELECT 1 FROM a"); got != "PREPARE SELECT a" {
		t.Error(got)
	}
}
