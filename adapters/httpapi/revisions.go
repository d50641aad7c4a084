package httpapi

import (
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// revisionHandlers serve the history of a template: revisions, differences and labels.
type revisionHandlers struct{ service *template.Service }

func (h *revisionHandlers) routes(r *routes) {
	const base = "/v1/templates/:templateid"
	r.handle(http.MethodGet, base+"/revisions", h.list)
	r.handle(http.MethodGet, base+"/revisions/:revision", h.read)
	r.handle(http.MethodPost, base+"/revisions/:revision/restore", h.restore)
	r.handle(http.MethodGet, base+"/diff", h.diff)
	r.handle(http.MethodGet, base+"/labels", h.labels)
	r.handle(http.MethodGet, base+"/labels/:label", h.label)
	r.handle(http.MethodPut, base+"/labels/:label", h.setLabel)
	r.handle(http.MethodDelete, base+"/labels/:label", h.removeLabel)
	r.handle(http.MethodGet, base+"/labels/:label/history", h.labelHistory)
}

// maxRevision is the highest number that a revision can have.
const maxRevision = 1<<31 - 1

func revisionNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxRevision || strconv.Itoa(n) != text {
		return 0, fault.New(fault.Malformed, "a revision is a whole number from 1")
	}
	return n, nil
}

// revision gives the number of a revision, nil when it is absent.
func (q *query) revision(name string) *int {
	if !q.has(name) {
		return nil
	}
	n, err := revisionNumber(q.text(name))
	if err != nil {
		q.refuse(name + " must be a whole number from 1")
		return nil
	}
	return &n
}

func readPage(c echo.Context) (template.PageRequest, error) {
	q, err := readQuery(c, "limit", "cursor")
	if err != nil {
		return template.PageRequest{}, err
	}
	return template.PageRequest{Limit: q.integer("limit"), Cursor: q.word("cursor")}, q.err
}

