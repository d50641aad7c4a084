package character

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bitbucket.org/templar/templar/core/character/srd"
	"bitbucket.org/templar/templar/core/fault"
)

// client is someone with no knowledge of the game: it only knows the shape of the API's object, the choices that the
// rules list, and what is pending.
type client struct{ object map[string]any }

func newClient(race, class string) *client {
	return &client{object: map[string]any{"name": "Nobody", "race": race, "class": class, "level": 1, "xp": 0}}
}

// draft gives the object as the service would be sent it.
func (c *client) draft() (Draft, error) {
	body, err := json.Marshal(c.object)
	if err != nil {
		return Draft{}, err
	}
	var document buildDocument
	if err := json.Unmarshal(body, &document); err != nil {
		return Draft{}, err
	}
	build, err := document.build()
	return Draft{Build: build, Absent: Absent{HP: true}}, err
}

// take puts the first few of a choice that are not there yet into the object; pick says which are the first.
func (c *client) take(field string, choose int, from []string, pick func(n int) int) error {
	from = slices.Clone(from)
	at := c.object
	path := strings.Split(field, ".")
	for _, member := range path[:len(path)-1] {
		next, ok := at[member].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[member] = next
		}
		at = next
	}
	last := path[len(path)-1]
	if strings.HasPrefix(field, "abilities.base.") {
		score, err := strconv.Atoi(from[pick(len(from))])
		at[last] = score
		return err
	}
	switch last {
	case "background", "alignment", "subclass", "method", "fighting_style", "draconic_ancestry":
		at[last] = from[pick(len(from))]
		return nil
	}
	list, _ := at[last].([]string)
	for range choose {
		from = slices.DeleteFunc(from, func(slug string) bool { return slices.Contains(list, slug) })
		if len(from) == 0 {
			return fmt.Errorf("%s: nothing left to choose from", field)
		}
		list = append(list, from[pick(len(from))])
	}
	at[last] = list
	return nil
}

func first(int) int { return 0 }

func TestAClientThatOnlyFollowsWhatIsPendingBuildsEveryCharacter(t *testing.T) {
	for _, race := range srd.Races() {
		for _, class := range srd.Classes() {
			c := newClient(race.Slug, class.Slug)
			var made Character
			for round := 0; ; round++ {
				draft, err := c.draft()
				if err != nil {
					t.Fatal(err)
				}
				if made, err = draft.check(nil, nil); err != nil {
					t.Fatalf("%s %s: round %d: %v", race.Slug, class.Slug, round, err)
				}
				pending := Derive(made).Pending
				if len(pending) == 0 {
					break
				}
				if round == 10 {
					t.Fatalf("%s %s: still pending: %+v", race.Slug, class.Slug, pending)
				}
				// All at once, the first of each.
				for _, p := range pending {
					if err := c.take(p.Field, p.Choose, p.From, first); err != nil {
						t.Fatal(err)
					}
				}
			}
			if made.Background == "" || made.Choices.Skills == nil || len(made.Abilities.Base) != 6 {
				t.Errorf("%s %s: %+v", race.Slug, class.Slug, made.Build)
			}
		}
	}
}

// The rules' own lists of choices come first here, then what is pending is empty but for what depends on scores.
func TestAClientThatFollowsTheRulesChoicesBuildsEveryCharacter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		race := rapid.SampledFrom(srd.Races()).Draw(t, "race")
		class := rapid.SampledFrom(srd.Classes()).Draw(t, "class")
		background := rapid.SampledFrom(srd.Backgrounds()).Draw(t, "background")
		c := newClient(race.Slug, class.Slug)
		c.object["background"], c.object["alignment"] = background.Slug, "neutral"
		c.object["abilities"] = map[string]any{"method": "standard-array", "base": map[string]any{"str": 15, "dex": 14, "con": 13, "int": 12, "wis": 10, "cha": 8}}
		pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
		choices := slices.Concat(class.Choices, race.Choices, background.Choices())
		for i := 0; i < len(choices); i++ {
			choice := choices[i]
			if err := c.take(choice.Field, choice.Choose, choice.From, pick); err != nil {
				t.Fatal(err)
			}
			if choice.Field == srd.FieldSubclass {
				sub, _ := srd.FindSubclass(c.object["subclass"].(string))
				for _, level := range sub.Levels {
					if level.Level == 1 {
						choices = append(choices, level.Choices...)
					}
				}
			}
		}
		c.settle(t, pick)
	})
}

// settle follows what is pending, one at a time, until nothing is.
func (c *client) settle(t *rapid.T, pick func(int) int) Character {
	for range 60 {
		draft, err := c.draft()
		if err != nil {
			t.Fatal(err)
		}
		made, err := draft.check(nil, nil)
		if err != nil {
			t.Fatalf("%v\n%v", err, c.object)
		}
		pending := Derive(made).Pending
		if len(pending) == 0 {
			return made
		}
		p := pending[pick(len(pending))]
		if err := c.take(p.Field, p.Choose, p.From, pick); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("it never ends: %v", c.object)
	return Character{}
}

func TestAClientThatPicksAtRandomBuildsEveryCharacter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClient(rapid.SampledFrom(srd.Races()).Draw(t, "race").Slug, rapid.SampledFrom(srd.Classes()).Draw(t, "class").Slug)
		c.object["abilities"] = map[string]any{"method": rapid.SampledFrom([]string{"standard-array", "point-buy", "manual"}).Draw(t, "method")}
		made := c.settle(t, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
		if err := Validate(made); err != nil {
			t.Fatal(err)
		}
		// One more of anything is too many.
		field := rapid.SampledFrom([]string{srd.FieldSkills, srd.FieldLanguages, srd.FieldCantrips, srd.FieldSpells}).Draw(t, "field")
		known := map[string][]string{
			srd.FieldSkills:    catalog.skills,
			srd.FieldLanguages: srd.ChoosableLanguages(),
			srd.FieldCantrips:  catalog.classCantrips["wizard"],
			srd.FieldSpells:    catalog.classUpTo["wizard"][1],
		}[field]
		a := analyse(&made)
		given := slices.Concat(a.skills.order, a.languages.order, a.alwaysPrepared())
		for _, s := range a.race.Spells {
			given = append(given, s.Spell)
		}
		more := made.Clone()
		place := map[string]*[]string{srd.FieldSkills: &more.Choices.Skills, srd.FieldLanguages: &more.Choices.Languages,
			srd.FieldCantrips: &more.Choices.Cantrips, srd.FieldSpells: &more.Spells}[field]
		left := without(known, given, *place)
		if len(left) == 0 {
			return
		}
		*place = append(*place, rapid.SampledFrom(left).Draw(t, "more"))
		err := Validate(more)
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("one more of %s was taken: %v, %+v", field, *place, more.Build)
		}
	})
}
