package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/migrate"
	atlas "ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/ports"
)

// migrationLock is the advisory lock of a database under which its schema is
// changed: "Templar" in ASCII.
const migrationLock = 0x54656d706c6172

// Migrator implements ports.Migrator for PostgreSQL.
//
// The types become uuid, text, varchar, integer, bigint, serial, bigserial,
// double precision, boolean, timestamp without time zone, bytea and jsonb. A
// word index is a GIN index over the function templar_word_hashes, which the
// migrator makes beside the table, with a bigint[] and a trigger if it has a
// column.
//
// Apply works in one transaction that takes an advisory lock first, so that
// several instances that start at once queue up and find nothing left to do.
// The tables that change are locked until it ends. The transaction sets every
// time-out of the server to none; the context is what bounds it.
type Migrator struct {
	db *sql.DB
}

var _ ports.Migrator = (*Migrator)(nil)

// NewMigrator makes a Migrator that takes one connection of db at a time. The
// database may be empty.
func NewMigrator(db *sql.DB) *Migrator { return &Migrator{db: db} }

// migrateStep is a change with what is needed to explain its failure.
type migrateStep struct {
	ports.Change
	// unique is the index that the step adds, if it is unique, and table where.
	unique *schema.Index
	table  *schema.Table
	// fills is set where an index is made over rows that are there.
	fills bool
	// retypes is the column that gets another type; "" where none does.
	retypes string
}

// Plan implements ports.Migrator. It runs in a read-only transaction.
func (m *Migrator) Plan(ctx context.Context, want ports.Schema) ([]ports.Change, error) {
	if err := sqlschema.Check(want); err != nil {
		return nil, err
	}
	tx, err := m.begin(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	steps, err := planSchema(ctx, tx, want)
	if err != nil {
		return nil, fmt.Errorf("planning the migration: %w", err)
	}
	changes := make([]ports.Change, len(steps))
	for i, s := range steps {
		changes[i] = s.Change
	}
	return changes, nil
}

// Apply implements ports.Migrator.
func (m *Migrator) Apply(ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
	if err := sqlschema.Check(want); err != nil {
		return nil, err
	}
	tx, err := m.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
		return nil, fmt.Errorf("waiting for the migration lock: %w", migrateErr(ctx, err))
	}
	steps, err := planSchema(ctx, tx, want)
	if err != nil {
		return nil, fmt.Errorf("planning the migration: %w", migrateErr(ctx, err))
	}
	changes := make([]ports.Change, 0, len(steps))
	for _, s := range steps {
		if s.Drops && !opts.AllowDrop {
			s.Held = true
			changes = append(changes, s.Change)
			continue
		}
		for _, statement := range s.Statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				_ = tx.Rollback()
				return nil, m.explain(ctx, s, err)
			}
		}
		changes = append(changes, s.Change)
	}
	if opts.Name != "" {
		if _, err := tx.ExecContext(ctx, recordApplied, opts.Name, opts.Checksum); err != nil {
			return nil, fmt.Errorf("recording the migration: %w", migrateErr(ctx, err))
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("committing the migration: %w", migrateErr(ctx, err))
	}
	return changes, nil
}

// Status implements ports.Migrator.
func (m *Migrator) Status(ctx context.Context) ([]ports.Applied, error) {
	var there bool
	if err := m.db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, ports.LedgerTable).Scan(&there); err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", migrateErr(ctx, err))
	}
	if !there {
		return nil, nil
	}
	rows, err := m.db.QueryContext(ctx, `SELECT name, checksum, applied FROM `+ports.LedgerTable+` ORDER BY applied, name`)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", migrateErr(ctx, err))
	}
	defer func() { _ = rows.Close() }()
	var all []ports.Applied
	for rows.Next() {
		var a ports.Applied
		if err := rows.Scan(&a.Name, &a.Checksum, &a.When); err != nil {
			return nil, fmt.Errorf("reading the migrations: %w", err)
		}
		a.When = a.When.UTC()
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", migrateErr(ctx, err))
	}
	return all, nil
}

