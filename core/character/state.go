package character

import (
	"fmt"
	"slices"
	"strconv"

	"bitbucket.org/templar/templar/core/character/srd"
)

// Coins lists the kinds of coins, the least worth first. The caller owns the slice.
func Coins() []string { return []string{"cp", "sp", "ep", "gp", "pp"} }

// hitDice gives the number of hit dice by die ("d10"): one for each level, of the class's die.
func (a *analysis) hitDice() map[string]int {
	dice := map[string]int{}
	for _, class := range a.classes {
		dice["d"+strconv.Itoa(class.HitDie)] += class.level
	}
	return dice
}

// diceBySize gives the dice of a map such as hitDice, the largest first.
func diceBySize(dice map[string]int) []string {
	sizes := sortedKeys(dice)
	slices.SortFunc(sizes, func(a, b string) int { return sides(b) - sides(a) })
	return sizes
}

// sides reads "d10"; 0 for anything else.
func sides(die string) int {
	if len(die) < 2 || die[0] != 'd' {
		return 0
	}
	n, err := strconv.Atoi(die[1:])
	if err != nil {
		return 0
	}
	return n
}

// spellSlots gives the number of slots as State.SpellSlotsUsed counts them: by spell level, and those of pact magic.
func (a *analysis) spellSlots() map[string]int {
	slots := map[string]int{}
	s := a.spellcasting()
	if s == nil {
		return slots
	}
	for i, n := range s.Slots {
		if n > 0 {
			slots[strconv.Itoa(i+1)] = n
		}
	}
	if s.Pact != nil {
		slots[PactSlots] = s.Pact.Count
	}
	return slots
}

// maxHP are the hit points of an unhurt character: the whole hit die of the first class at level 1, then for every
// level what was rolled or the die's average rounded up, each with the Constitution modifier of now and at least 1
// (Hit Points; Beyond 1st Level). Races and subclasses add to every level, or every level of the class (Dwarven
// Toughness, Draconic Resilience).
func (a *analysis) maxHP() int {
	sum, constitution := 0, a.modifier("con")
	for _, class := range a.classes {
		for level := 1; level <= class.level; level++ {
			gain := class.HitDie/2 + 1
			if class.first && level == 1 {
				gain = class.HitDie
			} else if i := slices.IndexFunc(a.c.HitPoints, func(r HitPointRoll) bool { return r.Class == class.Slug && r.Level == level }); i >= 0 {
				gain = a.c.HitPoints[i].Roll
			}
			sum += max(gain+constitution, 1) + a.race.HitPointsPerLevel
			if class.sub != nil {
				sum += class.sub.HitPointsPerLevel
			}
		}
	}
	return sum
}

// state checks what changes in play against what the character has.
func (a *analysis) state() {
	s := a.c.State
	if highest := a.maxHP(); s.HP < 0 || s.HP > highest {
		if len(a.classes) > 0 {
			a.broken.add("/state/hp", "must be 0 to the maximum of %d hit points, is %d", highest, s.HP)
		}
	}
	a.broken.within("/state/temp_hp", s.TempHP, 0, MaxTempHP)
	conditions := srd.Conditions()
	if len(s.Conditions) > len(conditions) {
		a.broken.add("/state/conditions", "must have at most %d entries, has %d", len(conditions), len(s.Conditions))
	} else {
		for i, condition := range s.Conditions {
			_, known := lookUp(a, at("/state/conditions", i), condition, "condition", srd.FindCondition, conditions, func(c srd.Condition) string { return c.Slug })
			if known && slices.Contains(s.Conditions[:i], condition) {
				a.broken.add(at("/state/conditions", i), "%q is listed twice", condition)
			}
		}
	}
	a.used("/state/hit_dice_used", s.HitDiceUsed, a.hitDice(), "hit dice")
	a.used("/state/spell_slots_used", s.SpellSlotsUsed, a.spellSlots(), "spell slots")
	for _, coin := range sortedKeys(s.Currency) {
		if !slices.Contains(Coins(), coin) {
			a.broken.add(pointerTo("/state/currency", coin), "%s", unknown(coin, "coin", Coins()))
			if len(a.broken) > MaxChoices {
				return
			}
			continue
		}
		a.broken.within(pointerTo("/state/currency", coin), s.Currency[coin], 0, MaxCoins)
	}
}

// used checks that no more is spent than there is. What there is none of may be listed with 0.
func (a *analysis) used(pointer string, spent, there map[string]int, what string) {
	for _, key := range sortedKeys(spent) {
		n := spent[key]
		if most := there[key]; n < 0 || n > most {
			all := "none"
			for i, k := range sortedKeys(there) {
				if i == 0 {
					all = ""
				} else {
					all += ", "
				}
				all += fmt.Sprintf("%s: %d", k, there[k])
			}
			a.broken.add(pointerTo(pointer, key), "must be 0 to %d, is %d; the character has %s: %s", most, n, what, all)
			if len(a.broken) > MaxChoices {
				return
			}
		}
	}
}
