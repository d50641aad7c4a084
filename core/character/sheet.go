package character

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
	"bitbucket.org/templar/templar/core/mustache"
)

// A sheet is rendered with the character as the API answers it, and beside that with "sheet": the same once more in
// the words and the order that a reader of paper wants. What may be missing there is null, false or an empty list, so
// that a section {{#...}} leaves it out.

type sheetData struct {
	objectDocument
	Sheet sheetDocument `json:"sheet"`
}

type sheetDocument struct {
	Race       string          `json:"race"`
	Size       string          `json:"size"`
	Classes    string          `json:"classes"` // "Fighter 3 (Champion) / Wizard 1"
	Background string          `json:"background"`
	Alignment  string          `json:"alignment"`
	NextLevel  *nextLevelSheet `json:"next_level"` // null at level 20
	// The bonuses have their sign: "+2".
	ProficiencyBonus string             `json:"proficiency_bonus"`
	Initiative       string             `json:"initiative"`
	Abilities        []abilitySheet     `json:"abilities"`
	Skills           []skillSheet       `json:"skills"`
	HitDice          []counterSheet     `json:"hit_dice"`
	Attacks          []attackSheet      `json:"attacks"`
	Languages        []string           `json:"languages"`
	Proficiencies    []string           `json:"proficiencies"`
	Features         []featureSheet     `json:"features"`
	Conditions       []conditionSheet   `json:"conditions"`
	Equipment        []itemSheet        `json:"equipment"`
	Coins            []coinSheet        `json:"coins"`
	Spellcasting     *spellcastingSheet `json:"spellcasting"`
	Pending          []pendingSheet     `json:"pending"`
	Attribution      string             `json:"attribution"`
}

type nextLevelSheet struct {
	Level int `json:"level"`
	XP    int `json:"xp"`
}

type abilitySheet struct {
	Slug     string `json:"slug"`
	Name     string `json:"name"`
	Short    string `json:"short"` // "STR"
	Score    int    `json:"score"`
	Modifier string `json:"modifier"`
	Save     string `json:"save"`
	// Proficient tells whether the save has the proficiency bonus.
	Proficient bool `json:"proficient"`
}

type skillSheet struct {
	Slug       string `json:"slug"`
	Name       string `json:"name"`
	Ability    string `json:"ability"` // "STR"
	Bonus      string `json:"bonus"`
	Proficient bool   `json:"proficient"`
	Expertise  bool   `json:"expertise"`
}

// counterSheet is something that is spent: hit dice, spell slots. Boxes has an entry for each, true where it is spent.
type counterSheet struct {
	Name  string `json:"name"`
	Total int    `json:"total"`
	Used  int    `json:"used"`
	Left  int    `json:"left"`
	Boxes []bool `json:"boxes"`
}

type featureSheet struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	Text   string `json:"text"`
}

type conditionSheet struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type itemSheet struct {
	Name     string  `json:"name"`
	Count    int     `json:"count"`
	Equipped bool    `json:"equipped"`
	Weight   float64 `json:"weight"` // of all pieces, in pounds
}

type coinSheet struct {
	Coin  string `json:"coin"`
	Count int    `json:"count"`
}

type pendingSheet struct {
	Field  string `json:"field"`
	Choose int    `json:"choose"`
	From   string `json:"from"`
}

// Sheet gives the data that a sheet is rendered with: what Object gives, and "sheet" beside it.
func Sheet(c Character) mustache.Value {
	data := sheetData{objectDocument: objectOf(c), Sheet: sheetOf(c)}
	value, err := mustache.ParseData(marshal(data))
	if err != nil {
		panic("character: a sheet that is no JSON: " + err.Error()) // plain structs of texts and numbers always are
	}
	return value
}

// signed writes a bonus with its sign.
func signed(n int) string { return fmt.Sprintf("%+d", n) }

