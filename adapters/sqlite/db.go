// Package sqlite keeps templates and keys in one SQLite file, through sqlx and modernc.org/sqlite (no cgo). Several
// processes may have the file open at once.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
)

// Config says where the database is.
type Config struct {
	// Path is the file; it and its folder are made where they are missing, readable for their owner alone.
	Path string
	// MaxConns is the number of connections for reading; 0 is 2 for each core and at least 4. One more writes.
	MaxConns int
	// Observe is told of every query of the stores; nil for nobody.
	Observe func(query string, took time.Duration, err error)
	// Wrap puts something around the driver, such as tracing; nil for nothing.
	Wrap func(driver.Connector) driver.Connector
}

// busyTimeout is how long SQLite waits for a writer in another process at a time. No context ends that wait, so it is
// short, and the stores ask again.
const busyTimeout = 250 * time.Millisecond

// DB is an open file. One connection writes, so that writers of this process queue in order instead of fighting for
// the file's lock; readers run beside it. It is safe for concurrent use.
type DB struct {
	read, write *sqlx.DB
	handle      *sqlstore.Handle
}

var (
	_ ports.Probe       = (*DB)(nil)
	_ template.Database = (*sqlstore.Templates)(nil)
	_ auth.KeyStore     = (*sqlstore.Keys)(nil)
)

func init() { sqlx.BindDriver("sqlite", sqlx.QUESTION) }

// Open opens the file, or makes it. It fails when that cannot be done.
func Open(c Config) (*DB, error) {
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("open the SQLite database %s: %w", c.Path, err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open the SQLite database: %w", err)
	}
	readers := c.MaxConns
	if readers <= 0 {
		readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	db := &DB{}
	// The writer takes its lock when a transaction begins, not at its first change, when it might be too late to wait.
	if db.write, err = c.pool(path, 1, url.Values{"_txlock": {"immediate"}}); err != nil {
		return nil, err
	}
	if db.read, err = c.pool(path, readers, url.Values{"_pragma": {"query_only(1)"}}); err != nil {
		_ = db.write.Close() // nothing was written
		return nil, err
	}
	db.handle = sqlstore.NewHandle(db.read, db.write, dialect, c.Observe)
	return db, nil
}

// create makes the file and its folder, because SQLite would give everybody leave to read it.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func (c Config) pool(path string, conns int, more url.Values) (*sqlx.DB, error) {
	// WAL lets readers and the writer run side by side; with synchronous=FULL a commit has reached the disk.
	query := url.Values{"_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}, more["_pragma"]...)}
	if lock := more.Get("_txlock"); lock != "" {
		query.Set("_txlock", lock)
	}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}
	var connector driver.Connector
	connector, err := sqlite.NewConnector(file.String())
	if err != nil {
		return nil, fmt.Errorf("open the SQLite database %s: %w", path, err)
	}
	connector = keeper{connector}
	if c.Wrap != nil {
		connector = c.Wrap(connector)
	}
	pool := sqlx.NewDb(sql.OpenDB(connector), "sqlite")
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool, nil
}

// Templates gives the store of templates.
func (db *DB) Templates() *sqlstore.Templates { return db.handle.Templates() }

// Keys gives the store of keys.
func (db *DB) Keys() *sqlstore.Keys { return db.handle.Keys() }

// Ping implements ports.Probe: it reads the file.
func (db *DB) Ping(ctx context.Context) error { return db.handle.Ping(ctx) }

// ProbeQuery reads one column of any one row of a table, which may have its schema's name and a dot before it. Both
// are taken as identifiers, never as SQL. An Unavailable fault when it cannot be read, or does not exist.
func (db *DB) ProbeQuery(ctx context.Context, table, column string) error {
	return db.handle.ProbeQuery(ctx, table, column)
}

// SchemaReady tells whether the tables are in place; an Unavailable fault when they are not, or cannot be seen.
func (db *DB) SchemaReady(ctx context.Context) error { return db.handle.SchemaReady(ctx) }

// Stats tells how the pool for reading is used.
func (db *DB) Stats() sql.DBStats { return db.read.Stats() }

// SQL gives the connection that writes, for migrations. While somebody holds it, writers wait.
func (db *DB) SQL() *sql.DB { return db.write.DB }

// Close ends all connections, after the queries that run on them.
func (db *DB) Close() error {
	err := db.read.Close()
	if e := db.write.Close(); err == nil {
		err = e
	}
	return err
}
