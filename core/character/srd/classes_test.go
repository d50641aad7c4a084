package srd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/core/character/srd"
)

func class(t *testing.T, slug string) srd.Class {
	t.Helper()
	c, ok := srd.FindClass(slug)
	if !ok {
		t.Fatalf("there is no class %q", slug)
	}
	return c
}

// classLine puts what a class starts with in one line, to be held against the SRD.
func classLine(c srd.Class) string {
	var choices []string
	for _, choice := range c.Proficiencies {
		choices = append(choices, fmt.Sprintf("%s:%d/%d", strings.TrimPrefix(choice.Field, "choices."), choice.Choose, len(choice.From)))
	}
	return fmt.Sprintf("d%d %s | %s | %s | %s | %d %v | %s%d", c.HitDie, strings.Join(c.Saves, " "), strings.Join(c.Armor, " "),
		strings.Join(choices, " "), strings.Join(c.Subclasses, " "), c.SubclassLevel, c.Improvements, c.Equipment.GoldDice, c.Equipment.GoldTimes)
}

func TestClasses(t *testing.T) {
	want := map[string]string{
		"barbarian": "d12 str con | light medium shield | skills:2/6 | path-of-the-berserker | 3 [4 8 12 16 19] | 2d410",
		"bard":      "d8 dex cha | light | skills:3/18 tools:3/10 | college-of-lore | 3 [4 8 12 16 19] | 5d410",
		"cleric":    "d8 wis cha | light medium shield | skills:2/5 | life-domain | 1 [4 8 12 16 19] | 5d410",
		"druid":     "d8 int wis | light medium shield | skills:2/8 | circle-of-the-land | 2 [4 8 12 16 19] | 2d410",
		"fighter":   "d10 str con | light medium heavy shield | skills:2/8 | champion | 3 [4 6 8 12 14 16 19] | 5d410",
		"monk":      "d8 str dex |  | skills:2/6 tools:1/27 | way-of-the-open-hand | 3 [4 8 12 16 19] | 5d41",
		"paladin":   "d10 wis cha | light medium heavy shield | skills:2/6 | oath-of-devotion | 3 [4 8 12 16 19] | 5d410",
		"ranger":    "d10 str dex | light medium shield | skills:3/8 | hunter | 3 [4 8 12 16 19] | 5d410",
		"rogue":     "d8 dex int | light | skills:4/11 | thief | 3 [4 8 10 12 16 19] | 4d410",
		"sorcerer":  "d6 con cha |  | skills:2/6 | draconic-bloodline | 1 [4 8 12 16 19] | 3d410",
		"warlock":   "d8 wis cha | light | skills:2/7 | the-fiend | 1 [4 8 12 16 19] | 4d410",
		"wizard":    "d6 int wis |  | skills:2/6 | school-of-evocation | 2 [4 8 12 16 19] | 4d410",
	}
	if len(srd.Classes()) != len(want) {
		t.Errorf("%d classes, want %d", len(srd.Classes()), len(want))
	}
	for _, c := range srd.Classes() {
		if got := classLine(c); got != want[c.Slug] {
			t.Errorf("%s:\n got %s\nwant %s", c.Slug, got, want[c.Slug])
		}
	}
	if _, ok := srd.FindClass("artificer"); ok {
		t.Error("the SRD has no artificer")
	}
}

func TestClassesAreWhole(t *testing.T) {
	for _, c := range srd.Classes() {
		isShort(t, c.Slug, c.Text)
		checkProficiencies(t, c.Slug, c.Armor, c.Weapons, c.Tools, nil, c.Languages)
		checkProficiencies(t, c.Slug, c.Multiclass.Armor, c.Multiclass.Weapons, c.Multiclass.Tools, nil, nil)
		for _, choice := range slices.Concat(c.Choices, c.Proficiencies, c.Multiclass.Choices) {
			checkChoice(t, c.Slug, choice)
		}
		if len(c.Levels) != srd.MaxLevel {
			t.Fatalf("%s has %d levels", c.Slug, len(c.Levels))
		}
		var features []srd.Feature
		for i, l := range c.Levels {
			if l.Level != i+1 || l.ProficiencyBonus != srd.ProficiencyBonus(l.Level) {
				t.Errorf("%s: level %d with proficiency bonus %d stands as level %d", c.Slug, l.Level, l.ProficiencyBonus, i+1)
			}
			for _, f := range l.Features {
				if f.Level != l.Level {
					t.Errorf("%s: %s of level %d stands at level %d", c.Slug, f.Slug, f.Level, l.Level)
				}
			}
			for _, choice := range l.Choices {
				checkChoice(t, fmt.Sprintf("%s %d", c.Slug, l.Level), choice)
			}
			features = append(features, l.Features...)
		}
		checkFeatures(t, c.Slug, features)
		checkEquipment(t, c)
	}
}

