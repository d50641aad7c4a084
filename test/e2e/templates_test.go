package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var microseconds = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)

func TestTemplateLife(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		content := "Hello {{name}}!\r\n\t\"ÄÖ\" \\ % _ 🎉\u2028</script>\n"
		made := i.do(t, "POST", "/v1/templates", map[string]any{"name": "  Welcome ", "description": "d", "content": content}).want(201)
		o := made.object()
		id := o["templateid"].(string)
		made.headerHas("Location", "/v1/templates/"+id).headerHas("ETag", `"1"`)
		if o["name"] != "Welcome" || o["content"] != content || o["syntax"] != "mustache" || o["author"] != "token" || o["revision"] != 1.0 {
			t.Fatalf("made: %v", o)
		}
		for _, field := range []string{"created", "modified"} {
			if text, _ := o[field].(string); !microseconds.MatchString(text) {
				t.Errorf("%s is %v", field, o[field])
			}
		}
		if id != strings.ToLower(id) || len(o) != 9 {
			t.Errorf("the object is %v", o)
		}

		path := "/v1/templates/" + id
		got := i.do(t, "GET", path, nil).want(200).headerHas("ETag", `"1"`).headerHas("Cache-Control", "private, no-cache")
		if string(got.Body) != string(made.Body) {
			t.Errorf("GET answers %s, POST answered %s", got.Body, made.Body)
		}
		if got.Header.Get("Last-Modified") == "" {
			t.Error("no Last-Modified")
		}
		upper := i.do(t, "GET", "/v1/templates/"+strings.ToUpper(id), nil).want(200)
		if string(upper.Body) != string(made.Body) {
			t.Errorf("the id in upper case answers %s", upper.Body)
		}
		head := i.do(t, "HEAD", path, nil).want(200).headerHas("ETag", `"1"`)
		if len(head.Body) != 0 || head.Header.Get("Content-Length") != fmt.Sprint(len(made.Body)) {
			t.Errorf("HEAD: %d bytes, Content-Length %s", len(head.Body), head.Header.Get("Content-Length"))
		}
		i.do(t, "GET", path, nil, header{"If-None-Match", `"7", W/"1"`}).want(304)
		i.do(t, "GET", path, nil, header{"If-None-Match", `*`}).want(304)
		i.do(t, "GET", path, nil, header{"If-None-Match", `"2"`}).want(200)

		// What was read can be changed and sent back.
		o["content"] = "Bye {{name}}"
		i.do(t, "PUT", path, o, header{"If-Match", `"1"`}).want(200).has("revision", 2).headerHas("ETag", `"2"`)
		i.do(t, "PUT", path, o, header{"If-Match", `"1"`}).want(412)
		i.do(t, "PUT", path, o).want(200).has("revision", 2) // nothing changed
		i.do(t, "GET", path, nil).want(200).has("content", "Bye {{name}}")
		i.do(t, "PUT", path, map[string]any{"name": "Bare"}).want(200).has("description", "").has("content", "").has("revision", 3)

		i.do(t, "PATCH", path, `{"description":"new"}`, header{"Content-Type", ""}, header{"Content-Type", "application/merge-patch+json"}, header{"If-Match", `*`}).want(200).has("revision", 4).has("name", "Bare")
		i.do(t, "PATCH", path, `{"description":null,"syntax":"plain"}`).want(200).has("description", "").has("syntax", "plain")
		i.do(t, "PATCH", path, `{"syntax":null}`).want(200).has("syntax", "mustache")
		if got := i.do(t, "PATCH", path, `{"name":null}`).want(422).pointers(); !reflect.DeepEqual(got, []string{"/name"}) {
			t.Errorf("pointers %v", got)
		}
		i.do(t, "PATCH", path, `{}`).want(200).has("revision", 6)

		i.do(t, "DELETE", path, nil, header{"If-Match", `"1"`}).want(412)
		i.do(t, "DELETE", path, nil, header{"If-Match", `"6"`}).want(204)
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE"} {
			var body any
			if strings.HasPrefix(method, "P") {
				body = `{"name":"x"}`
			}
			i.do(t, method, path, body).want(404)
		}
		i.do(t, "POST", "/v1/templates", map[string]any{"name": "again", "templateid": strings.ToUpper(id)}).want(409)
		i.do(t, "POST", "/v1/templates", map[string]any{"name": "again", "templateid": id}, header{"If-None-Match", "*"}).want(412)
		trash := i.do(t, "GET", "/v1/templates?deleted=true", nil).want(200).object()["items"].([]any)
		if len(trash) != 1 || trash[0].(map[string]any)["templateid"] != id || trash[0].(map[string]any)["deleted"] == nil {
			t.Errorf("the trash is %v", trash)
		}
		i.do(t, "POST", path+"/undelete", nil).want(200).has("templateid", id).has("revision", 6).has("name", "Bare").headerHas("ETag", `"6"`)
		i.do(t, "POST", path+"/undelete", nil).want(409)
		i.do(t, "GET", path, nil).want(200).has("revision", 6)
	})
}

