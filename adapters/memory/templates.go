package memory

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// Templates is a template.Database in memory. A page of a list costs a look at every template, not a walk of an index:
// about 25 to 45 ms for 100,000, 0.2 s when words are searched. For more than that, use a database. How much it holds
// is bounded by its caller alone.
type Templates struct {
	now func() time.Time

	mu       sync.RWMutex
	rows     map[uuid.UUID]*row
	receipts map[receiptKey]receipt
	moved    int64 // the number of the last move of a label
}

// row is one template with its history. Exports read rows without the lock, so a row in the map is never changed, but
// replaced by a changed copy; only moves are shared by the copies, and read under the lock alone.
type row struct {
	current template.Template // Deleted is set in the trash
	words   string            // of the current revision, as wordsOf gives them
	history []template.Template
	labels  []template.Label // sorted by name
	moves   map[string][]template.LabelMove
}

type receiptKey struct{ user, key string }

type receipt struct {
	template.Receipt
	expires time.Time
}

// NewTemplates makes an empty store that judges by the system's clock whether an Idempotency-Key has expired.
func NewTemplates() *Templates { return NewTemplatesAt(time.Now) }

// NewTemplatesAt makes an empty store with a clock of the caller's: give it the one that the Service has.
func NewTemplatesAt(now func() time.Time) *Templates {
	return &Templates{now: now, rows: map[uuid.UUID]*row{}, receipts: map[receiptKey]receipt{}}
}

// Ping works as long as ctx goes on.
func (s *Templates) Ping(ctx context.Context) error { return ended(ctx) }

// Create implements template.Store.
func (s *Templates) Create(ctx context.Context, t template.Template, claim *template.Claim) error {
	words := wordsOf(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	if err := s.claimable(claim); err != nil {
		return err
	}
	if s.rows[t.ID] != nil {
		return template.ErrTaken
	}
	t = normal(t)
	s.rows[t.ID] = newRow(t, words)
	s.claim(claim, t.ID)
	return nil
}

// Get implements template.Store.
func (s *Templates) Get(ctx context.Context, id uuid.UUID) (template.Template, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return template.Template{}, err
	}
	r := s.rows[id]
	if r == nil {
		return template.Template{}, fault.New(fault.NotFound, "there is no template with this id")
	}
	return r.current, nil
}

// Revision implements template.Store.
func (s *Templates) Revision(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return template.Template{}, err
	}
	if r := s.rows[id]; r != nil {
		// Mostly one of the last is asked for.
		for i := len(r.history) - 1; i >= 0; i-- {
			if r.history[i].Revision == n {
				return r.history[i], nil
			}
		}
	}
	return template.Template{}, fault.New(fault.NotFound, "there is no such revision")
}

// Replace implements template.Store.
func (s *Templates) Replace(ctx context.Context, t template.Template, was int, claim *template.Claim) error {
	words := wordsOf(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	if err := s.claimable(claim); err != nil {
		return err
	}
	r, err := s.at(ctx, t.ID, was, false)
	if err != nil {
		return err
	}
	t.Created, t.Deleted = r.current.Created, time.Time{}
	t = normal(t)
	r.current, r.words, r.history = t, words, append(r.history, t)
	s.claim(claim, t.ID)
	return nil
}

// Claim implements template.Store.
func (s *Templates) Claim(ctx context.Context, id uuid.UUID, claim template.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	if err := s.claimable(&claim); err != nil {
		return err
	}
	s.claim(&claim, id)
	return nil
}

// Trash implements template.Store.
func (s *Templates) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.at(ctx, id, was, false)
	if err != nil {
		return err
	}
	r.current.Deleted = instant(at)
	return nil
}

// Undelete implements template.Store.
func (s *Templates) Undelete(ctx context.Context, id uuid.UUID, was int, claim *template.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	if err := s.claimable(claim); err != nil {
		return err
	}
	r, err := s.at(ctx, id, was, true)
	if err != nil {
		return err
	}
	r.current.Deleted = time.Time{}
	s.claim(claim, id)
	return nil
}

func newRow(t template.Template, words string) *row {
	return &row{current: t, words: words, history: []template.Template{t}, moves: map[string][]template.LabelMove{}}
}

// change puts a copy of a template's row in its place, which may be changed until the lock is given up.
func (s *Templates) change(id uuid.UUID) *row {
	changed := *s.rows[id]
	s.rows[id] = &changed
	return &changed
}

// at gives the row, to be changed, of a template that stands at revision was, in the trash or living; ErrStale
// otherwise.
func (s *Templates) at(ctx context.Context, id uuid.UUID, was int, inTrash bool) (*row, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	r := s.rows[id]
	if r == nil || r.current.Revision != was || r.current.InTrash() != inTrash {
		return nil, template.ErrStale
	}
	return s.change(id), nil
}

// claimable tells why a claim cannot be used; nil claims can.
func (s *Templates) claimable(c *template.Claim) error {
	if c == nil {
		return nil
	}
	if used, ok := s.receipts[receiptKey{c.User, c.Key}]; ok && s.now().Before(used.expires) {
		return template.ErrClaimed
	}
	return nil
}

// claim notes what a claim was used for.
func (s *Templates) claim(c *template.Claim, id uuid.UUID) {
	if c != nil {
		s.receipts[receiptKey{c.User, c.Key}] = receipt{
			Receipt: template.Receipt{Fingerprint: c.Fingerprint, ID: id, Revision: c.Revision},
			expires: c.Expires,
		}
	}
}

// Receipt implements template.Store.
func (s *Templates) Receipt(ctx context.Context, user, key string, now time.Time) (template.Receipt, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return template.Receipt{}, err
	}
	used, ok := s.receipts[receiptKey{user, key}]
	if !ok || !now.Before(used.expires) {
		return template.Receipt{}, fault.New(fault.NotFound, "this idempotency key has not been used")
	}
	return used.Receipt, nil
}

// ForgetReceipts implements template.Store.
func (s *Templates) ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx); err != nil {
		return 0, err
	}
	forgotten := 0
	for key, used := range s.receipts {
		if forgotten >= limit {
			break
		}
		if !now.Before(used.expires) {
			delete(s.receipts, key)
			forgotten++
		}
	}
	return forgotten, nil
}

// normal gives t with its times in UTC and in whole microseconds, as databases keep them.
func normal(t template.Template) template.Template {
	t.Created, t.Modified, t.Deleted = instant(t.Created), instant(t.Modified), instant(t.Deleted)
	return t
}

func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