func checkEquipment(t *testing.T, c srd.Class) {
	t.Helper()
	checkStacks(t, c.Slug, c.Equipment.Items)
	if len(c.Equipment.Choices) == 0 {
		t.Errorf("%s chooses no equipment", c.Slug)
	}
	for _, choice := range c.Equipment.Choices {
		if len(choice.Options) == 0 {
			t.Errorf("%s: a choice without options", c.Slug)
		}
		for _, o := range choice.Options {
			checkStacks(t, c.Slug, o.Items)
			if len(o.Items) == 0 && o.Choose == 0 || (o.Choose == 0) != (len(o.From) == 0) {
				t.Errorf("%s: an option without anything to take: %+v", c.Slug, o)
			}
			for _, slug := range o.From {
				checkStacks(t, c.Slug, []srd.Content{{Item: slug, Count: 1}})
			}
		}
	}
}

// TestFeatureLevels holds how many features each class has at which level against the SRD's class tables: every name of
// a table, improvements of a feature too, but not the lines that stand for the subclass. A "+" is a raise of abilities.
func TestFeatureLevels(t *testing.T) {
	want := map[string]string{
		"barbarian": "1:2 2:2 4:+ 5:2 7:1 8:+ 9:1 11:1 12:+ 13:1 15:1 16:+ 17:1 18:1 19:+ 20:1",
		"bard":      "1:2 2:2 3:1 4:+ 5:1 6:1 8:+ 10:2 12:+ 14:1 16:+ 18:1 19:+ 20:1",
		"cleric":    "1:1 2:2 4:+ 5:1 6:1 8:1+ 10:1 11:1 12:+ 14:1 16:+ 17:1 18:1 19:+ 20:1",
		"druid":     "1:2 2:1 4:1+ 8:1+ 12:+ 16:+ 18:2 19:+ 20:1",
		"fighter":   "1:2 2:1 4:+ 5:1 6:+ 8:+ 9:1 11:1 12:+ 13:1 14:+ 16:+ 17:2 19:+ 20:1",
		"monk":      "1:2 2:2 3:1 4:1+ 5:2 6:1 7:2 8:+ 9:1 10:1 12:+ 13:1 14:1 15:1 16:+ 18:1 19:+ 20:1",
		"paladin":   "1:2 2:3 3:2 4:+ 5:1 6:1 8:+ 10:1 11:1 12:+ 14:1 16:+ 18:1 19:+",
		"ranger":    "1:2 2:2 3:1 4:+ 5:1 6:2 8:1+ 10:2 12:+ 14:2 16:+ 18:1 19:+ 20:1",
		"rogue":     "1:3 2:1 4:+ 5:1 6:1 7:1 8:+ 10:+ 11:1 12:+ 14:1 15:1 16:+ 18:1 19:+ 20:1",
		"sorcerer":  "1:1 2:1 3:1 4:+ 8:+ 10:1 12:+ 16:+ 17:1 19:+ 20:1",
		"warlock":   "1:1 2:1 3:1 4:+ 8:+ 11:1 12:+ 13:1 15:1 16:+ 17:1 19:+ 20:1",
		"wizard":    "1:2 4:+ 8:+ 12:+ 16:+ 18:1 19:+ 20:1",
	}
	for _, c := range srd.Classes() {
		var got []string
		for _, l := range c.Levels {
			own, plus := 0, ""
			for _, f := range l.Features {
				if f.Slug == "ability-score-improvement" {
					plus = "+"
				} else {
					own++
				}
			}
			switch {
			case own > 0:
				got = append(got, fmt.Sprintf("%d:%d%s", l.Level, own, plus))
			case plus != "":
				got = append(got, fmt.Sprintf("%d:%s", l.Level, plus))
			}
		}
		if strings.Join(got, " ") != want[c.Slug] {
			t.Errorf("%s:\n got %s\nwant %s", c.Slug, strings.Join(got, " "), want[c.Slug])
		}
	}
}

