package memory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

func TestClaimsExpireByTheGivenClock(t *testing.T) {
	c := newClock()
	s := NewTemplatesAt(c.Now)
	claim := &template.Claim{User: "ann", Key: "key", Revision: 1, Expires: c.Now().Add(time.Hour)}
	create := func() error { return s.Create(t.Context(), template.Template{ID: uuid.New(), Revision: 1}, claim) }
	if err := create(); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Hour - time.Microsecond)
	if err := create(); !errors.Is(err, template.ErrClaimed) {
		t.Errorf("a moment before it expires: want ErrClaimed, got %v", err)
	}
	c.pass(time.Microsecond)
	if err := create(); err != nil {
		t.Errorf("when it has expired: %v", err)
	}
}

func TestTimesAreKeptAsDatabasesDo(t *testing.T) {
	s := NewTemplates()
	when := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 3600))
	given := template.Template{ID: uuid.New(), Revision: 1, Created: when, Modified: when}
	if err := errors.Join(s.Create(t.Context(), given, nil), s.Trash(t.Context(), given.ID, 1, when)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(t.Context(), given.ID)
	want := time.Date(2026, 1, 2, 2, 4, 5, 123456000, time.UTC)
	if err != nil || got.Created != want || got.Modified != want || got.Deleted != want {
		t.Errorf("want %v, got %+v, %v", want, got, err)
	}
}

func TestPing(t *testing.T) {
	d := NewDirectory(map[string]string{"a": "b"})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, p := range []interface{ Ping(context.Context) error }{NewTemplates(), NewCharacters(), NewKeys(), d} {
		if err := p.Ping(t.Context()); err != nil {
			t.Errorf("%T: %v", p, err)
		}
		if err := p.Ping(over); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%T under a cancelled context: want Unavailable, got %v", p, err)
		}
	}
	d.SetAway(true)
	if err := d.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a directory that is away: want Unavailable, got %v", err)
	}
}

func TestDirectoryCopiesItsEntries(t *testing.T) {
	entries := map[string]string{"a": "1"}
	d := NewDirectory(entries)
	entries["a"], entries["b"] = "2", "3"
	value, found, err := d.Lookup(t.Context(), "b", "a")
	if value != "1" || !found || err != nil {
		t.Errorf("want the value that was given at first, got %q, %t, %v", value, found, err)
	}
}

// filled is a store with n templates of about a kilobyte.
func filled(b *testing.B, n int) *Templates {
	s := NewTemplates()
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		content := ""
		for j := range 100 {
			content += fmt.Sprintf("word%d ", (i*31+j*17)%5000)
		}
		t := template.Template{ID: uuid.New(), Name: fmt.Sprintf("Name %d", i), Content: content, Revision: 1, Created: base.Add(time.Duration(i) * time.Second)}
		if err := s.Create(b.Context(), t, nil); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkList100000(b *testing.B) {
	s := filled(b, 100_000)
	for name, f := range map[string]template.Filter{"all": {}, "words": {Words: "word17 word34"}} {
		for _, key := range []template.SortKey{template.ByCreated, template.ByName} {
			b.Run(fmt.Sprint(name, " by ", key), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.List(b.Context(), template.Query{Filter: f, Sort: template.Sort{Key: key}, Limit: 21}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
