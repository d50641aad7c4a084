package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

func sample(name string) template.Template {
	return template.Template{ID: uuid.New(), Name: name, Content: "text of " + name, Syntax: template.Plain, Revision: 1, Author: "ann",
		Created: at(1), Modified: at(1)}
}

func wantUnavailable(t *testing.T, what, detail string, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Detail != detail {
		t.Errorf("%s: want Unavailable and %q, got %v", what, detail, err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "folder with ? and % and #")
	path := filepath.Join(folder, "templar.db")
	bringUp(t, openOnly(t, path).SQL())
	for name, want := range map[string]os.FileMode{folder: 0o700, path: 0o600, path + "-wal": 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: want mode %v, got %v, %v", name, want, info, err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if db, err := Open(Config{Path: filepath.Join(file, "templar.db")}); err == nil {
		_ = db.Close()
		t.Error("a file where the folder should be was accepted")
	}
}

func TestSettings(t *testing.T) {
	db := open(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "250"} {
		for _, pool := range []interface {
			GetContext(context.Context, any, string, ...any) error
		}{db.read, db.write} {
			var got string
			if err := pool.GetContext(t.Context(), &got, "PRAGMA "+pragma); err != nil || got != want {
				t.Errorf("%s: want %s, got %s, %v", pragma, want, got, err)
			}
		}
	}
	if _, err := db.read.ExecContext(t.Context(), "DELETE FROM templates"); err == nil {
		t.Error("a connection for reading can write")
	}
}

func TestFullDisk(t *testing.T) {
	db := open(t)
	s := db.Templates()
	a := sample("a")
	if err := s.Create(t.Context(), a, nil); err != nil {
		t.Fatal(err)
	}
	var pages int
	if err := db.SQL().QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	run(t, db.SQL(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+4))
	big := sample("big")
	big.Content = strings.Repeat("word ", 100_000)
	wantUnavailable(t, "Create", "the disk of the database is full", s.Create(t.Context(), big, nil))
	wantUnavailable(t, "Create with a claim", "the disk of the database is full",
		s.Create(t.Context(), big, &template.Claim{User: "ann", Key: "key", Revision: 1, Expires: time.Now().Add(time.Hour)}))
	bigger := a
	bigger.Content, bigger.Revision = big.Content, 2
	wantUnavailable(t, "Replace", "the disk of the database is full", s.Replace(t.Context(), bigger, 1, nil))
	if got, err := s.Get(t.Context(), a.ID); err != nil || got != a {
		t.Errorf("what was there: %+v, %v", got, err)
	}
	if _, err := s.Revision(t.Context(), a.ID, 2); !fault.Is(err, fault.NotFound) {
		t.Errorf("a revision that did not fit: %v", err)
	}
	run(t, db.SQL(), "PRAGMA max_page_count = 1000000")
	if _, err := s.Receipt(t.Context(), "ann", "key", time.Now()); !fault.Is(err, fault.NotFound) {
		t.Errorf("the receipt of a create that did not fit: %v", err)
	}
	if err := errors.Join(s.Create(t.Context(), big, nil), s.Replace(t.Context(), bigger, 1, nil)); err != nil {
		t.Errorf("with space again: %v", err)
	}
	var check string
	if err := db.SQL().QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
		t.Errorf("the file: %s, %v", check, err)
	}
}

func TestReadOnly(t *testing.T) {
	db := open(t)
	run(t, db.SQL(), "PRAGMA query_only = 1")
	wantUnavailable(t, "Create", "the database takes no changes now", db.Templates().Create(t.Context(), sample("a"), nil))
}

