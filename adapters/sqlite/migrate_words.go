package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/ports"
)

// wordsObject is one of the things that make a word index.
type wordsObject struct {
	kind, name, create string
}

// wordsObjects are the FTS5 table of a word index and the triggers that keep it
// (https://sqlite.org/fts5.html#external_content_tables). The rows are told
// apart by the serial primary key, which is the row id.
func wordsObjects(t ports.Table, x ports.Index) []wordsObject {
	id := sqlschema.Ident(t.PrimaryKey()[0].Name)
	table, words := sqlschema.Ident(t.Name), sqlschema.Ident(x.Name)
	columns := make([]string, len(x.Words))
	for i, w := range x.Words {
		columns[i] = sqlschema.Ident(w)
	}
	list := strings.Join(columns, ", ")
	of := func(row string) string {
		values := make([]string, len(columns)+1)
		values[0] = row + "." + id
		for i, c := range columns {
			values[i+1] = row + "." + c
		}
		return strings.Join(values, ", ")
	}
	add := fmt.Sprintf("INSERT INTO %s (rowid, %s) VALUES (%s);", words, list, of("new"))
	remove := fmt.Sprintf("INSERT INTO %s (%s, rowid, %s) VALUES ('delete', %s);", words, words, list, of("old"))
	trigger := func(suffix, event, do string) wordsObject {
		name := x.Name + suffix
		return wordsObject{"trigger", name, fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s BEGIN %s END", sqlschema.Ident(name), event, table, do)}
	}
	return []wordsObject{
		{"table", x.Name, fmt.Sprintf("CREATE VIRTUAL TABLE %s USING fts5(%s, content=%s, content_rowid=%s, detail=none, columnsize=0, tokenize=\"unicode61 remove_diacritics 0\")",
			words, list, sqlschema.Quote(t.Name), sqlschema.Quote(t.PrimaryKey()[0].Name))},
		trigger("_insert", "INSERT", add),
		trigger("_delete", "DELETE", remove),
		trigger("_update", fmt.Sprintf("UPDATE OF %s, %s", id, list), remove+" "+add),
	}
}

// planWords lists the steps for the word indexes of one table. What is not as
// it should be is made anew and filled from the table; nothing is lost by that.
func planWords(ctx context.Context, conn *sql.Conn, t ports.Table) ([]migrateStep, error) {
	var steps []migrateStep
	for _, x := range t.Indexes {
		if len(x.Words) == 0 {
			continue
		}
		var statements []string
		for _, o := range wordsObjects(t, x) {
			var have sql.NullString
			err := conn.QueryRowContext(ctx, `SELECT max(sql) FROM sqlite_master WHERE type = ? AND name = ? COLLATE NOCASE`, o.kind, o.name).Scan(&have)
			if err != nil {
				return nil, err
			}
			if have.String == o.create {
				continue
			}
			if have.Valid && o.kind == "table" && !strings.HasPrefix(have.String, "CREATE VIRTUAL TABLE") {
				return nil, fmt.Errorf("the name of its word index %q is taken by a table", x.Name)
			}
			if have.Valid {
				statements = append(statements, fmt.Sprintf(`DROP %s %s`, strings.ToUpper(o.kind), sqlschema.Ident(o.name)))
			}
			statements = append(statements, o.create)
		}
		if len(statements) == 0 {
			continue
		}
		statements = append(statements, fmt.Sprintf(`INSERT INTO %s (%s) VALUES ('rebuild')`, sqlschema.Ident(x.Name), sqlschema.Ident(x.Name)))
		steps = append(steps, migrateStep{Change: ports.Change{
			Summary:    fmt.Sprintf("create word index %q on table %q", x.Name, t.Name),
			Statements: statements,
		}})
	}
	return steps, nil
}
