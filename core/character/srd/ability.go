package srd

import "slices"

// Ability is one of the six abilities.
type Ability struct {
	// Slug is its three letters: "str".
	Slug string
	// Name is the SRD's name: "Strength".
	Name string
	// Text says in a sentence what it measures.
	Text string
}

// abilities stand in the order of every character sheet.
var abilities = []Ability{
	{"str", "Strength", "Bodily power: lifting, breaking, swinging heavy weapons."},
	{"dex", "Dexterity", "Agility, balance and reflexes."},
	{"con", "Constitution", "Health and endurance."},
	{"int", "Intelligence", "Memory and reasoning."},
	{"wis", "Wisdom", "Perception, insight and common sense."},
	{"cha", "Charisma", "Confidence, eloquence and force of personality."},
}

// Abilities returns the six abilities in the order of a character sheet: str, dex, con, int, wis, cha.
func Abilities() []Ability { return slices.Clip(abilities) }

// FindAbility returns the ability of a slug such as "str".
func FindAbility(slug string) (Ability, bool) {
	for _, a := range abilities {
		if a.Slug == slug {
			return a, true
		}
	}
	return Ability{}, false
}

// AbilityModifier is what a score adds to rolls: half of what it has above 10, rounded down (1 is -5, 30 is +10).
func AbilityModifier(score int) int {
	return (score - 10) >> 1
}

// StandardArray returns the six scores that a player may spread over the abilities instead of rolling.
func StandardArray() []int { return []int{15, 14, 13, 12, 10, 8} }

// The bounds of bought scores, and the points that buy all six.
const (
	PointBuyLowest  = 8
	PointBuyHighest = 15
	PointBuyPoints  = 27
)

// pointBuyCosts is the price of the scores from PointBuyLowest on.
var pointBuyCosts = []int{0, 1, 2, 3, 4, 5, 7, 9}

// PointBuyCost is the price in points of a bought score; false for a score that cannot be bought.
func PointBuyCost(score int) (int, bool) {
	if score < PointBuyLowest || score > PointBuyHighest {
		return 0, false
	}
	return pointBuyCosts[score-PointBuyLowest], true
}
