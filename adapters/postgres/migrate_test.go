package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/adapters/postgres"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
	"bitbucket.org/templar/templar/test/servers"
)

// seedTable is the DDL of Templar's predecessor, without the owner.
const seedTable = `create table templates
(
    tidx        serial
        constraint templates_pk
            primary key,
    templateid  uuid      default gen_random_uuid() not null,
    name        varchar   default ''::character varying,
    description varchar   default ''::character varying,
    content     varchar   default ''::character varying,
    created     timestamp default now(),
    modified    timestamp default now()
)`

func TestMigrator(t *testing.T) {
	server := servers.Postgres(t)
	contract.Migrator(t, contract.MigratorHarness{Open: func(t *testing.T) contract.MigratorSubject {
		return migratorSubject(t, server.Database(t).URL())
	}})
}

func migratorSubject(t *testing.T, url string) contract.MigratorSubject {
	db := openSQL(t, url)
	return contract.MigratorSubject{
		Migrator: func() ports.Migrator { return postgres.NewMigrator(openSQL(t, url)) },
		Exec: func(ctx context.Context, statement string) error {
			_, err := db.ExecContext(ctx, statement)
			return err
		},
		Value:     valueOf(db),
		Table:     func(schema, name string) string { return fmt.Sprintf("%q.%q", schema, name) },
		SeedTable: seedTable,
	}
}

