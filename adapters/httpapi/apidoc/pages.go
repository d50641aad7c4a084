package apidoc

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
)

//go:embed pages
var pageSources embed.FS

var pages = template.Must(template.ParseFS(pageSources, "pages/*.html"))

// Landing is the page at / for browsers, as HTML in UTF-8. The version is that of the running program; origin is how
// the request reached this service, such as http://localhost:9000, and stands in an example.
func Landing(version, origin string) []byte {
	return execute("landing.html", struct{ Version, Origin string }{version, origin})
}

// HTML is the page behind the problem's type, as HTML in UTF-8.
func (p Problem) HTML() []byte { return execute("problem.html", p) }

// Text is the same page as plain text in UTF-8.
func (p Problem) Text() []byte {
	return fmt.Appendf(nil, "%s (status %d, %s)\n\nWhat it means: %s\n\nWhat to do: %s\n", p.Title, p.Status, p.Type(), p.Meaning, p.Remedy)
}

// execute fills a page. It panics on an error: pages and data are part of the program, and a test fills them all.
func execute(name string, data any) []byte {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		panic("apidoc: " + err.Error())
	}
	return out.Bytes()
}
