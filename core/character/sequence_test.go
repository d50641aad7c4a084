package character

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bitbucket.org/templar/templar/core/character/dice"
	"bitbucket.org/templar/templar/core/character/srd"
	"bitbucket.org/templar/templar/core/fault"
)

// picker draws a number below n.
type picker func(n int) int

// decide puts what is pending into a build.
func decide(b *Build, p Pending, pick picker) {
	some := func(list []string) []string {
		from := without(p.From, list)
		for range p.Choose {
			i := pick(len(from))
			list = append(list, from[i])
			from = slices.Delete(from, i, i+1)
		}
		return list
	}
	one := p.From[pick(len(p.From))]
	if ability, ok := strings.CutPrefix(p.Field, "abilities.base."); ok {
		if b.Abilities.Base == nil {
			b.Abilities.Base = map[string]int{}
		}
		b.Abilities.Base[ability], _ = strconv.Atoi(one)
		return
	}
	var at int
	if n, _ := fmt.Sscanf(p.Field, "multiclass.%d.subclass", &at); n == 1 {
		b.Multiclass[at].Subclass = one
		return
	}
	c := &b.Choices
	switch p.Field {
	case "background":
		b.Background = one
	case "alignment":
		b.Alignment = one
	case "abilities.method":
		b.Abilities.Method = Method([]string{"standard-array", "point-buy", "manual"}[pick(3)])
	case srd.FieldSubclass:
		b.Subclass = one
	case srd.FieldSkills:
		c.Skills = some(c.Skills)
	case srd.FieldExpertise:
		c.Expertise = some(c.Expertise)
	case srd.FieldTools:
		c.Tools = some(c.Tools)
	case srd.FieldLanguages:
		c.Languages = some(c.Languages)
	case srd.FieldAbilityBonus:
		c.AbilityBonus = some(c.AbilityBonus)
	case srd.FieldCantrips:
		c.Cantrips = some(c.Cantrips)
	case srd.FieldSpells:
		b.Spells = some(b.Spells)
	case srd.FieldFightingStyle:
		c.FightingStyle = one
	case srd.FieldDraconicAncestry:
		c.DraconicAncestry = one
	case srd.FieldImprovements:
		decideImprovement(c, p, one)
	default:
		if c.Features == nil {
			c.Features = map[string][]string{}
		}
		name := strings.TrimPrefix(p.Field, featurePrefix)
		c.Features[name] = some(c.Features[name])
	}
}

// decideImprovement spends one point, on the entry of the level if there is one.
func decideImprovement(c *Choices, p Pending, ability string) {
	for i, improvement := range c.Improvements {
		if improvement.Level == p.Level && improvement.Class == p.Class {
			improvement.Abilities[ability]++
			c.Improvements[i] = improvement
			return
		}
	}
	c.Improvements = append(c.Improvements, Improvement{Level: p.Level, Class: p.Class, Abilities: map[string]int{ability: 1}})
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// decideAll follows what is pending, one at a time, until nothing is.
func decideAll(t fataler, c Character, pick picker) Character {
	for range 300 {
		pending := Derive(c).Pending
		if len(pending) == 0 {
			return c
		}
		build := c.Build.Clone()
		decide(&build, pending[pick(len(pending))], pick)
		next, err := Draft{Build: build}.check(&c, c.RolledScores)
		if err != nil {
			t.Fatalf("following %+v: %v", pending, err)
		}
		c = next
	}
	t.Fatalf("it never ends: %+v", Derive(c).Pending)
	return c
}

// holds is what is true of every character at any time.
func holds(t fataler, c Character) {
	if err := Validate(c); err != nil {
		t.Fatalf("%v\n%+v", err, c)
	}
	// What was read can be sent back, and changes nothing.
	again, err := Draft{Build: c.Build}.check(&c, c.RolledScores)
	if err != nil || !same(again, c) {
		t.Fatalf("sent back: %v\n%+v\n%+v", err, again, c)
	}
	stored, err := Decode(Encode(c))
	if err != nil || !reflect.DeepEqual(stored.normal(), c.normal()) || !reflect.DeepEqual(stored.HitPoints, c.HitPoints) {
		t.Fatalf("stored: %v\n%+v\n%+v", err, stored, c)
	}
	if _, isText := Sheet(c).Text(); isText {
		t.Fatalf("a sheet of %+v", c)
	}
	d := Derive(c)
	if c.State.HP < 0 || c.State.HP > d.MaxHP || d.MaxHP < c.Level || d.ArmorClass < 5 || d.Speed < 0 {
		t.Fatalf("%+v", d)
	}
	for _, s := range d.Abilities {
		if s.Score < 3 || s.Score > 24 {
			t.Fatalf("%+v", d.Abilities)
		}
	}
}

func start(t fataler, race, class string, pick picker) Character {
	c, err := Draft{Build: Build{Name: "n", Race: race, Class: class}, Absent: Absent{Level: true, XP: true, HP: true}}.check(nil, nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return decideAll(t, c, pick)
}

func TestEveryClassReachesLevel20(t *testing.T) {
	for i, class := range srd.Classes() {
		race := srd.Races()[i%len(srd.Races())]
		roller := dice.NewRoller(class.Slug)
		pick := func(n int) int { return roller.Die(n) - 1 }
		c := start(t, race.Slug, class.Slug, pick)
		for level := 2; level <= 20; level++ {
			if _, err := c.LevelUp(LevelUp{Class: class.Slug, HitPoints: Average}, roller.Die); !fault.Is(err, fault.Invalid) {
				t.Fatalf("%s: level %d without the experience: %v", class.Slug, level, err)
			}
			c = must(t)(c.GainXP(srd.XPForLevel(level) - c.XP))
			hp, highest := c.State.HP, Derive(c).MaxHP
			c = must(t)(c.LevelUp(LevelUp{Class: class.Slug, HitPoints: []Growth{Average, RolledGrowth}[level%2]}, roller.Die))
			if gained := Derive(c).MaxHP - highest; gained < 1 || c.State.HP != hp+gained {
				t.Fatalf("%s %d: %d hit points after %d, the maximum rose by %d", class.Slug, level, c.State.HP, hp, gained)
			}
			c = decideAll(t, c, pick)
			holds(t, c)
		}
		if c.Level != 20 {
			t.Errorf("%s has level %d", class.Slug, c.Level)
		}
		c = must(t)(c.GainXP(1))
		if _, err := c.LevelUp(LevelUp{Class: class.Slug, HitPoints: Average}, roller.Die); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: level 21: %v", class.Slug, err)
		}
	}
}

func must(t fataler) func(Character, error) Character {
	return func(c Character, err error) Character {
		if err != nil {
			t.Fatalf("%v", err)
		}
		return c
	}
}

// No sequence of valid operations leads to a character that the validation refuses.
func TestNoSequenceOfOperationsBreaksARule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
		die := func(sides int) int { return 1 + pick(sides) }
		c := start(t, srd.Races()[pick(len(srd.Races()))].Slug, srd.Classes()[pick(12)].Slug, pick)
		holds(t, c)
		for range rapid.IntRange(1, 40).Draw(t, "operations") {
			var err error
			next := c
			switch operation := rapid.SampledFrom([]string{"level", "level", "level", "damage", "heal", "short", "long", "decide", "edit", "edit"}).Draw(t, "operation"); operation {
			case "level":
				next = levelUp(t, c, pick, die)
			case "damage":
				next, err = c.Damage(1 + pick(60))
			case "heal":
				next, err = c.Heal(1 + pick(60))
			case "short":
				next, err = c.Rest(Rest{Kind: ShortRest, HitDice: pick(3)}, die)
			case "long":
				next, err = c.Rest(Rest{Kind: LongRest}, die)
			case "decide":
				next = decideAll(t, c, pick)
			case "edit":
				build := c.Build.Clone()
				edit(&build, pick)
				next, err = Draft{Build: build}.check(&c, c.RolledScores)
			}
			if err != nil {
				if !fault.Is(err, fault.Invalid) || len(violationsOf(err)) == 0 {
					t.Fatalf("%v", err)
				}
				continue
			}
			c = next
			holds(t, c)
		}
	})
}

