package harper

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// Templates is a template.Database on a DB.
type Templates struct{ d *DB }

// Templates gives the store of templates.
func (d *DB) Templates() *Templates { return &Templates{d} }

var (
	errNoTemplate error = fault.New(fault.NotFound, "there is no template with this id")
	errNoRevision error = fault.New(fault.NotFound, "there is no such revision")
)

// templateRow is a row of templates or of template_revisions.
type templateRow struct {
	ID          string `json:"templateid"`
	Name        text   `json:"name"`
	Description text   `json:"description"`
	Content     text   `json:"content"`
	Syntax      string `json:"syntax"`
	Revision    string `json:"revision"`
	Author      text   `json:"author"`
	Created     string `json:"created"`
	Modified    string `json:"modified"`
	Deleted     string `json:"deleted"`
	Words       text   `json:"templates_words"`
	RowKey      string `json:"rowkey"`
}

func (r *templateRow) value() (template.Template, error) {
	id, err := uuid.Parse(r.ID)
	if err != nil {
		return template.Template{}, err
	}
	n, err := numberOf(r.Revision)
	if err != nil {
		return template.Template{}, err
	}
	t := template.Template{ID: id, Name: string(r.Name), Description: string(r.Description), Content: string(r.Content), Syntax: template.Syntax(r.Syntax), Revision: int(n),
		Author: string(r.Author)}
	return t, timesOf([]string{r.Created, r.Modified, r.Deleted}, &t.Created, &t.Modified, &t.Deleted)
}

var (
	templateLight = []string{"templateid", "name", "description", "syntax", "revision", "author", "created", "modified", "deleted"}
	templateFull  = append([]string{"content"}, templateLight...)
	revisionLight = []string{rowKey, "templateid", "name", "syntax", "revision", "author", "modified"}
	revisionFull  = append([]string{"description", "content"}, revisionLight...)
)

// templateRecord is the row of a current revision.
func templateRecord(t template.Template) record {
	t = normal(t)
	r := record{
		"templateid": t.ID.String(), "name": text(t.Name), "description": text(t.Description), "content": text(t.Content), "syntax": string(t.Syntax),
		"revision": strconv.Itoa(t.Revision), "author": text(t.Author), "created": timeText(t.Created), "modified": timeText(t.Modified),
		"templates_words": text(wordText(template.Words(t.Name + "\n" + t.Description + "\n" + t.Content))),
	}
	placeTemplate(r, t)
	return r
}

// placeTemplate sets what follows from where t stands: in the trash or not, and in which order.
func placeTemplate(r record, t template.Template) {
	keys := map[string]string{
		"created": timeKey(t.Created, t.ID), "modified": timeKey(t.Modified, t.ID), "name": nameKey(t.Name, t.ID),
	}
	r["deleted"], r["templates_trash_deleted"] = timeText(t.Deleted), nil
	if t.InTrash() {
		r["templates_trash_deleted"] = timeKey(t.Deleted, t.ID)
	}
	for name, key := range keys {
		r["templates_living_"+name], r["templates_trash_"+name] = nil, nil
		if t.InTrash() {
			r["templates_trash_"+name] = key
		} else {
			r["templates_living_"+name] = key
		}
	}
}

// revisionRecord is the row of a superseded revision.
func revisionRecord(t template.Template) record {
	return record{
		rowKey: revisionKey(t.ID, t.Revision), "templateid": t.ID.String(), "name": text(t.Name), "description": text(t.Description), "content": text(t.Content),
		"syntax": string(t.Syntax), "revision": strconv.Itoa(t.Revision), "author": text(t.Author), "modified": timeText(t.Modified),
	}
}

func revisionKey(id uuid.UUID, n int) string { return id.String() + ":" + digits(int64(n)) }

// normal gives t with its times in UTC and in whole microseconds.
func normal(t template.Template) template.Template {
	t.Created, t.Modified, t.Deleted = instant(t.Created), instant(t.Modified), instant(t.Deleted)
	return t
}

func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// current reads the current revision; nil when there is none.
func (s *Templates) current(ctx context.Context, id uuid.UUID, attributes []string) (*template.Template, error) {
	row, err := one[templateRow](ctx, s.d, templatesTable, id.String(), attributes)
	if err != nil || row == nil {
		return nil, err
	}
	t, err := row.value()
	return &t, err
}

