package memory

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// Characters is a character.Store in memory. A page of a list costs a look at every character, not a walk of an index.
// For more than some 100,000, use a database. How much it holds is bounded by its caller alone.
type Characters struct {
	mu       sync.RWMutex
	rows     map[uuid.UUID]*characterRow
	rolls    map[uuid.UUID]*character.Roll
	receipts map[receiptKey]characterReceipt
}

// characterRow is one character. Rows and rolls are read without the lock, so one in a map is never changed, but replaced.
type characterRow struct {
	character.Character
	columns character.Columns
}

type characterReceipt struct {
	character.Receipt
	expires time.Time
}

// NewCharacters makes an empty store.
func NewCharacters() *Characters {
	return &Characters{rows: map[uuid.UUID]*characterRow{}, rolls: map[uuid.UUID]*character.Roll{}, receipts: map[receiptKey]characterReceipt{}}
}

// Ping works as long as ctx goes on.
func (s *Characters) Ping(ctx context.Context) error { return ended(ctx) }

// stored gives the row that a database would have: a copy, with its times in whole microseconds. It lives.
func stored(c character.Character) (*characterRow, error) {
	kept, err := character.Decode(character.Encode(c))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the character cannot be stored")
	}
	return &characterRow{Character: kept, columns: kept.Columns()}, nil
}

// Create implements character.Store.
func (s *Characters) Create(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
	row, err := stored(c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.possible(ctx, claim, roll, c.ID); err != nil {
		return err
	}
	if s.rows[c.ID] != nil {
		return character.ErrTaken
	}
	s.rows[c.ID] = row
	s.done(claim, roll, c.ID)
	return nil
}

// Get implements character.Store.
func (s *Characters) Get(ctx context.Context, id uuid.UUID) (character.Character, error) {
	if err := ended(ctx); err != nil {
		return character.Character{}, err
	}
	s.mu.RLock()
	row := s.rows[id]
	s.mu.RUnlock()
	if row == nil {
		return character.Character{}, fault.New(fault.NotFound, "there is no character with this id")
	}
	return row.Clone(), nil
}

// Replace implements character.Store.
func (s *Characters) Replace(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
	row, err := stored(c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.possible(ctx, claim, roll, c.ID); err != nil {
		return err
	}
	old := s.at(c.ID, was, false)
	if old == nil {
		return character.ErrStale
	}
	row.Created = old.Created
	s.rows[c.ID] = row
	s.done(claim, roll, c.ID)
	return nil
}

// Trash implements character.Store.
func (s *Characters) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	return s.move(ctx, id, was, instant(at), nil)
}

// Undelete implements character.Store.
func (s *Characters) Undelete(ctx context.Context, id uuid.UUID, was int, claim *character.Claim) error {
	return s.move(ctx, id, was, time.Time{}, claim)
}

// move puts a character that stands at revision was into the trash, or with the zero time takes it out of there.
func (s *Characters) move(ctx context.Context, id uuid.UUID, was int, deleted time.Time, claim *character.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.possible(ctx, claim, uuid.Nil, id); err != nil {
		return err
	}
	old := s.at(id, was, deleted.IsZero())
	if old == nil {
		return character.ErrStale
	}
	row := *old
	row.Deleted = deleted
	s.rows[id] = &row
	s.done(claim, uuid.Nil, id)
	return nil
}

// at gives the row of a character that stands at revision was, in the trash or living; nil otherwise.
func (s *Characters) at(id uuid.UUID, was int, inTrash bool) *characterRow {
	row := s.rows[id]
	if row == nil || row.Revision != was || row.InTrash() != inTrash {
		return nil
	}
	return row
}

// possible tells why a change cannot be made, as far as that follows from what goes with it.
func (s *Characters) possible(ctx context.Context, claim *character.Claim, roll, by uuid.UUID) error {
	if err := ended(ctx); err != nil {
		return err
	}
	if claim != nil {
		if used, ok := s.receipts[receiptKey{claim.User, claim.Key}]; ok && instant(claim.Made).Before(used.expires) {
			return character.ErrClaimed
		}
	}
	if roll != uuid.Nil {
		if r := s.rolls[roll]; r == nil || r.UsedBy != uuid.Nil && r.UsedBy != by {
			return character.ErrRollUsed
		}
	}
	return nil
}

// done notes what went with a change that was made.
func (s *Characters) done(claim *character.Claim, roll, by uuid.UUID) {
	if claim != nil {
		s.receipts[receiptKey{claim.User, claim.Key}] = characterReceipt{
			Receipt: character.Receipt{Fingerprint: claim.Fingerprint, Answer: bytes.Clone(claim.Answer)},
			expires: instant(claim.Expires),
		}
	}
	if roll != uuid.Nil {
		used := *s.rolls[roll]
		used.UsedBy = by
		s.rolls[roll] = &used
	}
}

// SaveRoll implements character.Store. UsedBy of r is not looked at: a new roll is used by nobody.
func (s *Characters) SaveRoll(ctx context.Context, r character.Roll, claim *character.Claim) error {
	kept, err := character.DecodeRoll(character.EncodeRoll(r))
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the roll cannot be stored")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.possible(ctx, claim, uuid.Nil, uuid.Nil); err != nil {
		return err
	}
	if s.rolls[r.ID] != nil {
		return fault.New(fault.Conflict, "a roll with this id exists already")
	}
	s.rolls[r.ID] = &kept
	s.done(claim, uuid.Nil, uuid.Nil)
	return nil
}

