package harper

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

func sample() template.Template {
	at := time.Date(2026, 5, 1, 12, 0, 0, 123456000, time.UTC)
	return template.Template{ID: uuid.MustParse("12345678-90ab-cdef-1234-567890abcdef"), Name: "first", Content: "one", Syntax: template.Plain, Revision: 1, Author: "ann", Created: at, Modified: at}
}

// isWrite tells whether an operation changes rows of the stores; beats of leases do not count.
func isWrite(op map[string]any) bool {
	switch op["operation"] {
	case "insert", "upsert", "delete":
	default:
		return false
	}
	records, _ := op["records"].([]any)
	for _, r := range records {
		if entry, ok := r.(map[string]any)["entry"].(string); ok && !strings.HasPrefix(entry, journalPrefix) {
			return false
		}
	}
	return true
}

// TestAChangeThatBreaksOffIsMadeWholeOrNotAtAll lets Harper fail at each write of a change of four tables in turn, in
// four ways, and looks at what is there then, through the same DB and through one that comes after it.
func TestAChangeThatBreaksOffIsMadeWholeOrNotAtAll(t *testing.T) {
	unavailable := func(map[string]any) (int, string) { return 503, `{"error": "no"}` }
	for _, way := range []string{"refused", "lost", "down", "lost and down"} {
		for breaksAt := range 6 {
			for _, same := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s at %d, same process %t", way, breaksAt, same), func(t *testing.T) {
					c, s := fakePlace(t)
					d := openAt(t, c)
					bringUp(t, d)
					store := d.Templates()
					a := sample()
					if err := store.Create(t.Context(), a, nil); err != nil {
						t.Fatal(err)
					}
					n := 0
					refuse := func(op map[string]any) (int, string) {
						if !isWrite(op) {
							return 0, ""
						}
						n++
						if way == "refused" && n == breaksAt+1 || way == "down" && n > breaksAt || way == "lost and down" && n > breaksAt+1 {
							return unavailable(op)
						}
						return 0, ""
					}
					lose := func(op map[string]any) bool { return isWrite(op) && strings.HasPrefix(way, "lost") && n == breaksAt+1 }
					s.trouble(refuse, lose)
					b := a
					b.Revision, b.Content = 2, "two"
					claim := &template.Claim{User: "ann", Key: "k", Revision: 2, Expires: time.Now().Add(time.Hour)}
					err := store.Replace(t.Context(), b, 1, claim)
					if err != nil && !fault.Is(err, fault.Unavailable) {
						t.Errorf("want Unavailable, got %v", err)
					}
					s.trouble(nil, nil)
					if !same {
						if err := d.Close(); err != nil {
							t.Fatal(err)
						}
						d = openAt(t, c)
						if err := d.Hold(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					wholeOrNothing(t, d, err == nil)
				})
			}
		}
	}
}

// fakePlace is place for tests that need the server of this package.
func fakePlace(t *testing.T) (Config, *server) {
	s := startServer(t)
	return Config{URL: s.URL, User: serverUser, Password: serverPassword, Schema: "x"}, s
}

func wholeOrNothing(t *testing.T, d *DB, acknowledged bool) {
	t.Helper()
	store, id := d.Templates(), sample().ID
	now, err := store.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	_, receipt := store.Receipt(t.Context(), "ann", "k", time.Now())
	old, oldErr := store.Revision(t.Context(), id, 1)
	history, err := store.Revisions(t.Context(), id, 0, 10)
	if err != nil || oldErr != nil || old.Content != "one" {
		t.Fatalf("the first revision: %v, %v, %+v", err, oldErr, old)
	}
	made := now.Revision == 2
	if acknowledged && !made {
		t.Error("an acknowledged change is gone")
	}
	if (receipt == nil) != made || len(history) != now.Revision || made != (now.Content == "two") {
		t.Errorf("half a change: revision %d with %q, %d revisions, receipt: %v", now.Revision, now.Content, len(history), receipt)
	}
	if left, err := one[stateRow](t.Context(), d, stateTable, journalPrefix, stateAttributes); err != nil || left != nil {
		t.Errorf("the journal: %v, %v", left, err)
	}
	// It goes on.
	next := now
	next.Revision++
	if err := store.Replace(t.Context(), next, now.Revision, nil); err != nil {
		t.Error(err)
	}
}

