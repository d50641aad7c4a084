package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	_ "github.com/lib/pq"

	"bitbucket.org/templar/templar/adapters/postgres"
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
