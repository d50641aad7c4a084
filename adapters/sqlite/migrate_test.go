package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/adapters/sqlite"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
)

// seedTable is what the table of Templar's predecessor would be in SQLite.
const seedTable = `CREATE TABLE templates (
	tidx integer primary key autoincrement,
	templateid uuid not null default (lower(hex(randomblob(16)))),
	name varchar default '', description varchar default '', content varchar default '',
	created timestamp default CURRENT_TIMESTAMP, modified timestamp default CURRENT_TIMESTAMP
)`

func TestMigrator(t *testing.T) {
	contract.Migrator(t, contract.MigratorHarness{Open: func(t *testing.T) contract.MigratorSubject {
		return migratorSubject(t, filepath.Join(t.TempDir(), "test.db"))
	}})
}

func migratorSubject(t *testing.T, path string) contract.MigratorSubject {
	db := openSQL(t, path)
	return contract.MigratorSubject{
		Migrator: func() ports.Migrator { return sqlite.NewMigrator(openSQL(t, path)) },
		Exec: func(ctx context.Context, statement string) error {
			_, err := db.ExecContext(ctx, statement)
			return err
		},
		Value:     valueOf(db),
		Table:     func(schema, name string) string { return schema + "_" + name },
		SeedTable: seedTable,
	}
}

