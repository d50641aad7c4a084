package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// beyond marks a change after which the document is not asked: its validator cannot read all that JSON allows, and
// takes seconds to tell that a deep value is wrong.
const beyond = "beyond the validator"

// mutate does one thing to a request that clients do by mistake or on purpose.
func (d *driver) mutate(t *rapid.T, r *request) {
	var possible []func(*rapid.T, *request) string
	if len(r.path) > 0 {
		possible = append(possible, mutatePath)
	}
	if r.op.route.Operation.RequestBody != nil {
		possible = append(possible, mutateMediaType)
		switch {
		case takesLines(r.op):
			possible = append(possible, addBody)
		case !r.torn:
			possible = append(possible, mutateField, mutateField, mutateText, mutateText)
		}
	} else {
		possible = append(possible, addBody)
	}
	if slices.ContainsFunc(r.op.parameters, func(p *openapi3.Parameter) bool { return p.In == openapi3.ParameterInQuery }) {
		possible = append(possible, mutateQuery, mutateQuery)
	}
	possible = append(possible, mutateHeader, addQuery, tooManyHeaders)
	r.changes = append(r.changes, rapid.SampledFrom(possible).Draw(t, "change")(t, r))
}

func mutatePath(t *rapid.T, r *request) string {
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(r.path))).Draw(t, "parameter")
	old := r.path[name]
	value := rapid.SampledFrom([]string{
		"x", "0", "-1", "null", "..", "a/b", "%", "%2e%2e", "\x00", "a\x00", "\xff\xfe", "ä", "🎉", " ", "'", `"`, "a?b#c", "*", ";", "\r\n", "undelete", "{" + old + "}", "urn:uuid:" + old,
		old + "0", old + "/", old + "\n", " " + old, strings.ReplaceAll(old, "-", ""), old[:len(old)-1], strings.Repeat("9", 5000), strings.ToUpper(old), "00000000-0000-0000-0000-000000000000", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz",
	}).Draw(t, "value")
	if value == "" {
		value = "x" // no value is another path
	}
	r.path[name] = value
	return name + " in the path"
}

// absurd are values that few parameters take.
var absurd = []string{"", " ", "0", "-1", "101", "1.5", "1e1", "+1", "0x1", "٣", "99999999999999999999", "true", "TRUE", "yes", "null", "\x00", "a\x00b", "\xff", "ä", "%", "*", "'", "--", "name,created", "-", "AAAA", "%2500", "\u202e", strings.Repeat("A", 5000), strings.Repeat("ä ", 1500)}

func mutateQuery(t *rapid.T, r *request) string {
	var known []string
	for _, p := range r.op.parameters {
		if p.In == openapi3.ParameterInQuery {
			known = append(known, p.Name)
		}
	}
	name := rapid.SampledFrom(known).Draw(t, "query name")
	value := rapid.SampledFrom(absurd).Draw(t, "query value")
	if rapid.IntRange(0, 4).Draw(t, "empty") == 4 {
		value = ""
	}
	r.query = slices.DeleteFunc(r.query, func(q header) bool { return q.name == name })
	r.query = append(r.query, header{name, value})
	if rapid.IntRange(0, 3).Draw(t, "repeated") == 3 {
		r.query = append(r.query, header{name, value})
	}
	return name + " in the query"
}

// repeats tells whether a query parameter stands there twice. Which of the two is meant is anyone's guess, so that none
// is taken.
func (r *request) repeats() bool {
	for i, q := range r.query {
		if slices.ContainsFunc(r.query[:i], func(other header) bool { return other.name == q.name }) {
			return true
		}
	}
	return false
}

// addQuery puts something behind the query that no operation knows.
func addQuery(t *rapid.T, r *request) string {
	r.rawQuery = rapid.SampledFrom([]string{"unknown=1", "Limit=5", "=", "=x", "&&", "%zz", "%", "a=%", "%00=1", "x=%ff", ";", "a;b=c", "limit[]=1", "\xc3\xa4=1", "__proto__=1",
		url.QueryEscape(strings.Repeat("x", 3000)) + "=1", strings.Repeat("a=1&", 2000)}).Draw(t, "raw query")
	return "behind the query"
}

