package srd

import (
	"regexp"
	"strings"
	"testing"
)

// slugForm is how every slug of the package looks.
var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checkNames fails the test for a record without a well-formed slug or a tidy name; that slugs are unique and sorted is
// what newTable does, and is held here against the list that callers see.
func checkNames[T any](t *testing.T, records []T, names func(T) (slug, name string)) {
	t.Helper()
	last := ""
	for _, r := range records {
		slug, name := names(r)
		if !slugForm.MatchString(slug) {
			t.Errorf("%q is not a slug", slug)
		}
		if slug <= last {
			t.Errorf("%q comes after %q", slug, last)
		}
		last = slug
		if name == "" || strings.TrimSpace(name) != name {
			t.Errorf("%s is named %q", slug, name)
		}
	}
}

// checkText fails the test for a description that is missing, too long for one's own short words, or unfinished.
func checkText(t *testing.T, slug, text string) {
	t.Helper()
	if len(text) < 10 || len(text) > 330 || !strings.HasSuffix(text, ".") || strings.Contains(text, "  ") {
		t.Errorf("%s is described as %q", slug, text)
	}
}

func TestDecodeRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, text := range map[string]string{
		"unknown field":   `[{"slug": "acrobatics", "abillity": "dex"}]`,
		"wrong type":      `[{"slug": 1}]`,
		"no array":        `{"slug": "acrobatics"}`,
		"something after": `[{"slug": "acrobatics"}] []`,
		"not closed":      `[{"slug": "acrobatics"}`,
		"empty":           ``,
	} {
		if got, err := decode[Skill](strings.NewReader(text)); err == nil {
			t.Errorf("%s: decoded to %v", name, got)
		}
	}
	got, err := decode[Skill](strings.NewReader(`[{"slug": "a", "Ability": "dex"}, {"slug": "b"}]`))
	if err != nil || len(got) != 2 || got[0].Ability != "dex" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestIndex(t *testing.T) {
	slug := func(s Skill) string { return s.Slug }
	for name, skills := range map[string][]Skill{
		"twice":   {{Slug: "a"}, {Slug: "b"}, {Slug: "a"}},
		"no slug": {{Slug: "a"}, {Name: "B"}},
	} {
		if _, err := index(skills, slug); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	tab, err := index([]Skill{{Slug: "b", Name: "B"}, {Slug: "a", Name: "A"}}, slug)
	if err != nil {
		t.Fatal(err)
	}
	if got := tab.all(); len(got) != 2 || got[0].Slug != "a" || got[1].Slug != "b" {
		t.Errorf("all() = %v", got)
	}
	if got, ok := tab.find("b"); !ok || got.Name != "B" {
		t.Errorf("find(b) = %v, %v", got, ok)
	}
	if got, ok := tab.find("c"); ok || got.Slug != "" {
		t.Errorf("find(c) = %v, %v", got, ok)
	}
	if grown := append(tab.all(), Skill{Slug: "z"}); &grown[0] == &tab.sorted[0] {
		t.Error("appending to all() writes to the table")
	}
}

func TestLoadPanicsWithoutTheFile(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	load[Skill]("no-such-file.json")
}
