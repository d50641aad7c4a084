package apidoc

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

func load(t *testing.T, data []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// validate is what the document has to pass. It is a function so that broken documents can be fed to it.
func validate(data []byte) error {
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return err
	}
	return doc.Validate(context.Background(), openapi3.EnableMultiError(), openapi3.EnableExamplesValidation(),
		openapi3.EnableSchemaPatternValidation(), openapi3.EnableSchemaDefaultsValidation())
}

func TestDocumentIsValid(t *testing.T) {
	for name, data := range map[string][]byte{"YAML": YAML(), "JSON": JSON()} {
		if err := validate(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBrokenDocumentIsFound(t *testing.T) {
	for name, change := range map[string][2]string{
		"an example of a schema":    {"      example: {status: ok}\n", "      example: {status: 7}\n"},
		"an example of an answer":   {"checks: {database: down, redis: ok}", "checks: {database: 7, redis: ok}"},
		"an example of a request":   {"{content: 'Hello {{name}}!', description: null}", "{content: 7}"},
		"an example of a parameter": {"example: 50", "example: 500"},
		"a header's example":        {"example: '\"default\";r=42;t=17'", "example: nonsense"},
		"a reference to nothing":    {"schema: {$ref: '#/components/schemas/About'}", "schema: {$ref: '#/components/schemas/Abuot'}"},
		"an operationId twice":      {"operationId: headRoot", "operationId: getRoot"},
		"a line of a request":       {`{"name":"Reminder"}`, `{"name":7}`},
		"a line of an answer":       {`"result":"created"`, `"result":"made"`},
		"a line that is no JSON":    {`{"name":"Reminder"}`, `{"name":"Reminder"`},
		"lines without a schema":    {"x-line-schema: {$ref: '#/components/schemas/ImportResult'}", "x-other: 1"},
		"a pattern":                 {"pattern: '^\"[1-9][0-9]*\"$'", "pattern: '^(\"$'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := strings.Replace(string(YAML()), change[0], change[1], 1)
			if broken == string(YAML()) {
				t.Fatalf("the document does not have %q", change[0])
			}
			if validate([]byte(broken)) == nil && checkExamples(load(t, []byte(broken))) == nil && checkLines(load(t, []byte(broken))) == nil {
				t.Error("not found")
			}
		})
	}
}

// checkExamples tells which examples of component schemas and headers do not match; kin-openapi looks at neither all
// the examples of JSON Schema nor those of headers.
func checkExamples(doc *openapi3.T) []string {
	var wrong []string
	check := func(where string, schema *openapi3.SchemaRef, example any) {
		if err := schema.Value.VisitJSON(example, openapi3.EnableJSONSchema2020()); err != nil {
			wrong = append(wrong, where+": "+err.Error())
		}
	}
	for name, schema := range doc.Components.Schemas {
		for _, example := range schema.Value.Examples {
			check("schema "+name, schema, example)
		}
	}
	for name, header := range doc.Components.Headers {
		if header.Value.Example == nil {
			wrong = append(wrong, "header "+name+": no example")
			continue
		}
		check("header "+name, header.Value.Schema, header.Value.Example)
	}
	return wrong
}

func TestExamplesMatch(t *testing.T) {
	for _, wrong := range checkExamples(load(t, YAML())) {
		t.Error(wrong)
	}
}

// TestAnswersThatAreKept holds the one answer that never changes against those around it, which do.
func TestAnswersThatAreKept(t *testing.T) {
	doc := load(t, YAML())
	header := func(path, status string) string {
		value := doc.Paths.Value(path).Get.Responses.Value(status).Value.Headers["Cache-Control"]
		return value.Value.Schema.Value.Enum[0].(string)
	}
	const revision = "/v1/templates/{templateid}/revisions/{revision}"
	for _, status := range []string{"200", "304"} {
		if got := header(revision, status); got != "private, max-age=31536000, immutable" {
			t.Errorf("a revision with %s: %s", status, got)
		}
	}
	for _, path := range []string{"/v1/templates/{templateid}/revisions", "/v1/templates/{templateid}/labels/{label}", "/v1/templates/{templateid}/diff"} {
		if got := header(path, "200"); got != "private, no-cache" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestJSONSaysWhatYAMLSays(t *testing.T) {
	var fromYAML, fromJSON any
	if err := yaml.Unmarshal(YAML(), &fromYAML); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(JSON(), &fromJSON); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromYAML, fromJSON) {
		t.Error("the JSON form differs from the YAML form")
	}
}

func TestConversion(t *testing.T) {
	for source, want := range map[string]string{
		"b: 1\na: [x, yes, null, true, 1.5, '2']": `{"b":1,"a":["x","yes",null,true,1.5,"2"]}`,
		"time: 2026-11-22T02:29:00Z\nhtml: <a&b>": `{"time":"2026-11-22T02:29:00Z","html":"<a&b>"}`,
		"text: |\n  two\n  lines\nempty: {}":      `{"text":"two\nlines\n","empty":{}}`,
		"a: &x 1\nb: *x":                          "error",
		"a: 1\na: 2":                              "error",
		"200: a":                                  "error",
		"a: [":                                    "error",
		"a: .inf":                                 "error",
		"":                                        "error",
		"a: !!binary aGk=":                        "error",
		"? [a]\n: b":                              "error",
		"'<<': {a: 1}\n'200': {b: \"\\u2028\"}":   `{"<<":{"a":1},"200":{"b":"\u2028"}}`,
		"deep: {a: {b: {c: [[1], [], {d: ~}]}}}\n": `{"deep":{"a":{"b":{"c":[[1],[],{"d":null}]}}}}`,
	} {
		got, err := yamlToJSON([]byte(source))
		if err != nil {
			got = []byte("error")
		}
		if string(got) != want {
			t.Errorf("%q: got %s (%v), want %s", source, got, err, want)
		}
	}
	if !bytes.HasPrefix(JSON(), []byte(`{"openapi":"3.1.0","info":{"title":"Templar","version":`)) {
		t.Errorf("the order is not that of the YAML: %.80s", JSON())
	}
}

// outside names the components that no operation refers to.
var outside = []string{"#/components/responses/MethodNotAllowed"}

func TestEveryComponentIsUsed(t *testing.T) {
	var document map[string]any
	if err := json.Unmarshal(JSON(), &document); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			if ref, ok := value["$ref"].(string); ok {
				used[ref] = true
			}
			for _, inner := range value {
				walk(inner)
			}
		case []any:
			for _, inner := range value {
				walk(inner)
			}
		}
	}
	walk(document)
	components := document["components"].(map[string]any)
	for kind, group := range components {
		for name := range group.(map[string]any) {
			if ref := "#/components/" + kind + "/" + name; kind != "securitySchemes" && !used[ref] {
				t.Errorf("%s is used nowhere", ref)
			}
		}
	}
	delete(document, "x-outside-operations")
	clear(used)
	walk(document)
	for _, ref := range outside {
		if used[ref] {
			t.Errorf("%s is used by an operation now; take it off the list", ref)
		}
	}
}

func TestOperations(t *testing.T) {
	doc := load(t, YAML())
	tags := map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = true
	}
	ids := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			where := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] != "" {
				t.Errorf("%s: operationId %q is empty or that of %s", where, op.OperationID, ids[op.OperationID])
			}
			ids[op.OperationID] = where
			if op.Summary == "" || op.Description == "" || len(op.Tags) != 1 || !tags[op.Tags[0]] {
				t.Errorf("%s: it needs a summary, a description and one declared tag", where)
			}
			checkAnswers(t, where, doc, op)
			checkSecurity(t, where, path, method, op)
		}
		if (item.Get == nil) != (item.Head == nil) {
			t.Errorf("%s: GET and HEAD go together", path)
		} else if item.Get != nil {
			checkHead(t, path, item.Get, item.Head)
		}
	}
}

