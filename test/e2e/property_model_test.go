package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// TestTemplatesFollowTheModel runs random histories of changes and reads, and holds every answer against a model of
// templates that is a map.
func TestTemplatesFollowTheModel(t *testing.T) {
	t.Parallel()
	onPropertyEngines(t, func(t *testing.T, i *service) {
		var histories atomic.Int64
		rapid.Check(t, func(r *rapid.T) {
			m := &model{t: t, service: i, tag: fmt.Sprintf("history%06d", histories.Add(1)), templates: map[string]*modelled{}, sent: map[string]sent{}}
			for range rapid.IntRange(0, 6).Draw(r, "templates at first") {
				m.create(r)
			}
			r.Repeat(map[string]func(*rapid.T){
				"":              m.check,
				"create":        m.create,
				"create again":  m.createAgain,
				"create chosen": m.createChosen,
				"put":           m.put,
				"patch":         m.patch,
				"delete":        m.delete,
				"undelete":      m.undelete,
				"get":           m.get,
				"list":          m.list,
			})
		})
	})
}

// model is what the service should hold of one history, whose names all start with its tag.
type model struct {
	t         *testing.T
	service   *service
	tag       string
	templates map[string]*modelled
	order     []string // ids, as they were made
	sent      map[string]sent
	touched   string // what the last action was about
}

// modelled is a template as it should be.
type modelled struct {
	draft
	id, author        string
	revision          int
	created, modified string
	deleted           bool
}

// draft is what a client sets.
type draft struct{ name, description, content, syntax string }

// sent is a request with an Idempotency-Key.
type sent struct {
	body   map[string]any
	answer string
}

