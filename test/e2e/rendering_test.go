package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

func TestRendering(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		id := i.create(t, "mail", "Dear {{name}},{{#items}}\n- {{title}}: {{price}}{{/items}}\n{{> footer}}")
		path := "/v1/templates/" + id
		i.create(t, "footer", "Bye, {{&sender}}\n")
		data := `{"data":{"name":"<Ann>","items":[{"title":"Tea","price":1.10},{"title":"Ink","price":1e3}],"sender":"<us>"}}`
		want := "Dear &lt;Ann&gt;,\n- Tea: 1.10\n- Ink: 1e3\nBye, <us>\n"
		i.do(t, "POST", path+"/render", data).want(200).has("output", want).has("revision", 1).has("missing", "[]")
		for _, mediaType := range []string{"text/plain", "text/html"} {
			a := i.do(t, "POST", path+"/render", data, header{"Accept", mediaType}).want(200)
			if string(a.Body) != want || !strings.HasPrefix(a.Header.Get("Content-Type"), mediaType) {
				t.Errorf("%s: %q as %s", mediaType, a.Body, a.Header.Get("Content-Type"))
			}
		}
		raw := strings.Replace(data, `{"data"`, `{"escape":"none","data"`, 1)
		i.do(t, "POST", path+"/render", raw).want(200).has("output", strings.Replace(want, "&lt;Ann&gt;", "<Ann>", 1))

		lacking := i.do(t, "POST", path+"/render", `{"data":{"items":[{"price":null},{"title":"x"}]}}`).want(422)
		if got := fmt.Sprint(lacking.object()["missing"]); got != "[name items.title items.price sender]" {
			t.Errorf("missing is %s", got)
		}
		loose := i.do(t, "POST", path+"/render", `{"strict":false,"data":{"items":[{}]}}`).want(200)
		if loose.object()["output"] != "Dear ,\n- : \nBye, \n" || fmt.Sprint(loose.object()["missing"]) != "[name items.title items.price sender]" {
			t.Errorf("not strict: %s", loose.Body)
		}

		// An edited partial shows like any other write.
		footers := i.do(t, "GET", "/v1/templates?name=footer", nil).want(200).object()["items"].([]any)
		footer := "/v1/templates/" + footers[0].(map[string]any)["templateid"].(string)
		i.do(t, "PATCH", footer, `{"content":"See you, {{&sender}}"}`).want(200)
		i.do(t, "POST", path+"/render", data).want(200).has("output", strings.Replace(want, "Bye, <us>\n", "See you, <us>", 1))
		i.do(t, "PATCH", footer, `{"name":"renamed"}`).want(200)
		i.do(t, "POST", path+"/render", data).want(422).has("missing", "[footer]")
		second := i.create(t, "footer", "second")
		i.do(t, "POST", path+"/render", data).want(200)
		i.do(t, "PATCH", footer, `{"name":"footer"}`).want(200) // the older one takes the name back
		i.do(t, "POST", path+"/render", data).want(200).has("output", strings.Replace(want, "Bye, <us>\n", "See you, <us>", 1))
		i.do(t, "DELETE", footer, nil).want(204)
		i.do(t, "POST", path+"/render", data).want(200).has("output", strings.Replace(want, "Bye, <us>\n", "second", 1))
		i.do(t, "POST", footer+"/undelete", nil).want(200)
		i.do(t, "POST", path+"/render", data).want(200).has("output", strings.Replace(want, "Bye, <us>\n", "See you, <us>", 1))
		i.do(t, "POST", "/v1/render", map[string]any{"content": "{{> " + strings.ToUpper(second) + "}} {{> *which}}", "data": map[string]any{"which": second}}).want(200).has("output", "second second")

		plain := i.do(t, "POST", "/v1/templates", `{"name":"p","content":"{{as it is}}","syntax":"plain"}`).want(201).object()["templateid"].(string)
		i.do(t, "POST", "/v1/templates/"+plain+"/render", `{}`).want(200).has("output", "{{as it is}}")

		a := i.do(t, "GET", path+"/variables", nil).want(200)
		var variables struct {
			Variables []struct {
				Name, Kind string
				Escaped    bool
			}
		}
		if err := json.Unmarshal(a.Body, &variables); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(variables.Variables); got != "[{name value true} {items section false} {items.title value true} {items.price value true} {footer partial false}]" {
			t.Errorf("variables %s", got)
		}
		for body, status := range map[string]int{
			`{"data":{},"strict":"yes"}`: 422, `{"data":{},"escape":"xml"}`: 422, `{"date":{}}`: 422, `{"data":{"a":1,"a":2}}`: 400, `[]`: 400,
		} {
			i.do(t, "POST", path+"/render", body).want(status)
		}
		i.do(t, "POST", "/v1/render", `{"data":{}}`).want(422)
		i.do(t, "POST", "/v1/render", `{"content":"{{#a}}"}`).want(422)
		i.do(t, "POST", path+"/render?revision=7", data).want(404)
		i.do(t, "POST", path+"/render?revision=0", data).want(400)
		i.do(t, "POST", path+"/render?revision=1&label=x", data).want(400)
		i.do(t, "POST", path+"/render?label=nosuch", data).want(404)
	})
}