func checkAnswers(t *testing.T, where string, doc *openapi3.T, op *openapi3.Operation) {
	for status, response := range op.Responses.Map() {
		if response.Value.Headers["X-Request-ID"] == nil && status != "431" {
			t.Errorf("%s: %s has no X-Request-ID", where, status)
		}
		media := response.Value.Content["application/problem+json"]
		if media == nil {
			if status >= "400" && !strings.HasPrefix(where, "HEAD ") {
				t.Errorf("%s: %s is no problem document", where, status)
			}
			continue
		}
		examples := []any{media.Example}
		if media.Example == nil {
			examples = nil
			for _, example := range media.Examples {
				examples = append(examples, example.Value.Value)
			}
		}
		if len(examples) == 0 {
			t.Errorf("%s: %s has no example", where, status)
		}
		for _, example := range examples {
			checkProblem(t, where+" "+status, status, example.(map[string]any))
		}
	}
}

// checkProblem holds an example against the data behind the problem pages.
func checkProblem(t *testing.T, where, status string, example map[string]any) {
	slug, _ := strings.CutPrefix(example["type"].(string), "/problems/")
	p, ok := ProblemBySlug(slug)
	if !ok || strconv.Itoa(p.Status) != status || example["status"] != float64(p.Status) || example["title"] != p.Title {
		t.Errorf("%s: the example %v is not the problem %+v", where, example, p)
	}
}

