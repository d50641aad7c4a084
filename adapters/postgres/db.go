// Package postgres keeps templates and keys in PostgreSQL 12 or later, through sqlx and lib/pq.
//
// What lib/pq leaves open is closed in connection.go: a call ends soon after its context even when the server has
// stopped answering, a connection that the server has closed is not used again, and a write whose outcome is unknown
// is never sent twice.
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
)

// Config says where the database is.
type Config struct {
	// DSN is a connection string in one of libpq's two forms: postgres://user:password@host:port/name?sslmode=... or
	// key='value' pairs. With several hosts, the one that takes writes is sought. Unless it says otherwise, opening a
	// connection is bounded to 5 seconds a host, and the time zone of the session is UTC.
	DSN string
	// MaxConns is the size of the pool; 0 is 4 for each core and at least 8.
	MaxConns int
	// Observe is told of every query of the stores; nil for nobody.
	Observe func(query string, took time.Duration, err error)
	// Wrap puts something around the driver, such as tracing; nil for nothing.
	Wrap func(driver.Connector) driver.Connector
}

const (
	connectTimeout = 5 * time.Second
	// connLifetime lets connections follow a change of addresses, and ends what a session may have piled up.
	connLifetime = 30 * time.Minute
)

// DB is a database with its pool of connections. It is safe for concurrent use.
type DB struct {
	pool      *sqlx.DB
	handle    *sqlstore.Handle
	connector *connector
}

var (
	_ ports.Probe       = (*DB)(nil)
	_ template.Database = (*sqlstore.Templates)(nil)
	_ auth.KeyStore     = (*sqlstore.Keys)(nil)
)

// Open makes a DB and connects to nothing: the database may be absent, and may come later. It fails when the
// connection string cannot be read; the error does not tell it.
func Open(c Config) (*DB, error) {
	settings, err := pq.NewConfig(c.DSN)
	if err != nil {
		return nil, errors.New("the PostgreSQL connection string cannot be read")
	}
	if settings.ConnectTimeout <= 0 {
		settings.ConnectTimeout = connectTimeout
	}
	hosts := 1 + len(settings.Multi)
	if hosts > 1 && settings.TargetSessionAttrs == "" {
		settings.TargetSessionAttrs = pq.TargetSessionAttrsReadWrite
	}
	inner, err := connectors(settings)
	if err != nil {
		return nil, fmt.Errorf("the PostgreSQL connection string cannot be used: %w", err)
	}
	connector := newConnector(inner, time.Duration(hosts-1)*headStart+settings.ConnectTimeout+time.Second)
	var outer driver.Connector = connector
	if c.Wrap != nil {
		outer = c.Wrap(connector)
	}
	pool := sqlx.NewDb(sql.OpenDB(outer), "postgres")
	conns := c.MaxConns
	if conns <= 0 {
		conns = max(8, 4*runtime.GOMAXPROCS(0))
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxLifetime(connLifetime)
	return &DB{pool: pool, handle: sqlstore.NewHandle(pool, pool, dialect, c.Observe), connector: connector}, nil
}

// Templates gives the store of templates.
func (db *DB) Templates() *sqlstore.Templates { return db.handle.Templates() }

// Keys gives the store of keys.
func (db *DB) Keys() *sqlstore.Keys { return db.handle.Keys() }

// Ping implements ports.Probe.
func (db *DB) Ping(ctx context.Context) error { return db.handle.Ping(ctx) }

// ProbeQuery reads one column of any one row of a table, which may have its schema's name and a dot before it. Both
// are taken as identifiers, never as SQL. An Unavailable fault when it cannot be read, or does not exist.
func (db *DB) ProbeQuery(ctx context.Context, table, column string) error {
	return db.handle.ProbeQuery(ctx, table, column)
}

// SchemaReady tells whether the tables are in place; an Unavailable fault when they are not, or cannot be seen.
func (db *DB) SchemaReady(ctx context.Context) error { return db.handle.SchemaReady(ctx) }

// Stats tells how the pool is used.
func (db *DB) Stats() sql.DBStats { return db.pool.Stats() }

// SQL gives the pool, for migrations.
func (db *DB) SQL() *sql.DB { return db.pool.DB }

// Close ends all connections, after the queries that run on them.
func (db *DB) Close() error { return db.pool.Close() }
