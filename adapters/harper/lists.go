package harper

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
)

// span is the part of a list that can hold what is wanted, as bounds on the sort keys.
type span struct {
	low, high  string
	descending bool
}

// named narrows a list by name to those that begin with a prefix, or are exactly it. Names are cut in keys, so who
// uses it looks at the whole name too.
func (s *span) named(name string, exactly bool) {
	s.low = cutName(name)
	if exactly {
		s.low += nameEnd
	}
	s.high = page.AfterPrefix(s.low)
}

// from lets a list start after a key.
func (s *span) from(key string) {
	if s.descending && (s.high == "" || key < s.high) {
		s.high = key
	}
	if !s.descending && key > s.low {
		s.low = key
	}
}

// templateList is one way to go through templates.
type templateList struct {
	span
	index string
	key   func(template.Template) string
}

func templatesBy(sort template.Sort, trash bool) templateList {
	l := templateList{span: span{descending: sort.Descending}, index: "templates_living_"}
	if trash {
		l.index = "templates_trash_"
	}
	switch sort.Key {
	case template.ByName:
		l.index += "name"
		l.key = func(t template.Template) string { return nameKey(t.Name, t.ID) }
	case template.ByModified:
		l.index += "modified"
		l.key = func(t template.Template) string { return timeKey(t.Modified, t.ID) }
	default:
		l.index += "created"
		l.key = func(t template.Template) string { return timeKey(t.Created, t.ID) }
	}
	return l
}

func positionKey(p template.Position, sort template.SortKey) string {
	if sort == template.ByName {
		return nameKey(p.Name, p.ID)
	}
	return timeKey(p.Time, p.ID)
}

// picks tells whether a row passes what bounds on keys cannot say.
func picks(r *templateRow, f template.Filter, pieces []string) bool {
	return (f.Name == nil || string(r.Name) == *f.Name) && strings.HasPrefix(string(r.Name), f.NamePrefix) && holdsAll(string(r.Words), pieces)
}

// pieces are what a word text must hold.
func pieces(words []string) []string {
	for i, word := range words {
		words[i] = " " + word + " "
	}
	return words
}

// each shows what a query picks, in its order, with these attributes. With a filter it looks at every row on the way,
// unless the order is by name and the filter bounds the names.
func (s *Templates) each(ctx context.Context, q template.Query, attributes []string, page int, show func(template.Template) error) error {
	l := templatesBy(q.Sort, q.Filter.Trash)
	if q.Sort.Key == template.ByName {
		switch {
		case q.Filter.Name != nil:
			l.named(*q.Filter.Name, true)
		case q.Filter.NamePrefix != "":
			l.named(q.Filter.NamePrefix, false)
		}
	}
	skip := ""
	if q.After != nil {
		skip = positionKey(*q.After, q.Sort.Key)
		l.from(skip)
	}
	wanted := pieces(template.Words(q.Filter.Words))
	attributes = append([]string{l.index}, attributes...)
	if len(wanted) > 0 {
		attributes = append(attributes, "templates_words")
		page = heavyPage
	}
	sc := scan{table: templatesTable, along: l.index, low: l.low, high: l.high, descending: l.descending, attributes: attributes, page: page}
	return walk(ctx, s.d, sc, func(r *indexedTemplate) string { return r.key() }, func(r *indexedTemplate) error {
		if r.key() == skip || !picks(&r.templateRow, q.Filter, wanted) {
			return nil
		}
		t, err := r.value()
		if err != nil {
			return err
		}
		return show(t)
	})
}

// indexedTemplate is a row with the sort key that it was found by: only that one is asked for.
type indexedTemplate struct {
	templateRow
	LivingCreated  string `json:"templates_living_created"`
	LivingModified string `json:"templates_living_modified"`
	LivingName     string `json:"templates_living_name"`
	TrashCreated   string `json:"templates_trash_created"`
	TrashModified  string `json:"templates_trash_modified"`
	TrashName      string `json:"templates_trash_name"`
	TrashDeleted   string `json:"templates_trash_deleted"`
}

