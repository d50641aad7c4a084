package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

// errOvertaken is a transaction that met a template that somebody else made since it had looked.
var errOvertaken = errors.New("somebody else has made one of the templates")

// overtakes is how often a Write looks anew. Each time somebody else has made another one of its templates within
// milliseconds, so this is never reached by chance.
const overtakes = 10

// Write implements template.Archive. It locks what exists of the templates, works all changes through in memory, and
// stores what came of them with one statement for each kind of row.
//
// A Template with a lower number than Was is ErrStale too: it would be history, not the current revision.
func (s *Templates) Write(ctx context.Context, changes []template.Writing) ([]error, error) {
	var results []error
	err := s.h.run(ctx, "template.write", func(ctx context.Context) (err error) {
		for range overtakes {
			err = s.h.inTx(ctx, nil, func(t tx) (err error) {
				w := newWriting(&s.h.dialect, t)
				if err := w.look(ctx, changes); err != nil {
					return err
				}
				results = make([]error, len(changes))
				for i := range changes {
					results[i] = w.apply(&changes[i])
				}
				return w.store(ctx)
			})
			if !errors.Is(err, errOvertaken) {
				return err
			}
		}
		return ErrBusy(err)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// labelKey names a label of a template.
type labelKey struct {
	id   uuid.UUID
	name string
}

// standing is where a template stands while the changes of a batch are worked through.
type standing struct {
	exists   bool
	revision int
	// next is what is to be stored of it; nil while only the row in the database counts.
	next *template.Template
}

// writing is one batch in its transaction.
type writing struct {
	d *Dialect
	t tx

	standing map[uuid.UUID]*standing
	labels   map[labelKey]int

	// created and replaced are new rows and new states of rows, by their ids' first appearance; kept are the ids whose
	// rows become superseded revisions first, and superseded the revisions that are that from the start.
	created, replaced []*template.Template
	kept              []uuid.UUID
	superseded        []template.Template
	// marked are those of which only the time of deletion is set.
	marked map[uuid.UUID]template.Template
	// moves are the moves of labels in their order, put the rows that come of them.
	moves, put [][]any
	putAt      map[labelKey]int
}

func newWriting(d *Dialect, t tx) *writing {
	return &writing{d: d, t: t, standing: map[uuid.UUID]*standing{}, labels: map[labelKey]int{},
		marked: map[uuid.UUID]template.Template{}, putAt: map[labelKey]int{}}
}

const (
	lookAtLabels = `SELECT templateid, label, revision FROM template_labels WHERE templateid IN (SELECT templateid FROM v)`
)

// look reads where the templates and their labels stand, and locks what there is.
func (w *writing) look(ctx context.Context, changes []template.Writing) error {
	var ids, labelled []uuid.UUID
	for i := range changes {
		id := changes[i].Template.ID
		if w.standing[id] == nil {
			w.standing[id] = &standing{}
			ids = append(ids, id)
		}
		if len(changes[i].Labels) > 0 {
			labelled = append(labelled, id)
		}
	}
	found := false
	err := w.t.querySet(ctx, w.d, idSet(ids), w.d.lookAt(), func(rows *sql.Rows) error {
		var id uuid.UUID
		var revision int
		if err := rows.Scan(&id, &revision); err != nil {
			return err
		}
		found = true
		*w.standing[id] = standing{exists: true, revision: revision}
		return nil
	})
	if err != nil || !found || labelled == nil {
		return err
	}
	return w.t.querySet(ctx, w.d, idSet(labelled), lookAtLabels, func(rows *sql.Rows) error {
		var key labelKey
		var revision int
		err := rows.Scan(&key.id, &key.name, &revision)
		w.labels[key] = revision
		return err
	})
}

// apply works one change in, or tells why it is left out.
func (w *writing) apply(c *template.Writing) error {
	t := c.Template
	at := w.standing[t.ID]
	switch {
	case c.Was == 0 && at.exists:
		return template.ErrTaken
	case c.Was == 0:
		at.exists, at.next = true, &t
		w.created = append(w.created, &t)
	case !at.exists || at.revision != c.Was || t.Revision < c.Was:
		return template.ErrStale
	case t.Revision == c.Was && at.next != nil:
		at.next.Deleted = t.Deleted
	case t.Revision == c.Was:
		w.marked[t.ID] = t
	case at.next != nil:
		w.superseded = append(w.superseded, *at.next)
		t.Created = at.next.Created
		*at.next = t
	default:
		delete(w.marked, t.ID)
		at.next = &t
		w.kept = append(w.kept, t.ID)
		w.replaced = append(w.replaced, &t)
	}
	at.revision = t.Revision
	for _, name := range c.Labels {
		w.move(labelKey{t.ID, name}, t)
	}
	return nil
}

// move puts a label on a revision.
func (w *writing) move(key labelKey, t template.Template) {
	row := []any{len(w.moves) + 1, key.id.String(), key.name, w.labels[key], t.Revision, t.Author, t.Modified.UTC()}
	w.moves = append(w.moves, row)
	w.labels[key] = t.Revision
	if at, before := w.putAt[key]; before {
		w.put[at] = row
		return
	}
	w.putAt[key] = len(w.put)
	w.put = append(w.put, row)
}
