package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

// Current implements template.Archive.
func (s *Templates) Current(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]template.Template, error) {
	var found map[uuid.UUID]template.Template
	d := &s.h.dialect
	err := s.h.run(ctx, "template.current", func(ctx context.Context) error {
		found = make(map[uuid.UUID]template.Template, len(ids))
		return d.each(idSet(ids), func(part RowSet) error {
			with, args := d.with(part, nil)
			return s.h.rows(ctx, true, with+s.h.dialect.currentOf(), args, func(rows *sql.Rows) error {
				var t template.Template
				err := rows.Scan(templateFields(&t)...)
				found[t.ID] = t
				return err
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (d *Dialect) currentOf() string {
	return `SELECT ` + templateColumns(currentContent) + ` FROM templates WHERE ` + d.amongIDs()
}

// What belongs to a template, and at last the template.
var purgeAll = []string{
	`DELETE FROM template_labels WHERE templateid IN (SELECT templateid FROM v)`,
	`DELETE FROM template_label_moves WHERE templateid IN (SELECT templateid FROM v)`,
	`DELETE FROM template_revisions WHERE templateid IN (SELECT templateid FROM v)`,
	`DELETE FROM idempotency_keys WHERE templateid IN (SELECT templateid FROM v)`,
	`DELETE FROM templates WHERE templateid IN (SELECT templateid FROM v)`,
}

const pickTrash = `SELECT templateid FROM templates WHERE deleted < $1 ORDER BY deleted, templateid LIMIT $2`

// Purge implements template.Archive. A template that somebody is changing at the moment is left for the next time.
func (s *Templates) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	d := &s.h.dialect
	pick := pickTrash + d.LockFree
	var purged int
	err := s.h.run(ctx, "template.purge", func(ctx context.Context) error {
		return s.h.inTx(ctx, []string{pick}, func(t tx) error {
			var ids []uuid.UUID
			err := t.rows(ctx, pick, func(rows *sql.Rows) error {
				var id uuid.UUID
				err := rows.Scan(&id)
				ids = append(ids, id)
				return err
			}, d.time(before), limit)
			if err != nil {
				return err
			}
			for _, text := range purgeAll {
				if _, err := t.execSet(ctx, d, idSet(ids), text); err != nil {
					return err
				}
			}
			purged = len(ids)
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	return purged, nil
}

const countTrash = `SELECT count(*) FROM templates WHERE deleted < $1`

// CountTrash implements template.Archive.
func (s *Templates) CountTrash(ctx context.Context, before time.Time) (int, error) {
	var n int
	err := s.h.run(ctx, "template.count_trash", func(ctx context.Context) error {
		return s.h.row(ctx, countTrash, []any{&n}, s.h.dialect.time(before))
	})
	return n, err
}

const pickByID = `SELECT templateid, deleted IS NULL FROM templates WHERE templateid > $1 ORDER BY templateid LIMIT $2`

// thinOut are the revisions that go: ranked without the current one, which makes the newest that are kept one fewer.
const thinOut = `SELECT k.templateid, k.revision FROM (SELECT r.templateid, r.revision,
row_number() OVER (PARTITION BY r.templateid ORDER BY r.revision DESC) AS place
FROM v JOIN template_revisions r ON r.templateid = v.templateid) AS k
WHERE k.place >= $1 AND NOT EXISTS (SELECT 1 FROM template_labels l WHERE l.templateid = k.templateid AND l.revision = k.revision)`

const thinAway = `DELETE FROM template_revisions WHERE (templateid, revision) IN (` + thinOut + `)`

// Thin implements template.Archive. Fewer than 1 to keep is 1: the current revision always stays.
func (s *Templates) Thin(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (removed int, last uuid.UUID, done bool, err error) {
	d := &s.h.dialect
	keep = max(keep, 1)
	pick := pickByID
	if !dry {
		pick += d.LockRow
	}
	err = s.h.run(ctx, "template.thin", func(ctx context.Context) error {
		return s.h.inTx(ctx, []string{pick}, func(t tx) error {
			removed, last, done = 0, after, true
			looked := 0
			var living []uuid.UUID
			err := t.rows(ctx, pick, func(rows *sql.Rows) error {
				var id uuid.UUID
				var lives bool
				if err := rows.Scan(&id, &lives); err != nil {
					return err
				}
				if looked++; looked > limit {
					done = false // this one is only there to tell
					return nil
				}
				last = id
				if lives {
					living = append(living, id)
				}
				return nil
			}, after.String(), limit+1)
			if err != nil {
				return err
			}
			if dry {
				return t.querySet(ctx, d, idSet(living), `SELECT count(*) FROM (`+thinOut+`) AS gone`, func(rows *sql.Rows) error {
					var n int
					err := rows.Scan(&n)
					removed += n
					return err
				}, keep)
			}
			n, err := t.execSet(ctx, d, idSet(living), thinAway, keep)
			removed = int(n)
			return err
		})
	})
	if err != nil {
		return 0, uuid.Nil, false, err
	}
	return removed, last, done, nil
}
