package character

// Derived is all that follows from a character by the rules.
type Derived struct {
	// Abilities has the six abilities by slug.
	Abilities        map[string]AbilityScore
	ProficiencyBonus int
	MaxHP            int
	ArmorClass       int
	Initiative       int
	// Speed and Darkvision are in feet.
	Speed             int
	Darkvision        int
	PassivePerception int
	// HitDice is such as "2d10 + 1d6".
	HitDice string
	// Skills has all skills by slug.
	Skills    map[string]SkillBonus
	Languages []string
	// Proficiencies are armour, weapons and tools: slugs of equipment and of categories such as "light-armor".
	Proficiencies []string
	// Features are the slugs of what race, classes, subclasses and background bring, in this order.
	Features []string
	// Spellcasting is nil without a class that casts spells.
	Spellcasting *Spellcasting
	// Weight and Capacity are in pounds.
	Weight      float64
	Capacity    int
	Encumbrance Encumbrance
	// Pending lists what the player has not chosen yet.
	Pending []Pending
	// Notes are sentences about what the rules allow but the numbers do not show, such as armour worn without
	// proficiency; nil without any.
	Notes []string
}

// AbilityScore is an ability with all that counts towards it.
type AbilityScore struct {
	Score    int
	Modifier int
	// Save is the bonus to saving throws.
	Save int
}

// SkillBonus is a skill with its bonus to ability checks.
type SkillBonus struct {
	// Ability is the slug of the ability that it uses.
	Ability    string
	Proficient bool
	// Expertise is set where the proficiency bonus counts twice.
	Expertise bool
	Bonus     int
}

// Spellcasting is how a character casts spells.
type Spellcasting struct {
	// Classes are those that cast, in the order in which they were taken.
	Classes []ClassSpells
	// Slots has the number of slots by spell level: Slots[0] are those of level 1; nil without any.
	Slots []int
	// Pact has the slots of pact magic; nil without them.
	Pact *Pact
}

// ClassSpells is how a class casts spells.
type ClassSpells struct {
	Class         string
	Ability       string
	SaveDC        int
	AttackBonus   int
	CantripsKnown int
	// Prepares is set for a class that prepares spells; else it knows them. Spells is how many, of level 1 and above.
	Prepares bool
	Spells   int
}

// Pact are the slots of pact magic, all of one level.
type Pact struct {
	Level int
	Count int
}

// Encumbrance is how heavily a character is loaded, by the SRD's variant rule.
type Encumbrance string

// The steps of the variant rule: more than 5, 10 and 15 pounds for each point of Strength.
const (
	Unencumbered      Encumbrance = "none"
	Encumbered        Encumbrance = "encumbered"
	HeavilyEncumbered Encumbrance = "heavily-encumbered"
	OverCapacity      Encumbrance = "over-capacity"
)

// Pending is something that the player has not chosen yet.
type Pending struct {
	// Field is where the choice belongs, as in srd.Choice: "choices.skills", "subclass", "abilities.base.str",
	// "multiclass.0.subclass".
	Field string
	// Choose is how many of From to add there, each once; of "choices.improvements" the points to spend.
	Choose int
	From   []string
	// Level and Class tell which improvement "choices.improvements" means; else 0 and "".
	Level int
	Class string
}
