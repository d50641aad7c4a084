package character

import (
	"slices"

	"bitbucket.org/templar/templar/core/character/srd"
)

// casts tells whether a class casts spells at the level that the character has in it.
func (c classLevels) casts() bool {
	return c.Spellcasting != nil && c.level >= c.Spellcasting.FirstLevel
}

// highest is the highest level of spells that the levels of a class alone can cast; spells are chosen for each class
// as if it were the only one (Multiclassing, Spells Known and Prepared).
func (c classLevels) highest() int {
	now := c.At(c.level)
	return min(max(len(now.Slots), now.Pact.Level), maxSpellLevel)
}

// spellCount is how many spells of level 1 and above a class knows or prepares. A wizard prepares fewer than the
// spellbook holds, so for the list of spells the book counts: see listed.
func (a *analysis) spellCount(c classLevels) int {
	if c.Spellcasting.Preparation == srd.PreparedSpells {
		return c.Spellcasting.PreparedCount(c.level, a.modifier(c.Spellcasting.Ability))
	}
	return c.At(c.level).SpellsKnown
}

// listed is how many spells of level 1 and above a character lists for a class: those known or prepared; those of the
// spellbook of a wizard (6, and 2 more for each level after the first).
func (a *analysis) listed(c classLevels) int {
	n := a.spellCount(c)
	if first := c.Spellcasting.SpellbookFirst; first > 0 {
		n = max(n, first+(c.level-1)*c.Spellcasting.SpellbookPerLevel)
	}
	return n
}

// spells settles cantrips and spells. Those that a race gives, or that a subclass has always prepared, need not be
// chosen and do not count when they are listed.
func (a *analysis) spells(cantrips, spells offers) {
	var givenCantrips, givenSpells []string
	for _, s := range a.race.Spells {
		if s.CastAt == 0 && s.Level <= a.c.Level {
			givenCantrips = append(givenCantrips, s.Spell)
		}
	}
	givenSpells = append(givenSpells, a.alwaysPrepared()...)
	for _, class := range a.classes {
		if !class.casts() {
			continue
		}
		by := "the " + class.Slug
		cantrips.add(by, class.Slug, class.At(class.level).CantripsKnown, catalog.classCantrips[class.Slug])
		highest := class.highest()
		list := catalog.classUpTo[class.Slug][highest]
		if class.sub != nil && len(class.sub.AddsToList) > 0 {
			list = slices.Concat(list, reached(class.sub.AddsToList, class.level))
		}
		// Magical Secrets: some of the spells that a bard knows may be of any class.
		secrets := min(class.At(class.level).Numbers[srd.NumberMagicalSecrets], a.listed(class))
		spells.add(by, class.Slug, a.listed(class)-secrets, list)
		if _, chosen := a.base[class.Spellcasting.Ability]; !chosen && class.Spellcasting.Preparation == srd.PreparedSpells && len(spells) > 0 {
			spells[len(spells)-1].unsure = true // a low score may take some away
		}
		spells.add(by+"'s magical secrets", class.Slug, secrets, catalog.upTo[highest])
	}
	a.settle(field{name: srd.FieldCantrips, kind: "cantrip", known: catalog.cantrips, offers: cantrips, given: givenCantrips, free: true})
	a.settle(field{name: srd.FieldSpells, kind: "spell of level 1 or above (cantrips stand in choices.cantrips)", known: catalog.spells,
		offers: spells, given: givenSpells, free: true})
}

// reached gives the spells of the class levels up to one.
func reached(spells []srd.LevelSpells, level int) []string {
	var slugs []string
	for _, l := range spells {
		if l.Level <= level {
			slugs = append(slugs, l.Spells...)
		}
	}
	return slugs
}

// optionClasses says whose class level counts for the spells of an option.
var optionClasses = map[string]string{srd.CircleLands: "druid", srd.Invocations: "warlock", srd.PactBoons: "warlock"}

// alwaysPrepared are the spells that need no choosing: Domain Spells, Oath Spells, Circle Spells.
func (a *analysis) alwaysPrepared() []string {
	var slugs []string
	for _, class := range a.classes {
		if class.sub != nil {
			slugs = append(slugs, reached(class.sub.AlwaysPrepared, class.level)...)
		}
	}
	for _, option := range a.options() {
		slugs = append(slugs, reached(option.Spells, a.level(optionClasses[option.Group]))...)
	}
	return slugs
}

// spellcasting is how the character casts spells; nil for one that does not.
//
// One class has the slots of its own table. Several add up: all levels of full casters, half of those of half casters
// and a third of those of third casters, each class rounded down, on the table of the multiclass spellcaster. Pact
// magic stands apart. The DC of a save is 8 + proficiency bonus + modifier of the class's ability, the attack bonus
// proficiency bonus + modifier (Spellcasting; Multiclassing, Spell Slots).
func (a *analysis) spellcasting() *Spellcasting {
	s := &Spellcasting{}
	var slotted []classLevels
	for _, class := range a.classes {
		if !class.casts() {
			continue
		}
		now, ability := class.At(class.level), class.Spellcasting.Ability
		bonus := a.proficiencyBonus() + a.modifier(ability)
		s.Classes = append(s.Classes, ClassSpells{Class: class.Slug, Ability: ability, SaveDC: 8 + bonus, AttackBonus: bonus,
			CantripsKnown: now.CantripsKnown, Prepares: class.Spellcasting.Preparation == srd.PreparedSpells, Spells: a.spellCount(class)})
		if class.Spellcasting.Kind == srd.PactCaster {
			s.Pact = &Pact{Level: now.Pact.Level, Count: now.Pact.Count}
		} else {
			slotted = append(slotted, class)
		}
	}
	switch len(slotted) {
	case 0:
	case 1:
		s.Slots = slotted[0].At(slotted[0].level).Slots
	default:
		casterLevel := 0
		for _, class := range slotted {
			casterLevel += srd.CasterLevel(class.Spellcasting.Kind, class.level)
		}
		s.Slots = srd.MulticlassSlots(casterLevel)
	}
	if s.Classes == nil {
		return nil
	}
	return s
}

func (a *analysis) proficiencyBonus() int { return srd.ProficiencyBonus(a.c.Level) }