func TestRenderingAlwaysEnds(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory", "RENDER_MAX_BYTES": "1000000"})
	numbers := "[" + strings.Repeat("1,", 249) + "1]"
	bomb := "{{#a}}{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}{{/a}}"
	loop := i.create(t, "loop", "x{{> loop}}")
	for _, c := range []struct{ path, body string }{
		{"/v1/render", fmt.Sprintf(`{"content":%q,"data":{"a":%s}}`, bomb, numbers)},
		{"/v1/render", fmt.Sprintf(`{"content":%q,"data":{"a":%s}}`, strings.Replace(bomb, "x", "", 1)+strings.Repeat("{{#a}}{{/a}}", 100), numbers)},
		{"/v1/render", `{"content":"{{> loop}}"}`},
		{"/v1/templates/" + loop + "/render", `{}`},
	} {
		began := time.Now()
		i.do(t, "POST", c.path, c.body).want(422)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%.60s took %v", c.body, took)
		}
	}
	i.do(t, "POST", "/v1/render", `{"content":"`+strings.Repeat("x", 9<<20)+`"}`).want(413)
}

func TestRevisionsAndLabels(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		id := i.create(t, "n", "one\n")
		path := "/v1/templates/" + id
		for _, content := range []string{"one\ntwo\n", "one\ntwo\nthree"} {
			i.do(t, "PATCH", path, map[string]any{"content": content}).want(200)
		}
		list := i.do(t, "GET", path+"/revisions?limit=2", nil).want(200)
		if got := numbers(list, "revision"); got != "[3 2]" {
			t.Errorf("revisions %s", got)
		}
		next := list.object()["next"].(string)
		if got := numbers(i.do(t, "GET", path+"/revisions?limit=2&cursor="+next, nil).want(200), "revision"); got != "[1]" {
			t.Errorf("second page %s", got)
		}
		other := i.create(t, "other", "")
		i.do(t, "GET", "/v1/templates/"+other+"/revisions?cursor="+next, nil).want(400)
		i.do(t, "GET", path+"/revisions/1", nil).want(200).has("content", "one\n").has("revision", 1).headerHas("Cache-Control", "private, max-age=31536000, immutable")
		i.do(t, "GET", path+"/revisions/4", nil).want(404)
		i.do(t, "GET", path+"/revisions/0", nil).want(400)
		i.do(t, "GET", path+"/revisions/x", nil).want(400)

		diff := i.do(t, "GET", path+"/diff", nil).want(200)
		if !strings.HasPrefix(diff.Header.Get("Content-Type"), "text/x-diff") || !strings.Contains(string(diff.Body), "+three\n\\ No newline") {
			t.Errorf("diff: %s", diff.Body)
		}
		folder := t.TempDir()
		file := filepath.Join(folder, "content")
		if err := os.WriteFile(file, []byte("one\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		patch := filepath.Join(folder, "patch")
		if err := os.WriteFile(patch, i.do(t, "GET", path+"/diff?from=1&to=3", nil).want(200).Body, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := exec.LookPath("patch"); err == nil {
			if out, err := exec.Command("patch", file, patch).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got, _ := os.ReadFile(file); string(got) != "one\ntwo\nthree" {
				t.Errorf("patched to %q", got)
			}
		}
		if same := i.do(t, "GET", path+"/diff?from=2&to=2", nil).want(200); len(same.Body) != 0 {
			t.Errorf("a revision differs from itself: %s", same.Body)
		}
		i.do(t, "GET", path+"/diff?to=1", nil).want(404)

		label := path + "/labels/production"
		i.do(t, "GET", label, nil).want(404)
		i.do(t, "PUT", label, `{"revision":2}`).want(200).has("revision", 2).has("user", "token").has("label", "production")
		i.do(t, "PUT", label, `{"revision":9}`).want(422)
		i.do(t, "PUT", path+"/labels/Bad!", `{"revision":1}`).want(400)
		for _, body := range []string{`{}`, `{"revision":0}`, `{"revision":"2"}`, `{"revision":null}`} {
			if got := i.do(t, "PUT", label, body).want(422).pointers(); !reflect.DeepEqual(got, []string{"/revision"}) {
				t.Errorf("%s: %v", body, got)
			}
		}
		i.do(t, "GET", label, nil).want(200).has("revision", 2)
		i.do(t, "POST", path+"/render?label=production", `{}`, header{"Accept", "text/plain"}).want(200)
		i.do(t, "POST", path+"/render?label=production", `{}`).want(200).has("output", "one\ntwo\n").has("revision", 2)
		i.do(t, "PUT", label, `{"revision":3}`).want(200)
		i.do(t, "POST", path+"/render?label=production", `{}`).want(200).has("revision", 3)
		i.do(t, "PUT", path+"/labels/a", `{"revision":1}`).want(200)
		if got := fmt.Sprint(i.do(t, "GET", path+"/labels", nil).want(200).object()["items"]); !strings.Contains(got, "label:a") || strings.Index(got, "label:a") > strings.Index(got, "label:production") {
			t.Errorf("labels %s", got)
		}
		i.do(t, "DELETE", label, nil).want(204)
		i.do(t, "DELETE", label, nil).want(404)
		history := i.do(t, "GET", label+"/history", nil).want(200).object()["items"].([]any)
		var moves []string
		for _, m := range history {
			o := m.(map[string]any)
			moves = append(moves, fmt.Sprintf("%v>%v", o["from"], o["to"]))
		}
		if got := strings.Join(moves, " "); got != "3><nil> 2>3 <nil>>2" {
			t.Errorf("history %s", got)
		}

		i.do(t, "POST", path+"/revisions/1/restore", nil, header{"If-Match", `"2"`}).want(412)
		i.do(t, "POST", path+"/revisions/1/restore", nil, header{"If-Match", `"3"`}).want(200).has("revision", 4).has("content", "one\n")
		i.do(t, "POST", path+"/revisions/1/restore", nil).want(200).has("revision", 4)
		i.do(t, "POST", path+"/revisions/9/restore", nil).want(404)
		i.do(t, "DELETE", path, nil).want(204)
		for _, gone := range []string{"/revisions", "/revisions/1", "/diff", "/labels", "/labels/a", "/labels/a/history", "/variables"} {
			i.do(t, "GET", path+gone, nil).want(404)
		}
		i.do(t, "POST", path+"/render", `{}`).want(404)
	})
}

// numbers are one field of the items of a list.
func numbers(a *answer, field string) string {
	var list []any
	for _, item := range a.object()["items"].([]any) {
		list = append(list, item.(map[string]any)[field])
	}
	return fmt.Sprint(list)
}

const ndjson = "application/x-ndjson"

// importLines sends lines and gives the results, in order.
func (i *service) importLines(t *testing.T, query, lines string) []string {
	t.Helper()
	response := i.raw(t, "POST", "/v1/templates/import"+query, lines, ndjson)
	if response.Status != http.StatusOK {
		t.Fatalf("import answered %d: %s", response.Status, response.Body)
	}
	var results []string
	for _, line := range bytes.Split(bytes.TrimSpace(response.Body), []byte("\n")) {
		var outcome struct {
			Line    int
			Result  string
			Problem map[string]any
		}
		if err := json.Unmarshal(line, &outcome); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if (outcome.Result == "failed") != (outcome.Problem != nil) {
			t.Errorf("%s", line)
		}
		results = append(results, fmt.Sprintf("%d %s", outcome.Line, outcome.Result))
	}
	return results
}

// raw sends a body and does not hold the answer against the document, which cannot describe streams.
func (i *service) raw(t *testing.T, method, path, body, mediaType string) *answer {
	t.Helper()
	request, err := http.NewRequest(method, i.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set(asToken.name, asToken.value)
	if body != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var received bytes.Buffer
	if _, err := received.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return &answer{Status: response.StatusCode, Header: response.Header, Body: received.Bytes(), t: t, what: method + " " + path}
}

func TestImport(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		const a, b = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
		lines := strings.Join([]string{
			`{"templateid":"` + a + `","name":"Seed","description":null,"content":"Hi","created":"2020-01-02T03:04:05","modified":"2020-01-02 03:04:05.5"}`,
			``,
			`{"templateid":"` + strings.ToUpper(b) + `","name":"","content":null,"created":"2020-01-02T03:04:05+02:00","modified":null}`,
			`{"name":"new"}`,
			`not json`,
			`{"name":"x","colour":"red"}`,
			`{"name":"x","content":"{{#broken"}`,
			`{"templateid":"x","name":"x"}`,
			`{"name":"` + strings.Repeat("n", 201) + `"}`,
			`{"templateid":"` + a + `","name":"Seed"}`,
		}, "\n")
		want := []string{"1 created", "3 created", "4 created", "5 failed", "6 failed", "7 failed", "8 failed", "9 failed", "10 failed"}
		if got := i.importLines(t, "", lines); !reflect.DeepEqual(got, want) {
			t.Errorf("%v", got)
		}
		i.do(t, "GET", "/v1/templates/"+a, nil).want(200).has("revision", 1).has("created", "2020-01-02T03:04:05.000000Z").has("modified", "2020-01-02T03:04:05.500000Z").has("description", "").has("author", "token")
		i.do(t, "GET", "/v1/templates/"+b, nil).want(200).has("name", "").has("created", "2020-01-02T01:04:05.000000Z").has("modified", nil)

		changed := `{"templateid":"` + a + `","name":"Seed","content":"Hi again"}`
		same := `{"templateid":"` + a + `","name":"Seed","content":"Hi"}`
		if got := i.importLines(t, "?on_conflict=skip", changed); !reflect.DeepEqual(got, []string{"1 skipped"}) {
			t.Errorf("%v", got)
		}
		if got := i.importLines(t, "?on_conflict=replace", same+"\n"+changed); !reflect.DeepEqual(got, []string{"1 unchanged", "2 updated"}) {
			t.Errorf("%v", got)
		}
		i.do(t, "GET", "/v1/templates/"+a, nil).want(200).has("revision", 2).has("content", "Hi again").has("created", "2020-01-02T03:04:05.000000Z")
		i.do(t, "GET", "/v1/templates/"+a+"/revisions/1", nil).want(200).has("content", "Hi")
		i.do(t, "DELETE", "/v1/templates/"+a, nil).want(204)
		if got := i.importLines(t, "", changed); !reflect.DeepEqual(got, []string{"1 failed"}) {
			t.Errorf("an id in the trash: %v", got)
		}
		if got := i.importLines(t, "?on_conflict=replace", changed); !reflect.DeepEqual(got, []string{"1 updated"}) {
			t.Errorf("%v", got)
		}
		i.do(t, "GET", "/v1/templates/"+a, nil).want(200).has("content", "Hi again")
		if status := i.raw(t, "POST", "/v1/templates/import?on_conflict=maybe", "{}", ndjson).Status; status != 400 {
			t.Errorf("a bad policy answers %d", status)
		}
		if status := i.raw(t, "POST", "/v1/templates/import", "{}", "application/json").Status; status != 415 {
			t.Errorf("a wrong media type answers %d", status)
		}
	})
}

