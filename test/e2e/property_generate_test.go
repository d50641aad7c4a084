package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// drawRequest makes a request: every other one stays as the document allows it.
func (d *driver) drawRequest(t *rapid.T, o *operation) *request {
	r := &request{op: o, path: map[string]string{}, sound: true, credential: d.credentials[0]}
	if rapid.IntRange(0, 3).Draw(t, "credential?") == 3 {
		r.credential = rapid.SampledFrom(d.credentials).Draw(t, "credential")
	}
	for _, p := range o.parameters {
		if !p.Required && rapid.IntRange(0, 2).Draw(t, p.Name+"?") != 2 {
			continue
		}
		value := d.drawParameter(t, p)
		switch p.In {
		case openapi3.ParameterInPath:
			r.path[p.Name] = value
		case openapi3.ParameterInQuery:
			r.query = append(r.query, header{p.Name, value})
		case openapi3.ParameterInHeader:
			r.set(p.Name, value)
		}
	}
	drawHarmless(t, r)
	if body := o.route.Operation.RequestBody; body != nil && (body.Value.Required || rapid.Bool().Draw(t, "body?")) {
		types := slices.Sorted(maps.Keys(body.Value.Content))
		r.mediaType = rapid.SampledFrom(types).Draw(t, "media type")
		if s := lineSchema(o, body.Value.Content[r.mediaType]); s != nil {
			r.lines, r.body = d.drawLines(t, s)
		} else {
			d.drawBody(t, r, body.Value.Content[r.mediaType].Schema.Value)
		}
	}
	if err := allows(r); err != nil {
		t.Fatalf("the generator and the document disagree: %v\n%s", err, r)
	}
	if rapid.Bool().Draw(t, "change it") {
		r.sound = false
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			d.mutate(t, r)
		}
		r.broken = r.broken || r.repeats() || (!slices.Contains(r.changes, beyond) && allows(r) != nil)
	}
	return r
}

func (d *driver) drawBody(t *rapid.T, r *request, s *openapi3.Schema) {
	value := d.drawExample(t, r.op)
	if value == nil {
		value = drawValue(t, "body", s, 0)
	}
	if object, ok := value.(map[string]any); ok {
		r.value = object
		adapt(t, r, s)
	}
	var err error
	if r.body, err = json.Marshal(value); err != nil {
		t.Fatal(err)
	}
}

// favourites are values of parameters and fields that must often be the same for requests to meet: numbers that count
// from 1, and names that the client makes up. The first stands twice: it is the likeliest to be there.
var favourites = map[string][]any{
	"revision": {1.0, 1.0, 2.0, 3.0}, "from": {1.0, 1.0, 2.0, 3.0}, "to": {1.0, 1.0, 2.0, 3.0},
	"label": {"production", "production", "staging", "a"},
}

// favourite draws one of the favourites in most requests; nil for none.
func favourite(t *rapid.T, name string, s *openapi3.Schema) any {
	list := favourites[name]
	if list == nil || s.VisitJSON(list[0]) != nil || rapid.IntRange(0, 5).Draw(t, "favourite "+name) == 5 {
		return nil
	}
	return rapid.SampledFrom(list).Draw(t, name)
}

// adapt makes fields that name the object in the path name it in most requests, and puts favourites into others.
func adapt(t *rapid.T, r *request, s *openapi3.Schema) {
	for _, name := range slices.Sorted(maps.Keys(r.value)) {
		property := s.Properties[name]
		if id, inPath := r.path[name]; inPath {
			if rapid.IntRange(0, 3).Draw(t, "same "+name) > 0 {
				r.value[name] = id
			}
		} else if property != nil {
			if value := favourite(t, name, property.Value); value != nil {
				r.value[name] = value
			}
		}
	}
}

