package postgres_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/adapters/postgres"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/servers"
)

// templarTables is Templar's own schema, for a test to change.
func templarTables(t *testing.T) ports.Schema {
	t.Helper()
	want, err := migrations.Templar().Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func wordIndex(t *testing.T, s ports.Schema) *ports.Index {
	t.Helper()
	for i := range s.Tables[0].Indexes {
		if x := &s.Tables[0].Indexes[i]; len(x.Words) > 0 {
			return x
		}
	}
	t.Fatal("the first table has no word index")
	return nil
}

// applyOnce applies a schema and demands that nothing is left to do then; it gives what was done.
func applyOnce(t *testing.T, db *sql.DB, want ports.Schema, opts ports.ApplyOptions) []ports.Change {
	t.Helper()
	m := postgres.NewMigrator(db)
	changes, err := m.Apply(t.Context(), want, opts)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := m.Plan(t.Context(), want); err != nil || len(left) != 0 {
		t.Errorf("left to do after %v: %v, %v", changes, left, err)
	}
	return changes
}

// keepsHashes complains unless hashes that are given stay, and those of texts that were changed do not.
func keepsHashes(t *testing.T, db *sql.DB) {
	t.Helper()
	exec(t, db, `DELETE FROM templates`)
	exec(t, db, `INSERT INTO templates (name, word_hashes) VALUES ('given', '{1}')`)
	for _, step := range []struct {
		update string
		null   bool
	}{
		{`deleted = now()`, false}, {`name = 'given'`, false}, {`name = 'both', word_hashes = '{2}'`, false}, {`content = NULL`, true},
	} {
		exec(t, db, `UPDATE templates SET `+step.update)
		var null bool
		if err := db.QueryRowContext(t.Context(), `SELECT word_hashes IS NULL FROM templates`).Scan(&null); err != nil || null != step.null {
			t.Errorf("after %s: no hashes %t, want %t, %v", step.update, null, step.null, err)
		}
	}
}

// TestTheVersionBefore brings a database up that has the word index without its column, and rows.
func TestTheVersionBefore(t *testing.T) {
	db := openSQL(t, servers.Postgres(t).Database(t).URL())
	before, now := templarTables(t), templarTables(t)
	wordIndex(t, before).Column = ""
	applyOnce(t, db, before, ports.ApplyOptions{})
	exec(t, db, `INSERT INTO templates (name, content) SELECT 'row ' || i, 'content ' || i FROM generate_series(1, 500) i`)
	var node, then int64
	file := func(to *int64) {
		if err := db.QueryRowContext(t.Context(), `SELECT pg_relation_filenode('templates')`).Scan(to); err != nil {
			t.Fatal(err)
		}
	}
	file(&node)
	var done []string
	for _, c := range applyOnce(t, db, now, ports.ApplyOptions{}) {
		done = append(done, c.String())
	}
	want := []string{`add column "word_hashes" to table "public.templates"`, `create function "templar_words_word_hashes"`,
		`create trigger "templar_words_word_hashes" on table "public.templates"`, `create index "templates_words_bare" on table "public.templates"`, `rebuild word index "templates_words" on table "public.templates"`, `analyze table "public.templates"`}
	if !slices.Equal(done, want) {
		t.Errorf("want the changes\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(done, "\n"))
	}
	if file(&then); then != node {
		t.Error("the table was written anew")
	}
	keepsHashes(t, db)
	// And back: the column is then one that nobody describes.
	if changes := applyOnce(t, db, before, ports.ApplyOptions{AllowDrop: true}); len(changes) != 5 || !changes[4].Drops {
		t.Errorf("want the trigger, the column and the indexes changed, got %v", changes)
	}
}

// TestWordColumnDrift changes by hand what belongs to the word index.
func TestWordColumnDrift(t *testing.T) {
	for _, drift := range []struct {
		statement string
		changes   int
	}{
		{`ALTER TABLE templates DISABLE TRIGGER templar_words_word_hashes`, 1},
		{`DROP TRIGGER templar_words_word_hashes ON templates`, 1},
		{`DROP INDEX templates_words_bare`, 1},
		{`DROP INDEX templates_words_bare; CREATE INDEX templates_words_bare ON templates (revision)`, 1},
		{`CREATE OR REPLACE FUNCTION templar_words_word_hashes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`, 1},
		{`ALTER TABLE templates DROP COLUMN word_hashes CASCADE`, 4}, // with the trigger, the index and the statistics
		{`DROP TRIGGER templar_words_word_hashes ON templates; DROP INDEX templates_words; ALTER TABLE templates ALTER COLUMN name TYPE varchar(100);` +
			migratedTrigger, 3},
	} {
		db := openSQL(t, servers.Postgres(t).Database(t).URL())
		applyOnce(t, db, templarTables(t), ports.ApplyOptions{AllowDrop: true})
		exec(t, db, drift.statement)
		if changes := applyOnce(t, db, templarTables(t), ports.ApplyOptions{AllowDrop: true}); len(changes) < drift.changes {
			t.Errorf("%s: want %d changes, got %v", drift.statement, drift.changes, changes)
		}
		keepsHashes(t, db)
	}
}

const migratedTrigger = `CREATE TRIGGER templar_words_word_hashes BEFORE UPDATE OF name, description, content ON templates FOR EACH ROW
 WHEN (old.word_hashes IS NOT NULL AND NOT (old.word_hashes IS DISTINCT FROM new.word_hashes) AND (old.name IS DISTINCT FROM new.name OR
 old.description IS DISTINCT FROM new.description OR old.content IS DISTINCT FROM new.content)) EXECUTE FUNCTION templar_words_word_hashes()`

// TestTypesUnderTheTrigger has texts get another type while the trigger looks at them, with leave and without.
func TestTypesUnderTheTrigger(t *testing.T) {
	for _, kind := range []string{"varchar(100)", "char(7)"} {
		db := openSQL(t, servers.Postgres(t).Database(t).URL())
		exec(t, db, fmt.Sprintf(`CREATE TABLE templates (tidx serial PRIMARY KEY, templateid uuid DEFAULT gen_random_uuid() NOT NULL, name %s DEFAULT '')`, kind))
		for _, leave := range []bool{false, true} {
			if _, err := postgres.NewMigrator(db).Apply(t.Context(), templarTables(t), ports.ApplyOptions{AllowDrop: leave}); err != nil {
				t.Fatal(err)
			}
			keepsHashes(t, db)
		}
		// PostgreSQL leaves casts of the old type in the index, which is then made anew once.
		applyOnce(t, db, templarTables(t), ports.ApplyOptions{AllowDrop: true})
		keepsHashes(t, db)
	}
}

func TestAForeignWordColumn(t *testing.T) {
	db := openSQL(t, servers.Postgres(t).Database(t).URL())
	exec(t, db, seedTable+`; ALTER TABLE templates ADD COLUMN word_hashes text`)
	_, err := postgres.NewMigrator(db).Apply(t.Context(), templarTables(t), ports.ApplyOptions{AllowDrop: true})
	if err == nil || !strings.Contains(err.Error(), `"word_hashes"`) || !strings.Contains(err.Error(), "bigint[]") {
		t.Errorf("want an error that names the column, got %v", err)
	}
}
