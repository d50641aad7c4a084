package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/schema"
	atlas "ariga.io/atlas/sql/sqlite"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/ports"
)

// migrateStep is a change with what is needed to explain its failure.
type migrateStep struct {
	ports.Change
	// unique are the unique indexes that the step adds to table.
	unique []*schema.Index
	table  string
}

// planSchema lists the steps from the database to want: first what only adds,
// then what drops.
func planSchema(ctx context.Context, conn *sql.Conn, want ports.Schema) ([]migrateStep, error) {
	var steps, drops []migrateStep
	name, err := realName(ctx, conn, ports.LedgerTable)
	if err != nil {
		return nil, err
	}
	if name == "" {
		steps = append(steps, migrateStep{Change: ports.Change{
			Summary:    fmt.Sprintf("create table %q", ports.LedgerTable),
			Statements: []string{createLedger},
		}})
	}
	tables, err := physical(want.Tables)
	if err != nil {
		return nil, err
	}
	driver, err := atlas.Open(conn)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		add, drop, err := planTable(ctx, conn, driver, t)
		if err != nil {
			return nil, fmt.Errorf("table %q: %w", t.Name, err)
		}
		words, err := planWords(ctx, conn, t)
		if err != nil {
			return nil, fmt.Errorf("table %q: %w", t.Name, err)
		}
		steps = append(append(steps, add...), words...)
		drops = append(drops, drop...)
	}
	return append(steps, drops...), nil
}

// physical gives tables and indexes the names that they have in SQLite.
func physical(tables []ports.Table) ([]ports.Table, error) {
	taken := map[string]string{strings.ToLower(ports.LedgerTable): "the list of applied migrations"}
	claim := func(name, what string) error {
		key := strings.ToLower(name)
		if before, ok := taken[key]; ok {
			return fmt.Errorf("%s and %s would both be named %q in SQLite, which has no schemas", before, what, name)
		}
		taken[key] = what
		return nil
	}
	named := make([]ports.Table, len(tables))
	for i, t := range tables {
		prefix := ""
		if t.Schema != "" {
			prefix = t.Schema + "_"
		}
		n := t
		n.Schema, n.Name, n.Indexes = "", prefix+t.Name, slices.Clone(t.Indexes)
		if err := claim(n.Name, fmt.Sprintf("the table %q of the schema %q", t.Name, t.Schema)); err != nil {
			return nil, err
		}
		for j := range n.Indexes {
			x := &n.Indexes[j]
			x.Name = prefix + x.Name
			if err := claim(x.Name, fmt.Sprintf("an index of the table %q", n.Name)); err != nil {
				return nil, err
			}
		}
		named[i] = n
	}
	return named, nil
}

