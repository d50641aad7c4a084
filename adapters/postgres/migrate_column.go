package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/schema"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/ports"
)

// The column of a word index belongs to the index: it is no attribute, so the comparison of tables is not shown it.
// A trigger of the name triggerPrefix and the column keeps it from telling of words that the row no longer has. An index
// of the name of the word index and bareSuffix has the rows without it; see FillWords.

const (
	triggerPrefix = "templar_words_"
	bareSuffix    = "_bare"

	triggerBody = `BEGIN NEW.%s := NULL; RETURN NEW; END`

	triggerFunction = `CREATE OR REPLACE FUNCTION %s.%s() RETURNS trigger LANGUAGE plpgsql AS $words$%s$words$`
)

// withoutWordColumns is a copy of have that lacks the columns of the word indexes of want, and the indexes of bare rows.
func withoutWordColumns(want ports.Table, have *schema.Table) *schema.Table {
	t := *have
	t.Columns = slices.DeleteFunc(slices.Clone(have.Columns), func(c *schema.Column) bool {
		return slices.ContainsFunc(want.Indexes, func(x ports.Index) bool { return x.Column == c.Name })
	})
	t.Indexes = slices.DeleteFunc(slices.Clone(have.Indexes), func(i *schema.Index) bool {
		return slices.ContainsFunc(want.Indexes, func(x ports.Index) bool { return x.Column != "" && x.Name+bareSuffix == i.Name })
	})
	return &t
}

// createBare is the index of the rows without a word index's column, by the first column of the primary key; "" without
// one.
func createBare(namespace string, t ports.Table, x ports.Index) string {
	for _, a := range t.Attributes {
		if a.PrimaryKey {
			return fmt.Sprintf(`CREATE INDEX %s ON %s.%s USING btree (%s) WHERE (%s IS NULL)`, sqlschema.Ident(x.Name+bareSuffix),
				sqlschema.Ident(namespace), sqlschema.Ident(t.Name), sqlschema.Ident(a.Name), sqlschema.Ident(x.Column))
		}
	}
	return ""
}

// createTrigger is the trigger of a word index's column. It acts on changes of the texts that leave the column as it
// is: whoever makes them knows nothing of it. What is cheaper to compare stands first.
func createTrigger(namespace, table string, x ports.Index) string {
	column := sqlschema.Ident(x.Column)
	texts, changed := make([]string, len(x.Words)), make([]string, len(x.Words))
	for i, w := range x.Words {
		texts[i] = sqlschema.Ident(w)
		changed[i] = fmt.Sprintf(`old.%[1]s IS DISTINCT FROM new.%[1]s`, texts[i])
	}
	name := sqlschema.Ident(triggerPrefix + x.Column)
	return fmt.Sprintf(`CREATE TRIGGER %[1]s BEFORE UPDATE OF %[2]s ON %[3]s.%[4]s FOR EACH ROW`+
		` WHEN (old.%[5]s IS NOT NULL AND NOT (old.%[5]s IS DISTINCT FROM new.%[5]s) AND (%[6]s)) EXECUTE FUNCTION %[3]s.%[1]s()`,
		name, strings.Join(texts, ", "), sqlschema.Ident(namespace), sqlschema.Ident(table), column, strings.Join(changed, " OR "))
}

// enableTrigger has it act on what replication brings, too.
func enableTrigger(namespace, table, name string) string {
	return fmt.Sprintf(`ALTER TABLE %s.%s ENABLE ALWAYS TRIGGER %s`, sqlschema.Ident(namespace), sqlschema.Ident(table), sqlschema.Ident(name))
}

func dropTrigger(namespace, table, name string) string {
	return fmt.Sprintf(`DROP TRIGGER IF EXISTS %s ON %s.%s`, sqlschema.Ident(name), sqlschema.Ident(namespace), sqlschema.Ident(table))
}

// withoutTriggers lets the steps that give a text another type take the triggers away before, which PostgreSQL would
// not do by itself. Those in drop, which may be left out, put them back; of those in add it tells.
func withoutTriggers(namespace string, t ports.Table, add, drop []migrateStep) (retyped bool) {
	for _, x := range t.Indexes {
		if x.Column == "" {
			continue
		}
		gone := dropTrigger(namespace, t.Name, triggerPrefix+x.Column)
		for i := range add {
			if slices.Contains(x.Words, add[i].retypes) {
				retyped = true
				add[i].Statements = append([]string{gone}, add[i].Statements...)
			}
		}
		for i := range drop {
			if slices.Contains(x.Words, drop[i].retypes) {
				drop[i].Statements = slices.Concat([]string{gone}, drop[i].Statements, []string{createTrigger(namespace, t.Name, x), enableTrigger(namespace, t.Name, triggerPrefix+x.Column)})
			}
		}
	}
	return retyped
}

