package srd

// Race is a race that can be chosen: where the SRD has a subrace, the race and its subrace in one.
type Race struct {
	// Slug is that of the subrace where there is one: "hill-dwarf", "human".
	Slug, Name string
	// Parent is the name of the race that a subrace belongs to: "Dwarf"; else "".
	Parent string
	// Text says in a sentence who they are.
	Text string
	// Size is "Small" or "Medium".
	Size string
	// Speed is the walking speed in feet; Darkvision how far they see in the dark, in feet, 0 for not at all.
	Speed, Darkvision int
	// Bonuses is what the race adds to ability scores, by ability.
	Bonuses map[string]int
	// ChosenBonus is what each ability of choices.ability_bonus gains.
	ChosenBonus int
	// Languages are known from birth.
	Languages []string
	// Skills, Armor, Weapons and Tools are the proficiencies. Weapons and Armor hold categories too, see Class.
	Skills, Armor, Weapons, Tools []string
	// HitPointsPerLevel is added to the hit point maximum at every level (dwarven toughness).
	HitPointsPerLevel int
	// IgnoresHeavyArmor is set where heavy armor never slows, whatever the Strength.
	IgnoresHeavyArmor bool
	// SpellAbility casts the spells of the race, chosen cantrips among them; "" without any.
	SpellAbility string
	// Spells come with the race, from a character level on, beside those of any class.
	Spells []RaceSpell
	// Traits are all that the race brings, in the order of the SRD.
	Traits []Feature
	// Choices are what the player decides at level 1.
	Choices []Choice
}

// RaceSpell is a spell that a race can cast by nature.
type RaceSpell struct {
	Spell string
	// Level is the character level from which it can be cast.
	Level int
	// CastAt is the spell level that it is cast at; 0 for a cantrip, which is cast at will.
	CastAt int
	// Uses is how often between two long rests; 0 for a cantrip.
	Uses int
}

// Feature is something that a race, class or subclass can do.
type Feature struct {
	Slug, Name string
	// Level is the character level (of a race) or the class level from which it applies.
	Level int
	// Text says in a sentence or two what it does.
	Text string
}

// DraconicAncestry is a kind of dragon that a dragonborn or a draconic sorcerer descends from.
type DraconicAncestry struct {
	Slug, Name string
	// DamageType is of the breath weapon, of the resistance, and of the sorcerer's elemental affinity.
	DamageType string
	// Area is the shape of the breath.
	Area string
	// Save is the ability that saves against the breath.
	Save string
}

var (
	ancestryTable = newTable("draconic-ancestries.json", func(a DraconicAncestry) string { return a.Slug })
	raceTable     = finishRaces(newTable("races.json", func(r Race) string { return r.Slug }))
)

// finishRaces writes out what the file of the races names in short.
func finishRaces(t table[Race]) table[Race] {
	for i := range t.sorted {
		r := &t.sorted[i]
		r.Choices = expandAll(r.Choices, map[string][]string{FieldLanguages: r.Languages, FieldSkills: r.Skills})
		for j := range r.Traits {
			r.Traits[j].Level = max(r.Traits[j].Level, 1)
		}
	}
	return t
}

// Races returns the nine races, sorted by slug.
func Races() []Race { return raceTable.all() }

// FindRace returns the race of a slug such as "hill-dwarf".
func FindRace(slug string) (Race, bool) { return raceTable.find(slug) }

// DraconicAncestries returns the ten kinds of dragon, sorted by slug.
func DraconicAncestries() []DraconicAncestry { return ancestryTable.all() }

// FindDraconicAncestry returns the ancestry of a slug such as "red".
func FindDraconicAncestry(slug string) (DraconicAncestry, bool) { return ancestryTable.find(slug) }

// BreathDamage is the dice of a dragonborn's breath weapon at a character level.
func BreathDamage(level int) string {
	switch {
	case level >= 16:
		return "5d6"
	case level >= 11:
		return "4d6"
	case level >= 6:
		return "3d6"
	default:
		return "2d6"
	}
}