// TestExportTravels exports a history from each engine into an empty service of another one, and again.
func TestExportTravels(t *testing.T) {
	t.Parallel()
	source := start(t, settings{"DB_ENGINE": "memory"})
	for n := range 30 {
		id := source.create(t, fmt.Sprintf("t%d", n), fmt.Sprintf("first of %d 🎉\r\n", n))
		path := "/v1/templates/" + id
		for r := range n % 4 {
			source.do(t, "PATCH", path, map[string]any{"content": fmt.Sprintf("%d.%d", n, r)}).want(200)
		}
		if n%5 == 0 {
			source.do(t, "PUT", path+"/labels/production", `{"revision":1}`).want(200)
			source.do(t, "PUT", path+"/labels/b", `{"revision":1}`).want(200)
		}
		if n%7 == 0 {
			source.do(t, "DELETE", path, nil).want(204)
		}
	}
	const everything = "/v1/templates/export?revisions=true&deleted=true"
	first := source.raw(t, "GET", everything, "", "").want(200)
	if got := first.Header.Get("Content-Type"); got != ndjson {
		t.Errorf("the export is %s", got)
	}
	if lines := bytes.Count(first.Body, []byte("\n")); lines < 60 {
		t.Fatalf("%d lines", lines)
	}
	living := source.raw(t, "GET", "/v1/templates/export", "", "").want(200)
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			target := start(t, engine.open(t))
			for _, result := range target.importLines(t, "", string(first.Body)) {
				if strings.HasSuffix(result, "failed") {
					t.Fatalf("line %s", result)
				}
			}
			if again := target.raw(t, "GET", everything, "", "").want(200); !bytes.Equal(again.Body, first.Body) {
				t.Errorf("the export of %s is another:\n%.600s\nwanted\n%.600s", engine.name, again.Body, first.Body)
			}
			if again := target.raw(t, "GET", "/v1/templates/export", "", "").want(200); !bytes.Equal(again.Body, living.Body) {
				t.Errorf("the export of the living from %s is another", engine.name)
			}
		})
	}
}

