package httpapi

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// characterServerFields are answered by the server and ignored in requests.
var characterServerFields = append([]string{"derived"}, serverFields...)

// takeCharacter takes what the player chooses out of a body: shapes only, the rules are the core's.
func takeCharacter(o *object) character.Draft {
	o.ignore(characterServerFields...)
	var d character.Draft
	b := &d.Build
	b.Name, b.Player, b.Race, b.Class, b.Subclass = o.text("name"), o.text("player"), o.text("race"), o.text("class"), o.text("subclass")
	b.Background, b.Alignment = o.text("background"), o.text("alignment")
	o.list("multiclass", func(m *object) {
		b.Multiclass = append(b.Multiclass, character.ClassLevel{Class: m.text("class"), Subclass: m.text("subclass"), Level: m.count("level", 0)})
	})
	b.Level, d.Absent.Level = o.countOrAbsent("level")
	b.XP, d.Absent.XP = o.countOrAbsent("xp")
	o.child("abilities", func(a *object) { b.Abilities = takeAbilities(a) })
	o.child("choices", func(c *object) { b.Choices = takeChoices(c) })
	o.list("equipment", func(item *object) {
		b.Equipment = append(b.Equipment, character.Item{Item: item.text("item"), Count: item.count("count", 1), Equipped: item.truth("equipped")})
	})
	b.Spells = o.texts("spells")
	d.Absent.HP = true
	o.child("state", func(s *object) {
		b.State = character.State{TempHP: s.count("temp_hp", 0), Conditions: s.texts("conditions"), HitDiceUsed: s.counts("hit_dice_used"),
			SpellSlotsUsed: s.counts("spell_slots_used"), Currency: s.counts("currency")}
		b.State.HP, d.Absent.HP = s.countOrAbsent("hp")
	})
	return d
}

func takeAbilities(o *object) character.Abilities {
	a := character.Abilities{Method: character.Method(o.text("method")), Base: o.counts("base")}
	if text := o.text("rollid"); text != "" {
		id, err := character.ParseID(text)
		if err != nil {
			o.fail("rollid", "must be a UUID: the rollid that POST /v1/rolls answers")
		}
		a.RollID = id
	}
	return a
}

func takeChoices(o *object) character.Choices {
	c := character.Choices{Skills: o.texts("skills"), Expertise: o.texts("expertise"), Tools: o.texts("tools"), Languages: o.texts("languages"),
		AbilityBonus: o.texts("ability_bonus"), FightingStyle: o.text("fighting_style"), DraconicAncestry: o.text("draconic_ancestry"),
		Cantrips: o.texts("cantrips")}
	o.list("improvements", func(i *object) {
		c.Improvements = append(c.Improvements, character.Improvement{Level: i.count("level", 0), Class: i.text("class"), Abilities: i.counts("abilities")})
	})
	for _, name := range character.FeatureFields() {
		if chosen := o.texts(name); len(chosen) > 0 {
			if c.Features == nil {
				c.Features = map[string][]string{}
			}
			c.Features[name] = chosen
		}
	}
	return c
}

// The bounds of a whole number in a character: no rule allows what is beyond them, and sums of them do not overflow.
const (
	leastCount = -1 << 31
	mostCount  = 1<<31 - 1
)

// whole reads a value that must be a whole number.
func (o *object) whole(name string, value jsontext.Value) int {
	number := 0
	if value.Kind() != '0' || json.Unmarshal(value, &number) != nil || number < leastCount || number > mostCount {
		o.fail(name, "must be a whole number")
		return 0
	}
	return number
}

// count takes a whole number; standard when it is absent. Which numbers the rules allow is the core's to say.
func (o *object) count(name string, standard int) int {
	value, ok := o.take(name)
	if !ok {
		return standard
	}
	return o.whole(name, value)
}

// countOrAbsent takes a whole number, and tells whether it is absent.
func (o *object) countOrAbsent(name string) (number int, absent bool) {
	value, ok := o.take(name)
	if !ok {
		return 0, true
	}
	return o.whole(name, value), false
}

// truth takes a field that must be true or false; false when it is absent.
func (o *object) truth(name string) bool {
	value, ok := o.take(name)
	if ok && value.Kind() != 't' && value.Kind() != 'f' {
		o.fail(name, "must be true or false")
	}
	return ok && value.Kind() == 't'
}

// counts takes an object of whole numbers; nil when it is absent.
func (o *object) counts(name string) map[string]int {
	var numbers map[string]int
	o.child(name, func(members *object) {
		numbers = map[string]int{}
		for _, key := range slices.Sorted(maps.Keys(members.fields)) {
			if value, ok := members.take(key); ok {
				numbers[key] = members.whole(key, value)
			}
		}
	})
	return numbers
}

// child reads a field that must be an object, when it is there; what is wrong in it is told with the whole pointer.
func (o *object) child(name string, read func(*object)) {
	if value, ok := o.take(name); ok {
		o.inside(pointerTo(name), value, o.patched, read)
	}
}

// list reads a field that must be a list of objects, when it is there.
func (o *object) list(name string, read func(*object)) {
	value, ok := o.take(name)
	if !ok {
		return
	}
	var items []jsontext.Value
	if value.Kind() != '[' || json.Unmarshal(value, &items) != nil {
		o.fail(name, "must be a list of objects")
		return
	}
	for i, item := range items {
		o.inside(pointerTo(name)+"/"+strconv.Itoa(i), item, false, read)
	}
}

// inside reads an object that stands at a pointer, and was patched or not.
func (o *object) inside(pointer string, value jsontext.Value, patched bool, read func(*object)) {
	inner, err := parseObject(value)
	if err != nil {
		o.broken = append(o.broken, fault.Violation{Pointer: pointer, Detail: "must be an object"})
		return
	}
	inner.patched = patched
	read(inner)
	for name := range inner.fields {
		inner.failUnknown(name)
	}
	for _, v := range inner.broken {
		o.broken = append(o.broken, fault.Violation{Pointer: pointer + v.Pointer, Detail: v.Detail})
	}
}
