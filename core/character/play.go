package character

import (
	"fmt"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
	"bitbucket.org/templar/templar/core/fault"
)

// What happens in play, as pure functions: each takes a character that Validate accepts and gives the one after, which
// Validate accepts too, or an Invalid fault with pointers into the request. None changes what it is given.

// Die throws a die of so many sides: 1 to sides.
type Die func(sides int) int

// Growth is how a new level's hit points come about.
type Growth string

// The ways to gain hit points.
const (
	// Average takes the hit die's average, rounded up.
	Average Growth = "average"
	// RolledGrowth throws the hit die.
	RolledGrowth Growth = "rolled"
)

// LevelUp is a level more.
type LevelUp struct {
	// Class is one that the character has, or a new one.
	Class string
	// HitPoints is Average when it is empty.
	HitPoints Growth
	// Choices are added to those of the character: lists grow by what is new in them, single values are replaced when
	// they are not empty, improvements of a level are replaced.
	Choices Choices
}

// LevelUp gives the character with a level more in a class. It needs the experience for the next level in all, and for
// a new class the prerequisites of that class and of all that the character has (Multiclassing). The hit points at
// hand rise with their maximum.
func (c Character) LevelUp(l LevelUp, die Die) (Character, error) {
	next := c.Clone()
	var broken violations
	if c.Level >= srd.MaxLevel {
		broken.add("", "level %d is the highest", srd.MaxLevel)
	} else if least := srd.XPForLevel(c.Level + 1); c.XP < least {
		broken.add("", "level %d needs %d experience points, there are %d; POST .../xp adds some", c.Level+1, least, c.XP)
	}
	if l.HitPoints != "" && l.HitPoints != Average && l.HitPoints != RolledGrowth {
		broken.add("/hit_points", "must be %q or %q", Average, RolledGrowth)
	}
	class, known := srd.FindClass(l.Class)
	if !known {
		broken.add("/class", "%s", unknown(l.Class, "class", slugsOf(srd.Classes(), classSlug)))
	}
	if len(broken) > 0 {
		return Character{}, broken.err()
	}
	before := analyse(&next)
	level := next.raise(class.Slug)
	if level == 1 {
		for _, needed := range append(slices.Clone(before.classes), classLevels{Class: class}) {
			if lacking := before.lacking(needed.Class); lacking != "" {
				broken.add("/class", "several classes at once: the %s needs %s", needed.Slug, lacking)
			}
		}
		if len(broken) > 0 {
			return Character{}, broken.err()
		}
	}
	if l.HitPoints == RolledGrowth {
		next.HitPoints = append(next.HitPoints, HitPointRoll{Class: class.Slug, Level: level, Roll: die(class.HitDie)})
		slices.SortFunc(next.HitPoints, func(a, b HitPointRoll) int {
			if byClass := strings.Compare(a.Class, b.Class); byClass != 0 {
				return byClass
			}
			return a.Level - b.Level
		})
	}
	added := l.Choices.ofClass(class.Slug, next.Class)
	next.Choices = next.Choices.merge(added, next.Class)
	next.State.HP += analyse(&next).maxHP() - before.maxHP()
	next.Build = next.normal()
	if broken = analyse(&next).broken; len(broken) > 0 {
		for i := range broken {
			broken[i].Pointer = added.pointerIn(broken[i].Pointer, next.Choices)
		}
		return Character{}, broken.err()
	}
	return next, nil
}

// raise adds a level to a class, perhaps a new one, and tells which it is.
func (c *Character) raise(class string) int {
	c.Level++
	if class == c.Class {
		level := c.Level
		for _, m := range c.Multiclass {
			level -= m.Level
		}
		return level
	}
	for i := range c.Multiclass {
		if c.Multiclass[i].Class == class {
			c.Multiclass[i].Level++
			return c.Multiclass[i].Level
		}
	}
	c.Multiclass = append(c.Multiclass, ClassLevel{Class: class, Level: 1})
	return 1
}

// lists gives the lists of the choices by their pointers.
func (c Choices) lists() map[string][]string {
	lists := map[string][]string{"skills": c.Skills, "expertise": c.Expertise, "tools": c.Tools, "languages": c.Languages,
		"ability_bonus": c.AbilityBonus, "cantrips": c.Cantrips}
	for name, list := range c.Features {
		lists[name] = list
	}
	return lists
}

// pointerIn turns a pointer to an entry of a list of merged choices into one to the same entry of c, the choices that
// were added. Any other pointer stays.
func (c Choices) pointerIn(pointer string, merged Choices) string {
	parts := strings.Split(pointer, "/")
	if len(parts) != 4 || parts[1] != "choices" {
		return pointer
	}
	list, i := merged.lists()[parts[2]], 0
	if _, err := fmt.Sscanf(parts[3], "%d", &i); err != nil || i < 0 || i >= len(list) {
		return pointer
	}
	if j := slices.Index(c.lists()[parts[2]], list[i]); j >= 0 {
		return fmt.Sprintf("/choices/%s/%d", parts[2], j)
	}
	return "/choices/" + parts[2]
}

// ofClass gives the choices with the class of every improvement that names none: the one that a level is added to.
func (c Choices) ofClass(class, first string) Choices {
	if class != first {
		c.Improvements = slices.Clone(c.Improvements)
		for i := range c.Improvements {
			if c.Improvements[i].Class == "" {
				c.Improvements[i].Class = class
			}
		}
	}
	return c
}

