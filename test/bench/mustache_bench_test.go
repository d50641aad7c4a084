package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"testing"

	cbroglie "github.com/cbroglie/mustache"

	"bitbucket.org/templar/templar/core/mustache"
)

// scenario is one template for all three engines. The Go template says the same
// in its own syntax.
type scenario struct {
	name             string
	source, goSource string
	partials         map[string]string
	goPartials       map[string]string
	data             string
}

func mail() scenario {
	var m, g, d strings.Builder
	d.WriteString("{")
	for i := range 20 {
		text := fmt.Sprintf("Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod %d <br>\n", i)
		fmt.Fprintf(&m, "%s<p>{{field%d}}</p>\n", text, i)
		fmt.Fprintf(&g, "%s<p>{{.field%d}}</p>\n", text, i)
		fmt.Fprintf(&d, `"field%d":"value number %d of O'Neill & Sons",`, i, i)
	}
	return scenario{name: "mail", source: m.String(), goSource: g.String(), data: strings.TrimSuffix(d.String(), ",") + "}"}
}

func list() scenario {
	var d strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&d, `{"id":"%d","name":"Item <%d>","price":"%d.99","stock":%t},`, i, i, i, i%3 > 0)
	}
	return scenario{
		name:     "list",
		source:   "<table>\n{{#rows}}\n<tr><td>{{id}}</td><td>{{name}}</td><td>{{price}}</td>{{^stock}}<td>sold out</td>{{/stock}}</tr>\n{{/rows}}\n</table>\n",
		goSource: "<table>\n{{range .rows}}<tr><td>{{.id}}</td><td>{{.name}}</td><td>{{.price}}</td>{{if not .stock}}<td>sold out</td>{{end}}</tr>\n{{end}}</table>\n",
		data:     `{"rows":[` + strings.TrimSuffix(d.String(), ",") + `]}`,
	}
}

func page() scenario {
	s := scenario{name: "page", partials: map[string]string{}, goPartials: map[string]string{}}
	var m, g strings.Builder
	for _, name := range []string{"header", "menu", "body", "aside", "footer"} {
		fmt.Fprintf(&m, "<section>\n{{>%s}}\n</section>\n", name)
		fmt.Fprintf(&g, "<section>\n{{template %q .}}</section>\n", name)
		body := "<h1>%[1]s</h1>\n<p>This is the part of the page that is called %[1]s, for %[2]s.</p>\n<p>%[3]s</p>\n"
		s.partials[name] = fmt.Sprintf(body, name, "{{user}}", "{{title}}")
		s.goPartials[name] = fmt.Sprintf(body, name, "{{.user}}", "{{.title}}")
	}
	s.source, s.goSource = m.String(), g.String()
	s.data = `{"user":"Ann <ann@example.org>","title":"Terms & Conditions"}`
	return s
}

type engines struct {
	ours     *mustache.Template
	options  mustache.Options
	value    mustache.Value
	cbroglie *cbroglie.Template
	html     *template.Template
	data     any
}

func prepare(tb testing.TB, s scenario) engines {
	tb.Helper()
	fail := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	var e engines
	var err error
	e.ours, err = mustache.Parse(s.source)
	fail(err)
	set := mustache.Templates{}
	e.html = template.New("page")
	for name, source := range s.partials {
		set[name], err = mustache.Parse(source)
		fail(err)
		_, err = e.html.New(name).Parse(s.goPartials[name])
		fail(err)
	}
	e.options = mustache.Options{Strict: true, Partials: set}
	e.value, err = mustache.ParseData([]byte(s.data))
	fail(err)
	e.cbroglie, err = cbroglie.ParseStringPartials(s.source, &cbroglie.StaticProvider{Partials: s.partials})
	fail(err)
	_, err = e.html.Parse(s.goSource)
	fail(err)
	fail(json.Unmarshal([]byte(s.data), &e.data))
	return e
}

var scenarios = []scenario{mail(), list(), page()}

// htmlEntities are what html/template writes where the specification of Mustache
// has another form of the same entity.
var htmlEntities = strings.NewReplacer("&#34;", "&quot;", "&#43;", "+")

// TestEnginesAgree: a comparison of speed is worth nothing when the outputs
// differ.
func TestEnginesAgree(t *testing.T) {
	for _, s := range scenarios {
		e := prepare(t, s)
		got, err := e.ours.Render(context.Background(), nil, e.value, e.options)
		if err != nil {
			t.Fatal(err)
		}
		other, err := e.cbroglie.Render(e.data)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Output) != other {
			t.Errorf("%s: differs from cbroglie\n%.300s\n%.300s", s.name, got.Output, other)
		}
		var b bytes.Buffer
		if err := e.html.Execute(&b, e.data); err != nil {
			t.Fatal(err)
		}
		if string(got.Output) != htmlEntities.Replace(b.String()) {
			t.Errorf("%s: differs from html/template\n%.300s\n%.300s", s.name, got.Output, b.String())
		}
	}
}

// BenchmarkRender renders parsed templates with decoded data.
func BenchmarkRender(b *testing.B) {
	for _, s := range scenarios {
		e := prepare(b, s)
		b.Run(s.name+"/templar", func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				r, err := e.ours.Render(context.Background(), buf[:0], e.value, e.options)
				if err != nil {
					b.Fatal(err)
				}
				buf = r.Output
			}
		})
		b.Run(s.name+"/cbroglie", func(b *testing.B) {
			b.ReportAllocs()
			var buf bytes.Buffer
			for b.Loop() {
				buf.Reset()
				if err := e.cbroglie.FRender(&buf, e.data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(s.name+"/html", func(b *testing.B) {
			b.ReportAllocs()
			var buf bytes.Buffer
			for b.Loop() {
				buf.Reset()
				if err := e.html.Execute(&buf, e.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRenderJSON is the same with the data as JSON text.
func BenchmarkRenderJSON(b *testing.B) {
	for _, s := range scenarios {
		e := prepare(b, s)
		text := []byte(s.data)
		b.Run(s.name+"/templar", func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				v, err := mustache.ParseData(text)
				if err != nil {
					b.Fatal(err)
				}
				r, err := e.ours.Render(context.Background(), buf[:0], v, e.options)
				if err != nil {
					b.Fatal(err)
				}
				buf = r.Output
			}
		})
		for name, render := range map[string]func(*bytes.Buffer, any) error{
			"cbroglie": func(w *bytes.Buffer, data any) error { return e.cbroglie.FRender(w, data) },
			"html":     func(w *bytes.Buffer, data any) error { return e.html.Execute(w, data) },
		} {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				var buf bytes.Buffer
				for b.Loop() {
					buf.Reset()
					var data any
					if err := json.Unmarshal(text, &data); err != nil {
						b.Fatal(err)
					}
					if err := render(&buf, data); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkParse parses templates.
func BenchmarkParse(b *testing.B) {
	for _, s := range scenarios {
		b.Run(s.name+"/templar", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := mustache.Parse(s.source); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(s.name+"/cbroglie", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cbroglie.ParseString(s.source); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
