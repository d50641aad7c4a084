package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/jsonstring"
	"bitbucket.org/templar/templar/core/mustache"
	"bitbucket.org/templar/templar/core/template"
)

// renderBody bounds the body of a request to render, in bytes.
const renderBody = 8 << 20

// renderHandlers serve what a template makes of data.
type renderHandlers struct {
	service *template.Service
	meter   Meter
}

func (h *renderHandlers) routes(r *routes) {
	r.handle(http.MethodPost, "/v1/render", h.renderContent)
	r.handle(http.MethodPost, "/v1/templates/:templateid/render", h.render)
	r.handle(http.MethodGet, "/v1/templates/:templateid/variables", h.variables)
}

// readPick reads ?revision= and ?label=.
func readPick(c echo.Context) (pick template.Pick, err error) {
	q, err := readQuery(c, "revision", "label")
	if err != nil {
		return pick, err
	}
	return q.pick()
}

// renderRequest is the body of a request to render.
type renderRequest struct {
	template.RenderRequest
	// content is there where the body brings the template.
	content    string
	hasContent bool
}

// readRender reads the body by the engine's own reader: it is as strict as that of other bodies, and the data, which
// can be large, is looked at once.
func readRender(c echo.Context, takesContent bool) (r renderRequest, err error) {
	in := takeBuffer()
	defer in.giveBack()
	raw, err := readBodyInto(in, c, renderBody, mediaJSON)
	if err != nil {
		return r, err
	}
	if raw == nil {
		return r, errNoBody
	}
	body, err := mustache.ParseData(raw)
	if err != nil {
		return r, fault.Wrap(fault.Malformed, err, "the body is not JSON as RFC 8259 and UTF-8 have it: %s", err.Error())
	}
	r.Strict = true
	var o object
	isObject := body.Members(func(name string, value mustache.Value) {
		switch {
		case name == "data":
			r.Data = value
		case name == "strict":
			truth, ok := value.Truth()
			if r.Strict = truth; !ok {
				o.fail(name, "must be true or false")
			}
		case name == "escape":
			text, ok := value.Text()
			if r.Raw = text == "none"; !ok || !r.Raw && text != "html" {
				o.fail(name, "must be \"html\" or \"none\"")
			}
		case name == "content" && takesContent:
			if r.content, r.hasContent = value.Text(); !r.hasContent {
				o.fail(name, "must be a string")
			}
		default:
			o.failUnknown(name)
		}
	})
	if !isObject {
		return r, errNoObject
	}
	if takesContent && !r.hasContent && o.broken == nil {
		o.fail("content", "is needed: the template to render")
	}
	return r, o.done()
}

func (h *renderHandlers) render(c echo.Context) error {
	id, err := template.ParseID(c.Param("templateid"))
	if err != nil {
		return err
	}
	pick, err := readPick(c)
	if err != nil {
		return err
	}
	request, err := readRender(c, false)
	if err != nil {
		return err
	}
	out := takeBuffer()
	defer out.giveBack()
	request.Into = out.bytes
	rendered, err := h.service.Render(c.Request().Context(), id, pick, request.RenderRequest)
	if err != nil {
		return err
	}
	out.bytes = rendered.Output
	return h.answer(c, rendered)
}

func (h *renderHandlers) renderContent(c echo.Context) error {
	request, err := readRender(c, true)
	if err != nil {
		return err
	}
	out := takeBuffer()
	defer out.giveBack()
	request.Into = out.bytes
	rendered, err := h.service.RenderContent(c.Request().Context(), request.content, request.RenderRequest)
	if err != nil {
		return err
	}
	out.bytes = rendered.Output
	return h.answer(c, rendered)
}

// answer gives the output as the client wants it: bare, or in an object with what is to be known of it.
func (h *renderHandlers) answer(c echo.Context, r template.Rendered) error {
	h.meter.Rendered()
	header := c.Response().Header()
	header[echo.HeaderCacheControl] = noStore
	header[echo.HeaderVary] = append(header[echo.HeaderVary], echo.HeaderAccept)
	if bare := bareType(c.Request().Header["Accept"]); bare != "" {
		// The output is the author's: nothing in it may run with this origin's rights.
		header.Set(echo.HeaderContentSecurityPolicy, "sandbox")
		return c.Blob(http.StatusOK, bare, r.Output)
	}
	out := takeBuffer()
	defer out.giveBack()
	body := append(slices.Grow(out.bytes, 96+len(r.Output)+len(r.Output)/8), `{"output":`...)
	body = jsonstring.AppendQuoted(body, r.Output)
	if r.Revision != 0 {
		body = append(body, `,"revision":`...)
		body = strconv.AppendInt(body, int64(r.Revision), 10)
	}
	body = append(body, `,"missing":`...)
	out.bytes = append(appendTexts(body, r.Missing), '}')
	return writeJSON(c, http.StatusOK, out.bytes)
}

func appendTexts(body []byte, texts []string) []byte {
	body = append(body, '[')
	for i, text := range texts {
		if i > 0 {
			body = append(body, ',')
		}
		body = jsonstring.AppendQuoted(body, text)
	}
	return append(body, ']')
}

// bareType is the text type that Accept asks for before JSON; "" when JSON will do.
func bareType(accept []string) string {
	if len(accept) == 0 {
		return ""
	}
	best, bestWeight := "", 0.0
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		weight := 1.0
		for _, parameter := range strings.Split(parameters, ";") {
			if q, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
				if parsed, err := strconv.ParseFloat(q, 64); err == nil {
					weight = parsed
				}
			}
		}
		if !(weight > bestWeight) { // so that what is no number counts for nothing
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "text/plain", "text/*":
			best, bestWeight = "text/plain; charset=utf-8", weight
		case "text/html":
			best, bestWeight = "text/html; charset=utf-8", weight
		case mediaJSON, "*/*", "application/*":
			best, bestWeight = "", weight
		}
	}
	return best
}

func (h *renderHandlers) variables(c echo.Context) error {
	id, err := template.ParseID(c.Param("templateid"))
	if err != nil {
		return err
	}
	pick, err := readPick(c)
	if err != nil {
		return err
	}
	variables, err := h.service.Variables(c.Request().Context(), id, pick)
	if err != nil {
		return err
	}
	type variableObject struct {
		Name    string                `json:"name"`
		Kind    mustache.VariableKind `json:"kind"`
		Escaped bool                  `json:"escaped"`
	}
	answer := struct {
		Variables []variableObject `json:"variables"`
	}{Variables: []variableObject{}}
	for _, v := range variables {
		answer.Variables = append(answer.Variables, variableObject(v))
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-cache")
	return c.JSON(http.StatusOK, answer)
}

// missingNames are what a problem document adds for a rendering that lacked something.
func missingNames(err error) []string {
	var missing *template.MissingError
	if errors.As(err, &missing) {
		return missing.Names
	}
	return nil
}