func sheetOf(c Character) sheetDocument {
	c = c.Clone()
	a := analyse(&c)
	d := a.derive()
	s := sheetDocument{
		Race: a.race.Name, Size: a.race.Size, Classes: a.classNames(), Background: a.background.Name, Alignment: titled(c.Alignment),
		ProficiencyBonus: signed(d.ProficiencyBonus), Initiative: signed(d.Initiative), HitDice: []counterSheet{}, Attacks: a.attacks(),
		Languages: []string{}, Proficiencies: []string{}, Features: a.featureSheets(), Conditions: []conditionSheet{}, Equipment: []itemSheet{},
		Coins: []coinSheet{}, Spellcasting: a.spellSheet(d), Pending: []pendingSheet{}, Attribution: srd.Attribution,
	}
	if c.Level < srd.MaxLevel {
		s.NextLevel = &nextLevelSheet{Level: c.Level + 1, XP: srd.XPForLevel(c.Level + 1)}
	}
	saves := a.trainedSaves()
	for _, ability := range srd.Abilities() {
		score := d.Abilities[ability.Slug]
		s.Abilities = append(s.Abilities, abilitySheet{Slug: ability.Slug, Name: ability.Name, Short: strings.ToUpper(ability.Slug), Score: score.Score,
			Modifier: signed(score.Modifier), Save: signed(score.Save), Proficient: slices.Contains(saves, ability.Slug)})
	}
	for _, skill := range srd.Skills() {
		bonus := d.Skills[skill.Slug]
		s.Skills = append(s.Skills, skillSheet{Slug: skill.Slug, Name: skill.Name, Ability: strings.ToUpper(skill.Ability), Bonus: signed(bonus.Bonus),
			Proficient: bonus.Proficient, Expertise: bonus.Expertise})
	}
	dice := a.hitDice()
	for _, die := range diceBySize(dice) {
		s.HitDice = append(s.HitDice, counter(die, dice[die], c.State.HitDiceUsed[die]))
	}
	for _, slug := range d.Languages {
		language, _ := srd.FindLanguage(slug)
		s.Languages = append(s.Languages, named(language.Name, slug))
	}
	for _, slug := range d.Proficiencies {
		item, _ := srd.FindItem(slug)
		s.Proficiencies = append(s.Proficiencies, named(item.Name, slug))
	}
	for _, slug := range c.State.Conditions {
		condition, _ := srd.FindCondition(slug)
		s.Conditions = append(s.Conditions, conditionSheet{Name: named(condition.Name, slug), Text: condition.Text})
	}
	for _, entry := range c.Equipment {
		item, _ := srd.FindItem(entry.Item)
		s.Equipment = append(s.Equipment, itemSheet{Name: named(item.Name, entry.Item), Count: entry.Count, Equipped: entry.Equipped,
			Weight: pounds(item.UnitWeight() * float64(entry.Count))})
	}
	for _, coin := range Coins() {
		if n := c.State.Currency[coin]; n > 0 {
			s.Coins = append(s.Coins, coinSheet{Coin: coin, Count: n})
		}
	}
	for _, p := range d.Pending {
		s.Pending = append(s.Pending, pendingSheet{Field: p.Field, Choose: p.Choose, From: enumerate(p.From)})
	}
	return s
}

// named is a name, or what a slug without one reads like.
func named(name, slug string) string {
	if name != "" {
		return name
	}
	return titled(slug)
}

// titled makes words of a slug: "Lawful good".
func titled(slug string) string {
	text := strings.ReplaceAll(slug, "-", " ")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// counter makes boxes of something that is spent.
func counter(name string, total, used int) counterSheet {
	used = min(max(used, 0), total)
	c := counterSheet{Name: name, Total: total, Used: used, Left: total - used, Boxes: make([]bool, total)}
	for i := range used {
		c.Boxes[i] = true
	}
	return c
}

func (a *analysis) classNames() string {
	var names []string
	for _, class := range a.classes {
		name := class.Name + " " + strconv.Itoa(class.level)
		if class.sub != nil {
			name += " (" + class.sub.Name + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, " / ")
}

// featureSheets lists what race, classes, subclasses and background bring, with the options that were chosen. A
// feature that a class brings again and again is listed once.
func (a *analysis) featureSheets() []featureSheet {
	sheets := []featureSheet{}
	add := func(source string, level int, features []srd.Feature) {
		for _, f := range features {
			entry := featureSheet{Name: f.Name, Source: source, Text: f.Text}
			if f.Level <= level && !slices.ContainsFunc(sheets, func(s featureSheet) bool { return s.Name == entry.Name && s.Source == entry.Source }) {
				sheets = append(sheets, entry)
			}
		}
	}
	add(a.race.Name, a.c.Level, a.race.Traits)
	for _, class := range a.classes {
		for level := 1; level <= class.level; level++ {
			add(class.Name, class.level, class.At(level).Features)
		}
		if class.sub != nil {
			for _, level := range class.sub.Levels {
				add(class.sub.Name, class.level, level.Features)
			}
		}
	}
	for _, o := range a.options() {
		sheets = append(sheets, featureSheet{Name: o.Name, Source: titled(o.Group), Text: o.Text})
	}
	for _, field := range []string{srd.FieldDraconicAncestry, srd.FieldDragonAncestor} {
		for _, slug := range a.chosen(field) {
			if dragon, ok := srd.FindDraconicAncestry(slug); ok {
				sheets = append(sheets, featureSheet{Name: dragon.Name + " dragon", Source: "Ancestry", Text: titled(dragon.DamageType) + " damage; breath: " + dragon.Area + "."})
			}
		}
	}
	if f := a.background.Feature; f.Slug != "" {
		sheets = append(sheets, featureSheet{Name: f.Name, Source: a.background.Name, Text: f.Text})
	}
	return sheets
}
