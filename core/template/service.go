package template

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/change"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/mustache"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/ports"
)

// Config is what a Service is made of.
type Config struct {
	// Store keeps the templates. Required.
	Store Database
	// Cache is put before the store's reads; nil for none.
	Cache ports.Cache
	// Codec makes the bodies that readers are sent. Required.
	Codec Codec
	// Sealer signs cursors. Required.
	Sealer *page.Sealer
	// MaxContent bounds a template's content, in bytes.
	MaxContent int
	// Bounds are those of a rendering.
	Bounds Bounds
	// Trees keeps parsed templates; nil for none.
	Trees Trees
	// Differ compares revisions. Required.
	Differ Differ
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// NewID makes ids; nil means UUIDs of version 7, which keep indexes dense.
	NewID func() uuid.UUID
}

// Service holds the use cases of templates. Each needs a principal in its context (auth.With) with the scope
// templates:read or templates:write; without it the fault is Unauthenticated or Forbidden. It is safe for concurrent
// use.
type Service struct {
	stored     Database // the truth
	cached     *cachedStore
	names      *names
	trees      Trees
	differ     Differ
	bounds     Bounds
	codec      Codec
	sealer     *page.Sealer
	maxContent int
	now        func() time.Time
	newID      func() uuid.UUID
}

// NewService makes a Service. It panics when something required is missing, which is a bug of the caller.
func NewService(c Config) *Service {
	if c.Store == nil || c.Codec == nil || c.Sealer == nil || c.Differ == nil || c.MaxContent <= 0 {
		panic("template: an incomplete Config")
	}
	s := &Service{stored: c.Store, codec: c.Codec, sealer: c.Sealer, maxContent: c.MaxContent, now: c.Now, newID: c.NewID,
		trees: c.Trees, differ: c.Differ, bounds: c.Bounds}
	cache := c.Cache
	if cache == nil {
		cache = noCache{}
	}
	s.cached = &cachedStore{Store: c.Store, cache: cache, codec: c.Codec}
	s.names = &names{history: c.Store, cache: cache}
	if s.trees == nil {
		s.trees = noTrees{}
	}
	if s.bounds.MaxBytes <= 0 {
		s.bounds.MaxBytes = mustache.DefaultMaxBytes
	}
	if s.bounds.Timeout <= 0 {
		s.bounds.Timeout = defaultRenderTimeout
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	}
	return s
}

// noCache keeps nothing.
type noCache struct{}

func (noCache) Kept([16]byte) ([]byte, bool) { return nil, false }

