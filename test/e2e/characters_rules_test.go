package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// choice is what GET /v1/rules/... and derived.pending offer.
type choice struct {
	Field  string
	Choose int
	From   []string
	Level  int
	Class  string
}

// choicesAt reads the choices at the path of an answer.
func choicesAt(a *answer, path ...string) []choice {
	a.t.Helper()
	text, err := json.Marshal(a.at(path...))
	if err != nil {
		a.t.Fatal(err)
	}
	var list []choice
	if err := json.Unmarshal(text, &list); err != nil {
		a.t.Fatalf("%s: %v", a.what, err)
	}
	return list
}

// stranger is a client without any knowledge of the game: it knows the shape of the object, and takes the first few of
// whatever it is offered.
type stranger struct {
	t       *testing.T
	service *service
	object  map[string]any
	path    string
}

// take puts what it chooses into the object.
func (s *stranger) take(c choice) {
	s.t.Helper()
	if c.Field == "choices.improvements" {
		s.improve(c)
		return
	}
	at, names := s.object, strings.Split(c.Field, ".")
	for n := 0; n < len(names)-1; n++ {
		switch next := at[names[n]].(type) {
		case map[string]any:
			at = next
		case []any:
			n++
			index, err := strconv.Atoi(names[n])
			if err != nil {
				s.t.Fatalf("%s is no place in a list", c.Field)
			}
			at = next[index].(map[string]any)
		default:
			made := map[string]any{}
			at[names[n]], at = made, made
		}
	}
	last := names[len(names)-1]
	switch old := at[last].(type) {
	case string:
		at[last] = c.From[0]
	default:
		if number, err := strconv.Atoi(c.From[0]); err == nil {
			at[last] = number
			return
		}
		list, _ := old.([]any)
		for _, slug := range c.From {
			if c.Choose > 0 && !slices.Contains(list, any(slug)) {
				list, c.Choose = append(list, slug), c.Choose-1
			}
		}
		at[last] = list
	}
}

// improve spends points on one ability or, where only one of them fits, on two.
func (s *stranger) improve(c choice) {
	choices := s.object["choices"].(map[string]any)
	list, _ := choices["improvements"].([]any)
	points := map[string]any{}
	for n := range c.Choose {
		points[c.From[n%len(c.From)]] = 1
	}
	choices["improvements"] = append(list, map[string]any{"level": c.Level, "class": c.Class, "abilities": points})
}

// settle follows what is pending until nothing is.
func (s *stranger) settle(a *answer) *answer {
	s.t.Helper()
	for range 10 {
		s.object, s.path = a.object(), "/v1/characters/"+a.object()["characterid"].(string)
		pending := choicesAt(a, "derived", "pending")
		if len(pending) == 0 {
			return a
		}
		for _, c := range pending {
			s.take(c)
		}
		a = s.service.do(s.t, "PUT", s.path, s.object, header{"If-Match", a.Header.Get("ETag")}).want(200)
	}
	s.t.Fatalf("it never ends: %s", a.Body)
	return nil
}

func slugsOf(a *answer) []string {
	a.t.Helper()
	var list []string
	for _, item := range a.object()["items"].([]any) {
		list = append(list, item.(map[string]any)["slug"].(string))
	}
	return list
}

