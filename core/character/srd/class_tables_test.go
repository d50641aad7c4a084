package srd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/core/character/srd"
)

// ints writes a column of a class's table as text: each value once, with the level where it begins.
func ints(c srd.Class, value func(srd.Level) any) string {
	var parts []string
	last := ""
	for _, l := range c.Levels {
		if v := fmt.Sprint(value(l)); v != last {
			parts = append(parts, fmt.Sprintf("%d:%s", l.Level, v))
			last = v
		}
	}
	return strings.Join(parts, " ")
}

func number(name string) func(srd.Level) any {
	return func(l srd.Level) any { return l.Numbers[name] }
}

func dice(name string) func(srd.Level) any {
	return func(l srd.Level) any { return l.Dice[name] }
}

func TestClassColumns(t *testing.T) {
	for _, c := range []struct {
		class, column string
		value         func(srd.Level) any
		want          string
	}{
		{"barbarian", "rages", number(srd.NumberRages), "1:2 3:3 6:4 12:5 17:6 20:-1"},
		{"barbarian", "rage damage", number(srd.NumberRageDamage), "1:2 9:3 16:4"},
		{"barbarian", "fast movement", number(srd.NumberFastMovement), "1:0 5:10"},
		{"barbarian", "brutal critical", number(srd.NumberBrutalDice), "1:0 9:1 13:2 17:3"},
		{"bard", "inspiration", dice(srd.DiceBardicInspiration), "1:d6 5:d8 10:d10 15:d12"},
		{"bard", "song of rest", dice(srd.DiceSongOfRest), "2:d6 9:d8 13:d10 17:d12"},
		{"bard", "expertise", number(srd.NumberExpertise), "1:0 3:2 10:4"},
		{"bard", "magical secrets", number(srd.NumberMagicalSecrets), "1:0 10:2 14:4 18:6"},
		{"cleric", "channel divinity", number(srd.NumberChannelDivinity), "1:0 2:1 6:2 18:3"},
		{"druid", "wild shapes", number(srd.NumberWildShapes), "1:0 2:2 20:-1"},
		{"fighter", "attacks", number(srd.NumberAttacks), "1:1 5:2 11:3 20:4"},
		{"fighter", "action surges", number(srd.NumberActionSurges), "1:0 2:1 17:2"},
		{"fighter", "indomitable", number(srd.NumberIndomitable), "1:0 9:1 13:2 17:3"},
		{"monk", "martial arts", dice(srd.DiceMartialArts), "1:1d4 5:1d6 11:1d8 17:1d10"},
		{"monk", "unarmored movement", number(srd.NumberUnarmoredMovement), "1:0 2:10 6:15 10:20 14:25 18:30"},
		{"paladin", "channel divinity", number(srd.NumberChannelDivinity), "1:0 3:1"},
		{"paladin", "aura", number(srd.NumberAuraRange), "1:0 6:10 18:30"},
		{"ranger", "attacks", number(srd.NumberAttacks), "1:1 5:2"},
		{"rogue", "expertise", number(srd.NumberExpertise), "1:2 6:4"},
		{"sorcerer", "metamagic", number(srd.NumberMetamagic), "1:0 3:2 10:3 17:4"},
		{"warlock", "invocations", number(srd.NumberInvocations), "1:0 2:2 5:3 7:4 9:5 12:6 15:7 18:8"},
	} {
		if got := ints(class(t, c.class), c.value); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.class, c.column, got, c.want)
		}
	}
	for _, l := range class(t, "rogue").Levels {
		if want := fmt.Sprintf("%dd6", (l.Level+1)/2); l.Dice[srd.DiceSneakAttack] != want {
			t.Errorf("rogue %d: sneak attack %s, want %s", l.Level, l.Dice[srd.DiceSneakAttack], want)
		}
	}
	for level := 1; level <= srd.MaxLevel; level++ {
		points := level
		if level == 1 {
			points = 0
		}
		ki, sorcery := class(t, "monk").At(level).Numbers[srd.NumberKiPoints], class(t, "sorcerer").At(level).Numbers[srd.NumberSorceryPoints]
		lay, recovery := class(t, "paladin").At(level).Numbers[srd.NumberLayOnHands], class(t, "wizard").At(level).Numbers[srd.NumberArcaneRecovery]
		if ki != points || sorcery != points || lay != 5*level || recovery != (level+1)/2 {
			t.Errorf("level %d: ki %d, sorcery points %d, lay on hands %d, arcane recovery %d", level, ki, sorcery, lay, recovery)
		}
	}
}