func TestTablesNotInPlace(t *testing.T) {
	db := openOnly(t, filepath.Join(t.TempDir(), "templar.db"))
	const detail = "the database is not ready: its tables are not in place"
	wantUnavailable(t, "SchemaReady", detail, db.SchemaReady(t.Context()))
	wantUnavailable(t, "Create", detail, db.Templates().Create(t.Context(), sample("a"), nil))
	bringUp(t, db.SQL())
	if err := errors.Join(db.SchemaReady(t.Context()), db.Templates().Create(t.Context(), sample("a"), nil), db.Ping(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestProbe(t *testing.T) {
	db := open(t)
	run(t, db.SQL(), `CREATE TABLE "t; drop table ""templates" ("a""b" text)`)
	for _, good := range [][2]string{{"templates", "templateid"}, {"main.templates", "name"}, {`t; drop table "templates`, `a"b`}} {
		if err := db.ProbeQuery(t.Context(), good[0], good[1]); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range [][2]string{{"absent", "x"}, {"templates", "absent"}, {"templates", "1"}, {"templates", "name FROM templates; drop table templates; --"}} {
		if err := db.ProbeQuery(t.Context(), bad[0], bad[1]); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%q: want Unavailable, got %v", bad, err)
		}
	}
	if err := db.SchemaReady(t.Context()); err != nil {
		t.Errorf("after the probes: %v", err)
	}
}

// TestTwoHandles writes through two handles on one file at once, as the service and a command beside it do.
func TestTwoHandles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "templar.db")
	one, two := openOnly(t, path), openOnly(t, path)
	bringUp(t, one.SQL())
	shared := sample("shared")
	if err := one.Templates().Create(t.Context(), shared, nil); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	claims, replaced := 0, 0
	var all sync.WaitGroup
	for w := range 8 {
		s, other := one.Templates(), two.Templates()
		if w%2 == 0 {
			s, other = other, s
		}
		all.Go(func() {
			for i := range 25 {
				mine := sample(fmt.Sprint(w, "-", i))
				if err := s.Create(t.Context(), mine, nil); err != nil {
					t.Errorf("Create: %v", err)
				}
				if got, err := other.Get(t.Context(), mine.ID); err != nil || got != mine {
					t.Errorf("Get through the other handle: %v", err)
				}
				next := shared
				next.Revision = i + 2
				replace := s.Replace(t.Context(), next, i+1, nil)
				claim := s.Create(t.Context(), sample("claimed"), &template.Claim{User: "ann", Key: fmt.Sprint(i), Revision: 1, Expires: time.Now().Add(time.Hour)})
				mu.Lock()
				if replace == nil {
					replaced++
				} else if !errors.Is(replace, template.ErrStale) {
					t.Errorf("Replace: %v", replace)
				}
				if claim == nil {
					claims++
				} else if !errors.Is(claim, template.ErrClaimed) {
					t.Errorf("Create with a claim: %v", claim)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	got, err := two.Templates().Get(t.Context(), shared.ID)
	if err != nil || got.Revision != replaced+1 || claims != 25 {
		t.Errorf("want revision %d, one for each Replace that won, and 25 claims: got %d and %d, %v", replaced+1, got.Revision, claims, err)
	}
}

// TestWaitForAnotherWriter shows that a call ends soon after its context also while another process writes.
func TestWaitForAnotherWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "templar.db")
	one, two := openOnly(t, path), openOnly(t, path)
	bringUp(t, one.SQL())
	tx, err := two.SQL().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	err = one.Templates().Create(ctx, sample("a"), nil)
	if took := time.Since(start); took > 1300*time.Millisecond || !fault.Is(err, fault.Unavailable) {
		t.Errorf("Create while another writes: %v after %v", err, took)
	}
	if _, err := one.Templates().List(t.Context(), template.Query{Limit: 1}); err != nil {
		t.Errorf("List while another writes: %v", err)
	}
	time.AfterFunc(300*time.Millisecond, func() { _ = tx.Rollback() })
	if err := one.Templates().Create(t.Context(), sample("b"), nil); err != nil {
		t.Errorf("Create that waits for another: %v", err)
	}
}

const killedPath = "TEMPLAR_TEST_KILLED_PATH"

// TestKill ends a process that writes by SIGKILL: what it had acknowledged is there.
func TestKill(t *testing.T) {
	if path := os.Getenv(killedPath); path != "" {
		s := openOnly(t, path).Templates()
		for {
			a := sample("a")
			next := a
			next.Revision = 2
			if err := errors.Join(s.Create(t.Context(), a, nil), s.Replace(t.Context(), next, 1, nil)); err != nil {
				t.Fatal(err)
			}
			fmt.Println("stored", a.ID)
		}
	}
	path := filepath.Join(t.TempDir(), "templar.db")
	db := openOnly(t, path)
	bringUp(t, db.SQL())
	writer := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	writer.Env = append(os.Environ(), killedPath+"="+path)
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	var stored []uuid.UUID
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if id, is := strings.CutPrefix(lines.Text(), "stored "); is {
			stored = append(stored, uuid.MustParse(id))
		}
		if len(stored) == 200 {
			_ = writer.Process.Kill() // the lines that are still in the pipe count too
		}
	}
	_ = writer.Wait() // it was killed
	if len(stored) < 200 {
		t.Fatalf("the writer stored %d", len(stored))
	}
	for _, id := range stored {
		if got, err := db.Templates().Get(t.Context(), id); err != nil || got.Revision != 2 {
			t.Fatalf("%v was acknowledged: %+v, %v", id, got, err)
		}
	}
	if err := db.Templates().Create(t.Context(), sample("b"), nil); err != nil {
		t.Errorf("after the kill: %v", err)
	}
}
