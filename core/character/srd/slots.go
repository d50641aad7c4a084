package srd

import "slices"

// slotRow is a line of the file of slots: Slots[0] are those of level 1.
type slotRow struct {
	Kind  string
	Level int
	Slots []int
}

// fullSlots and pactSlots hold the slots by class level, from 1 on.
var fullSlots, pactSlots = loadSlots()

func loadSlots() (full, pact [][]int) {
	for _, r := range load[slotRow]("slots.json") {
		if r.Kind == PactCaster {
			pact = append(pact, r.Slots)
		} else {
			full = append(full, r.Slots)
		}
	}
	return full, pact
}

// Slots returns the spell slots of a class of its own at a class level: Slots(FullCaster, 3) is 4, 2, which is four of
// level 1 and two of level 2. It is nil below the level where the kind begins, and for PactCaster: see Pact.
//
// A half caster's table is that of a full caster of half the level, a third caster's of a third, rounded up.
func Slots(kind string, classLevel int) []int {
	switch {
	case kind == FullCaster:
		return MulticlassSlots(classLevel)
	case kind == HalfCaster && classLevel >= 2:
		return MulticlassSlots((min(classLevel, MaxLevel) + 1) / 2)
	case kind == ThirdCaster && classLevel >= 3:
		return MulticlassSlots((min(classLevel, MaxLevel) + 2) / 3)
	}
	return nil
}

// MulticlassSlots returns the spell slots of a character whose CasterLevels add up to casterLevel: the SRD's table for
// several spellcasting classes, which is the full caster's. It is nil for 0.
func MulticlassSlots(casterLevel int) []int {
	if casterLevel < 1 {
		return nil
	}
	return slices.Clone(fullSlots[min(casterLevel, MaxLevel)-1])
}

// CasterLevel is what the levels of a class count for in MulticlassSlots: all of a full caster's, half of a half
// caster's, a third of a third caster's, rounded down, none of any other's. Each class is rounded for itself.
func CasterLevel(kind string, classLevel int) int {
	switch kind {
	case FullCaster:
		return classLevel
	case HalfCaster:
		return classLevel / 2
	case ThirdCaster:
		return classLevel / 3
	}
	return 0
}

// Pact returns the slots of pact magic at a class level; the zero PactSlots below 1.
func Pact(classLevel int) PactSlots {
	if classLevel < 1 {
		return PactSlots{}
	}
	row := pactSlots[min(classLevel, MaxLevel)-1]
	return PactSlots{Level: len(row), Count: row[len(row)-1]}
}