func TestSpellsKnown(t *testing.T) {
	cantrips := map[string]string{
		"barbarian": "1:0", "bard": "1:2 4:3 10:4", "cleric": "1:3 4:4 10:5", "druid": "1:2 4:3 10:4", "fighter": "1:0", "monk": "1:0",
		"paladin": "1:0", "ranger": "1:0", "rogue": "1:0", "sorcerer": "1:4 4:5 10:6", "warlock": "1:2 4:3 10:4", "wizard": "1:3 4:4 10:5",
	}
	// The spells known by level, from the SRD's tables; all others prepare theirs or have none.
	spells := map[string]string{
		"bard":     "[4 5 6 7 8 9 10 11 12 14 15 15 16 18 19 19 20 22 22 22]",
		"ranger":   "[0 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 10 10 11 11]",
		"sorcerer": "[2 3 4 5 6 7 8 9 10 11 12 12 13 13 14 14 15 15 15 15]",
		"warlock":  "[2 3 4 5 6 7 8 9 10 10 11 11 12 12 13 13 14 14 15 15]",
	}
	for _, c := range srd.Classes() {
		if got := ints(c, func(l srd.Level) any { return l.CantripsKnown }); got != cantrips[c.Slug] {
			t.Errorf("%s: cantrips %s, want %s", c.Slug, got, cantrips[c.Slug])
		}
		var known []int
		for _, l := range c.Levels {
			known = append(known, l.SpellsKnown)
		}
		want, ok := spells[c.Slug]
		if !ok {
			want = fmt.Sprint(make([]int, srd.MaxLevel))
		}
		if got := fmt.Sprint(known); got != want {
			t.Errorf("%s: spells %s, want %s", c.Slug, got, want)
		}
		if knows := c.Spellcasting != nil && c.Spellcasting.Preparation == srd.KnownSpells; knows != ok {
			t.Errorf("%s: spells known %v, preparation %+v", c.Slug, ok, c.Spellcasting)
		}
	}
}

func TestSpellcasting(t *testing.T) {
	want := map[string]string{
		"bard": "full cha known 1 true 0", "cleric": "full wis prepared 1 true 0", "druid": "full wis prepared 1 true 0",
		"paladin": "half cha prepared 2 false 0", "ranger": "half wis known 2 false 0", "sorcerer": "full cha known 1 false 0",
		"warlock": "pact cha known 1 false 0", "wizard": "full int prepared 1 true 6",
	}
	for _, c := range srd.Classes() {
		got := ""
		if s := c.Spellcasting; s != nil {
			got = fmt.Sprint(s.Kind, " ", s.Ability, " ", s.Preparation, " ", s.FirstLevel, " ", s.Ritual, " ", s.SpellbookFirst)
			if (len(s.Focus) == 0) != (c.Slug == "ranger") {
				t.Errorf("%s: foci %v", c.Slug, s.Focus)
			}
			for _, item := range s.Focus {
				checkStacks(t, c.Slug, []srd.Content{{Item: item, Count: 1}})
			}
		}
		if got != want[c.Slug] {
			t.Errorf("%s: %q, want %q", c.Slug, got, want[c.Slug])
		}
		for _, l := range c.Levels {
			casts := c.Spellcasting != nil && l.Level >= c.Spellcasting.FirstLevel
			if has := len(l.Slots) > 0 || l.Pact.Count > 0; has != casts {
				t.Errorf("%s %d: slots %v, pact %+v", c.Slug, l.Level, l.Slots, l.Pact)
			}
		}
	}
	warlock := class(t, "warlock").At(11)
	if warlock.Slots != nil || warlock.Pact != (srd.PactSlots{Level: 5, Count: 3}) {
		t.Errorf("warlock 11: %+v", warlock)
	}
}

