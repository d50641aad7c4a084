package httpapi

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/mustache"
	"bitbucket.org/templar/templar/core/template"
)

// sheetHandlers serve the sheets of characters: rendered by the engine of the templates, through a stored template or
// one of those built in.
type sheetHandlers struct {
	characters *character.Service
	templates  *template.Service
	meter      Meter
}

func (h *sheetHandlers) routes(r *routes) {
	r.handle(http.MethodGet, "/v1/characters/:characterid/sheet", h.sheet)
}

// sheetForm is a type that a sheet is answered in.
type sheetForm struct {
	mediaType string
	// builtIn is the template of this type.
	builtIn *mustache.Template
	// clean makes what a player typed harmless in this type, where the engine does not; raw tells the engine not to
	// escape values for HTML.
	clean func(string) string
	raw   bool
	// policy is what a browser may do with it (Content-Security-Policy); the sheets need their own styles only.
	policy string
}

//go:embed sheets/*.mustache
var sheetFiles embed.FS

// sheetForms are the types of sheets; the first is answered to who accepts all of them alike, or none.
var sheetForms = []sheetForm{
	{mediaType: "text/plain", builtIn: sheetTemplate("sheet.txt.mustache"), clean: plainText, raw: true, policy: "sandbox"},
	{mediaType: "text/markdown", builtIn: sheetTemplate("sheet.md.mustache"), clean: markdownText, raw: true, policy: "sandbox"},
	{mediaType: "text/html", builtIn: sheetTemplate("sheet.html.mustache"), clean: plainText, policy: "sandbox allow-modals; default-src 'none'; style-src 'unsafe-inline'"},
}

// sheetTemplate parses an embedded template. They are part of the program, so a broken one is a bug.
func sheetTemplate(name string) *mustache.Template {
	text, err := sheetFiles.ReadFile("sheets/" + name)
	if err != nil {
		panic("httpapi: " + err.Error())
	}
	parsed, err := mustache.Parse(string(text))
	if err != nil {
		panic("httpapi: sheets/" + name + ": " + err.Error())
	}
	return parsed
}

func (h *sheetHandlers) sheet(c echo.Context) error {
	id, err := characterID(c)
	if err != nil {
		return err
	}
	q, err := readQuery(c, "template", "revision", "label")
	if err != nil {
		return err
	}
	pick, err := q.pick()
	if err == nil && !q.has("template") && (q.has("revision") || q.has("label")) {
		err = fault.New(fault.Malformed, "revision and label pick one of a template's; template is missing")
	}
	if err != nil {
		return err
	}
	request := c.Request()
	known, err := parseTags(request.Header, "If-None-Match")
	if err != nil {
		return err
	}
	shown, err := h.characters.Read(request.Context(), id)
	if err != nil {
		return err
	}
	form := acceptedForm(strings.Join(request.Header.Values(echo.HeaderAccept), ","))
	shown.Name, shown.Player, shown.Author = form.clean(shown.Name), form.clean(shown.Player), form.clean(shown.Author)
	var output []byte
	if q.has("template") {
		output, err = h.stored(request.Context(), q.text("template"), pick, form, shown)
	} else {
		output, err = form.render(request.Context(), shown)
	}
	if err != nil {
		return err
	}
	h.meter.Rendered()
	header := c.Response().Header()
	header.Add(echo.HeaderVary, echo.HeaderAccept)
	header["Etag"] = []string{digestTag(append([]byte(form.mediaType+"\x00"), output...))}
	header[echo.HeaderCacheControl] = privateNoCache
	if known != nil && known.has(header["Etag"][0]) {
		return c.NoContent(http.StatusNotModified)
	}
	policy := form.policy
	if q.has("template") {
		policy = "sandbox" // the template is its author's: nothing in it may run with this origin's rights
	}
	header.Set(echo.HeaderContentSecurityPolicy, policy)
	if len(output) > buffered {
		header.Set(echo.HeaderContentLength, strconv.Itoa(len(output)))
	}
	return c.Blob(http.StatusOK, form.mediaType+"; charset=utf-8", output)
}

// pick reads revision and label.
func (q *query) pick() (pick template.Pick, err error) {
	pick.Revision = q.revision("revision")
	if q.has("label") {
		label := q.text("label")
		pick.Label = &label
		if pick.Revision != nil {
			q.refuse("either revision or label can be given, not both")
		}
	}
	return pick, q.err
}

// stored renders a character through a stored template.
func (h *sheetHandlers) stored(ctx context.Context, id string, pick template.Pick, form sheetForm, shown character.Character) ([]byte, error) {
	templateID, err := template.ParseID(id)
	if err != nil {
		return nil, fault.New(fault.Malformed, "template must be the templateid of a stored template, a UUID")
	}
	rendered, err := h.templates.Render(ctx, templateID, pick, template.RenderRequest{Data: character.Sheet(shown), Raw: form.raw})
	return rendered.Output, err
}

// render renders a character through the built-in template.
func (f sheetForm) render(ctx context.Context, shown character.Character) ([]byte, error) {
	escape := mustache.EscapeHTML
	if f.raw {
		escape = mustache.EscapeNone
	}
	// Strict: a name that the data lacks is a slip in the built-in template.
	result, err := f.builtIn.Render(ctx, nil, character.Sheet(shown), mustache.Options{Strict: true, Escape: escape})
	if err != nil {
		return nil, fmt.Errorf("httpapi: the built-in sheet in %s: %w", f.mediaType, err)
	}
	return result.Output, nil
}

// acceptedForm is the form that Accept asks for (RFC 9110, 12.5.1): of each, the most special range that names it
// counts; the highest weight wins, then what stands first. Nothing that is known makes it the first form.
func acceptedForm(accept string) sheetForm {
	best, bestWeight, bestPlace := sheetForms[0], 0.0, 0
	for _, form := range sheetForms {
		if weight, place := acceptance(accept, form.mediaType); weight > bestWeight || weight > 0 && weight == bestWeight && place < bestPlace {
			best, bestWeight, bestPlace = form, weight, place
		}
	}
	return best
}

// acceptance is the weight that Accept gives a media type, and the place of the range that gives it.
func acceptance(accept, mediaType string) (weight float64, place int) {
	special := 0
	for i, part := range strings.Split(accept, ",") {
		name, parameters, _ := strings.Cut(part, ";")
		matched := 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case mediaType:
			matched = 3
		case "text/*":
			matched = 2
		case "*/*":
			matched = 1
		}
		if matched > special {
			special, weight, place = matched, quality(parameters), i
		}
	}
	return weight, place
}

// quality reads q of the parameters of a media range: 1 without one, 0 for what is no weight from 0 to 1.
func quality(parameters string) float64 {
	for _, parameter := range strings.Split(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && q >= 0 && q <= 1 {
			return q
		}
		return 0
	}
	return 1
}
