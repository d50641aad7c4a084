package character

import (
	"reflect"
	"slices"
	"testing"

	"bitbucket.org/templar/templar/core/character/srd"
)

// scores are the base scores in the order of a character sheet.
func scores(six ...int) map[string]int {
	m := map[string]int{}
	for i, score := range six {
		m[abilityOrder[i]] = score
	}
	return m
}

func worn(slugs ...string) []Item {
	var items []Item
	for _, slug := range slugs {
		items = append(items, Item{Item: slug, Count: 1, Equipped: true})
	}
	return items
}

func improvement(class string, level int, points map[string]int) Improvement {
	return Improvement{Class: class, Level: level, Abilities: points}
}

type points = map[string]int

// build is a draft of a build that leaves experience and hit points to the server.
func build(b Build) Draft {
	if b.Name == "" {
		b.Name = "n"
	}
	return Draft{Build: b, Absent: Absent{Level: b.Level == 0, XP: b.XP == 0, HP: true}}
}

// tordek is the character of the documentation.
func tordek() Build {
	return Build{Name: "Tordek", Race: "hill-dwarf", Class: "fighter", Background: "acolyte", Alignment: "lawful-good", Level: 3,
		Abilities: Abilities{Method: StandardArray, Base: scores(15, 13, 14, 8, 12, 10)},
		Choices: Choices{Skills: []string{"athletics", "perception"}, FightingStyle: "defense",
			Improvements: []Improvement{improvement("", 4, points{"str": 2})}},
		Equipment: worn("chain-mail"), State: State{HitDiceUsed: points{"d10": 0}, Currency: points{"gp": 15}}}
}

func halfElfPaladinSorcerer() Build {
	return Build{Race: "half-elf", Class: "paladin", Subclass: "oath-of-devotion", Level: 10,
		Multiclass: []ClassLevel{{Class: "sorcerer", Subclass: "draconic-bloodline", Level: 4}},
		Abilities:  Abilities{Method: Manual, Base: scores(15, 10, 14, 8, 12, 16)},
		Choices: Choices{AbilityBonus: []string{"str", "con"}, FightingStyle: "defense", DraconicAncestry: "red", Improvements: []Improvement{
			improvement("", 4, points{"cha": 2}), improvement("sorcerer", 4, points{"str": 1, "con": 1})}}}
}

func orcBarbarian() Build {
	return Build{Race: "half-orc", Class: "barbarian", Level: 20, Abilities: Abilities{Method: Manual, Base: scores(16, 14, 16, 8, 10, 8)},
		Choices: Choices{Improvements: []Improvement{improvement("", 4, points{"str": 2}), improvement("", 8, points{"con": 2}),
			improvement("", 12, points{"con": 1, "dex": 1})}}}
}

func human(class string, level int, base map[string]int, further ...ClassLevel) Build {
	return Build{Race: "human", Class: class, Level: level, Multiclass: further, Abilities: Abilities{Method: Manual, Base: base}}
}

func (b Build) with(change func(*Build)) Build {
	b = b.Clone()
	change(&b)
	return b
}

func (b Build) wearing(slugs ...string) Build {
	return b.with(func(b *Build) { b.Equipment = worn(slugs...) })
}

