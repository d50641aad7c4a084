package httpapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/character"
)

// playing is a change in play: it makes the next revision, once for an Idempotency-Key.
type playing func(context.Context, character.Request) (c character.Character, replayed bool, err error)

// play answers the character after a change. read takes what the change needs out of the body.
func play(c echo.Context, read func(*object) playing) error {
	var request character.Request
	var err error
	if request.ID, err = characterID(c); err != nil {
		return err
	}
	if request.Precondition, err = precondition(c.Request().Header); err != nil {
		return err
	}
	o, raw, err := readObject(c, characterBody, false, mediaJSON)
	if err != nil {
		return err
	}
	if request.Idempotency, err = idempotency(c, raw); err != nil {
		return err
	}
	change := read(o)
	if err = o.done(); err != nil {
		return err
	}
	after, replayed, err := change(c.Request().Context(), request)
	if err != nil {
		return err
	}
	return writeCharacter(c, http.StatusOK, after, replayed)
}

func (h *characterHandlers) levelUp(c echo.Context) error {
	return play(c, func(o *object) playing {
		l := character.LevelUp{Class: o.text("class"), HitPoints: character.Average}
		if growth, present := o.optionalText("hit_points"); present {
			l.HitPoints = character.Growth(growth)
		}
		o.child("choices", func(choices *object) { l.Choices = takeChoices(choices) })
		return func(ctx context.Context, r character.Request) (character.Character, bool, error) {
			return h.service.LevelUp(ctx, r, l)
		}
	})
}

func (h *characterHandlers) rest(c echo.Context) error {
	return play(c, func(o *object) playing {
		rest := character.Rest{Kind: character.RestKind(o.text("kind")), HitDice: o.count("hit_dice", 0)}
		return func(ctx context.Context, r character.Request) (character.Character, bool, error) {
			return h.service.Rest(ctx, r, rest)
		}
	})
}

// byAmount is a change that needs only a number.
type byAmount func(context.Context, character.Request, int) (character.Character, bool, error)

func (change byAmount) read(o *object) playing {
	amount := o.count("amount", 0)
	return func(ctx context.Context, r character.Request) (character.Character, bool, error) {
		return change(ctx, r, amount)
	}
}

func (h *characterHandlers) gainXP(c echo.Context) error {
	return play(c, byAmount(h.service.GainXP).read)
}
func (h *characterHandlers) damage(c echo.Context) error {
	return play(c, byAmount(h.service.Damage).read)
}
func (h *characterHandlers) heal(c echo.Context) error { return play(c, byAmount(h.service.Heal).read) }