// TestClassSkills holds the skills that a class offers against the SRD; a bard's are all of them.
func TestClassSkills(t *testing.T) {
	want := map[string]string{
		"barbarian": "animal-handling athletics intimidation nature perception survival",
		"cleric":    "history insight medicine persuasion religion",
		"druid":     "animal-handling arcana insight medicine nature perception religion survival",
		"fighter":   "acrobatics animal-handling athletics history insight intimidation perception survival",
		"monk":      "acrobatics athletics history insight religion stealth",
		"paladin":   "athletics insight intimidation medicine persuasion religion",
		"ranger":    "animal-handling athletics insight investigation nature perception stealth survival",
		"rogue":     "acrobatics athletics deception insight intimidation investigation perception performance persuasion sleight-of-hand stealth",
		"sorcerer":  "arcana deception insight intimidation persuasion religion",
		"warlock":   "arcana deception history intimidation investigation nature religion",
		"wizard":    "arcana history insight investigation medicine religion",
	}
	for _, c := range srd.Classes() {
		skills := c.Proficiencies[0]
		if skills.Field != srd.FieldSkills {
			t.Fatalf("%s chooses %s first", c.Slug, skills.Field)
		}
		if got := strings.Join(skills.From, " "); c.Slug != "bard" && got != want[c.Slug] {
			t.Errorf("%s: %s, want %s", c.Slug, got, want[c.Slug])
		}
		// A further class offers the skills of its own list.
		for _, choice := range c.Multiclass.Choices {
			if choice.Field == srd.FieldSkills && !slices.Equal(choice.From, skills.From) {
				t.Errorf("%s: as a further class %v", c.Slug, choice.From)
			}
		}
	}
}

// TestClassArms holds the weapons and tools of the first class against the SRD.
func TestClassArms(t *testing.T) {
	want := map[string]string{
		"barbarian": "simple martial |", "bard": "simple hand-crossbow longsword rapier shortsword |", "cleric": "simple |",
		"druid":   "club dagger dart javelin mace quarterstaff scimitar sickle sling spear | herbalism-kit",
		"fighter": "simple martial |", "monk": "simple shortsword |", "paladin": "simple martial |", "ranger": "simple martial |",
		"rogue":    "simple hand-crossbow longsword rapier shortsword | thieves-tools",
		"sorcerer": "dagger dart sling quarterstaff light-crossbow |", "warlock": "simple |", "wizard": "dagger dart sling quarterstaff light-crossbow |",
	}
	for _, c := range srd.Classes() {
		got := strings.TrimSpace(strings.Join(c.Weapons, " ") + " | " + strings.Join(c.Tools, " "))
		if got != want[c.Slug] {
			t.Errorf("%s: %s, want %s", c.Slug, got, want[c.Slug])
		}
	}
}

func TestFirstLevelChoices(t *testing.T) {
	fields := map[string]string{
		"barbarian": "skills:2",
		"bard":      "skills:3 tools:3 cantrips:2 spells:4",
		"cleric":    "skills:2 subclass:1 cantrips:3",
		"druid":     "skills:2 cantrips:2",
		"fighter":   "skills:2 fighting_style:1",
		"monk":      "skills:2 tools:1",
		"paladin":   "skills:2",
		"ranger":    "skills:3 favored_enemies:1 languages:1 favored_terrains:1",
		"rogue":     "skills:4",
		"sorcerer":  "skills:2 subclass:1 cantrips:4 spells:2",
		"warlock":   "skills:2 subclass:1 cantrips:2 spells:2",
		"wizard":    "skills:2 cantrips:3",
	}
	for _, c := range srd.Classes() {
		var got []string
		for _, choice := range c.Choices {
			got = append(got, fmt.Sprintf("%s:%d", strings.TrimPrefix(choice.Field, "choices."), choice.Choose))
		}
		if strings.Join(got, " ") != fields[c.Slug] {
			t.Errorf("%s: %v, want %s", c.Slug, got, fields[c.Slug])
		}
	}
}

func TestAtAndHas(t *testing.T) {
	fighter := class(t, "fighter")
	if fighter.At(0).Level != 0 || fighter.At(21).Level != 0 || fighter.At(20).Numbers[srd.NumberAttacks] != 4 {
		t.Errorf("At: %+v, %+v, %+v", fighter.At(0), fighter.At(21), fighter.At(20))
	}
	if fighter.Has("extra-attack", 4) || !fighter.Has("extra-attack", 5) || !fighter.Has("extra-attack", 99) || fighter.Has("second-wind", -1) {
		t.Error("extra attack comes at level 5 and stays")
	}
	champion, _ := srd.FindSubclass("champion")
	if champion.Has("remarkable-athlete", 6) || !champion.Has("remarkable-athlete", 7) || !champion.Has("remarkable-athlete", 20) {
		t.Error("remarkable athlete comes at level 7 and stays")
	}
}