func openSQL(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", url)
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

// migrateUp gives a database Templar's tables.
func migrateUp(t *testing.T, db *sql.DB) []ports.Change {
	t.Helper()
	want, err := migrations.Templar().Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := postgres.NewMigrator(db).Apply(t.Context(), want, ports.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// hashes gives what a text is indexed by, and what it should be by the core's words.
func hashes(t *testing.T, db *sql.DB, text string) (got, want pq.Int64Array) {
	t.Helper()
	query := `SELECT templar_word_hashes($1), ARRAY(SELECT hashtextextended(w, 0) FROM unnest($2::text[]) WITH ORDINALITY AS v(w, n) ORDER BY n)`
	if err := db.QueryRowContext(t.Context(), query, text, pq.StringArray(template.Words(text))).Scan(&got, &want); err != nil {
		t.Fatal(err)
	}
	return got, want
}

func TestWordsAreThoseOfTheCore(t *testing.T) {
	db := openSQL(t, servers.Postgres(t).Database(t).URL())
	migrateUp(t, db)
	for _, text := range []string{
		"", " ", "...", "Hello {{user.name}}!", "ÉCOLE naïve ПРИВЕТ Straße", "a_b-c/d", "中文字 かな", "x²", "tab\tnew\nline\u2028z",
		strings.Repeat("A", 254), strings.Repeat("a", 255), strings.Repeat("aB", 128), "x " + strings.Repeat("Ж", 600) + " y", strings.Repeat("f00", 2000),
	} {
		if got, want := hashes(t, db, text); got == nil || !slices.Equal(got, want) {
			t.Errorf("%.40q: got %v, want %v", text, got, want)
		}
	}
}

// A cluster that was made without a locale has SQL_ASCII databases.
func TestWordsWithoutAnEncoding(t *testing.T) {
	d := servers.Postgres(t).Database(t)
	outside := openSQL(t, d.URL())
	name := d.Name + "_ascii"
	exec(t, outside, `CREATE DATABASE `+pq.QuoteIdentifier(name)+` ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	t.Cleanup(func() { _, _ = outside.Exec(`DROP DATABASE ` + pq.QuoteIdentifier(name) + ` WITH (FORCE)`) })
	d.Name = name
	db := openSQL(t, d.URL())
	migrateUp(t, db)
	exec(t, db, `INSERT INTO templates (name, content) VALUES ('Café Привет', $1)`, strings.Repeat("0123456789abcdef", 500))
	for text, want := range map[string]int{"café": 1, "CAFé привет": 0, "Привет café": 1, "caf": 0, strings.Repeat("0123456789ABCDEF", 500): 1} {
		var n int
		query := `SELECT count(*) FROM templates WHERE ` + sqlstore.WordsKey("word_hashes", "name", "description", "content") + ` @> templar_word_hashes($1)`
		if err := db.QueryRowContext(t.Context(), query, text).Scan(&n); err != nil || n != want {
			t.Errorf("%.30q: found %d rows, %v, want %d", text, n, err, want)
		}
	}
	if changes := migrateUp(t, db); len(changes) != 0 {
		t.Errorf("want nothing left to do, got %v", changes)
	}
}

func TestAnOldWordsFunctionIsReplacedWithItsIndex(t *testing.T) {
	db := openSQL(t, servers.Postgres(t).Database(t).URL())
	migrateUp(t, db)
	exec(t, db, `CREATE OR REPLACE FUNCTION templar_word_hashes(text) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$ SELECT ARRAY[1::bigint] $$`)
	exec(t, db, `INSERT INTO templates (name) VALUES ('needle')`)
	if changes := migrateUp(t, db); len(changes) != 5 {
		t.Errorf("want the function, and of both tables with a word index that and the statistics, got %v", changes)
	}
	exec(t, db, `SET enable_seqscan = off`)
	var n int
	query := `SELECT count(*) FROM templates WHERE ` + sqlstore.WordsKey("word_hashes", "name", "description", "content") + ` @> ARRAY[hashtextextended('needle', 0)]`
	if err := db.QueryRow(query).Scan(&n); err != nil || n != 1 {
		t.Errorf("found %d rows, %v, want 1", n, err)
	}
	if changes := migrateUp(t, db); len(changes) != 0 {
		t.Errorf("want nothing left to do, got %v", changes)
	}
}

// A list must take the index that was made for it, or a page of a large table
// takes seconds.
func TestListsTakeTheirIndexes(t *testing.T) {
	db := openSQL(t, servers.Postgres(t).Database(t).URL())
	db.SetMaxOpenConns(1)
	migrateUp(t, db)
	exec(t, db, `SET enable_seqscan = off`)
	exec(t, db, `SET enable_sort = off`)
	for _, key := range []string{"created", "modified", "name"} {
		for rows, index := range map[string]string{"IS NULL": "living", "IS NOT NULL": "trash"} {
			expr := sqlstore.KeyExpr(sqlstore.EnginePostgres, key)
			plan := explain(t, db, fmt.Sprintf(`SELECT tidx FROM templates WHERE deleted %s ORDER BY %s, templateid LIMIT 20`, rows, expr))
			if !strings.Contains(plan, "templates_"+index+"_"+key) || strings.Contains(plan, "Sort") {
				t.Errorf("%s, deleted %s: %s", key, rows, plan)
			}
		}
	}
	search := `SELECT tidx FROM templates WHERE ` + sqlstore.WordsKey("word_hashes", "name", "description", "content") + ` @> templar_word_hashes('two words')`
	if plan := explain(t, db, search); !strings.Contains(plan, "templates_words") {
		t.Errorf("the search for words: %s", plan)
	}
}

func explain(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `EXPLAIN `+query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var plan []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}

func TestTheServersTimeoutsDoNotCount(t *testing.T) {
	d := servers.Postgres(t).Database(t)
	lock, err := openSQL(t, d.URL()).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(`SELECT pg_advisory_xact_lock($1)`, int64(0x54656d706c6172)); err != nil {
		t.Fatal(err)
	}
	release := time.AfterFunc(700*time.Millisecond, func() { _ = lock.Rollback() })
	defer release.Stop()
	db := openSQL(t, d.URL()+"&statement_timeout=100&lock_timeout=100&idle_in_transaction_session_timeout=100")
	began := time.Now()
	migrateUp(t, db)
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("the migration did not wait for the lock: %v", took)
	}
	var timeout string
	if err := db.QueryRow(`SHOW statement_timeout`).Scan(&timeout); err != nil || timeout != "100ms" {
		t.Errorf("the connection came back with the statement_timeout %q, %v", timeout, err)
	}
}

func TestTheContextEndsTheWaitForTheLock(t *testing.T) {
	d := servers.Postgres(t).Database(t)
	lock, err := openSQL(t, d.URL()).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback() }()
	if _, err := lock.Exec(`SELECT pg_advisory_xact_lock($1)`, int64(0x54656d706c6172)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	want, _ := migrations.Templar().Schema(migrations.All)
	began := time.Now()
	_, err = postgres.NewMigrator(openSQL(t, d.URL())).Apply(ctx, want, ports.ApplyOptions{})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("want the context's error soon, got %v after %v", err, time.Since(began))
	}
}

func TestSecretsThatStandTwiceAreNotTold(t *testing.T) {
	db := openSQL(t, servers.Postgres(t).Database(t).URL())
	exec(t, db, `CREATE TABLE api_keys (keyid uuid PRIMARY KEY, username text NOT NULL, scopes text NOT NULL DEFAULT '', expires timestamp, rate integer, secret bytea NOT NULL, former bytea, former_until timestamp, created timestamp NOT NULL DEFAULT now())`)
	exec(t, db, `INSERT INTO api_keys (keyid, username, secret) VALUES (gen_random_uuid(), 'a', 'hush'), (gen_random_uuid(), 'b', 'hush')`)
	want, _ := migrations.Templar().Schema(migrations.All)
	_, err := postgres.NewMigrator(db).Apply(t.Context(), want, ports.ApplyOptions{})
	if !errors.Is(err, ports.ErrSchemaBlocked) || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "68757368") {
		t.Errorf("want ErrSchemaBlocked without the secret, got %v", err)
	}
}
