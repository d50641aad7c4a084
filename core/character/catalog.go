package character

import (
	"slices"

	"bitbucket.org/templar/templar/core/character/srd"
)

// catalog has the slugs of the rules' facts as the analysis of every character needs them. It is made once and never
// changes.
var catalog = newCatalog()

type lists struct {
	skills, tools, languages, choosableLanguages, ancestries []string
	// cantrips and spells of any class, each sorted; upTo are the spells from level 1 to the one that it is asked for.
	cantrips, spells []string
	upTo             spellsByLevel
	// classCantrips and classUpTo are the same by class.
	classCantrips map[string][]string
	classUpTo     map[string]spellsByLevel
	// options are those of features, by group.
	options map[string][]string
	// featureFields are the fields of Choices.Features, with the prefix and sorted.
	featureFields []string
}

// maxSpellLevel is the highest level of spells.
const maxSpellLevel = 9

// spellsByLevel has at i the spells of the levels 1 to i.
type spellsByLevel [maxSpellLevel + 1][]string

func newCatalog() lists {
	l := lists{
		skills:             slugsOf(srd.Skills(), func(s srd.Skill) string { return s.Slug }),
		tools:              srd.ItemsIn(srd.ToolItem, ""),
		languages:          slugsOf(srd.Languages(), func(l srd.Language) string { return l.Slug }),
		choosableLanguages: srd.ChoosableLanguages(),
		ancestries:         slugsOf(srd.DraconicAncestries(), func(d srd.DraconicAncestry) string { return d.Slug }),
		classCantrips:      map[string][]string{},
		classUpTo:          map[string]spellsByLevel{},
		options:            map[string][]string{},
		featureFields:      sortedKeys(new(featureChoices).fields()),
	}
	for _, s := range srd.Spells() {
		if s.Cantrip() {
			l.cantrips = append(l.cantrips, s.Slug)
		} else {
			l.spells = append(l.spells, s.Slug)
		}
	}
	for level := range l.upTo {
		l.upTo[level] = spellsOf("", level)
	}
	for _, class := range srd.Classes() {
		l.classCantrips[class.Slug] = slugsOf(srd.SpellsOf(class.Slug, 0, 0), func(s srd.Spell) string { return s.Slug })
		var upTo spellsByLevel
		for level := range upTo {
			upTo[level] = spellsOf(class.Slug, level)
		}
		l.classUpTo[class.Slug] = upTo
	}
	for _, o := range srd.Options("") {
		l.options[o.Group] = append(l.options[o.Group], o.Slug)
	}
	return l
}

// spellsOf gives the spells of a class, "" for any, from level 1 to the highest.
func spellsOf(class string, highest int) []string {
	var slugs []string
	for _, s := range srd.Spells() {
		if s.Level >= 1 && s.Level <= highest && (class == "" || s.On(class)) {
			slugs = append(slugs, s.Slug)
		}
	}
	return slices.Clip(slugs)
}