// TestEveryCharacterIsBuiltFromTheRules builds a character of every race and class by nothing but the choices that
// GET /v1/rules/... and derived.pending offer.
func TestEveryCharacterIsBuiltFromTheRules(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory"})
	get := func(path string) *answer { return i.do(t, "GET", "/v1/rules"+path, nil).want(200) }
	common, background := choicesAt(get(""), "choices"), choicesAt(get("/backgrounds/acolyte"), "choices")
	races, classes := slugsOf(get("/races")), slugsOf(get("/classes"))
	if len(races) < 9 || len(classes) != 12 {
		t.Fatalf("races %v, classes %v", races, classes)
	}
	// The shape of an object, where a client sees which fields are lists.
	shape := i.do(t, "POST", "/v1/characters", map[string]any{"name": "shape", "race": races[0], "class": classes[0]}).want(201)
	ofClass := map[string][]choice{}
	for _, class := range classes {
		ofClass[class] = choicesAt(get("/classes/"+class), "choices")
	}
	for _, race := range races {
		ofRace := choicesAt(get("/races/"+race), "choices")
		for _, class := range classes {
			s := &stranger{t: t, service: i, object: shape.object()}
			for _, field := range []string{"characterid", "state", "xp", "level"} {
				delete(s.object, field)
			}
			for _, c := range slices.Concat(common, background, ofClass[class], ofRace) {
				if c.Field != "choices.expertise" { // from the skills that are chosen: pending tells which
					s.take(c)
				}
			}
			s.object["name"], s.object["race"], s.object["class"] = "Nobody", race, class
			made := i.do(t, "POST", "/v1/characters", s.object).want(201)
			done := s.settle(made).has("level", 1)
			if base := done.at("abilities", "base").(map[string]any); len(base) != 6 || done.object()["background"] != "acolyte" {
				t.Errorf("%s %s: %s", race, class, done.Body)
			}
			// Who does not read the rules gets there too, by what is pending alone.
			other := &stranger{t: t, service: i}
			other.settle(i.do(t, "POST", "/v1/characters", map[string]any{"name": "Nobody", "race": race, "class": class}).want(201))
		}
	}
}

