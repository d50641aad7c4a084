package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

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