func checkSecurity(t *testing.T, where, path, method string, op *openapi3.Operation) {
	if !strings.HasPrefix(path, "/v1/") {
		if op.Security == nil || len(*op.Security) != 0 || op.Responses.Value("401") != nil {
			t.Errorf("%s: needs no credential", where)
		}
		return
	}
	for _, status := range []string{"400", "401", "429", "431", "500", "503"} {
		if op.Responses.Value(status) == nil {
			t.Errorf("%s: every operation that needs a credential can answer %s", where, status)
		}
	}
	want := ""
	switch {
	case path == "/v1/whoami":
	case strings.HasPrefix(path, "/v1/keys"):
		want = "keys:admin"
	case strings.HasPrefix(path, "/v1/characters"), strings.HasPrefix(path, "/v1/rolls"), strings.HasPrefix(path, "/v1/rules"):
		want = "characters:write"
		if method == "GET" || method == "HEAD" {
			want = "characters:read"
		}
	case method == "GET" || method == "HEAD" || strings.HasSuffix(path, "/render"):
		// A rendering is a POST for its body only; it changes nothing.
		want = "templates:read"
	default:
		want = "templates:write"
	}
	if (want != "") != (op.Responses.Value("403") != nil) {
		t.Errorf("%s: 403 belongs to operations that need a scope", where)
	}
	if want == "" {
		return
	}
	scheme := func(name string) openapi3.SecurityRequirement { return openapi3.SecurityRequirement{name: {want}} }
	if op.Security == nil || !reflect.DeepEqual(*op.Security, openapi3.SecurityRequirements{scheme("apiKey"), scheme("bearer")}) {
		t.Errorf("%s: the scope %s is needed", where, want)
	}
}

func checkHead(t *testing.T, path string, get, head *openapi3.Operation) {
	if !reflect.DeepEqual(get.Security, head.Security) || !reflect.DeepEqual(get.Parameters, head.Parameters) {
		t.Errorf("%s: HEAD differs from GET in parameters or security", path)
	}
	if a, b := statuses(get), statuses(head); !slices.Equal(a, b) {
		t.Errorf("%s: GET answers %v, HEAD %v", path, a, b)
	}
	for status, response := range head.Responses.Map() {
		if len(response.Value.Content) > 0 {
			t.Errorf("%s: HEAD has a body with %s", path, status)
		}
		other := get.Responses.Value(status)
		if other == nil {
			continue
		}
		for name := range other.Value.Headers {
			if response.Value.Headers[name] == nil {
				// The shared answers know more headers than each operation has; what must come must come with both.
				if other.Value.Headers[name].Value.Required {
					t.Errorf("%s: HEAD lacks %s with %s", path, name, status)
				}
			}
		}
	}
}

func statuses(op *openapi3.Operation) []string {
	var list []string
	for status := range op.Responses.Map() {
		list = append(list, status)
	}
	slices.Sort(list)
	return list
}

func TestProblemTypesAreThoseOfTheDocument(t *testing.T) {
	doc := load(t, YAML())
	var want []any
	for _, p := range Problems() {
		want = append(want, p.Type())
	}
	if got := doc.Components.Schemas["ProblemType"].Value.Enum; !reflect.DeepEqual(got, want) {
		t.Errorf("the document has %v, the pages are %v", got, want)
	}
	method := doc.Components.Responses["MethodNotAllowed"].Value
	checkProblem(t, "MethodNotAllowed", "405", method.Content["application/problem+json"].Example.(map[string]any))
}
