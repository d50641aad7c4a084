package e2e

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tordek is a character with every choice made.
const tordek = `{"name":"  Tordek ","race":"hill-dwarf","class":"fighter","background":"acolyte","alignment":"lawful-good","level":3,
	"abilities":{"method":"standard-array","base":{"str":15,"dex":13,"con":14,"int":8,"wis":12,"cha":10}},
	"choices":{"skills":["athletics","perception"],"languages":["elvish","giant"],"fighting_style":"defense","tools":["smiths-tools"]},
	"subclass":"champion","equipment":[{"item":"chain-mail","count":1,"equipped":true}],"state":{"currency":{"gp":15}}}`

// at follows a path of names through a JSON object.
func (a *answer) at(path ...string) any {
	a.t.Helper()
	var value any = a.object()
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			a.t.Fatalf("%s: %v has no %s: %s", a.what, path, name, a.Body)
		}
		value = object[name]
	}
	return value
}

// hasAt ends the test unless what stands at the path is the value, compared as it prints.
func (a *answer) hasAt(value any, path ...string) *answer {
	a.t.Helper()
	if got := a.at(path...); fmt.Sprint(got) != fmt.Sprint(value) {
		a.t.Fatalf("%s: %v is wanted to be %v, is %v", a.what, path, value, got)
	}
	return a
}