// do sends a request and holds the answer against the document. Unlike service.do it fails the one history, so that
// rapid can look for a shorter one.
func (m *model) do(r *rapid.T, method, path string, body any, headers ...header) *answer {
	r.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		r.Fatal(err)
	}
	if body == nil {
		sent = nil
	}
	request, err := http.NewRequest(method, m.service.URL+path, bytes.NewReader(sent))
	if err != nil {
		r.Fatal(err)
	}
	for _, h := range append(headers, asToken, header{"Content-Type", "application/json"}) {
		request.Header.Add(h.name, h.value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	if err == nil {
		err = conforms(request, response, received)
	}
	if err != nil {
		r.Fatalf("%s %s: %v\n%d %s", method, path, err, response.StatusCode, received)
	}
	return &answer{Status: response.StatusCode, Header: response.Header, Body: received, t: m.t, what: method + " " + path}
}

func expect(r *rapid.T, a *answer, status int) {
	r.Helper()
	if a.Status != status {
		r.Fatalf("%s: the model says %d, the service %d %v\n%s", a.what, status, a.Status, a.Header, a.Body)
	}
}

// names are the ends of the templates' names: ordered by code points they differ from any other order.
var names = []string{"", " a", " B", " b", " Ä", " ä", " ß", " Z", " 10", " 9", " _", " %", " 🎉", " \uffee", " a%", " a_"}

func (m *model) drawDraft(r *rapid.T) draft {
	d := draft{name: m.tag + rapid.SampledFrom(names).Draw(r, "name"), description: rapid.SampledFrom([]string{"", "first", "Second thing"}).Draw(r, "description"),
		content: rapid.SampledFrom([]string{"", "Hello {{name}}!", "thing\r\n\"two\" \\", "naïve ÄRGER 42"}).Draw(r, "content"), syntax: rapid.SampledFrom([]string{"mustache", "plain"}).Draw(r, "syntax")}
	return d
}

func (d draft) body() map[string]any {
	return map[string]any{"name": d.name, "description": d.description, "content": d.content, "syntax": d.syntax}
}

// same holds an answered object against the model.
func (m *model) same(r *rapid.T, o map[string]any, t *modelled, withContent bool) {
	r.Helper()
	want := t.body()
	maps.Copy(want, map[string]any{"templateid": t.id, "revision": float64(t.revision), "author": t.author, "created": t.created, "modified": t.modified})
	if !withContent {
		delete(want, "content")
	}
	if t.deleted {
		want["deleted"] = o["deleted"] // the document says what it looks like
	}
	if fmt.Sprint(o) != fmt.Sprint(want) {
		r.Fatalf("the model has %q\nthe service %q", want, o)
	}
}

// wrote takes over what only the service knows, and holds the rest of a write's answer against the model.
func (m *model) wrote(r *rapid.T, a *answer, t *modelled) {
	r.Helper()
	o := a.object()
	modified := fmt.Sprint(o["modified"])
	if modified < t.modified {
		r.Fatalf("%s: modified went back from %s to %s", a.what, t.modified, modified)
	}
	t.modified = modified
	if want := strconv.Quote(strconv.Itoa(t.revision)); a.Header.Get("ETag") != want {
		r.Fatalf("%s: the ETag %s is wanted, got %s", a.what, want, a.Header.Get("ETag"))
	}
	m.same(r, o, t, true)
	m.touched = t.id
}

func (m *model) made(r *rapid.T, a *answer, d draft) *modelled {
	r.Helper()
	o := a.object()
	t := &modelled{draft: d, id: fmt.Sprint(o["templateid"]), author: "token", revision: 1, created: fmt.Sprint(o["created"])}
	if t.created != o["modified"] || m.templates[t.id] != nil || a.Header.Get("Location") != "/v1/templates/"+t.id {
		r.Fatalf("%s: made %s at %s", a.what, a.Body, a.Header.Get("Location"))
	}
	m.templates[t.id], m.order = t, append(m.order, t.id)
	m.wrote(r, a, t)
	return t
}

func (m *model) create(r *rapid.T) {
	d := m.drawDraft(r)
	if !rapid.Bool().Draw(r, "with a key") {
		a := m.do(r, "POST", "/v1/templates", d.body())
		expect(r, a, 201)
		m.made(r, a, d)
		return
	}
	key := fmt.Sprintf("%s-%d", m.tag, len(m.sent))
	a := m.do(r, "POST", "/v1/templates", d.body(), header{"Idempotency-Key", key})
	expect(r, a, 201)
	m.made(r, a, d)
	m.sent[key] = sent{d.body(), string(a.Body)}
}

// createAgain repeats a request with its Idempotency-Key, or uses the key for another.
func (m *model) createAgain(r *rapid.T) {
	if len(m.sent) == 0 {
		r.Skip("no key was used")
	}
	key := rapid.SampledFrom(slices.Sorted(maps.Keys(m.sent))).Draw(r, "key")
	first := m.sent[key]
	if rapid.Bool().Draw(r, "another request") {
		body := maps.Clone(first.body)
		body["description"] = "something else"
		expect(r, m.do(r, "POST", "/v1/templates", body, header{"Idempotency-Key", key}), 422)
		return
	}
	a := m.do(r, "POST", "/v1/templates", first.body, header{"Idempotency-Key", `"` + key + `"`})
	expect(r, a, 201)
	if string(a.Body) != first.answer || a.Header.Get("Idempotency-Replayed") != "true" || a.Header.Get("ETag") != `"1"` {
		r.Fatalf("first %s\nthen %v %s", first.answer, a.Header, a.Body)
	}
}

func (m *model) createChosen(r *rapid.T) {
	d := m.drawDraft(r)
	body := d.body()
	old := m.pick(r, "id that is taken", true)
	onlyNew := rapid.Bool().Draw(r, "If-None-Match")
	var headers []header
	if onlyNew {
		headers = append(headers, header{"If-None-Match", "*"})
	}
	if old != nil && rapid.Bool().Draw(r, "taken") {
		body["templateid"] = old.id
		expect(r, m.do(r, "POST", "/v1/templates", body, headers...), map[bool]int{false: 409, true: 412}[onlyNew])
		return
	}
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", 0xabcd0000+len(m.order), fold(m.tag))
	body["templateid"] = strings.ToUpper(id)
	a := m.do(r, "POST", "/v1/templates", body, headers...)
	expect(r, a, 201)
	if t := m.made(r, a, d); t.id != id {
		r.Fatalf("chose %s, got %s", id, t.id)
	}
}

// fold makes a number of a tag.
func fold(tag string) uint64 {
	number, _ := strconv.ParseUint(strings.TrimPrefix(tag, "history"), 10, 40)
	return number
}

// pick chooses a template, nil when there is none; the trash included or not.
func (m *model) pick(r *rapid.T, label string, trash bool) *modelled {
	var ids []string
	for _, id := range m.order {
		if trash || !m.templates[id].deleted {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return m.templates[rapid.SampledFrom(ids).Draw(r, label)]
}

// drawTarget chooses a template, or skips the action.
func (m *model) drawTarget(r *rapid.T) *modelled {
	t := m.pick(r, "template", rapid.IntRange(0, 4).Draw(r, "maybe from the trash") == 4)
	if t == nil {
		r.Skip("there is none")
	}
	m.touched = t.id
	return t
}

func (m *model) path(r *rapid.T, t *modelled) string {
	if rapid.IntRange(0, 4).Draw(r, "upper case") == 4 {
		return "/v1/templates/" + strings.ToUpper(t.id)
	}
	return "/v1/templates/" + t.id
}

// drawPrecondition draws an If-Match, and tells whether t meets it.
func drawPrecondition(r *rapid.T, t *modelled) (headers []header, met bool) {
	now, before := fmt.Sprintf(`"%d"`, t.revision), fmt.Sprintf(`"%d"`, t.revision-1)
	switch rapid.SampledFrom([]string{"none", "now", "before", "both", "any", "weak", "empty"}).Draw(r, "If-Match") {
	case "now":
		return []header{{"If-Match", now}}, true
	case "before":
		return []header{{"If-Match", before}}, false
	case "both":
		return []header{{"If-Match", before + ", " + now}}, true
	case "any":
		return []header{{"If-Match", "*"}}, true
	case "weak":
		return []header{{"If-Match", "W/" + now}}, false
	case "empty":
		return []header{{"If-Match", `""`}}, false
	}
	return nil, true
}

// change sends a change and holds the answer against what the model makes of it.
func (m *model) change(r *rapid.T, method string, t *modelled, body any, next draft) {
	r.Helper()
	headers, met := drawPrecondition(r, t)
	a := m.do(r, method, m.path(r, t), body, headers...)
	switch {
	case t.deleted:
		expect(r, a, 404)
	case !met:
		expect(r, a, 412)
	default:
		expect(r, a, 200)
		if t.draft != next {
			t.revision++
		} else if got := a.object()["modified"]; got != t.modified {
			r.Fatalf("%s changed nothing and moved modified from %s to %v", a.what, t.modified, got)
		}
		t.draft = next
		m.wrote(r, a, t)
	}
}

func (m *model) put(r *rapid.T) {
	t := m.drawTarget(r)
	next := t.draft
	if rapid.IntRange(0, 3).Draw(r, "nothing new") > 0 {
		next = m.drawDraft(r)
	}
	body := next.body()
	// What was read can be sent back.
	maps.Copy(body, map[string]any{"templateid": t.id, "revision": 1000, "author": nil, "created": []string{"x"}})
	if rapid.Bool().Draw(r, "bare") {
		next = draft{name: next.name, syntax: "mustache"}
		body = map[string]any{"name": " " + next.name + "\t"}
	}
	m.change(r, "PUT", t, body, next)
}

func (m *model) patch(r *rapid.T) {
	t := m.drawTarget(r)
	next, other := t.draft, m.drawDraft(r)
	body := map[string]any{}
	for _, field := range []struct {
		name, value, standard string
		set                   *string
	}{{"name", other.name, "", &next.name}, {"description", other.description, "", &next.description},
		{"content", other.content, "", &next.content}, {"syntax", other.syntax, "mustache", &next.syntax}} {
		switch rapid.SampledFrom([]string{"absent", "set", "null"}).Draw(r, field.name) {
		case "set":
			body[field.name], *field.set = field.value, field.value
		case "null":
			if field.name != "name" {
				body[field.name], *field.set = nil, field.standard
			}
		}
	}
	m.change(r, "PATCH", t, body, next)
}

func (m *model) delete(r *rapid.T) {
	t := m.drawTarget(r)
	headers, met := drawPrecondition(r, t)
	a := m.do(r, "DELETE", m.path(r, t), nil, headers...)
	switch {
	case t.deleted:
		expect(r, a, 404)
	case !met:
		expect(r, a, 412)
	default:
		expect(r, a, 204)
		t.deleted = true
	}
}

func (m *model) undelete(r *rapid.T) {
	t := m.pick(r, "template", true)
	if t == nil {
		r.Skip("there is none")
	}
	a := m.do(r, "POST", m.path(r, t)+"/undelete", nil)
	if !t.deleted {
		expect(r, a, 409)
		return
	}
	expect(r, a, 200)
	t.deleted = false
	m.wrote(r, a, t)
}
