package character

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
)

// analysis is a character seen through the rules: what race, classes and background make of it, which rules it
// breaks, and what is open. It is made in one pass, whose steps build on each other; analyse is their order.
type analysis struct {
	c          *Character
	race       srd.Race
	background srd.Background
	// classes are the known ones with at least one level, the first class first.
	classes []classLevels

	// base has the six scores as far as they are chosen; scores have everything that counts, 10 for what is open.
	base   map[string]int
	scores map[string]int

	// What the character has without choosing, and then what was chosen too.
	skills        slugSet
	expertise     slugSet
	tools         slugSet
	languages     slugSet
	proficiencies slugSet

	broken  violations
	pending []Pending
}

// classLevels is a class with the levels that a character has in it.
type classLevels struct {
	srd.Class
	level int
	// sub is the subclass, if it is chosen and reached.
	sub *srd.Subclass
	// pointer is where the character names it: "" for the first class.
	pointer string
	first   bool
}

// slugSet is a set of slugs that keeps the order in which they came.
type slugSet struct {
	order []string
	has   map[string]bool
}

// add puts slugs into the set and tells how many were there before.
func (s *slugSet) add(slugs ...string) (repeated int) {
	if s.has == nil {
		s.has = map[string]bool{}
	}
	for _, slug := range slugs {
		if s.has[slug] {
			repeated++
			continue
		}
		s.has[slug] = true
		s.order = append(s.order, slug)
	}
	return repeated
}

// abilityOrder has the slugs of the abilities in the order of a character sheet.
var abilityOrder = func() []string {
	var order []string
	for _, a := range srd.Abilities() {
		order = append(order, a.Slug)
	}
	return order
}()

// analyse looks at a character. It always comes to an end, whatever nonsense the character holds. It
// trims the texts of c and changes nothing else.
func analyse(c *Character) *analysis {
	a := &analysis{c: c}
	a.identify()
	a.abilities()
	a.prerequisites()
	a.grants()
	a.choices()
	a.equipment()
	a.state()
	return a
}

func slugsOf[T any](records []T, slug func(T) string) []string {
	slugs := make([]string, len(records))
	for i, r := range records {
		slugs[i] = slug(r)
	}
	return slugs
}

// Alignments lists the nine alignments. The caller owns the slice.
func Alignments() []string {
	return []string{"lawful-good", "neutral-good", "chaotic-good", "lawful-neutral", "neutral", "chaotic-neutral", "lawful-evil", "neutral-evil", "chaotic-evil"}
}

// identify looks up race, classes, background and alignment, and checks texts, levels and experience.
func (a *analysis) identify() {
	c := a.c
	c.Name = a.broken.text("/name", c.Name, 1, MaxName)
	c.Player = a.broken.text("/player", c.Player, 0, MaxPlayer)
	a.identifyRace()
	levels := a.broken.within("/level", c.Level, 1, srd.MaxLevel)
	if a.broken.within("/xp", c.XP, 0, MaxXP) && levels {
		// Advancement: a level is reached with its experience points.
		if least := srd.XPForLevel(c.Level); c.XP < least {
			a.broken.add("/level", "level %d needs %d experience points, there are %d, which reach level %d", c.Level, least, c.XP, srd.LevelForXP(c.XP))
		}
	}
	a.classesOf(levels)
	if c.Background == "" {
		a.open("background", 1, slugsOf(srd.Backgrounds(), func(b srd.Background) string { return b.Slug }))
	} else {
		a.background, _ = lookUp(a, "/background", c.Background, "background", srd.FindBackground, srd.Backgrounds(),
			func(b srd.Background) string { return b.Slug })
	}
	if c.Alignment == "" {
		a.open("alignment", 1, Alignments())
	} else if !slices.Contains(Alignments(), c.Alignment) {
		a.broken.add("/alignment", "%s", unknown(c.Alignment, "alignment", Alignments()))
	}
}

// identifyRace looks up the race; one with subraces is chosen by the subrace.
func (a *analysis) identifyRace() {
	var subraces []string
	for _, r := range srd.Races() {
		if r.Parent != "" && strings.EqualFold(r.Parent, a.c.Race) {
			subraces = append(subraces, r.Slug)
		}
	}
	if subraces != nil {
		a.broken.add("/race", "%q has subraces; choose %s", a.c.Race, enumerate(subraces))
		return
	}
	a.race, _ = lookUp(a, "/race", a.c.Race, "race", srd.FindRace, srd.Races(), func(r srd.Race) string { return r.Slug })
}

// lookUp finds a record by its slug, or notes that there is none.
func lookUp[T any](a *analysis, pointer, slug, kind string, find func(string) (T, bool), all []T, slugOf func(T) string) (T, bool) {
	record, ok := find(slug)
	if !ok {
		a.broken.add(pointer, "%s", unknown(slug, kind, slugsOf(all, slugOf)))
	}
	return record, ok
}

