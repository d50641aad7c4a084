package character

import (
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
)

// grants gathers what the character has without choosing. Of the armour, weapon and tool proficiencies of its classes
// it has all of the first class and some of the further ones (Multiclassing, Proficiencies).
func (a *analysis) grants() {
	a.skills.add(a.race.Skills...)
	a.languages.add(a.race.Languages...)
	a.arm(a.race.Armor, a.race.Weapons)
	a.tools.add(a.race.Tools...)
	for _, class := range a.classes {
		if class.first {
			a.arm(class.Armor, class.Weapons)
			a.tools.add(class.Tools...)
		} else {
			a.arm(class.Multiclass.Armor, class.Multiclass.Weapons)
			a.tools.add(class.Multiclass.Tools...)
		}
		a.languages.add(class.Languages...)
		if sub := class.sub; sub != nil {
			a.arm(sub.Armor, sub.Weapons)
			a.tools.add(sub.Tools...)
			a.skills.add(sub.Skills...)
			a.languages.add(sub.Languages...)
		}
	}
	a.skills.add(a.background.Skills...)
	a.tools.add(a.background.Tools...)
	for _, option := range a.options() {
		a.skills.add(option.Skills...)
	}
}

func (a *analysis) arm(armor, weapons []string) {
	a.proficiencies.add(armor...)
	a.proficiencies.add(weapons...)
}

// choices holds everything that the player chose against what may be chosen.
func (a *analysis) choices() {
	all := a.gather()
	of := func(name string) offers {
		if all[name] == nil {
			return nil
		}
		return *all[name]
	}
	// A proficiency that comes from two sources may be exchanged for another of its kind (Backgrounds, Proficiencies).
	// Languages are treated alike.
	a.skills.add(a.settle(field{name: srd.FieldSkills, kind: "skill", known: catalog.skills, offers: of(srd.FieldSkills),
		given: a.skills.order, replacement: catalog.skills})...)
	a.tools.add(a.settle(field{name: srd.FieldTools, kind: "tool", known: catalog.tools, offers: of(srd.FieldTools),
		given: a.tools.order, replacement: catalog.tools})...)
	a.languages.add(a.settle(field{name: srd.FieldLanguages, kind: "language", known: catalog.languages,
		offers: of(srd.FieldLanguages), given: a.languages.order, replacement: catalog.choosableLanguages})...)
	a.expert(of(srd.FieldExpertise), slices.Concat(catalog.skills, catalog.tools))
	a.settle(field{name: srd.FieldAbilityBonus, kind: "ability", known: abilityOrder, offers: of(srd.FieldAbilityBonus)})
	a.styles(slices.Concat(of(srd.FieldFightingStyle), of(srd.FieldAdditionalFightingStyle)))
	a.ancestors(of(srd.FieldDraconicAncestry), of(srd.FieldDragonAncestor))
	a.spells(of(srd.FieldCantrips), of(srd.FieldSpells))
	a.features(of)
}

// expert settles expertise, which doubles proficiencies that the character has.
func (a *analysis) expert(all offers, known []string) {
	doubled := append(slices.Clone(a.skills.order), a.tools.order...)
	for i := range all {
		narrowed := *all[i]
		narrowed.from = slices.DeleteFunc(slices.Clone(narrowed.from), func(slug string) bool { return !slices.Contains(doubled, slug) })
		all[i] = &narrowed
	}
	a.expertise.add(a.settle(field{name: srd.FieldExpertise, kind: "proficiency", known: known, offers: all})...)
}

// styles settles the fighting styles. Who may take several takes one in choices.fighting_style and the others, each
// once, in choices.additional_fighting_style (Fighting Style). Which class gives which does not matter.
func (a *analysis) styles(all offers) {
	var entries []entry
	style := a.c.Choices.FightingStyle
	if style != "" {
		entries = append(entries, entry{pointerOf(srd.FieldFightingStyle), style})
	}
	additional := a.chosen(srd.FieldAdditionalFightingStyle)
	if len(additional) > MaxChoices {
		a.broken.add(pointerOf(srd.FieldAdditionalFightingStyle), "must have at most %d entries, has %d", MaxChoices, len(additional))
		return
	}
	for i, slug := range additional {
		entries = append(entries, entry{at(pointerOf(srd.FieldAdditionalFightingStyle), i), slug})
	}
	if style == "" && len(additional) > 0 {
		a.broken.add(pointerOf(srd.FieldAdditionalFightingStyle), "is for further styles; give the first one in choices.fighting_style")
		return
	}
	_, left := a.assign(field{name: srd.FieldFightingStyle, kind: "fighting style", known: catalog.options[srd.FightingStyles], offers: all}, entries)
	if style != "" {
		a.openOffers(srd.FieldAdditionalFightingStyle, left, append(single(style), additional...))
	} else if len(left) > 0 {
		a.openOffers(srd.FieldFightingStyle, left[:1], nil)
	}
}

// ancestors settles the dragons of dragonborn and draconic sorcerers. A sorcerer of another race gives its dragon in
// choices.draconic_ancestry; a dragonborn sorcerer has two, which may differ.
func (a *analysis) ancestors(race, sorcerer offers) {
	if len(race) == 0 && len(a.c.Choices.Features[strings.TrimPrefix(srd.FieldDragonAncestor, featurePrefix)]) == 0 {
		race, sorcerer = sorcerer, nil
	}
	a.settle(field{name: srd.FieldDraconicAncestry, kind: "draconic ancestry", known: catalog.ancestries, offers: race})
	a.settle(field{name: srd.FieldDragonAncestor, kind: "draconic ancestry", known: catalog.ancestries, offers: sorcerer})
}

// settledElsewhere are the feature fields that features leaves out.
var settledElsewhere = []string{srd.FieldAdditionalFightingStyle, srd.FieldDragonAncestor}

// features settles the choices that only some features ask for.
func (a *analysis) features(of func(string) offers) {
	for _, name := range sortedKeys(a.c.Choices.Features) {
		if !slices.Contains(catalog.featureFields, featurePrefix+name) {
			a.broken.add(pointerTo("/choices", name), "is not a field of choices")
			if len(a.broken) > MaxChoices {
				return
			}
		}
	}
	for _, name := range catalog.featureFields {
		if slices.Contains(settledElsewhere, name) {
			continue
		}
		kind, known := "spell", catalog.spells
		if group, ok := optionGroups[name]; ok {
			kind, known = strings.TrimSuffix(strings.ReplaceAll(group, "-", " "), "s"), catalog.options[group]
		}
		f := field{name: name, kind: kind, known: known, offers: of(name)}
		if name == srd.FieldInvocations {
			f.offers = a.possibleInvocations(f.offers)
		}
		a.settle(f)
	}
}

// possibleInvocations leaves out of the offers what needs a pact boon or a cantrip that the warlock lacks (Eldritch
// Invocations, prerequisites).
func (a *analysis) possibleInvocations(all offers) offers {
	boons := a.chosen(srd.FieldPactBoon)
	var possible offers
	for _, o := range all {
		var from []string
		for _, slug := range o.from {
			option, _ := srd.FindOption(srd.Invocations, slug)
			if (option.Boon == "" || slices.Contains(boons, option.Boon)) && (option.Cantrip == "" || slices.Contains(a.c.Choices.Cantrips, option.Cantrip)) {
				from = append(from, slug)
			}
		}
		possible.add(o.by+" (of those whose prerequisites are met)", o.class, o.choose, from)
	}
	return possible
}