func (noCache) Fetch(ctx context.Context, _ [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	return load(ctx)
}
func (noCache) Changing(context.Context, ...[16]byte) func() { return func() {} }

// noTrees keeps nothing.
type noTrees struct{}

func (noTrees) Tree(TreeKey) (*mustache.Template, bool) { return nil, false }
func (noTrees) Keep(TreeKey, *mustache.Template)        {}

// What changes of every domain share; see core/change.
type (
	// Precondition is what a caller knows of what it changes (If-Match).
	Precondition = change.Precondition
	// Idempotency is the Idempotency-Key of a request.
	Idempotency = change.Idempotency
)

// Creation is a request to make a template.
type Creation struct {
	Draft
	// ID is chosen by the caller; nil lets the service choose.
	ID *uuid.UUID
	// OnlyNew asks for a Stale fault instead of a Conflict when the ID exists (If-None-Match: *).
	OnlyNew     bool
	Idempotency *Idempotency
}

// Create makes a template at revision 1. When the Idempotency-Key was used for the same request before, it answers
// what was answered then, with replayed set. Faults: Invalid, also for a key that was used for another request;
// Conflict for an id that exists or a first request that still runs; Stale as OnlyNew asks.
func (s *Service) Create(ctx context.Context, c Creation) (t Template, replayed bool, err error) {
	caller, err := auth.Require(ctx, auth.TemplatesWrite)
	if err != nil {
		return Template{}, false, err
	}
	draft, err := c.check(nil, s.maxContent)
	if err != nil {
		return Template{}, false, err
	}
	return s.once(ctx, caller, c.Idempotency, func(claim *Claim) (Template, error) {
		now := s.instant()
		t := Template{Name: draft.Name, Description: draft.Description, Content: draft.Content, Syntax: draft.Syntax,
			Revision: 1, Author: caller.User, Created: now, Modified: now}
		if c.ID != nil {
			t.ID = *c.ID
		} else {
			t.ID = s.newID()
		}
		if claim != nil {
			claim.Revision = t.Revision
		}
		err := s.cached.Create(ctx, t, claim)
		if c.OnlyNew && errors.Is(err, ErrTaken) {
			err = fault.New(fault.Stale, "a template with this id exists already (be it in the trash)")
		}
		return t, err
	})
}

// Read answers the current revision of a living template as its readers are sent it. With fresh set it asks the
// store, else the cache may answer. NotFound.
func (s *Service) Read(ctx context.Context, id uuid.UUID, fresh bool) (Representation, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return Representation{}, err
	}
	if !fresh {
		return s.cached.represent(ctx, id)
	}
	t, err := living(s.stored.Get(ctx, id))
	if err != nil {
		return Representation{}, err
	}
	return Representation{Revision: t.Revision, Modified: t.Modified, Body: s.codec.Encode(t)}, nil
}

// Replace sets all that the author chooses. When nothing differs, no revision is made. Faults: Invalid, NotFound, Stale.
func (s *Service) Replace(ctx context.Context, id uuid.UUID, d Draft, p *Precondition) (Template, error) {
	return s.edit(ctx, id, p, nil, func(Draft) (Draft, error) { return d, nil })
}

// Patch changes some of what the author chooses. When nothing differs, no revision is made. Faults: Invalid,
// NotFound, Stale.
func (s *Service) Patch(ctx context.Context, id uuid.UUID, patch Patch, p *Precondition) (Template, error) {
	return s.edit(ctx, id, p, nil, patch.apply)
}

// maxAttempts bounds how often a change without a precondition starts again because others came first. Each time at
// least one of them got through.
const maxAttempts = 128

// errBusy is a template that others change without a pause.
var errBusy error = &fault.Error{Kind: fault.Conflict, RetryAfter: time.Second, Detail: "too many others change this template just now; try again"}

// edit makes the next revision of a template: compare-and-swap on the revision, started anew when another writer came
// first and the caller named no revision. A claim, if there is one, is stored with it, also when nothing differs.
func (s *Service) edit(ctx context.Context, id uuid.UUID, p *Precondition, claim *Claim, change func(Draft) (Draft, error)) (Template, error) {
	caller, err := auth.Require(ctx, auth.TemplatesWrite)
	if err != nil {
		return Template{}, err
	}
	for range maxAttempts {
		t, err := living(s.stored.Get(ctx, id))
		if err != nil {
			return Template{}, err
		}
		if !p.Met(t.Revision) {
			return Template{}, ErrStale
		}
		old := t.Draft()
		draft, err := change(old)
		if err != nil {
			return Template{}, err
		}
		if draft, err = draft.check(&old, s.maxContent); err != nil {
			return Template{}, err
		}
		if draft == old {
			return t, s.claimUnchanged(ctx, t, claim)
		}
		was := t.Revision
		t.Name, t.Description, t.Content, t.Syntax = draft.Name, draft.Description, draft.Content, draft.Syntax
		t.Revision, t.Author, t.Modified = was+1, caller.User, s.after(t.Modified)
		if claim != nil {
			claim.Revision = t.Revision
		}
		if err = s.replace(ctx, t, was, old.Name, claim); !errors.Is(err, ErrStale) {
			return t, err
		}
	}
	return Template{}, errBusy
}

