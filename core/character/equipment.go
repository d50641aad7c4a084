package character

import (
	"fmt"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
)

// coinsPerPound is how many coins weigh a pound, whatever their kind (Coinage).
const coinsPerPound = 50

func itemSlug(i srd.Item) string { return i.Slug }

// equipment checks what the character carries and wears. Who wears one suit of armour and one shield wears all that
// can be worn (Armor and Shields).
func (a *analysis) equipment() {
	if len(a.c.Equipment) > MaxEquipment {
		a.broken.add("/equipment", "must have at most %d entries, has %d", MaxEquipment, len(a.c.Equipment))
		return
	}
	worn := map[string]string{}
	for i, entry := range a.c.Equipment {
		pointer := at("/equipment", i)
		a.broken.within(pointer+"/count", entry.Count, 1, MaxCount)
		item, ok := lookUp(a, pointer+"/item", entry.Item, "piece of equipment", srd.FindItem, srd.Items(), itemSlug)
		if !ok || !entry.Equipped || item.Armor == nil {
			continue
		}
		what := "suit of armor"
		if item.Armor.Category == shieldCategory {
			what = "shield"
		}
		if other := worn[what]; other != "" {
			a.broken.add(pointer+"/equipped", "only one %s can be equipped, and %q is already", what, other)
		} else {
			worn[what] = item.Slug
		}
	}
}

const shieldCategory = "shield"

// worn gives the equipped suit of armour and the equipped shield; nil without one.
func (a *analysis) worn() (armor, shield *srd.Item) {
	for _, entry := range a.c.Equipment {
		item, ok := srd.FindItem(entry.Item)
		if !ok || !entry.Equipped || item.Armor == nil || entry.Count < 1 {
			continue
		}
		if item.Armor.Category == shieldCategory {
			shield = &item
		} else {
			armor = &item
		}
	}
	return armor, shield
}

// armorClass is the armour class.
//
// In armour it is the armour's base, with the Dexterity modifier for light and, up to 2, for medium armour, and 1 more
// for the fighting style Defense. Without armour it is 10 + Dexterity modifier, or the best Unarmored Defense: 10 +
// Dexterity + Constitution for a barbarian, 10 + Dexterity + Wisdom without a shield for a monk (who has one does not
// get the other), 13 + Dexterity for a draconic sorcerer. A shield adds 2, proficient or not.
func (a *analysis) armorClass() int {
	armor, shield := a.worn()
	class := 10 + a.modifier("dex")
	if armor != nil {
		class = armor.Armor.Base
		if dex := a.modifier("dex"); armor.Armor.Dex && (armor.Armor.MaxDex == 0 || dex < armor.Armor.MaxDex) {
			class += dex
		} else if armor.Armor.Dex {
			class += armor.Armor.MaxDex
		}
		if a.c.Choices.FightingStyle == "defense" || slices.Contains(a.chosen(srd.FieldAdditionalFightingStyle), "defense") {
			class++
		}
	} else {
		for _, d := range a.unarmored() {
			if shield != nil && !d.Shield {
				continue
			}
			sum := d.Base
			for _, ability := range d.Abilities {
				sum += a.modifier(ability)
			}
			class = max(class, sum)
		}
	}
	if shield != nil {
		class += shield.Armor.Base
	}
	return class
}

// unarmored gives the ways to be safe without armour: the first class feature of that name, and those of subclasses.
func (a *analysis) unarmored() []srd.UnarmoredDefense {
	var ways []srd.UnarmoredDefense
	byClass := false
	for _, class := range a.classes {
		if d := class.UnarmoredDefense; d != nil && !byClass {
			ways, byClass = append(ways, *d), true
		}
		if class.sub != nil && class.sub.UnarmoredDefense != nil {
			ways = append(ways, *class.sub.UnarmoredDefense)
		}
	}
	return ways
}

// trained tells whether the character is proficient with a piece of armour.
func (a *analysis) trained(item *srd.Item) bool {
	return a.proficiencies.has[item.Armor.Category] || a.proficiencies.has[item.Slug]
}

// notes says what the rules allow but no number shows.
func (a *analysis) notes() []string {
	var notes []string
	armor, shield := a.worn()
	for _, item := range []*srd.Item{armor, shield} {
		if item != nil && !a.trained(item) {
			notes = append(notes, fmt.Sprintf("%s is worn without proficiency: disadvantage on everything that uses Strength or Dexterity, and no spells.", item.Name))
		}
	}
	if armor != nil && armor.Armor.Stealth {
		notes = append(notes, fmt.Sprintf("%s gives disadvantage on Dexterity (Stealth) checks.", armor.Name))
	}
	for _, class := range a.classes {
		if class.ArmorNote != "" {
			notes = append(notes, class.ArmorNote)
		}
	}
	return notes
}

// weight is what everything weighs that is carried, equipped or not, in pounds. Coins count by the full pound.
func (a *analysis) weight() float64 {
	sum := 0.0
	for _, entry := range a.c.Equipment {
		if item, ok := srd.FindItem(entry.Item); ok {
			sum += item.UnitWeight() * float64(max(entry.Count, 0))
		}
	}
	coins := 0
	for _, n := range a.c.State.Currency {
		coins += max(n, 0)
	}
	return pounds(sum) + float64(coins/coinsPerPound)
}

// capacity is the carrying capacity in pounds: 15 for each point of Strength of a Small or Medium creature, half of it
// for a Tiny one, twice as much for each size above Medium (Lifting and Carrying).
func (a *analysis) capacity() int {
	capacity := 15 * a.scores["str"]
	switch strings.ToLower(a.race.Size) {
	case "tiny":
		return capacity / 2
	case "large":
		return capacity * 2
	}
	return capacity
}

// encumbrance is the step of the variant rule: more than 5 pounds for each point of Strength encumber, more than 10
// encumber heavily, more than the carrying capacity cannot be carried (Variant: Encumbrance).
func (a *analysis) encumbrance() Encumbrance {
	capacity, weight := float64(a.capacity()), a.weight()
	switch {
	case weight > capacity:
		return OverCapacity
	case weight > capacity/15*10:
		return HeavilyEncumbered
	case weight > capacity/15*5:
		return Encumbered
	}
	return Unencumbered
}

// dragSpeed is the speed of who pushes or drags more than the carrying capacity, in feet.
const dragSpeed = 5

// speed is the walking speed in feet: that of the race, faster for barbarians without heavy armour (Fast Movement) and
// monks without armour and shield (Unarmored Movement), 10 feet slower in heavy armour that asks for more Strength (not
// for dwarves), 10 or 20 feet slower when encumbered, 5 over the capacity; never below 0.
func (a *analysis) speed() int {
	speed := a.race.Speed
	armor, shield := a.worn()
	for _, class := range a.classes {
		numbers := class.At(class.level).Numbers
		if armor == nil || armor.Armor.Category != "heavy" {
			speed += numbers[srd.NumberFastMovement]
		}
		if armor == nil && shield == nil {
			speed += numbers[srd.NumberUnarmoredMovement]
		}
	}
	if armor != nil && a.scores["str"] < armor.Armor.Strength && !a.race.IgnoresHeavyArmor {
		speed -= 10
	}
	switch a.encumbrance() {
	case Encumbered:
		speed -= 10
	case HeavilyEncumbered:
		speed -= 20
	case OverCapacity:
		speed = min(speed, dragSpeed)
	}
	return max(speed, 0)
}