// begin opens a transaction without the server's time-outs. Each statement of
// it sees what others have committed before (read committed), which is what
// makes planning behind the lock right.
func (m *Migrator) begin(ctx context.Context, readOnly bool) (*sql.Tx, error) {
	tx, err := m.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted, ReadOnly: readOnly})
	if err != nil {
		return nil, fmt.Errorf("beginning the migration: %w", migrateErr(ctx, err))
	}
	for _, set := range []string{
		`SET LOCAL statement_timeout = 0`,
		`SET LOCAL lock_timeout = 0`,
		`SET LOCAL idle_in_transaction_session_timeout = 0`,
		// Building a large index with little memory takes several times as long.
		`SELECT set_config('maintenance_work_mem', '256MB', true)
			WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('256MB')`,
	} {
		if _, err := tx.ExecContext(ctx, set); err != nil {
			_ = tx.Rollback()
			return nil, fmt.Errorf("beginning the migration: %w", migrateErr(ctx, err))
		}
	}
	return tx, nil
}

const createLedger = `CREATE TABLE ` + ports.LedgerTable + ` (
 name text NOT NULL,
 checksum text NOT NULL,
 applied timestamp without time zone NOT NULL,
 PRIMARY KEY (name, checksum)
)`

// recordApplied adds a record unless the newest one of that name has the same
// checksum. A file that went back to an old form has that record renewed.
const recordApplied = `INSERT INTO ` + ports.LedgerTable + ` (name, checksum, applied)
	SELECT $1::text, $2::text, timezone('utc', clock_timestamp())
	WHERE NOT EXISTS (
		SELECT FROM ` + ports.LedgerTable + ` l
		WHERE l.name = $1 AND l.checksum = $2
		AND l.applied = (SELECT max(applied) FROM ` + ports.LedgerTable + ` WHERE name = $1))
	ON CONFLICT (name, checksum) DO UPDATE SET applied = excluded.applied`

// planSchema lists the steps from the database to want: first what only adds, then
// what drops.
func planSchema(ctx context.Context, tx *sql.Tx, want ports.Schema) ([]migrateStep, error) {
	var steps, drops []migrateStep
	var current sql.NullString
	if err := tx.QueryRowContext(ctx, `SELECT current_schema()`).Scan(&current); err != nil {
		return nil, err
	}
	if !current.Valid {
		return nil, errors.New("the search_path of the connection names no schema that exists")
	}
	present, err := namespaces(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, name := range want.Schemas {
		if !present[name] {
			present[name] = true
			steps = append(steps, migrateStep{Change: ports.Change{
				Summary:    fmt.Sprintf("create schema %q", name),
				Statements: []string{`CREATE SCHEMA ` + sqlschema.Ident(name)},
			}})
		}
	}
	var ledger bool
	err = tx.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, ports.LedgerTable).Scan(&ledger)
	if err != nil {
		return nil, err
	}
	if !ledger {
		steps = append(steps, migrateStep{Change: ports.Change{
			Summary:    fmt.Sprintf("create table %q", ports.LedgerTable),
			Statements: []string{createLedger},
		}})
	}
	driver, err := atlas.Open(tx)
	if err != nil {
		return nil, err
	}
	for _, t := range want.Tables {
		namespace := t.Schema
		if namespace == "" {
			namespace = current.String
		}
		if !present[namespace] {
			return nil, fmt.Errorf("table %q: there is no schema %q, and none is described", t.Name, namespace)
		}
		exists, add, drop, err := planTable(ctx, tx, driver, namespace, t)
		if err != nil {
			return nil, fmt.Errorf("table %q: %w", t.Name, err)
		}
		retyped := withoutTriggers(namespace, t, add, drop)
		words, err := planWords(ctx, tx, namespace, t, exists, retyped)
		if err != nil {
			return nil, fmt.Errorf("table %q: %w", t.Name, err)
		}
		add = append(add, words...)
		if slices.ContainsFunc(add, func(s migrateStep) bool { return s.fills }) {
			// New keys have no statistics before this, and no plan is good without.
			add = append(add, migrateStep{Change: ports.Change{
				Summary:    fmt.Sprintf("analyze table %q", namespace+"."+t.Name),
				Statements: []string{`ANALYZE ` + sqlschema.Ident(namespace) + `.` + sqlschema.Ident(t.Name)},
			}})
		}
		steps = append(steps, add...)
		drops = append(drops, drop...)
	}
	return append(dedupSteps(steps), drops...), nil
}