// TestALateEntryOfTheJournalIsVoid sends the insert of an entry that came in doubt once more, after it was settled.
func TestALateEntryOfTheJournalIsVoid(t *testing.T) {
	c, s := fakePlace(t)
	d := openAt(t, c)
	bringUp(t, d)
	a := sample()
	claim := &template.Claim{User: "ann", Key: "k", Revision: 1, Expires: time.Now().Add(time.Hour)}
	if err := d.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	var late map[string]any
	s.trouble(func(op map[string]any) (int, string) {
		if op["operation"] == "insert" && isWrite(op) && late == nil {
			late = op
		}
		return 0, ""
	}, func(op map[string]any) bool { return late != nil && op["operation"] == "insert" })
	// It is carried out, and then taken away, as if it had not come yet.
	if err := d.Templates().Create(t.Context(), a, claim); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("want Unavailable, got %v", err)
	}
	s.mu.Lock()
	entry := late["records"].([]any)[0].(map[string]any)["entry"].(string)
	delete(s.schemas["x"][stateTable.name].rows, entry)
	s.mu.Unlock()
	s.trouble(nil, nil)
	if _, err := d.Templates().Get(t.Context(), a.ID); !fault.Is(err, fault.NotFound) {
		t.Fatalf("want NotFound, got %v", err)
	}
	if got := s.answer(late); got.status != 200 {
		t.Fatal(got)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	later := openAt(t, c)
	if err := later.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := later.Templates().Get(t.Context(), a.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("a change that was answered as failed, and shown as absent, came after all: %v", err)
	}
}

func TestErrorsAreFaults(t *testing.T) {
	c, s := fakePlace(t)
	d := openAt(t, c)
	bringUp(t, d)
	if err := d.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		what, body string
		status     int
		want       fault.Kind
	}{
		{"no database", `{"error": "database 'x' does not exist"}`, 404, fault.Unavailable},
		{"no attribute", `{"error": "unknown attribute 'y'"}`, 500, fault.Unavailable},
		{"not logged in", `{"error": "Login failed"}`, 401, fault.Unavailable},
		{"too much", `<html>`, 429, fault.Unavailable},
		{"a proxy without Harper", `<html>`, 502, fault.Unavailable},
		{"a bug", `{"error": "TypeError: secret value"}`, 500, fault.Internal},
		{"no list", `{"message": "ok"}`, 200, fault.Internal},
		{"half an answer", `[{"templateid": "1234`, 200, fault.Unavailable},
		{"a broken row", `[{"templateid": "1234"}]`, 200, fault.Internal},
		{"a redirect", ``, 302, fault.Internal},
	} {
		s.trouble(func(map[string]any) (int, string) { return try.status, try.body }, nil)
		_, err := d.Templates().Get(t.Context(), uuid.New())
		if !fault.Is(err, try.want) {
			t.Errorf("%s: want %v, got %v", try.what, try.want, err)
		}
		var f *fault.Error
		if errors.As(err, &f) && strings.Contains(f.Detail, "secret value") {
			t.Errorf("%s: Harper's text is told: %q", try.what, f.Detail)
		}
	}
	s.trouble(nil, nil)
	wrong := c
	wrong.Password = "hunter2"
	if err := openAt(t, wrong).Ping(t.Context()); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a wrong password: %v", err)
	}
	s.Close()
	if err := d.Ping(t.Context()); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), serverPassword) {
		t.Errorf("without Harper: %v", err)
	}
}

func TestPingNeedsNoTables(t *testing.T) {
	c, _ := fakePlace(t)
	d := openAt(t, c)
	if err := d.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := d.SchemaReady(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("want Unavailable without tables, got %v", err)
	}
}