func TestChosenID(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		const id = "12345678-90AB-CDEF-1234-567890abcdef"
		body := map[string]any{"name": "n", "templateid": id}
		i.do(t, "POST", "/v1/templates", body, header{"If-None-Match", "*"}).want(201).has("templateid", strings.ToLower(id))
		i.do(t, "POST", "/v1/templates", body).want(409)
		i.do(t, "PUT", "/v1/templates/"+id, body).want(200)
		body["templateid"] = "00000000-0000-0000-0000-000000000000"
		if got := i.do(t, "PUT", "/v1/templates/"+id, body).want(422).pointers(); !reflect.DeepEqual(got, []string{"/templateid"}) {
			t.Errorf("pointers %v", got)
		}
	})
}

func TestOneWriterWins(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		id := i.create(t, "contested", "0")
		for round := 1; round <= 3; round++ {
			var mu sync.Mutex
			statuses := map[int]int{}
			var writers sync.WaitGroup
			for w := range 16 {
				writers.Go(func() {
					a := i.do(t, "PUT", "/v1/templates/"+id, map[string]any{"name": "contested", "content": fmt.Sprintf("%d by %d", round, w)},
						header{"If-Match", fmt.Sprintf(`"%d"`, round)})
					mu.Lock()
					defer mu.Unlock()
					statuses[a.Status]++
				})
			}
			writers.Wait()
			if statuses[200] != 1 || statuses[412] != 15 {
				t.Fatalf("round %d: %v", round, statuses)
			}
		}
		// Without If-Match all get through, one after the other.
		var writers sync.WaitGroup
		for w := range 16 {
			writers.Go(func() {
				if a := i.do(t, "PATCH", "/v1/templates/"+id, map[string]any{"description": fmt.Sprint(w)}); a.Status != 200 {
					t.Errorf("an unconditional write answered %d: %s", a.Status, a.Body)
				}
			})
		}
		writers.Wait()
		i.do(t, "GET", "/v1/templates/"+id, nil, header{"Cache-Control", "no-cache"}).want(200).has("revision", 20)
	})
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		key := header{"Idempotency-Key", `"8e03978e-40d5-43e8-bc93-6894a57f9324"`}
		first := i.do(t, "POST", "/v1/templates", `{"name":"once"}`, key).want(201)
		path := first.Header.Get("Location")
		i.do(t, "PUT", path, `{"name":"changed since"}`).want(200)
		again := i.do(t, "POST", "/v1/templates", `{"name":"once"}`, key).want(201).headerHas("Idempotency-Replayed", "true").headerHas("Location", path).headerHas("ETag", `"1"`)
		if string(again.Body) != string(first.Body) {
			t.Errorf("replayed %s, first was %s", again.Body, first.Body)
		}
		i.do(t, "POST", "/v1/templates", `{"name":"other"}`, key).want(422)
		i.do(t, "POST", "/v1/templates", `{"name":""}`, header{"Idempotency-Key", "k2"}).want(422)
		i.do(t, "POST", "/v1/templates", `{"name":"mended"}`, header{"Idempotency-Key", "k2"}).want(201)
		i.do(t, "POST", "/v1/templates", `{"name":"x"}`, header{"Idempotency-Key", strings.Repeat("k", 256)}).want(400)
		i.do(t, "POST", "/v1/templates", `{"name":"x"}`, header{"Idempotency-Key", "a"}, header{"Idempotency-Key", "b"}).want(400)

		i.do(t, "DELETE", path, nil).want(204)
		undelete := header{"Idempotency-Key", "undelete-1"}
		i.do(t, "POST", path+"/undelete", nil, undelete).want(200)
		i.do(t, "POST", path+"/undelete", nil, undelete).want(200).headerHas("Idempotency-Replayed", "true")

		var senders sync.WaitGroup
		for range 12 {
			senders.Go(func() {
				a := i.do(t, "POST", "/v1/templates", `{"name":"race"}`, header{"Idempotency-Key", "race"})
				if a.Status != 201 && a.Status != 409 {
					t.Errorf("%d %s", a.Status, a.Body)
				}
			})
		}
		senders.Wait()
		i.do(t, "GET", "/v1/templates?name=race&count=true", nil).want(200).has("total", 1)
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		const count = 47
		want := map[string]bool{}
		for n := range count {
			id := i.create(t, fmt.Sprintf("item %02d", n), fmt.Sprintf("Dear {{name}}, your number is %d of forty.", n))
			want[id] = true
		}
		for _, sort := range []string{"created", "-created", "modified", "-modified", "name", "-name"} {
			next, seen, last := "/v1/templates?limit=10&include=content&sort="+sort, map[string]bool{}, ""
			for pages := 0; next != ""; pages++ {
				if pages > count {
					t.Fatal("the walk does not end")
				}
				a := i.do(t, "GET", next, nil).want(200)
				for _, item := range a.object()["items"].([]any) {
					o := item.(map[string]any)
					id, key := o["templateid"].(string), o[strings.TrimPrefix(sort, "-")].(string)
					if seen[id] || o["content"] == nil {
						t.Errorf("%s: %v is there twice or has no content", sort, o)
					}
					if last != "" && (key < last) != strings.HasPrefix(sort, "-") && key != last {
						t.Errorf("%s: %s behind %s", sort, key, last)
					}
					seen[id], last = true, key
				}
				link := regexp.MustCompile(`^<([^>]+)>; rel="next"$`).FindStringSubmatch(a.Header.Get("Link"))
				cursor, _ := a.object()["next"].(string)
				if (link == nil) != (cursor == "") {
					t.Fatalf("Link %q, next %q", a.Header.Get("Link"), cursor)
				}
				next = ""
				if link != nil {
					next = link[1]
				}
			}
			if !reflect.DeepEqual(seen, want) {
				t.Errorf("%s shows %d of %d", sort, len(seen), len(want))
			}
		}
		total := func(query string, wanted int) {
			t.Helper()
			a := i.do(t, "GET", "/v1/templates?count=true&limit=100&"+query, nil).want(200).has("total", wanted)
			items := a.object()["items"].([]any)
			if len(items) != wanted {
				t.Errorf("%s: %d items of %d", query, len(items), wanted)
			}
			if len(items) > 0 && items[0].(map[string]any)["content"] != nil {
				t.Errorf("%s: content without include", query)
			}
		}
		total("name="+url.QueryEscape("item 07"), 1)
		total("name="+url.QueryEscape("Item 07"), 0)
		total("name_prefix="+url.QueryEscape("item 1"), 10)
		total("name_prefix="+url.QueryEscape("item %"), 0)
		total("name_prefix="+url.QueryEscape("item _7"), 0)
		total("q="+url.QueryEscape("FORTY dear 13"), 1)
		total("q="+url.QueryEscape("forty OR nothing"), 0)
		total("q="+url.QueryEscape(`"*(`), count)

		first := i.do(t, "GET", "/v1/templates?limit=5", nil).want(200).object()["next"].(string)
		i.do(t, "GET", "/v1/templates?limit=7&cursor="+first, nil).want(200) // the limit may change
		for _, bad := range []string{
			"limit=0", "limit=101", "limit=x", "limit=1e1", "limit=99999999999999999999", "limit=1&limit=2", "sort=size", "sort=-", "include=all",
			"count=yes", "deleted=1", "colour=red", "cursor=AAAA", "cursor=%20", "q=%ff", "q=%zz", "name=%00",
			"cursor=" + first[:len(first)-2], "sort=name&cursor=" + first, "deleted=true&cursor=" + first, "q=x&cursor=" + first,
			"cursor=" + strings.Repeat("A", 5000), "cursor=" + flip(first),
		} {
			i.do(t, "GET", "/v1/templates?"+bad, nil).want(400)
		}
	})
}

