package character

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character/dice"
)

func TestStoredDocumentsKeepEverything(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 29, 0, 123456000, time.UTC)
	full := Character{ID: uuid.New(), Build: Build{Name: "Ā <&> \u2028", Player: "p", Race: "r", Class: "c", Subclass: "s", Multiclass: []ClassLevel{{"a", "b", 3}},
		Background: "g", Alignment: "a", Level: 5, XP: 6, Abilities: Abilities{Method: Rolled, Base: points{"str": 7}, RollID: uuid.New()},
		Choices: Choices{Skills: []string{"1"}, Expertise: []string{"2"}, Tools: []string{"3"}, Languages: []string{"4"}, AbilityBonus: []string{"5"}, FightingStyle: "6",
			DraconicAncestry: "7", Cantrips: []string{"8"}, Improvements: []Improvement{{4, "x", points{"dex": 2}}}, Features: map[string][]string{}},
		Equipment: []Item{{"i", 2, true}}, Spells: []string{"9"},
		State: State{HP: 1, TempHP: 2, Conditions: []string{"c"}, HitDiceUsed: points{"d6": 1}, SpellSlotsUsed: points{"1": 2}, Currency: points{"gp": 3}}},
		HitPoints: []HitPointRoll{{"c", 2, 5}}, RolledScores: []int{18, 3}, Revision: 8, Author: "u", Created: at, Modified: at.Add(time.Hour)}
	for _, field := range FeatureFields() {
		full.Choices.Features[field] = []string{field}
	}
	for name, c := range map[string]Character{"full": full, "empty": {}} {
		body := Encode(c)
		back, err := Decode(body)
		if err != nil || !reflect.DeepEqual(back, c) || !bytes.Equal(Encode(back), body) || bytes.ContainsRune(body, '\n') {
			t.Errorf("%s: %v\n%+v\n%+v\n%s", name, err, c, back, body)
		}
	}
	roll := Roll{ID: uuid.New(), Notation: "1d6", Rolls: []dice.Result{{Dice: []int{1, 2}, Dropped: []int{1}, Total: 2}, {Dice: []int{3}, Total: 3}}, Seed: "s", Own: true, Author: "u", Created: at}
	if back, err := DecodeRoll(EncodeRoll(roll)); err != nil || !reflect.DeepEqual(back, roll) {
		t.Errorf("%+v, %v", back, err)
	}
}

// A clone shares nothing: changing all of it leaves the first as it was.
func TestCloneSharesNothing(t *testing.T) {
	c := made(t, halfElfPaladinSorcerer().wearing("plate"))
	c.HitPoints, c.Choices.Features = []HitPointRoll{{"paladin", 2, 5}}, map[string][]string{"metamagic": {"x"}}
	body := Encode(c)
	d := c.Clone()
	d.Multiclass[0].Level, d.Abilities.Base["str"], d.Choices.AbilityBonus[0], d.Choices.Improvements[0].Abilities["cha"] = 9, 9, "x", 9
	d.Equipment[0].Count, d.HitPoints[0].Roll, d.Choices.Features["metamagic"][0] = 9, 9, "y"
	if !bytes.Equal(Encode(c), body) {
		t.Errorf("%s", Encode(c))
	}
}

func TestBrokenDocumentsAreRefused(t *testing.T) {
	good := string(Encode(made(t, tordek())))
	for name, body := range map[string]string{
		"nothing": "", "no JSON": "{", "no object": "[]", "no version": strings.Replace(good, `"version":1,`, "", 1), "a later version": strings.Replace(good, `"version":1`, `"version":2`, 1),
		"no time": strings.Replace(good, `"created":"0001`, `"created":"x001`, 1), "no roll": strings.Replace(good, `"method":"standard-array"`, `"method":"rolled","rollid":"x"`, 1),
	} {
		if _, err := Decode([]byte(body)); err == nil || strings.Contains(err.Error(), "Tordek") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := DecodeRoll([]byte("{")); err == nil {
		t.Error("a broken roll was read")
	}
}