// at reads a template that stands at revision was, in the trash or living; ErrStale otherwise.
func (s *Templates) at(ctx context.Context, id uuid.UUID, was int, inTrash bool, attributes []string) (*template.Template, error) {
	t, err := s.current(ctx, id, attributes)
	if err == nil && (t == nil || t.Revision != was || t.InTrash() != inTrash) {
		err = template.ErrStale
	}
	return t, err
}

// Create implements template.Store.
func (s *Templates) Create(ctx context.Context, t template.Template, claim *template.Claim) error {
	claim = kept(claim)
	return s.d.change(ctx, "template.create", claimNames(t.ID, claim), func(ctx context.Context) error {
		receipt, err := s.claim(ctx, claim, t.ID)
		if err != nil {
			return err
		}
		old, err := s.current(ctx, t.ID, []string{"templateid"})
		if err != nil {
			return err
		}
		if old != nil {
			return template.ErrTaken
		}
		return s.d.commit(ctx, writes(templatesTable, templateRecord(t)), receipt)
	})
}

// Get implements template.Store.
func (s *Templates) Get(ctx context.Context, id uuid.UUID) (t template.Template, err error) {
	err = s.d.read(ctx, "template.get", func(ctx context.Context) error {
		found, err := s.current(ctx, id, templateFull)
		if err == nil && found == nil {
			err = errNoTemplate
		}
		if err == nil {
			t = *found
		}
		return err
	})
	return t, err
}

// Revision implements template.Store.
func (s *Templates) Revision(ctx context.Context, id uuid.UUID, n int) (t template.Template, err error) {
	err = s.d.read(ctx, "template.revision", func(ctx context.Context) error {
		now, err := s.current(ctx, id, templateFull)
		switch {
		case err != nil:
			return err
		case now == nil || n < 1 || n > now.Revision:
			return errNoRevision
		case now.Revision == n:
			t = *now
			t.Deleted = time.Time{}
			return nil
		}
		row, err := one[templateRow](ctx, s.d, revisionsTable, revisionKey(id, n), revisionFull)
		if err != nil {
			return err
		}
		if row == nil {
			return errNoRevision
		}
		t, err = row.value()
		t.Created = now.Created
		return err
	})
	return t, err
}

// Replace implements template.Store.
func (s *Templates) Replace(ctx context.Context, t template.Template, was int, claim *template.Claim) error {
	claim = kept(claim)
	return s.d.change(ctx, "template.replace", claimNames(t.ID, claim), func(ctx context.Context) error {
		receipt, err := s.claim(ctx, claim, t.ID)
		if err != nil {
			return err
		}
		old, err := s.at(ctx, t.ID, was, false, templateFull)
		if err != nil {
			return err
		}
		t.Created, t.Deleted = old.Created, time.Time{}
		return s.d.commit(ctx, writes(revisionsTable, revisionRecord(*old)), writes(templatesTable, templateRecord(t)), receipt)
	})
}

// Claim implements template.Store.
func (s *Templates) Claim(ctx context.Context, id uuid.UUID, claim template.Claim) error {
	return s.d.change(ctx, "template.claim", claimNames(id, &claim), func(ctx context.Context) error {
		receipt, err := s.claim(ctx, &claim, id)
		if err != nil {
			return err
		}
		return s.d.commit(ctx, receipt)
	})
}

// Trash implements template.Store.
func (s *Templates) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	return s.move(ctx, "template.trash", id, was, instant(at), nil)
}

// Undelete implements template.Store.
func (s *Templates) Undelete(ctx context.Context, id uuid.UUID, was int, claim *template.Claim) error {
	return s.move(ctx, "template.undelete", id, was, time.Time{}, claim)
}

// move puts a template into the trash, or with the zero time takes it out of there.
func (s *Templates) move(ctx context.Context, name string, id uuid.UUID, was int, deleted time.Time, claim *template.Claim) error {
	claim = kept(claim)
	return s.d.change(ctx, name, claimNames(id, claim), func(ctx context.Context) error {
		receipt, err := s.claim(ctx, claim, id)
		if err != nil {
			return err
		}
		t, err := s.at(ctx, id, was, deleted.IsZero(), templateLight)
		if err != nil {
			return err
		}
		t.Deleted = deleted
		r := record{"templateid": id.String()}
		placeTemplate(r, *t)
		return s.d.commit(ctx, writes(templatesTable, r), receipt)
	})
}

// kept copies a claim: a change may go on when its caller has it back.
func kept(claim *template.Claim) *template.Claim {
	if claim == nil {
		return nil
	}
	copied := *claim
	return &copied
}

