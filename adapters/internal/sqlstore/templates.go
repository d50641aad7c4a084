package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// Templates is a template.Store on a Handle.
type Templates struct {
	h *Handle
	// reads and creations let requests of the same moment share a trip.
	reads     *gathering[uuid.UUID, found]
	creations *gathering[*template.Template, error]
	pages     *alike[pageKey, []template.Template]
}

// Templates gives the store of templates.
func (h *Handle) Templates() *Templates {
	s := &Templates{h: h}
	s.share()
	return s
}

var errNoTemplate error = fault.New(fault.NotFound, "there is no template with this id")
var errNoRevision error = fault.New(fault.NotFound, "the template has no such revision")
var errNoReceipt error = fault.New(fault.NotFound, "the idempotency key has not been used")

var getTemplate = `SELECT ` + templateColumns(currentContent) + ` FROM templates WHERE templateid = $1`

// Get implements template.Store.
func (s *Templates) Get(ctx context.Context, id uuid.UUID) (template.Template, error) {
	if s.reads.lanes == 0 {
		return s.get(ctx, id)
	}
	got, err := s.reads.do(ctx, id)
	if err != nil {
		return template.Template{}, s.h.fault(ctx, err)
	}
	return got.template, got.err
}

func (s *Templates) get(ctx context.Context, id uuid.UUID) (template.Template, error) {
	var t template.Template
	err := s.h.run(ctx, "template.get", func(ctx context.Context) error {
		return orElse(s.h.row(ctx, getTemplate, templateFields(&t), id.String()), errNoTemplate)
	})
	return t, err
}

// One statement looks at both tables, so that a change in between cannot hide the revision.
var getRevision = `SELECT ` + templateColumns(currentContent) + ` FROM templates WHERE templateid = $1 AND revision = $2
UNION ALL
SELECT r.templateid, COALESCE(r.name, ''), COALESCE(r.description, ''), COALESCE(r.content, ''), r.syntax, r.revision, r.author, t.created, r.modified, NULL
FROM template_revisions r JOIN templates t ON t.templateid = r.templateid WHERE r.templateid = $1 AND r.revision = $2
LIMIT 1`

// Revision implements template.Store.
func (s *Templates) Revision(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
	var t template.Template
	err := s.h.run(ctx, "template.revision", func(ctx context.Context) error {
		return orElse(s.h.row(ctx, getRevision, templateFields(&t), id.String(), n), errNoRevision)
	})
	t.Deleted = time.Time{}
	return t, err
}

func (d *Dialect) createTemplate() string {
	return `INSERT INTO templates (templateid, name, description, content, syntax, revision, author, created, modified` + d.Words.listed(", %s") + `)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9` + d.Words.listed(", $10") + `) ON CONFLICT (templateid) DO NOTHING`
}

// Create implements template.Store.
func (s *Templates) Create(ctx context.Context, t template.Template, claim *template.Claim) error {
	if claim != nil || s.creations.lanes == 0 {
		return s.create(ctx, &t, claim)
	}
	refused, err := s.creations.do(ctx, &t)
	if err != nil {
		return s.h.fault(ctx, err)
	}
	return refused
}

func (s *Templates) create(ctx context.Context, t *template.Template, claim *template.Claim) error {
	d := &s.h.dialect
	args := d.Words.with([]any{t.ID.String(), t.Name, t.Description, t.Content, string(t.Syntax), t.Revision, t.Author,
		d.time(t.Created), d.time(t.Modified)}, t)
	return s.h.run(ctx, "template.create", func(ctx context.Context) error {
		return s.claimed(ctx, t.ID, claim, []string{d.createTemplate()}, template.ErrTaken, args...)
	})
}

// Replace implements template.Store.
func (s *Templates) Replace(ctx context.Context, t template.Template, was int, claim *template.Claim) error {
	args := s.h.dialect.Words.with([]any{t.ID.String(), was, t.Name, t.Description, t.Content, string(t.Syntax), t.Revision, t.Author,
		s.h.dialect.time(t.Modified)}, &t)
	return s.h.run(ctx, "template.replace", func(ctx context.Context) error {
		return s.claimed(ctx, t.ID, claim, s.h.dialect.Replace, template.ErrStale, args...)
	})
}

// Claim implements template.Store.
func (s *Templates) Claim(ctx context.Context, id uuid.UUID, claim template.Claim) error {
	return s.h.run(ctx, "receipt.claim", func(ctx context.Context) error {
		return s.claimed(ctx, id, &claim, nil, nil)
	})
}