func TestPreparedCount(t *testing.T) {
	for _, c := range []struct {
		class                 string
		level, modifier, want int
	}{
		{"cleric", 1, 3, 4}, {"cleric", 1, -2, 1}, {"wizard", 20, 5, 25}, {"paladin", 1, 3, 0}, {"paladin", 2, 3, 4},
		{"paladin", 5, 2, 4}, {"paladin", 2, -1, 1}, {"bard", 5, 3, 0}, {"fighter", 5, 3, 0},
	} {
		if got := class(t, c.class).Spellcasting.PreparedCount(c.level, c.modifier); got != c.want {
			t.Errorf("%s %d with %d prepares %d, want %d", c.class, c.level, c.modifier, got, c.want)
		}
	}
}

func TestMulticlass(t *testing.T) {
	want := map[string]string{
		"barbarian": "[[str]] shield + simple martial + []",
		"bard":      "[[cha]] light +  + [skills:1/18 tools:1/10]",
		"cleric":    "[[wis]] light medium shield +  + []",
		"druid":     "[[wis]] light medium shield +  + []",
		"fighter":   "[[str dex]] light medium shield + simple martial + []",
		"monk":      "[[dex] [wis]]  + simple shortsword + []",
		"paladin":   "[[str] [cha]] light medium shield + simple martial + []",
		"ranger":    "[[dex] [wis]] light medium shield + simple martial + [skills:1/8]",
		"rogue":     "[[dex]] light +  + [skills:1/11]",
		"sorcerer":  "[[cha]]  +  + []",
		"warlock":   "[[cha]] light + simple + []",
		"wizard":    "[[int]]  +  + []",
	}
	for _, c := range srd.Classes() {
		choices := []string{}
		for _, choice := range c.Multiclass.Choices {
			choices = append(choices, fmt.Sprintf("%s:%d/%d", strings.TrimPrefix(choice.Field, "choices."), choice.Choose, len(choice.From)))
		}
		got := fmt.Sprint(c.Multiclass.Requires, " ", strings.Join(c.Multiclass.Armor, " "), " + ", strings.Join(c.Multiclass.Weapons, " "), " + ", choices)
		if got != want[c.Slug] {
			t.Errorf("%s: %s, want %s", c.Slug, got, want[c.Slug])
		}
		if thieves := slices.Equal(c.Multiclass.Tools, []string{"thieves-tools"}); thieves != (c.Slug == "rogue") {
			t.Errorf("%s: tools %v", c.Slug, c.Multiclass.Tools)
		}
	}
}

func TestNumbersForGood(t *testing.T) {
	for slug, want := range map[string]string{
		"barbarian": "{10 [dex con] true}", "monk": "{10 [dex wis] false}",
	} {
		if d := class(t, slug).UnarmoredDefense; d == nil || fmt.Sprint(*d) != want {
			t.Errorf("%s: unarmored defense %+v, want %s", slug, d, want)
		}
	}
	if g := class(t, "barbarian").AbilityGains; fmt.Sprint(g) != "[{20 map[con:4 str:4] 24}]" {
		t.Errorf("primal champion is %v", g)
	}
	if g := class(t, "monk").SaveGains; fmt.Sprint(g) != "[{14 [str dex con int wis cha]}]" {
		t.Errorf("diamond soul is %v", g)
	}
	if g := class(t, "rogue").SaveGains; fmt.Sprint(g) != "[{15 [wis]}]" {
		t.Errorf("slippery mind is %v", g)
	}
	for _, s := range srd.Subclasses() {
		draconic := s.Slug == "draconic-bloodline"
		if (s.UnarmoredDefense != nil) != draconic || (s.HitPointsPerLevel == 1) != draconic || s.HitPointsPerLevel > 1 {
			t.Errorf("%s: %+v, %d", s.Slug, s.UnarmoredDefense, s.HitPointsPerLevel)
		}
		if draconic && fmt.Sprint(*s.UnarmoredDefense) != "{13 [dex] true}" {
			t.Errorf("draconic resilience is %+v", s.UnarmoredDefense)
		}
		if heavy := slices.Contains(s.Armor, "heavy"); heavy != (s.Slug == "life-domain") {
			t.Errorf("%s: armor %v", s.Slug, s.Armor)
		}
	}
}
