package contract

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// brokenStore is a store of which some methods are replaced.
type brokenStore struct {
	template.Store
	create         func(context.Context, template.Template, *template.Claim) error
	get            func(context.Context, uuid.UUID) (template.Template, error)
	revision       func(context.Context, uuid.UUID, int) (template.Template, error)
	replace        func(context.Context, template.Template, int, *template.Claim) error
	claim          func(context.Context, uuid.UUID, template.Claim) error
	trash          func(context.Context, uuid.UUID, int, time.Time) error
	undelete       func(context.Context, uuid.UUID, int, *template.Claim) error
	list           func(context.Context, template.Query) ([]template.Template, error)
	count          func(context.Context, template.Filter) (int, error)
	receipt        func(context.Context, string, string, time.Time) (template.Receipt, error)
	forgetReceipts func(context.Context, time.Time, int) (int, error)
}

func breakStore(what string, breaks func(good template.Store, b *brokenStore)) breaker[template.Store] {
	return breaker[template.Store]{what, func(good template.Store) template.Store {
		b := &brokenStore{good, good.Create, good.Get, good.Revision, good.Replace, good.Claim, good.Trash, good.Undelete, good.List, good.Count, good.Receipt, good.ForgetReceipts}
		breaks(good, b)
		return b
	}}
}

func (b *brokenStore) Create(ctx context.Context, t template.Template, c *template.Claim) error {
	return b.create(ctx, t, c)
}
func (b *brokenStore) Get(ctx context.Context, id uuid.UUID) (template.Template, error) {
	return b.get(ctx, id)
}
func (b *brokenStore) Revision(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
	return b.revision(ctx, id, n)
}
func (b *brokenStore) Replace(ctx context.Context, t template.Template, was int, c *template.Claim) error {
	return b.replace(ctx, t, was, c)
}
func (b *brokenStore) Claim(ctx context.Context, id uuid.UUID, c template.Claim) error {
	return b.claim(ctx, id, c)
}
func (b *brokenStore) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	return b.trash(ctx, id, was, at)
}
func (b *brokenStore) Undelete(ctx context.Context, id uuid.UUID, was int, c *template.Claim) error {
	return b.undelete(ctx, id, was, c)
}
func (b *brokenStore) List(ctx context.Context, q template.Query) ([]template.Template, error) {
	return b.list(ctx, q)
}
func (b *brokenStore) Count(ctx context.Context, f template.Filter) (int, error) {
	return b.count(ctx, f)
}
func (b *brokenStore) Receipt(ctx context.Context, user, key string, now time.Time) (template.Receipt, error) {
	return b.receipt(ctx, user, key, now)
}
func (b *brokenStore) ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error) {
	return b.forgetReceipts(ctx, now, limit)
}

// spoilsWrites changes what is stored.
func spoilsWrites(what string, spoil func(*template.Template)) breaker[template.Store] {
	return breakStore(what, func(good template.Store, b *brokenStore) {
		b.create = func(ctx context.Context, t template.Template, c *template.Claim) error {
			spoil(&t)
			return good.Create(ctx, t, c)
		}
		b.replace = func(ctx context.Context, t template.Template, was int, c *template.Claim) error {
			spoil(&t)
			return good.Replace(ctx, t, was, c)
		}
	})
}

// spoilsReads changes what is answered.
func spoilsReads(what string, spoil func(*template.Template)) breaker[template.Store] {
	return breakStore(what, func(good template.Store, b *brokenStore) {
		b.get = func(ctx context.Context, id uuid.UUID) (template.Template, error) {
			t, err := good.Get(ctx, id)
			spoil(&t)
			return t, err
		}
	})
}

