package postgres

import (
	"testing"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

// TestErasOutsideOfRFC3339 walks the list over times that have no form in JSON: each row comes once, and is read with
// the nearest time that has one.
func TestErasOutsideOfRFC3339(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	s := db.Templates()
	for _, at := range []string{"-infinity", "4713-01-01 BC", "0044-03-15 BC", "0001-01-01", "1970-01-01", "9999-12-31 23:59:59.999999", "10000-01-01", "294276-12-31", "infinity"} {
		run(t, db.SQL(), `INSERT INTO templates (name, created) VALUES ($1::text, $1::timestamp)`, at)
	}
	for _, descending := range []bool{false, true} {
		q := template.Query{Sort: template.Sort{Key: template.ByCreated, Descending: descending}, Limit: 1}
		seen := map[uuid.UUID]bool{}
		for range 20 {
			page, err := s.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			got := page[0]
			if seen[got.ID] {
				t.Fatalf("descending %t: %q comes twice", descending, got.Name)
			}
			seen[got.ID] = true
			if got.Created.Before(sqlstore.InfinitePast) || got.Created.After(sqlstore.InfiniteFuture) {
				t.Errorf("%s is read as %v", got.Name, got.Created)
			}
			after := template.PositionOf(got, q.Sort)
			q.After = &after
		}
		if len(seen) != 9 {
			t.Errorf("descending %t: %d rows of 9", descending, len(seen))
		}
	}
	records := 0
	if err := s.Export(t.Context(), template.Wanted{Revisions: true}, func(template.Record) error { records++; return nil }); err != nil || records != 9 {
		t.Errorf("export: %d rows of 9, %v", records, err)
	}
}
