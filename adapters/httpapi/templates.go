package httpapi

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/change"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
)

const (
	mediaJSON       = "application/json"
	mediaMergePatch = "application/merge-patch+json"
)

// templateHandlers serve /v1/templates.
type templateHandlers struct {
	service *template.Service
	// bodyLimit is what the largest allowed content can need in JSON, with the other fields, in bytes.
	bodyLimit int64
}

func (h *templateHandlers) routes(r *routes) {
	r.handle(http.MethodPost, "/v1/templates", h.create)
	r.handle(http.MethodGet, "/v1/templates", h.list)
	r.handle(http.MethodGet, "/v1/templates/:templateid", h.read)
	r.handle(http.MethodPut, "/v1/templates/:templateid", h.replace)
	r.handle(http.MethodPatch, "/v1/templates/:templateid", h.patch)
	r.handle(http.MethodDelete, "/v1/templates/:templateid", h.delete)
	r.handle(http.MethodPost, "/v1/templates/:templateid/undelete", h.undelete)
}

// serverFields are answered by the server and ignored in requests.
var serverFields = []string{"revision", "author", "created", "modified", "deleted"}

func takeDraft(o *object) template.Draft {
	d := template.Draft{Name: o.text("name"), Description: o.text("description"), Content: o.text("content")}
	if syntax, present := o.optionalText("syntax"); present {
		if syntax == "" {
			o.fail("syntax", "must be \"mustache\" or \"plain\"")
		}
		d.Syntax = template.Syntax(syntax)
	}
	o.ignore(serverFields...)
	return d
}

func (h *templateHandlers) create(c echo.Context) error {
	sent, err := readCreation(c, h.bodyLimit, "templateid")
	if err != nil {
		return err
	}
	creation := template.Creation{ID: sent.id, OnlyNew: sent.onlyNew, Idempotency: sent.idempotency, Draft: takeDraft(sent.object)}
	if err = sent.object.done(); err != nil {
		return err
	}
	t, replayed, err := h.service.Create(c.Request().Context(), creation)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/v1/templates/"+t.ID.String())
	return writeTemplate(c, http.StatusCreated, t, replayed)
}

// writeTemplate answers a template that was just written.
func writeTemplate(c echo.Context, status int, t template.Template, replayed bool) error {
	return writeWritten(c, status, t.Revision, t.Modified, replayed, TemplateCodec{}.Encode(t))
}

func (h *templateHandlers) read(c echo.Context) error {
	id, err := template.ParseID(c.Param("templateid"))
	if err != nil {
		return err
	}
	request := c.Request()
	known, err := parseTags(request.Header, "If-None-Match")
	if err != nil {
		return err
	}
	r, err := h.service.Read(request.Context(), id, wantsFresh(request.Header))
	if err != nil {
		return err
	}
	describe(c, r.Revision, r.Modified)
	if known != nil && known.holds(r.Revision) {
		return c.NoContent(http.StatusNotModified)
	}
	return writeJSON(c, http.StatusOK, r.Body)
}

// edit is what PUT and PATCH bring beside the fields that they change.
type edit struct {
	id           uuid.UUID
	precondition *change.Precondition
	body         *object
}

func (h *templateHandlers) readEdit(c echo.Context, mediaTypes ...string) (e edit, err error) {
	if e.id, err = template.ParseID(c.Param("templateid")); err != nil {
		return e, err
	}
	if e.precondition, err = precondition(c.Request().Header); err != nil {
		return e, err
	}
	if e.body, _, err = readObject(c, h.bodyLimit, false, mediaTypes...); err != nil {
		return e, err
	}
	if text, present := e.body.optionalText("templateid"); present {
		if given, err := template.ParseID(text); err != nil || given != e.id {
			e.body.fail("templateid", "must be the id in the path; a template keeps its id")
		}
	}
	return e, nil
}

func (h *templateHandlers) replace(c echo.Context) error {
	e, err := h.readEdit(c, mediaJSON)
	if err != nil {
		return err
	}
	draft := takeDraft(e.body)
	if err = e.body.done(); err != nil {
		return err
	}
	t, err := h.service.Replace(c.Request().Context(), e.id, draft, e.precondition)
	if err != nil {
		return err
	}
	return writeTemplate(c, http.StatusOK, t, false)
}

func (h *templateHandlers) patch(c echo.Context) error {
	e, err := h.readEdit(c, mediaMergePatch, mediaJSON)
	if err != nil {
		return err
	}
	patch := template.Patch{Name: takeChange(e.body, "name"), Description: takeChange(e.body, "description"),
		Content: takeChange(e.body, "content"), Syntax: takeChange(e.body, "syntax")}
	e.body.ignore(serverFields...)
	if err = e.body.done(); err != nil {
		return err
	}
	t, err := h.service.Patch(c.Request().Context(), e.id, patch, e.precondition)
	if err != nil {
		return err
	}
	return writeTemplate(c, http.StatusOK, t, false)
}

func takeChange(o *object, name string) template.Change {
	if o.isNull(name) {
		return template.Change{Present: true, Reset: true}
	}
	text, present := o.optionalText(name)
	return template.Change{Present: present, Value: text}
}

func (h *templateHandlers) delete(c echo.Context) error {
	id, err := template.ParseID(c.Param("templateid"))
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

func (h *templateHandlers) undelete(c echo.Context) error {
	id, err := template.ParseID(c.Param("templateid"))
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
	t, replayed, err := h.service.Undelete(c.Request().Context(), id, key)
	if err != nil {
		return err
	}
	return writeTemplate(c, http.StatusOK, t, replayed)
}

// idempotency reads the Idempotency-Key of a request with that body, nil without one: a string as RFC 8941 has it
// (draft-ietf-httpapi-idempotency-key-header), or the same without quotes, of 1 to 255 visible characters.
func idempotency(c echo.Context, body []byte) (*change.Idempotency, error) {
	values := c.Request().Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return nil, nil
	}
	key := strings.TrimSpace(values[0])
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	visible := func(r rune) bool { return r > 0x20 && r < 0x7f && r != '"' }
	if len(values) > 1 || key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return !visible(r) }) {
		return nil, fault.New(fault.Malformed, "there must be one Idempotency-Key, of 1 to 255 visible ASCII characters")
	}
	h := sha256.New()
	h.Write([]byte(c.Request().Method + " " + c.Request().URL.Path + "\x00"))
	h.Write(body)
	i := &change.Idempotency{Key: key}
	h.Sum(i.Fingerprint[:0])
	return i, nil
}

func (h *templateHandlers) list(c echo.Context) error {
	q, err := readQuery(c, "limit", "cursor", "sort", "name", "name_prefix", "q", "include", "count", "deleted")
	if err != nil {
		return err
	}
	request := template.ListRequest{Cursor: q.word("cursor"), Limit: q.integer("limit"), WithTotal: q.flag("count")}
	request.Filter = template.Filter{Trash: q.flag("deleted"), NamePrefix: q.text("name_prefix"), Words: q.text("q")}
	if q.has("name") {
		name := q.text("name")
		request.Filter.Name = &name
	}
	switch q.word("include") {
	case "":
	case "content":
		request.WithContent = true
	default:
		q.refuse("include can only be content")
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
	size := 256
	for i := range page.Items {
		size += 384 + len(page.Items[i].Content) + len(page.Items[i].Description)
	}
	out := takeBuffer()
	defer out.giveBack()
	body := append(slices.Grow(out.bytes, size), `{"items":[`...)
	for i, t := range page.Items {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendTemplate(body, t, request.WithContent)
	}
	out.bytes = body
	return writePage(c, body, page.Next, page.Total)
}