// flip changes one bit in the middle of a cursor.
func flip(cursor string) string {
	b := []byte(cursor)
	if b[len(b)/2] == 'A' {
		b[len(b)/2] = 'B'
	} else {
		b[len(b)/2] = 'A'
	}
	return string(b)
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory", "CONTENT_MAX_BYTES": "1000"})
	broken := i.do(t, "POST", "/v1/templates", map[string]any{"name": "x", "content": "Dear {{name}},\nä {{#items}}"}).want(422)
	if text := string(broken.Body); !strings.Contains(text, "line 2") || !strings.Contains(text, "column 3") {
		t.Errorf("content that does not parse answers %s", text)
	}
	i.do(t, "POST", "/v1/templates", map[string]any{"name": "x", "content": "{{#items}}", "syntax": "plain"}).want(201)
	id := i.create(t, "good", "")
	refused := func(status int, body string, pointers ...string) {
		t.Helper()
		for _, to := range []struct{ method, path string }{{"POST", "/v1/templates"}, {"PUT", "/v1/templates/" + id}} {
			a := i.do(t, to.method, to.path, body).want(status)
			if status == 422 && !reflect.DeepEqual(a.pointers(), pointers) {
				t.Errorf("%s %.80s: pointers %v, wanted %v", to.method, body, a.pointers(), pointers)
			}
		}
	}
	for _, broken := range []string{
		``, ` `, `{`, `{"name":"x"`, `[]`, `"x"`, `null`, `7`, `{"name":"x"}{}`, `{"name":"x"} x`, `{"name":"a","name":"b"}`, `{"name":"x",}`,
		"{\"name\":\"\xff\"}", `{"name":"\ud800"}`, `{"name":"\udc00x"}`, `{"name":"x","author":{"a":1,"a":2}}`, `{'name':'x'}`, `{"name":"x" /*c*/}`,
		"\ufeff{\"name\":\"x\"}", `{"name":NaN}`, `{"name":"a` + "\n" + `b"}`, strings.Repeat(`{"name":`, 8000),
	} {
		refused(400, broken)
	}
	refused(422, `{}`, "/name")
	refused(422, `{"name":""}`, "/name")
	refused(422, `{"name":" \t "}`, "/name")
	refused(422, `{"name":7}`, "/name")
	refused(422, `{"name":null}`, "/name")
	refused(422, `{"name":"a\u0000b"}`, "/name")
	refused(422, `{"name":"a\u0085b"}`, "/name")
	refused(422, `{"name":"a\nb"}`, "/name")
	refused(422, `{"name":"`+strings.Repeat("ä", 201)+`"}`, "/name")
	refused(422, `{"name":"x","description":"`+strings.Repeat("🎉", 2001)+`"}`, "/description")
	refused(422, `{"name":"x","description":"\u0000"}`, "/description")
	refused(422, `{"name":"x","content":"\u0000"}`, "/content")
	refused(422, `{"name":"x","content":"`+strings.Repeat("x", 1001)+`"}`, "/content")
	refused(422, `{"name":"x","content":["a"],"description":{},"syntax":true}`, "/content", "/description", "/syntax")
	refused(422, `{"name":"x","syntax":"jinja"}`, "/syntax")
	refused(422, `{"name":"x","syntax":""}`, "/syntax")
	refused(422, `{"name":"x","Content":"y"}`, "/Content")
	refused(422, `{"name":"x","a/b~c":1}`, "/a~1b~0c")
	refused(422, `{"name":"x","templateid":"no"}`, "/templateid")
	refused(422, `{"name":"x","templateid":7}`, "/templateid")
	refused(422, `{"name":"x","deep":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`, "/deep")
	refused(413, `{"name":"x","content":"`+strings.Repeat("x", 200_000)+`"}`)
	i.do(t, "POST", "/v1/templates", `{"name":"`+strings.Repeat("ä", 200)+`","content":"`+strings.Repeat(`\u0001`, 1000)+`"}`).want(201)

	for _, mediaType := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "", "application/merge-patch+json", "json"} {
		i.do(t, "POST", "/v1/templates", `{"name":"x"}`, header{"Content-Type", ""}, header{"Content-Type", mediaType}).want(415)
	}
	i.do(t, "POST", "/v1/templates", `{"name":"x"}`, header{"Content-Type", ""}, header{"Content-Type", `Application/JSON; charset="UTF-8"`}).want(201)

	for _, bad := range []string{"x", "7", id[:35], id + "0", "urn:uuid:" + id, "{" + id + "}", strings.ReplaceAll(id, "-", ""), "zzzzzzzz-0000-0000-0000-000000000000", url.PathEscape("ä"), "%00"} {
		for _, method := range []string{"GET", "DELETE"} {
			i.do(t, method, "/v1/templates/"+bad, nil).want(400)
		}
	}
	i.do(t, "GET", "/v1/templates/00000000-0000-0000-0000-000000000000", nil).want(404)
	for _, bad := range []string{"3", `"3`, `3"`, `W/3`, `"1" "2"`, `"1",`, `,`, `*, "1"`} {
		i.do(t, "PUT", "/v1/templates/"+id, `{"name":"x"}`, header{"If-Match", bad}).want(400)
	}
	i.do(t, "PUT", "/v1/templates/"+id, `{"name":"x"}`, header{"If-Match", `W/"1"`}).want(412) // strong comparison
	i.do(t, "PUT", "/v1/templates/"+id, `{"name":"x"}`, header{"If-Match", `"01"`}).want(412)
	i.do(t, "PUT", "/v1/templates/"+id, `{"name":"x"}`, header{"If-Match", `"abc", "1"`}).want(200)
}