// dedupSteps leaves out a statement that an earlier step has: two tables with word
// indexes share one function.
func dedupSteps(steps []migrateStep) []migrateStep {
	seen := map[string]bool{}
	var kept []migrateStep
	for _, s := range steps {
		key := strings.Join(s.Statements, ";")
		if !seen[key] {
			kept = append(kept, s)
		}
		seen[key] = true
	}
	return kept
}

func namespaces(ctx context.Context, tx *sql.Tx) (map[string]bool, error) {
	rows, err := tx.QueryContext(ctx, `SELECT nspname FROM pg_catalog.pg_namespace`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	present := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		present[name] = true
	}
	return present, rows.Err()
}

// planTable lists the steps for one table, and tells whether it exists.
func planTable(ctx context.Context, tx *sql.Tx, driver migrate.Driver, namespace string, want ports.Table) (exists bool, add, drop []migrateStep, err error) {
	have, err := inspectTable(ctx, tx, driver, namespace, want.Name)
	if err != nil {
		return false, nil, nil, err
	}
	e := schemaEngine{}
	if have == nil {
		t := sqlschema.Fresh(e, want, want.Name, schema.New(namespace))
		statements, err := writeChange(ctx, driver, &schema.AddTable{T: t})
		if err != nil {
			return false, nil, nil, err
		}
		return false, []migrateStep{{Change: ports.Change{
			Summary:    fmt.Sprintf("create table %q", sqlschema.TableName(t)),
			Statements: statements,
		}}}, nil, nil
	}
	target := sqlschema.Reconcile(e, want, withoutWordColumns(want, have))
	if add, err = tableSteps(ctx, driver, target.Have, target.Kept, false); err != nil {
		return false, nil, nil, err
	}
	drop, err = tableSteps(ctx, driver, target.Kept, target.Full, true)
	return true, add, drop, err
}

// tableSteps is one step for each change from one form of a table to another.
func tableSteps(ctx context.Context, driver migrate.Driver, from, to *schema.Table, drops bool) ([]migrateStep, error) {
	// The differ without a connection: the one with a connection compares
	// defaults by executing them.
	changes, err := atlas.DefaultDiff.TableDiff(from, to)
	if err != nil {
		return nil, err
	}
	var steps []migrateStep
	for _, c := range sqlschema.Ordered(changes) {
		statements, err := writeChange(ctx, driver, &schema.ModifyTable{T: to, Changes: []schema.Change{c}})
		if err != nil {
			return nil, err
		}
		s := migrateStep{table: to, Change: ports.Change{
			Summary: sqlschema.Describe(to, c), Statements: statements, Drops: drops,
		}}
		switch c := c.(type) {
		case *schema.ModifyColumn:
			if c.Change.Is(schema.ChangeType) {
				s.retypes = c.To.Name
			}
		case *schema.AddIndex:
			s.unique, s.fills = c.I, true
		case *schema.ModifyIndex:
			s.unique = c.To
		case *schema.AddPrimaryKey:
			s.unique = c.P
		case *schema.ModifyPrimaryKey:
			s.unique = c.To
		}
		if s.unique != nil && !s.unique.Unique {
			s.unique = nil
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// writeChange has Atlas write the statements of one change.
func writeChange(ctx context.Context, driver migrate.Driver, change schema.Change) ([]string, error) {
	p, err := driver.PlanChanges(ctx, "templar", []schema.Change{change})
	if err != nil {
		return nil, err
	}
	statements := make([]string, len(p.Changes))
	for i, c := range p.Changes {
		statements[i] = c.Cmd
	}
	return statements, nil
}