// replace stores the next revision, and sees to it that templates are found by their new names.
func (s *Service) replace(ctx context.Context, t Template, was int, oldName string, claim *Claim) error {
	if t.Name != oldName {
		defer s.names.changing(ctx, oldName, t.Name)()
	}
	return s.cached.Replace(ctx, t, was, claim)
}

// trash moves a template to the trash, and sees to it that another one of its name is found.
func (s *Service) trash(ctx context.Context, t Template) error {
	defer s.names.changing(ctx, t.Name)()
	return s.cached.Trash(ctx, t.ID, t.Revision, s.instant())
}

// Delete moves a template to the trash. Faults: NotFound, Stale.
func (s *Service) Delete(ctx context.Context, id uuid.UUID, p *Precondition) error {
	if _, err := auth.Require(ctx, auth.TemplatesWrite); err != nil {
		return err
	}
	for range maxAttempts {
		t, err := living(s.stored.Get(ctx, id))
		if err != nil {
			return err
		}
		if !p.Met(t.Revision) {
			return ErrStale
		}
		if err = s.trash(ctx, t); !errors.Is(err, ErrStale) {
			return err
		}
	}
	return errBusy
}

// Undelete brings a template back from the trash, as it was. Faults: NotFound; Conflict when it is not in the trash;
// those of an Idempotency-Key as in Create.
func (s *Service) Undelete(ctx context.Context, id uuid.UUID, key *Idempotency) (t Template, replayed bool, err error) {
	caller, err := auth.Require(ctx, auth.TemplatesWrite)
	if err != nil {
		return Template{}, false, err
	}
	return s.once(ctx, caller, key, func(claim *Claim) (Template, error) {
		t, err := s.stored.Get(ctx, id)
		if err != nil {
			return Template{}, err
		}
		if claim != nil {
			claim.Revision = t.Revision
		}
		if t.InTrash() {
			defer s.names.changing(ctx, t.Name)()
			err = s.cached.Undelete(ctx, id, t.Revision, claim)
		}
		if !t.InTrash() || errors.Is(err, ErrStale) {
			return Template{}, fault.New(fault.Conflict, "the template is not in the trash")
		}
		t.Deleted = time.Time{}
		return t, err
	})
}

// ListRequest is a request for one page.
type ListRequest struct {
	Filter Filter
	Sort   Sort
	// Limit is 1 to page.MaxLimit; nil for the default.
	Limit *int
	// Cursor is the Next of the page before; "" for the first page.
	Cursor string
	// WithContent asks for the content of the items, WithTotal for the number of all that the filter picks.
	WithContent bool
	WithTotal   bool
}

// Page is one page of a list.
type Page = page.Page[Template]

// List answers a page of templates. Walking the pages shows every template that was there all along exactly once,
// whatever is made or deleted meanwhile. Faults: Malformed for a bad limit or cursor.
func (s *Service) List(ctx context.Context, r ListRequest) (Page, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return Page{}, err
	}
	limit, err := page.Limit(r.Limit)
	if err != nil {
		return Page{}, err
	}
	from := page.Source[Template]{
		Read: func(after *Position, limit int) ([]Template, error) {
			return s.stored.List(ctx, Query{Filter: r.Filter, Sort: r.Sort, After: after, Limit: limit, WithContent: r.WithContent})
		},
		Place: func(one Template) Position { return PositionOf(one, r.Sort) },
	}
	if r.WithTotal {
		from.Count = func() (int, error) { return s.stored.Count(ctx, r.Filter) }
	}
	return page.Take(s.sealer, r.Filter.scope(r.Sort), r.Cursor, limit, from)
}

// instant is the time as it is stored: UTC, whole microseconds.
func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// after is the time of a change, never before the one that it follows, whatever the clocks of two instances say.
func (s *Service) after(before time.Time) time.Time {
	if now := s.instant(); now.After(before) {
		return now
	}
	return before
}
