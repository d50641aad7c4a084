package harper

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

// currentOf reads the current revisions of ids that exist.
func (s *Templates) currentOf(ctx context.Context, ids []uuid.UUID, attributes []string) (map[uuid.UUID]template.Template, error) {
	found := make(map[uuid.UUID]template.Template, len(ids))
	asked := make(map[uuid.UUID]bool, len(ids))
	var hashes []string
	for _, id := range ids {
		if !asked[id] {
			asked[id] = true
			hashes = append(hashes, id.String())
		}
	}
	err := byHash(ctx, s.d, templatesTable, hashes, attributes, func(r *templateRow) error {
		t, err := r.value()
		found[t.ID] = t
		return err
	})
	return found, err
}

// Current implements template.Archive.
func (s *Templates) Current(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]template.Template, error) {
	var found map[uuid.UUID]template.Template
	err := s.d.read(ctx, "template.current", func(ctx context.Context) (err error) {
		found, err = s.currentOf(ctx, ids, templateFull)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// batch is the state of the templates of a Write while its changes are made one after the other.
type batch struct {
	d    *DB
	now  map[uuid.UUID]template.Template
	at   map[string]int // where labels stand, by their hashes
	user map[string]record

	touched    map[uuid.UUID]bool
	superseded map[string]record
	moves      []record
}

// Write implements template.Archive. Nobody else writes meanwhile.
func (s *Templates) Write(ctx context.Context, changes []template.Writing) ([]error, error) {
	var results []error
	changes = slices.Clone(changes)
	err := s.d.changeAlone(ctx, "template.write", nil, func(ctx context.Context) error {
		b := &batch{d: s.d, at: map[string]int{}, user: map[string]record{}, touched: map[uuid.UUID]bool{}, superseded: map[string]record{}}
		ids := make([]uuid.UUID, len(changes))
		var labels []string
		for i, w := range changes {
			ids[i] = w.Template.ID
			for _, name := range w.Labels {
				labels = append(labels, labelKey(w.Template.ID, name))
			}
		}
		var err error
		if b.now, err = s.currentOf(ctx, ids, templateFull); err != nil {
			return err
		}
		if err := byHash(ctx, s.d, labelsTable, labels, labelAttributes, func(r *labelRow) error {
			n, err := numberOf(r.Revision)
			b.at[r.RowKey] = int(n)
			return err
		}); err != nil {
			return err
		}
		results = make([]error, len(changes))
		for i, w := range changes {
			results[i] = b.write(w)
		}
		return s.d.commit(ctx, b.steps()...)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// write makes one change. A revision below the current one is ErrStale too: a history only rises.
func (b *batch) write(w template.Writing) error {
	t := normal(w.Template)
	old, exists := b.now[t.ID]
	switch {
	case w.Was == 0 && exists:
		return template.ErrTaken
	case w.Was == 0:
	case !exists || old.Revision != w.Was || t.Revision < w.Was:
		return template.ErrStale
	case t.Revision == w.Was:
		old.Deleted = t.Deleted
		for _, name := range w.Labels {
			b.label(t.ID, template.Label{Name: name, Revision: t.Revision, User: t.Author, Modified: t.Modified})
		}
		b.now[t.ID], b.touched[t.ID] = old, true
		return nil
	default:
		t.Created = old.Created
		b.superseded[revisionKey(t.ID, old.Revision)] = revisionRecord(old)
	}
	b.now[t.ID], b.touched[t.ID] = t, true
	for _, name := range w.Labels {
		b.label(t.ID, template.Label{Name: name, Revision: t.Revision, User: t.Author, Modified: t.Modified})
	}
	return nil
}

func (b *batch) label(id uuid.UUID, l template.Label) {
	key := labelKey(id, l.Name)
	b.moves = append(b.moves, moveRecord(id, l.Name, template.LabelMove{Number: b.d.number(), From: b.at[key], To: l.Revision, User: l.User, Time: l.Modified}))
	b.at[key], b.user[key] = l.Revision, labelRecord(id, l)
}

func (b *batch) steps() []step {
	superseded, labels, now := writes(revisionsTable), writes(labelsTable), writes(templatesTable)
	for _, r := range b.superseded {
		superseded.Upsert = append(superseded.Upsert, r)
	}
	for _, r := range b.user {
		labels.Upsert = append(labels.Upsert, r)
	}
	for id := range b.touched {
		now.Upsert = append(now.Upsert, templateRecord(b.now[id]))
	}
	return []step{superseded, now, labels, writes(movesTable, b.moves...)}
}

// trashed shows the ids of what was moved to the trash before the moment, the oldest first.
func (d *DB) trashed(ctx context.Context, t table, index string, before time.Time, page int, show func(id string) error) error {
	sc := scan{table: t, along: index, high: timeBound(instant(before)), attributes: []string{t.hash, index}, page: page}
	return walk(ctx, d, sc, func(r *trashRow) string { return r.TemplateKey + r.CharacterKey }, func(r *trashRow) error {
		return show(r.TemplateID + r.CharacterID)
	})
}

// trashRow is a row of templates or of characters, of which only the names of one are asked for.
type trashRow struct {
	TemplateID   string `json:"templateid"`
	TemplateKey  string `json:"templates_trash_deleted"`
	CharacterID  string `json:"characterid"`
	CharacterKey string `json:"characters_trash_deleted"`
}

// Purge implements template.Archive. It waits for exports that run, because they read what it removes.
func (s *Templates) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	purged := 0
	err := s.d.changeAlone(ctx, "template.purge", s.d.exports, func(ctx context.Context) error {
		if limit < 1 {
			return nil
		}
		gone := removes(templatesTable)
		if err := s.d.trashed(ctx, templatesTable, "templates_trash_deleted", before, min(limit, lightPage), func(id string) error {
			if gone.Removed = append(gone.Removed, id); len(gone.Removed) == limit {
				return errEnough
			}
			return nil
		}); err != nil {
			return err
		}
		steps, err := s.belongings(ctx, gone.Removed)
		if err != nil {
			return err
		}
		if err := s.d.commit(ctx, append(steps, gone)...); err != nil {
			return err
		}
		purged = len(gone.Removed)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return purged, nil
}

// belongings gives the steps that remove what belongs to templates.
func (s *Templates) belongings(ctx context.Context, ids []string) ([]step, error) {
	labels, moves, revisions, receipts := removes(labelsTable), removes(movesTable), removes(revisionsTable), removes(receiptsTable)
	for _, text := range ids {
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, err
		}
		for _, part := range []*step{&labels, &moves, &revisions} {
			t := table{part.Table, part.Hash}
			if err := walk(ctx, s.d, ofTemplate(t, id, []string{t.hash}), hashOf, func(r *hashRow) error {
				part.Removed = append(part.Removed, hashOf(r))
				return nil
			}); err != nil {
				return nil, err
			}
		}
		if err := equal(ctx, s.d, receiptsTable, text, []string{"templateid"}, []string{rowKey}, mostReceipts, func(r *hashRow) error {
			receipts.Removed = append(receipts.Removed, r.RowKey)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return []step{labels, moves, revisions, receipts}, nil
}

// mostReceipts is how many receipts of a template a purge removes; more of one day would expire by themselves.
const mostReceipts = 100_000

// hashRow is a row of which only the hash is asked for.
type hashRow struct {
	RowKey string `json:"rowkey"`
	Move   string `json:"move"`
}

func hashOf(r *hashRow) string { return r.RowKey + r.Move }

// CountTrash implements template.Archive. It costs a look at each row that it counts.
func (s *Templates) CountTrash(ctx context.Context, before time.Time) (n int, err error) {
	err = s.d.read(ctx, "template.count_trash", func(ctx context.Context) error {
		n = 0
		return s.d.trashed(ctx, templatesTable, "templates_trash_deleted", before, lightPage, func(string) error { n++; return nil })
	})
	return n, err
}

// Thin implements template.Archive. It waits for exports that run, because they read what it removes.
func (s *Templates) Thin(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
	removed, last, done := 0, after, true
	err := s.d.changeAlone(ctx, "template.thin", s.d.exports, func(ctx context.Context) error {
		var living []template.Template
		looked := 0
		sc := scan{table: templatesTable, along: templatesTable.hash, low: after.String(), attributes: templateLight, page: min(max(limit, 0)+1, lightPage)}
		if err := walk(ctx, s.d, sc, func(r *templateRow) string { return r.ID }, func(r *templateRow) error {
			t, err := r.value()
			if err != nil || t.ID == after {
				return err
			}
			if looked++; looked > limit {
				done = false
				return errEnough
			}
			last = t.ID
			if !t.InTrash() {
				living = append(living, t)
			}
			return nil
		}); err != nil {
			return err
		}
		gone := removes(revisionsTable)
		for _, t := range living {
			if err := s.thinned(ctx, t, keep, &gone); err != nil {
				return err
			}
		}
		if !dry {
			if err := s.d.commit(ctx, gone); err != nil {
				return err
			}
		}
		removed = len(gone.Removed)
		return nil
	})
	if err != nil {
		return 0, uuid.Nil, false, err
	}
	return removed, last, done, nil
}

// thinned adds the revisions of a template that go.
func (s *Templates) thinned(ctx context.Context, t template.Template, keep int, gone *step) error {
	kept := map[int]bool{}
	if err := walk(ctx, s.d, ofTemplate(labelsTable, t.ID, labelAttributes), func(r *labelRow) string { return r.RowKey }, func(r *labelRow) error {
		l, err := r.value()
		kept[l.Revision] = true
		return err
	}); err != nil {
		return err
	}
	newer := 1 // the current one
	return s.superseded(ctx, t.ID, t.Revision, lightPage, func(old template.Template) error {
		if newer++; newer > max(keep, 1) && !kept[old.Revision] {
			gone.Removed = append(gone.Removed, revisionKey(t.ID, old.Revision))
		}
		return nil
	})
}
