package character

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
)

type spellcastingSheet struct {
	Classes []spellClassSheet `json:"classes"`
	Slots   []counterSheet    `json:"slots"`
	Levels  []spellLevelSheet `json:"levels"` // cantrips first
}

type spellClassSheet struct {
	Class    string `json:"class"`
	Ability  string `json:"ability"`
	SaveDC   int    `json:"save_dc"`
	Attack   string `json:"attack"`
	Cantrips int    `json:"cantrips"`
	Spells   int    `json:"spells"`
	Prepares bool   `json:"prepares"`
}

type spellLevelSheet struct {
	Name   string       `json:"name"` // "Cantrips", "Level 1"
	Spells []spellSheet `json:"spells"`
}

type spellSheet struct {
	Name          string `json:"name"`
	School        string `json:"school"`
	CastingTime   string `json:"casting_time"`
	Range         string `json:"range"`
	Components    string `json:"components"` // "V, S, M"
	Duration      string `json:"duration"`
	Ritual        bool   `json:"ritual"`
	Concentration bool   `json:"concentration"`
	// Always is set for a spell that nobody had to choose: one of the race, a domain, an oath.
	Always bool `json:"always"`
}

// spellSheet lists spells and slots; nil for a character without either.
func (a *analysis) spellSheet(d Derived) *spellcastingSheet {
	s := &spellcastingSheet{Classes: []spellClassSheet{}, Slots: []counterSheet{}, Levels: []spellLevelSheet{}}
	if d.Spellcasting != nil {
		for _, class := range d.Spellcasting.Classes {
			record, _ := srd.FindClass(class.Class)
			ability, _ := srd.FindAbility(class.Ability)
			s.Classes = append(s.Classes, spellClassSheet{Class: record.Name, Ability: ability.Name, SaveDC: class.SaveDC, Attack: signed(class.AttackBonus),
				Cantrips: class.CantripsKnown, Spells: class.Spells, Prepares: class.Prepares})
		}
		used := a.c.State.SpellSlotsUsed
		for i, n := range d.Spellcasting.Slots {
			s.Slots = append(s.Slots, counter("Level "+strconv.Itoa(i+1), n, used[strconv.Itoa(i+1)]))
		}
		if p := d.Spellcasting.Pact; p != nil {
			s.Slots = append(s.Slots, counter(fmt.Sprintf("Pact, level %d", p.Level), p.Count, used[PactSlots]))
		}
	}
	a.listSpells(s)
	if len(s.Classes) == 0 && len(s.Levels) == 0 {
		return nil
	}
	return s
}

// listSpells sorts what the character can cast into levels.
func (a *analysis) listSpells(s *spellcastingSheet) {
	always := slices.Clone(a.alwaysPrepared())
	for _, spell := range a.race.Spells {
		if spell.Level <= a.c.Level {
			always = append(always, spell.Spell)
		}
	}
	slugs := slices.Concat(a.c.Choices.Cantrips, a.c.Spells, a.chosen(srd.FieldMysticArcanum), always)
	slices.Sort(slugs)
	slugs = slices.Compact(slugs)
	for level := 0; level <= maxSpellLevel; level++ {
		name := "Cantrips"
		if level > 0 {
			name = "Level " + strconv.Itoa(level)
		}
		var spells []spellSheet
		for _, slug := range slugs {
			if spell, ok := srd.FindSpell(slug); ok && spell.Level == level {
				spells = append(spells, spellSheet{Name: spell.Name, School: titled(spell.School), CastingTime: spell.CastingTime, Range: spell.Range,
					Components: strings.Join(spell.Components, ", "), Duration: spell.Duration, Ritual: spell.Ritual, Concentration: spell.Concentration,
					Always: slices.Contains(always, slug)})
			}
		}
		if spells != nil {
			s.Levels = append(s.Levels, spellLevelSheet{Name: name, Spells: spells})
		}
	}
}
