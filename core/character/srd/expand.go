package srd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// expandAll writes out the choices of a record; without names slugs that a field cannot take, because the record gives
// them anyway.
func expandAll(choices []Choice, without map[string][]string) []Choice {
	var all []Choice
	for _, c := range choices {
		c.From = expand(c.From)
		c.From = slices.DeleteFunc(c.From, func(slug string) bool { return slices.Contains(without[c.Field], slug) })
		all = append(all, c)
	}
	return all
}

// expand writes out the entries that begin with a star: whole sets that a data file names instead of listing them.
//
//	*abilities *skills *ancestries  all of them
//	*languages                      those that can be chosen
//	*weapon:martial-melee           equipment of a category and group, *tool:... and *gear:... too
//	*cantrip:wizard, *cantrip       cantrips of a class, of any
//	*spell:wizard:3                 spells of a class and level
//	*spell:any:1-3                  spells of any class, of levels 1 to 3
//
// It panics for a set of a kind that does not exist: the data files are part of the program.
func expand(from []string) []string {
	var all []string
	for _, entry := range from {
		name, ok := strings.CutPrefix(entry, "*")
		if !ok {
			all = append(all, entry)
			continue
		}
		all = append(all, setOf(name)...)
	}
	return all
}

// setOf returns the slugs of a set such as "skills" or "weapon:martial-melee".
func setOf(name string) []string {
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "abilities":
		return slugs(Abilities(), func(a Ability) string { return a.Slug })
	case "skills":
		return slugs(Skills(), func(s Skill) string { return s.Slug })
	case "languages":
		return ChoosableLanguages()
	case "ancestries":
		return slugs(DraconicAncestries(), func(a DraconicAncestry) string { return a.Slug })
	case "weapon", "tool", "gear":
		return ItemsIn(ItemCategory(kind), rest)
	case "cantrip":
		return spellSet(rest, 0, 0)
	case "spell":
		class, levels, _ := strings.Cut(rest, ":")
		low, high, both := strings.Cut(levels, "-")
		if !both {
			high = low
		}
		return spellSet(class, number(low), number(high))
	}
	panic(fmt.Sprintf("srd: there is no set %q", name))
}

// spellSet returns the slugs of a class's spells of the levels low to high; the class "any" or "" stands for all.
func spellSet(class string, low, high int) []string {
	var set []string
	for _, s := range Spells() {
		if s.Level >= low && s.Level <= high && (class == "" || class == "any" || s.On(class)) {
			set = append(set, s.Slug)
		}
	}
	return set
}

// choice writes out a choice that a level brings. Its From can name the set *option:GROUP too: the options of the group
// that the level may take.
func (c levelChoice) choice() Choice {
	var from []string
	for _, entry := range c.From {
		group, ok := strings.CutPrefix(entry, "*option:")
		if !ok {
			from = append(from, entry)
			continue
		}
		for _, o := range Options(group) {
			if o.Level <= c.Level {
				from = append(from, o.Slug)
			}
		}
	}
	return Choice{Field: c.Field, Choose: c.Choose, From: expand(from)}
}

// number reads a number of a data file.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("srd: %q is no number", text))
	}
	return n
}

// slugs returns the slug of every record.
func slugs[T any](records []T, slug func(T) string) []string {
	all := make([]string, 0, len(records))
	for _, r := range records {
		all = append(all, slug(r))
	}
	return all
}
