package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// pool is what the service is known to hold, found in its answers: by the names of path parameters, so that nothing
// of it is about one kind of object.
type pool struct {
	living, gone map[string][]string
	// reserved are ids that the test itself lives on.
	reserved map[string]bool
	tags     []string
	cursors  []string
}

// poolSize bounds each list of the pool.
const poolSize = 24

func newPool(list []*operation) *pool {
	p := &pool{living: map[string][]string{}, gone: map[string][]string{}, reserved: map[string]bool{}}
	for _, o := range list {
		for _, name := range o.pathParameters() {
			p.living[name], p.gone[name] = nil, nil
		}
	}
	return p
}

// remember puts a value at the end of a list, and forgets the oldest.
func remember(list []string, value string) []string {
	if slices.Contains(list, value) {
		return list
	}
	return append(list[max(0, len(list)+1-poolSize):], value)
}

func forget(list []string, value string) []string {
	return slices.DeleteFunc(list, func(v string) bool { return strings.EqualFold(v, value) })
}

// harvest takes what can be asked for next out of an answer.
func (d *driver) harvest(r *request, a *reply) {
	if a.Status >= 300 || r.op.route.Method == http.MethodHead || !r.op.secured {
		return
	}
	if tag := a.Header.Get("ETag"); tag != "" {
		d.pool.tags = remember(d.pool.tags, tag)
	}
	if names := r.op.pathParameters(); r.op.route.Method == http.MethodDelete && len(names) > 0 {
		name := names[len(names)-1]
		id := strings.ToLower(r.path[name])
		d.pool.living[name] = forget(d.pool.living[name], id)
		d.pool.gone[name] = remember(d.pool.gone[name], id)
	}
	var body any
	if strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") && json.Unmarshal(a.Body, &body) == nil {
		d.pool.learn(body)
	}
}

func (p *pool) learn(value any) {
	switch v := value.(type) {
	case []any:
		for _, each := range v {
			p.learn(each)
		}
	case map[string]any:
		for name, each := range v {
			text, isText := each.(string)
			switch _, known := p.living[name]; {
			case name == "next" && isText:
				p.cursors = remember(p.cursors, text)
			case !known || !isText:
				p.learn(each)
			case p.reserved[text] || text == "":
			case v["deleted"] != nil:
				p.gone[name] = remember(p.gone[name], text)
			default:
				p.gone[name] = forget(p.gone[name], text)
				p.living[name] = remember(p.living[name], text)
			}
		}
	}
}

// enough is how many living and gone ids there are for an operation that asks for one.
const enough = 4

// replenish makes what an operation's path asks for, from the examples of the document.
func (d *driver) replenish(t rapid.TB, o *operation) {
	t.Helper()
	for _, name := range o.pathParameters() {
		maker, remover := d.operationFor(http.MethodPost, name), d.operationFor(http.MethodDelete, name)
		if maker == nil {
			continue
		}
		for range enough {
			if remover != nil && len(d.pool.gone[name]) < enough && len(d.pool.living[name]) > 0 {
				id := d.pool.living[name][0]
				d.pool.living[name] = forget(d.pool.living[name], id)
				r := &request{op: remover, path: map[string]string{name: id}, credential: d.credentials[0]}
				d.harvest(r, d.send(t, r))
			}
			for _, body := range examples(maker) {
				if len(d.pool.living[name]) >= enough {
					break
				}
				r := &request{op: maker, body: body, mediaType: "application/json", credential: d.credentials[0]}
				d.harvest(r, d.send(t, r))
			}
		}
	}
	d.establish(t, o)
}

// establish gives the newest things what the end of an operation's path names, such as a label, where a PUT makes it.
func (d *driver) establish(t rapid.TB, o *operation) {
	t.Helper()
	names := o.pathParameters()
	if len(names) != 2 || len(favourites[names[1]]) == 0 {
		return
	}
	for _, maker := range d.operations {
		if maker.route.Method != http.MethodPut || maker == o || !slices.Equal(maker.pathParameters(), names) {
			continue
		}
		object := map[string]any{}
		for _, field := range maker.route.Operation.RequestBody.Value.Content.Get("application/json").Schema.Value.Required {
			object[field] = favourites[field][0]
		}
		body, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		owners := d.pool.living[names[0]]
		for _, id := range owners[max(0, len(owners)-enough):] {
			r := &request{op: maker, path: map[string]string{names[0]: id, names[1]: fmt.Sprint(favourites[names[1]][0])}, body: body, mediaType: "application/json", credential: d.credentials[0]}
			d.harvest(r, d.send(t, r))
		}
	}
}