func mutateHeader(t *rapid.T, r *request) string {
	h := rapid.SampledFrom([]header{
		{"If-Match", "*"}, {"If-Match", `"1"`}, {"If-Match", "1"}, {"If-Match", ""}, {"If-Match", `"`}, {"If-Match", `""`}, {"If-Match", `W/"1"`}, {"If-Match", `w/"1"`}, {"If-Match", `"1" "2"`}, {"If-Match", `"1",`},
		{"If-Match", `*, "1"`}, {"If-Match", `"99999999999999999999"`}, {"If-Match", `"01"`}, {"If-Match", `"1"` + strings.Repeat(`, "1"`, 900)},
		{"If-None-Match", "*"}, {"If-None-Match", `"1"`}, {"If-None-Match", `W/"1", "2"`}, {"If-None-Match", "1"}, {"If-None-Match", ""}, {"If-None-Match", `"a b"`}, {"If-None-Match", `,`}, {"If-None-Match", `* *`},
		{"Idempotency-Key", "k"}, {"Idempotency-Key", `"k"`}, {"Idempotency-Key", ""}, {"Idempotency-Key", `""`}, {"Idempotency-Key", "a b"}, {"Idempotency-Key", strings.Repeat("k", 255)}, {"Idempotency-Key", strings.Repeat("k", 256)}, {"Idempotency-Key", "\xc3\xa4"},
		{"Content-Encoding", "gzip"}, {"Content-Language", "x"}, {"Expect", "100-continue"}, {"Trailer", "x"},
	}).Draw(t, "odd header")
	r.headers = append(r.headers, h)
	if rapid.IntRange(0, 4).Draw(t, "twice") == 4 {
		r.headers = append(r.headers, h)
	}
	return "odd " + h.name
}

func tooManyHeaders(t *rapid.T, r *request) string {
	if rapid.Bool().Draw(t, "many") {
		for n := range 101 {
			r.set(fmt.Sprintf("X-Many-%d", n), "x")
		}
	} else {
		r.set("X-Large", strings.Repeat("x", 33<<10))
	}
	r.broken = true
	return "too many headers"
}

func mutateMediaType(t *rapid.T, r *request) string {
	r.mediaType = rapid.SampledFrom([]string{"", "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=latin1", "application/json; charset=UTF-8",
		"application/merge-patch+json", "application/problem+json", "json", "application/json, text/plain", "Application/JSON", "*/*", ";", "application/json;", "application/json; charset", "\xff"}).Draw(t, "media type")
	return "media type " + r.mediaType
}

func addBody(t *rapid.T, r *request) string {
	r.body = []byte(rapid.SampledFrom([]string{"{}", "x", `{"name":"x"}`, "\xff", strings.Repeat("x", 70<<10), "[", " "}).Draw(t, "body"))
	r.mediaType = rapid.SampledFrom([]string{"application/json", "text/plain", ""}).Draw(t, "media type")
	r.lines = nil
	return "a body"
}

// mutateField changes one field of the body, which stays JSON.
func mutateField(t *rapid.T, r *request) string {
	var object map[string]any
	if json.Unmarshal(r.body, &object) != nil || object == nil {
		object = map[string]any{}
	}
	schema := &openapi3.Schema{}
	for _, media := range r.op.route.Operation.RequestBody.Value.Content {
		schema = media.Schema.Value
	}
	names := append(slices.Sorted(maps.Keys(schema.Properties)), "unknown")
	name := rapid.SampledFrom(names).Draw(t, "field")
	what := rapid.SampledFrom([]string{"value", "value", "text", "long", "remove", "case", "further"}).Draw(t, "what")
	switch what {
	case "value":
		object[name] = rapid.SampledFrom([]any{nil, true, 7, -1, 1.5, 1e30, 9007199254740993, "", " ", "7", "x", []any{}, []any{"x"}, []any{nil}, map[string]any{}, map[string]any{name: name}}).Draw(t, "value")
	case "text":
		at := rapid.SampledFrom([]string{"\x00", "\x01", "\x1f", "\x7f", "\u0085", "\n", "\u2028", "\ufdd0"}).Draw(t, "character")
		object[name] = "a" + at + "b"
	case "long":
		longest := uint64(200)
		if property := schema.Properties[name]; property != nil && property.Value.MaxLength != nil {
			longest = *property.Value.MaxLength
		}
		object[name] = strings.Repeat(rapid.SampledFrom([]string{"a", "ä", "🎉"}).Draw(t, "letter"), int(longest)+rapid.IntRange(0, 1).Draw(t, "over"))
	case "remove":
		delete(object, name)
	case "case":
		if value, ok := object[name]; ok {
			delete(object, name)
			object[strings.ToUpper(name)] = value
		}
	case "further":
		object[rapid.SampledFrom([]string{"", "a/b~c", "__proto__", "constructor", "\x00", "ä", "Name ", strings.Repeat("k", 3000)}).Draw(t, "further field")] = 1
	}
	r.value = object
	r.body, _ = json.Marshal(object) // cannot fail: it was JSON before
	return what + " of the field " + name
}

