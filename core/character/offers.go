package character

import (
	"fmt"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
)

// offer is something that a character may choose: some of a list, by grace of something.
type offer struct {
	// by says who offers it, for messages: "the fighter".
	by     string
	choose int
	from   []string
	// class is the class whose levels offer it; "" for others.
	class string
	// taken counts what has been chosen of it.
	taken int
	// unsure is set where choose may still fall; then it is not pending.
	unsure bool
}

// offers are all offers for one field, such as "choices.skills".
type offers []*offer

func (o *offers) add(by, class string, choose int, from []string) {
	if choose > 0 && len(from) > 0 {
		*o = append(*o, &offer{by: by, class: class, choose: choose, from: from})
	}
}

// gather collects every offer that race, classes, subclasses and background make, by field.
func (a *analysis) gather() map[string]*offers {
	all := map[string]*offers{}
	add := func(by, class string, choices []srd.Choice) {
		for _, choice := range choices {
			field := choice.Field
			switch field {
			case srd.FieldSubclass, srd.FieldImprovements: // these have rules of their own
				continue
			}
			if all[field] == nil {
				all[field] = &offers{}
			}
			all[field].add(by, class, choice.Choose, choice.From)
		}
	}
	if a.race.Slug != "" {
		add("the "+a.race.Slug, "", a.race.Choices)
	}
	for _, class := range a.classes {
		by := "the " + class.Slug
		if class.first {
			add(by, class.Slug, class.Proficiencies)
		} else {
			add(by, class.Slug, class.Multiclass.Choices)
		}
		for _, level := range class.Levels[:min(class.level, len(class.Levels))] {
			add(by, class.Slug, level.Choices)
		}
		if class.sub == nil {
			continue
		}
		for _, level := range class.sub.Levels {
			if level.Level <= class.level {
				add("the "+class.sub.Slug, class.Slug, level.Choices)
			}
		}
	}
	add("the "+a.background.Slug, "", a.background.Choices())
	for _, option := range a.options() {
		add(option.Slug, "", option.Choices)
	}
	for _, o := range all {
		o.widen()
	}
	return all
}

// widen lets earlier choices of a class take what later levels add to the same list: a warlock may exchange an
// invocation at every level (Eldritch Invocations), and none of the others loses by it.
func (o offers) widen() {
	for i, earlier := range o {
		for _, later := range o[i+1:] {
			if earlier.class != "" && earlier.class == later.class && len(later.from) > len(earlier.from) && containsAll(later.from, earlier.from) {
				earlier.from = later.from
			}
		}
	}
}

func containsAll(set, part []string) bool {
	return !slices.ContainsFunc(part, func(slug string) bool { return !slices.Contains(set, slug) })
}

// optionGroups says what group of options a field takes.
var optionGroups = map[string]string{
	srd.FieldFightingStyle:           srd.FightingStyles,
	srd.FieldAdditionalFightingStyle: srd.FightingStyles,
	srd.FieldCircleLand:              srd.CircleLands,
	srd.FieldFavoredEnemies:          srd.FavoredEnemies,
	srd.FieldFavoredTerrains:         srd.FavoredTerrains,
	srd.FieldHuntersPrey:             srd.HuntersPrey,
	srd.FieldDefensiveTactics:        srd.DefensiveTactics,
	srd.FieldMultiattack:             srd.Multiattack,
	srd.FieldSuperiorHuntersDefense:  srd.SuperiorHuntersDefense,
	srd.FieldInvocations:             srd.Invocations,
	srd.FieldMetamagic:               srd.Metamagic,
	srd.FieldPactBoon:                srd.PactBoons,
}

var optionFields = sortedKeys(optionGroups)

// options gives the options of features that are chosen, in the order of their fields.
func (a *analysis) options() []srd.Option {
	var chosen []srd.Option
	for _, field := range optionFields {
		for _, slug := range a.chosen(field) {
			if option, ok := srd.FindOption(optionGroups[field], slug); ok {
				chosen = append(chosen, option)
			}
		}
	}
	return chosen
}

// chosen gives what the character has in a field.
func (a *analysis) chosen(field string) []string {
	c := a.c.Choices
	switch field {
	case srd.FieldSkills:
		return c.Skills
	case srd.FieldExpertise:
		return c.Expertise
	case srd.FieldTools:
		return c.Tools
	case srd.FieldLanguages:
		return c.Languages
	case srd.FieldAbilityBonus:
		return c.AbilityBonus
	case srd.FieldCantrips:
		return c.Cantrips
	case srd.FieldSpells:
		return a.c.Spells
	case srd.FieldFightingStyle:
		return single(c.FightingStyle)
	case srd.FieldDraconicAncestry:
		return single(c.DraconicAncestry)
	}
	return c.Features[strings.TrimPrefix(field, featurePrefix)]
}

func single(slug string) []string {
	if slug == "" {
		return nil
	}
	return []string{slug}
}

// isSingle tells whether a field takes one slug instead of a list.
func isSingle(field string) bool {
	return field == srd.FieldFightingStyle || field == srd.FieldDraconicAncestry
}

// pointerOf is the JSON pointer of a field; fieldOf is its opposite.
func pointerOf(field string) string { return "/" + strings.ReplaceAll(field, ".", "/") }
func fieldOf(pointer string) string {
	return strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
}
func at(pointer string, i int) string { return fmt.Sprintf("%s/%d", pointer, i) }

// field is one field of choices, to be held against its offers.
type field struct {
	name string
	// kind is what its slugs are, for messages: "skill"; known are all that exist.
	kind  string
	known []string
	// offers are all offers for it.
	offers offers
	// given are slugs that the character has anyway.
	given []string
	// free lets the given ones be listed without counting; else they count, and open a replacement.
	free bool
	// replacement is what may be chosen in the place of a proficiency that the character has twice; nil for nothing.
	replacement []string
}

