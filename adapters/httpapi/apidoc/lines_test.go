package apidoc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// lineSchema is the extension that names the schema of each line: OpenAPI has no word for streams of objects before 3.2.
const lineSchema = "x-line-schema"

// checkLines tells which examples of NDJSON have lines that do not match the schema of their lines. An example that
// has fewer than one line, or a media type of lines without a schema or an example, is wrong too.
func checkLines(doc *openapi3.T) []string {
	var wrong []string
	check := func(where string, content openapi3.Content) {
		for mediaType, media := range content {
			if !strings.HasSuffix(mediaType, "ndjson") && mediaType != "application/jsonl" {
				continue
			}
			ref, _ := media.Extensions[lineSchema].(map[string]any)
			name, _ := ref["$ref"].(string)
			schema := doc.Components.Schemas[strings.TrimPrefix(name, "#/components/schemas/")]
			if schema == nil {
				wrong = append(wrong, where+" "+mediaType+": no schema of lines")
				continue
			}
			examples := []any{}
			if media.Example != nil {
				examples = append(examples, media.Example)
			}
			for _, example := range media.Examples {
				examples = append(examples, example.Value.Value)
			}
			if len(examples) == 0 {
				wrong = append(wrong, where+" "+mediaType+": no example")
			}
			for _, example := range examples {
				text, _ := example.(string)
				for line := range strings.Lines(text) {
					var value any
					err := json.Unmarshal([]byte(line), &value)
					if err == nil {
						err = schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020())
					}
					if err != nil {
						wrong = append(wrong, where+" "+mediaType+": "+line+err.Error())
					}
				}
				if text == "" {
					wrong = append(wrong, where+" "+mediaType+": an example without a line")
				}
			}
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody != nil {
				check(method+" "+path, op.RequestBody.Value.Content)
			}
			for status, response := range op.Responses.Map() {
				check(method+" "+path+" "+status, response.Value.Content)
			}
		}
	}
	return wrong
}

func TestLinesMatch(t *testing.T) {
	for _, wrong := range checkLines(load(t, YAML())) {
		t.Error(wrong)
	}
}