// realName is a table's name in the spelling of the database, "" where there is
// none.
func realName(ctx context.Context, conn *sql.Conn, name string) (string, error) {
	var found string
	err := conn.QueryRowContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE`, name).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return found, err
}

// planTable lists the steps for one table.
func planTable(ctx context.Context, conn *sql.Conn, driver migrate.Driver, want ports.Table) (add, drop []migrateStep, err error) {
	name, err := realName(ctx, conn, want.Name)
	if err != nil {
		return nil, nil, err
	}
	e := schemaEngine{}
	if name == "" {
		t := sqlschema.Fresh(e, want, want.Name, nil)
		statements, err := writeChange(ctx, driver, &schema.AddTable{T: t})
		if err != nil {
			return nil, nil, err
		}
		return []migrateStep{{Change: ports.Change{
			Summary:    fmt.Sprintf("create table %q", t.Name),
			Statements: statements,
		}}}, nil, nil
	}
	s, err := driver.InspectSchema(ctx, "", &schema.InspectOptions{
		Mode: schema.InspectSchemas | schema.InspectTables, Tables: []string{name},
	})
	if err != nil {
		return nil, nil, err
	}
	have, ok := s.Table(name)
	if !ok {
		return nil, nil, errors.New("the table could not be inspected")
	}
	have.Schema = nil
	target := sqlschema.Reconcile(e, want, have)
	if add, err = tableSteps(ctx, conn, driver, target.Have, target.Kept, false); err != nil {
		return nil, nil, err
	}
	drop, err = tableSteps(ctx, conn, driver, target.Kept, target.Full, true)
	return add, drop, err
}

// tableSteps is one step for each change from one form of a table to another,
// or a single one that copies it.
func tableSteps(ctx context.Context, conn *sql.Conn, driver migrate.Driver, from, to *schema.Table, drops bool) ([]migrateStep, error) {
	changes, err := atlas.DefaultDiff.TableDiff(from, to)
	if err != nil {
		return nil, err
	}
	var steps []migrateStep
	for _, c := range sqlschema.Ordered(changes) {
		s := migrateStep{table: to.Name, Change: ports.Change{Summary: sqlschema.Describe(to, c), Drops: drops}}
		parts := []schema.Change{c}
		if changed, ok := c.(*schema.ModifyIndex); ok {
			parts = []schema.Change{&schema.DropIndex{I: changed.From}, &schema.AddIndex{I: changed.To}}
		}
		s.unique = uniqueOf(c)
		s.Statements, err = writeChange(ctx, driver, &schema.ModifyTable{T: to, Changes: parts})
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(s.Statements, isCopy) || isConstraint(c) {
			return copyTable(ctx, conn, driver, to, changes, drops)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// uniqueOf is the unique index that a change adds.
func uniqueOf(change schema.Change) []*schema.Index {
	var x *schema.Index
	switch c := change.(type) {
	case *schema.AddIndex:
		x = c.I
	case *schema.ModifyIndex:
		x = c.To
	}
	if x == nil || !x.Unique {
		return nil
	}
	return []*schema.Index{x}
}

// isCopy tells whether a statement belongs to the copying of a table.
func isCopy(statement string) bool { return strings.HasPrefix(statement, "DROP TABLE") }

// isConstraint tells whether an index that goes is part of its table, so that
// it cannot be dropped by itself.
func isConstraint(c schema.Change) bool {
	var x *schema.Index
	switch c := c.(type) {
	case *schema.DropIndex:
		x = c.I
	case *schema.ModifyIndex:
		x = c.From
	default:
		return false
	}
	return slices.ContainsFunc(x.Attrs, func(a schema.Attr) bool {
		o, ok := a.(*atlas.IndexOrigin)
		return ok && o.O != "c"
	})
}

// copyTable is the step that makes several changes by copying the table, with
// its indexes, its triggers and its counter.
func copyTable(ctx context.Context, conn *sql.Conn, driver migrate.Driver, to *schema.Table, changes []schema.Change, drops bool) ([]migrateStep, error) {
	var summaries []string
	var columns []schema.Change
	var unique []*schema.Index
	for _, c := range sqlschema.Ordered(changes) {
		summaries = append(summaries, sqlschema.Describe(to, c))
		unique = append(unique, uniqueOf(c)...)
		switch c.(type) {
		case *schema.AddIndex, *schema.DropIndex, *schema.ModifyIndex:
		default:
			columns = append(columns, c)
		}
	}
	if len(columns) == 0 {
		// Only a constraint goes; something has to ask for the copy.
		columns = append(columns, &schema.ModifyPrimaryKey{From: to.PrimaryKey, To: to.PrimaryKey})
	}
	bare := *to
	bare.Indexes = nil
	all, err := writeChange(ctx, driver, &schema.ModifyTable{T: &bare, Changes: columns})
	if err != nil {
		return nil, err
	}
	statements := slices.DeleteFunc(all, func(s string) bool { return strings.HasPrefix(s, "PRAGMA") })
	for _, x := range to.Indexes {
		create, err := createIndex(ctx, driver, &bare, x)
		if err != nil {
			return nil, err
		}
		statements = append(statements, create...)
	}
	after, err := triggersAndCounter(ctx, conn, to.Name)
	if err != nil {
		return nil, err
	}
	return []migrateStep{{table: to.Name, unique: unique, Change: ports.Change{
		Summary:    strings.Join(summaries, "; ") + " (by copying the table)",
		Statements: append(statements, after...),
		Drops:      drops,
	}}}, nil
}

// createIndex is the statement by which an index was made, or will be.
func createIndex(ctx context.Context, driver migrate.Driver, t *schema.Table, x *schema.Index) ([]string, error) {
	for _, a := range x.Attrs {
		if s, ok := a.(*atlas.CreateStmt); ok && s.S != "" {
			return []string{s.S}, nil
		}
	}
	return writeChange(ctx, driver, &schema.ModifyTable{T: t, Changes: []schema.Change{&schema.AddIndex{I: x}}})
}

// triggersAndCounter lists the statements that give a copied table what the
// dropped one had beside its rows.
func triggersAndCounter(ctx context.Context, conn *sql.Conn, table string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, `SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE`, table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var statements []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		statements = append(statements, s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	counters, err := realName(ctx, conn, "sqlite_sequence")
	if err != nil || counters == "" {
		return statements, err
	}
	var seq int64
	err = conn.QueryRowContext(ctx, `SELECT seq FROM sqlite_sequence WHERE name = ?`, table).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return statements, nil
	}
	return append(statements,
		fmt.Sprintf(`DELETE FROM sqlite_sequence WHERE name = %s`, sqlschema.Quote(table)),
		fmt.Sprintf(`INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %d)`, sqlschema.Quote(table), seq)), err
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
