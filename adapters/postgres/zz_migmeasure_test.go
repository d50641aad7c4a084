package postgres_test

import (
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/adapters/postgres"
	"bitbucket.org/templar/templar/ports"
)

func TestZZMeasure(t *testing.T) {
	db := openSQL(t, "postgres://postgres@127.0.0.1:54329/million?sslmode=disable")
	m := postgres.NewMigrator(db)
	f := migrations.Templar()
	s, _ := f.Schema(migrations.All)
	for range 2 {
		began := time.Now()
		changes, err := m.Apply(t.Context(), s, ports.ApplyOptions{Name: f.Name, Checksum: f.Checksum})
		t.Log(time.Since(began), err)
		for _, c := range changes {
			t.Log(c)
		}
	}
}
