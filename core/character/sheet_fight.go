package character

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
)

// attackSheet is an attack with a weapon.
type attackSheet struct {
	Name       string  `json:"name"`
	Bonus      string  `json:"bonus"`     // "+5"
	Damage     *string `json:"damage"`    // "1d8+3 slashing"; null for a net
	Versatile  *string `json:"versatile"` // the damage in two hands; null without
	Range      *string `json:"range"`     // "20/60 ft."; null without
	Properties string  `json:"properties"`
	Proficient bool    `json:"proficient"`
}

// attacks lists an attack for each weapon at hand: those equipped or, when none is, all that are carried.
//
// Melee weapons use Strength, ranged ones Dexterity, finesse weapons the better of both, as do monk weapons in the hands
// of a monk, whose martial arts die replaces a smaller one. The proficiency bonus counts where proficient; the fighting
// style Archery adds 2 to ranged attacks. The ability's modifier is added to the damage (Attack Rolls; Damage Rolls;
// Martial Arts; Fighting Style).
func (a *analysis) attacks() []attackSheet {
	attacks := []attackSheet{}
	for _, onlyEquipped := range []bool{true, false} {
		var seen []string
		for _, entry := range a.c.Equipment {
			item, ok := srd.FindItem(entry.Item)
			if !ok || item.Weapon == nil || slices.Contains(seen, item.Slug) || (onlyEquipped && !entry.Equipped) {
				continue
			}
			seen = append(seen, item.Slug)
			attacks = append(attacks, a.attack(item))
		}
		if len(attacks) > 0 {
			return attacks
		}
	}
	return attacks
}

func (a *analysis) attack(item srd.Item) attackSheet {
	weapon, die := item.Weapon, 0
	modifier := a.modifier("str")
	if weapon.Ranged {
		modifier = a.modifier("dex")
	}
	if weapon.Has(srd.PropertyFinesse) {
		modifier = max(a.modifier("str"), a.modifier("dex"))
	} else if a.isMonkWeapon(item) {
		modifier = max(modifier, a.modifier("dex"))
	}
	if a.isMonkWeapon(item) {
		die = sides(strings.TrimPrefix(a.dice(srd.DiceMartialArts), "1"))
	}
	attack := attackSheet{Name: item.Name, Proficient: a.proficiencies.has[item.Slug] || a.proficiencies.has[weapon.Category]}
	bonus := modifier
	if attack.Proficient {
		bonus += a.proficiencyBonus()
	}
	if weapon.Ranged && (a.c.Choices.FightingStyle == "archery" || slices.Contains(a.chosen(srd.FieldAdditionalFightingStyle), "archery")) {
		bonus += 2
	}
	attack.Bonus = signed(bonus)
	attack.Damage, attack.Versatile = damage(weapon.Damage, die, modifier), damage(weapon.Versatile, die, modifier)
	if weapon.Range > 0 {
		text := fmt.Sprintf("%d/%d ft.", weapon.Range, weapon.LongRange)
		attack.Range = &text
	}
	attack.Properties = strings.Join(weapon.Properties, ", ")
	return attack
}

// damage writes the damage of a weapon, with at least the die of so many sides; nil for none.
func damage(d *srd.DamageDice, die, modifier int) *string {
	if d == nil {
		return nil
	}
	text := ""
	switch {
	case d.Count == 1 && max(d.Sides, die) > 1:
		text = "1d" + strconv.Itoa(max(d.Sides, die))
	case d.Sides > 1:
		text = fmt.Sprintf("%dd%d", d.Count, d.Sides)
	default:
		// Damage that is not rolled is one number with the modifier, and no less than nothing.
		text, modifier = strconv.Itoa(max(d.Count+modifier, 0)), 0
	}
	if modifier != 0 {
		text += signed(modifier)
	}
	text += " " + d.Type
	return &text
}

// isMonkWeapon tells whether a monk fights with it by Martial Arts: a shortsword, or a simple melee weapon that is
// neither heavy nor needs two hands.
func (a *analysis) isMonkWeapon(item srd.Item) bool {
	w := item.Weapon
	if a.level("monk") == 0 || w.Ranged || w.Has(srd.PropertyTwoHanded) || w.Has(srd.PropertyHeavy) {
		return false
	}
	if armor, shield := a.worn(); armor != nil || shield != nil {
		return false
	}
	return item.Slug == "shortsword" || w.Category == "simple"
}

// dice gives a dice column of the class that has it, at the level that the character has in it.
func (a *analysis) dice(column string) string {
	for _, class := range a.classes {
		if dice := class.At(class.level).Dice[column]; dice != "" {
			return dice
		}
	}
	return ""
}

// pounds rounds a weight to what a scale shows.
func pounds(weight float64) float64 { return math.Round(weight*100) / 100 }
