// Package character is the second domain: characters of the world's best-known role-playing game, by the rules of the
// System Reference Document 5.1. A character is what its player chose; everything else is derived from it by pure
// functions. The facts stand in core/character/srd, dice in core/character/dice; this package holds the rules, what
// happens in play, and the use cases. Where characters are stored is others' work, behind the ports in ports.go.
package character

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

// Build is all that the player of a character decides. Every choice is named by its slug in core/character/srd; an
// empty one is not made yet. Its slices and maps may be shared: change them only in a Clone.
type Build struct {
	// Name is the character's, Player the person's; both as typed.
	Name   string
	Player string
	// Race is a race without subraces, or a subrace.
	Race string
	// Class is the class of the first level, Subclass what it became; Multiclass lists the further classes.
	Class      string
	Subclass   string
	Multiclass []ClassLevel
	Background string
	// Alignment is one of Alignments.
	Alignment string
	// Level is the total of all classes, 1 to 20.
	Level int
	// XP is the experience points.
	XP        int
	Abilities Abilities
	Choices   Choices
	Equipment []Item
	// Spells are the spells of level 1 and above: known ones of classes that know spells, prepared ones of classes
	// that prepare them. Cantrips stand in Choices.
	Spells []string
	State  State
}

// ClassLevel is a further class of a character.
type ClassLevel struct {
	Class    string
	Subclass string
	// Level is the level in this class, at least 1.
	Level int
}

// Method is how the ability scores came about.
type Method string

// The methods that exist.
const (
	// StandardArray is 15 14 13 12 10 8, each once.
	StandardArray Method = "standard-array"
	// PointBuy spends 27 points on scores of 8 to 15.
	PointBuy Method = "point-buy"
	// Rolled takes the totals of a stored Roll of six times 4d6dl1.
	Rolled Method = "rolled"
	// Manual is any scores of 3 to 18.
	Manual Method = "manual"
)

// Abilities are the scores before racial bonuses and improvements.
type Abilities struct {
	Method Method
	// Base has a score for the slug of each ability (str, dex, con, int, wis, cha) that has got one.
	Base map[string]int
	// RollID names the Roll of the method Rolled.
	RollID uuid.UUID
}

// Choices are the player's decisions among what race, classes and background offer.
type Choices struct {
	Skills    []string
	Expertise []string
	Tools     []string
	Languages []string
	// AbilityBonus lists the abilities that a racial bonus of the player's choice goes to.
	AbilityBonus     []string
	FightingStyle    string
	DraconicAncestry string
	Cantrips         []string
	Improvements     []Improvement
	// Features are the decisions that only some features ask for (favoured enemies, invocations, metamagic, ...), by
	// the name of their field, one of FeatureFields.
	Features map[string][]string
}

// Improvement is one Ability Score Improvement: two points on one ability or one each on two. One of a level that
// is not reached yet is a plan; it changes nothing.
type Improvement struct {
	// Level is the level in the class at which the class gives it.
	Level int
	// Class is whose level it is; "" is the first class.
	Class string
	// Abilities has the points by the ability's slug.
	Abilities map[string]int
}

// Item is an entry of the equipment.
type Item struct {
	// Item is the slug of a piece of equipment.
	Item     string
	Count    int
	Equipped bool
}

// State is what changes in play.
type State struct {
	// HP are the hit points at hand, 0 to the maximum; TempHP are lost first.
	HP     int
	TempHP int
	// Conditions are slugs.
	Conditions []string
	// HitDiceUsed has the number of spent hit dice by die ("d10").
	HitDiceUsed map[string]int
	// SpellSlotsUsed has the number of spent slots by spell level ("1" to "9"), and of pact magic's slots as PactSlots.
	SpellSlotsUsed map[string]int
	// Currency has the number of coins by kind: cp, sp, ep, gp, pp.
	Currency map[string]int
}

// PactSlots is the key of pact magic in State.SpellSlotsUsed: its slots have a level of their own that rises.
const PactSlots = "pact"

// HitPointRoll is a level whose hit points were rolled; all others count the die's average. The server rolls and
// keeps it: a player cannot choose it.
type HitPointRoll struct {
	Class string
	// Level is the level in the class.
	Level int
	Roll  int
}

// Character is one revision of a character.
type Character struct {
	// ID names the character for good, also in the trash.
	ID uuid.UUID
	Build
	// HitPoints are the rolled levels, sorted by class and level.
	HitPoints []HitPointRoll
	// RolledScores are the totals of the roll that Abilities.RollID names; nil with another method.
	RolledScores []int
	// Revision counts from 1; every change makes the next.
	Revision int
	// Author is the user who made this revision.
	Author string
	// Created is when the character was made, Modified when this revision was, in UTC with microseconds.
	Created  time.Time
	Modified time.Time
	// Deleted is when it was moved to the trash; zero while it lives.
	Deleted time.Time
}

// InTrash tells whether the character is deleted.
func (c Character) InTrash() bool { return !c.Deleted.IsZero() }

// Clone is a copy that shares nothing.
func (c Character) Clone() Character {
	c.Build = c.Build.Clone()
	c.HitPoints = slices.Clone(c.HitPoints)
	c.RolledScores = slices.Clone(c.RolledScores)
	return c
}

// Clone is a copy that shares nothing.
func (b Build) Clone() Build {
	b.Multiclass = slices.Clone(b.Multiclass)
	b.Abilities.Base = maps.Clone(b.Abilities.Base)
	c := &b.Choices
	for _, list := range []*[]string{&c.Skills, &c.Expertise, &c.Tools, &c.Languages, &c.AbilityBonus, &c.Cantrips, &b.Spells, &b.State.Conditions} {
		*list = slices.Clone(*list)
	}
	c.Improvements = slices.Clone(c.Improvements)
	for i := range c.Improvements {
		c.Improvements[i].Abilities = maps.Clone(c.Improvements[i].Abilities)
	}
	c.Features = maps.Clone(c.Features)
	for field, chosen := range c.Features {
		c.Features[field] = slices.Clone(chosen)
	}
	b.Equipment = slices.Clone(b.Equipment)
	b.State.HitDiceUsed = maps.Clone(b.State.HitDiceUsed)
	b.State.SpellSlotsUsed = maps.Clone(b.State.SpellSlotsUsed)
	b.State.Currency = maps.Clone(b.State.Currency)
	return b
}

// Draft is a Build as a request brings it, with a note of what was left out and is for the server to fill in.
type Draft struct {
	Build
	Absent Absent
}

// Absent says which numbers of a Draft were left out. What the Draft has in their place is not looked at.
type Absent struct {
	// Level becomes 1, or with further classes one more than theirs.
	Level bool
	// XP become the least for the level.
	XP bool
	// HP become the maximum.
	HP bool
}

// ParseID reads a character's id: the 36 characters of a UUID (RFC 9562), in either case; a Malformed fault for any
// other text.
func ParseID(text string) (uuid.UUID, error) {
	if len(text) == 36 {
		if id, err := uuid.Parse(text); err == nil {
			return id, nil
		}
	}
	return uuid.UUID{}, fault.New(fault.Malformed, "the id is no UUID: 36 characters such as 0190a5d2-7c1e-7d35-9a51-3f1c5ad2b6e4 are expected")
}
