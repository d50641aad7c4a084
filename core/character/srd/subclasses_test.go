package srd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/core/character/srd"
)

// highestSpell returns the highest spell level that a class casts at its level.
func highestSpell(t *testing.T, slug string) func(level int) int {
	c := class(t, slug)
	return func(level int) int { return max(len(c.At(level).Slots), c.At(level).Pact.Level) }
}

func TestSubclasses(t *testing.T) {
	// How many features come at which level, and the choices, by the SRD.
	want := map[string]string{
		"path-of-the-berserker": "3:1 6:1 10:1 14:1",
		"college-of-lore":       "3:2[skills:3] 6:1[spells:2] 14:1",
		"life-domain":           "1:2 2:1 6:1 8:1 17:1",
		"circle-of-the-land":    "2:2[cantrips:1] 3:1[circle_land:1] 6:1 10:1 14:1",
		"champion":              "3:1 7:1 10:1[additional_fighting_style:1] 15:1 18:1",
		"way-of-the-open-hand":  "3:1 6:1 11:1 17:1",
		"oath-of-devotion":      "3:3 7:1 15:1 20:1",
		"hunter":                "3:1[hunters_prey:1] 7:1[defensive_tactics:1] 11:1[multiattack:1] 15:1[superior_hunters_defense:1]",
		"thief":                 "3:2 9:1 13:1 17:1",
		"draconic-bloodline":    "1:2[dragon_ancestor:1] 6:1 14:1 18:1",
		"the-fiend":             "1:1 6:1 10:1 14:1",
		"school-of-evocation":   "2:2 6:1 10:1 14:1",
	}
	if len(srd.Subclasses()) != len(want) {
		t.Errorf("%d subclasses, want %d", len(srd.Subclasses()), len(want))
	}
	for _, s := range srd.Subclasses() {
		isShort(t, s.Slug, s.Text)
		checkProficiencies(t, s.Slug, s.Armor, s.Weapons, s.Tools, s.Skills, s.Languages)
		c := class(t, s.Class)
		if !slices.Equal(c.Subclasses, []string{s.Slug}) || s.Levels[0].Level != c.SubclassLevel {
			t.Errorf("%s begins at %d; %s chooses %v at %d", s.Slug, s.Levels[0].Level, c.Slug, c.Subclasses, c.SubclassLevel)
		}
		var got []string
		var features []srd.Feature
		for _, l := range s.Levels {
			text := fmt.Sprintf("%d:%d", l.Level, len(l.Features))
			for _, choice := range l.Choices {
				checkChoice(t, s.Slug, choice)
				text += fmt.Sprintf("[%s:%d]", strings.TrimPrefix(choice.Field, "choices."), choice.Choose)
			}
			got = append(got, text)
			features = append(features, l.Features...)
		}
		checkFeatures(t, s.Slug, features)
		if strings.Join(got, " ") != want[s.Slug] {
			t.Errorf("%s: %v, want %s", s.Slug, got, want[s.Slug])
		}
		checkSpells(t, s.Slug, s.AlwaysPrepared, highestSpell(t, s.Class))
		checkSpells(t, s.Slug, s.AddsToList, highestSpell(t, s.Class))
		prepared, added := countSpells(s.AlwaysPrepared), countSpells(s.AddsToList)
		if (prepared == 10) != (s.Slug == "life-domain" || s.Slug == "oath-of-devotion") || (added == 10) != (s.Slug == "the-fiend") || prepared+added > 10 {
			t.Errorf("%s: %d spells always prepared, %d added", s.Slug, prepared, added)
		}
	}
}

func countSpells(levels []srd.LevelSpells) int {
	n := 0
	for _, l := range levels {
		n += len(l.Spells)
	}
	return n
}

// TestExpandedListsAreNew holds that the fiend adds only spells that warlocks lack.
func TestExpandedListsAreNew(t *testing.T) {
	fiend, _ := srd.FindSubclass("the-fiend")
	for _, l := range fiend.AddsToList {
		for _, s := range l.Spells {
			if spell, _ := srd.FindSpell(s); spell.On("warlock") {
				t.Errorf("%s is on the warlock's list already", s)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	want := map[string]int{
		srd.FightingStyles: 6, srd.CircleLands: 7, srd.FavoredEnemies: 14, srd.FavoredTerrains: 8, srd.HuntersPrey: 3, srd.DefensiveTactics: 3,
		srd.Multiattack: 2, srd.SuperiorHuntersDefense: 3, srd.Invocations: 32, srd.Metamagic: 8, srd.PactBoons: 3,
	}
	total := 0
	for group, n := range want {
		if got := len(srd.Options(group)); got != n {
			t.Errorf("%d %s, want %d", got, group, n)
		}
		total += n
	}
	if got := len(srd.Options("")); got != total {
		t.Errorf("%d options, want %d", got, total)
	}
	for _, o := range srd.Options("") {
		if !slugForm.MatchString(o.Slug) || o.Name == "" || o.Level < 1 || o.Level > srd.MaxLevel {
			t.Errorf("option %+v", o)
		}
		isShort(t, o.Group+" "+o.Slug, o.Text)
		if o.Boon != "" && !isOption(srd.PactBoons)(o.Boon) {
			t.Errorf("%s needs the unknown boon %q", o.Slug, o.Boon)
		}
		if s, ok := srd.FindSpell(o.Cantrip); o.Cantrip != "" && (!ok || !s.Cantrip()) {
			t.Errorf("%s needs the unknown cantrip %q", o.Slug, o.Cantrip)
		}
		checkProficiencies(t, o.Slug, nil, nil, nil, o.Skills, nil)
		for _, c := range o.Choices {
			checkChoice(t, o.Slug, c)
		}
		if o.Group == srd.CircleLands {
			checkSpells(t, o.Slug, o.Spells, highestSpell(t, "druid"))
			if countSpells(o.Spells) != 8 {
				t.Errorf("%s has %d spells", o.Slug, countSpells(o.Spells))
			}
		}
	}
}

// TestInvocationLevels holds how many invocations a warlock can choose from, by level.
func TestInvocationLevels(t *testing.T) {
	want := map[int]int{2: 14, 5: 20, 7: 23, 9: 27, 12: 28, 15: 32, 18: 32}
	for _, l := range class(t, "warlock").Levels {
		for _, c := range l.Choices {
			if c.Field == srd.FieldInvocations && len(c.From) != want[l.Level] {
				t.Errorf("level %d: %d invocations, want %d: %v", l.Level, len(c.From), want[l.Level], c.From)
			}
		}
	}
}

// TestChoicesAddUp holds the columns of the tables against the choices of the levels.
func TestChoicesAddUp(t *testing.T) {
	for _, c := range []struct{ class, field, column string }{
		{"bard", srd.FieldExpertise, srd.NumberExpertise},
		{"rogue", srd.FieldExpertise, srd.NumberExpertise},
		{"sorcerer", srd.FieldMetamagic, srd.NumberMetamagic},
		{"warlock", srd.FieldInvocations, srd.NumberInvocations},
	} {
		chosen := 0
		for _, l := range class(t, c.class).Levels {
			for _, choice := range l.Choices {
				if choice.Field == c.field {
					chosen += choice.Choose
				}
			}
			if chosen != l.Numbers[c.column] {
				t.Errorf("%s %d: %d %s chosen, %d in the table", c.class, l.Level, chosen, c.field, l.Numbers[c.column])
			}
		}
	}
}