// Roll implements character.Store.
func (s *Characters) Roll(ctx context.Context, id uuid.UUID) (character.Roll, error) {
	if err := ended(ctx); err != nil {
		return character.Roll{}, err
	}
	s.mu.RLock()
	kept := s.rolls[id]
	s.mu.RUnlock()
	if kept == nil {
		return character.Roll{}, fault.New(fault.NotFound, "there is no roll with this id")
	}
	r := *kept
	r.Rolls = slices.Clone(r.Rolls)
	for i := range r.Rolls {
		r.Rolls[i].Dice, r.Rolls[i].Dropped = slices.Clone(r.Rolls[i].Dice), slices.Clone(r.Rolls[i].Dropped)
	}
	return r, nil
}

// Receipt implements character.Store.
func (s *Characters) Receipt(ctx context.Context, user, key string, now time.Time) (character.Receipt, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := ended(ctx); err != nil {
		return character.Receipt{}, err
	}
	used, ok := s.receipts[receiptKey{user, key}]
	if !ok || !now.Before(used.expires) {
		return character.Receipt{}, fault.New(fault.NotFound, "this idempotency key has not been used")
	}
	used.Answer = bytes.Clone(used.Answer)
	return used.Receipt, nil
}

// ForgetReceipts implements character.Store.
func (s *Characters) ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error) {
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

// Purge implements character.Store.
func (s *Characters) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gone []uuid.UUID
	err := s.each(ctx, func(row *characterRow) {
		if len(gone) < limit && row.InTrash() && row.Deleted.Before(before) {
			gone = append(gone, row.ID)
		}
	})
	if err != nil {
		return 0, err
	}
	for _, id := range gone {
		delete(s.rows, id)
	}
	return len(gone), nil
}

// CountTrash implements character.Store.
func (s *Characters) CountTrash(ctx context.Context, before time.Time) (int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	err := s.each(ctx, func(row *characterRow) {
		if row.InTrash() && row.Deleted.Before(before) {
			n++
		}
	})
	return n, err
}

// each shows all rows, in no order. The caller holds the lock.
func (s *Characters) each(ctx context.Context, show func(*characterRow)) error {
	looked := 0
	for _, row := range s.rows {
		if looked%lookEvery == 0 {
			if err := ended(ctx); err != nil {
				return err
			}
		}
		looked++
		show(row)
	}
	return ended(ctx)
}