// merge gives the choices with more added. first is the first class, which an improvement need not name.
func (c Choices) merge(more Choices, first string) Choices {
	union := func(list *[]string, added []string) {
		for _, slug := range added {
			if !slices.Contains(*list, slug) {
				*list = append(*list, slug)
			}
		}
	}
	union(&c.Skills, more.Skills)
	union(&c.Expertise, more.Expertise)
	union(&c.Tools, more.Tools)
	union(&c.Languages, more.Languages)
	union(&c.AbilityBonus, more.AbilityBonus)
	union(&c.Cantrips, more.Cantrips)
	if more.FightingStyle != "" {
		c.FightingStyle = more.FightingStyle
	}
	if more.DraconicAncestry != "" {
		c.DraconicAncestry = more.DraconicAncestry
	}
	for field, added := range more.Features {
		if c.Features == nil {
			c.Features = map[string][]string{}
		}
		list := c.Features[field]
		union(&list, added)
		c.Features[field] = list
	}
	of := func(i Improvement) string {
		if i.Class == "" {
			return first
		}
		return i.Class
	}
	for _, improvement := range more.Improvements {
		same := func(i Improvement) bool { return i.Level == improvement.Level && of(i) == of(improvement) }
		if i := slices.IndexFunc(c.Improvements, same); i >= 0 {
			c.Improvements[i] = improvement
		} else {
			c.Improvements = append(c.Improvements, improvement)
		}
	}
	return c
}

// amount checks the amount of a request.
func amount(n, most int) error {
	if n < 1 || n > most {
		return fault.InvalidAt("/amount", "must be 1 to %d, is %d", most, n)
	}
	return nil
}

// GainXP gives the character with more experience points. Its level stays: LevelUp raises it.
func (c Character) GainXP(points int) (Character, error) {
	if err := amount(points, MaxXP); err != nil {
		return Character{}, err
	}
	if points > MaxXP-c.XP {
		return Character{}, fault.InvalidAt("/amount", "the character may have %d experience points and has %d; at most %d can be added", MaxXP, c.XP, MaxXP-c.XP)
	}
	c = c.Clone()
	c.XP += points
	return c, nil
}

// Damage gives the character with fewer hit points, never below 0: temporary ones are lost first (Temporary Hit
// Points).
func (c Character) Damage(points int) (Character, error) {
	if err := amount(points, MaxAmount); err != nil {
		return Character{}, err
	}
	c = c.Clone()
	fromTemporary := min(points, c.State.TempHP)
	c.State.TempHP -= fromTemporary
	c.State.HP = max(c.State.HP-(points-fromTemporary), 0)
	return c, nil
}

// Heal gives the character with more hit points, up to the maximum (Healing).
func (c Character) Heal(points int) (Character, error) {
	if err := amount(points, MaxAmount); err != nil {
		return Character{}, err
	}
	c = c.Clone()
	c.State.HP = min(c.State.HP+points, analyse(&c).maxHP())
	return c, nil
}

// RestKind is how long a rest is.
type RestKind string

// The rests.
const (
	ShortRest RestKind = "short"
	LongRest  RestKind = "long"
)

// Rest is a rest.
type Rest struct {
	Kind RestKind
	// HitDice is how many hit dice are spent; only a short rest spends any.
	HitDice int
}

// Rest gives the character after a rest.
//
// In a short rest hit dice can be spent, the largest first: each heals what it shows plus the Constitution modifier,
// at least 0. The slots of pact magic come back. After a long rest all hit points are back, hit dice up to half of all
// (at least one), the largest first, and all slots; temporary hit points are gone. A long rest does nothing for who
// has no hit point when it begins (Resting; Pact Magic).
func (c Character) Rest(r Rest, die Die) (Character, error) {
	c = c.Clone()
	a := analyse(&c)
	if c.State.HitDiceUsed == nil {
		c.State.HitDiceUsed = map[string]int{}
	}
	var err error
	switch r.Kind {
	case ShortRest:
		err = a.shortRest(r.HitDice, die)
	case LongRest:
		err = a.longRest(r.HitDice)
	default:
		err = fault.InvalidAt("/kind", "must be %q or %q", ShortRest, LongRest)
	}
	if err != nil {
		return Character{}, err
	}
	c.Build = c.normal()
	return c, nil
}

func (a *analysis) shortRest(spend int, die Die) error {
	state, dice, left := &a.c.State, a.hitDice(), 0
	for size, n := range dice {
		left += n - state.HitDiceUsed[size]
	}
	if spend < 0 || spend > left {
		return fault.InvalidAt("/hit_dice", "must be 0 to %d, the hit dice that are left; a long rest brings some back", left)
	}
	highest := a.maxHP()
	for _, size := range diceBySize(dice) {
		for ; spend > 0 && state.HitDiceUsed[size] < dice[size]; spend-- {
			state.HitDiceUsed[size]++
			state.HP = min(state.HP+max(die(sides(size))+a.modifier("con"), 0), highest)
		}
	}
	delete(state.SpellSlotsUsed, PactSlots)
	return nil
}

func (a *analysis) longRest(spend int) error {
	state, dice := &a.c.State, a.hitDice()
	if spend != 0 {
		return fault.InvalidAt("/hit_dice", "must be 0: hit dice are spent in a short rest")
	}
	if state.HP < 1 {
		return fault.InvalidAt("/kind", "a long rest needs at least 1 hit point when it begins; heal first")
	}
	state.HP, state.TempHP = a.maxHP(), 0
	all := 0
	for _, n := range dice {
		all += n
	}
	back := max(all/2, 1)
	for _, size := range diceBySize(dice) {
		n := min(back, state.HitDiceUsed[size])
		back -= n
		if state.HitDiceUsed[size] -= n; state.HitDiceUsed[size] == 0 {
			delete(state.HitDiceUsed, size)
		}
	}
	state.SpellSlotsUsed = nil
	return nil
}
