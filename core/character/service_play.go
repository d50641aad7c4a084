package character

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character/dice"
	"bitbucket.org/templar/templar/core/fault"
)

// Request is a request to change a character in play.
type Request struct {
	ID uuid.UUID
	// Precondition is what the caller knows; nil for nothing.
	Precondition *Precondition
	Idempotency  *Idempotency
}

// play makes the next revision of a character in play, at most once for an Idempotency-Key. Without a precondition it
// is made of whatever revision stands there, so of any number of changes at once none is lost.
func (s *Service) play(ctx context.Context, r Request, work func(Character, Die) (Character, error)) (c Character, replayed bool, err error) {
	caller, err := auth.Require(ctx, auth.CharactersWrite)
	if err != nil {
		return Character{}, false, err
	}
	seed := s.newSeed()
	return once(ctx, s, caller, r.Idempotency, characterAnswer, func(claim *Claim) (Character, error) {
		return s.change(ctx, caller, r.ID, r.Precondition, claim, func(c Character) (Character, uuid.UUID, error) {
			// Started anew, it throws the same dice: nobody gets a second throw.
			next, err := work(c, dice.NewRoller(seed).Die)
			return next, uuid.Nil, err
		})
	})
}

// LevelUp gives a character a level more; see Character.LevelUp. This and the other changes in play answer the
// character after it, or what was answered to the same Idempotency-Key before, with replayed set. Faults: Invalid,
// NotFound, Stale, Conflict for a first request that still runs.
func (s *Service) LevelUp(ctx context.Context, r Request, l LevelUp) (c Character, replayed bool, err error) {
	return s.play(ctx, r, func(c Character, die Die) (Character, error) { return c.LevelUp(l, die) })
}

// GainXP gives a character more experience points; see Character.GainXP.
func (s *Service) GainXP(ctx context.Context, r Request, points int) (c Character, replayed bool, err error) {
	return s.play(ctx, r, func(c Character, _ Die) (Character, error) { return c.GainXP(points) })
}

// Damage takes hit points from a character; see Character.Damage.
func (s *Service) Damage(ctx context.Context, r Request, points int) (c Character, replayed bool, err error) {
	return s.play(ctx, r, func(c Character, _ Die) (Character, error) { return c.Damage(points) })
}

// Heal gives a character hit points; see Character.Heal.
func (s *Service) Heal(ctx context.Context, r Request, points int) (c Character, replayed bool, err error) {
	return s.play(ctx, r, func(c Character, _ Die) (Character, error) { return c.Heal(points) })
}

// Rest lets a character rest; see Character.Rest. The server throws the hit dice.
func (s *Service) Rest(ctx context.Context, r Request, rest Rest) (c Character, replayed bool, err error) {
	return s.play(ctx, r, func(c Character, die Die) (Character, error) { return c.Rest(rest, die) })
}

// The bounds of a request for a roll.
const (
	MaxRollCount = 100
	// MaxRollDice is how many dice all repetitions may throw together.
	MaxRollDice = 10_000
	// MaxSeed is in code points.
	MaxSeed = 200
)

// RollRequest is a request to roll dice.
type RollRequest struct {
	// Notation is such as "4d6dl1"; see the package dice.
	Notation string
	// Count is how often, 1 to MaxRollCount.
	Count int
	// Seed is a text that the dice follow from; nil lets the server choose one that nobody knows before.
	Seed        *string
	Idempotency *Idempotency
}

// Roll rolls dice and keeps the roll. Only one with a seed of the server's can give a character its ability scores.
// Faults: Invalid, and those of an Idempotency-Key as in Create.
func (s *Service) Roll(ctx context.Context, r RollRequest) (roll Roll, replayed bool, err error) {
	caller, err := auth.Require(ctx, auth.CharactersWrite)
	if err != nil {
		return Roll{}, false, err
	}
	notation, err := r.check()
	if err != nil {
		return Roll{}, false, err
	}
	return once(ctx, s, caller, r.Idempotency, rollAnswer, func(claim *Claim) (Roll, error) {
		roll := Roll{ID: s.newID(), Notation: notation.String(), Own: r.Seed == nil, Author: caller.User, Created: s.instant()}
		if r.Seed != nil {
			roll.Seed = *r.Seed
		} else {
			roll.Seed = s.newSeed()
		}
		roller := dice.NewRoller(roll.Seed)
		for range r.Count {
			roll.Rolls = append(roll.Rolls, roller.Roll(notation))
		}
		claim.answer(func() []byte { return EncodeRoll(roll) })
		return roll, s.stored.SaveRoll(ctx, roll, claim)
	})
}

func (r RollRequest) check() (dice.Notation, error) {
	var broken violations
	notation, err := dice.Parse(r.Notation)
	if err != nil {
		broken.add("/notation", "%s", err.Error())
	}
	if broken.within("/count", r.Count, 1, MaxRollCount) && r.Count*notation.Dice() > MaxRollDice {
		broken.add("/count", "all together may throw at most %d dice, this throws %d", MaxRollDice, r.Count*notation.Dice())
	}
	if r.Seed != nil {
		if n := utf8.RuneCountInString(*r.Seed); n < 1 || n > MaxSeed || !utf8.ValidString(*r.Seed) || strings.ContainsRune(*r.Seed, 0) {
			broken.add("/seed", "must have 1 to %d characters, none of them NUL, or be null", MaxSeed)
		}
	}
	return notation, broken.err()
}

// ReadRoll answers a roll; NotFound.
func (s *Service) ReadRoll(ctx context.Context, id uuid.UUID) (Roll, error) {
	if _, err := auth.Require(ctx, auth.CharactersRead); err != nil {
		return Roll{}, err
	}
	r, err := s.stored.Roll(ctx, id)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, "there is no roll with this id")
	}
	return r, err
}
