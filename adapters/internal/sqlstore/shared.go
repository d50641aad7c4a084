package sqlstore

import (
	"context"
	"database/sql"
	"slices"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// Lanes is how many trips that several requests share are under way at the same time, of Pages those for the same page;
// 0 shares none.
type Lanes struct{ Reads, Creations, Pages int }

const (
	// mostShared is how many requests one trip serves.
	mostShared = 64
	// heaviestCreation is how many bytes of content one shared trip carries.
	heaviestCreation = 1 << 20
)

// found is a template, or the fault of not being there.
type found struct {
	template template.Template
	err      error
}

func (s *Templates) share() {
	lanes := s.h.dialect.Lanes
	s.reads = &gathering[uuid.UUID, found]{lanes: lanes.Reads, most: mostShared, trip: s.getAll}
	s.creations = &gathering[*template.Template, error]{lanes: lanes.Creations, most: mostShared,
		weight: func(t *template.Template) int { return len(t.Content) }, heavy: heaviestCreation, trip: s.createAll}
	s.pages = &alike[pageKey, []template.Template]{lanes: lanes.Pages, most: mostShared}
}

// pageKey is a template.Query by its value.
type pageKey struct {
	filter      template.Filter // without Name
	named       bool
	name        string
	sort        template.Sort
	behind      bool
	after       template.Position
	limit       int
	withContent bool
}

func keyOf(q template.Query) pageKey {
	k := pageKey{filter: q.Filter, sort: q.Sort, limit: q.Limit, withContent: q.WithContent}
	if k.filter.Name = nil; q.Filter.Name != nil {
		k.named, k.name = true, *q.Filter.Name
	}
	if q.After != nil {
		k.behind, k.after = true, *q.After
	}
	return k
}

// getAll reads current revisions.
func (s *Templates) getAll(ctx context.Context, ids []uuid.UUID) ([]found, error) {
	all := make([]found, len(ids))
	if len(ids) == 1 {
		all[0].template, all[0].err = s.get(ctx, ids[0])
		return all, nil
	}
	byID := make(map[uuid.UUID]template.Template, len(ids))
	with, args := s.h.dialect.with(idSet(ids), nil)
	err := s.h.run(ctx, "template.get", func(ctx context.Context) error {
		return s.h.rows(ctx, false, with+s.h.dialect.currentOf(), args, func(rows *sql.Rows) error {
			var t template.Template
			err := rows.Scan(templateFields(&t)...)
			byID[t.ID] = t
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		t, exists := byID[id]
		if all[i].template = t; !exists {
			all[i].err = errNoTemplate
		}
	}
	return all, nil
}

// createAll stores new templates and tells for each whether its id was taken. Several go in one statement, in the order
// of their ids, so that two trips with the same ids wait for each other and never in a circle.
func (s *Templates) createAll(ctx context.Context, templates []*template.Template) ([]error, error) {
	results := make([]error, len(templates))
	if len(templates) == 1 {
		results[0] = s.create(ctx, templates[0], nil)
		return results, nil
	}
	order := make([]int, len(templates))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return slices.Compare(templates[a].ID[:], templates[b].ID[:])
	})
	sorted := make([]*template.Template, len(templates))
	for i, at := range order {
		sorted[i] = templates[at]
	}
	d := &s.h.dialect
	with, args := d.with(d.current(sorted), nil)
	stored := make(map[uuid.UUID]bool, len(templates))
	err := s.h.run(ctx, "template.create", func(ctx context.Context) error {
		return s.h.returning(ctx, with+d.storeCreated()+` RETURNING templateid`, args, func(rows *sql.Rows) error {
			var id uuid.UUID
			err := rows.Scan(&id)
			stored[id] = true
			return err
		})
	})
	if err != nil && !fault.Is(err, fault.Unavailable) {
		// Nothing was done, and it may be the fault of one alone.
		for i, t := range templates {
			results[i] = s.create(ctx, t, nil)
		}
		return results, nil
	}
	if err != nil {
		return nil, err
	}
	for _, at := range order {
		if id := templates[at].ID; !stored[id] {
			results[at] = template.ErrTaken
		} else {
			delete(stored, id) // a second one of the same id did not get it
		}
	}
	return results, nil
}
