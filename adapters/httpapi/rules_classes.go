package httpapi

import (
	"strconv"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/character/srd"
)

// Classes as the API answers them, the list of all kinds of records, and what stands beside them.

type classObject struct {
	Slug              string             `json:"slug"`
	Name              string             `json:"name"`
	Text              string             `json:"text"`
	HitDie            string             `json:"hit_die"`
	Saves             []string           `json:"saves"`
	Armor             []string           `json:"armor"`
	Weapons           []string           `json:"weapons"`
	Tools             []string           `json:"tools"`
	ArmorNote         string             `json:"armor_note"`
	Languages         []string           `json:"languages"`
	SubclassLevel     int                `json:"subclass_level"`
	ImprovementLevels []int              `json:"improvement_levels"`
	Spellcasting      *castingObject     `json:"spellcasting"`
	Choices           []choiceObject     `json:"choices"`
	Levels            []classLevelObject `json:"levels"`
	Subclasses        []subclassObject   `json:"subclasses"`
	Multiclass        multiclassObject   `json:"multiclass"`
	Equipment         equipmentObject    `json:"equipment"`
}

type castingObject struct {
	Kind              string   `json:"kind"`
	Ability           string   `json:"ability"`
	Preparation       string   `json:"preparation"`
	FirstLevel        int      `json:"first_level"`
	Ritual            bool     `json:"ritual"`
	Focus             []string `json:"focus"`
	SpellbookFirst    int      `json:"spellbook_first"`
	SpellbookPerLevel int      `json:"spellbook_per_level"`
}

type classLevelObject struct {
	Level            int               `json:"level"`
	ProficiencyBonus int               `json:"proficiency_bonus"`
	Features         []featureObject   `json:"features"`
	Choices          []choiceObject    `json:"choices"`
	CantripsKnown    int               `json:"cantrips_known"`
	SpellsKnown      int               `json:"spells_known"`
	Slots            map[string]int    `json:"slots"`
	PactSlots        *pactObject       `json:"pact_slots"`
	Numbers          map[string]int    `json:"numbers"`
	Dice             map[string]string `json:"dice"`
}

type pactObject struct {
	Level int `json:"level"`
	Count int `json:"count"`
}

type subclassObject struct {
	Slug              string                `json:"slug"`
	Name              string                `json:"name"`
	Text              string                `json:"text"`
	Armor             []string              `json:"armor"`
	Weapons           []string              `json:"weapons"`
	Tools             []string              `json:"tools"`
	Skills            []string              `json:"skills"`
	Languages         []string              `json:"languages"`
	HitPointsPerLevel int                   `json:"hit_points_per_level"`
	Levels            []subclassLevelObject `json:"levels"`
	AlwaysPrepared    []levelSpellsObject   `json:"always_prepared"`
	AddsToList        []levelSpellsObject   `json:"adds_to_list"`
}

type subclassLevelObject struct {
	Level    int             `json:"level"`
	Features []featureObject `json:"features"`
	Choices  []choiceObject  `json:"choices"`
}

type levelSpellsObject struct {
	Level  int      `json:"level"`
	Spells []string `json:"spells"`
}

// multiclassObject is what it takes, and brings, to have the class beside another: of each list of requires, one
// ability must have the minimum.
type multiclassObject struct {
	Minimum  int            `json:"minimum"`
	Requires [][]string     `json:"requires"`
	Armor    []string       `json:"armor"`
	Weapons  []string       `json:"weapons"`
	Tools    []string       `json:"tools"`
	Choices  []choiceObject `json:"choices"`
}

func showLevelSpells(list []srd.LevelSpells) []levelSpellsObject {
	return show(list, func(l srd.LevelSpells) levelSpellsObject { return levelSpellsObject{l.Level, listed(l.Spells)} })
}

