package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestPlay(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		path := i.do(t, "POST", "/v1/characters", tordek).want(201).Header.Get("Location")
		post := func(what, body string, headers ...header) *answer {
			return i.do(t, "POST", path+"/"+what, body, headers...)
		}

		i.do(t, "PATCH", path, `{"state":{"temp_hp":3}}`).want(200)
		post("damage", `{"amount":7}`, header{"If-Match", `"1"`}).want(412)
		post("damage", `{"amount":7}`, header{"If-Match", `"2"`}).want(200).has("revision", 3).headerHas("ETag", `"3"`).hasAt(30, "state", "hp").hasAt(0, "state", "temp_hp")
		post("heal", `{"amount":1}`).want(200).hasAt(31, "state", "hp")
		post("rest", `{"kind":"short","hit_dice":1}`).want(200).hasAt("map[d10:1]", "state", "hit_dice_used")
		post("heal", `{"amount":1000000}`).want(200).hasAt(34, "state", "hp")
		post("damage", `{"amount":1000000}`).want(200).hasAt(0, "state", "hp")
		post("rest", `{"kind":"long"}`).want(422)
		post("heal", `{"amount":1}`).want(200)
		post("rest", `{"kind":"long"}`).want(200).hasAt(34, "state", "hp").hasAt("map[]", "state", "hit_dice_used")
		before := i.do(t, "GET", path, nil).want(200).object()["revision"]
		post("heal", `{"amount":1}`).want(200).has("revision", before) // nothing changed

		post("level-up", `{"class":"fighter"}`).want(422)
		post("xp", `{"amount":1800}`).want(200).has("xp", 2700).has("level", 3)
		post("level-up", `{"class":"fighter","hit_points":"average","choices":{"improvements":[{"level":4,"abilities":{"str":2}}]}}`).want(200).
			has("level", 4).hasAt(44, "derived", "max_hp").hasAt(17, "derived", "abilities", "str", "score").hasAt("[]", "derived", "pending")
		post("xp", `{"amount":1000000}`).want(200)
		if text := string(post("level-up", `{"class":"wizard"}`).want(422).Body); !strings.Contains(text, "13") {
			t.Errorf("the prerequisite is told as %s", text)
		}
		rolled := post("level-up", `{"class":"fighter","hit_points":"rolled"}`).want(200).has("level", 5)
		if hp := rolled.at("derived", "max_hp").(float64); hp < 44+1+3+1 || hp > 44+10+3+1 {
			t.Errorf("a d10 with Constitution 16 and dwarven toughness brought 44 hit points to %v", hp)
		}

		for what, bodies := range map[string][]string{
			"damage": {`{}`, `{"amount":0}`, `{"amount":-1}`, `{"amount":1.5}`, `{"amount":"7"}`, `{"amount":7,"kind":"fire"}`, `{"amount":1000001}`, `{"amount":null}`},
			"heal":   {`{}`, `{"amount":99999999999999999999}`},
			"xp":     {`{}`, `{"amount":1000000000}`},
			"rest":   {`{}`, `{"kind":"nap"}`, `{"kind":"short","hit_dice":-1}`, `{"kind":"short","hit_dice":6}`, `{"kind":"long","hit_dice":1}`},
			"level-up": {`{}`, `{"class":"knight"}`, `{"class":"fighter","hit_points":"max"}`, `{"class":"fighter","choices":{"skills":["arcana"]}}`,
				`{"class":"fighter","choices":{"skills":"athletics"}}`, `{"class":"fighter","choices":{"luck":[]}}`},
		} {
			for _, body := range bodies {
				if a := post(what, body).want(422); len(a.pointers()) == 0 {
					t.Errorf("%s %s: no pointer: %s", what, body, a.Body)
				}
			}
			post(what, ``).want(400)
			post(what, `[]`).want(400)
			post(what, `{"amount":1}`, header{"Content-Type", ""}, header{"Content-Type", "text/plain"}).want(415)
		}
		i.do(t, "GET", path, nil).want(200).has("level", 5)
	})
}