// TestLabelsAndPartialsOfTwoInstances shows that what a render takes from others is never stale elsewhere.
func TestLabelsAndPartialsOfTwoInstances(t *testing.T) {
	t.Parallel()
	s := postgresSettings(t)
	maps.Copy(s, redisSettings(servers.Redis(t)))
	writer, reader := start(t, s), start(t, s)
	part := writer.create(t, "part", "1")
	id := writer.create(t, "whole", "{{> part}}")
	path := "/v1/templates/" + id
	for n := 2; n < 8; n++ {
		reader.do(t, "POST", path+"/render", `{}`).want(200)
		writer.do(t, "PATCH", "/v1/templates/"+part, map[string]any{"content": fmt.Sprint(n)}).want(200)
		writer.do(t, "POST", path+"/render", `{}`).want(200).has("output", n)
		writer.do(t, "PUT", "/v1/templates/"+part+"/labels/l", map[string]any{"revision": n}).want(200)
		writer.do(t, "POST", "/v1/templates/"+part+"/render?label=l", `{}`).want(200).has("output", n)
		time.Sleep(200 * time.Millisecond)
		reader.do(t, "POST", path+"/render", `{}`).want(200).has("output", n)
		reader.do(t, "POST", "/v1/templates/"+part+"/render?label=l", `{}`).want(200).has("output", n)
	}
}
