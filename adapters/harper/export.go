package harper

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// exportPage is how many records are read at once: contents are in them.
const exportPage = 16

// snapshot is what an export holds, without the texts: some 150 bytes a record.
type snapshot struct {
	templates map[uuid.UUID]template.Template // without name, description and content
	labels    map[string][]string             // by the hashes of revisions
	records   []exported
}

// exported is one record to come.
type exported struct {
	id       uuid.UUID
	revision int
}

// Export implements template.Archive. No change is under way while it notes which revisions there are, which takes a
// request for some thousand of them; then writers go on, and it reads the revisions, which never change. Only what
// removes revisions waits for its end.
func (s *Templates) Export(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
	began := time.Now()
	var refusedBy error
	err := ctx.Err()
	if err == nil {
		err = s.export(ctx, w, func(r template.Record) error {
			refusedBy = each(r)
			return refusedBy
		})
	}
	if refusedBy != nil {
		err = refusedBy
	} else {
		err = faultOf(err)
	}
	s.d.observe("template.export", time.Since(began), err)
	return err
}

func (s *Templates) export(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
	if err := s.d.settle(ctx); err != nil {
		return err
	}
	leave, err := s.d.exports.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	release, err := s.d.locks.alone(ctx)
	if err != nil {
		return err
	}
	snap, err := s.snapshot(ctx, w)
	release()
	if err != nil {
		return err
	}
	for part := range slices.Chunk(snap.records, exportPage) {
		found, err := s.texts(ctx, snap, part)
		if err != nil {
			return err
		}
		for _, e := range part {
			if err := ctx.Err(); err != nil {
				return err
			}
			key := revisionKey(e.id, e.revision)
			t, ok := found[key]
			if !ok {
				return fault.New(fault.Internal, "revision %d of the template %s is gone", e.revision, e.id)
			}
			stood := snap.templates[e.id]
			t.Created, t.Deleted = stood.Created, stood.Deleted
			r := template.Record{Template: t}
			if w.Revisions {
				r.Labels = snap.labels[key]
			}
			if err := each(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// snapshot notes which records there are. No change is under way.
func (s *Templates) snapshot(ctx context.Context, w template.Wanted) (*snapshot, error) {
	snap := &snapshot{templates: map[uuid.UUID]template.Template{}, labels: map[string][]string{}}
	trashes := []bool{false}
	if w.Trash {
		trashes = append(trashes, true)
	}
	for _, trash := range trashes {
		q := template.Query{Filter: template.Filter{Trash: trash}}
		if err := s.each(ctx, q, []string{"templateid", "revision", "created", "deleted"}, lightPage, func(t template.Template) error {
			snap.templates[t.ID] = t
			snap.records = append(snap.records, exported{t.ID, t.Revision})
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if w.Revisions {
		if err := s.snapshotHistory(ctx, snap); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(snap.records, func(a, b exported) int {
		oldest := template.Sort{Key: template.ByCreated}
		if c := template.PositionOf(snap.templates[a.id], oldest).Compare(template.PositionOf(snap.templates[b.id], oldest)); c != 0 {
			return c
		}
		return a.revision - b.revision
	})
	return snap, nil
}

func (s *Templates) snapshotHistory(ctx context.Context, snap *snapshot) error {
	all := scan{table: revisionsTable, along: rowKey, attributes: []string{rowKey}, page: lightPage}
	if err := walk(ctx, s.d, all, hashOf, func(r *hashRow) error {
		text, number, _ := strings.Cut(r.RowKey, ":")
		id, err := uuid.Parse(text)
		if err != nil {
			return err
		}
		n, err := numberOf(number)
		if now, wanted := snap.templates[id]; wanted && int(n) < now.Revision {
			snap.records = append(snap.records, exported{id, int(n)})
		}
		return err
	}); err != nil {
		return err
	}
	all = scan{table: labelsTable, along: rowKey, attributes: labelAttributes, page: lightPage}
	return walk(ctx, s.d, all, func(r *labelRow) string { return r.RowKey }, func(r *labelRow) error {
		id, err := uuid.Parse(r.TemplateID)
		if err != nil {
			return err
		}
		l, err := r.value()
		if _, wanted := snap.templates[id]; wanted {
			key := revisionKey(id, l.Revision)
			snap.labels[key] = append(snap.labels[key], l.Name) // they come sorted
		}
		return err
	})
}

// texts reads revisions. What was current then may be superseded by now.
func (s *Templates) texts(ctx context.Context, snap *snapshot, part []exported) (map[string]template.Template, error) {
	found := make(map[string]template.Template, len(part))
	keep := func(r *templateRow) error {
		t, err := r.value()
		found[revisionKey(t.ID, t.Revision)] = t
		return err
	}
	var now, before []string
	for _, e := range part {
		if snap.templates[e.id].Revision == e.revision {
			now = append(now, e.id.String())
		}
	}
	if err := byHash(ctx, s.d, templatesTable, now, templateFull, keep); err != nil {
		return nil, err
	}
	for _, e := range part {
		key := revisionKey(e.id, e.revision)
		if _, ok := found[key]; !ok {
			before = append(before, key)
		}
	}
	return found, byHash(ctx, s.d, revisionsTable, before, revisionFull, keep)
}
