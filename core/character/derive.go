package character

import (
	"fmt"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/character/srd"
)

// Derive gives everything that follows from a character by the rules. It never fails: what it does not know counts
// for nothing.
func Derive(c Character) Derived {
	c = c.Clone()
	return analyse(&c).derive()
}

func (a *analysis) derive() Derived {
	d := Derived{
		Abilities: a.abilityScores(), Skills: a.skillBonuses(), ProficiencyBonus: a.proficiencyBonus(), MaxHP: a.maxHP(),
		ArmorClass: a.armorClass(), Initiative: a.initiative(), Speed: a.speed(), Darkvision: a.race.Darkvision, HitDice: a.hitDiceText(),
		Languages: slices.Clone(a.languages.order), Features: a.featureSlugs(), Spellcasting: a.spellcasting(), Weight: a.weight(),
		Capacity: a.capacity(), Encumbrance: a.encumbrance(), Notes: a.notes(), Pending: slices.Clone(a.pending),
	}
	// Passive Perception is 10 + the bonus to Wisdom (Perception) checks.
	d.PassivePerception = 10 + d.Skills["perception"].Bonus
	d.Proficiencies = slices.Clone(a.tools.order)
	for _, p := range a.proficiencies.order {
		if category, ok := proficiencyNames[p]; ok {
			p = category
		}
		d.Proficiencies = append(d.Proficiencies, p)
	}
	slices.Sort(d.Proficiencies)
	d.Proficiencies = slices.Compact(d.Proficiencies)
	return d
}

// proficiencyNames are the slugs of whole categories as they read among other proficiencies.
var proficiencyNames = map[string]string{"light": "light-armor", "medium": "medium-armor", "heavy": "heavy-armor", "shield": "shields",
	"simple": "simple-weapons", "martial": "martial-weapons"}

// trainedSaves are the abilities with proficiency in their saving throws: those of the first class, and what later
// levels of any class add (Saving Throws; Slippery Mind; Diamond Soul).
func (a *analysis) trainedSaves() []string {
	var saves []string
	for _, class := range a.classes {
		if class.first {
			saves = append(saves, class.Saves...)
		}
		for _, gain := range class.SaveGains {
			if gain.Level <= class.level {
				saves = append(saves, gain.Saves...)
			}
		}
	}
	return saves
}

// abilityScores gives the six abilities. A saving throw adds the proficiency bonus in those of the first class and of
// features such as Slippery Mind and Diamond Soul, and for a paladin of level 6 the Charisma modifier, at least 1
// (Saving Throws; Aura of Protection).
func (a *analysis) abilityScores() map[string]AbilityScore {
	saves := a.trainedSaves()
	all := 0
	if a.has("aura-of-protection") {
		all = max(1, a.modifier("cha"))
	}
	scores := map[string]AbilityScore{}
	for _, ability := range abilityOrder {
		s := AbilityScore{Score: a.scores[ability], Modifier: a.modifier(ability)}
		s.Save = s.Modifier + all
		if slices.Contains(saves, ability) {
			s.Save += a.proficiencyBonus()
		}
		scores[ability] = s
	}
	return scores
}

// untrained is what an ability check gains that the proficiency bonus does not count for: half of it rounded down for
// Jack of All Trades, half of it rounded up in Strength, Dexterity and Constitution for Remarkable Athlete; the larger
// counts.
func (a *analysis) untrained(ability string) int {
	bonus := 0
	if a.has("jack-of-all-trades") {
		bonus = a.proficiencyBonus() / 2
	}
	if a.has("remarkable-athlete") && slices.Contains([]string{"str", "dex", "con"}, ability) {
		bonus = max(bonus, (a.proficiencyBonus()+1)/2)
	}
	return bonus
}

// skillBonuses gives all skills: the modifier of the ability, with the proficiency bonus where proficient and twice of
// it with Expertise.
func (a *analysis) skillBonuses() map[string]SkillBonus {
	bonuses := map[string]SkillBonus{}
	for _, skill := range srd.Skills() {
		s := SkillBonus{Ability: skill.Ability, Proficient: a.skills.has[skill.Slug], Bonus: a.modifier(skill.Ability)}
		s.Expertise = s.Proficient && a.expertise.has[skill.Slug]
		switch {
		case s.Expertise:
			s.Bonus += 2 * a.proficiencyBonus()
		case s.Proficient:
			s.Bonus += a.proficiencyBonus()
		default:
			s.Bonus += a.untrained(skill.Ability)
		}
		bonuses[skill.Slug] = s
	}
	return bonuses
}

// initiative is a Dexterity check (Initiative), so what helps untrained checks helps it.
func (a *analysis) initiative() int { return a.modifier("dex") + a.untrained("dex") }

// hitDiceText writes the hit dice, those of the first class first: "2d10 + 1d6".
func (a *analysis) hitDiceText() string {
	dice := a.hitDice()
	var parts []string
	for _, class := range a.classes {
		die := fmt.Sprintf("d%d", class.HitDie)
		if n := dice[die]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, die))
			delete(dice, die)
		}
	}
	return strings.Join(parts, " + ")
}

// featureSlugs lists what race, classes, subclasses and background bring, each once.
func (a *analysis) featureSlugs() []string {
	var all slugSet
	for _, f := range a.race.Traits {
		if f.Level <= a.c.Level {
			all.add(f.Slug)
		}
	}
	for _, class := range a.classes {
		for level := 1; level <= class.level; level++ {
			for _, f := range class.At(level).Features {
				all.add(f.Slug)
			}
			if class.sub == nil {
				continue
			}
			for _, l := range class.sub.Levels {
				if l.Level == level {
					all.add(slugsOf(l.Features, func(f srd.Feature) string { return f.Slug })...)
				}
			}
		}
	}
	if a.background.Feature.Slug != "" {
		all.add(a.background.Feature.Slug)
	}
	return all.order
}