// entry is one slug that was chosen, and where.
type entry struct{ pointer, slug string }

// settle holds what was chosen in a field against its offers, and notes what is left of them as pending. It gives back
// what was chosen rightly.
func (a *analysis) settle(f field) []string {
	chosen, pointer := a.chosen(f.name), pointerOf(f.name)
	if len(chosen) == 0 && len(f.offers) == 0 {
		return nil
	}
	if len(chosen) > MaxChoices {
		a.broken.add(pointer, "must have at most %d entries, has %d", MaxChoices, len(chosen))
		return nil
	}
	entries := make([]entry, len(chosen))
	for i, slug := range chosen {
		entries[i] = entry{at(pointer, i), slug}
		if isSingle(f.name) {
			entries[i].pointer = pointer
		}
	}
	right, left := a.assign(f, entries)
	a.openOffers(f.name, left, append(slices.Clone(f.given), chosen...))
	return right
}

// assign counts each slug for one offer that has it, so that as many as can be find one; those that find none break a
// rule. It gives back what was chosen rightly, and the offers, a replacement for what the character has twice among
// them.
func (a *analysis) assign(f field, entries []entry) (right []string, all offers) {
	m := matching{offers: slices.Clone(f.offers), of: map[string]*offer{}}
	seen := map[string]bool{}
	for _, e := range entries {
		switch given := slices.Contains(f.given, e.slug); {
		case !slices.Contains(f.known, e.slug):
			a.broken.add(e.pointer, "%s", unknown(e.slug, f.kind, f.known))
		case seen[e.slug]:
			a.broken.add(e.pointer, "%q is chosen twice", e.slug)
		case given && f.free:
			right = append(right, e.slug)
		case m.place(e.slug):
			right = append(right, e.slug)
			if given && f.replacement != nil {
				m.offers.add("what it has twice", "", 1, without(f.replacement, f.given))
			}
		default:
			a.broken.add(e.pointer, "%s", refusal(e.slug, f, m.offers))
		}
		seen[e.slug] = true
	}
	return right, m.offers
}

// refusal says why a slug finds no offer.
func refusal(slug string, f field, all offers) string {
	if len(all) == 0 {
		return fmt.Sprintf("nothing lets this character choose a %s; leave it empty", f.kind)
	}
	var having, others []string
	for _, o := range all {
		text := fmt.Sprintf("%s: %d of %s", o.by, o.choose, enumerate(o.from))
		if slices.Contains(o.from, slug) {
			having = append(having, text)
		} else {
			others = append(others, text)
		}
	}
	if len(having) > 0 {
		return fmt.Sprintf("%q is one too many; allowed are %s", slug, strings.Join(having, "; "))
	}
	return fmt.Sprintf("%q cannot be chosen; allowed are %s", slug, strings.Join(others, "; "))
}

// without gives the slugs of a list that are in none of the others.
func without(list []string, others ...[]string) []string {
	var left []string
	for _, slug := range list {
		if !slices.ContainsFunc(others, func(other []string) bool { return slices.Contains(other, slug) }) {
			left = append(left, slug)
		}
	}
	return left
}

// openOffers notes what is left of offers, without what the character has. Offers of the same list become one; where
// lists overlap, each begins with slugs that the ones before it do not begin with, so that who takes the first of each
// takes none twice.
func (a *analysis) openOffers(name string, all offers, has []string) {
	var open []Pending
	var foremost []string
	for _, o := range all {
		from := without(o.from, has)
		if o.unsure {
			continue
		}
		if i := slices.IndexFunc(open, func(p Pending) bool { return slices.Equal(sorted(p.From), sorted(from)) }); i >= 0 {
			open[i].Choose += o.choose - o.taken
			foremost = append(foremost, open[i].From[:min(open[i].Choose, len(open[i].From))]...)
			continue
		}
		if o.choose <= o.taken || len(from) == 0 {
			continue
		}
		var later []string
		for _, slug := range from {
			if slices.Contains(foremost, slug) {
				later = append(later, slug)
			}
		}
		from = append(without(from, later), later...)
		open = append(open, Pending{Field: name, Choose: o.choose - o.taken, From: from})
		foremost = append(foremost, from[:min(o.choose-o.taken, len(from))]...)
	}
	for _, p := range open {
		a.open(p.Field, p.Choose, p.From)
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// matching assigns slugs to offers (Kuhn's algorithm for a bipartite graph whose right side has capacities).
type matching struct {
	offers offers
	of     map[string]*offer
}

// place finds an offer for a slug, moving others to where they fit as well; false when there is no way. What was
// placed before stays placed.
func (m *matching) place(slug string) bool {
	return m.try(slug, map[*offer]bool{})
}

func (m *matching) try(slug string, tried map[*offer]bool) bool {
	// The most special offer first: what is left over then serves the most other slugs.
	for _, o := range m.byWidth() {
		if tried[o] || !slices.Contains(o.from, slug) {
			continue
		}
		tried[o] = true
		if o.taken < o.choose {
			o.taken++
			m.of[slug] = o
			return true
		}
		for _, other := range sortedKeys(m.of) {
			if m.of[other] == o && m.try(other, tried) {
				m.of[slug] = o
				return true
			}
		}
	}
	return false
}

// byWidth gives the offers, those with the shortest lists first.
func (m *matching) byWidth() offers {
	ordered := slices.Clone(m.offers)
	slices.SortStableFunc(ordered, func(a, b *offer) int { return len(a.from) - len(b.from) })
	return ordered
}