func (d *driver) drawParameter(t *rapid.T, p *openapi3.Parameter) string {
	schema := p.Schema.Value
	if value := favourite(t, p.Name, schema); value != nil {
		return fmt.Sprint(value)
	}
	var known []string
	switch {
	case p.In == openapi3.ParameterInPath:
		known = d.pool.living[p.Name]
		if gone := d.pool.gone[p.Name]; len(gone) > 0 && rapid.IntRange(0, 3).Draw(t, "gone "+p.Name) == 3 {
			known = gone
		}
		if len(known) == 0 && p.Example != nil && rapid.IntRange(0, 3).Draw(t, "example "+p.Name) > 0 {
			return fmt.Sprint(p.Example)
		}
	case p.In == openapi3.ParameterInQuery && p.Name == "template":
		known = d.pool.living["templateid"]
	case p.In == openapi3.ParameterInHeader && strings.HasPrefix(p.Name, "If-"):
		known = d.pool.tags
	case p.In == openapi3.ParameterInQuery && p.Name == "cursor":
		known = d.pool.cursors
	}
	if len(known) > 0 && rapid.IntRange(0, 4).Draw(t, "known "+p.Name) > 0 {
		value := d.pool.draw(t, p.Name, known)
		if upper := strings.ToUpper(value); schema.Format == "uuid" && rapid.IntRange(0, 3).Draw(t, "upper case") == 3 {
			return upper
		}
		return value
	}
	if schema.Format == "uuid" {
		return newID(t, p.Name)
	}
	if p.Example != nil && rapid.IntRange(0, 5).Draw(t, "example "+p.Name) == 5 {
		return fmt.Sprint(p.Example)
	}
	value := fmt.Sprint(drawValue(t, p.Name, schema, 0))
	if p.In == openapi3.ParameterInHeader {
		value = strings.Trim(strings.Map(func(r rune) rune {
			if r != '\t' && (r < 0x20 || r > 0x7e) {
				return 'x'
			}
			return r
		}, value), " \t")
	}
	if value == "" || value == "." || value == ".." { // these are no values in a header or a path
		value = "x"
	}
	if schema.Type.Is(openapi3.TypeString) && len(schema.Enum) == 0 && !fits(schema, value) {
		value = fmt.Sprint(p.Example)
	}
	// NUL can be sent in a query and in a path, and is never allowed there (see the changes).
	return strings.ReplaceAll(value, "\x00", "x")
}

