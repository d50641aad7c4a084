package character

import (
	"reflect"
	"testing"

	"bitbucket.org/templar/templar/core/fault"
)

// fixed throws what it is told, in turn.
func fixed(t *testing.T, throws ...int) Die {
	return func(sides int) int {
		if len(throws) == 0 {
			t.Fatalf("a throw of %d sides too many", sides)
		}
		n := throws[0]
		throws = throws[1:]
		return n
	}
}

func made(t *testing.T, b Build) Character {
	t.Helper()
	c, err := build(b).check(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func refused(t *testing.T, err error, pointer string) {
	t.Helper()
	if v := violationsOf(err); len(v) == 0 || v[0].Pointer != pointer {
		t.Errorf("not refused at %q: %v", pointer, err)
	}
}

func TestDamageTakesTemporaryHitPointsFirst(t *testing.T) {
	c := made(t, tordek())
	c.State.TempHP = 5
	for _, step := range []struct{ damage, hp, temp int }{{3, 34, 2}, {7, 29, 0}, {28, 1, 0}, {1, 0, 0}, {1000000, 0, 0}} {
		before := c.Clone()
		next, err := c.Damage(step.damage)
		if err != nil || next.State.HP != step.hp || next.State.TempHP != step.temp {
			t.Fatalf("%d: %+v, %v", step.damage, next.State, err)
		}
		if !reflect.DeepEqual(c, before) {
			t.Fatal("the character that was given changed")
		}
		c = next
	}
	for _, bad := range []int{0, -1, MaxAmount + 1} {
		_, err := c.Damage(bad)
		refused(t, err, "/amount")
		_, err = c.Heal(bad)
		refused(t, err, "/amount")
	}
}

func TestHealingStopsAtTheMaximum(t *testing.T) {
	c := made(t, tordek())
	c.State.HP = 0
	c = must(t)(c.Heal(30))
	if c.State.HP != 30 {
		t.Errorf("%d", c.State.HP)
	}
	if c = must(t)(c.Heal(MaxAmount)); c.State.HP != 34 {
		t.Errorf("%d", c.State.HP)
	}
}

func TestExperienceIsBounded(t *testing.T) {
	c := made(t, tordek())
	if c = must(t)(c.GainXP(1800)); c.XP != 2700 || c.Level != 3 {
		t.Errorf("%d, level %d", c.XP, c.Level)
	}
	_, err := c.GainXP(MaxXP)
	refused(t, err, "/amount")
	_, err = c.GainXP(-1)
	refused(t, err, "/amount")
}

func TestAShortRestSpendsHitDice(t *testing.T) {
	all := scores(13, 13, 13, 13, 13, 13) // Constitution 14: +2
	c := made(t, human("warlock", 5, all, ClassLevel{Class: "fighter", Level: 2}))
	if d := Derive(c); d.HitDice != "3d8 + 2d10" || d.MaxHP != 8+2+2*7+2*8 {
		t.Fatalf("%+v", d)
	}
	c.State.HP, c.State.TempHP, c.State.SpellSlotsUsed = 1, 4, points{PactSlots: 2}
	// The large dice first.
	rested := must(t)(c.Rest(Rest{Kind: ShortRest, HitDice: 3}, fixed(t, 10, 1, 4)))
	if want := (State{HP: 1 + 12 + 3 + 6, TempHP: 4, HitDiceUsed: points{"d10": 2, "d8": 1}}); !reflect.DeepEqual(rested.State, want) {
		t.Errorf("%+v", rested.State)
	}
	_, err := rested.Rest(Rest{Kind: ShortRest, HitDice: 3}, fixed(t))
	refused(t, err, "/hit_dice")
	_, err = rested.Rest(Rest{Kind: ShortRest, HitDice: -1}, fixed(t))
	refused(t, err, "/hit_dice")
	if rested = must(t)(rested.Rest(Rest{Kind: ShortRest, HitDice: 2}, fixed(t, 8, 8))); rested.State.HP != 40 {
		t.Errorf("above the maximum: %d", rested.State.HP)
	}
	// A weakling is not hurt by resting.
	frail := made(t, human("wizard", 2, scores(8, 8, 4, 8, 8, 8)))
	frail.State.HP = 1
	if frail = must(t)(frail.Rest(Rest{Kind: ShortRest, HitDice: 2}, fixed(t, 1, 4))); frail.State.HP != 2 {
		t.Errorf("%d", frail.State.HP)
	}
	if none := must(t)(frail.Rest(Rest{Kind: ShortRest}, fixed(t))); !same(none, frail) {
		t.Errorf("a rest without dice changed something: %+v", none)
	}
}

func TestALongRestBringsAlmostAllBack(t *testing.T) {
	c := made(t, human("wizard", 5, scores(13, 13, 13, 13, 13, 13), ClassLevel{Class: "fighter", Level: 2}))
	c.State = State{HP: 3, TempHP: 4, HitDiceUsed: points{"d6": 3, "d10": 1}, SpellSlotsUsed: points{"1": 4, "2": 1}, Conditions: []string{"poisoned"}, Currency: points{"gp": 1}}
	rested := must(t)(c.Rest(Rest{Kind: LongRest}, fixed(t)))
	// Half of five dice, rounded down: the large one and a small one.
	if want := (State{HP: Derive(c).MaxHP, HitDiceUsed: points{"d6": 2}, Conditions: []string{"poisoned"}, Currency: points{"gp": 1}}); !reflect.DeepEqual(rested.State, want) {
		t.Errorf("%+v", rested.State)
	}
	single := made(t, human("wizard", 1, scores(8, 8, 8, 8, 8, 8)))
	single.State.HitDiceUsed = points{"d6": 1}
	if single = must(t)(single.Rest(Rest{Kind: LongRest}, fixed(t))); single.State.HitDiceUsed != nil {
		t.Errorf("the last die stays spent: %v", single.State.HitDiceUsed)
	}
	_, err := c.Rest(Rest{Kind: LongRest, HitDice: 1}, fixed(t))
	refused(t, err, "/hit_dice")
	c.State.HP = 0
	_, err = c.Rest(Rest{Kind: LongRest}, fixed(t))
	refused(t, err, "/kind")
	_, err = c.Rest(Rest{Kind: "nap"}, fixed(t))
	refused(t, err, "/kind")
}

func TestLevelUp(t *testing.T) {
	c := made(t, tordek())
	_, err := c.LevelUp(LevelUp{Class: "fighter", HitPoints: Average}, fixed(t))
	refused(t, err, "")
	c = must(t)(c.GainXP(1800))
	c.State.HP = 10
	_, err = c.LevelUp(LevelUp{Class: "fighter", HitPoints: "all"}, fixed(t))
	refused(t, err, "/hit_points")
	if average := must(t)(c.LevelUp(LevelUp{Class: "fighter"}, fixed(t))); average.State.HP != 20 {
		t.Errorf("%d hit points", average.State.HP)
	}
	_, err = c.LevelUp(LevelUp{Class: "figther", HitPoints: Average}, fixed(t))
	refused(t, err, "/class")
	_, err = c.LevelUp(LevelUp{Class: "wizard", HitPoints: Average}, fixed(t)) // Intelligence 8
	refused(t, err, "/class")

	// The plan of level 4 comes true: Strength 17.
	next := must(t)(c.LevelUp(LevelUp{Class: "fighter", HitPoints: RolledGrowth, Choices: Choices{Languages: []string{"giant"}}}, fixed(t, 1)))
	if d := Derive(next); next.Level != 4 || d.MaxHP != 34+1+3+1 || next.State.HP != 15 || d.Abilities["str"].Score != 17 || next.Choices.Languages[0] != "giant" {
		t.Errorf("%+v, %+v", next, d)
	}
	if !reflect.DeepEqual(next.HitPoints, []HitPointRoll{{Class: "fighter", Level: 4, Roll: 1}}) {
		t.Errorf("%+v", next.HitPoints)
	}
	// Constitution counts for every level at once.
	tougher := must(t)(c.LevelUp(LevelUp{Class: "fighter", HitPoints: Average,
		Choices: Choices{Improvements: []Improvement{improvement("", 4, points{"con": 2})}}}, fixed(t)))
	if d := Derive(tougher); d.MaxHP != 34+6+4+1+3 || tougher.State.HP != 10+14 || len(tougher.Choices.Improvements) != 1 {
		t.Errorf("%+v, %+v", tougher, d)
	}
	// What breaks a rule is named where the request has it.
	_, err = c.LevelUp(LevelUp{Class: "fighter", HitPoints: Average, Choices: Choices{Skills: []string{"survival"}}}, fixed(t))
	refused(t, err, "/choices/skills/0")
}

func TestANewClassComesWithALevel(t *testing.T) {
	c := made(t, human("fighter", 3, scores(13, 8, 13, 13, 8, 8)))
	c = must(t)(c.GainXP(100000))
	c = must(t)(c.LevelUp(LevelUp{Class: "wizard", HitPoints: Average, Choices: Choices{Cantrips: []string{"light"}}}, fixed(t)))
	if want := []ClassLevel{{Class: "wizard", Level: 1}}; c.Level != 4 || !reflect.DeepEqual(c.Multiclass, want) {
		t.Fatalf("%+v", c)
	}
	if d := Derive(c); d.HitDice != "3d10 + 1d6" || d.Spellcasting == nil || len(d.Spellcasting.Slots) != 1 {
		t.Errorf("%+v", d)
	}
	for range 3 {
		c = must(t)(c.LevelUp(LevelUp{Class: "wizard", HitPoints: Average}, fixed(t)))
	}
	// An improvement without a class is of the class that rises.
	c = must(t)(c.LevelUp(LevelUp{Class: "wizard", HitPoints: Average, Choices: Choices{Improvements: []Improvement{improvement("", 4, points{"int": 2})}}}, fixed(t)))
	if d := Derive(c); c.Multiclass[0].Level != 5 || d.Abilities["int"].Score != 16 || c.Choices.Improvements[0].Class != "wizard" {
		t.Errorf("%+v", c)
	}
	if _, err := c.LevelUp(LevelUp{Class: "bard", HitPoints: Average}, fixed(t)); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

func TestHitPointsFollowTheirMaximum(t *testing.T) {
	c := made(t, tordek())
	up := c.with(func(b *Build) { b.Level, b.XP, b.Abilities.Base = 4, 2700, scores(15, 13, 14, 8, 12, 10) })
	next, err := Draft{Build: up}.check(&c, nil)
	if err != nil || next.State.HP != Derive(next).MaxHP || next.State.HP <= 34 {
		t.Errorf("unhurt: %d, %v", next.State.HP, err)
	}
	hurt := next.Clone()
	hurt.State.HP = 40
	down, err := Draft{Build: c.with(func(b *Build) { b.State.HP = 40 })}.check(&hurt, nil)
	if err != nil || down.State.HP != 34 {
		t.Errorf("hurt: %d, %v", down.State.HP, err)
	}
	_, err = Draft{Build: c.with(func(b *Build) { b.State.HP = 41 })}.check(&hurt, nil)
	refused(t, err, "/state/hp")
}