// The values are worked out by hand with the SRD.
func TestDerive(t *testing.T) {
	even := scores(13, 13, 13, 13, 13, 13) // a human has 14 in each
	for name, c := range map[string]struct {
		build Build
		want  map[string]any
	}{
		"the documentation's dwarf": {tordek(), map[string]any{
			"str": 15, "con": 16, "wis": 13, "str save": 4, "con save": 5, "dex save": 1, "proficiency": 2, "hp": 34, "ac": 17, "initiative": 1, "speed": 25,
			"darkvision": 60, "passive": 13, "hit dice": "3d10", "athletics": 4, "religion": 1, "weight": 55.0, "capacity": 225, "encumbrance": Unencumbered}},
		"a wizard": {Build{Race: "high-elf", Class: "wizard", Level: 5, Abilities: Abilities{Method: StandardArray, Base: scores(8, 14, 13, 15, 12, 10)},
			Choices: Choices{Improvements: []Improvement{improvement("", 4, points{"int": 2})}}}, map[string]any{
			"int": 18, "dex": 16, "int save": 7, "wis save": 4, "hp": 27, "ac": 13, "initiative": 3, "passive": 14, "capacity": 120,
			"slots": []int{4, 3, 2}, "dc": 15, "attack": 7, "spells": 9, "cantrips": 4, "hit dice": "5d6"}},
		"a paladin with a dragon's blood": {halfElfPaladinSorcerer(), map[string]any{
			"str": 17, "con": 16, "cha": 20, "hp": 90, "ac": 13, "hit dice": "6d10 + 4d6", "slots": []int{4, 3, 3, 1}, "dc": 17, "attack": 9, "spells": 8,
			"str save": 8, "dex save": 5, "con save": 8, "int save": 4, "wis save": 10, "cha save": 14, "proficiency": 4}},
		"the same in plate": {halfElfPaladinSorcerer().wearing("plate", "shield"), map[string]any{
			"ac": 21, "speed": 30, "weight": 71.0, "capacity": 255, "encumbrance": Unencumbered}},
		"a barbarian at the peak": {orcBarbarian(), map[string]any{
			"str": 24, "con": 24, "dex": 15, "hp": 285, "ac": 19, "speed": 40, "str save": 13, "con save": 13, "capacity": 360}},
		"the same with a shield":      {orcBarbarian().wearing("shield"), map[string]any{"ac": 21, "speed": 40}},
		"the same in medium armor":    {orcBarbarian().wearing("half-plate", "shield"), map[string]any{"ac": 19, "speed": 40}},
		"the same in heavy armor":     {orcBarbarian().wearing("plate"), map[string]any{"ac": 18, "speed": 30, "notes": 2}},
		"a barbarian of level 19":     {orcBarbarian().with(func(b *Build) { b.Level = 19 }), map[string]any{"str": 20, "con": 20}},
		"a monk":                      {human("monk", 9, scores(10, 15, 12, 8, 15, 9)), map[string]any{"ac": 16, "speed": 45, "hp": 8 + 1 + 8*6, "wis save": 3, "dex save": 7}},
		"a monk with a shield":        {human("monk", 9, scores(10, 15, 12, 8, 15, 9)).wearing("shield"), map[string]any{"ac": 15, "speed": 30}},
		"a monk of level 14":          {human("monk", 14, even), map[string]any{"con save": 7, "cha save": 7, "speed": 55}},
		"a barbarian who trains":      {human("barbarian", 5, scores(13, 13, 9, 8, 15, 8), ClassLevel{Class: "monk", Level: 2}), map[string]any{"ac": 12, "speed": 40}},
		"a monk who rages":            {human("monk", 5, scores(13, 13, 15, 8, 13, 8), ClassLevel{Class: "barbarian", Level: 2}), map[string]any{"ac": 14, "hit dice": "3d8 + 2d12"}},
		"a bard":                      {human("bard", 7, even), map[string]any{"initiative": 3, "stealth": 3, "perception": 3, "passive": 13, "spells": 10, "slots": []int{4, 3, 3, 1}}},
		"a champion":                  {human("fighter", 7, even).with(func(b *Build) { b.Subclass = "champion" }), map[string]any{"initiative": 4, "athletics": 4, "stealth": 4, "perception": 2}},
		"a champion who sings":        {human("fighter", 14, even, ClassLevel{Class: "bard", Level: 2}).with(func(b *Build) { b.Subclass = "champion" }), map[string]any{"initiative": 5, "athletics": 5, "perception": 4, "proficiency": 5}},
		"a bard with expertise":       {human("bard", 3, even).with(func(b *Build) { b.Choices.Skills, b.Choices.Expertise = []string{"stealth"}, []string{"stealth"} }), map[string]any{"stealth": 6}},
		"a warlock who studies":       {human("warlock", 8, even, ClassLevel{Class: "wizard", Level: 3}), map[string]any{"slots": []int{4, 2}, "pact": Pact{Level: 3, Count: 2}, "spells": 6}},
		"a ranger with an oath":       {human("ranger", 8, even, ClassLevel{Class: "paladin", Level: 3}), map[string]any{"slots": []int{4, 2}, "spells": 4}},
		"a ranger, hardly a paladin":  {human("ranger", 4, even, ClassLevel{Class: "paladin", Level: 1}), map[string]any{"slots": []int{3}, "spells": 3}},
		"a paladin":                   {human("paladin", 5, even), map[string]any{"slots": []int{4, 2}, "spells": 4, "dc": 13}},
		"a paladin of level 1":        {human("paladin", 1, even), map[string]any{"slots": []int(nil), "caster": false}},
		"a fighter of no school":      {human("fighter", 20, even), map[string]any{"caster": false, "proficiency": 6}},
		"a rogue with a clear head":   {human("rogue", 15, even), map[string]any{"wis save": 7, "dex save": 7, "con save": 2}},
		"a second class saves not":    {human("rogue", 2, even, ClassLevel{Class: "fighter", Level: 1}), map[string]any{"dex save": 4, "str save": 2, "con save": 2, "hp": 8 + 2 + 6 + 2}},
		"a weakling in mail":          {human("fighter", 1, scores(7, 9, 9, 9, 9, 9)).wearing("chain-mail"), map[string]any{"ac": 16, "speed": 10, "encumbrance": Encumbered, "weight": 55.0, "capacity": 120}},
		"a weak dwarf in mail":        {Build{Race: "hill-dwarf", Class: "fighter", Abilities: Abilities{Method: Manual, Base: scores(8, 9, 9, 9, 9, 9)}, Equipment: worn("chain-mail")}, map[string]any{"speed": 15, "encumbrance": Encumbered}},
		"a wizard in studded leather": {human("wizard", 1, even).wearing("studded-leather"), map[string]any{"ac": 14, "notes": 1}},
		"scale on a nimble one":       {human("fighter", 1, scores(9, 17, 9, 9, 9, 9)).wearing("scale-mail", "shield"), map[string]any{"ac": 18}},
		"leather on a clumsy one":     {human("fighter", 1, scores(9, 7, 9, 9, 9, 9)).wearing("leather"), map[string]any{"ac": 10}},
		"mail on a clumsy one":        {human("fighter", 1, scores(13, 3, 9, 9, 9, 9)).wearing("chain-mail"), map[string]any{"ac": 16}},
		"a tough little weakling":     {Build{Race: "hill-dwarf", Class: "wizard", Level: 3, Abilities: Abilities{Method: Manual, Base: scores(8, 9, 3, 9, 9, 9)}}, map[string]any{"hp": 6 - 3 + 1 + 2*(4-3+1), "con": 5}},
		"a frail wizard":              {human("wizard", 3, scores(8, 9, 3, 9, 9, 9)), map[string]any{"hp": 6 - 3 + 2}},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := build(c.build).check(nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			d := Derive(made)
			for what, want := range c.want {
				if got := value(d, what); !reflect.DeepEqual(got, want) {
					t.Errorf("%s is %v, not %v", what, got, want)
				}
			}
			if made.State.HP != d.MaxHP {
				t.Errorf("%d of %d hit points", made.State.HP, d.MaxHP)
			}
		})
	}
}

