package srd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/core/character/srd"
)

func TestRaces(t *testing.T) {
	want := []string{"dragonborn", "half-elf", "half-orc", "high-elf", "hill-dwarf", "human", "lightfoot-halfling", "rock-gnome", "tiefling"}
	var got []string
	for _, r := range srd.Races() {
		got = append(got, r.Slug)
		isShort(t, r.Slug, r.Text)
		if r.Speed != 30 && r.Speed != 25 || r.Darkvision != 0 && r.Darkvision != 60 {
			t.Errorf("%s: speed %d, darkvision %d", r.Slug, r.Speed, r.Darkvision)
		}
		if small := r.Slug == "lightfoot-halfling" || r.Slug == "rock-gnome"; (r.Size == "Small") != small || r.Size != "Small" && r.Size != "Medium" {
			t.Errorf("%s: size %s", r.Slug, r.Size)
		}
		if (r.Darkvision > 0) != slices.ContainsFunc(r.Traits, func(f srd.Feature) bool { return f.Slug == "darkvision" }) {
			t.Errorf("%s: the trait darkvision and its distance %d differ", r.Slug, r.Darkvision)
		}
		if !slices.Contains(r.Languages, "common") {
			t.Errorf("%s does not speak Common", r.Slug)
		}
		checkFeatures(t, r.Slug, r.Traits)
		for _, c := range r.Choices {
			checkChoice(t, r.Slug, c)
		}
		checkProficiencies(t, r.Slug, r.Armor, r.Weapons, r.Tools, r.Skills, r.Languages)
		if found, ok := srd.FindRace(r.Slug); !ok || found.Name != r.Name {
			t.Errorf("FindRace(%q) = %q, %v", r.Slug, found.Name, ok)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the races are %v, want %v", got, want)
	}
	if _, ok := srd.FindRace("dwarf"); ok {
		t.Error("a race that has a subrace is chosen by the subrace")
	}
}

// raceLine puts the numbers of a race in one line, to be held against the SRD.
func raceLine(r srd.Race) string {
	var parts []string
	for _, a := range srd.Abilities() {
		if n := r.Bonuses[a.Slug]; n != 0 {
			parts = append(parts, fmt.Sprintf("%s+%d", a.Slug, n))
		}
	}
	for _, c := range r.Choices {
		parts = append(parts, fmt.Sprintf("%s:%d/%d", strings.TrimPrefix(c.Field, "choices."), c.Choose, len(c.From)))
	}
	return fmt.Sprintf("%s %d %d %s", strings.ToLower(r.Parent), r.Speed, r.Darkvision, strings.Join(parts, " "))
}

func TestRaceNumbers(t *testing.T) {
	wizard := len(srd.SpellsOf("wizard", 0, 0))
	want := map[string]string{
		"dragonborn":         " 30 0 str+2 cha+1 draconic_ancestry:1/10",
		"half-elf":           " 30 60 cha+2 ability_bonus:2/5 skills:2/18 languages:1/14",
		"half-orc":           " 30 60 str+2 con+1",
		"high-elf":           fmt.Sprintf("elf 30 60 dex+2 int+1 cantrips:1/%d languages:1/14", wizard),
		"hill-dwarf":         "dwarf 25 60 con+2 wis+1 tools:1/3",
		"human":              " 30 0 str+1 dex+1 con+1 int+1 wis+1 cha+1 languages:1/15",
		"lightfoot-halfling": "halfling 25 0 dex+2 cha+1",
		"rock-gnome":         "gnome 25 60 con+1 int+2",
		"tiefling":           " 30 60 int+1 cha+2",
	}
	for _, r := range srd.Races() {
		if got := raceLine(r); got != want[r.Slug] {
			t.Errorf("%s: %q, want %q", r.Slug, got, want[r.Slug])
		}
		if (r.HitPointsPerLevel == 1 && r.IgnoresHeavyArmor) != (r.Slug == "hill-dwarf") {
			t.Errorf("%s: %d hit points per level, heavy armor ignored %v", r.Slug, r.HitPointsPerLevel, r.IgnoresHeavyArmor)
		}
		if (r.ChosenBonus == 1) != (r.Slug == "half-elf") {
			t.Errorf("%s: chosen bonus %d", r.Slug, r.ChosenBonus)
		}
	}
}

func TestRaceSpells(t *testing.T) {
	tiefling, _ := srd.FindRace("tiefling")
	want := []srd.RaceSpell{{Spell: "thaumaturgy", Level: 1}, {Spell: "hellish-rebuke", Level: 3, CastAt: 2, Uses: 1}, {Spell: "darkness", Level: 5, CastAt: 2, Uses: 1}}
	if !slices.Equal(tiefling.Spells, want) || tiefling.SpellAbility != "cha" {
		t.Errorf("tiefling: %+v with %s", tiefling.Spells, tiefling.SpellAbility)
	}
	for _, r := range srd.Races() {
		for _, s := range r.Spells {
			spell, ok := srd.FindSpell(s.Spell)
			if !ok || spell.Level > s.CastAt || spell.Cantrip() != (s.Uses == 0) {
				t.Errorf("%s: %+v is cast as %+v", r.Slug, spell, s)
			}
		}
	}
}

func TestDraconicAncestries(t *testing.T) {
	counts := map[string]int{}
	for _, a := range srd.DraconicAncestries() {
		counts[a.DamageType]++
		cone := a.Area == "15 ft. cone"
		if !cone && a.Area != "5 by 30 ft. line" {
			t.Errorf("%s breathes %q", a.Slug, a.Area)
		}
		// Acid and lightning come as lines; of fire, only brass does.
		if line := a.DamageType == "acid" || a.DamageType == "lightning" || a.Slug == "brass"; line == cone {
			t.Errorf("%s breathes %s as %q", a.Slug, a.DamageType, a.Area)
		}
		// Constitution saves against cold and poison, Dexterity against the rest.
		if con := a.DamageType == "cold" || a.DamageType == "poison"; con != (a.Save == "con") || a.Save != "con" && a.Save != "dex" {
			t.Errorf("%s: %s is saved against with %s", a.Slug, a.DamageType, a.Save)
		}
	}
	if fmt.Sprint(counts) != "map[acid:2 cold:2 fire:3 lightning:2 poison:1]" {
		t.Errorf("the kinds of damage are %v", counts)
	}
	if gold, ok := srd.FindDraconicAncestry("gold"); !ok || gold.DamageType != "fire" {
		t.Errorf("gold is %+v", gold)
	}
}

func TestBreathDamage(t *testing.T) {
	for level, want := range map[int]string{1: "2d6", 5: "2d6", 6: "3d6", 10: "3d6", 11: "4d6", 15: "4d6", 16: "5d6", 20: "5d6"} {
		if got := srd.BreathDamage(level); got != want {
			t.Errorf("level %d: %s, want %s", level, got, want)
		}
	}
}