// operationFor finds what makes or removes the things that a path parameter names: a POST that answers 201 with the
// name among its fields, or a DELETE whose path has no other parameter.
func (d *driver) operationFor(method, name string) *operation {
	for _, o := range d.operations {
		if o.route.Method != method {
			continue
		}
		names := o.pathParameters()
		if method == http.MethodDelete && len(names) == 1 && names[0] == name {
			return o
		}
		made := o.route.Operation.Responses.Status(http.StatusCreated)
		if method == http.MethodPost && len(names) == 0 && made != nil {
			if media := made.Value.Content.Get("application/json"); media != nil && media.Schema.Value.Properties[name] != nil {
				return o
			}
		}
	}
	return nil
}

// examples are the bodies that the document shows for an operation.
func examples(o *operation) [][]byte {
	var list [][]byte
	media := o.route.Operation.RequestBody.Value.Content.Get("application/json")
	add := func(value any) {
		if body, err := json.Marshal(value); err == nil && value != nil {
			list = append(list, body)
		}
	}
	add(media.Example)
	add(media.Schema.Value.Example)
	for _, each := range media.Examples {
		add(each.Value.Value)
	}
	return list
}

// kinds of credentials.
const (
	goodCredential = iota
	noCredential
	twoCredentials
)

// credential is how a request says who sends it.
type credential struct {
	name    string
	kind    int
	headers []header
	scopes  []string // nil for all
	limited bool     // its user may be over the rate limit
}

func (c credential) holds(scopes []string) bool {
	for _, s := range scopes {
		if c.scopes != nil && !slices.Contains(c.scopes, s) {
			return false
		}
	}
	return true
}

// makeCredentials makes keys of every kind. The first credential may do everything.
func makeCredentials(t *testing.T, i *service, p *pool) []credential {
	t.Helper()
	key := func(user string, rate any, scopes ...string) string {
		o := i.do(t, "POST", "/v1/keys", map[string]any{"user": user, "scopes": scopes, "rate": rate}).want(201).object()
		p.reserved[o["keyid"].(string)] = true
		return o["key"].(string)
	}
	limited := func(user string, scopes ...string) credential {
		return credential{name: "key of " + user, headers: []header{asKey(key(user, nil, scopes...))}, scopes: scopes}
	}
	list := []credential{
		{name: "token", headers: []header{asToken}},
		limited("reader", "templates:read"),
		limited("writer", "templates:write", "templates:read"),
		limited("keeper", "keys:admin"),
		limited("stranger", "characters:read"),
		limited("player", "characters:read", "characters:write"),
		{name: "key in upper case as a token", headers: []header{{"Authorization", "bEARER " + strings.ToUpper(key("all", 0, "templates:read", "templates:write", "characters:read", "characters:write", "keys:admin"))}}},
		{name: "limited key", limited: true, headers: []header{asKey(key("hasty", 3, "templates:read", "templates:write", "characters:read", "characters:write", "keys:admin"))}},
		{name: "nobody", kind: noCredential},
		{name: "unknown key", kind: noCredential, headers: []header{asKey(unknownKey)}},
		{name: "empty key", kind: noCredential, headers: []header{asKey("")}},
		{name: "no key", kind: noCredential, headers: []header{asKey(`' OR ''=' {"user":"x"} ` + strings.Repeat("k", 900))}},
		{name: "unknown token", kind: noCredential, headers: []header{{"Authorization", "Bearer " + token + "x"}}},
		{name: "bare token", kind: noCredential, headers: []header{{"Authorization", token}}},
		{name: "empty token", kind: noCredential, headers: []header{{"Authorization", "Bearer"}}},
		{name: "name and password", kind: noCredential, headers: []header{{"Authorization", "Basic dG9rZW46" + token}}},
		{name: "bytes", kind: noCredential, headers: []header{{"Authorization", "Bearer \xff\xfe\x80"}}},
		{name: "token and key", kind: twoCredentials, headers: []header{asToken, asKey(unknownKey)}},
		{name: "two tokens", kind: twoCredentials, headers: []header{asToken, asToken}},
		{name: "two keys", kind: twoCredentials, headers: []header{asKey(unknownKey), asKey(unknownKey)}},
	}
	return list
}