func TestDamageIsNeverLost(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		const blows = 40
		path := i.do(t, "POST", "/v1/characters", `{"name":"wall","race":"hill-dwarf","class":"barbarian","level":20}`).want(201).Header.Get("Location")
		full := int(i.do(t, "GET", path, nil).want(200).at("state", "hp").(float64))
		var fighters sync.WaitGroup
		var first []byte // answer to blow 0
		for n := range blows {
			fighters.Go(func() {
				body := fmt.Sprintf(`{"amount":%d}`, 1+n%3)
				key := header{"Idempotency-Key", fmt.Sprintf("blow-%d", n)}
				for repeat := range 2 { // the second does nothing
					a := i.do(t, "POST", path+"/damage", body, key)
					if a.Status != 200 {
						t.Errorf("blow %d: %d %s", n, a.Status, a.Body)
					}
					if n == 0 && repeat == 0 {
						first = a.Body
					}
				}
			})
		}
		for range 5 {
			fighters.Go(func() {
				if a := i.do(t, "PATCH", path, `{"player":"someone else"}`); a.Status != 200 {
					t.Errorf("%d %s", a.Status, a.Body)
				}
			})
		}
		fighters.Wait()
		lost := 0
		for n := range blows {
			lost += 1 + n%3
		}
		i.do(t, "GET", path, nil).want(200).hasAt(full-lost, "state", "hp").has("revision", blows+2).has("player", "someone else")
		a := i.do(t, "POST", path+"/damage", `{"amount":1}`, header{"Idempotency-Key", "blow-0"}).want(200).headerHas("Idempotency-Replayed", "true")
		if string(a.Body) != string(first) {
			t.Errorf("the answer to blow 0 was %s, and is now %s", first, a.Body)
		}
		i.do(t, "POST", path+"/damage", `{"amount":9}`, header{"Idempotency-Key", "blow-0"}).want(422)
		i.do(t, "POST", path+"/heal", `{"amount":1}`, header{"Idempotency-Key", "blow-0"}).want(422)

		// Of any number of writers with the same If-Match, exactly one wins.
		tag := i.do(t, "GET", path, nil).want(200).Header.Get("ETag")
		won := make(chan int, blows)
		for range 12 {
			fighters.Go(func() {
				if a := i.do(t, "POST", path+"/damage", `{"amount":1}`, header{"If-Match", tag}); a.Status == 200 {
					won <- 1
				} else if a.Status != 412 {
					t.Errorf("%d %s", a.Status, a.Body)
				}
			})
		}
		fighters.Wait()
		if len(won) != 1 {
			t.Errorf("%d of those who brought %s won", len(won), tag)
		}
	})
}

func TestRolls(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		made := i.do(t, "POST", "/v1/rolls", `{"notation":"4d6dl1","count":6,"seed":null}`).want(201)
		o := made.object()
		rolls := o["rolls"].([]any)
		if len(rolls) != 6 || len(o["seed"].(string)) < 16 {
			t.Fatalf("rolled %s", made.Body)
		}
		base := map[string]any{}
		for n, each := range rolls {
			r := each.(map[string]any)
			sum := -r["dropped"].([]any)[0].(float64)
			for _, die := range r["dice"].([]any) {
				sum += die.(float64)
			}
			if sum != r["total"] || len(r["dice"].([]any)) != 4 {
				t.Errorf("4d6dl1 gave %v", r)
			}
			base[[]string{"str", "dex", "con", "int", "wis", "cha"}[n]] = r["total"]
		}
		path := "/v1/rolls/" + o["rollid"].(string)
		made.headerHas("Location", path)
		got := i.do(t, "GET", path, nil).want(200).headerHas("Cache-Control", "private, max-age=31536000, immutable")
		if string(got.Body) != string(made.Body) {
			t.Errorf("made %s, read %s", made.Body, got.Body)
		}
		i.do(t, "GET", path, nil, header{"If-None-Match", got.Header.Get("ETag")}).want(304)
		i.do(t, "GET", "/v1/rolls/00000000-0000-0000-0000-000000000000", nil).want(404)

		// The same seed gives the same dice, whoever throws them.
		seeded := func() string {
			return fmt.Sprint(i.do(t, "POST", "/v1/rolls", `{"notation":"10d20+1","count":3,"seed":"`+o["seed"].(string)+`"}`).want(201).has("seed", o["seed"]).object()["rolls"])
		}
		if first := seeded(); first != seeded() {
			t.Error("the same seed gave other dice")
		}

		// A roll gives one character its scores.
		hero := func(rollid any) map[string]any {
			return map[string]any{"name": "x", "race": "human", "class": "monk", "abilities": map[string]any{"method": "rolled", "rollid": rollid, "base": base}}
		}
		character := i.do(t, "POST", "/v1/characters", hero(strings.ToUpper(o["rollid"].(string)))).want(201).hasAt(o["rollid"], "abilities", "rollid").Header.Get("Location")
		i.do(t, "PUT", character, hero(o["rollid"])).want(200).has("revision", 1)
		chosen := i.do(t, "POST", "/v1/rolls", `{"notation":"4d6dl1","count":6,"seed":"mine"}`).want(201).object()["rollid"]
		other := i.do(t, "POST", "/v1/rolls", `{"notation":"3d6","count":6}`).want(201).object()["rollid"]
		for _, refused := range []any{o["rollid"], chosen, other, "0190a5d2-7c1e-7d35-9a51-3f1c5ad2b6e4"} {
			if got := i.do(t, "POST", "/v1/characters", hero(refused)).want(422).pointers(); len(got) != 1 || got[0] != "/abilities/rollid" {
				t.Errorf("the roll %v is refused at %v", refused, got)
			}
		}

		i.do(t, "POST", "/v1/rolls", `{"notation":"1d6"}`).want(201)
		for _, body := range []string{`{}`, `{"notation":""}`, `{"notation":"d"}`, `{"notation":"7"}`, `{"notation":"101d6"}`, `{"notation":"1d1001"}`, `{"notation":"4d6dl4"}`, `{"notation":"2d20kx1"}`,
			`{"notation":"1d6","count":0}`, `{"notation":"1d6","count":101}`, `{"notation":"1d6","count":null}`, `{"notation":"1d6","seed":7}`, `{"notation":"1d6","seed":""}`, `{"notation":"1d6","sides":6}`,
			`{"notation":"` + strings.Repeat("100d6+", 9) + `100d6","count":100}`} {
			i.do(t, "POST", "/v1/rolls", body).want(422)
		}
	})
}
