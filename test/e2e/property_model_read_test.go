package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

func (m *model) get(r *rapid.T) {
	t := m.drawTarget(r)
	m.read(r, t, rapid.SampledFrom([]string{"GET", "HEAD"}).Draw(r, "method"), rapid.Bool().Draw(r, "fresh"), rapid.SampledFrom([]int{0, t.revision - 1, t.revision}).Draw(r, "If-None-Match"))
}

// read reads a template, with the revision that the client has; 0 for none.
func (m *model) read(r *rapid.T, t *modelled, method string, fresh bool, has int) {
	r.Helper()
	var headers []header
	if fresh {
		headers = append(headers, header{"Cache-Control", "no-cache"})
	}
	if has > 0 {
		headers = append(headers, header{"If-None-Match", fmt.Sprintf(`"0", W/"%d"`, has)})
	}
	a := m.do(r, method, "/v1/templates/"+t.id, nil, headers...)
	switch {
	case t.deleted:
		expect(r, a, 404)
	case has == t.revision:
		expect(r, a, 304)
	default:
		expect(r, a, 200)
		if method == "GET" {
			m.same(r, a.object(), t, true)
		}
	}
	if want := fmt.Sprintf(`"%d"`, t.revision); !t.deleted && a.Header.Get("ETag") != want {
		r.Fatalf("%s: the ETag %s is wanted, got %s", a.what, want, a.Header.Get("ETag"))
	}
}

// check reads what the last action was about, the way most clients do.
func (m *model) check(r *rapid.T) {
	if t := m.templates[m.touched]; t != nil {
		m.read(r, t, http.MethodGet, false, 0)
	}
}

var word = regexp.MustCompile(`[\pL\pN]+`)

// holds tells whether a template has all words of a query, case aside.
func (t *modelled) holds(query string) bool {
	var all []string
	for _, w := range word.FindAllString(t.name+" "+t.description+" "+t.content, -1) {
		all = append(all, strings.ToLower(w))
	}
	for _, w := range word.FindAllString(query, -1) {
		if !slices.Contains(all, strings.ToLower(w)) {
			return false
		}
	}
	return true
}

// list walks all pages of a list and holds what it shows, and its order, against the model.
func (m *model) list(r *rapid.T) {
	trash, withContent := rapid.Bool().Draw(r, "trash"), rapid.Bool().Draw(r, "content")
	key := rapid.SampledFrom([]string{"created", "modified", "name"}).Draw(r, "sort")
	descending := rapid.Bool().Draw(r, "descending")
	query := url.Values{"count": {"true"}, "deleted": {strconv.FormatBool(trash)}, "limit": {strconv.Itoa(rapid.IntRange(1, 4).Draw(r, "limit"))}, "sort": {key}}
	if descending {
		query.Set("sort", "-"+key)
	}
	if withContent {
		query.Set("include", "content")
	}
	words := rapid.SampledFrom([]string{"", "", "", "", "hello", "THING second", "first OR none", "ärger naïve", "42 %*\"", "b"}).Draw(r, "words")
	matches := func(t *modelled) bool { return strings.HasPrefix(t.name, m.tag) }
	switch rapid.SampledFrom([]string{"all", "all", "prefix", "name", "words"}).Draw(r, "filter") {
	case "all":
		query.Set("name_prefix", m.tag)
	case "prefix":
		prefix := m.tag + rapid.SampledFrom(names).Draw(r, "prefix")
		query.Set("name_prefix", prefix)
		matches = func(t *modelled) bool { return strings.HasPrefix(t.name, prefix) }
	case "name":
		name := m.tag + rapid.SampledFrom(names).Draw(r, "exact name")
		query.Set("name", name)
		matches = func(t *modelled) bool { return t.name == name }
	case "words":
		words += " " + m.tag
	}
	if words != "" {
		query.Set("q", words)
	}
	var want []*modelled
	for _, id := range m.order {
		if t := m.templates[id]; t.deleted == trash && t.holds(words) && matches(t) {
			want = append(want, t)
		}
	}
	slices.SortFunc(want, func(a, b *modelled) int {
		place := func(t *modelled) string {
			return map[string]string{"created": t.created, "modified": t.modified, "name": t.name}[key] + "\x00" + t.id
		}
		if descending {
			a, b = b, a
		}
		return strings.Compare(place(a), place(b))
	})
	var got []map[string]any
	for next := "/v1/templates?" + query.Encode(); next != ""; {
		a := m.do(r, "GET", next, nil)
		expect(r, a, 200)
		o := a.object()
		if o["total"] != float64(len(want)) {
			r.Fatalf("%s: total %v, the model has %d", a.what, o["total"], len(want))
		}
		for _, item := range o["items"].([]any) {
			got = append(got, item.(map[string]any))
		}
		if len(got) > len(want) {
			break
		}
		next = ""
		if cursor, more := o["next"].(string); more {
			query.Set("cursor", cursor)
			next = "/v1/templates?" + query.Encode()
		}
	}
	if len(got) != len(want) {
		r.Fatalf("%v shows %d, the model has %d: %v", query, len(got), len(want), got)
	}
	for n := range got {
		m.same(r, got[n], want[n], withContent)
	}
}
