package postgres

import (
	"database/sql"
	"testing"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/ports"
)

// bringUp makes Templar's tables.
func bringUp(t testing.TB, db *sql.DB) {
	t.Helper()
	wanted, err := migrations.Templar().Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewMigrator(db).Apply(t.Context(), wanted, ports.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
}