// harmless are headers that no operation may be disturbed by.
var harmless = []header{
	{"X-Request-ID", "a.b_c:d-1"}, {"X-Request-ID", "not sane"}, {"X-Request-ID", strings.Repeat("x", 128)}, {"X-Request-ID", strings.Repeat("x", 129)},
	{"X-Request-ID", "\xc3\xa4"}, {"X-Request-ID", `"><script>`}, {"X-Request-ID", "%0d%0aSet-Cookie:x"},
	{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, {"traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
	{"traceparent", "ff-x"}, {"traceparent", strings.Repeat("0-", 900)}, {"tracestate", "a=b,,=\xff"},
	{"Accept", "application/json"}, {"Accept", "text/html,*/*;q=0.8"}, {"Accept", "image/webp"}, {"Accept", "*/*;q=0"}, {"Accept", ";;,"}, {"Accept", strings.Repeat("a/b,", 900)},
	{"Accept-Encoding", "gzip"}, {"Accept-Encoding", "gzip;q=0"}, {"Accept-Encoding", "identity;q=0"}, {"Accept-Encoding", "br, gzip;q=0.1"}, {"Accept-Encoding", "*"}, {"Accept-Encoding", "gzip;q=x,,"},
	{"Accept-Charset", "latin1"}, {"Accept-Language", "x"}, {"Range", "bytes=0-1"}, {"Range", "bytes=-1"}, {"Range", "bytes=9-2"}, {"Range", "lines=1"}, {"If-Range", `"1"`},
	{"If-Modified-Since", "Sun, 22 Nov 2099 02:29:00 GMT"}, {"If-Modified-Since", "yesterday"}, {"If-Unmodified-Since", "Sun, 22 Nov 1999 02:29:00 GMT"},
	{"X-HTTP-Method-Override", "DELETE"}, {"X-Forwarded-For", "1.2.3.4, x"}, {"X-Forwarded-Proto", "gopher"}, {"X-Real-IP", "no address"}, {"Forwarded", `for="_x";;`},
	{"Origin", "null"}, {"Origin", "https://example.com"}, {"Cookie", "a=b; a=\xff"}, {"Upgrade", "h2c"}, {"Cache-Control", "no-cache, =,"}, {"Cache-Control", "max-age=0"}, {"Pragma", "no-cache"},
}

func drawHarmless(t *rapid.T, r *request) {
	for range rapid.IntRange(0, 2).Draw(t, "further headers") {
		if h := rapid.SampledFrom(harmless).Draw(t, "further header"); !r.brings(h.name) {
			r.headers = append(r.headers, h)
		}
	}
}

// deepest is how deep generated values nest where a schema sets no end.
const deepest = 3

// drawValue makes a value that a schema allows.
func drawValue(t *rapid.T, label string, s *openapi3.Schema, depth int) any {
	if len(s.Enum) > 0 {
		return rapid.SampledFrom(s.Enum).Draw(t, label)
	}
	for _, choice := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if len(choice) > 0 {
			return drawValue(t, label, rapid.SampledFrom(choice).Draw(t, label+" kind").Value, depth)
		}
	}
	if len(s.AllOf) > 0 {
		whole := map[string]any{}
		for _, part := range s.AllOf {
			if object, ok := drawValue(t, label, part.Value, depth).(map[string]any); ok {
				maps.Copy(whole, object)
			}
		}
		return whole
	}
	types := s.Type.Slice()
	if len(types) == 0 {
		types = []string{openapi3.TypeString, openapi3.TypeInteger, openapi3.TypeBoolean, openapi3.TypeObject, openapi3.TypeArray, openapi3.TypeNull}
		if s.Properties != nil {
			types = []string{openapi3.TypeObject}
		}
	}
	if depth > deepest {
		types = slices.DeleteFunc(slices.Clone(types), func(k string) bool {
			return len(types) > 1 && (k == openapi3.TypeObject || k == openapi3.TypeArray)
		})
	}
	switch rapid.SampledFrom(types).Draw(t, label+" type") {
	case openapi3.TypeObject:
		return drawObject(t, label, s, depth)
	case openapi3.TypeArray:
		return drawArray(t, label, s, depth)
	case openapi3.TypeString:
		return drawText(t, label, s)
	case openapi3.TypeInteger:
		return drawInteger(t, label, s)
	case openapi3.TypeNumber:
		return rapid.Float64Range(bound(s.Min, -1e9), bound(s.Max, 1e9)).Draw(t, label)
	case openapi3.TypeBoolean:
		return rapid.Bool().Draw(t, label)
	}
	return nil
}

func drawObject(t *rapid.T, label string, s *openapi3.Schema, depth int) map[string]any {
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if slices.Contains(s.Required, name) || (depth <= deepest && rapid.Bool().Draw(t, label+"/"+name+"?")) {
			object[name] = drawValue(t, label+"/"+name, s.Properties[name].Value, depth+1)
		}
	}
	further := s.AdditionalProperties
	if further.Has != nil && !*further.Has || len(s.Properties) > 0 && further.Schema == nil {
		return object
	}
	free := &openapi3.Schema{}
	if further.Schema != nil {
		free = further.Schema.Value
	}
	for n := range rapid.IntRange(0, 2).Draw(t, label+" further") {
		object[fmt.Sprintf("key%d", n)] = drawValue(t, label+"/further", free, depth+1)
	}
	return object
}

func drawArray(t *rapid.T, label string, s *openapi3.Schema, depth int) []any {
	most := int(s.MinItems) + 3
	if s.MaxItems != nil {
		most = min(most, int(*s.MaxItems))
	}
	items := &openapi3.Schema{}
	if s.Items != nil {
		items = s.Items.Value
	}
	list := []any{}
	for range rapid.IntRange(int(s.MinItems), most).Draw(t, label+" length") {
		value := drawValue(t, label, items, depth+1)
		if s.UniqueItems && slices.ContainsFunc(list, func(other any) bool { return fmt.Sprint(other) == fmt.Sprint(value) }) {
			continue
		}
		list = append(list, value)
	}
	return list
}

func bound(given *float64, otherwise float64) float64 {
	if given == nil {
		return otherwise
	}
	return *given
}

