package character

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/change"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
)

// Config is what a Service is made of.
type Config struct {
	// Store keeps characters and rolls. Required.
	Store Store
	// Sealer signs cursors. Required.
	Sealer *page.Sealer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// NewID makes ids; nil means UUIDs of version 7, which keep indexes dense.
	NewID func() uuid.UUID
	// NewSeed makes seeds of dice that nobody can guess; nil means 130 random bits.
	NewSeed func() string
}

// Service holds the use cases of characters. Each needs a principal in its context (auth.With) with the scope
// characters:read or characters:write; without it the fault is Unauthenticated or Forbidden. It is safe for concurrent
// use.
type Service struct {
	stored  Store
	sealer  *page.Sealer
	now     func() time.Time
	newID   func() uuid.UUID
	newSeed func() string
	turns   turns
}

// NewService makes a Service. It panics when something required is missing, which is a bug of the caller.
func NewService(c Config) *Service {
	if c.Store == nil || c.Sealer == nil {
		panic("character: an incomplete Config")
	}
	s := &Service{stored: c.Store, sealer: c.Sealer, now: c.Now, newID: c.NewID, newSeed: c.NewSeed}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	}
	if s.newSeed == nil {
		s.newSeed = rand.Text
	}
	return s
}

// What changes of every domain share; see core/change.
type (
	// Precondition is what a caller knows of what it changes (If-Match).
	Precondition = change.Precondition
	// Idempotency is the Idempotency-Key of a request.
	Idempotency = change.Idempotency
)

// Creation is a request to make a character.
type Creation struct {
	Draft
	// ID is chosen by the caller; nil lets the service choose.
	ID *uuid.UUID
	// OnlyNew asks for a Stale fault instead of a Conflict when the ID exists (If-None-Match: *).
	OnlyNew     bool
	Idempotency *Idempotency
}

// Create makes a character at revision 1. When the Idempotency-Key was used for the same request before, it answers
// what was answered then, with replayed set. Faults: Invalid, also for a key that was used for another request and for
// a roll that another character has used; Conflict for an id that exists or a first request that still runs; Stale as
// OnlyNew asks.
func (s *Service) Create(ctx context.Context, c Creation) (made Character, replayed bool, err error) {
	caller, err := auth.Require(ctx, auth.CharactersWrite)
	if err != nil {
		return Character{}, false, err
	}
	return once(ctx, s, caller, c.Idempotency, characterAnswer, func(claim *Claim) (Character, error) {
		id := s.newID()
		if c.ID != nil {
			id = *c.ID
		}
		rolled, roll, err := s.rolled(ctx, id, c.Build, nil)
		if err != nil {
			return Character{}, err
		}
		made, err := c.check(nil, rolled)
		if err != nil {
			return Character{}, err
		}
		now := s.instant()
		made.ID, made.Revision, made.Author, made.Created, made.Modified = id, 1, caller.User, now, now
		claim.answer(func() []byte { return Encode(made) })
		err = s.stored.Create(ctx, made, claim, roll)
		if c.OnlyNew && errors.Is(err, ErrTaken) {
			err = fault.New(fault.Stale, "a character with this id exists already (be it in the trash)")
		}
		return made, err
	})
}

// rolled gives the totals of the roll that a build of the character id names, and the roll to note as used; nil and
// uuid.Nil where no (new) roll is to be used, or where it may not be, which Validate then says. before is what the
// character was, nil for a new one.
func (s *Service) rolled(ctx context.Context, id uuid.UUID, b Build, before *Character) ([]int, uuid.UUID, error) {
	roll := b.Abilities.RollID
	if b.Abilities.Method != Rolled || roll == uuid.Nil {
		return nil, uuid.Nil, nil
	}
	if before != nil && before.Abilities.RollID == roll && before.RolledScores != nil {
		return before.RolledScores, uuid.Nil, nil
	}
	r, err := s.stored.Roll(ctx, roll)
	if fault.Is(err, fault.NotFound) {
		return nil, uuid.Nil, nil
	}
	if err != nil {
		return nil, uuid.Nil, err
	}
	if !r.Own || r.Notation != AbilityNotation || len(r.Rolls) != AbilityRolls || (r.UsedBy != uuid.Nil && r.UsedBy != id) {
		return nil, uuid.Nil, nil
	}
	totals := make([]int, len(r.Rolls))
	for i, result := range r.Rolls {
		totals[i] = result.Total
	}
	return totals, roll, nil
}

// Read answers a living character; NotFound.
func (s *Service) Read(ctx context.Context, id uuid.UUID) (Character, error) {
	if _, err := auth.Require(ctx, auth.CharactersRead); err != nil {
		return Character{}, err
	}
	return living(s.stored.Get(ctx, id))
}

// living hides what is in the trash.
func living(c Character, err error) (Character, error) {
	if err == nil && c.InTrash() {
		return Character{}, fault.New(fault.NotFound, "there is no character with this id; it may be in the trash")
	}
	return c, err
}

