package template_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/adapters/udiff"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
)

// plainCodec is the simplest Codec.
type plainCodec struct{}

func (plainCodec) Encode(t template.Template) []byte {
	body, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	return body
}

func (plainCodec) Decode(body []byte) (t template.Template, err error) {
	return t, json.Unmarshal(body, &t)
}

type fixture struct {
	*template.Service
	store *memory.Templates
	now   time.Time
	ctx   context.Context
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{store: memory.NewTemplates(), now: time.Date(2026, 11, 22, 2, 29, 0, 123456789, time.FixedZone("", 3600))}
	f.ctx = auth.With(context.Background(), &auth.Principal{User: "ann", Scopes: auth.AllScopes()})
	f.Service = f.over(f.store)
	return f
}

// over makes a service on another store.
func (f *fixture) over(store template.Database) *template.Service {
	return template.NewService(template.Config{Store: store, Cache: memory.NewCache(time.Minute, 1<<20), Codec: plainCodec{},
		Sealer: page.NewSealer("key"), MaxContent: 100, Differ: udiff.Differ{}, Trees: memory.NewTrees(1 << 20), Now: func() time.Time { return f.now }})
}

func (f *fixture) create(t *testing.T, d template.Draft) template.Template {
	t.Helper()
	made, _, err := f.Create(f.ctx, template.Creation{Draft: d})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestCreateSetsWhatIsTheServers(t *testing.T) {
	f := newFixture(t)
	made := f.create(t, template.Draft{Name: "\u00a0 n \n", Content: "c"})
	want := time.Date(2026, 11, 22, 1, 29, 0, 123456000, time.UTC)
	if made.Name != "n" || made.Syntax != template.Mustache || made.Author != "ann" || made.Revision != 1 || made.Created != want || made.Modified != want {
		t.Errorf("%+v", made)
	}
	if made.ID.Version() != 7 {
		t.Errorf("the id is %s", made.ID)
	}
}

func TestEveryChangeMakesARevision(t *testing.T) {
	f := newFixture(t)
	made := f.create(t, template.Draft{Name: "n", Content: "c"})
	f.now = f.now.Add(time.Second)
	same, err := f.Replace(f.ctx, made.ID, made.Draft(), nil)
	if err != nil || same != made {
		t.Fatalf("a PUT that changes nothing made %+v, %v", same, err)
	}
	changed, err := f.Patch(f.ctx, made.ID, template.Patch{Content: template.Change{Present: true, Value: "d"}}, &template.Precondition{Revisions: []int{1}})
	if err != nil || changed.Revision != 2 || changed.Created != made.Created || !changed.Modified.After(made.Modified) || changed.Name != "n" {
		t.Fatalf("%+v, %v", changed, err)
	}
	if _, err := f.Replace(f.ctx, made.ID, template.Draft{Name: "x"}, &template.Precondition{Revisions: []int{1, 7}}); !errors.Is(err, template.ErrStale) {
		t.Errorf("a stale write: %v", err)
	}
	old, err := f.store.Revision(f.ctx, made.ID, 1)
	if err != nil || old != made {
		t.Errorf("revision 1 is %+v, %v", old, err)
	}
	// A clock that went back does not make a change older than what it follows.
	f.now = f.now.Add(-time.Hour)
	again, err := f.Replace(f.ctx, made.ID, template.Draft{Name: "x"}, nil)
	if err != nil || again.Modified.Before(changed.Modified) {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestOldRowsThatBreakRulesStayEditable(t *testing.T) {
	f := newFixture(t)
	old := template.Template{ID: uuid.New(), Name: strings.Repeat("n", 500), Content: strings.Repeat("c", 1000) + "{{#broken", Syntax: template.Mustache, Revision: 1}
	if err := f.store.Create(f.ctx, old, nil); err != nil {
		t.Fatal(err)
	}
	changed, err := f.Patch(f.ctx, old.ID, template.Patch{Description: template.Change{Present: true, Value: "new"}}, nil)
	if err != nil || changed.Name != old.Name || changed.Content != old.Content || changed.Description != "new" {
		t.Fatalf("%v", err)
	}
	if _, err := f.Patch(f.ctx, old.ID, template.Patch{Content: template.Change{Present: true, Value: old.Content + "x"}}, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("new content over the limit: %v", err)
	}
}

func TestReadsAreCachedAndNeverStale(t *testing.T) {
	f := newFixture(t)
	made := f.create(t, template.Draft{Name: "n", Content: "c"})
	first, err := f.Read(f.ctx, made.ID, false)
	if err != nil || first.Revision != 1 || first.Modified != made.Modified {
		t.Fatalf("%+v, %v", first, err)
	}
	// A row changed behind the service's back shows to those who ask for it.
	behind := made
	behind.Revision, behind.Content = 2, "by hand"
	if err := f.store.Replace(f.ctx, behind, 1, nil); err != nil {
		t.Fatal(err)
	}
	if r, _ := f.Read(f.ctx, made.ID, false); r.Revision != 1 {
		t.Errorf("the cache was passed by: revision %d", r.Revision)
	}
	if r, _ := f.Read(f.ctx, made.ID, true); r.Revision != 2 {
		t.Errorf("a fresh read shows revision %d", r.Revision)
	}
	if _, err := f.Replace(f.ctx, made.ID, template.Draft{Name: "m"}, nil); err != nil {
		t.Fatal(err)
	}
	if r, _ := f.Read(f.ctx, made.ID, false); r.Revision != 3 {
		t.Errorf("after a write the cache shows revision %d", r.Revision)
	}
	if err := f.Delete(f.ctx, made.ID, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(f.ctx, made.ID, false); !fault.Is(err, fault.NotFound) {
		t.Errorf("a deleted template: %v", err)
	}
	if _, _, err := f.Undelete(f.ctx, made.ID, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := f.Read(f.ctx, made.ID, false); err != nil || r.Revision != 3 {
		t.Errorf("an undeleted template: %+v, %v", r, err)
	}
}

func TestScopes(t *testing.T) {
	f := newFixture(t)
	made := f.create(t, template.Draft{Name: "n"})
	reader := auth.With(context.Background(), &auth.Principal{User: "r", Scopes: []auth.Scope{auth.TemplatesRead}})
	writer := auth.With(context.Background(), &auth.Principal{User: "w", Scopes: []auth.Scope{auth.TemplatesWrite}})
	for name, use := range map[string]func(context.Context) error{
		"create": func(ctx context.Context) error {
			_, _, err := f.Create(ctx, template.Creation{Draft: template.Draft{Name: "x"}})
			return err
		},
		"replace": func(ctx context.Context) error {
			_, err := f.Replace(ctx, made.ID, template.Draft{Name: "y"}, nil)
			return err
		},
		"patch":    func(ctx context.Context) error { _, err := f.Patch(ctx, made.ID, template.Patch{}, nil); return err },
		"delete":   func(ctx context.Context) error { return f.Delete(ctx, made.ID, nil) },
		"undelete": func(ctx context.Context) error { _, _, err := f.Undelete(ctx, made.ID, nil); return err },
	} {
		if err := use(reader); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s by a reader: %v", name, err)
		}
		if err := use(context.Background()); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s by nobody: %v", name, err)
		}
	}
	if _, err := f.Read(writer, made.ID, false); !fault.Is(err, fault.Forbidden) {
		t.Errorf("read by a writer: %v", err)
	}
	if _, err := f.List(writer, template.ListRequest{}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("list by a writer: %v", err)
	}
}

func TestIdempotency(t *testing.T) {
	f := newFixture(t)
	key := &template.Idempotency{Key: "k", Fingerprint: [32]byte{1}}
	first, replayed, err := f.Create(f.ctx, template.Creation{Draft: template.Draft{Name: "n"}, Idempotency: key})
	if err != nil || replayed {
		t.Fatal(replayed, err)
	}
	if _, err := f.Replace(f.ctx, first.ID, template.Draft{Name: "m"}, nil); err != nil {
		t.Fatal(err)
	}
	again, replayed, err := f.Create(f.ctx, template.Creation{Draft: template.Draft{Name: "n"}, Idempotency: key})
	if err != nil || !replayed || again != first {
		t.Fatalf("%+v, %t, %v", again, replayed, err)
	}
	_, _, err = f.Create(f.ctx, template.Creation{Draft: template.Draft{Name: "n"}, Idempotency: &template.Idempotency{Key: "k", Fingerprint: [32]byte{2}}})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("another request under the key: %v", err)
	}
	f.now = f.now.Add(25 * time.Hour)
	if n, err := f.ForgetReceipts(f.ctx); n != 1 || err != nil {
		t.Errorf("%d receipts forgotten, %v", n, err)
	}
	later, replayed, err := f.Create(f.ctx, template.Creation{Draft: template.Draft{Name: "n"}, Idempotency: key})
	if err != nil || replayed || later.ID == first.ID {
		t.Errorf("a day later: %+v, %t, %v", later, replayed, err)
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		" ,.!{{}} ":              "",
		"Hello {{user.name}}!":   "hello|user|name",
		"foo_bar foo-bar ÄÖ 42x": "foo|bar|foo|bar|äö|42x",
		strings.Repeat("a", 300): strings.Repeat("a", 255) + "|" + strings.Repeat("a", 45),
	} {
		if got := strings.Join(template.Words(text), "|"); got != want {
			t.Errorf("%.20q: %.40q", text, got)
		}
	}
}

func TestWalkingEveryOrder(t *testing.T) {
	f := newFixture(t)
	for n := range 25 {
		f.now = f.now.Add(time.Duration(n%3) * time.Microsecond) // ties too
		f.create(t, template.Draft{Name: string(rune('a' + n%7))})
	}
	limit := 4
	for _, sort := range []string{"created", "-created", "modified", "-modified", "name", "-name"} {
		order, err := page.ParseSort(sort)
		if err != nil {
			t.Fatal(err)
		}
		seen, request := map[uuid.UUID]bool{}, template.ListRequest{Sort: order, Limit: &limit}
		for pages := 0; pages < 25; pages++ {
			page, err := f.List(f.ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				if seen[item.ID] {
					t.Fatalf("%s shows %s twice", sort, item.ID)
				}
				seen[item.ID] = true
			}
			if request.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		if len(seen) != 25 {
			t.Errorf("%s shows %d of 25", sort, len(seen))
		}
	}
}