// saneID is an X-Request-ID that the service keeps.
var saneID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// first gives the first value of a header of the request.
func (r *request) first(name string) string {
	for _, h := range r.headers {
		if strings.EqualFold(h.name, name) {
			return strings.Trim(h.value, " \t")
		}
	}
	return ""
}

// asks tells whether the query has a parameter.
func (r *request) asks(name string) bool {
	return slices.ContainsFunc(r.query, func(q header) bool { return q.name == name })
}

// excused tells whether a request that the document allows may be refused all the same: for rules that a schema
// cannot have and that the document tells in words.
func excused(r *request, a *reply) bool {
	if a.Status == http.StatusBadRequest {
		// Cursors are signed and belong to one list, filter and sort. A revision is picked by its number or by a label.
		// A sheet takes them for a stored template only.
		return r.asks("cursor") || r.asks("revision") && r.asks("label") || (r.asks("revision") || r.asks("label")) && ofCharacters(r.op) && !r.asks("template")
	}
	if a.Status == http.StatusForbidden {
		if r.asks("template") && !r.credential.holds([]string{"templates:read"}) {
			return true // the sheet of a stored template needs its scope too
		}
		// Nobody gives away a scope that he does not hold.
		scopes, _ := r.value["scopes"].([]any)
		return slices.ContainsFunc(scopes, func(s any) bool { return !r.credential.holds([]string{fmt.Sprint(s)}) })
	}
	if a.Status != http.StatusUnprocessableEntity {
		return false
	}
	var p struct {
		Errors  []struct{ Pointer, Detail string }
		Missing []string
	}
	if json.Unmarshal(a.Body, &p) != nil {
		return false
	}
	if len(p.Errors) == 0 {
		return r.brings("Idempotency-Key") // used for another request before
	}
	for _, e := range p.Errors {
		if ofCharacters(r.op) {
			if aboutShape(e.Detail) {
				return false
			}
			continue
		}
		field, _ := r.value[strings.TrimPrefix(e.Pointer, "/")].(string)
		switch e.Pointer {
		case "/data": // lacks what the template uses, and that is not to be passed over
			if len(p.Missing) == 0 || r.value["strict"] == false {
				return false
			}
		case "": // a bound of rendering, which is none of what is sent
			if !strings.HasSuffix(r.op.route.Path, "/render") || !strings.Contains(e.Detail, " more than ") {
				return false
			}
		case "/revision": // a label is put on a revision that is there
			if r.path["label"] == "" {
				return false
			}
		case "/content": // is no Mustache, or is none any more by a change of the syntax
			_, syntax := r.value["syntax"]
			if !strings.Contains(field, "{{") && (field != "" || !syntax) {
				return false
			}
		case "/templateid": // a template keeps its id
			if r.path["templateid"] == "" || strings.EqualFold(r.path["templateid"], field) {
				return false
			}
		case "/name", "/user": // white space alone; Unicode knows more of it than the patterns do
			if strings.TrimSpace(field) != "" {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// A draw from the pool or none; often the newest, which is the likeliest to be there still.
func (p *pool) draw(t *rapid.T, label string, list []string) string {
	return list[len(list)-1-rapid.IntRange(0, len(list)-1).Draw(t, label)]
}

// newID is a UUID that nothing has, drawn so that it can be repeated.
func newID(t *rapid.T, label string) string {
	high, low := rapid.Uint64Range(1, math.MaxUint64).Draw(t, label), rapid.Uint64().Draw(t, label)
	var id uuid.UUID
	for n := range 8 {
		id[n], id[8+n] = byte(high>>(8*n)), byte(low>>(8*n))
	}
	return id.String()
}