func (h *revisionHandlers) list(c echo.Context) error {
	id, err := template.ParseID(c.Param("templateid"))
	if err != nil {
		return err
	}
	request, err := readPage(c)
	if err != nil {
		return err
	}
	page, err := h.service.Revisions(c.Request().Context(), id, request)
	if err != nil {
		return err
	}
	type revisionObject struct {
		Revision int     `json:"revision"`
		Author   string  `json:"author"`
		Modified *string `json:"modified"`
		Name     string  `json:"name"`
	}
	answer := struct {
		Items []revisionObject `json:"items"`
		Next  string           `json:"next,omitempty"`
	}{Items: []revisionObject{}, Next: page.Next}
	for _, t := range page.Items {
		answer.Items = append(answer.Items, revisionObject{t.Revision, t.Author, showTime(t.Modified), t.Name})
	}
	if page.Next != "" {
		linkNext(c, page.Next)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-cache")
	return c.JSON(http.StatusOK, answer)
}

// idAndRevision reads the path of one revision.
func idAndRevision(c echo.Context) (id uuid.UUID, n int, err error) {
	if id, err = template.ParseID(c.Param("templateid")); err == nil {
		n, err = revisionNumber(c.Param("revision"))
	}
	return id, n, err
}

func (h *revisionHandlers) read(c echo.Context) error {
	id, n, err := idAndRevision(c)
	if err != nil {
		return err
	}
	known, err := parseTags(c.Request().Header, "If-None-Match")
	if err != nil {
		return err
	}
	t, err := h.service.Revision(c.Request().Context(), id, n)
	if err != nil {
		return err
	}
	describe(c, t.Revision, t.Modified)
	c.Response().Header().Set(echo.HeaderCacheControl, "private, max-age=31536000, immutable")
	if known != nil && known.holds(n) {
		return c.NoContent(http.StatusNotModified)
	}
	return writeJSON(c, http.StatusOK, TemplateCodec{}.Encode(t))
}

func (h *revisionHandlers) restore(c echo.Context) error {
	id, n, err := idAndRevision(c)
	if err != nil {
		return err
	}
	p, err := precondition(c.Request().Header)
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
	t, replayed, err := h.service.Restore(c.Request().Context(), id, n, p, key)
	if err != nil {
		return err
	}
	return writeTemplate(c, http.StatusOK, t, replayed)
}

func (h *revisionHandlers) diff(c echo.Context) error {
	id, err := template.ParseID(c.Param("templateid"))
	if err != nil {
		return err
	}
	q, err := readQuery(c, "from", "to")
	if err != nil {
		return err
	}
	from, to := q.revision("from"), q.revision("to")
	if q.err != nil {
		return q.err
	}
	text, err := h.service.Diff(c.Request().Context(), id, from, to)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-cache")
	return c.Blob(http.StatusOK, "text/x-diff; charset=utf-8", []byte(text))
}

// labelObject is a label as the API shows it.
type labelObject struct {
	Label    string  `json:"label"`
	Revision int     `json:"revision"`
	User     string  `json:"user"`
	Modified *string `json:"modified"`
}

func showLabel(l template.Label) labelObject {
	return labelObject{l.Name, l.Revision, l.User, showTime(l.Modified)}
}

func (h *revisionHandlers) labels(c echo.Context) error {
	id, err := template.ParseID(c.Param("templateid"))
	if err != nil {
		return err
	}
	list, err := h.service.Labels(c.Request().Context(), id)
	if err != nil {
		return err
	}
	answer := struct {
		Items []labelObject `json:"items"`
	}{Items: []labelObject{}}
	for _, l := range list {
		answer.Items = append(answer.Items, showLabel(l))
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-cache")
	return c.JSON(http.StatusOK, answer)
}

// idAndLabel reads the path of one label.
func idAndLabel(c echo.Context) (id uuid.UUID, name string, err error) {
	if id, err = template.ParseID(c.Param("templateid")); err == nil {
		name = c.Param("label")
		err = template.CheckLabel(name)
	}
	return id, name, err
}

func (h *revisionHandlers) label(c echo.Context) error {
	id, name, err := idAndLabel(c)
	if err != nil {
		return err
	}
	l, err := h.service.Label(c.Request().Context(), id, name)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-cache")
	return c.JSON(http.StatusOK, showLabel(l))
}

func (h *revisionHandlers) setLabel(c echo.Context) error {
	id, name, err := idAndLabel(c)
	if err != nil {
		return err
	}
	o, _, err := readObject(c, smallBody, false, mediaJSON)
	if err != nil {
		return err
	}
	if _, present := o.fields["revision"]; !present {
		o.fail("revision", "is needed: the revision that the label is put on")
	}
	revision := o.integer("revision", 0, 1, maxRevision)
	if revision == 0 && len(o.broken) == 0 {
		o.fail("revision", "must be a whole number from 1")
	}
	o.ignore("label", "user", "modified")
	if err = o.done(); err != nil {
		return err
	}
	l, err := h.service.SetLabel(c.Request().Context(), id, name, revision)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, showLabel(l))
}

func (h *revisionHandlers) removeLabel(c echo.Context) error {
	id, name, err := idAndLabel(c)
	if err != nil {
		return err
	}
	if err = h.service.RemoveLabel(c.Request().Context(), id, name); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *revisionHandlers) labelHistory(c echo.Context) error {
	id, name, err := idAndLabel(c)
	if err != nil {
		return err
	}
	request, err := readPage(c)
	if err != nil {
		return err
	}
	moves, next, err := h.service.LabelHistory(c.Request().Context(), id, name, request)
	if err != nil {
		return err
	}
	type moveObject struct {
		From *int    `json:"from"`
		To   *int    `json:"to"`
		User string  `json:"user"`
		Time *string `json:"time"`
	}
	answer := struct {
		Items []moveObject `json:"items"`
		Next  string       `json:"next,omitempty"`
	}{Items: []moveObject{}, Next: next}
	number := func(n int) *int {
		if n == 0 {
			return nil
		}
		return &n
	}
	for _, m := range moves {
		answer.Items = append(answer.Items, moveObject{number(m.From), number(m.To), m.User, showTime(m.Time)})
	}
	if next != "" {
		linkNext(c, next)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-cache")
	return c.JSON(http.StatusOK, answer)
}