const trashTemplate = `UPDATE templates SET deleted = $3 WHERE templateid = $1 AND revision = $2 AND deleted IS NULL`

// Trash implements template.Store.
func (s *Templates) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	return s.h.run(ctx, "template.trash", func(ctx context.Context) error {
		n, err := s.h.exec(ctx, trashTemplate, id.String(), was, s.h.dialect.time(at))
		return oneOr(n, err, template.ErrStale)
	})
}

const undeleteTemplate = `UPDATE templates SET deleted = NULL WHERE templateid = $1 AND revision = $2 AND deleted IS NOT NULL`

// Undelete implements template.Store.
func (s *Templates) Undelete(ctx context.Context, id uuid.UUID, was int, claim *template.Claim) error {
	return s.h.run(ctx, "template.undelete", func(ctx context.Context) error {
		return s.claimed(ctx, id, claim, []string{undeleteTemplate}, template.ErrStale, id.String(), was)
	})
}

const claimKey = `INSERT INTO idempotency_keys (username, idempotency_key, fingerprint, templateid, revision, expires)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (username, idempotency_key) DO UPDATE SET fingerprint = excluded.fingerprint,
templateid = excluded.templateid, revision = excluded.revision, expires = excluded.expires
WHERE idempotency_keys.expires <= $7`

// claimed runs statements, all with the same arguments, of which the last must change one row, else they are refused;
// several, or a claim and what it is for, in one transaction.
func (s *Templates) claimed(ctx context.Context, id uuid.UUID, c *template.Claim, texts []string, refused error, args ...any) error {
	if c == nil && len(texts) == 1 {
		n, err := s.h.exec(ctx, texts[0], args...)
		return oneOr(n, err, refused)
	}
	d := &s.h.dialect
	needed := texts
	if c != nil {
		needed = append([]string{claimKey}, texts...)
		if d.LockClaim != "" {
			needed = append(needed, d.LockClaim)
		}
	}
	return s.h.inTx(ctx, needed, func(t tx) error {
		if c != nil {
			if err := t.claim(ctx, d, id, c); err != nil {
				return err
			}
		}
		for i, text := range texts {
			n, err := t.exec(ctx, text, args...)
			if i == len(texts)-1 {
				err = oneOr(n, err, refused)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// claim stores a claim, if it can be used.
func (t tx) claim(ctx context.Context, d *Dialect, id uuid.UUID, c *template.Claim) error {
	if d.LockClaim != "" {
		var free bool
		if err := t.row(ctx, d.LockClaim, &free, lockNumber(c)); err != nil {
			return err
		}
		if !free {
			return template.ErrClaimRunning
		}
	}
	n, err := t.exec(ctx, claimKey, c.User, c.Key, c.Fingerprint[:], id.String(), c.Revision, d.time(c.Expires), d.time(time.Now()))
	return oneOr(n, err, template.ErrClaimed)
}

// lockNumber is a number for a user's key. That two keys share one is as good as impossible, and would do no more
// than make one of two simultaneous requests come again.
func lockNumber(c *template.Claim) int64 {
	sum := sha256.Sum256([]byte(c.User + "\x00" + c.Key))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

const getReceipt = `SELECT fingerprint, templateid, revision FROM idempotency_keys
WHERE username = $1 AND idempotency_key = $2 AND expires > $3`

// Receipt implements template.Store.
func (s *Templates) Receipt(ctx context.Context, user, key string, now time.Time) (template.Receipt, error) {
	var r template.Receipt
	err := s.h.run(ctx, "receipt.get", func(ctx context.Context) error {
		fields := []any{digest{r.Fingerprint[:]}, &r.ID, &r.Revision}
		return orElse(s.h.row(ctx, getReceipt, fields, user, key, s.h.dialect.time(now)), errNoReceipt)
	})
	return r, err
}

const forgetReceipts = `DELETE FROM idempotency_keys WHERE (username, idempotency_key) IN
(SELECT username, idempotency_key FROM idempotency_keys WHERE expires <= $1 ORDER BY expires LIMIT $2)`

// ForgetReceipts implements template.Store.
func (s *Templates) ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error) {
	var n int64
	err := s.h.run(ctx, "receipt.forget", func(ctx context.Context) (err error) {
		n, err = s.h.exec(ctx, forgetReceipts, s.h.dialect.time(now), limit)
		return err
	})
	return int(n), err
}

// oneOr refuses a change that found no row.
func oneOr(n int64, err, refused error) error {
	if err == nil && n == 0 {
		return refused
	}
	return err
}

// orElse gives none where a query found no row.
func orElse(err, none error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return none
	}
	return err
}