// TestEveryClassReachesLevel20 raises a character of every class, and one of several, by nothing but what is pending.
func TestEveryClassReachesLevel20(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory"})
	raise := func(t *testing.T, first string, further ...string) {
		scores := map[string]int{"str": 15, "dex": 14, "con": 13, "int": 13, "wis": 13, "cha": 13}
		s := &stranger{t: t, service: i}
		s.settle(i.do(t, "POST", "/v1/characters", map[string]any{"name": "Nobody", "race": "half-orc", "class": first, "abilities": map[string]any{"method": "manual", "base": scores}}).want(201))
		a := i.do(t, "POST", s.path+"/xp", `{"amount":355000}`).want(200)
		classes := append([]string{first}, further...)
		for level := 2; level <= 20; level++ {
			growth := []string{"average", "rolled"}[level%2]
			hp := a.at("derived", "max_hp").(float64)
			a = i.do(t, "POST", s.path+"/level-up", map[string]any{"class": classes[level%len(classes)], "hit_points": growth}, header{"If-Match", a.Header.Get("ETag")}).want(200).has("level", level)
			if a.at("derived", "max_hp").(float64) <= hp {
				t.Errorf("%v: level %d brought no hit points", classes, level)
			}
			a = s.settle(a)
		}
		i.do(t, "POST", s.path+"/level-up", map[string]any{"class": first}).want(422)
		a.hasAt(6, "derived", "proficiency_bonus").hasAt(a.at("derived", "max_hp"), "state", "hp")
		for _, mediaType := range []string{"text/plain", "text/markdown", "text/html"} {
			i.do(t, "GET", s.path+"/sheet", nil, header{"Accept", mediaType}).want(200)
		}
		i.do(t, "PUT", s.path, a.object()).want(200).has("revision", a.object()["revision"]) // what was read can be sent back
	}
	classes := slugsOf(i.do(t, "GET", "/v1/rules/classes", nil).want(200))
	mixes := [][]string{{"paladin", "sorcerer", "warlock"}, {"wizard", "fighter", "cleric", "rogue"}, classes}
	for _, class := range classes {
		mixes = append(mixes, []string{class})
	}
	for _, mix := range mixes {
		t.Run(strings.Join(mix, "-"), func(t *testing.T) {
			t.Parallel()
			raise(t, mix[0], mix[1:]...)
		})
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory"})
	index := i.do(t, "GET", "/v1/rules", nil).want(200)
	attributed := func(a *answer) {
		t.Helper()
		if text, _ := a.object()["attribution"].(string); !strings.Contains(text, "System Reference Document 5.1") || !strings.Contains(text, "Creative Commons Attribution 4.0") {
			t.Errorf("%s has the attribution %q", a.what, text)
		}
	}
	attributed(index)
	counts := map[string]int{"classes": 12, "skills": 18, "conditions": 15, "backgrounds": 1, "races": 9}
	for _, kind := range index.object()["items"].([]any) {
		path := kind.(map[string]any)["path"].(string)
		list := i.do(t, "GET", path, nil).want(200)
		attributed(list)
		slugs := slugsOf(list)
		if len(slugs) == 0 || float64(len(slugs)) != kind.(map[string]any)["count"] || !slices.IsSorted(slugs) {
			t.Errorf("%s has %v", path, slugs)
		}
		if want, ok := counts[strings.TrimPrefix(path, "/v1/rules/")]; ok && len(slugs) != want {
			t.Errorf("%s has %d, %d are wanted", path, len(slugs), want)
		}
		for _, slug := range []string{slugs[0], slugs[len(slugs)-1]} {
			one := i.do(t, "GET", path+"/"+slug, nil).want(200).has("slug", slug)
			attributed(one)
			if name, _ := one.object()["name"].(string); name == "" {
				t.Errorf("%s/%s has no name", path, slug)
			}
			tag := one.Header.Get("ETag")
			i.do(t, "GET", path+"/"+slug, nil, header{"If-None-Match", `"x", W/` + tag}).want(304).headerHas("ETag", tag)
		}
		tag := list.Header.Get("ETag")
		i.do(t, "GET", path, nil, header{"If-None-Match", tag}).want(304)
		i.do(t, "HEAD", path, nil).want(200).headerHas("ETag", tag)
		i.do(t, "GET", path, nil, header{"If-None-Match", "x"}).want(400)
		i.do(t, "GET", path+"?colour=red", nil).want(400)
		i.do(t, "GET", path+"/nothing-of-this-name", nil).want(404)
		i.do(t, "POST", path, `{}`).want(405)
	}
	i.do(t, "GET", "/v1/rules/magic", nil).want(404)

	fighter := i.do(t, "GET", "/v1/rules/classes/fighter", nil).want(200).has("hit_die", "d10")
	if levels := fighter.object()["levels"].([]any); len(levels) != 20 {
		t.Errorf("the fighter has %d levels", len(levels))
	}
	if sub := fighter.object()["subclasses"].([]any)[0].(map[string]any); sub["slug"] != "champion" {
		t.Errorf("the fighter's subclass is %v", sub)
	}
	wizard := i.do(t, "GET", "/v1/rules/classes/wizard", nil).want(200).object()["levels"].([]any)
	if third := wizard[2].(map[string]any); fmt.Sprint(third["slots"]) != "map[1:4 2:2]" || third["cantrips_known"] != 3.0 {
		t.Errorf("a wizard's third level is %v", third)
	}
	i.do(t, "GET", "/v1/rules/equipment/chain-mail", nil).want(200).has("cost_cp", 7500).has("weight_lb", 55).hasAt(16, "armor", "base").hasAt(13, "armor", "strength")
	i.do(t, "GET", "/v1/rules/equipment/longsword", nil).want(200).has("cost_cp", 1500).hasAt("1d8", "weapon", "damage", "dice").hasAt("1d10", "weapon", "versatile", "dice")
	i.do(t, "GET", "/v1/rules/spells/fireball", nil).want(200).has("level", 3).has("classes", "[sorcerer wizard]")

	spells := func(query string) []string { return slugsOf(i.do(t, "GET", "/v1/rules/spells?"+query, nil).want(200)) }
	whole, some := spells("level=3"), spells("level=3&class=wizard")
	if !slices.Contains(some, "fireball") || slices.Contains(some, "spirit-guardians") || !slices.Contains(whole, "spirit-guardians") || len(some) >= len(whole) {
		t.Errorf("spells of level 3: %v, the wizard's: %v", whole, some)
	}
	if got := spells("school=evocation&level=0&class=wizard"); !slices.Contains(got, "fire-bolt") || slices.Contains(got, "mage-hand") {
		t.Errorf("evocation cantrips: %v", got)
	}
	if got := spells("class=nobody"); len(got) != 0 {
		t.Errorf("spells of nobody: %v", got)
	}
	for _, bad := range []string{"level=10", "level=-1", "level=x", "level=", "level=01", "class=", "level=1&level=2"} {
		i.do(t, "GET", "/v1/rules/spells?"+bad, nil).want(400)
	}
	armor := slugsOf(i.do(t, "GET", "/v1/rules/equipment?category=armor", nil).want(200))
	if len(armor) != 13 || !slices.Contains(armor, "padded") {
		t.Errorf("armor: %v", armor)
	}
}