func violationsOf(err error) []fault.Violation {
	if e, ok := err.(*fault.Error); ok {
		return e.Violations
	}
	return nil
}

// levelUp raises some class; it must succeed where the prerequisites are met.
func levelUp(t *rapid.T, c Character, pick picker, die Die) Character {
	if c.Level == srd.MaxLevel {
		return c
	}
	if need := srd.XPForLevel(c.Level+1) - c.XP; need > 0 {
		c = must(t)(c.GainXP(need))
	}
	class := c.Columns().Classes[pick(1+len(c.Multiclass))]
	if pick(3) == 0 {
		class = srd.Classes()[pick(12)].Slug
	}
	a := analyse(&c)
	isNew, lacking := a.level(class) == 0, false
	record, _ := srd.FindClass(class)
	if isNew {
		for _, needed := range append(slices.Clone(a.classes), classLevels{Class: record}) {
			lacking = lacking || a.lacking(needed.Class) != ""
		}
	}
	next, err := c.LevelUp(LevelUp{Class: class, HitPoints: []Growth{Average, RolledGrowth}[pick(2)]}, die)
	if (err != nil) != lacking {
		t.Fatalf("%s to %+v: %v", class, c, err)
	}
	if err != nil {
		return c
	}
	return next
}

// edit changes something at random, often to what the rules forbid.
func edit(b *Build, pick picker) {
	items := srd.Items()
	switch pick(9) {
	case 0:
		b.Equipment = append(b.Equipment, Item{Item: items[pick(len(items))].Slug, Count: 1 + pick(20), Equipped: pick(2) == 0})
	case 1:
		armor := srd.ItemsIn(srd.ArmorItem, "")
		b.Equipment = []Item{{Item: armor[pick(len(armor))], Count: 1, Equipped: true}, {Item: armor[pick(len(armor))], Count: 1, Equipped: true}}
	case 2:
		b.State.SpellSlotsUsed = map[string]int{strconv.Itoa(1 + pick(9)): pick(3), PactSlots: pick(2)}
	case 3:
		b.State.Currency = map[string]int{Coins()[pick(5)]: pick(1000)}
	case 4:
		b.State.Conditions = []string{srd.Conditions()[pick(15)].Slug}
	case 5:
		b.State.TempHP = pick(20)
	case 6:
		b.State.HitDiceUsed = map[string]int{"d" + strconv.Itoa(6+2*pick(4)): pick(4)}
	case 7:
		b.Race = srd.Races()[pick(len(srd.Races()))].Slug
	case 8:
		b.Abilities.Base = map[string]int{"str": 13 + pick(3), "dex": 13, "con": 13, "int": 13, "wis": 14, "cha": 15}
		b.Abilities.Method = Manual
	}
}