func TestCharacterLife(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		made := i.do(t, "POST", "/v1/characters", tordek).want(201).headerHas("ETag", `"1"`)
		o := made.object()
		id := o["characterid"].(string)
		path := "/v1/characters/" + id
		made.headerHas("Location", path).has("name", "Tordek").has("xp", 900).has("author", "token").has("revision", 1).
			hasAt(34, "state", "hp").hasAt(34, "derived", "max_hp").hasAt(17, "derived", "armor_class").hasAt("3d10", "derived", "hit_dice").
			hasAt(4, "derived", "abilities", "str", "save").hasAt("[]", "derived", "pending").hasAt("<nil>", "derived", "spellcasting")
		for _, field := range []string{"created", "modified"} {
			if text, _ := o[field].(string); !microseconds.MatchString(text) {
				t.Errorf("%s is %v", field, o[field])
			}
		}
		got := i.do(t, "GET", path, nil).want(200).headerHas("ETag", `"1"`).headerHas("Cache-Control", "private, no-cache")
		if string(got.Body) != string(made.Body) || got.Header.Get("Last-Modified") == "" {
			t.Errorf("GET answers %s, POST answered %s", got.Body, made.Body)
		}
		if upper := i.do(t, "GET", "/v1/characters/"+strings.ToUpper(id), nil).want(200); string(upper.Body) != string(made.Body) {
			t.Errorf("the id in upper case answers %s", upper.Body)
		}
		if head := i.do(t, "HEAD", path, nil).want(200).headerHas("ETag", `"1"`); len(head.Body) != 0 || head.Header.Get("Content-Length") != fmt.Sprint(len(made.Body)) {
			t.Errorf("HEAD: %d bytes, Content-Length %s", len(head.Body), head.Header.Get("Content-Length"))
		}
		i.do(t, "GET", path, nil, header{"If-None-Match", `"7", W/"1"`}).want(304)
		i.do(t, "GET", path, nil, header{"If-None-Match", `"2"`}).want(200)

		// What was read can be changed and sent back, the server's fields with it.
		i.do(t, "PUT", path, o, header{"If-Match", `"1"`}).want(200).has("revision", 1) // nothing changed
		o["player"], o["derived"], o["revision"] = "Ann", "nonsense", -1
		i.do(t, "PUT", path, o, header{"If-Match", `"1"`}).want(200).has("revision", 2).headerHas("ETag", `"2"`)
		i.do(t, "PUT", path, o, header{"If-Match", `"1"`}).want(412)
		i.do(t, "PUT", path, `{"name":"Bare","race":"human","class":"wizard"}`).want(200).has("revision", 3).has("level", 1).has("xp", 0).
			has("player", "").has("equipment", "[]").hasAt(6, "state", "hp")
		i.do(t, "PUT", path, o).want(200).has("revision", 4)

		merge := []header{{"Content-Type", ""}, {"Content-Type", "application/merge-patch+json"}}
		i.do(t, "PATCH", path, `{"state":{"temp_hp":5,"currency":{"sp":3}}}`, append(merge, header{"If-Match", `*`})...).want(200).has("revision", 5).
			hasAt(34, "state", "hp").hasAt(5, "state", "temp_hp").hasAt("map[gp:15 sp:3]", "state", "currency").has("player", "Ann")
		i.do(t, "PATCH", path, `{"state":{"currency":{"gp":null}},"player":null,"choices":{"skills":["athletics"]}}`).want(200).has("player", "").
			hasAt("map[sp:3]", "state", "currency").hasAt("[athletics]", "choices", "skills").hasAt("defense", "choices", "fighting_style")
		i.do(t, "PATCH", path, `{"choices":{"fighting_style":null,"tools":null},"equipment":[{"item":"shield","equipped":true}]}`).want(200).
			hasAt("", "choices", "fighting_style").hasAt(13, "derived", "armor_class")
		i.do(t, "PATCH", path, `{"state":{"hp":10}}`).want(200).hasAt(10, "state", "hp")
		i.do(t, "PATCH", path, `{"state":null}`).want(200).hasAt(34, "state", "hp").hasAt(0, "state", "temp_hp")
		i.do(t, "PATCH", path, `{}`).want(200).has("revision", 9)
		for body, pointers := range map[string][]string{
			`{"name":null}`:           {"/name"},
			`{"race":null}`:           {"/race"},
			`{"colour":null}`:         {"/colour"},
			`{"state":{"mana":null}}`: {"/state/mana"},
			`{"state":{"hp":"x","currency":{"gp":"x"}}}`:              {"/state/currency/gp", "/state/hp"},
			`{"state":{"hp":35}}`:                                     {"/state/hp"},
			`{"choices":{"skills":["athletics","arcana"]}}`:           {"/choices/skills/1"},
			`{"choices":{"skill":["athletics"]}}`:                     {"/choices/skill"},
			`{"characterid":"` + strings.ToUpper(id) + `","level":4}`: {"/level"},
			`{"characterid":"0190a5d2-7c1e-7d35-9a51-3f1c5ad2b6e4"}`:  {"/characterid"},
			`{"equipment":[{"item":"shield","count":null}]}`:          {"/equipment/0/count"},
			`{"abilities":{"base":{"str":{"a":{"b":1}}}}}`:            {"/abilities/base/str"},
			`{"abilities":7,"choices":[],"state":"x"}`:                {"/abilities", "/choices", "/state"},
			`{"multiclass":[7,{"class":"wizard","lvl":1}]}`:           {"/multiclass/0", "/multiclass/1/lvl"},
		} {
			if got := i.do(t, "PATCH", path, body).want(422).pointers(); !slices.Equal(slices.Sorted(slices.Values(got)), pointers) {
				t.Errorf("PATCH %s: pointers %v, wanted %v", body, got, pointers)
			}
		}
		i.do(t, "GET", path, nil).want(200).has("revision", 9)

		i.do(t, "DELETE", path, nil, header{"If-Match", `"8"`}).want(412)
		i.do(t, "DELETE", path, nil, header{"If-Match", `"9"`}).want(204)
		for _, method := range []string{"GET", "DELETE"} {
			i.do(t, method, path, nil).want(404)
		}
		i.do(t, "PUT", path, tordek).want(404)
		i.do(t, "PATCH", path, `{}`).want(404)
		i.do(t, "POST", path+"/damage", `{"amount":1}`).want(404)
		i.do(t, "GET", path+"/sheet", nil).want(404)
		chosen := `{"characterid":"` + strings.ToUpper(id) + `","name":"x","race":"human","class":"monk"}`
		i.do(t, "POST", "/v1/characters", chosen).want(409)
		i.do(t, "POST", "/v1/characters", chosen, header{"If-None-Match", "*"}).want(412)
		trash := i.do(t, "GET", "/v1/characters?deleted=true&count=true", nil).want(200).has("total", 1).object()["items"].([]any)
		if item := trash[0].(map[string]any); item["characterid"] != id || !microseconds.MatchString(fmt.Sprint(item["deleted"])) {
			t.Errorf("the trash has %v", item)
		}
		key := header{"Idempotency-Key", "undelete-it"}
		i.do(t, "POST", path+"/undelete", nil, key).want(200).has("revision", 9).headerHas("ETag", `"9"`)
		i.do(t, "POST", path+"/undelete", `{}`).want(409)
		i.do(t, "POST", path+"/undelete", nil, key).want(200).headerHas("Idempotency-Replayed", "true")
		i.do(t, "GET", path, nil).want(200).has("revision", 9)
	})
}

