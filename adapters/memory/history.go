package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// Revisions implements template.History.
func (s *Templates) Revisions(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	r := s.rows[id]
	if r == nil {
		return nil, fault.New(fault.NotFound, "there is no template with this id")
	}
	var items []template.Template
	for _, t := range slices.Backward(r.history) {
		if len(items) >= limit {
			break
		}
		if below == 0 || t.Revision < below {
			t.Description, t.Content, t.Deleted = "", "", time.Time{}
			items = append(items, t)
		}
	}
	return items, nil
}

// Named implements template.History.
func (s *Templates) Named(ctx context.Context, name string) (uuid.UUID, error) {
	if err := ended(ctx); err != nil {
		return uuid.Nil, err
	}
	var oldest *template.Position
	if err := s.each(ctx, template.Filter{Name: &name}, func(t *template.Template) {
		if p := template.PositionOf(*t, template.Sort{}); oldest == nil || p.Compare(*oldest) < 0 {
			oldest = &p
		}
	}); err != nil {
		return uuid.Nil, err
	}
	if oldest == nil {
		return uuid.Nil, fault.New(fault.NotFound, "there is no template of this name")
	}
	return oldest.ID, nil
}

// Labels implements template.History.
func (s *Templates) Labels(ctx context.Context, id uuid.UUID) ([]template.Label, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	if r := s.rows[id]; r != nil {
		return slices.Clone(r.labels), nil
	}
	return nil, nil
}

// SetLabel implements template.History.
func (s *Templates) SetLabel(ctx context.Context, id uuid.UUID, l template.Label) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	r := s.rows[id]
	if r == nil || r.current.InTrash() {
		return fault.New(fault.NotFound, "there is no template with this id")
	}
	if !slices.ContainsFunc(r.history, func(t template.Template) bool { return t.Revision == l.Revision }) {
		return fault.New(fault.NotFound, "there is no such revision")
	}
	s.putLabel(s.change(id), l)
	return nil
}

// putLabel puts a label on a row that may be changed, and notes it.
func (s *Templates) putLabel(r *row, l template.Label) {
	l.Modified = instant(l.Modified)
	from := 0
	r.labels = slices.Clone(r.labels)
	if i, found := findLabel(r.labels, l.Name); found {
		from, r.labels[i] = r.labels[i].Revision, l
	} else {
		r.labels = slices.Insert(r.labels, i, l)
	}
	s.note(r, l.Name, template.LabelMove{From: from, To: l.Revision, User: l.User, Time: l.Modified})
}

// note adds an entry to a label's history and numbers it.
func (s *Templates) note(r *row, name string, m template.LabelMove) {
	s.moved++
	m.Number = s.moved
	r.moves[name] = append(r.moves[name], m)
}

// findLabel tells where a label stands among labels, or would.
func findLabel(labels []template.Label, name string) (int, bool) {
	return slices.BinarySearchFunc(labels, name, func(l template.Label, name string) int { return strings.Compare(l.Name, name) })
}

// RemoveLabel implements template.History.
func (s *Templates) RemoveLabel(ctx context.Context, id uuid.UUID, name, user string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	if r := s.rows[id]; r != nil {
		if i, found := findLabel(r.labels, name); found {
			r = s.change(id)
			from := r.labels[i].Revision
			r.labels = slices.Delete(slices.Clone(r.labels), i, i+1)
			s.note(r, name, template.LabelMove{From: from, User: user, Time: instant(at)})
			return nil
		}
	}
	return fault.New(fault.NotFound, "the template has no such label")
}

// LabelHistory implements template.History.
func (s *Templates) LabelHistory(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	r := s.rows[id]
	if r == nil {
		return nil, nil
	}
	moves := r.moves[name]
	end := len(moves)
	if before != 0 {
		end, _ = slices.BinarySearchFunc(moves, before, func(m template.LabelMove, before int64) int {
			if m.Number < before {
				return -1
			}
			return 1
		})
	}
	items := slices.Clone(moves[max(0, end-max(0, limit)):end])
	slices.Reverse(items)
	return items, nil
}
