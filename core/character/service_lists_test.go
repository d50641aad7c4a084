package character_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

func TestARollGivesScoresOnce(t *testing.T) {
	f := newFixture()
	roll, replayed, err := f.Roll(f.ctx, character.RollRequest{Notation: " 4D6DL ", Count: 6, Idempotency: key("r", 1)})
	if err != nil || replayed || !roll.Own || roll.Notation != character.AbilityNotation || len(roll.Rolls) != 6 || roll.Seed != "seed 1" {
		t.Fatalf("%+v, %v", roll, err)
	}
	if again, replayed, err := f.Roll(f.ctx, character.RollRequest{Notation: " 4D6DL ", Count: 6, Idempotency: key("r", 1)}); err != nil || !replayed || !reflect.DeepEqual(again, roll) {
		t.Errorf("%+v, %v", again, err)
	}
	b := character.Build{Race: "human", Class: "wizard", Abilities: character.Abilities{Method: character.Rolled, RollID: roll.ID, Base: map[string]int{}}}
	for i, ability := range character.AbilityOrder {
		b.Abilities.Base[ability] = roll.Rolls[i].Total
	}
	c := f.create(t, b)
	if read, err := f.ReadRoll(f.ctx, roll.ID); err != nil || read.UsedBy != c.ID {
		t.Errorf("%+v, %v", read, err)
	}
	_, _, err = f.Create(f.ctx, character.Creation{Draft: character.DraftOf(b)})
	character.Refused(t, err, "/abilities/rollid")
	// The character itself may spread its roll anew, now and after it had other scores.
	swapped := c.Build.Clone()
	swapped.Abilities.Base["str"], swapped.Abilities.Base["cha"] = swapped.Abilities.Base["cha"], swapped.Abilities.Base["str"]
	if c, err = f.Replace(f.ctx, c.ID, character.DraftOf(swapped), nil); err != nil {
		t.Fatal(err)
	}
	manual := c.Build.Clone()
	manual.Abilities = character.Abilities{Method: character.Manual, Base: character.Scores(8, 8, 8, 8, 8, 8)}
	if c, err = f.Replace(f.ctx, c.ID, character.DraftOf(manual), nil); err != nil || c.RolledScores != nil {
		t.Fatal(err)
	}
	if c, err = f.Replace(f.ctx, c.ID, character.DraftOf(swapped), nil); err != nil || len(c.RolledScores) != 6 {
		t.Fatal(err)
	}
	cheat := swapped.Clone()
	cheat.Abilities.Base["str"] = 18
	cheat.Abilities.Base["dex"] = 18
	cheat.Abilities.Base["con"] = 18
	_, err = f.Replace(f.ctx, c.ID, character.DraftOf(cheat), nil)
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

func TestRollsThatGiveNoScores(t *testing.T) {
	f := newFixture()
	seed := "mine"
	for name, request := range map[string]character.RollRequest{
		"a seed of the player's": {Notation: "4d6dl1", Count: 6, Seed: &seed},
		"other dice":             {Notation: "4d6dh1", Count: 6},
		"five rolls":             {Notation: "4d6dl1", Count: 5},
	} {
		roll, _, err := f.Roll(f.ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = f.Create(f.ctx, character.Creation{Draft: character.DraftOf(character.Build{Race: "human", Class: "wizard", Abilities: character.Abilities{Method: character.Rolled, RollID: roll.ID}})})
		if v := character.ViolationsOf(err); len(v) != 1 || v[0].Pointer != "/abilities/rollid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	one, _, err := f.Roll(f.ctx, character.RollRequest{Notation: "3d20", Count: 4, Seed: &seed})
	other, _, otherErr := f.Roll(f.ctx, character.RollRequest{Notation: "3d20", Count: 4, Seed: &seed})
	if err != nil || otherErr != nil || !reflect.DeepEqual(one.Rolls, other.Rolls) || one.ID == other.ID {
		t.Errorf("the same seed: %+v, %+v", one, other)
	}
	empty, long := "", string(make([]rune, 201))
	for pointer, request := range map[string]character.RollRequest{
		"/notation": {Notation: "six dice", Count: 1}, "/count": {Notation: "1d6", Count: 101}, "/seed": {Notation: "1d6", Count: 1, Seed: &empty},
	} {
		_, _, err := f.Roll(f.ctx, request)
		character.Refused(t, err, pointer)
	}
	_, _, err = f.Roll(f.ctx, character.RollRequest{Notation: "1d6", Count: 1, Seed: &long})
	character.Refused(t, err, "/seed")
	_, _, err = f.Roll(f.ctx, character.RollRequest{Notation: "100d6+100d6", Count: 51})
	character.Refused(t, err, "/count")
	_, _, err = f.Roll(f.ctx, character.RollRequest{Notation: "1d6", Count: 0})
	character.Refused(t, err, "/count")
}

func TestARollIsUsedByOneOfManyAtOnce(t *testing.T) {
	f := newFixture()
	roll, _, err := f.Roll(f.ctx, character.RollRequest{Notation: "4d6dl1", Count: 6})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 10 {
		running.Add(1)
		go func() {
			defer running.Done()
			_, _, err := f.Create(f.ctx, character.Creation{Draft: character.DraftOf(character.Build{Race: "human", Class: "wizard", Abilities: character.Abilities{Method: character.Rolled, RollID: roll.ID}})})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
		}()
	}
	running.Wait()
	if won != 1 {
		t.Errorf("%d characters use the roll", won)
	}
}

func TestListWalksEveryPage(t *testing.T) {
	f := newFixture()
	for i := range 25 {
		f.now = f.now.Add(time.Second)
		b := character.Human([]string{"wizard", "bard"}[i%2], 1+i%3, nil)
		b.Abilities, b.Name, b.Player = character.Abilities{}, fmt.Sprintf("n%02d Gimli", (i*7)%25), []string{"ann", "bob"}[i%2]
		f.create(t, b)
	}
	ann, limit := "ann", 4
	for _, sort := range []character.Sort{{Key: character.ByCreated}, {Key: character.ByName, Descending: true}, {Key: character.ByModified}} {
		for name, c := range map[string]struct {
			filter character.Filter
			want   int
		}{
			"all": {character.Filter{}, 25}, "class": {character.Filter{Class: "bard"}, 12}, "race": {character.Filter{Race: "human"}, 25}, "no race": {character.Filter{Race: "half-orc"}, 0},
			"player": {character.Filter{Player: &ann}, 13}, "levels": {character.Filter{LevelMin: 2, LevelMax: 2}, 8}, "words": {character.Filter{Words: "GIMLI, wizard!"}, 13},
			"part of a word": {character.Filter{Words: "gim"}, 0}, "trash": {character.Filter{Trash: true}, 0},
		} {
			var seen []string
			cursor := ""
			for range 10 {
				p, err := f.List(f.ctx, character.ListRequest{Filter: c.filter, Sort: sort, Limit: &limit, Cursor: cursor, WithTotal: true})
				if err != nil || *p.Total != c.want || len(p.Items) > limit {
					t.Fatalf("%s: %+v, %v", name, p, err)
				}
				for _, item := range p.Items {
					seen = append(seen, item.Name)
				}
				if cursor = p.Next; cursor == "" {
					break
				}
			}
			if len(seen) != c.want || (sort.Key == character.ByName && !slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) })) {
				t.Errorf("%s by %s: %v", name, sort, seen)
			}
		}
	}
	p, err := f.List(f.ctx, character.ListRequest{Limit: &limit})
	if err != nil {
		t.Fatal(err)
	}
	for name, request := range map[string]character.ListRequest{
		"another filter": {Cursor: p.Next, Filter: character.Filter{Class: "bard"}}, "another sort": {Cursor: p.Next, Sort: character.Sort{Key: character.ByName}}, "no cursor": {Cursor: "x"},
		"a level of 21": {Filter: character.Filter{LevelMax: 21}}, "a limit of 0": {Limit: new(int)},
	} {
		if _, err := f.List(f.ctx, request); !fault.Is(err, fault.Malformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