func TestHTTPManners(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory", "CORS_ORIGINS": "https://example.com", "PROMETHEUS_ENABLED": "True"})
	id := i.create(t, "n", strings.Repeat("compress me ", 300))

	a := i.do(t, "PATCH", "/v1/templates", `{}`).want(405)
	for _, method := range []string{"GET", "HEAD", "POST"} {
		if !strings.Contains(a.Header.Get("Allow"), method) {
			t.Errorf("Allow is %q", a.Header.Get("Allow"))
		}
	}
	i.do(t, "GET", "/v1/nothing", nil).want(404)
	i.do(t, "GET", "/v1/nothing", nil, anonymous).want(401)
	i.do(t, "GET", "/nothing", nil, anonymous).want(404)

	plain := i.do(t, "GET", "/v1/templates/"+id, nil, header{"Accept-Encoding", "identity"}).want(200)
	zipped := i.do(t, "GET", "/v1/templates/"+id, nil, header{"Accept-Encoding", "gzip"}).want(200)
	if zipped.Header.Get("Content-Encoding") != "gzip" || len(zipped.Body) >= len(plain.Body) || zipped.Header.Get("ETag") != plain.Header.Get("ETag") {
		t.Errorf("gzip: %v", zipped.Header)
	}
	i.do(t, "PUT", "/v1/templates/"+id, `{"name":"m"}`, header{"If-Match", zipped.Header.Get("ETag")}).want(200)

	i.do(t, "GET", "/", nil, header{"X-Request-ID", "abc-1.2_3"}).want(200).headerHas("X-Request-ID", "abc-1.2_3").headerHas("X-Content-Type-Options", "nosniff")
	for _, insane := range []string{"a b", strings.Repeat("x", 200), "a\"b", "ä"} {
		if got := i.do(t, "GET", "/livez", nil, header{"X-Request-ID", insane}).want(200).Header.Get("X-Request-ID"); got == insane || got == "" {
			t.Errorf("the request id %q was answered with %q", insane, got)
		}
	}
	missing := i.do(t, "GET", "/v1/templates/00000000-0000-0000-0000-000000000000", nil, header{"X-Request-ID", "look-here"}).want(404)
	missing.has("instance", "look-here").has("type", "/problems/not-found").has("status", 404)
	i.do(t, "GET", missing.object()["type"].(string), nil, anonymous).want(200)
	i.do(t, "GET", "/problems/unheard-of", nil, anonymous).want(404)

	i.do(t, "GET", "/", nil, anonymous).want(200).has("name", "Templar")
	page := i.do(t, "GET", "/", nil, anonymous, header{"Accept", "text/html,*/*"}).want(200)
	if !strings.Contains(page.Header.Get("Content-Type"), "text/html") {
		t.Errorf("a browser gets %s", page.Header.Get("Content-Type"))
	}
	for _, path := range []string{"/docs", "/openapi.yaml", "/openapi.json", "/livez", "/readyz", "/metrics"} {
		i.do(t, "GET", path, nil, anonymous).want(200)
		i.do(t, "HEAD", path, nil, anonymous).want(200)
	}
	var doc map[string]any
	if err := json.Unmarshal(i.do(t, "GET", "/openapi.json", nil).Body, &doc); err != nil || doc["openapi"] == nil {
		t.Errorf("openapi.json: %v", err)
	}

	many := make([]header, 0, 10_000)
	for n := range 10_000 {
		many = append(many, header{fmt.Sprintf("X-Filler-%d", n), "x"})
	}
	i.do(t, "GET", "/v1/templates", nil, many...).want(431)

	request, _ := http.NewRequest("OPTIONS", i.URL+"/v1/templates", nil)
	request.Header.Set("Origin", "https://example.com")
	request.Header.Set("Access-Control-Request-Method", "POST")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := response.Header.Get("Access-Control-Allow-Origin"); got != "https://example.com" {
		t.Errorf("CORS for the named origin answers %q", got)
	}
	if got := i.do(t, "GET", "/livez", nil, header{"Origin", "https://evil.example"}).Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("CORS for another origin answers %q", got)
	}
}
