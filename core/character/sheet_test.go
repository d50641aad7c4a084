package character

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/core/mustache"
)

func TestAttacks(t *testing.T) {
	all := scores(13, 13, 13, 13, 13, 13)
	for name, c := range map[string]struct {
		build Build
		want  string
	}{
		"a dwarf's axe":           {tordek().wearing("battleaxe", "light-crossbow"), "Battleaxe +4 1d8+2 slashing (1d10+2 slashing); Light crossbow +3 1d8+1 piercing 80/320 ft."},
		"an archer":               {tordek().wearing("longbow").with(func(b *Build) { b.Choices.FightingStyle = "archery" }), "Longbow +5 1d8+1 piercing 150/600 ft."},
		"a nimble thief":          {human("rogue", 1, scores(8, 15, 8, 8, 8, 8)).wearing("dagger", "club"), "Club +1 1d4-1 bludgeoning; Dagger +5 1d4+3 piercing 20/60 ft."},
		"a wizard with a big axe": {human("wizard", 1, all).wearing("greataxe"), "Greataxe +2 1d12+2 slashing"},
		"a monk's staff":          {human("monk", 5, scores(8, 15, 8, 8, 8, 8)).wearing("quarterstaff", "longsword"), "Longsword -1 1d8-1 slashing (1d10-1 slashing); Quarterstaff +6 1d6+3 bludgeoning (1d8+3 bludgeoning)"},
		"a net":                   {human("fighter", 1, all).wearing("net", "blowgun"), "Blowgun +4 3 piercing 25/100 ft.; Net +4 5/15 ft."},
		"what is in the bag":      {human("fighter", 1, all).with(func(b *Build) { b.Equipment = []Item{{"greatsword", 1, false}, {"rope-hempen", 1, true}} }), "Greatsword +4 2d6+2 slashing"},
	} {
		b := c.build
		b.Name = "n"
		drafted := Draft{Build: b, Absent: Absent{XP: true, HP: true}}.complete(nil, nil)
		var got []string
		for _, attack := range sheetOf(drafted).Attacks {
			text := attack.Name + " " + attack.Bonus
			if attack.Damage != nil {
				text += " " + *attack.Damage
			}
			if attack.Versatile != nil {
				text += " (" + *attack.Versatile + ")"
			}
			if attack.Range != nil {
				text += " " + *attack.Range
			}
			got = append(got, text)
		}
		slices.Sort(got)
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestASheetHasTheCharacterAndItsWords(t *testing.T) {
	b := halfElfPaladinSorcerer().wearing("plate", "shield", "longsword")
	b.Choices.Cantrips, b.State = []string{"fire-bolt"}, State{SpellSlotsUsed: points{"1": 1}, HitDiceUsed: points{"d6": 2}, Currency: points{"gp": 15}, Conditions: []string{"prone"}}
	c := made(t, b)
	tree, err := mustache.Parse(strings.Join([]string{
		"{{name}} {{derived.armor_class}} {{sheet.classes}}", "{{#sheet.abilities}}{{short}} {{score}} {{modifier}} {{save}};{{/sheet.abilities}}",
		"{{#sheet.hit_dice}}{{name}} {{left}}/{{total}};{{/sheet.hit_dice}}", "{{#sheet.coins}}{{count}} {{coin}}{{/sheet.coins}}",
		"{{#sheet.conditions}}{{name}}{{/sheet.conditions}}", "{{#sheet.spellcasting}}{{#slots}}{{name}}:{{#boxes}}{{#.}}x{{/.}}{{^.}}o{{/.}}{{/boxes}} {{/slots}}{{/sheet.spellcasting}}",
		"{{#sheet.spellcasting.levels}}{{name}}: {{#spells}}{{name}}{{#always}}*{{/always}}, {{/spells}}{{/sheet.spellcasting.levels}}", "{{#sheet.attacks}}{{name}}{{#damage}} {{.}}{{/damage}}{{/sheet.attacks}}",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	result, err := tree.Render(context.Background(), nil, Sheet(c), mustache.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"n 21 Paladin 6 (Oath of Devotion) / Sorcerer 4 (Draconic Bloodline)",
		"STR 17 +3 +8;DEX 10 +0 +5;CON 16 +3 +8;INT 8 -1 +4;WIS 12 +1 +10;CHA 20 +5 +14;",
		"d10 6/6;d6 2/4;", "15 gp", "Prone", "Level 1:xooo Level 2:ooo Level 3:ooo Level 4:o ",
		"Cantrips: Fire Bolt, Level 1: Protection from Evil and Good*, Sanctuary*, Level 2: Lesser Restoration*, Zone of Truth*, ", "Longsword 1d8+3 slashing",
	}, "\n")
	if got := string(result.Output); got != want {
		t.Errorf("%s\ninstead of\n%s", got, want)
	}
}

func TestObjectHasTheShapeOfTheAPI(t *testing.T) {
	c := made(t, tordek())
	c.Author = "ann"
	var object map[string]any
	if err := json.Unmarshal(Object(c), &object); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"name": "Tordek", "level": 3.0, "abilities.base.str": 15.0, "abilities.method": "standard-array", "choices.fighting_style": "defense", "state.hp": 34.0,
		"derived.abilities.con.modifier": 3.0, "derived.skills.athletics.bonus": 4.0, "derived.spellcasting": nil, "derived.weight": 55.0, "derived.encumbrance": "none",
		"derived.hit_dice": "3d10", "author": "ann", "revision": 0.0, "created": "0001-01-01T00:00:00.000000Z",
	} {
		var at any = object
		for _, member := range strings.Split(path, ".") {
			m, ok := at.(map[string]any)
			if _, there := m[member]; !ok || !there {
				t.Errorf("%s is missing", path)
				break
			}
			at = m[member]
		}
		if at != want {
			t.Errorf("%s is %v", path, at)
		}
	}
	for _, list := range []string{`"multiclass":[]`, `"expertise":[]`, `"spells":[]`, `"conditions":[]`, `"spell_slots_used":{}`, `"tools":[]`} {
		if !strings.Contains(string(Object(c)), list) {
			t.Errorf("%s is missing", list)
		}
	}
	magic := string(Object(made(t, human("warlock", 8, scores(13, 13, 13, 13, 13, 13), ClassLevel{Class: "wizard", Level: 3}))))
	for _, part := range []string{`"slots":{"1":4,"2":2}`, `"pact_slots":{"level":3,"count":2}`, `"spells_known":6`, `"spells_prepared":5`, `"cantrips_known":3`} {
		if !strings.Contains(magic, part) {
			t.Errorf("%s is missing in %s", part, magic)
		}
	}
}

func TestFeatureFieldsAreThoseOfTheRules(t *testing.T) {
	fields := FeatureFields()
	if len(fields) != 15 || !slices.IsSorted(fields) || !slices.Contains(fields, "metamagic") {
		t.Errorf("%v", fields)
	}
	for field := range optionGroups {
		name := strings.TrimPrefix(field, featurePrefix)
		if !isSingle(field) && !slices.Contains(fields, name) {
			t.Errorf("%s is no field", name)
		}
		if len(catalog.options[optionGroups[field]]) == 0 {
			t.Errorf("%s has no options", field)
		}
	}
}
