package harper

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
)

// labelRow is a row of template_labels.
type labelRow struct {
	RowKey     string `json:"rowkey"`
	TemplateID string `json:"templateid"`
	Label      string `json:"label"`
	Revision   string `json:"revision"`
	User       text   `json:"username"`
	Modified   string `json:"modified"`
}

var labelAttributes = []string{rowKey, "templateid", "label", "revision", "username", "modified"}

func (r *labelRow) value() (template.Label, error) {
	l := template.Label{Name: r.Label, User: string(r.User)}
	n, err := numberOf(r.Revision)
	if err != nil {
		return l, err
	}
	l.Revision = int(n)
	l.Modified, err = timeOf(r.Modified)
	return l, err
}

// labelKey is the hash of a label. No label has a colon in it.
func labelKey(id uuid.UUID, name string) string { return id.String() + ":" + name }

func labelRecord(id uuid.UUID, l template.Label) record {
	return record{rowKey: labelKey(id, l.Name), "templateid": id.String(), "label": l.Name, "revision": strconv.Itoa(l.Revision),
		"username": text(l.User), "modified": timeText(instant(l.Modified))}
}

// moveRow is a row of template_label_moves. Its hash ends with the number.
type moveRow struct {
	Move  string `json:"move"`
	From  string `json:"from_revision"`
	To    string `json:"to_revision"`
	User  text   `json:"username"`
	Moved string `json:"moved"`
}

var moveAttributes = []string{"move", "from_revision", "to_revision", "username", "moved"}

func moveKey(id uuid.UUID, label string, number int64) string {
	return labelKey(id, label) + ":" + digits(number)
}

func moveRecord(id uuid.UUID, label string, m template.LabelMove) record {
	revision := func(n int) any {
		if n == 0 {
			return nil
		}
		return strconv.Itoa(n)
	}
	return record{"move": moveKey(id, label, m.Number), "templateid": id.String(), "label": label, "from_revision": revision(m.From),
		"to_revision": revision(m.To), "username": text(m.User), "moved": timeText(instant(m.Time))}
}

func (r *moveRow) value() (template.LabelMove, error) {
	m := template.LabelMove{User: string(r.User)}
	from, err := numberOf(r.From)
	if err != nil {
		return m, err
	}
	to, err := numberOf(r.To)
	if err != nil {
		return m, err
	}
	m.From, m.To = int(from), int(to)
	if m.Number, err = numberOf(r.Move[strings.LastIndexByte(r.Move, ':')+1:]); err != nil {
		return m, err
	}
	m.Time, err = timeOf(r.Moved)
	return m, err
}

// ofTemplate is a scan of the rows whose hash begins with the id.
func ofTemplate(t table, id uuid.UUID, attributes []string) scan {
	prefix := id.String() + ":"
	return scan{table: t, along: t.hash, low: prefix, high: page.AfterPrefix(prefix), attributes: attributes, page: lightPage}
}

// Labels implements template.History.
func (s *Templates) Labels(ctx context.Context, id uuid.UUID) ([]template.Label, error) {
	var labels []template.Label
	err := s.d.read(ctx, "template.labels", func(ctx context.Context) error {
		labels = nil
		return walk(ctx, s.d, ofTemplate(labelsTable, id, labelAttributes), func(r *labelRow) string { return r.RowKey }, func(r *labelRow) error {
			l, err := r.value()
			labels = append(labels, l)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return labels, nil
}

// SetLabel implements template.History.
func (s *Templates) SetLabel(ctx context.Context, id uuid.UUID, l template.Label) error {
	return s.d.change(ctx, "template.set_label", claimNames(id, nil), func(ctx context.Context) error {
		now, err := s.current(ctx, id, templateLight)
		if err != nil {
			return err
		}
		if now == nil || now.InTrash() {
			return errNoTemplate
		}
		if l.Revision < 1 || l.Revision > now.Revision {
			return errNoRevision
		}
		if l.Revision != now.Revision {
			row, err := one[templateRow](ctx, s.d, revisionsTable, revisionKey(id, l.Revision), []string{rowKey})
			if err != nil {
				return err
			}
			if row == nil {
				return errNoRevision
			}
		}
		before, err := s.labelNow(ctx, id, l.Name)
		if err != nil {
			return err
		}
		move := template.LabelMove{Number: s.d.number(), From: before, To: l.Revision, User: l.User, Time: l.Modified}
		return s.d.commit(ctx, writes(labelsTable, labelRecord(id, l)), writes(movesTable, moveRecord(id, l.Name, move)))
	})
}

// labelNow tells where a label stands; 0 when there is none.
func (s *Templates) labelNow(ctx context.Context, id uuid.UUID, name string) (int, error) {
	row, err := one[labelRow](ctx, s.d, labelsTable, labelKey(id, name), labelAttributes)
	if err != nil || row == nil {
		return 0, err
	}
	n, err := numberOf(row.Revision)
	return int(n), err
}

// RemoveLabel implements template.History.
func (s *Templates) RemoveLabel(ctx context.Context, id uuid.UUID, name, user string, at time.Time) error {
	return s.d.change(ctx, "template.remove_label", claimNames(id, nil), func(ctx context.Context) error {
		before, err := s.labelNow(ctx, id, name)
		if err != nil {
			return err
		}
		if before == 0 {
			return fault.New(fault.NotFound, "the template has no such label")
		}
		move := template.LabelMove{Number: s.d.number(), From: before, User: user, Time: at}
		return s.d.commit(ctx, removes(labelsTable, labelKey(id, name)), writes(movesTable, moveRecord(id, name, move)))
	})
}

// LabelHistory implements template.History.
func (s *Templates) LabelHistory(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
	var moves []template.LabelMove
	err := s.d.read(ctx, "template.label_history", func(ctx context.Context) error {
		moves = nil
		if limit < 1 || before < 0 || before == 1 {
			return nil
		}
		prefix := labelKey(id, name) + ":"
		sc := scan{table: movesTable, along: movesTable.hash, low: prefix, high: page.AfterPrefix(prefix), descending: true, attributes: moveAttributes, page: min(limit+1, lightPage)}
		if before > 0 {
			sc.high = moveKey(id, name, before-1)
		}
		return walk(ctx, s.d, sc, func(r *moveRow) string { return r.Move }, func(r *moveRow) error {
			m, err := r.value()
			if err != nil {
				return err
			}
			if moves = append(moves, m); len(moves) == limit {
				return errEnough
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return moves, nil
}