func TestCharactersThatTheRulesForbid(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory"})
	path := i.do(t, "POST", "/v1/characters", tordek).want(201).Header.Get("Location")
	for body, pointers := range map[string][]string{
		`{}`:                                    {"/class", "/name", "/race"},
		`{"name":" ","race":"dwarf","class":7}`: {"/class"}, // the shape first
		`{"name":" ","race":"dwarf","class":"knight"}`:                                                                                 {"/class", "/name", "/race"},
		`{"name":"x","race":"human","class":"monk","level":21}`:                                                                        {"/level"},
		`{"name":"x","race":"human","class":"monk","level":1.5,"xp":"7"}`:                                                              {"/level", "/xp"},
		`{"name":"x","race":"human","class":"monk","level":null,"state":null}`:                                                         {"/level", "/state"},
		`{"name":"x","race":"human","class":"monk","Level":1,"choices":{"Skills":[]}}`:                                                 {"/Level", "/choices/Skills"},
		`{"name":"x","race":"human","class":"monk","spells":["fireball"]}`:                                                             {"/spells/0"},
		`{"name":"x","race":"human","class":"monk","state":{"hp":100}}`:                                                                {"/state/hp"},
		`{"name":"x","race":"human","class":"monk","abilities":{"rollid":"x"}}`:                                                        {"/abilities/rollid"},
		`{"name":"x","race":"human","class":"monk","equipment":[{"item":"plate","equipped":true},{"item":"leather","equipped":true}]}`: {"/equipment/1/equipped"},
		`{"name":"x","race":"human","class":"monk","abilities":{"method":"point-buy","base":{"str":15,"dex":15,"con":15,"int":15}}}`:   {"/abilities/base"},
		`{"name":"x","race":"human","class":"monk","choices":{"improvements":[{"level":4,"abilities":{"str":1.5}}]}}`:                  {"/choices/improvements/0/abilities/str"},
		`{"name":"x","race":"human","class":"monk","level":99999999999999999999}`:                                                      {"/level"},
	} {
		for _, to := range []struct{ method, path string }{{"POST", "/v1/characters"}, {"PUT", path}} {
			if got := i.do(t, to.method, to.path, body).want(422).pointers(); !slices.Equal(slices.Sorted(slices.Values(got)), pointers) {
				t.Errorf("%s %s: pointers %v, wanted %v", to.method, body, got, pointers)
			}
		}
	}
	for _, broken := range []string{``, `{`, `[]`, `null`, `{"name":"a","name":"b"}`, `{"name":"x","derived":{"a":1,"a":2}}`, `{"name":"\ud800"}`, `{"name":"x"}{}`, "{\"name\":\"\xff\"}"} {
		i.do(t, "POST", "/v1/characters", broken).want(400)
		i.do(t, "PATCH", path, broken).want(400)
	}
	i.do(t, "POST", "/v1/characters", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`).want(413)
	i.do(t, "POST", "/v1/characters", `{"name":"`+strings.Repeat("x", 1<<19)+`"}`).want(422)
	i.do(t, "POST", "/v1/characters", tordek, header{"Content-Type", ""}, header{"Content-Type", "application/merge-patch+json"}).want(415)
	deep := strings.Repeat(`{"state":`, 9000) + "1" + strings.Repeat("}", 9000)
	i.do(t, "PATCH", path, deep).want(422)
	for _, bad := range []string{"x", "7", strings.Repeat("0", 36), "urn:uuid:0190a5d2-7c1e-7d35-9a51-3f1c5ad2b6e4"} {
		i.do(t, "GET", "/v1/characters/"+bad, nil).want(400)
		i.do(t, "GET", "/v1/characters/"+bad+"/sheet", nil).want(400)
		i.do(t, "POST", "/v1/characters/"+bad+"/damage", `{"amount":1}`).want(400)
		i.do(t, "GET", "/v1/rolls/"+bad, nil).want(400)
	}
	for _, bad := range []string{"3", `"3`, `*, "1"`} {
		i.do(t, "PATCH", path, `{}`, header{"If-Match", bad}).want(400)
		i.do(t, "POST", path+"/heal", `{"amount":1}`, header{"If-Match", bad}).want(400)
	}
	i.do(t, "PATCH", "/v1/characters", `{}`).want(405)

	// What an item's count and the rest of the shape default to.
	i.do(t, "POST", "/v1/characters", `{"name":"x","race":"human","class":"monk","equipment":[{"item":"dart"}]}`).want(201).
		hasAt(`[map[count:1 equipped:false item:dart]]`, "equipment")
}

func TestCharacterScopes(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory"})
	key := func(scopes ...string) header {
		return asKey(i.do(t, "POST", "/v1/keys", map[string]any{"user": "u", "scopes": scopes}).want(201).object()["key"].(string))
	}
	path := i.do(t, "POST", "/v1/characters", tordek).want(201).Header.Get("Location")
	template := i.create(t, "sheet", "{{name}}")
	reader, writer, other := key("characters:read"), key("characters:write"), key("templates:read", "templates:write")
	for _, get := range []string{path, "/v1/characters", path + "/sheet", "/v1/rules", "/v1/rules/races", "/v1/rules/races/human"} {
		i.do(t, "GET", get, nil, reader).want(200)
		i.do(t, "GET", get, nil, writer).want(403)
		i.do(t, "GET", get, nil, other).want(403)
		i.do(t, "GET", get, nil, anonymous).want(401)
	}
	i.do(t, "GET", path+"/sheet?template="+template, nil, reader).want(403)
	i.do(t, "GET", path+"/sheet?template="+template, nil, key("characters:read", "templates:read")).want(200)
	for _, post := range []struct{ path, body string }{{"/v1/characters", tordek}, {path + "/damage", `{"amount":1}`}, {"/v1/rolls", `{"notation":"1d6"}`}} {
		i.do(t, "POST", post.path, post.body, reader).want(403)
		i.do(t, "POST", post.path, post.body, other).want(403)
		if a := i.do(t, "POST", post.path, post.body, writer); a.Status >= 300 {
			t.Errorf("%s answers %d to who may write", post.path, a.Status)
		}
	}
}

func TestCharacterIdempotency(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		key := header{"Idempotency-Key", "make-it"}
		first := i.do(t, "POST", "/v1/characters", tordek, key).want(201)
		path := first.Header.Get("Location")
		i.do(t, "PATCH", path, `{"name":"changed since"}`).want(200)
		again := i.do(t, "POST", "/v1/characters", tordek, key).want(201).headerHas("Idempotency-Replayed", "true").headerHas("Location", path).headerHas("ETag", `"1"`)
		if string(again.Body) != string(first.Body) {
			t.Errorf("replayed %s, first was %s", again.Body, first.Body)
		}
		i.do(t, "POST", "/v1/characters", strings.Replace(tordek, "Tordek", "Other", 1), key).want(422)
		i.do(t, "POST", "/v1/rolls", `{"notation":"1d6"}`, key).want(422)
		i.do(t, "POST", "/v1/characters", tordek, header{"Idempotency-Key", "a b"}).want(400)
		roll := header{"Idempotency-Key", "roll-it"}
		thrown := i.do(t, "POST", "/v1/rolls", `{"notation":"8d1000"}`, roll).want(201)
		if same := i.do(t, "POST", "/v1/rolls", `{"notation":"8d1000"}`, roll).want(201).headerHas("Idempotency-Replayed", "true"); string(same.Body) != string(thrown.Body) {
			t.Errorf("a repeated roll fell anew: %s, %s", thrown.Body, same.Body)
		}
	})
}

