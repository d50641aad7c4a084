package httpapi

import (
	"strings"
	"testing"
)

func TestMarkdownShowsWhatWasTyped(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Tordek":                       "Tordek",
		"Mr. O'Neil-Smith (the 3rd)":   "Mr. O'Neil-Smith (the 3rd)",
		"*a* _b_ `c` ~d~ |e|":          `\*a\* \_b\_ \` + "`" + `c\` + "`" + ` \~d\~ \|e\|`,
		"[x](javascript:alert(1))":     `\[x\](javascript:alert(1))`,
		"<b>&amp;</b>":                 "&lt;b&gt;&amp;amp;&lt;/b&gt;",
		`back\slash`:                   `back\\slash`,
		"# head":                       `\# head`,
		"- item":                       `\- item`,
		"+ item":                       `\+ item`,
		"===":                          `\===`,
		"12. item":                     `12\. item`,
		"7) item":                      `7\) item`,
		"a1. no item":                  "a1. no item",
		"two\nlines\u2028\u0007\u202e": "twolines",
		"👩\u200d🚀 Zoë":                 "👩\u200d🚀 Zoë",
	} {
		if got := markdownText(typed); got != want {
			t.Errorf("%q is written %q, wanted %q", typed, got, want)
		}
	}
}

func TestSheetsHaveNoOutsideResources(t *testing.T) {
	t.Parallel()
	page, err := sheetFiles.ReadFile("sheets/sheet.html.mustache")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"<script", "src=", "<link", "@import", "url(", "http:", "https:", "{{{", "{{&", "onload", "javascript"} {
		if strings.Contains(string(page), wrong) {
			t.Errorf("the page has %q", wrong)
		}
	}
}

func TestAcceptedForm(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"": "text/plain", "text/html": "text/html", "text/html;q=0.1, text/markdown;q=0.2": "text/markdown", "text/*;q=0.5, text/html": "text/html",
		"text/*, text/plain;q=0": "text/markdown", "image/*": "text/plain", "text/html;level=1;q=0.4, */*;q=0.3": "text/html", "text/html;q=1.5, text/plain;q=0.1": "text/plain",
		"text/markdown, text/html": "text/markdown", "text/html, text/markdown": "text/html",
	} {
		if got := acceptedForm(accept).mediaType; got != want {
			t.Errorf("%q is answered with %s, wanted %s", accept, got, want)
		}
	}
}
