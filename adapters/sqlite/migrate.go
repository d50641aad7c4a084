package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/ports"
)

const (
	// migrationWait bounds the wait for other processes that write or migrate:
	// bringing a large file up to date takes a while.
	migrationWait = 10 * time.Minute
	// migrationPoll is the pause between two attempts to get the file.
	migrationPoll = 25 * time.Millisecond
	// restoreTimeout bounds giving a connection back as it was.
	restoreTimeout = 10 * time.Second
	// sqliteBusy is SQLite's primary result code of a file that somebody else
	// writes: SQLITE_BUSY.
	sqliteBusy = 5
)

// Migrator implements ports.Migrator for SQLite.
//
// There are no schemas: a table with one is named schema_table, and so are its
// indexes. The types become text (uuid, json), text and varchar (whose size is
// not enforced), integer, bigint, integer primary key autoincrement (serial,
// bigserial), real, boolean, timestamp (text of the layout
// sqlstore.SQLiteTime) and blob. A word index is an FTS5 table of the index's
// name over the table's own content, with triggers that keep it.
//
// Apply takes the write lock of the file first (BEGIN IMMEDIATE), waiting for
// other processes for up to ten minutes, and does all in that transaction. A
// change that SQLite cannot make in place copies the table.
type Migrator struct {
	db *sql.DB
}

var _ ports.Migrator = (*Migrator)(nil)

// NewMigrator makes a Migrator that takes one connection of db at a time. The
// database may be empty.
func NewMigrator(db *sql.DB) *Migrator { return &Migrator{db: db} }

