package apidoc

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestProblems(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, p := range Problems() {
		if !slug.MatchString(p.Slug) || seen[p.Slug] || p.Title == "" || p.Meaning == "" || p.Remedy == "" || http.StatusText(p.Status) == "" {
			t.Errorf("incomplete or twice: %+v", p)
		}
		seen[p.Slug] = true
		found, ok := ProblemBySlug(p.Slug)
		if !ok || found != p || p.Type() != "/problems/"+p.Slug {
			t.Errorf("%s: found %+v", p.Slug, found)
		}
		for form, page := range map[string][]byte{"HTML": p.HTML(), "text": p.Text()} {
			if !bytes.Contains(page, []byte(p.Title)) || !bytes.Contains(page, []byte(p.Type())) {
				t.Errorf("%s as %s: %s", p.Slug, form, page)
			}
		}
	}
	if _, ok := ProblemBySlug("nothing"); ok {
		t.Error("a problem that does not exist")
	}
	Problems()[0].Slug = "changed"
	if Problems()[0].Slug == "changed" {
		t.Error("the caller can change the list")
	}
}

func TestPagesEscape(t *testing.T) {
	attack := `<script>alert("1")</script>`
	p := Problem{Slug: attack, Title: attack, Status: 400, Meaning: attack, Remedy: attack}
	for name, page := range map[string][]byte{"problem": p.HTML(), "landing": Landing(attack, attack)} {
		if bytes.Contains(page, []byte("<script")) || !bytes.Contains(page, []byte("&lt;script&gt;")) {
			t.Errorf("%s does not escape: %s", name, page)
		}
	}
}

func TestLanding(t *testing.T) {
	page := string(Landing("1.2.3", "http://localhost:9000"))
	for _, want := range []string{"Version 1.2.3", "http://localhost:9000/v1/templates", `href="/docs"`, `href="/openapi.yaml"`, "Hello {{name}}!"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
}
