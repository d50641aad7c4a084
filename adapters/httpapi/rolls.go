package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// rollHandlers serve /v1/rolls.
type rollHandlers struct{ service *character.Service }

func (h *rollHandlers) routes(r *routes) {
	r.handle(http.MethodPost, "/v1/rolls", h.create)
	r.handle(http.MethodGet, "/v1/rolls/:rollid", h.read)
}

func (h *rollHandlers) create(c echo.Context) error {
	o, raw, err := readObject(c, smallBody, false, mediaJSON)
	if err != nil {
		return err
	}
	request := character.RollRequest{Notation: o.text("notation"), Count: o.count("count", 1)}
	if !o.isNull("seed") {
		if seed, present := o.optionalText("seed"); present {
			request.Seed = &seed
		}
	}
	if request.Idempotency, err = idempotency(c, raw); err != nil {
		return err
	}
	if err = o.done(); err != nil {
		return err
	}
	roll, replayed, err := h.service.Roll(c.Request().Context(), request)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	if replayed {
		header.Set("Idempotency-Replayed", "true")
	}
	header.Set(echo.HeaderLocation, "/v1/rolls/"+roll.ID.String())
	describe(c, rollRevision, roll.Created)
	return writeJSON(c, http.StatusCreated, character.RollObject(roll))
}

// rollRevision is the one revision that a roll ever has.
const rollRevision = 1

func (h *rollHandlers) read(c echo.Context) error {
	id, err := character.ParseID(c.Param("rollid"))
	if err != nil {
		return fault.New(fault.Malformed, "the rollid is no UUID")
	}
	known, err := parseTags(c.Request().Header, "If-None-Match")
	if err != nil {
		return err
	}
	roll, err := h.service.ReadRoll(c.Request().Context(), id)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	describe(c, rollRevision, roll.Created)
	header.Set(echo.HeaderCacheControl, "private, max-age=31536000, immutable")
	if known != nil && known.holds(rollRevision) {
		return c.NoContent(http.StatusNotModified)
	}
	return writeJSON(c, http.StatusOK, character.RollObject(roll))
}