// dropOldTriggers lists the steps for triggers of columns that are described no longer.
func dropOldTriggers(ctx context.Context, tx *sql.Tx, namespace string, t ports.Table) ([]migrateStep, error) {
	rows, err := tx.QueryContext(ctx, `SELECT g.tgname FROM pg_catalog.pg_trigger g
		JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2 AND NOT g.tgisinternal AND pg_catalog.starts_with(g.tgname, $3) ORDER BY 1`,
		namespace, t.Name, triggerPrefix)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var steps []migrateStep
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(t.Indexes, func(x ports.Index) bool { return x.Column != "" && triggerPrefix+x.Column == name }) {
			steps = append(steps, migrateStep{Change: ports.Change{
				Summary:    fmt.Sprintf("drop trigger %q of table %q", name, namespace+"."+t.Name),
				Statements: []string{dropTrigger(namespace, t.Name, name)},
			}})
		}
	}
	return steps, rows.Err()
}

// planWordColumn lists the steps for the column of one word index, its trigger, and the index of the rows without it.
func planWordColumn(ctx context.Context, tx *sql.Tx, namespace string, t ports.Table, x ports.Index, retyped bool) ([]migrateStep, error) {
	if x.Column == "" {
		return nil, nil
	}
	if err := agree(ctx, tx); err != nil {
		return nil, err
	}
	table := t.Name
	have, err := lookAtColumn(ctx, tx, namespace, table, x)
	if err != nil {
		return nil, err
	}
	full := namespace + "." + table
	var steps []migrateStep
	switch have.kind.String {
	case "bigint[]":
	case "":
		steps = append(steps, migrateStep{Change: ports.Change{
			Summary:    fmt.Sprintf("add column %q to table %q", x.Column, full),
			Statements: []string{fmt.Sprintf(`ALTER TABLE %s.%s ADD COLUMN %s bigint[]`, sqlschema.Ident(namespace), sqlschema.Ident(table), sqlschema.Ident(x.Column))},
		}})
	default:
		return nil, fmt.Errorf("the column %q of its word index %q is there with the type %s instead of bigint[]: rename or drop it, then run the migration again",
			x.Column, x.Name, have.kind.String)
	}
	name := triggerPrefix + x.Column
	create, body := createTrigger(namespace, table, x), fmt.Sprintf(triggerBody, sqlschema.Ident(x.Column))
	if have.body.String != body {
		steps = append(steps, migrateStep{Change: ports.Change{
			Summary:    fmt.Sprintf("create function %q", name),
			Statements: []string{fmt.Sprintf(triggerFunction, sqlschema.Ident(namespace), sqlschema.Ident(name), body)},
		}})
	}
	if retyped || bareIndex(have.trigger.String, namespace) != bareIndex(create, namespace) {
		steps = append(steps, migrateStep{Change: ports.Change{
			Summary:    fmt.Sprintf("create trigger %q on table %q", name, full),
			Statements: []string{dropTrigger(namespace, table, name), create, enableTrigger(namespace, table, name)},
		}})
	}
	if bare := createBare(namespace, t, x); bare != "" && bareIndex(have.bare.String, namespace) != bareIndex(bare, namespace) {
		steps = append(steps, migrateStep{Change: ports.Change{
			Summary:    fmt.Sprintf("create index %q on table %q", x.Name+bareSuffix, full),
			Statements: []string{fmt.Sprintf(`DROP INDEX IF EXISTS %s.%s`, sqlschema.Ident(namespace), sqlschema.Ident(x.Name+bareSuffix)), bare},
		}})
	}
	return steps, nil
}

// wordColumn is what there is of a word index's column: its type, its trigger unless it is disabled, the index of bare
// rows, and the body of the function.
type wordColumn struct{ kind, trigger, bare, body sql.NullString }

func lookAtColumn(ctx context.Context, tx *sql.Tx, namespace, table string, x ports.Index) (have wordColumn, err error) {
	err = tx.QueryRowContext(ctx, `SELECT (SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a
			WHERE a.attrelid = c.oid AND a.attname = $3 AND NOT a.attisdropped),
		(SELECT pg_catalog.pg_get_triggerdef(g.oid) FROM pg_catalog.pg_trigger g
			WHERE g.tgrelid = c.oid AND g.tgname = $4 AND g.tgenabled = 'A'),
		(SELECT pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class b ON b.oid = i.indexrelid
			WHERE i.indrelid = c.oid AND b.relname = $5 AND i.indisvalid)
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2`, namespace, table, x.Column, triggerPrefix+x.Column, x.Name+bareSuffix).Scan(&have.kind, &have.trigger, &have.bare)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return have, err
	}
	err = tx.QueryRowContext(ctx, `SELECT p.prosrc FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname = $1 AND p.proname = $2 AND p.pronargs = 0`, namespace, triggerPrefix+x.Column).Scan(&have.body)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return have, err
}
