package memory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

// lookEvery is after how many templates a scan looks whether its context has ended.
const lookEvery = 1024

// Export implements template.Archive. It stops no writer: what it takes under the lock is one pointer for each
// template, which is all the memory that it needs, beside what others replace or purge until it ends.
func (s *Templates) Export(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
	rows, err := s.snapshot(ctx, w.Trash)
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b *row) int {
		oldest := template.Sort{Key: template.ByCreated}
		return template.PositionOf(a.current, oldest).Compare(template.PositionOf(b.current, oldest))
	})
	for _, r := range rows {
		shown := []template.Template{r.current}
		if w.Revisions {
			shown = r.history
		}
		for _, t := range shown {
			if err := ended(ctx); err != nil {
				return err
			}
			record := template.Record{Template: t}
			record.Deleted = r.current.Deleted
			if w.Revisions {
				record.Labels = labelsOn(r.labels, t.Revision)
			}
			if err := each(record); err != nil {
				return err
			}
		}
	}
	return nil
}

// snapshot gives all templates as they are now.
func (s *Templates) snapshot(ctx context.Context, trash bool) ([]*row, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	rows := make([]*row, 0, len(s.rows))
	for _, r := range s.rows {
		if trash || !r.current.InTrash() {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// labelsOn gives the names of the labels on a revision, sorted as labels are.
func labelsOn(labels []template.Label, revision int) []string {
	var names []string
	for _, l := range labels {
		if l.Revision == revision {
			names = append(names, l.Name)
		}
	}
	return names
}

// Current implements template.Archive.
func (s *Templates) Current(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]template.Template, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	found := make(map[uuid.UUID]template.Template, len(ids))
	for _, id := range ids {
		if r := s.rows[id]; r != nil {
			found[id] = r.current
		}
	}
	return found, nil
}

// Write implements template.Archive. A revision below the current one is ErrStale too: a history only rises.
func (s *Templates) Write(ctx context.Context, changes []template.Writing) ([]error, error) {
	words := make([]string, len(changes))
	for i, w := range changes {
		if err := ended(ctx); err != nil {
			return nil, err
		}
		if w.Was == 0 || w.Template.Revision != w.Was {
			words[i] = wordsOf(w.Template)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	results := make([]error, len(changes))
	for i, w := range changes {
		results[i] = s.write(w, words[i])
	}
	return results, nil
}

// write makes one change of an import, whose template has these words.
func (s *Templates) write(w template.Writing, words string) error {
	t := normal(w.Template)
	old := s.rows[t.ID]
	var r *row
	switch {
	case w.Was == 0 && old != nil:
		return template.ErrTaken
	case w.Was == 0:
		r = newRow(t, words)
		r.history[0].Deleted = time.Time{}
		s.rows[t.ID] = r
	case old == nil || old.current.Revision != w.Was || t.Revision < w.Was:
		return template.ErrStale
	case t.Revision == w.Was:
		r = s.change(t.ID)
		r.current.Deleted = t.Deleted
	default:
		r = s.change(t.ID)
		t.Created = r.current.Created
		r.current, r.words = t, words
		t.Deleted = time.Time{}
		r.history = append(r.history, t)
	}
	for _, name := range w.Labels {
		s.putLabel(r, template.Label{Name: name, Revision: t.Revision, User: t.Author, Modified: t.Modified})
	}
	return nil
}

// Purge implements template.Archive.
func (s *Templates) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := map[uuid.UUID]bool{}
	if err := s.eachInTrash(ctx, before, func(id uuid.UUID) bool {
		if len(gone) < limit {
			gone[id] = true
		}
		return len(gone) < limit
	}); err != nil {
		return 0, err
	}
	if len(gone) == 0 {
		return 0, nil
	}
	for id := range gone {
		delete(s.rows, id)
	}
	for key, used := range s.receipts {
		if gone[used.ID] {
			delete(s.receipts, key)
		}
	}
	return len(gone), nil
}

// CountTrash implements template.Archive.
func (s *Templates) CountTrash(ctx context.Context, before time.Time) (int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	err := s.eachInTrash(ctx, before, func(uuid.UUID) bool { n++; return true })
	return n, err
}

// eachInTrash shows, in no order, what was moved to the trash before the moment, until show answers false.
func (s *Templates) eachInTrash(ctx context.Context, before time.Time, show func(uuid.UUID) bool) error {
	looked := 0
	for id, r := range s.rows {
		if looked%lookEvery == 0 {
			if err := ended(ctx); err != nil {
				return err
			}
		}
		looked++
		if r.current.InTrash() && r.current.Deleted.Before(before) && !show(id) {
			return nil
		}
	}
	return ended(ctx)
}

// Thin implements template.Archive. Each call costs a look at every template.
func (s *Templates) Thin(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (removed int, last uuid.UUID, done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return 0, after, false, err
	}
	start := template.Position{ID: after}
	next := &page{limit: max(0, limit) + 1} // one more than asked for tells whether there are more
	looked := 0
	for id, r := range s.rows {
		if looked++; looked%lookEvery == 0 {
			if err := ended(ctx); err != nil {
				return 0, after, false, err
			}
		}
		if p := (template.Position{ID: id}); !r.current.InTrash() && p.Compare(start) > 0 {
			next.offer(entry{position: p, t: r.current})
		}
	}
	found := next.sorted()
	if done = len(found) < next.limit; !done {
		found = found[:next.limit-1]
	}
	last = after
	for _, t := range found {
		last = t.ID
		kept := thinned(s.rows[t.ID], keep)
		removed += len(s.rows[t.ID].history) - len(kept)
		if !dry && len(kept) < len(s.rows[t.ID].history) {
			s.change(t.ID).history = kept
		}
	}
	return removed, last, done, nil
}

// thinned gives what is left of a row's history when only the newest and what is labelled is kept. The current
// revision always is.
func thinned(r *row, keep int) []template.Template {
	newest := max(0, len(r.history)-max(1, keep))
	if newest == 0 {
		return r.history
	}
	var kept []template.Template
	for _, t := range r.history[:newest] {
		if len(labelsOn(r.labels, t.Revision)) > 0 {
			kept = append(kept, t)
		}
	}
	return append(kept, r.history[newest:]...)
}
