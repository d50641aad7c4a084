package sqlite

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/contract"
)

// open makes a database with Templar's tables in it.
func open(t testing.TB) *DB {
	t.Helper()
	db := openOnly(t, filepath.Join(t.TempDir(), "data", "templar.db"))
	bringUp(t, db.SQL())
	return db
}

func openOnly(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func run(t testing.TB, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
}

func TestTemplateStore(t *testing.T) {
	contract.TemplateStore(t, contract.TemplateHarness{
		Open: func(t *testing.T) template.Store { return open(t).Templates() },
	})
}

func TestKeyStore(t *testing.T) {
	contract.KeyStore(t, contract.KeyHarness{
		Open: func(t *testing.T) auth.KeyStore { return open(t).Keys() },
	})
}

func at(n int) time.Time {
	return time.Date(2026, 5, 1, 12, 0, n, 123456000, time.UTC)
}

func TestObserve(t *testing.T) {
	path := filepath.Join(t.TempDir(), "templar.db")
	bringUp(t, openOnly(t, path).SQL())
	type seen struct {
		query string
		kind  fault.Kind
		ok    bool
	}
	var got []seen
	db, err := Open(Config{Path: path, Observe: func(query string, took time.Duration, err error) {
		if took <= 0 {
			t.Errorf("%s took %v", query, took)
		}
		s := seen{query: query, ok: err == nil}
		if err != nil {
			s.kind = fault.KindOf(err)
		}
		got = append(got, s)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, _ = db.Templates().Get(t.Context(), sample("a").ID)
	_ = db.Templates().Create(t.Context(), sample("b"), nil)
	if want := []seen{{query: "template.get", kind: fault.NotFound}, {query: "template.create", ok: true}}; !slices.Equal(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}
}