func openSQL(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func valueOf(db *sql.DB) func(context.Context, string) (string, error) {
	return func(ctx context.Context, query string) (string, error) {
		var v sql.NullString
		err := db.QueryRowContext(ctx, query).Scan(&v)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !v.Valid {
			return "<none>", nil
		}
		return v.String, err
	}
}

func migrateUp(t *testing.T, db *sql.DB) []ports.Change {
	t.Helper()
	want, err := migrations.Templar().Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := sqlite.NewMigrator(db).Apply(t.Context(), want, ports.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func wantValue(t *testing.T, db *sql.DB, query, want string) {
	t.Helper()
	if got, err := valueOf(db)(t.Context(), query); err != nil || got != want {
		t.Errorf("%s: got %q, %v, want %q", query, got, err, want)
	}
}

// Copying a table must take nothing along: neither rows that refer to it, nor
// triggers, views, indexes made by hand, or the counter of its keys.
func TestACopiedTableLosesNothing(t *testing.T) {
	db := openSQL(t, filepath.Join(t.TempDir(), "test.db"))
	exec(t, db,
		`CREATE TABLE parents (id integer PRIMARY KEY AUTOINCREMENT, note text, spare text CHECK (spare <> 'no'))`,
		`CREATE TABLE children (parent integer REFERENCES parents (id) ON DELETE CASCADE)`,
		`CREATE TABLE log (line text)`,
		`CREATE INDEX by_hand ON parents (lower(note)) WHERE spare IS NOT NULL`,
		`CREATE TRIGGER noted AFTER INSERT ON parents BEGIN INSERT INTO log VALUES (new.note); END`,
		`CREATE VIEW shown AS SELECT note FROM parents`,
		`INSERT INTO parents (note, spare) VALUES ('a', 'x'), ('b', 'y'), ('c', 'z')`, `INSERT INTO children VALUES (1), (2)`,
		`DELETE FROM parents WHERE id = 3`)
	want := ports.Schema{Tables: []ports.Table{{Name: "parents", Attributes: []ports.Attribute{
		{Name: "id", Type: ports.TypeSerial, PrimaryKey: true},
		{Name: "note", Type: ports.TypeText, Required: true},
		{Name: "made", Type: ports.TypeTimestamp, Default: &ports.Default{Kind: ports.DefaultNow}},
	}}}}
	m := sqlite.NewMigrator(db)
	changes, err := m.Apply(t.Context(), want, ports.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(fmt.Sprint(changes), "by copying the table") {
		t.Fatalf("the table was not copied: %v", changes)
	}
	wantValue(t, db, `SELECT count(*) FROM children`, "2")
	wantValue(t, db, `SELECT group_concat(spare) FROM parents WHERE made IS NOT NULL`, "x,y")
	wantValue(t, db, `SELECT count(*) FROM shown`, "2")
	exec(t, db, `INSERT INTO parents (note) VALUES ('d')`)
	wantValue(t, db, `SELECT max(id) FROM parents`, "4")
	wantValue(t, db, `SELECT group_concat(line) FROM log`, "a,b,c,d")
	wantValue(t, db, `SELECT count(*) FROM sqlite_master WHERE name = 'by_hand' AND sql LIKE '%lower(note)%'`, "1")
	wantValue(t, db, `PRAGMA foreign_keys`, "1")
	if _, err := db.Exec(`INSERT INTO children VALUES (99)`); err == nil {
		t.Error("foreign keys are no longer enforced")
	}
	if _, err := db.Exec(`INSERT INTO parents (note, spare) VALUES ('e', 'no')`); err == nil {
		t.Error("the check went away")
	}
	exec(t, db, `DELETE FROM parents WHERE id = 1`)
	wantValue(t, db, `SELECT count(*) FROM children`, "1")
	// A check names the column, so SQLite cannot do without it.
	if _, err := m.Apply(t.Context(), want, ports.ApplyOptions{AllowDrop: true}); err == nil || !strings.Contains(err.Error(), "spare") {
		t.Errorf("want an error that names the column, got %v", err)
	}
	wantValue(t, db, `SELECT count(*) FROM parents WHERE spare IN ('x', 'y') OR spare IS NULL`, "2")
}

func TestTheWordIndexFollowsItsTable(t *testing.T) {
	db := openSQL(t, filepath.Join(t.TempDir(), "test.db"))
	exec(t, db, seedTable, `INSERT INTO templates (name, content) VALUES ('old', 'Needle in hay'), (NULL, NULL)`)
	migrateUp(t, db)
	found := func(word, want string) {
		t.Helper()
		wantValue(t, db, `SELECT count(*) FROM templates_words WHERE templates_words MATCH '"`+word+`"'`, want)
	}
	found("needle", "1")
	exec(t, db, `INSERT INTO templates (content) VALUES ('ÉCOLE needle')`)
	found("needle", "2")
	found("école", "1")
	found("ecole", "0")
	exec(t, db, `UPDATE templates SET content = 'pin' WHERE name = 'old'`, `DELETE FROM templates WHERE content LIKE '%needle'`)
	found("needle", "0")
	found("pin", "1")
	exec(t, db, `DROP TRIGGER templates_words_insert`, `INSERT INTO templates (content) VALUES ('unseen')`)
	if changes := migrateUp(t, db); len(changes) != 1 {
		t.Errorf("want the word index mended, got %v", changes)
	}
	found("unseen", "1")
	// The index of an earlier version is made anew.
	exec(t, db, `DROP TABLE templates_words`,
		`CREATE VIRTUAL TABLE templates_words USING fts5("name", "description", "content", content='templates', content_rowid='tidx', tokenize="unicode61 remove_diacritics 0")`)
	if changes := migrateUp(t, db); len(changes) != 1 {
		t.Errorf("want the word index made anew, got %v", changes)
	}
	found("unseen", "1")
	exec(t, db, `INSERT INTO templates (content) VALUES ('thread')`)
	found("thread", "1")
	exec(t, db, `INSERT INTO templates_words (templates_words, rank) VALUES ('integrity-check', 1)`)
}

func TestListsTakeTheirIndexes(t *testing.T) {
	db := openSQL(t, filepath.Join(t.TempDir(), "test.db"))
	migrateUp(t, db)
	for _, key := range []string{"created", "modified", "name"} {
		for rows, index := range map[string]string{"IS NULL": "living", "IS NOT NULL": "trash"} {
			query := fmt.Sprintf(`EXPLAIN QUERY PLAN SELECT tidx FROM templates WHERE deleted %s ORDER BY %s, templateid LIMIT 20`,
				rows, sqlstore.KeyExpr(sqlstore.EngineSQLite, key))
			var a, b, c, plan string
			if err := db.QueryRow(query).Scan(&a, &b, &c, &plan); err != nil || !strings.Contains(plan, "templates_"+index+"_"+key) {
				t.Errorf("%s, deleted %s: %s, %v", key, rows, plan, err)
			}
		}
	}
}

func TestTimesOfDefaultsSortAsThoseOfTheStore(t *testing.T) {
	db := openSQL(t, filepath.Join(t.TempDir(), "test.db"))
	migrateUp(t, db)
	exec(t, db, `INSERT INTO templates (name) VALUES ('a')`)
	var text string
	if err := db.QueryRow(`SELECT created || '' FROM templates`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	when, err := time.Parse(sqlstore.SQLiteTime, text)
	if err != nil || len(text) != len(sqlstore.SQLiteTime) || time.Since(when).Abs() > time.Minute {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestTwoNamesThatBecomeOneAreRefused(t *testing.T) {
	m := sqlite.NewMigrator(openSQL(t, filepath.Join(t.TempDir(), "test.db")))
	id := []ports.Attribute{{Name: "id", Type: ports.TypeInteger, PrimaryKey: true}}
	_, err := m.Plan(t.Context(), ports.Schema{Schemas: []string{"a", "a_b"}, Tables: []ports.Table{
		{Schema: "a", Name: "b_c", Attributes: id}, {Schema: "a_b", Name: "c", Attributes: id},
	}})
	if err == nil || !strings.Contains(err.Error(), "a_b_c") {
		t.Errorf("want an error that names a_b_c, got %v", err)
	}
}

func TestTheWaitForAWriterEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	other, err := openSQL(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := other.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	want, _ := migrations.Templar().Schema(migrations.All)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	db := openSQL(t, path)
	began := time.Now()
	_, err = sqlite.NewMigrator(db).Apply(ctx, want, ports.ApplyOptions{})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
		t.Errorf("want the context's error soon, got %v after %v", err, time.Since(began))
	}
	time.AfterFunc(300*time.Millisecond, func() { _, _ = other.ExecContext(context.Background(), `ROLLBACK`) })
	migrateUp(t, db)
	wantValue(t, db, `PRAGMA busy_timeout`, "5000")
	wantValue(t, db, `PRAGMA legacy_alter_table`, "0")
}
