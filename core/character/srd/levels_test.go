package srd_test

import (
	"reflect"
	"testing"

	"bitbucket.org/templar/templar/core/character/srd"
)

func TestCharacterLevels(t *testing.T) {
	levels := srd.CharacterLevels()
	if len(levels) != srd.MaxLevel {
		t.Fatalf("%d levels, want %d", len(levels), srd.MaxLevel)
	}
	sum, last := 0, -1
	for i, l := range levels {
		if l.Level != i+1 {
			t.Errorf("entry %d is level %d", i, l.Level)
		}
		if l.XP <= last {
			t.Errorf("level %d: %d XP is not above %d", l.Level, l.XP, last)
		}
		// The rule behind the table: 2 at first, 1 more after every fourth level.
		if want := 2 + (l.Level-1)/4; l.ProficiencyBonus != want {
			t.Errorf("level %d: proficiency bonus %d, want %d", l.Level, l.ProficiencyBonus, want)
		}
		sum, last = sum+l.XP, l.XP
	}
	if sum != 2148400 {
		t.Errorf("the XP of all levels add up to %d, the SRD's to 2148400", sum)
	}
}

func TestLevelForXP(t *testing.T) {
	for xp, want := range map[int]int{-5: 1, 0: 1, 299: 1, 300: 2, 899: 2, 900: 3, 6499: 4, 6500: 5, 85000: 11, 354999: 19, 355000: 20, 9999999: 20} {
		if got := srd.LevelForXP(xp); got != want {
			t.Errorf("LevelForXP(%d) = %d, want %d", xp, got, want)
		}
	}
	for level := 1; level <= srd.MaxLevel; level++ {
		if got := srd.LevelForXP(srd.XPForLevel(level)); got != level {
			t.Errorf("the XP of level %d reaches level %d", level, got)
		}
	}
	if srd.XPForLevel(0) != 0 || srd.XPForLevel(21) != 355000 || srd.ProficiencyBonus(-1) != 2 || srd.ProficiencyBonus(99) != 6 {
		t.Error("a level out of bounds does not count as the nearest")
	}
}

func TestSlots(t *testing.T) {
	// How many slots a level has in all, from the tables of the wizard, the paladin and a third caster.
	totals := map[string][]int{
		srd.FullCaster:  {2, 3, 6, 7, 9, 10, 11, 12, 14, 15, 16, 16, 17, 17, 18, 18, 19, 20, 21, 22},
		srd.HalfCaster:  {0, 2, 3, 3, 6, 6, 7, 7, 9, 9, 10, 10, 11, 11, 12, 12, 14, 14, 15, 15},
		srd.ThirdCaster: {0, 0, 2, 3, 3, 3, 6, 6, 6, 7, 7, 7, 9, 9, 9, 10, 10, 10, 11, 11},
		srd.PactCaster:  make([]int, srd.MaxLevel),
	}
	for kind, want := range totals {
		for level := 1; level <= srd.MaxLevel; level++ {
			total := 0
			for _, n := range srd.Slots(kind, level) {
				total += n
			}
			if total != want[level-1] {
				t.Errorf("%s caster, level %d: %d slots, want %d", kind, level, total, want[level-1])
			}
		}
	}
	exact := []struct {
		kind  string
		level int
		want  []int
	}{
		{srd.FullCaster, 1, []int{2}},
		{srd.FullCaster, 9, []int{4, 3, 3, 3, 1}},
		{srd.FullCaster, 17, []int{4, 3, 3, 3, 2, 1, 1, 1, 1}},
		{srd.FullCaster, 20, []int{4, 3, 3, 3, 3, 2, 2, 1, 1}},
		{srd.HalfCaster, 1, nil},
		{srd.HalfCaster, 2, []int{2}},
		{srd.HalfCaster, 5, []int{4, 2}},
		{srd.HalfCaster, 19, []int{4, 3, 3, 3, 2}},
		{srd.HalfCaster, 20, []int{4, 3, 3, 3, 2}},
		{srd.ThirdCaster, 2, nil},
		{srd.ThirdCaster, 3, []int{2}},
		{srd.ThirdCaster, 7, []int{4, 2}},
		{srd.ThirdCaster, 19, []int{4, 3, 3, 1}},
		{srd.FullCaster, 0, nil},
		{srd.FullCaster, 25, []int{4, 3, 3, 3, 3, 2, 2, 1, 1}},
		{srd.HalfCaster, 25, []int{4, 3, 3, 3, 2}},
	}
	for _, c := range exact {
		if got := srd.Slots(c.kind, c.level); !reflect.DeepEqual(got, c.want) {
			t.Errorf("Slots(%s, %d) = %v, want %v", c.kind, c.level, got, c.want)
		}
	}
}

func TestSlotsAreTheCallersOwn(t *testing.T) {
	srd.MulticlassSlots(3)[0] = 99
	if got := srd.MulticlassSlots(3)[0]; got != 4 {
		t.Errorf("level 3 has %d slots of level 1 after a caller wrote to them", got)
	}
}

func TestPact(t *testing.T) {
	for level, want := range map[int]srd.PactSlots{
		0: {}, 1: {Level: 1, Count: 1}, 2: {Level: 1, Count: 2}, 3: {Level: 2, Count: 2}, 5: {Level: 3, Count: 2}, 7: {Level: 4, Count: 2},
		9: {Level: 5, Count: 2}, 10: {Level: 5, Count: 2}, 11: {Level: 5, Count: 3}, 16: {Level: 5, Count: 3}, 17: {Level: 5, Count: 4},
		20: {Level: 5, Count: 4}, 30: {Level: 5, Count: 4},
	} {
		if got := srd.Pact(level); got != want {
			t.Errorf("Pact(%d) = %+v, want %+v", level, got, want)
		}
	}
}

func TestCasterLevel(t *testing.T) {
	for _, c := range []struct {
		kind        string
		level, want int
	}{
		{srd.FullCaster, 7, 7}, {srd.HalfCaster, 1, 0}, {srd.HalfCaster, 5, 2}, {srd.ThirdCaster, 8, 2}, {srd.PactCaster, 9, 0}, {"", 9, 0},
	} {
		if got := srd.CasterLevel(c.kind, c.level); got != c.want {
			t.Errorf("CasterLevel(%q, %d) = %d, want %d", c.kind, c.level, got, c.want)
		}
	}
}