// Replace sets all that the player chooses. When nothing differs, no revision is made. Faults: Invalid, NotFound, Stale.
func (s *Service) Replace(ctx context.Context, id uuid.UUID, d Draft, p *Precondition) (Character, error) {
	return s.Edit(ctx, id, func(Build) (Draft, error) { return d, nil }, p)
}

// Edit changes some of what the player chooses: change is given the build as it stands, to be left as it is, and
// answers the draft to be. It may be called several times, when others change the character meanwhile. When nothing
// differs, no revision is made. Faults: those of change, Invalid, NotFound, Stale.
func (s *Service) Edit(ctx context.Context, id uuid.UUID, change func(Build) (Draft, error), p *Precondition) (Character, error) {
	caller, err := auth.Require(ctx, auth.CharactersWrite)
	if err != nil {
		return Character{}, err
	}
	return s.change(ctx, caller, id, p, nil, func(c Character) (Character, uuid.UUID, error) {
		draft, err := change(c.Build)
		if err != nil {
			return Character{}, uuid.Nil, err
		}
		rolled, roll, err := s.rolled(ctx, id, draft.Build, &c)
		if err != nil {
			return Character{}, uuid.Nil, err
		}
		next, err := draft.check(&c, rolled)
		return next, roll, err
	})
}

// maxAttempts bounds how often a change without a precondition starts again because others came first. Each time at
// least one of them got through.
const maxAttempts = 128

// errBusy is a character that others change without a pause.
var errBusy error = &fault.Error{Kind: fault.Conflict, RetryAfter: time.Second, Detail: "too many others change this character just now; try again"}

// change makes the next revision of a character: compare-and-swap on the revision, started anew when another writer
// came first and the caller named no revision. So no change is lost, however many come at once. work gives the character
// to be, and the roll that it begins to use. Without a difference only the claim is stored.
func (s *Service) change(ctx context.Context, caller *auth.Principal, id uuid.UUID, p *Precondition, claim *Claim,
	work func(Character) (Character, uuid.UUID, error)) (Character, error) {
	done, err := s.turns.take(ctx, id)
	if err != nil {
		return Character{}, err
	}
	defer done()
	for range maxAttempts {
		c, err := living(s.stored.Get(ctx, id))
		if err != nil {
			return Character{}, err
		}
		if !p.Met(c.Revision) {
			return Character{}, ErrStale
		}
		next, roll, err := work(c)
		if err != nil {
			return Character{}, err
		}
		next.ID, next.Revision, next.Author, next.Created, next.Modified = c.ID, c.Revision, c.Author, c.Created, c.Modified
		if same(c, next) {
			if claim == nil {
				return c, nil
			}
			next = c
		} else {
			next.Revision, next.Author, next.Modified = c.Revision+1, caller.User, s.after(c.Modified)
		}
		claim.answer(func() []byte { return Encode(next) })
		if err = s.stored.Replace(ctx, next, c.Revision, claim, roll); !errors.Is(err, ErrStale) {
			return next, err
		}
	}
	return Character{}, errBusy
}

// same tells whether two revisions of a character differ in nothing but who made them when.
func same(a, b Character) bool {
	return reflect.DeepEqual(a.normal(), b.normal()) && reflect.DeepEqual(a.HitPoints, b.HitPoints) && reflect.DeepEqual(a.RolledScores, b.RolledScores)
}

// Delete moves a character to the trash. Faults: NotFound, Stale.
func (s *Service) Delete(ctx context.Context, id uuid.UUID, p *Precondition) error {
	if _, err := auth.Require(ctx, auth.CharactersWrite); err != nil {
		return err
	}
	for range maxAttempts {
		c, err := living(s.stored.Get(ctx, id))
		if err != nil {
			return err
		}
		if !p.Met(c.Revision) {
			return ErrStale
		}
		if err = s.stored.Trash(ctx, id, c.Revision, s.instant()); !errors.Is(err, ErrStale) {
			return err
		}
	}
	return errBusy
}

// Undelete brings a character back from the trash, as it was. Faults: NotFound; Conflict when it is not in the trash;
// those of an Idempotency-Key as in Create.
func (s *Service) Undelete(ctx context.Context, id uuid.UUID, key *Idempotency) (c Character, replayed bool, err error) {
	caller, err := auth.Require(ctx, auth.CharactersWrite)
	if err != nil {
		return Character{}, false, err
	}
	return once(ctx, s, caller, key, characterAnswer, func(claim *Claim) (Character, error) {
		c, err := s.stored.Get(ctx, id)
		if err != nil {
			return Character{}, err
		}
		deleted := c.InTrash()
		c.Deleted = time.Time{}
		if deleted {
			claim.answer(func() []byte { return Encode(c) })
			err = s.stored.Undelete(ctx, id, c.Revision, claim)
		}
		if !deleted || errors.Is(err, ErrStale) {
			return Character{}, fault.New(fault.Conflict, "the character is not in the trash")
		}
		return c, err
	})
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
