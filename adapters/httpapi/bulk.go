package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/template"
)

const (
	exportRoute = "/v1/templates/export"
	importRoute = "/v1/templates/import"
	mediaNDJSON = "application/x-ndjson"
)

// bulkPause is how long a client of a bulk route may read or send nothing.
const bulkPause = 30 * time.Second

// bulkHandlers serve whole stores of templates.
type bulkHandlers struct {
	service *template.Service
	maxLine int
}

func (h *bulkHandlers) routes(r *routes) {
	r.handle(http.MethodGet, exportRoute, h.export)
	r.handle(http.MethodPost, importRoute, h.importLines)
}

// bulkMethods are what the bulk routes take.
var bulkMethods = map[string][]string{
	exportRoute: {http.MethodGet, http.MethodHead, http.MethodOptions},
	importRoute: {http.MethodPost, http.MethodOptions},
}

// fixedPath answers other methods of the bulk routes, for which Echo would find the route of a single template.
func fixedPath(c echo.Context) (answered bool, err error) {
	allowed := bulkMethods[c.Request().URL.EscapedPath()]
	if allowed == nil || c.Request().Method != http.MethodOptions && slices.Contains(allowed, c.Request().Method) {
		return false, nil
	}
	c.Response().Header().Set(echo.HeaderAllow, strings.Join(allowed, ", "))
	if c.Request().Method == http.MethodOptions {
		return true, c.NoContent(http.StatusNoContent)
	}
	return true, errMethod
}

// isBulk tells the routes whose work takes as long as it takes, as long as it goes on.
func isBulk(route string) bool { return route == exportRoute || route == importRoute }

func (h *bulkHandlers) export(c echo.Context) error {
	q, err := readQuery(c, "deleted", "revisions")
	if err != nil {
		return err
	}
	wanted := template.Wanted{Trash: q.flag("deleted"), Revisions: q.flag("revisions")}
	if q.err != nil {
		return q.err
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, mediaNDJSON)
	header.Set(echo.HeaderCacheControl, "no-store")
	if c.Request().Method == http.MethodHead {
		return h.tryExport(c, wanted)
	}
	out := &patientWriter{response: c.Response(), controller: http.NewResponseController(c.Response())}
	_, err = Export(c.Request().Context(), h.service, wanted, out, nil)
	if err != nil && c.Response().Committed {
		return errors.Join(errBrokenOff, err)
	}
	if err == nil && !c.Response().Committed {
		c.Response().WriteHeader(http.StatusOK) // there was nothing to export
	}
	return err
}

// errEnough ends an export that is only tried.
var errEnough = errors.New("enough")

// tryExport answers what an export would begin with: as much of it as decides whether it is compressed, and whether
// its length is told.
func (h *bulkHandlers) tryExport(c echo.Context, wanted template.Wanted) error {
	written := 0
	err := h.service.Export(c.Request().Context(), wanted, func(r template.Record) error {
		n, err := c.Response().Write(appendRecord(nil, r, wanted.Revisions))
		if written += n; err == nil && written > buffered {
			err = errEnough
		}
		return err
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if !c.Response().Committed {
		c.Response().WriteHeader(http.StatusOK)
	}
	return nil
}

// patientWriter gives each write its own time limit, in the place of one for the whole answer.
type patientWriter struct {
	response   *echo.Response
	controller *http.ResponseController
}

func (w *patientWriter) Write(p []byte) (int, error) {
	_ = w.controller.SetWriteDeadline(time.Now().Add(bulkPause)) // not every connection has deadlines
	return w.response.Write(p)
}

// patientReader gives each read its own time limit, in the place of one for the whole request.
type patientReader struct {
	request    *http.Request
	controller *http.ResponseController
}

func (r *patientReader) Read(p []byte) (int, error) {
	_ = r.controller.SetReadDeadline(time.Now().Add(bulkPause)) // not every connection has deadlines
	return r.request.Body.Read(p)
}

func (h *bulkHandlers) importLines(c echo.Context) error {
	q, err := readQuery(c, "on_conflict")
	if err != nil {
		return err
	}
	policy, err := template.ParseConflictPolicy(q.word("on_conflict"))
	if q.err != nil {
		err = q.err
	}
	if err != nil {
		return err
	}
	if c.Request().ContentLength != 0 {
		if err = wantMediaType(c.Request(), mediaNDJSON, "application/ndjson", "application/jsonl"); err != nil {
			return err
		}
	}
	ctx := c.Request().Context()
	importer, err := h.service.NewImporter(ctx, policy)
	if err != nil {
		return err
	}
	controller := http.NewResponseController(c.Response())
	_ = controller.EnableFullDuplex() // HTTP/2 is so by itself
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, mediaNDJSON)
	header.Set(echo.HeaderCacheControl, "no-store")
	importing := Importing{
		Importer: importer, MaxLine: h.maxLine, Instance: header.Get(echo.HeaderXRequestID),
		Input:     &patientReader{request: c.Request(), controller: controller},
		Interrupt: func() { _ = controller.SetReadDeadline(time.Now()) },
		Answers:   &patientWriter{response: c.Response(), controller: controller},
		Stored:    func(int) { _ = controller.Flush() },
	}
	_, err = importing.Run(ctx)
	if err != nil && c.Response().Committed {
		return errors.Join(errBrokenOff, err)
	}
	if err == nil && !c.Response().Committed {
		c.Response().WriteHeader(http.StatusOK) // there was no line
	}
	return err
}