// mutateText breaks the text of the body, mostly so that it is no JSON object any more.
func mutateText(t *rapid.T, r *request) string {
	if len(r.body) == 0 {
		r.body, r.mediaType = []byte("{}"), "application/json"
	}
	// A field of the server is not looked at, so that only the text itself can be what is wrong.
	name := "unknown"
	for _, media := range r.op.route.Operation.RequestBody.Value.Content {
		if media.Schema.Value.Properties["author"] != nil && r.value["author"] == nil {
			name = "author"
		}
	}
	insert := func(value string) []byte {
		field := `{"` + name + `":` + value
		if rest := bytes.TrimLeft(r.body[1:], " "); len(rest) > 0 && rest[0] != '}' {
			field += ","
		}
		return append([]byte(field), r.body[1:]...)
	}
	r.broken, r.torn = true, true
	kind := rapid.SampledFrom([]string{"cut", "tail", "twice", "UTF-8", "surrogate", "BOM", "no JSON", "other value", "deep", "deeper", "huge number", "long number", "large", "empty", "byte"}).Draw(t, "text")
	switch kind {
	case "cut":
		r.body = r.body[:rapid.IntRange(1, max(1, len(r.body)-1)).Draw(t, "length")]
	case "tail":
		r.body = append(slices.Clone(r.body), rapid.SampledFrom([]string{"{}", "x", ",", "]", "\x00", "null", "\ufeff"}).Draw(t, "tail")...)
	case "twice":
		r.body = insert(`1,"` + name + `":1`)
	case "UTF-8":
		r.body = insert(rapid.SampledFrom([]string{"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\""}).Draw(t, "bytes"))
	case "surrogate":
		r.body = insert(rapid.SampledFrom([]string{`"\ud800"`, `"\udc00x"`, `"\ud83c\ud83c"`, `{"\ud800":1}`}).Draw(t, "half"))
	case "BOM":
		r.body = append([]byte("\ufeff"), r.body...)
	case "no JSON":
		r.body = insert(rapid.SampledFrom([]string{"NaN", "Infinity", "01", "1.", ".5", "+1", "'x'", "undefined", "True", `"\x41"`, "\"\n\"", "1 /* c */", "[1,]", "{1:2}", "0x1", `"\u12"`}).Draw(t, "literal"))
	case "other value":
		r.body = []byte(rapid.SampledFrom([]string{"[]", "null", "7", `"x"`, "true", "[{}]", " ", "\n"}).Draw(t, "body"))
		r.value = nil
	case "deep":
		r.body, r.broken = insert(strings.Repeat("[", 9000)+strings.Repeat("]", 9000)), false
	case "deeper":
		r.body, r.broken = insert(strings.Repeat(`{"a":`, 12000)+"1"+strings.Repeat("}", 12000)), false
	case "huge number":
		r.body, r.broken = insert("1e999999"), false
	case "long number":
		r.body, r.broken = insert(strings.Repeat("9", 20000)), false
	case "large":
		r.body, r.broken = insert(`"`+strings.Repeat("x", 66<<10)+`"`), false
	case "empty":
		r.body, r.value, r.broken = nil, nil, false
	case "byte":
		r.body, r.broken = slices.Clone(r.body), false
		r.body[rapid.IntRange(0, len(r.body)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		kind += " " + beyond
	}
	r.changes = append(r.changes, "text: "+kind)
	if !r.broken && kind != "empty" {
		return beyond
	}
	return "body"
}
