package srd

import "slices"

// Spell is a spell without its text: what a character sheet and a list of spells need.
type Spell struct {
	Slug          string
	Name          string
	Level         int      // 0 for a cantrip, up to 9
	School        string   // one of the eight in Schools
	Classes       []string // slugs of the classes that have it on their list, sorted
	Ritual        bool     // can be cast as a ritual
	Concentration bool     // lasts only as long as the caster concentrates
	CastingTime   string   // "1 action", "1 bonus action", "1 reaction", "10 minutes", ...
	Range         string   // "Self", "Touch", "60 feet", "Self (15-foot cone)", ...
	Components    []string // of "V" (words), "S" (gestures), "M" (material), in this order
	Material      string   // what M is, in short own words; empty without M
	// MaterialGP is what the materials cost at least, all together, in gold pieces; where they are needed for each
	// creature, for one. A focus or component pouch stands in for materials of 0 that are not used up.
	MaterialGP int
	Consumed   bool   // whether casting uses the material, or the part of it that Material says, up
	Duration   string // "Instantaneous", "1 minute", "Until dispelled", ...; for concentration the most
}

// Cantrip tells whether the spell is one, cast at will and without a slot.
func (s Spell) Cantrip() bool { return s.Level == 0 }

// On tells whether the spell is on the list of the class.
func (s Spell) On(class string) bool { return slices.Contains(s.Classes, class) }

var spells = newTable("spells.json", func(s Spell) string { return s.Slug })

// Spells returns all spells, sorted by slug. The slice and what its records point to are shared: do not write to them.
func Spells() []Spell { return spells.all() }

// FindSpell returns the spell with the slug, and whether there is one. What the record points to is shared: do not
// write to it.
func FindSpell(slug string) (Spell, bool) { return spells.find(slug) }

// SpellsOf returns the spells on the list of a class from level minLevel to maxLevel, both included, sorted by slug.
// The slice is the caller's own; what its records point to is shared.
func SpellsOf(class string, minLevel, maxLevel int) []Spell {
	var list []Spell
	for _, s := range Spells() {
		if s.Level >= minLevel && s.Level <= maxLevel && s.On(class) {
			list = append(list, s)
		}
	}
	return list
}

// Schools returns the slugs of the eight schools of magic, sorted. The slice is the caller's own.
func Schools() []string {
	return []string{"abjuration", "conjuration", "divination", "enchantment", "evocation", "illusion", "necromancy",
		"transmutation"}
}