func showClass(c srd.Class) classObject {
	o := classObject{Slug: c.Slug, Name: c.Name, Text: c.Text, HitDie: "d" + strconv.Itoa(c.HitDie), Saves: listed(c.Saves), Armor: listed(c.Armor),
		Weapons: listed(c.Weapons), Tools: listed(c.Tools), ArmorNote: c.ArmorNote, Languages: listed(c.Languages), SubclassLevel: c.SubclassLevel,
		ImprovementLevels: c.Improvements, Choices: showChoices(c.Choices), Levels: show(c.Levels, showClassLevel), Equipment: showEquipment(c.Equipment),
		Multiclass: multiclassObject{srd.MulticlassMinimum, c.Multiclass.Requires, listed(c.Multiclass.Armor), listed(c.Multiclass.Weapons),
			listed(c.Multiclass.Tools), showChoices(c.Multiclass.Choices)}}
	if s := c.Spellcasting; s != nil {
		casting := castingObject(*s)
		casting.Focus = listed(casting.Focus)
		o.Spellcasting = &casting
	}
	for _, slug := range c.Subclasses {
		if sub, ok := srd.FindSubclass(slug); ok {
			o.Subclasses = append(o.Subclasses, showSubclass(sub))
		}
	}
	return o
}

func showClassLevel(l srd.Level) classLevelObject {
	o := classLevelObject{Level: l.Level, ProficiencyBonus: l.ProficiencyBonus, Features: show(l.Features, showFeature), Choices: showChoices(l.Choices),
		CantripsKnown: l.CantripsKnown, SpellsKnown: l.SpellsKnown, Slots: map[string]int{}, Numbers: counted(l.Numbers), Dice: counted(l.Dice)}
	for i, n := range l.Slots {
		if n > 0 {
			o.Slots[strconv.Itoa(i+1)] = n
		}
	}
	if l.Pact.Count > 0 {
		pact := pactObject(l.Pact)
		o.PactSlots = &pact
	}
	return o
}

func showSubclass(s srd.Subclass) subclassObject {
	return subclassObject{Slug: s.Slug, Name: s.Name, Text: s.Text, Armor: listed(s.Armor), Weapons: listed(s.Weapons), Tools: listed(s.Tools),
		Skills: listed(s.Skills), Languages: listed(s.Languages), HitPointsPerLevel: s.HitPointsPerLevel,
		Levels: show(s.Levels, func(l srd.SubclassLevel) subclassLevelObject {
			return subclassLevelObject{l.Level, show(l.Features, showFeature), showChoices(l.Choices)}
		}),
		AlwaysPrepared: showLevelSpells(s.AlwaysPrepared), AddsToList: showLevelSpells(s.AddsToList)}
}

// collections are all kinds of records.
func collections() []*collection {
	return []*collection{
		newCollection("races", "race", "Races", shown(srd.Races, showRace), func(r raceObject) string { return r.Slug }, nil),
		newCollection("classes", "class", "Classes", shown(srd.Classes, showClass), func(c classObject) string { return c.Slug }, nil),
		newCollection("backgrounds", "background", "Backgrounds", shown(srd.Backgrounds, showBackground), func(b backgroundObject) string { return b.Slug }, nil),
		newCollection("skills", "skill", "Skills", shown(srd.Skills, func(s srd.Skill) skillObject { return skillObject(s) }), func(s skillObject) string { return s.Slug },
			func(s skillObject) map[string][]string { return map[string][]string{"ability": {s.Ability}} }, ruleFilter{"ability", anySlug}),
		newCollection("equipment", "item", "Equipment", shown(srd.Items, showItem), func(i itemObject) string { return i.Slug },
			func(i itemObject) map[string][]string {
				return map[string][]string{"category": {i.Category}, "group": {i.Group}}
			},
			ruleFilter{"category", anySlug}, ruleFilter{"group", anySlug}),
		newCollection("conditions", "condition", "Conditions", shown(srd.Conditions, showCondition), func(c conditionObject) string { return c.Slug }, nil),
		newCollection("spells", "spell", "Spells", shown(srd.Spells, showSpell), func(s spellObject) string { return s.Slug },
			func(s spellObject) map[string][]string {
				return map[string][]string{"class": s.Classes, "level": {strconv.Itoa(s.Level)}, "school": {s.School}}
			},
			ruleFilter{"class", anySlug}, ruleFilter{"level", spellLevel}, ruleFilter{"school", anySlug}),
		newCollection("languages", "language", "Languages", shown(srd.Languages, showLanguage), func(l languageObject) string { return l.Slug }, nil),
	}
}

