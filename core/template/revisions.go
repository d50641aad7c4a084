package template

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
)

// noRevision says of a revision what a store says of anything that it lacks.
func noRevision(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Wrap(fault.NotFound, err, "the template has no such revision")
	}
	return err
}

// alive is NotFound for a template that is not there, or in the trash.
func (s *Service) alive(ctx context.Context, id uuid.UUID) error {
	_, err := s.cached.represent(ctx, id)
	return err
}

// PageRequest is a request for one page of a list that has one order only.
type PageRequest struct {
	// Limit is 1 to page.MaxLimit; nil for the default.
	Limit *int
	// Cursor is the Next of the page before; "" for the first page.
	Cursor string
}

// open reads the request: how many items, and below which number; below is 0 on the first page.
func (s *Service) open(r PageRequest, scope string) (limit int, below int64, err error) {
	if limit, err = page.Limit(r.Limit); err != nil || r.Cursor == "" {
		return limit, 0, err
	}
	raw, err := s.sealer.Open(scope, r.Cursor)
	if err == nil && len(raw) != 8 {
		err = fault.New(fault.Malformed, "the cursor is broken; start again without it")
	}
	if err != nil {
		return 0, 0, err
	}
	return limit, int64(binary.BigEndian.Uint64(raw)), nil
}

func (s *Service) seal(scope string, below int64) string {
	return s.sealer.Seal(scope, binary.BigEndian.AppendUint64(nil, uint64(below)))
}

// Revisions answers a page of a living template's revisions, newest first; Description and Content are empty.
// Faults: NotFound, Malformed.
func (s *Service) Revisions(ctx context.Context, id uuid.UUID, r PageRequest) (Page, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return Page{}, err
	}
	scope := "revisions " + id.String()
	limit, below, err := s.open(r, scope)
	if err != nil {
		return Page{}, err
	}
	if err = s.alive(ctx, id); err != nil {
		return Page{}, err
	}
	var result Page
	if result.Items, err = s.stored.Revisions(ctx, id, int(below), limit+1); err != nil {
		return Page{}, err
	}
	if len(result.Items) > limit {
		result.Items = result.Items[:limit]
		result.Next = s.seal(scope, int64(result.Items[limit-1].Revision))
	}
	return result, nil
}

// Revision answers a revision of a living template as it was. Faults: NotFound.
func (s *Service) Revision(ctx context.Context, id uuid.UUID, n int) (Template, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return Template{}, err
	}
	if err := s.alive(ctx, id); err != nil {
		return Template{}, err
	}
	t, err := s.stored.Revision(ctx, id, n)
	return t, noRevision(err)
}

// Restore makes a new revision with what revision n had; none when nothing differs. Faults: NotFound, Stale, Invalid
// for an old row that breaks a rule that it does not break now; those of an Idempotency-Key as in Create.
func (s *Service) Restore(ctx context.Context, id uuid.UUID, n int, p *Precondition, key *Idempotency) (t Template, replayed bool, err error) {
	caller, err := auth.Require(ctx, auth.TemplatesWrite)
	if err != nil {
		return Template{}, false, err
	}
	return s.once(ctx, caller, key, func(claim *Claim) (Template, error) {
		return s.edit(ctx, id, p, claim, func(Draft) (Draft, error) {
			old, err := s.stored.Revision(ctx, id, n)
			return old.Draft(), noRevision(err)
		})
	})
}

// Diff answers the unified diff of the content between two revisions of a living template; to is the current one when
// it is nil, from the one before to when it is nil. Faults: NotFound, also when there is none before.
func (s *Service) Diff(ctx context.Context, id uuid.UUID, from, to *int) (string, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return "", err
	}
	current, err := living(s.stored.Get(ctx, id))
	if err != nil {
		return "", err
	}
	newer := current
	if to != nil && *to != current.Revision {
		if newer, err = s.stored.Revision(ctx, id, *to); err != nil {
			return "", noRevision(err)
		}
	}
	var older Template
	if from != nil {
		older, err = s.stored.Revision(ctx, id, *from)
		err = noRevision(err)
	} else {
		older, err = s.before(ctx, id, newer.Revision)
	}
	if err != nil {
		return "", err
	}
	name := func(t Template) string { return fmt.Sprintf("%s@%d", id, t.Revision) }
	return s.differ.Unified(ctx, name(older), name(newer), older.Content, newer.Content)
}

// before is the revision that another one followed: numbers may have gaps where history was thinned.
func (s *Service) before(ctx context.Context, id uuid.UUID, revision int) (Template, error) {
	list, err := s.stored.Revisions(ctx, id, revision, 1)
	if err != nil {
		return Template{}, err
	}
	if len(list) == 0 {
		return Template{}, fault.New(fault.NotFound, "there is no revision before %d", revision)
	}
	return s.stored.Revision(ctx, id, list[0].Revision)
}