var (
	lostUpdate = breakStore("looks first and writes later", func(good template.Store, b *brokenStore) {
		gap := newGap()
		b.replace = func(ctx context.Context, t template.Template, was int, c *template.Claim) error {
			if now, err := good.Get(ctx, t.ID); err != nil || now.Revision != was || now.InTrash() {
				return template.ErrStale
			}
			gap()
			if err := good.Replace(ctx, t, was, c); !errors.Is(err, template.ErrStale) {
				return err
			}
			return nil
		}
		b.trash = func(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
			if now, err := good.Get(ctx, id); err != nil || now.Revision != was || now.InTrash() {
				return template.ErrStale
			}
			gap()
			if err := good.Trash(ctx, id, was, at); !errors.Is(err, template.ErrStale) {
				return err
			}
			return nil
		}
	})
	deafStore = breakStore("does not listen to contexts", func(good template.Store, b *brokenStore) {
		deaf := context.WithoutCancel
		b.create = func(ctx context.Context, t template.Template, c *template.Claim) error {
			return good.Create(deaf(ctx), t, c)
		}
	})
	ignoresRevisions = breakStore("does not compare revisions", func(good template.Store, b *brokenStore) {
		current := func(ctx context.Context, id uuid.UUID) int {
			t, _ := good.Get(ctx, id)
			return t.Revision
		}
		b.replace = func(ctx context.Context, t template.Template, _ int, c *template.Claim) error {
			return good.Replace(ctx, t, current(ctx, t.ID), c)
		}
		b.trash = func(ctx context.Context, id uuid.UUID, _ int, at time.Time) error {
			return good.Trash(ctx, id, current(ctx, id), at)
		}
		b.undelete = func(ctx context.Context, id uuid.UUID, _ int, c *template.Claim) error {
			return good.Undelete(ctx, id, current(ctx, id), c)
		}
	})
)

// mangledCreate replaces Create.
func mangledCreate(what string, create func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error) breaker[template.Store] {
	return breakStore(what, func(good template.Store, b *brokenStore) {
		b.create = func(ctx context.Context, t template.Template, c *template.Claim) error {
			return create(good, ctx, t, c)
		}
	})
}