// open notes something that is not chosen yet.
func (a *analysis) open(field string, choose int, from []string) {
	if choose > 0 && len(from) > 0 {
		a.pending = append(a.pending, Pending{Field: field, Choose: min(choose, len(from)), From: from})
	}
}

func classSlug(c srd.Class) string { return c.Slug }

// classesOf looks at the classes and how the levels are spread over them. The first class has what the further
// classes leave (Multiclassing).
func (a *analysis) classesOf(levelsKnown bool) {
	c := a.c
	if len(c.Multiclass) >= len(srd.Classes()) {
		a.broken.add("/multiclass", "must name at most %d further classes, has %d", len(srd.Classes())-1, len(c.Multiclass))
		return
	}
	first := c.Level
	for i, m := range c.Multiclass {
		if a.broken.within(fmt.Sprintf("/multiclass/%d/level", i), m.Level, 1, srd.MaxLevel-1) {
			first -= m.Level
		}
	}
	if levelsKnown && first < 1 {
		a.broken.add("/level", "is the total and must be at least %d: the further classes have %d levels, and the first class needs one",
			c.Level-first+1, c.Level-first)
	}
	a.class("", c.Class, c.Subclass, first)
	for i, m := range c.Multiclass {
		pointer := fmt.Sprintf("/multiclass/%d", i)
		if m.Class == c.Class || slices.ContainsFunc(c.Multiclass[:i], func(earlier ClassLevel) bool { return earlier.Class == m.Class }) {
			a.broken.add(pointer+"/class", "%q is named twice; give all levels of a class in one place", m.Class)
			continue
		}
		a.class(pointer, m.Class, m.Subclass, m.Level)
	}
}

// class looks at one class and its subclass, which is chosen at a level that depends on the class.
func (a *analysis) class(pointer, slug, subclass string, level int) {
	class, ok := lookUp(a, pointer+"/class", slug, "class", srd.FindClass, srd.Classes(), classSlug)
	if !ok || level < 1 {
		return
	}
	l := classLevels{Class: class, level: min(level, srd.MaxLevel), pointer: pointer, first: pointer == ""}
	switch {
	case subclass == "":
		if l.level >= class.SubclassLevel {
			field := srd.FieldSubclass
			if !l.first {
				field = fieldOf(pointer) + "." + field
			}
			a.open(field, 1, class.Subclasses)
		}
	case !slices.Contains(class.Subclasses, subclass):
		a.broken.add(pointer+"/subclass", "%s", unknown(subclass, "subclass of the "+class.Slug, class.Subclasses))
	case l.level < class.SubclassLevel:
		a.broken.add(pointer+"/subclass", "the %s chooses a subclass at level %d and has level %d; leave it empty", class.Slug, class.SubclassLevel, l.level)
	default:
		if sub, ok := srd.FindSubclass(subclass); ok {
			l.sub = &sub
		}
	}
	a.classes = append(a.classes, l)
}

// prerequisites checks what several classes demand: 13 in the abilities of each (Multiclassing, Prerequisites).
func (a *analysis) prerequisites() {
	if len(a.classes) < 2 {
		return
	}
	for _, class := range a.classes {
		if lacking := a.lacking(class.Class); lacking != "" {
			a.broken.add(class.pointer+"/class", "several classes at once: the %s needs %s", class.Slug, lacking)
		}
	}
}

// lacking says what a character lacks to have the class beside another; "" for nothing. An ability without a score
// may still get one.
func (a *analysis) lacking(class srd.Class) string {
	for _, anyOf := range class.Multiclass.Requires {
		met, best := false, ""
		for i, ability := range anyOf {
			_, chosen := a.base[ability]
			met = met || !chosen || a.scores[ability] >= srd.MulticlassMinimum
			if i > 0 {
				best += " or "
			}
			best += fmt.Sprintf("%s %d (has %d)", ability, srd.MulticlassMinimum, a.scores[ability])
		}
		if !met {
			return best
		}
	}
	return ""
}

// level tells the levels that the character has in a class; 0 for none.
func (a *analysis) level(class string) int {
	for _, c := range a.classes {
		if c.Slug == class {
			return c.level
		}
	}
	return 0
}

// has tells whether some class, or its subclass, has brought a feature.
func (a *analysis) has(feature string) bool {
	return slices.ContainsFunc(a.classes, func(c classLevels) bool {
		return c.Has(feature, c.level) || (c.sub != nil && c.sub.Has(feature, c.level))
	})
}

func (a *analysis) modifier(ability string) int { return srd.AbilityModifier(a.scores[ability]) }

// sortedKeys are the keys of a map in their order, so that messages come in the same order every time.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
