package postgres

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

// TestOldRows reads what the service that Templar replaced may have left, and edits it.
func TestOldRows(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	s := db.Templates()
	id := uuid.MustParse("12345678-90ab-4def-8234-567890abcdef")
	long := strings.Repeat("\u0416", 500)
	run(t, db.SQL(), `INSERT INTO templates (templateid, name, description, content, created, modified) VALUES ($1, NULL, NULL, NULL, NULL, NULL)`, id.String())
	run(t, db.SQL(), `INSERT INTO templates (name) VALUES ($1)`, long)
	run(t, db.SQL(), `INSERT INTO templates (name, created, modified) VALUES ('ends never', 'infinity', '-infinity')`)
	got, err := s.Get(t.Context(), id)
	if want := (template.Template{ID: id, Syntax: template.Mustache, Revision: 1}); err != nil || got != want {
		t.Errorf("a row of nulls: want %+v, got %+v, %v", want, got, err)
	}
	for _, key := range []template.SortKey{template.ByCreated, template.ByModified, template.ByName} {
		for _, descending := range []bool{false, true} {
			q := template.Query{Sort: template.Sort{Key: key, Descending: descending}, Limit: 1}
			var names []string
			for range 4 {
				page, err := s.List(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				names = append(names, page[0].Name)
				after := template.PositionOf(page[0], q.Sort)
				q.After = &after
			}
			want := map[template.SortKey][]string{template.ByCreated: {"", long, "ends never"}, template.ByModified: {"ends never", "", long}, template.ByName: {"", "ends never", long}}[key]
			if descending {
				slices.Reverse(want)
			}
			if !slices.Equal(names, want) {
				t.Errorf("by %v: want %q, got %q", q.Sort, want, names)
			}
		}
	}
	if found, err := s.List(t.Context(), template.Query{Limit: 5, Filter: template.Filter{Name: new(string)}}); err != nil || len(found) != 1 || found[0].ID != id {
		t.Errorf("the row without a name by the name that it is read with: %v, %v", found, err)
	}
	next := got
	next.Name, next.Revision, next.Author, next.Modified = "named", 2, "ann", at(5)
	if err := s.Replace(t.Context(), next, 1, nil); err != nil {
		t.Fatal(err)
	}
	if was, err := s.Revision(t.Context(), id, 1); err != nil || was != got {
		t.Errorf("revision 1: want %+v, got %+v, %v", got, was, err)
	}
	if is, err := s.Get(t.Context(), id); err != nil || is != next {
		t.Errorf("revision 2: want %+v, got %+v, %v", next, is, err)
	}
}

func TestProbe(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	run(t, db.SQL(), `CREATE SCHEMA "odd ""one"; CREATE TABLE "odd ""one"."t; drop table templates" ("a""b" text)`)
	for _, good := range [][2]string{{"templates", "templateid"}, {"public.templates", "name"}, {`odd "one.t; drop table templates`, `a"b`}} {
		if err := db.ProbeQuery(t.Context(), good[0], good[1]); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range [][2]string{{"absent", "x"}, {"templates", "absent"}, {"templates", "1"}, {"templates; drop table templates", "templateid"},
		{"templates", "templateid FROM templates; drop table templates; --"}} {
		wantAway(t, strings.Join(bad[:], " "), 5*time.Second, func() error { return db.ProbeQuery(t.Context(), bad[0], bad[1]) })
	}
	if err := db.SchemaReady(t.Context()); err != nil {
		t.Errorf("after the probes: %v", err)
	}
}

// TestRoundTrips holds that the statements that matter most wait for the server once, by putting a delay in between.
func TestRoundTrips(t *testing.T) {
	d := servers.Postgres(t).Database(t)
	bringUp(t, openOnly(t, d.URL()).SQL())
	direct := net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
	proxy := servers.Proxy(t, direct)
	db, err := Open(Config{DSN: strings.Replace(d.URL(), direct, proxy.Addr(), 1), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.Templates()
	a := sample("a")
	version := 1
	calls := map[string]func() error{
		"Create": func() error { return s.Create(t.Context(), sample("b"), nil) },
		"Get":    func() error { _, err := s.Get(t.Context(), a.ID); return err },
		"Replace": func() error {
			a.Revision++
			err := s.Replace(t.Context(), a, version, nil)
			version++
			return err
		},
		"List": func() error {
			_, err := s.List(t.Context(), template.Query{Limit: 5, After: &template.Position{Time: at(0)}})
			return err
		},
		"Revision": func() error { _, err := s.Revision(t.Context(), a.ID, 1); return err },
		"Keys":     func() error { _, err := db.Keys().List(t.Context(), uuid.Nil, 5); return err },
		"Undelete": func() error {
			if err := s.Undelete(t.Context(), uuid.New(), 1, nil); err != template.ErrStale {
				return err
			}
			return nil
		},
	}
	if err := s.Create(t.Context(), a, nil); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls { // the first time prepares
		if err := call(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	const delay = 100 * time.Millisecond
	proxy.Latency(delay)
	timed := func(call func(context.Context) error) time.Duration {
		start := time.Now()
		if err := call(t.Context()); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	once := timed(db.Ping)
	if once < delay {
		t.Fatalf("the delay is not there: a ping takes %v", once)
	}
	for name, call := range calls {
		if took := timed(func(context.Context) error { return call() }); took > once+once/2 {
			t.Errorf("%s takes %v, a ping %v: it waits for the server more than once", name, took, once)
		}
	}
}
