package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

var errNoName error = fault.New(fault.NotFound, "there is no template with this name")
var errNoLabel error = fault.New(fault.NotFound, "the template has no such label")

// One statement looks at both tables, so that no revision is missed while it is superseded.
const listRevisions = `SELECT * FROM (
SELECT templateid, COALESCE(name, '') AS name, '' AS description, '' AS content, syntax, revision, author, created, modified, NULL AS deleted
FROM templates WHERE templateid = $1 AND revision < $2
UNION ALL
SELECT * FROM (SELECT r.templateid, COALESCE(r.name, ''), '', '', r.syntax, r.revision, r.author, t.created, r.modified, NULL
FROM template_revisions r JOIN templates t ON t.templateid = r.templateid
WHERE r.templateid = $1 AND r.revision < $2 ORDER BY r.revision DESC LIMIT $3) AS superseded
) AS revisions ORDER BY revision DESC LIMIT $3`

const hasTemplate = `SELECT 1 FROM templates WHERE templateid = $1`

// Revisions implements template.History.
func (s *Templates) Revisions(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
	if below <= 0 {
		below = math.MaxInt64
	}
	var found []template.Template
	err := s.h.run(ctx, "template.revisions", func(ctx context.Context) error {
		found = nil
		err := s.h.rows(ctx, false, listRevisions, []any{id.String(), below, limit}, func(rows *sql.Rows) error {
			found = append(found, template.Template{})
			return rows.Scan(templateFields(&found[len(found)-1])...)
		})
		if err != nil || len(found) > 0 {
			return err
		}
		var one int
		return orElse(s.h.row(ctx, hasTemplate, []any{&one}, id.String()), errNoTemplate)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// namedStatement finds the oldest of a name. All of the name are found first: an engine that believed them to be many
// would rather walk all templates from the oldest on.
func (d *Dialect) namedStatement() string {
	return `WITH named AS MATERIALIZED (SELECT templateid, ` + KeyExpr(d.Engine, "created") + ` AS since FROM templates
WHERE deleted IS NULL AND ` + KeyExpr(d.Engine, "name") + ` = $1 AND COALESCE(name, '') = $2)
SELECT templateid FROM named ORDER BY since, templateid LIMIT 1`
}

// Named implements template.History.
func (s *Templates) Named(ctx context.Context, name string) (uuid.UUID, error) {
	var id uuid.UUID
	err := s.h.run(ctx, "template.named", func(ctx context.Context) error {
		if !storable(name) {
			return errNoName
		}
		return orElse(s.h.row(ctx, s.h.dialect.namedStatement(), []any{&id}, template.SortName(name), name), errNoName)
	})
	return id, err
}

const listLabels = `SELECT label, revision, username, modified FROM template_labels WHERE templateid = $1`

// Labels implements template.History.
func (s *Templates) Labels(ctx context.Context, id uuid.UUID) ([]template.Label, error) {
	var found []template.Label
	err := s.h.run(ctx, "label.list", func(ctx context.Context) error {
		found = nil
		return s.h.rows(ctx, false, listLabels, []any{id.String()}, func(rows *sql.Rows) error {
			var l template.Label
			err := rows.Scan(&l.Name, &l.Revision, &l.User, stamp{&l.Modified})
			found = append(found, l)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	sortLabels(found)
	return found, nil
}

const livesAtRevision = `SELECT 1 FROM templates WHERE templateid = $1 AND deleted IS NULL AND (revision = $2
OR EXISTS (SELECT 1 FROM template_revisions WHERE templateid = $1 AND revision = $2))`

const noteMove = `INSERT INTO template_label_moves (templateid, label, from_revision, to_revision, username, moved)
VALUES ($1, $2, (SELECT revision FROM template_labels WHERE templateid = $1 AND label = $2), $3, $4, $5)`

const putLabel = `INSERT INTO template_labels (templateid, label, revision, username, modified) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (templateid, label) DO UPDATE SET revision = excluded.revision, username = excluded.username, modified = excluded.modified`

// SetLabel implements template.History. The template's row is locked first, so that its labels move one after the
// other, each from where the one before left it, and no revision goes away under its label.
func (s *Templates) SetLabel(ctx context.Context, id uuid.UUID, l template.Label) error {
	lock := s.h.dialect.lockTemplate()
	args := []any{id.String(), l.Name, l.Revision, l.User, s.h.dialect.time(l.Modified)}
	return s.h.run(ctx, "label.set", func(ctx context.Context) error {
		return s.h.inTx(ctx, []string{lock, livesAtRevision, noteMove, putLabel}, func(t tx) error {
			var one int
			if err := t.row(ctx, lock, &one, id.String()); err != nil {
				return orElse(err, errNoTemplate)
			}
			if err := t.row(ctx, livesAtRevision, &one, id.String(), l.Revision); err != nil {
				return orElse(err, errNoRevision)
			}
			if _, err := t.exec(ctx, noteMove, args...); err != nil {
				return err
			}
			_, err := t.exec(ctx, putLabel, args...)
			return err
		})
	})
}

const noteRemoval = `INSERT INTO template_label_moves (templateid, label, from_revision, username, moved)
SELECT templateid, label, revision, $3, $4 FROM template_labels WHERE templateid = $1 AND label = $2`

const removeLabel = `DELETE FROM template_labels WHERE templateid = $1 AND label = $2`

// RemoveLabel implements template.History.
func (s *Templates) RemoveLabel(ctx context.Context, id uuid.UUID, name, user string, at time.Time) error {
	lock := s.h.dialect.lockTemplate()
	return s.h.run(ctx, "label.remove", func(ctx context.Context) error {
		return s.h.inTx(ctx, []string{lock, noteRemoval, removeLabel}, func(t tx) error {
			var one int
			if err := t.row(ctx, lock, &one, id.String()); err != nil {
				return orElse(err, errNoLabel)
			}
			n, err := t.exec(ctx, noteRemoval, id.String(), name, user, s.h.dialect.time(at))
			if err := oneOr(n, err, errNoLabel); err != nil {
				return err
			}
			_, err = t.exec(ctx, removeLabel, id.String(), name)
			return err
		})
	})
}

const labelHistory = `SELECT move, COALESCE(from_revision, 0), COALESCE(to_revision, 0), username, moved FROM template_label_moves
WHERE templateid = $1 AND label = $2 AND move < $3 ORDER BY move DESC LIMIT $4`

// LabelHistory implements template.History.
func (s *Templates) LabelHistory(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	var found []template.LabelMove
	err := s.h.run(ctx, "label.history", func(ctx context.Context) error {
		found = nil
		return s.h.rows(ctx, false, labelHistory, []any{id.String(), name, before, limit}, func(rows *sql.Rows) error {
			var m template.LabelMove
			err := rows.Scan(&m.Number, &m.From, &m.To, &m.User, stamp{&m.Time})
			found = append(found, m)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}