func drawInteger(t *rapid.T, label string, s *openapi3.Schema) int64 {
	least, most := int64(bound(s.Min, math.Max(-1000, bound(s.Max, 1e6)-1e6))), int64(bound(s.Max, bound(s.Min, 0)+1e6))
	return rapid.OneOf(rapid.Int64Range(least, most), rapid.Int64Range(least, min(most, least+4)), rapid.Just(most)).Draw(t, label)
}

// pieces are what free texts are made of: what is special to somebody between the socket and the disk.
var pieces = []string{"a", "Z", "0", "word ", "ä", "🎉", "\u0301", "\u202e", "\ufeff", "ß", "İ", "\u2028", "\u00a0", " ", "\t", "\n", "\r\n", "\"", "'", "\\", "/", "%", "_", "*", ":", "&", "|", "!", "(", "<", ">",
	"--", ";", "$1", "?", "\u0001", "\u007f", "\u0085", "\ufffd", "\U0010ffff", "{{name}}", "{{{a.b}}}", "{{#s}}x{{/s}}", "{{^s}}", "{{", "}}", "{{!", "{{=<% %>=}}", "{{> p}}", "NULL", "null", "true"}

// everything is all pieces that a schema lets stand in one text, Mustache tags aside: whatever stumbles over one of them
// is found by one request.
func everything(s *openapi3.Schema) string {
	text := "x"
	for _, piece := range pieces {
		if !strings.ContainsAny(piece, "{}") && fits(s, text+piece+"x") {
			text += piece
		}
	}
	return text + "x"
}

func drawPieces(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, label), "")
}

// drawText makes a text that a schema allows: of a pattern, of pieces, or at a limit of its length.
func drawText(t *rapid.T, label string, s *openapi3.Schema) string {
	switch s.Format {
	case "date-time":
		zone := rapid.SampledFrom([]string{"Z", "+00:00", "-11:30", "+14:00"}).Draw(t, label+" zone")
		fraction := rapid.SampledFrom([]string{"", ".5", ".123456", ".123456789"}).Draw(t, label+" fraction")
		at := time.Date(2100, 1, 1, 0, 0, rapid.IntRange(0, 1e9).Draw(t, label), 0, time.UTC)
		return at.Format("2006-01-02T15:04:05") + fraction + zone
	case "uuid":
		return newID(t, label)
	}
	longest := uint64(4000)
	if s.MaxLength != nil {
		longest = *s.MaxLength
	}
	var text string
	switch rapid.IntRange(0, 7).Draw(t, label+" made of") {
	case 0:
		letter := rapid.SampledFrom([]string{"a", "ä", "🎉"}).Draw(t, label+" letter")
		text = strings.Repeat(letter, int(longest))
	case 1:
		text = strings.Repeat("a", int(s.MinLength))
	case 2:
		if s.Pattern != "" {
			text = rapid.StringMatching(s.Pattern).Draw(t, label)
		}
	case 3:
		text = rapid.String().Draw(t, label)
	case 4, 5:
		text = everything(s)
	default:
		text = drawPieces(t, label)
	}
	if fits(s, text) {
		return text
	}
	if s.Pattern == "" || uint64(len("text")) <= longest && fits(s, "text") && rapid.Bool().Draw(t, label+" plain") {
		return "text"[:min(4, longest)]
	}
	if text = rapid.StringMatching(s.Pattern).Draw(t, label+" again"); fits(s, text) {
		return text
	}
	for _, example := range s.Examples {
		return fmt.Sprint(example)
	}
	t.Skipf("nothing fits %s", s.Pattern)
	return ""
}

var compiled sync.Map

// fits tells whether a schema of texts allows one.
func fits(s *openapi3.Schema, text string) bool {
	length := uint64(utf8.RuneCountInString(text))
	if length < s.MinLength || (s.MaxLength != nil && length > *s.MaxLength) || !utf8.ValidString(text) {
		return false
	}
	if s.Pattern == "" {
		return true
	}
	pattern, ok := compiled.Load(s.Pattern)
	if !ok {
		pattern, _ = compiled.LoadOrStore(s.Pattern, regexp.MustCompile(s.Pattern))
	}
	return pattern.(*regexp.Regexp).MatchString(text)
}
