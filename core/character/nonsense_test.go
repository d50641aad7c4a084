package character

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"bitbucket.org/templar/templar/core/character/srd"
)

// vocabulary has slugs of every kind, and what is none.
var vocabulary = slices.Concat([]string{"", "x", "\x00", "../..", "a\xff"}, catalog.skills, catalog.tools, catalog.languages, catalog.ancestries,
	catalog.cantrips[:20], catalog.spells[:60], abilityOrder, Alignments(), Coins(), slugsOf(srd.Races(), func(r srd.Race) string { return r.Slug }),
	slugsOf(srd.Classes(), classSlug), slugsOf(srd.Subclasses(), func(s srd.Subclass) string { return s.Slug }),
	slugsOf(srd.Options(""), func(o srd.Option) string { return o.Slug }))

func nonsense(t *rapid.T) Build {
	word := rapid.SampledFrom(vocabulary)
	number := rapid.OneOf(rapid.IntRange(-2, 22), rapid.Int())
	texts := rapid.SliceOfN(word, 0, 8)
	numbers := rapid.MapOfN(word, number, 0, 4)
	b := Build{Name: rapid.String().Draw(t, "name"), Player: rapid.String().Draw(t, "player"), Background: word.Draw(t, "background"), Alignment: word.Draw(t, "alignment"),
		Race:  rapid.SampledFrom(srd.Races()).Draw(t, "race").Slug,
		Class: rapid.SampledFrom(srd.Classes()).Draw(t, "class").Slug, Subclass: word.Draw(t, "subclass"), Level: number.Draw(t, "level"), XP: number.Draw(t, "xp"),
		Abilities: Abilities{Method: Method(rapid.SampledFrom(append(methods(), "", "x")).Draw(t, "method")), Base: numbers.Draw(t, "base")},
		Choices: Choices{Skills: texts.Draw(t, "skills"), Expertise: texts.Draw(t, "expertise"), Tools: texts.Draw(t, "tools"), Languages: texts.Draw(t, "languages"),
			AbilityBonus: texts.Draw(t, "bonus"), FightingStyle: word.Draw(t, "style"), DraconicAncestry: word.Draw(t, "ancestry"), Cantrips: texts.Draw(t, "cantrips"),
			Features: map[string][]string{rapid.SampledFrom(append(FeatureFields(), "x")).Draw(t, "field"): texts.Draw(t, "features")}},
		Spells: texts.Draw(t, "spells"),
		State: State{HP: number.Draw(t, "hp"), TempHP: number.Draw(t, "temp"), Conditions: texts.Draw(t, "conditions"), HitDiceUsed: numbers.Draw(t, "dice"),
			SpellSlotsUsed: numbers.Draw(t, "slots"), Currency: numbers.Draw(t, "currency")}}
	for range rapid.IntRange(0, 3).Draw(t, "classes") {
		b.Multiclass = append(b.Multiclass, ClassLevel{Class: word.Draw(t, "class"), Subclass: word.Draw(t, "subclass"), Level: number.Draw(t, "level")})
		b.Choices.Improvements = append(b.Choices.Improvements, Improvement{Level: number.Draw(t, "level"), Class: word.Draw(t, "class"), Abilities: numbers.Draw(t, "points")})
		b.Equipment = append(b.Equipment, Item{Item: word.Draw(t, "item"), Count: number.Draw(t, "count"), Equipped: rapid.Bool().Draw(t, "equipped")})
	}
	return b
}

// Whatever is sent, it is refused with pointers or taken; nothing breaks, not even the sheet of what was never valid.
func TestNonsenseIsRefusedOrTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := nonsense(t)
		made, err := Draft{Build: b, Absent: Absent{Level: rapid.Bool().Draw(t, "no level"), XP: rapid.Bool().Draw(t, "no xp"), HP: rapid.Bool().Draw(t, "no hp")}}.check(nil, nil)
		Derive(Character{Build: b})
		analyse(&Character{Build: b}).derive()
		if err != nil {
			if len(violationsOf(err)) == 0 {
				t.Fatalf("%v", err)
			}
			return
		}
		holds(t, made)
	})
}