var templateBreakers = map[string][]breaker[template.Store]{
	"create and get every field": {
		spoilsWrites("loses descriptions", func(t *template.Template) { t.Description = "" }),
		spoilsWrites("loses authors", func(t *template.Template) { t.Author = "" }),
		spoilsWrites("loses the syntax", func(t *template.Template) { t.Syntax = template.Mustache }),
	},
	"odd texts are kept byte for byte": {
		spoilsWrites("trims", func(t *template.Template) { t.Content = strings.TrimSpace(t.Content) }),
		spoilsWrites("changes line ends", func(t *template.Template) { t.Content = strings.ReplaceAll(t.Content, "\r\n", "\n") }),
		spoilsWrites("knows no four-byte characters", func(t *template.Template) { t.Name = strings.ReplaceAll(t.Name, "\U0001F9D9", "?") }),
		spoilsWrites("eats backslashes", func(t *template.Template) { t.Description = strings.ReplaceAll(t.Description, `\\`, `\`) }),
		spoilsWrites("drops byte order marks", func(t *template.Template) { t.Name = strings.TrimPrefix(t.Name, "\ufeff") }),
	},
	"a megabyte of content": {spoilsWrites("cuts content", func(t *template.Template) { t.Content = t.Content[:min(len(t.Content), 1<<20-1)] })},
	"times keep their microseconds": {
		spoilsWrites("keeps milliseconds", func(t *template.Template) { t.Created = t.Created.Truncate(time.Millisecond) }),
		spoilsReads("answers in another zone", func(t *template.Template) { t.Modified = t.Modified.In(time.FixedZone("", 3600)) }),
	},
	"times that are missing stay missing": {
		spoilsWrites("makes times up", func(t *template.Template) {
			if t.Created.IsZero() {
				t.Created = at(5)
			}
		}),
		relisted("orders missing times before all", nil, func(s template.Sort, a, b template.Template) int {
			if s.Key == template.ByCreated {
				return a.Created.Compare(b.Created)
			}
			return 0
		}),
	},
	"a template may start at any revision": {spoilsWrites("starts at revision 1", func(t *template.Template) { t.Revision = 1 })},
	"an id is taken once": {
		mangledCreate("overwrites", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
			err := good.Create(ctx, t, c)
			if errors.Is(err, template.ErrTaken) {
				if now, _ := good.Get(ctx, t.ID); !now.InTrash() {
					return good.Replace(ctx, t, now.Revision, nil)
				}
			}
			return err
		}),
		mangledCreate("forgets about the trash", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
			if now, err := good.Get(ctx, t.ID); err == nil && now.InTrash() {
				return good.Undelete(ctx, t.ID, now.Revision, nil)
			}
			return good.Create(ctx, t, c)
		}),
	},
	"of concurrent creates of an id one wins": {breakStore("looks first and writes later", func(good template.Store, b *brokenStore) {
		gap := newGap()
		b.create = func(ctx context.Context, t template.Template, c *template.Claim) error {
			if _, err := good.Get(ctx, t.ID); err == nil {
				return template.ErrTaken
			}
			gap()
			_ = good.Create(ctx, t, c)
			return nil
		}
	})},
	"what is not there is not found": {
		breakStore("answers an empty template", func(good template.Store, b *brokenStore) {
			b.get = func(ctx context.Context, id uuid.UUID) (template.Template, error) {
				t, _ := good.Get(ctx, id)
				return t, nil
			}
		}),
		breakStore("stumbles over large numbers", func(good template.Store, b *brokenStore) {
			b.revision = func(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
				if n > 1<<31-1 {
					return template.Template{}, errors.New("integer out of range")
				}
				return good.Revision(ctx, id, n)
			}
		}),
	},
	"what is answered is not shared": {breakStore("hands out its own list", func(good template.Store, b *brokenStore) {
		var own []template.Template
		b.list = func(ctx context.Context, q template.Query) (_ []template.Template, err error) {
			if own == nil {
				own, err = good.List(ctx, q)
			}
			return own, err
		}
	})},
	"a context that has ended": {deafStore},
	"replace makes the next revision current": {breakStore("does nothing", func(_ template.Store, b *brokenStore) {
		b.replace = func(context.Context, template.Template, int, *template.Claim) error { return nil }
	})},
	"old revisions stay as they were": {
		breakStore("answers the current one for all", func(good template.Store, b *brokenStore) {
			b.revision = func(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
				t, err := good.Revision(ctx, id, n)
				if now, err := good.Get(ctx, id); err == nil {
					t.Content = now.Content
				}
				return t, err
			}
		}),
		breakStore("tells of the trash", func(good template.Store, b *brokenStore) {
			b.revision = func(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
				t, err := good.Revision(ctx, id, n)
				now, _ := good.Get(ctx, id)
				t.Deleted = now.Deleted
				return t, err
			}
		}),
	},
	"replace keeps created and does not look at deleted": {breakStore("takes over created", func(good template.Store, b *brokenStore) {
		var given time.Time
		b.replace = func(ctx context.Context, t template.Template, was int, c *template.Claim) error {
			given = t.Created
			return good.Replace(ctx, t, was, c)
		}
		b.get = func(ctx context.Context, id uuid.UUID) (template.Template, error) {
			t, err := good.Get(ctx, id)
			t.Created = given
			return t, err
		}
	})},
	"replace at another revision is stale": {ignoresRevisions},
	"replace of a missing template is stale": {
		breakStore("creates it", func(good template.Store, b *brokenStore) {
			b.replace = func(ctx context.Context, t template.Template, _ int, c *template.Claim) error {
				return good.Create(ctx, t, c)
			}
		}),
		breakStore("says not found", func(good template.Store, b *brokenStore) {
			b.replace = func(context.Context, template.Template, int, *template.Claim) error {
				return fault.New(fault.NotFound, "none")
			}
		}),
	},
	"replace in the trash is stale": {breakStore("brings it back", func(good template.Store, b *brokenStore) {
		b.replace = func(ctx context.Context, t template.Template, was int, c *template.Claim) error {
			_ = good.Undelete(ctx, t.ID, was, nil)
			return good.Replace(ctx, t, was, c)
		}
	})},
	"of many writers one wins": {lostUpdate},
	"to the trash and back": {
		breakStore("does not undelete", func(_ template.Store, b *brokenStore) {
			b.undelete = func(context.Context, uuid.UUID, int, *template.Claim) error { return nil }
		}),
		breakStore("notes another time", func(good template.Store, b *brokenStore) {
			b.trash = func(ctx context.Context, id uuid.UUID, was int, _ time.Time) error {
				return good.Trash(ctx, id, was, time.Now())
			}
		}),
	},
	"trash at another revision or place is stale":    {ignoresRevisions},
	"undelete at another revision or place is stale": {ignoresRevisions},
	"of concurrent trashes and undeletes one wins":   {lostUpdate},
	"a replace and a trash do not both win":          {lostUpdate},
}

func TestTemplateTeeth(t *testing.T) {
	t.Parallel()
	breakers := templateListBreakers()
	for _, table := range []map[string][]breaker[template.Store]{templateBreakers, claimBreakers} {
		for name, list := range table {
			if breakers[name] != nil {
				t.Fatalf("%q has breakers in two tables", name)
			}
			breakers[name] = list
		}
	}
	demandTeeth(t, TemplateChecks, func() template.Store { return memory.NewTemplates() }, breakers)
}