func (r *indexedTemplate) key() string {
	for _, key := range []string{r.LivingCreated, r.LivingModified, r.LivingName, r.TrashCreated, r.TrashModified, r.TrashName} {
		if key != "" {
			return key
		}
	}
	return r.TrashDeleted
}

// List implements template.Store. A page without a filter, or of names in their order, is one request for a stretch of
// an index. Any other filter, words above all, costs a look at every row up to the end of the page.
func (s *Templates) List(ctx context.Context, q template.Query) ([]template.Template, error) {
	var items []template.Template
	err := s.d.read(ctx, "template.list", func(ctx context.Context) error {
		items = nil
		if q.Limit < 1 {
			return nil
		}
		attributes, page := templateLight, max(q.Limit, 1)
		if q.WithContent {
			attributes = templateFull
		}
		if q.Filter.Name != nil || q.Filter.NamePrefix != "" {
			page = max(page, heavyPage)
		}
		return s.each(ctx, q, attributes, page, func(t template.Template) error {
			items = append(items, t)
			if len(items) == q.Limit {
				return errEnough
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return items, nil
}

// Count implements template.Store. It costs a look at every row that the filter does not bound, at names and ids only.
func (s *Templates) Count(ctx context.Context, f template.Filter) (n int, err error) {
	err = s.d.read(ctx, "template.count", func(ctx context.Context) error {
		// A batch is seen whole or not at all.
		release, err := s.d.locks.enter(ctx)
		if err != nil {
			return err
		}
		defer release()
		n = 0
		q := template.Query{Filter: f}
		if f.Name != nil || f.NamePrefix != "" {
			q.Sort.Key = template.ByName
		}
		return s.each(ctx, q, []string{"templateid", "name"}, lightPage, func(template.Template) error { n++; return nil })
	})
	return n, err
}

// Named implements template.History. It costs a look at every living template of that name.
func (s *Templates) Named(ctx context.Context, name string) (id uuid.UUID, err error) {
	err = s.d.read(ctx, "template.named", func(ctx context.Context) error {
		var oldest *template.Position
		q := template.Query{Filter: template.Filter{Name: &name}, Sort: template.Sort{Key: template.ByName}}
		if err := s.each(ctx, q, []string{"templateid", "name", "created"}, lightPage, func(t template.Template) error {
			p := template.PositionOf(t, template.Sort{})
			if oldest == nil || p.Compare(*oldest) < 0 {
				oldest = &p
			}
			return nil
		}); err != nil {
			return err
		}
		if oldest == nil {
			return fault.New(fault.NotFound, "there is no template of this name")
		}
		id = oldest.ID
		return nil
	})
	return id, err
}

// Revisions implements template.History.
func (s *Templates) Revisions(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
	var items []template.Template
	err := s.d.read(ctx, "template.revisions", func(ctx context.Context) error {
		items = nil
		now, err := s.current(ctx, id, templateLight)
		if err != nil {
			return err
		}
		if now == nil {
			return errNoTemplate
		}
		if limit < 1 || below < 0 {
			return nil
		}
		add := func(t template.Template) error {
			t.Description, t.Content, t.Created, t.Deleted = "", "", now.Created, time.Time{}
			items = append(items, t)
			if len(items) == limit {
				return errEnough
			}
			return nil
		}
		if below == 0 || now.Revision < below {
			if err := add(*now); err != nil {
				return enough(err)
			}
			below = now.Revision
		}
		return s.superseded(ctx, id, min(below, now.Revision), min(limit+1, lightPage), add)
	})
	if err != nil {
		return nil, err
	}
	return items, nil
}

// superseded shows the superseded revisions below a number, newest first, without description and content.
func (s *Templates) superseded(ctx context.Context, id uuid.UUID, below, page int, show func(template.Template) error) error {
	if below <= 1 {
		return nil
	}
	sc := scan{table: revisionsTable, along: rowKey, low: id.String() + ":", high: revisionKey(id, below-1), descending: true, attributes: revisionLight, page: page}
	return walk(ctx, s.d, sc, func(r *templateRow) string { return r.RowKey }, func(r *templateRow) error {
		t, err := r.value()
		if err != nil {
			return err
		}
		return show(t)
	})
}