func TestCharacterLists(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		const count = 23
		want := map[string]bool{}
		for n := range count {
			body := map[string]any{"name": fmt.Sprintf("hero %02d", n), "player": []string{"Ann", "Bob"}[n%2], "race": []string{"human", "hill-dwarf", "tiefling"}[n%3], "class": []string{"monk", "bard"}[n%2], "level": 1 + n%4}
			if n%4 == 3 {
				body["multiclass"], body["abilities"] = []any{map[string]any{"class": "rogue", "level": 1}}, map[string]any{"method": "manual",
					"base": map[string]int{"str": 13, "dex": 13, "con": 13, "int": 13, "wis": 13, "cha": 13}}
			}
			want[i.do(t, "POST", "/v1/characters", body).want(201).object()["characterid"].(string)] = true
		}
		for _, sort := range []string{"created", "-created", "modified", "-modified", "name", "-name"} {
			next, seen, last := "/v1/characters?limit=5&sort="+sort, map[string]bool{}, ""
			for pages := 0; next != ""; pages++ {
				if pages > count {
					t.Fatal("the walk does not end")
				}
				a := i.do(t, "GET", next, nil).want(200).headerHas("Cache-Control", "private, no-cache")
				for _, item := range a.object()["items"].([]any) {
					o := item.(map[string]any)
					id, key := o["characterid"].(string), o[strings.TrimPrefix(sort, "-")].(string)
					if seen[id] || o["derived"] == nil {
						t.Errorf("%s: %v is there twice or has nothing derived", sort, o)
					}
					if last != "" && (key < last) != strings.HasPrefix(sort, "-") && key != last {
						t.Errorf("%s: %s behind %s", sort, key, last)
					}
					seen[id], last = true, key
				}
				link := regexp.MustCompile(`^<([^>]+)>; rel="next"$`).FindStringSubmatch(a.Header.Get("Link"))
				if cursor, _ := a.object()["next"].(string); (link == nil) != (cursor == "") {
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
			a := i.do(t, "GET", "/v1/characters?count=true&limit=100&"+query, nil).want(200).has("total", wanted)
			if items := a.object()["items"].([]any); len(items) != wanted {
				t.Errorf("%s: %d items of %d", query, len(items), wanted)
			}
		}
		total("class=bard", 11)
		total("class=rogue", 5)
		total("class=wizard", 0)
		total("race=human", 8)
		total("race=elf", 0)
		total("player=Ann", 12)
		total("player=ann", 0)
		total("player=", 0)
		total("level_min=4", 5)
		total("level_min=2&level_max=3", 12)
		total("level_min=3&level_max=2", 0)
		total("q="+url.QueryEscape("ANN human"), 4)
		total("q="+url.QueryEscape("dwarf 07"), 1)
		total("q=nobody", 0)
		total("race=hill-dwarf&class=bard&player=Bob", 4)
		first := i.do(t, "GET", "/v1/characters?limit=5", nil).want(200).object()["next"].(string)
		for _, bad := range []string{"limit=0", "limit=101", "level_min=0", "level_min=21", "level_max=x", "class=", "sort=level", "name=x", "include=content", "count=yes", "cursor=AAAA",
			"class=monk&class=bard", "race=human&cursor=" + first, "sort=name&cursor=" + first, "cursor=" + flip(first), "player=%ff"} {
			i.do(t, "GET", "/v1/characters?"+bad, nil).want(400)
		}
	})
}
