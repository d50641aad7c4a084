package httpapi

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/page"
)

// characterBody bounds the body of a character, in bytes. The largest that the rules allow is a fraction of it, with
// the derived values of an answer that is sent back.
const characterBody = 1 << 20

// characterHandlers serve /v1/characters, but for the sheets.
type characterHandlers struct{ service *character.Service }

func (h *characterHandlers) routes(r *routes) {
	const one = "/v1/characters/:characterid"
	r.handle(http.MethodPost, "/v1/characters", h.create)
	r.handle(http.MethodGet, "/v1/characters", h.list)
	r.handle(http.MethodGet, one, h.read)
	r.handle(http.MethodPut, one, h.replace)
	r.handle(http.MethodPatch, one, h.patch)
	r.handle(http.MethodDelete, one, h.delete)
	r.handle(http.MethodPost, one+"/undelete", h.undelete)
	r.handle(http.MethodPost, one+"/level-up", h.levelUp)
	r.handle(http.MethodPost, one+"/xp", h.gainXP)
	r.handle(http.MethodPost, one+"/rest", h.rest)
	r.handle(http.MethodPost, one+"/damage", h.damage)
	r.handle(http.MethodPost, one+"/heal", h.heal)
}

func characterID(c echo.Context) (uuid.UUID, error) { return character.ParseID(c.Param("characterid")) }

func (h *characterHandlers) create(c echo.Context) error {
	sent, err := readCreation(c, characterBody, "characterid")
	if err != nil {
		return err
	}
	creation := character.Creation{ID: sent.id, OnlyNew: sent.onlyNew, Idempotency: sent.idempotency, Draft: takeCharacter(sent.object)}
	if err = sent.object.done(); err != nil {
		return err
	}
	made, replayed, err := h.service.Create(c.Request().Context(), creation)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/v1/characters/"+made.ID.String())
	return writeCharacter(c, http.StatusCreated, made, replayed)
}

// writeCharacter answers a character that was just written.
func writeCharacter(c echo.Context, status int, written character.Character, replayed bool) error {
	return writeWritten(c, status, written.Revision, written.Modified, replayed, character.Object(written))
}

func (h *characterHandlers) read(c echo.Context) error {
	id, err := characterID(c)
	if err != nil {
		return err
	}
	known, err := parseTags(c.Request().Header, "If-None-Match")
	if err != nil {
		return err
	}
	found, err := h.service.Read(c.Request().Context(), id)
	if err != nil {
		return err
	}
	describe(c, found.Revision, found.Modified)
	if known != nil && known.holds(found.Revision) {
		return c.NoContent(http.StatusNotModified)
	}
	return writeJSON(c, http.StatusOK, character.Object(found))
}

// characterEdit is what PUT and PATCH bring beside the fields that they change.
type characterEdit struct {
	id           uuid.UUID
	precondition *character.Precondition
	body         *object
}

func readCharacterEdit(c echo.Context, mediaTypes ...string) (e characterEdit, err error) {
	if e.id, err = characterID(c); err != nil {
		return e, err
	}
	if e.precondition, err = precondition(c.Request().Header); err != nil {
		return e, err
	}
	if e.body, _, err = readObject(c, characterBody, false, mediaTypes...); err != nil {
		return e, err
	}
	if text, present := e.body.optionalText("characterid"); present {
		if given, err := character.ParseID(text); err != nil || given != e.id {
			e.body.fail("characterid", "must be the id in the path; a character keeps its id")
		}
	}
	return e, nil
}

func (h *characterHandlers) replace(c echo.Context) error {
	e, err := readCharacterEdit(c, mediaJSON)
	if err != nil {
		return err
	}
	draft := takeCharacter(e.body)
	if err = e.body.done(); err != nil {
		return err
	}
	replaced, err := h.service.Replace(c.Request().Context(), e.id, draft, e.precondition)
	if err != nil {
		return err
	}
	return writeCharacter(c, http.StatusOK, replaced, false)
}

func (h *characterHandlers) patch(c echo.Context) error {
	e, err := readCharacterEdit(c, mediaMergePatch, mediaJSON)
	if err != nil {
		return err
	}
	patched, err := h.service.Edit(c.Request().Context(), e.id, e.body.patchCharacter, e.precondition)
	if err != nil {
		return err
	}
	return writeCharacter(c, http.StatusOK, patched, false)
}

func (h *characterHandlers) delete(c echo.Context) error {
	id, err := characterID(c)
	if err != nil {
		return err
	}
	p, err := precondition(c.Request().Header)
	if err != nil {
		return err
	}
	if err = h.service.Delete(c.Request().Context(), id, p); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *characterHandlers) undelete(c echo.Context) error {
	id, err := characterID(c)
	if err != nil {
		return err
	}
	o, raw, err := readObject(c, smallBody, true, mediaJSON)
	if err != nil {
		return err
	}
	key, err := idempotency(c, raw)
	if err != nil {
		return err
	}
	if err = o.done(); err != nil {
		return err
	}
	living, replayed, err := h.service.Undelete(c.Request().Context(), id, key)
	if err != nil {
		return err
	}
	return writeCharacter(c, http.StatusOK, living, replayed)
}

func (h *characterHandlers) list(c echo.Context) error {
	q, err := readQuery(c, "limit", "cursor", "sort", "class", "race", "player", "level_min", "level_max", "q", "count", "deleted")
	if err != nil {
		return err
	}
	request := character.ListRequest{Cursor: q.word("cursor"), Limit: q.integer("limit"), WithTotal: q.flag("count")}
	request.Filter = character.Filter{Trash: q.flag("deleted"), Class: q.word("class"), Race: q.word("race"), Words: q.text("q"),
		LevelMin: q.level("level_min"), LevelMax: q.level("level_max")}
	if q.has("player") {
		player := q.text("player")
		request.Filter.Player = &player
	}
	sort := q.word("sort")
	if q.err != nil {
		return q.err
	}
	if request.Sort, err = page.ParseSort(sort); err != nil {
		return err
	}
	page, err := h.service.List(c.Request().Context(), request)
	if err != nil {
		return err
	}
	body := []byte(`{"items":[`)
	for i, item := range page.Items {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, character.Object(item)...)
	}
	return writePage(c, body, page.Next, page.Total)
}

// level gives a bound of the level, 0 when it is absent.
func (q *query) level(name string) int {
	level := q.integer(name)
	if level == nil {
		return 0
	}
	if *level < 1 {
		q.refuse(name + " must be a level from 1")
	}
	return *level
}