// indexObject is the answer of /v1/rules: the lists, and what stands in none of them.
type indexObject struct {
	Items []indexItem `json:"items"`
	// Choices are what every character decides, whatever else it is.
	Choices   []choiceObject         `json:"choices"`
	Abilities []textObject           `json:"abilities"`
	Scores    scoresObject           `json:"scores"`
	Levels    []characterLevelObject `json:"levels"`
	Coins     []string               `json:"coins"`
	// Options are what features let choose: fighting styles, invocations, ...
	Options            []optionObject   `json:"options"`
	DraconicAncestries []ancestryObject `json:"draconic_ancestries"`
	Attribution        string           `json:"attribution"`
}

type indexItem struct {
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	Path  string `json:"path"`
	Count int    `json:"count"`
}

// scoresObject says how ability scores come about.
type scoresObject struct {
	StandardArray []int          `json:"standard_array"`
	PointBuy      pointBuyObject `json:"point_buy"`
	Rolled        rolledObject   `json:"rolled"`
	Manual        boundsObject   `json:"manual"`
}

type pointBuyObject struct {
	Points int            `json:"points"`
	Costs  map[string]int `json:"costs"`
}

type rolledObject struct {
	Notation string `json:"notation"`
	Count    int    `json:"count"`
}

type boundsObject struct {
	Least int `json:"least"`
	Most  int `json:"most"`
}

type characterLevelObject struct {
	Level            int `json:"level"`
	XP               int `json:"xp"`
	ProficiencyBonus int `json:"proficiency_bonus"`
}

type optionObject struct {
	Slug    string              `json:"slug"`
	Name    string              `json:"name"`
	Group   string              `json:"group"`
	Text    string              `json:"text"`
	Level   int                 `json:"level"`
	Boon    string              `json:"boon"`
	Cantrip string              `json:"cantrip"`
	Skills  []string            `json:"skills"`
	Spells  []levelSpellsObject `json:"spells"`
	Choices []choiceObject      `json:"choices"`
}

type ancestryObject struct {
	Slug       string `json:"slug"`
	Name       string `json:"name"`
	DamageType string `json:"damage_type"`
	Area       string `json:"area"`
	Save       string `json:"save"`
}

// The least and the most of three dice, which a score by hand may be.
const (
	manualLeast = 3
	manualMost  = 18
)

// indexOf encodes the answer of /v1/rules.
func indexOf(kinds []*collection) []byte {
	o := indexObject{
		Abilities: show(srd.Abilities(), func(a srd.Ability) textObject { return textObject(a) }),
		Scores: scoresObject{StandardArray: srd.StandardArray(), PointBuy: pointBuyObject{srd.PointBuyPoints, map[string]int{}},
			Rolled: rolledObject{character.AbilityNotation, character.AbilityRolls}, Manual: boundsObject{manualLeast, manualMost}},
		Levels: show(srd.CharacterLevels(), func(l srd.CharacterLevel) characterLevelObject { return characterLevelObject(l) }),
		Coins:  character.Coins(),
		Options: show(srd.Options(""), func(o srd.Option) optionObject {
			return optionObject{o.Slug, o.Name, o.Group, o.Text, o.Level, o.Boon, o.Cantrip, listed(o.Skills), showLevelSpells(o.Spells), showChoices(o.Choices)}
		}),
		DraconicAncestries: show(srd.DraconicAncestries(), func(a srd.DraconicAncestry) ancestryObject { return ancestryObject(a) }),
		Attribution:        srd.Attribution,
	}
	for score := srd.PointBuyLowest; score <= srd.PointBuyHighest; score++ {
		o.Scores.PointBuy.Costs[strconv.Itoa(score)], _ = srd.PointBuyCost(score)
	}
	for _, kind := range kinds {
		o.Items = append(o.Items, indexItem{kind.name, kind.title, "/v1/rules/" + kind.name, len(kind.encoded().records)})
	}
	all := func(field string, from []string) { o.Choices = append(o.Choices, choiceObject{field, 1, from}) }
	all("race", show(srd.Races(), func(r srd.Race) string { return r.Slug }))
	all("class", show(srd.Classes(), func(c srd.Class) string { return c.Slug }))
	all("background", show(srd.Backgrounds(), func(b srd.Background) string { return b.Slug }))
	all("alignment", character.Alignments())
	all("abilities.method", []string{string(character.StandardArray), string(character.PointBuy), string(character.Rolled), string(character.Manual)})
	return encodeRule(o)
}