// Plan implements ports.Migrator.
func (m *Migrator) Plan(ctx context.Context, want ports.Schema) (changes []ports.Change, err error) {
	if err := sqlschema.Check(want); err != nil {
		return nil, err
	}
	err = m.transaction(ctx, false, func(conn *sql.Conn) error {
		steps, err := planSchema(ctx, conn, want)
		for _, s := range steps {
			changes = append(changes, s.Change)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("planning the migration: %w", err)
	}
	return changes, nil
}

// Apply implements ports.Migrator.
func (m *Migrator) Apply(ctx context.Context, want ports.Schema, opts ports.ApplyOptions) (changes []ports.Change, err error) {
	if err := sqlschema.Check(want); err != nil {
		return nil, err
	}
	err = m.transaction(ctx, true, func(conn *sql.Conn) error {
		steps, err := planSchema(ctx, conn, want)
		if err != nil {
			return fmt.Errorf("planning the migration: %w", err)
		}
		if changes, err = applySteps(ctx, conn, steps, opts.AllowDrop); err != nil {
			return err
		}
		if opts.Name == "" {
			return nil
		}
		now := time.Now().UTC().Format(sqlstore.SQLiteTime)
		if _, err := conn.ExecContext(ctx, recordApplied, opts.Name, opts.Checksum, now); err != nil {
			return fmt.Errorf("recording the migration: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

func applySteps(ctx context.Context, conn *sql.Conn, steps []migrateStep, allowDrop bool) ([]ports.Change, error) {
	before, err := orphans(ctx, conn)
	if err != nil {
		return nil, err
	}
	changes := make([]ports.Change, 0, len(steps))
	for _, s := range steps {
		if s.Drops && !allowDrop {
			s.Held = true
			changes = append(changes, s.Change)
			continue
		}
		for _, statement := range s.Statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return nil, explain(ctx, conn, s, err)
			}
		}
		changes = append(changes, s.Change)
	}
	after, err := orphans(ctx, conn)
	if err != nil {
		return nil, err
	}
	if after > before {
		return nil, fmt.Errorf("%w: %d rows would refer to rows that do not exist; nothing was changed", ports.ErrSchemaBlocked, after-before)
	}
	return changes, nil
}

// orphans counts the rows that break a foreign key.
func orphans(ctx context.Context, conn *sql.Conn) (n int, err error) {
	err = conn.QueryRowContext(ctx, `SELECT count(*) FROM pragma_foreign_key_check`).Scan(&n)
	return n, err
}

// Status implements ports.Migrator.
func (m *Migrator) Status(ctx context.Context) ([]ports.Applied, error) {
	var there bool
	err := m.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)`, ports.LedgerTable).Scan(&there)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	if !there {
		return nil, nil
	}
	rows, err := m.db.QueryContext(ctx, `SELECT name, checksum, applied FROM `+ports.LedgerTable+` ORDER BY applied, name`)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []ports.Applied
	for rows.Next() {
		var a ports.Applied
		var when string
		if err := rows.Scan(&a.Name, &a.Checksum, &when); err != nil {
			return nil, fmt.Errorf("reading the migrations: %w", err)
		}
		if a.When, err = time.Parse(sqlstore.SQLiteTime, when); err != nil {
			return nil, fmt.Errorf("reading the migrations: %w", err)
		}
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return all, nil
}

// transaction runs do in one transaction on one connection.
//
// Foreign keys are off while it lasts: copying a table drops the old one, which
// would take the rows that refer to it along, and the pragma does nothing
// inside a transaction (https://sqlite.org/pragma.html#pragma_foreign_keys). So
// it cannot be a sql.Tx. legacy_alter_table keeps views and triggers that name
// the copied table as they are.
func (m *Migrator) transaction(ctx context.Context, write bool, do func(*sql.Conn) error) (err error) {
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("beginning the migration: %w", err)
	}
	restore, err := setPragmas(ctx, conn)
	defer func() {
		if restore != nil && restore() != nil {
			// A connection in another state than its pool expects is not given back.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close()
	}()
	if err != nil {
		return fmt.Errorf("beginning the migration: %w", err)
	}
	begin, end := `BEGIN`, `ROLLBACK`
	if write {
		begin, end = `BEGIN IMMEDIATE`, `COMMIT`
	}
	if err := patiently(ctx, conn, begin); err != nil {
		return fmt.Errorf("waiting for the migration lock: %w", err)
	}
	if err := do(conn); err != nil {
		rollback(ctx, conn)
		return err
	}
	if err := patiently(ctx, conn, end); err != nil {
		rollback(ctx, conn)
		return fmt.Errorf("committing the migration: %w", err)
	}
	return nil
}

func rollback(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTimeout)
	defer cancel()
	// It fails when an error has rolled the transaction back already.
	_, _ = conn.ExecContext(ctx, `ROLLBACK`)
}

// setPragmas prepares a connection and returns what undoes it.
func setPragmas(ctx context.Context, conn *sql.Conn) (restore func() error, err error) {
	type pragma struct {
		name   string
		during int
	}
	var undo []string
	restore = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTimeout)
		defer cancel()
		var errs []error
		for _, statement := range undo {
			_, err := conn.ExecContext(ctx, statement)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
	for _, p := range []pragma{{"foreign_keys", 0}, {"legacy_alter_table", 1}, {"busy_timeout", 0}} {
		var old int
		if err := conn.QueryRowContext(ctx, `PRAGMA `+p.name).Scan(&old); err != nil {
			return restore, err
		}
		undo = append(undo, fmt.Sprintf(`PRAGMA %s = %d`, p.name, old))
		if _, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA %s = %d`, p.name, p.during)); err != nil {
			return restore, err
		}
	}
	return restore, nil
}

// patiently executes a statement that waits for others. SQLite's own waiting
// does not end with the context.
func patiently(ctx context.Context, conn *sql.Conn, statement string) error {
	deadline := time.Now().Add(migrationWait)
	for {
		_, err := conn.ExecContext(ctx, statement)
		if !busy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(migrationPoll):
		}
	}
}

func busy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqliteBusy
}

const createLedger = `CREATE TABLE ` + ports.LedgerTable + ` (
 name text NOT NULL,
 checksum text NOT NULL,
 applied text NOT NULL,
 PRIMARY KEY (name, checksum)
)`

// recordApplied adds a record unless the newest one of that name has the same
// checksum. A file that went back to an old form has that record renewed.
const recordApplied = `INSERT INTO ` + ports.LedgerTable + ` (name, checksum, applied)
	SELECT ?1, ?2, ?3
	WHERE NOT EXISTS (
		SELECT 1 FROM ` + ports.LedgerTable + ` l
		WHERE l.name = ?1 AND l.checksum = ?2
		AND l.applied = (SELECT max(applied) FROM ` + ports.LedgerTable + ` WHERE name = ?1))
	ON CONFLICT (name, checksum) DO UPDATE SET applied = excluded.applied`