// claimNames are the locks of a change of a template with a claim.
func claimNames(id uuid.UUID, claim *template.Claim) []string {
	names := []string{"template:" + id.String()}
	if claim != nil {
		names = append(names, "receipt:"+receiptKey(claim.User, claim.Key))
	}
	return names
}

// receiptKey is the hash of a receipt: names and keys may hold anything, and be long.
func receiptKey(user, key string) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(user)) + ":" + user + key))
	return hex.EncodeToString(sum[:])
}

type receiptRow struct {
	RowKey      string `json:"rowkey"`
	Fingerprint string `json:"fingerprint"`
	TemplateID  string `json:"templateid"`
	Revision    string `json:"revision"`
	Answer      string `json:"answer"`
	Expires     string `json:"expires"`
}

var receiptAttributes = []string{rowKey, "fingerprint", "templateid", "revision", "expires"}

// claim gives the step that stores a claim; none without one. ErrClaimed when it is used.
func (s *Templates) claim(ctx context.Context, c *template.Claim, id uuid.UUID) (step, error) {
	if c == nil {
		return step{}, nil
	}
	key := receiptKey(c.User, c.Key)
	used, err := one[receiptRow](ctx, s.d, receiptsTable, key, receiptAttributes)
	if err != nil {
		return step{}, err
	}
	if used != nil {
		expires, err := timeOf(used.Expires)
		if err != nil || time.Now().Before(expires) {
			return step{}, template.ErrClaimed
		}
	}
	return writes(receiptsTable, record{
		rowKey: key, "username": text(c.User), "idempotency_key": text(c.Key), "fingerprint": hex.EncodeToString(c.Fingerprint[:]),
		"templateid": id.String(), "revision": strconv.Itoa(c.Revision), "expires": timeText(c.Expires),
	}), nil
}

// Receipt implements template.Store.
func (s *Templates) Receipt(ctx context.Context, user, key string, now time.Time) (receipt template.Receipt, err error) {
	err = s.d.read(ctx, "template.receipt", func(ctx context.Context) error {
		row, err := one[receiptRow](ctx, s.d, receiptsTable, receiptKey(user, key), receiptAttributes)
		if err != nil {
			return err
		}
		if err := row.open(now, receipt.Fingerprint[:]); err != nil {
			return err
		}
		n, err := numberOf(row.Revision)
		if err != nil {
			return err
		}
		receipt.Revision = int(n)
		receipt.ID, err = uuid.Parse(row.TemplateID)
		return err
	})
	return receipt, err
}

var errNoReceipt error = fault.New(fault.NotFound, "this idempotency key has not been used")

// open reads the fingerprint of a receipt that is there and has not expired; NotFound otherwise.
func (r *receiptRow) open(now time.Time, fingerprint []byte) error {
	if r == nil {
		return errNoReceipt
	}
	expires, err := timeOf(r.Expires)
	if err != nil {
		return err
	}
	if !now.Before(expires) {
		return errNoReceipt
	}
	_, err = hex.Decode(fingerprint, []byte(r.Fingerprint[:min(len(r.Fingerprint), 2*len(fingerprint))]))
	return err
}

// ForgetReceipts implements template.Store.
func (s *Templates) ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error) {
	return s.d.forgetReceipts(ctx, "template.forget_receipts", receiptsTable, now, limit)
}

// forgetReceipts removes expired receipts, alone: a claim may be taking one of them over.
func (d *DB) forgetReceipts(ctx context.Context, name string, t table, now time.Time, limit int) (int, error) {
	forgotten := 0
	err := d.changeAlone(ctx, name, nil, func(ctx context.Context) error {
		if limit < 1 {
			return nil
		}
		op := d.on("search_by_conditions", t)
		op["operator"], op["get_attributes"], op["limit"] = "and", []string{rowKey, "expires"}, limit
		op["sort"] = operation{"attribute": "expires", "descending": false}
		op["conditions"] = []operation{{"search_attribute": "expires", "search_type": "between", "search_value": []string{"", instant(now).Format(timeLayout)}}}
		var gone []string
		if err := rows(ctx, d.client, op, func(r *receiptRow) error { gone = append(gone, r.RowKey); return nil }); err != nil {
			return err
		}
		if err := d.commit(ctx, removes(t, gone...)); err != nil {
			return err
		}
		forgotten = len(gone)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return forgotten, nil
}
