package srd

import (
	"cmp"
	"fmt"
	"slices"
)

// classRecord is a class as its file has it: the columns of the class's table as rows of twenty numbers, features and
// choices each with its level. The fields of Class that follow from these are not in the file.
type classRecord struct {
	Class
	Features                   []Feature
	LevelChoices               []levelChoice
	CantripsKnown, SpellsKnown []int
	Numbers                    map[string][]int
	Dice                       map[string][]string
}

// subclassRecord is a subclass as its file has it.
type subclassRecord struct {
	Subclass
	Features     []Feature
	LevelChoices []levelChoice
}

// levelChoice is a choice that a level brings.
type levelChoice struct {
	Level int
	Choice
}

// classFiles are the classes, a file for each, named class-SLUG.json.
var classFiles = []string{
	"barbarian", "bard", "cleric", "druid", "fighter", "monk", "paladin", "ranger", "rogue", "sorcerer", "warlock", "wizard",
}

var (
	subclassTable = loadSubclasses()
	classTable    = loadClasses(subclassTable)
)

func loadSubclasses() table[Subclass] {
	var all []Subclass
	for _, r := range load[subclassRecord]("subclasses.json") {
		all = append(all, r.subclass())
	}
	t, err := index(all, func(s Subclass) string { return s.Slug })
	if err != nil {
		panic(fmt.Sprintf("srd: subclasses: %v", err))
	}
	return t
}

func (r subclassRecord) subclass() Subclass {
	s := r.Subclass
	at := func(level int) *SubclassLevel {
		i := slices.IndexFunc(s.Levels, func(l SubclassLevel) bool { return l.Level == level })
		if i < 0 {
			s.Levels = append(s.Levels, SubclassLevel{Level: level})
			i = len(s.Levels) - 1
		}
		return &s.Levels[i]
	}
	for _, f := range r.Features {
		l := at(f.Level)
		l.Features = append(l.Features, f)
	}
	for _, c := range r.LevelChoices {
		l := at(c.Level)
		l.Choices = append(l.Choices, c.choice())
	}
	slices.SortFunc(s.Levels, func(a, b SubclassLevel) int { return cmp.Compare(a.Level, b.Level) })
	return s
}

func loadClasses(subclasses table[Subclass]) table[Class] {
	var all []Class
	for _, name := range classFiles {
		for _, r := range load[classRecord]("class-" + name + ".json") {
			all = append(all, r.class(subclasses))
		}
	}
	t, err := index(all, func(c Class) string { return c.Slug })
	if err != nil {
		panic(fmt.Sprintf("srd: classes: %v", err))
	}
	return t
}

func (r classRecord) class(subclasses table[Subclass]) Class {
	c := r.Class
	for _, s := range subclasses.sorted {
		if s.Class == c.Slug {
			c.Subclasses = append(c.Subclasses, s.Slug)
		}
	}
	c.Proficiencies = expandAll(c.Proficiencies, nil)
	if c.Spellcasting != nil {
		c.Spellcasting.Focus = expand(c.Spellcasting.Focus)
	}
	c.Multiclass.Choices = expandAll(c.Multiclass.Choices, nil)
	for i := range c.Equipment.Choices {
		for j := range c.Equipment.Choices[i].Options {
			o := &c.Equipment.Choices[i].Options[j]
			o.From = expand(o.From)
		}
	}
	for level := 1; level <= MaxLevel; level++ {
		c.Levels = append(c.Levels, r.level(c, level))
	}
	c.Choices = firstChoices(c)
	return c
}

// level gathers what the rows of the record say of a level.
func (r classRecord) level(c Class, level int) Level {
	l := Level{Level: level, ProficiencyBonus: ProficiencyBonus(level)}
	for _, f := range r.Features {
		if f.Level == level {
			l.Features = append(l.Features, f)
		}
	}
	for _, choice := range r.LevelChoices {
		if choice.Level == level {
			l.Choices = append(l.Choices, choice.choice())
		}
	}
	if level == c.SubclassLevel {
		l.Choices = append(l.Choices, Choice{Field: FieldSubclass, Choose: 1, From: c.Subclasses})
	}
	if slices.Contains(c.Improvements, level) {
		l.Features = append(l.Features, Feature{Slug: "ability-score-improvement", Name: "Ability Score Improvement", Level: level,
			Text: "Raises one ability score by 2 or two by 1, none above 20."})
		l.Choices = append(l.Choices, Choice{Field: FieldImprovements, Choose: 2, From: expand([]string{"*abilities"})})
	}
	l.CantripsKnown, l.SpellsKnown = column(r.CantripsKnown, level), column(r.SpellsKnown, level)
	if c.Spellcasting != nil && c.Spellcasting.Kind == PactCaster {
		l.Pact = Pact(level)
	} else if c.Spellcasting != nil {
		l.Slots = Slots(c.Spellcasting.Kind, level)
	}
	for name, row := range r.Numbers {
		if n := column(row, level); n != 0 {
			set(&l.Numbers, name, n)
		}
	}
	for name, row := range r.Dice {
		if dice := column(row, level); dice != "" {
			set(&l.Dice, name, dice)
		}
	}
	return l
}

// firstChoices are all the choices of a level 1 character of the class, but for expertise: what it can be chosen from is
// known when the skills are.
func firstChoices(c Class) []Choice {
	first := c.Levels[0]
	choices := slices.DeleteFunc(slices.Concat(c.Proficiencies, first.Choices), func(c Choice) bool { return c.Field == FieldExpertise })
	if first.CantripsKnown > 0 {
		choices = append(choices, Choice{Field: FieldCantrips, Choose: first.CantripsKnown, From: spellSet(c.Slug, 0, 0)})
	}
	if first.SpellsKnown > 0 {
		choices = append(choices, Choice{Field: FieldSpells, Choose: first.SpellsKnown, From: spellSet(c.Slug, 1, 1)})
	}
	return choices
}

// column is the value of a row of the class's table at a level; the zero value of a row that is not there.
func column[T any](row []T, level int) T {
	if len(row) == 0 {
		var none T
		return none
	}
	if len(row) != MaxLevel {
		panic(fmt.Sprintf("srd: a row of a class's table has %d values, not %d: %v", len(row), MaxLevel, row))
	}
	return row[level-1]
}

func set[T any](m *map[string]T, key string, value T) {
	if *m == nil {
		*m = make(map[string]T)
	}
	(*m)[key] = value
}