// value names parts of what is derived.
func value(d Derived, what string) any {
	if score, ok := d.Abilities[what]; ok {
		return score.Score
	}
	if len(what) == len("str save") && what[3:] == " save" {
		return d.Abilities[what[:3]].Save
	}
	if skill, ok := d.Skills[what]; ok {
		return skill.Bonus
	}
	s, first := d.Spellcasting, ClassSpells{}
	if s == nil {
		s = &Spellcasting{}
	} else {
		first = s.Classes[0]
	}
	switch what {
	case "proficiency":
		return d.ProficiencyBonus
	case "hp":
		return d.MaxHP
	case "ac":
		return d.ArmorClass
	case "initiative":
		return d.Initiative
	case "speed":
		return d.Speed
	case "darkvision":
		return d.Darkvision
	case "passive":
		return d.PassivePerception
	case "hit dice":
		return d.HitDice
	case "weight":
		return d.Weight
	case "capacity":
		return d.Capacity
	case "encumbrance":
		return d.Encumbrance
	case "notes":
		return len(d.Notes)
	case "caster":
		return d.Spellcasting != nil
	case "slots":
		return s.Slots
	case "pact":
		return *s.Pact
	case "dc":
		return first.SaveDC
	case "attack":
		return first.AttackBonus
	case "spells":
		return first.Spells
	case "cantrips":
		return first.CantripsKnown
	}
	return "?"
}

func TestLists(t *testing.T) {
	made, err := build(tordek()).check(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := Derive(made)
	if !slices.Equal(d.Languages, []string{"common", "dwarvish"}) {
		t.Errorf("languages: %v", d.Languages)
	}
	for _, p := range []string{"heavy-armor", "martial-weapons", "battleaxe", "shields"} {
		if !slices.Contains(d.Proficiencies, p) {
			t.Errorf("%s is not among %v", p, d.Proficiencies)
		}
	}
	for _, f := range []string{"dwarven-toughness", "second-wind", "action-surge", "shelter-of-the-faithful"} {
		if !slices.Contains(d.Features, f) {
			t.Errorf("%s is not among %v", f, d.Features)
		}
	}
	if slices.Contains(d.Features, "extra-attack") {
		t.Error("a feature of level 5 at level 3")
	}
	fields := map[string]int{}
	for _, p := range d.Pending {
		fields[p.Field] = p.Choose
	}
	if want := (map[string]int{srd.FieldSubclass: 1, srd.FieldTools: 1, srd.FieldLanguages: 2}); !reflect.DeepEqual(fields, want) {
		t.Errorf("pending: %v", fields)
	}
}

func TestEncumbranceHasItsSteps(t *testing.T) {
	base := human("fighter", 1, scores(9, 9, 9, 9, 9, 9)) // Strength 10: 50, 100 and 150 pounds
	for pounds, want := range map[int]struct {
		step  Encumbrance
		speed int
	}{0: {Unencumbered, 30}, 50: {Unencumbered, 30}, 51: {Encumbered, 20}, 100: {Encumbered, 20}, 101: {HeavilyEncumbered, 10}, 150: {HeavilyEncumbered, 10}, 151: {OverCapacity, 5}} {
		made, err := build(base.with(func(b *Build) { b.State.Currency = points{"gp": pounds * 50, "cp": 49} })).check(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := Derive(made); d.Encumbrance != want.step || d.Speed != want.speed || d.Weight != float64(pounds) {
			t.Errorf("%d pounds: %s, speed %d, weight %v", pounds, d.Encumbrance, d.Speed, d.Weight)
		}
	}
}
