package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// lineSchema is what the document says of each line of an NDJSON body; nil for bodies of other kinds.
func lineSchema(o *operation, media *openapi3.MediaType) *openapi3.Schema {
	if media == nil {
		return nil
	}
	pointer, _ := media.Extensions["x-line-schema"].(map[string]any)
	name, _ := pointer["$ref"].(string)
	if schema := o.route.Spec.Components.Schemas[strings.TrimPrefix(name, "#/components/schemas/")]; schema != nil {
		return schema.Value
	}
	return nil
}

// takesLines tells whether an operation's body is NDJSON, which has no fields of its own.
func takesLines(o *operation) bool {
	for _, media := range o.route.Operation.RequestBody.Value.Content {
		if lineSchema(o, media) != nil {
			return true
		}
	}
	return false
}

// line is one line of a generated body: one that its schema allows, one that is none, or a blank one.
type line struct {
	text         string
	sound, blank bool
}

// rowTimes are times of each form that a row may have; their schema allows every text.
var rowTimes = []any{nil, "2026-11-22T02:29:00.123456Z", "2019-03-01 09:30:00", "2019-03-01T09:30:00+02:00", "2019-03-01 09:30:00.5+02"}

// noRecords are lines that must fail, whatever stands around them.
var noRecords = []string{"{}", "x", "[]", "null", "7", `"{}"`, `{"name":"x"`, `{"name":"x"}}`, `{"name":"x"} {"name":"x"}`, `{"name":"x","name":"x"}`, `{"name":7}`, `{"name":"x","colour":1}`, `{"Name":"x"}`,
	`{"name":"x","templateid":"x"}`, `{"name":"x","revision":0}`, `{"name":"x","revision":1.5}`, `{"name":"x","labels":["A"]}`, `{"name":"x","labels":"a"}`, `{"name":"x","created":"yesterday"}`, `{"name":"x","syntax":"none"}`,
	`{"name":"x","content":"a\u0000"}`, `{"name":"x","content":"{{"}`, `{"name":"\ud800"}`, "{\"name\":\"\xff\"}", "\ufeff{}", "\x00"}

// drawLines makes a body of lines.
func (d *driver) drawLines(t *rapid.T, s *openapi3.Schema) (list []line, body []byte) {
	for range rapid.IntRange(0, 5).Draw(t, "lines") {
		var l line
		switch rapid.IntRange(0, 7).Draw(t, "line kind") {
		case 0:
			l = line{text: rapid.SampledFrom([]string{"", " ", "\t", " \r"}).Draw(t, "blank line"), blank: true}
		case 1, 2:
			l = line{text: rapid.SampledFrom(noRecords).Draw(t, "bad line")}
		default:
			l = line{text: d.drawLine(t, s), sound: true}
		}
		list = append(list, l)
		body = append(append(body, l.text...), rapid.SampledFrom([]string{"\n", "\n", "\r\n"}).Draw(t, "line end")...)
	}
	if rapid.Bool().Draw(t, "open end") {
		body = []byte(strings.TrimSuffix(string(body), "\n"))
	}
	return list, body
}

func (d *driver) drawLine(t *rapid.T, s *openapi3.Schema) string {
	object := drawValue(t, "line", s, 0).(map[string]any)
	for _, name := range []string{"created", "modified", "deleted"} {
		if _, given := object[name]; given && rapid.IntRange(0, 7).Draw(t, "good "+name) > 0 {
			object[name] = rapid.SampledFrom(rowTimes).Draw(t, name)
		}
	}
	if rapid.Bool().Draw(t, "plain name") {
		object["name"] = "Imported"
	}
	if known := d.pool.living["templateid"]; len(known) > 0 && rapid.IntRange(0, 3).Draw(t, "known line") == 3 {
		object["templateid"] = d.pool.draw(t, "line's templateid", known)
		delete(object, "deleted") // the pool would not learn of it
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mostLines is how many lines of an answer are held against their schema, which takes its time.
const mostLines = 10

// wrongLines tells what is wrong with an answer of NDJSON; "" when nothing is.
func wrongLines(r *request, a *reply) string {
	described := r.op.route.Operation.Responses.Status(a.Status)
	mediaType := a.Header.Get("Content-Type")
	if described == nil || described.Value.Content == nil || a.request.Method == http.MethodHead {
		return ""
	}
	schema := lineSchema(r.op, described.Value.Content[mediaType])
	if schema == nil {
		return ""
	}
	if len(a.Body) > 0 && a.Body[len(a.Body)-1] != '\n' {
		return "the last line has no end"
	}
	var answers []importAnswer
	for n, text := range slices.Collect(strings.Lines(string(a.Body))) {
		var value any
		var answer importAnswer
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return fmt.Sprintf("line %d is no JSON: %v", n+1, err)
		}
		if n < mostLines {
			if err := schema.VisitJSON(value, openapi3.EnableJSONSchema2020()); err != nil {
				return fmt.Sprintf("line %d: %v", n+1, err)
			}
		}
		if r.lines != nil {
			if err := json.Unmarshal([]byte(text), &answer); err != nil {
				return fmt.Sprintf("line %d: %v", n+1, err)
			}
			answers = append(answers, answer)
		}
	}
	if r.lines == nil {
		return ""
	}
	return wrongResults(r, answers)
}

// importAnswer is what an import says of a line.
type importAnswer struct {
	Line    int
	Result  string
	Problem *struct {
		Status int
		Title  string
		Errors []struct{ Pointer string }
	}
}

// byWords are the fields of a line whose rules the document tells in words, not in the schema.
var byWords = []string{"/name", "/content", "/created", "/modified", "/deleted"}

// wrongResults holds what an import answered against the lines that it was sent: every line that is not blank has its
// answer, in their order; what is no record fails, and what the schema allows fails for few reasons.
func wrongResults(r *request, answers []importAnswer) string {
	for n, l := range r.lines {
		if l.blank {
			continue
		}
		if len(answers) == 0 || answers[0].Line != n+1 {
			return fmt.Sprintf("line %d is not answered: %q", n+1, l.text)
		}
		a := answers[0]
		answers = answers[1:]
		switch {
		case (a.Result == "failed") != (a.Problem != nil):
			return fmt.Sprintf("line %d: %s, and its problem is %v", n+1, a.Result, a.Problem)
		case a.Result != "failed" && !l.sound:
			return fmt.Sprintf("line %d is no record, and became %s: %q", n+1, a.Result, l.text)
		case a.Result != "failed":
			continue
		case !l.sound && a.Problem.Status != 400 && a.Problem.Status != 422:
			return fmt.Sprintf("line %d is no record, and failed with %d: %q", n+1, a.Problem.Status, l.text)
		case l.sound && a.Problem.Status == http.StatusConflict && strings.Contains(l.text, `"templateid"`):
			continue // the id is taken; fails are what on_conflict asks for
		case l.sound && a.Problem.Status != http.StatusUnprocessableEntity:
			return fmt.Sprintf("line %d is allowed, and failed with %d: %q", n+1, a.Problem.Status, l.text)
		}
		for _, e := range a.Problem.Errors {
			if l.sound && !slices.Contains(byWords, e.Pointer) {
				return fmt.Sprintf("line %d is allowed, and failed at %q: %q", n+1, e.Pointer, l.text)
			}
		}
	}
	if len(answers) > 0 {
		return fmt.Sprintf("%d answers to no line", len(answers))
	}
	return ""
}
