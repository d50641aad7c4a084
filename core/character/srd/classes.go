package srd

import "slices"

// Class is one of the twelve classes.
//
// Armor holds categories of Armor.Category: "light", "medium", "heavy", "shield". Weapons holds categories of
// Weapon.Category, "simple" and "martial", and slugs of single weapons. Tools holds slugs of tools.
type Class struct {
	Slug, Name string
	// Text says in a sentence what the class is.
	Text string
	// HitDie is the number of sides of the hit die: 10 is a d10.
	HitDie int
	// Saves are the two abilities whose saving throws the class is proficient in, when it is the first class.
	Saves []string
	// Armor, Weapons and Tools are the proficiencies of the first class; see Multiclass for a further one.
	Armor, Weapons, Tools []string
	// ArmorNote is a limit that the class sets itself (druids and metal); else "".
	ArmorNote string
	// Languages come with the class.
	Languages []string
	// Proficiencies are the choices that only the first class brings: skills and, for some, tools.
	Proficiencies []Choice
	// Choices are all that a level 1 character of this class decides: Proficiencies, the choices of the first level,
	// cantrips and known spells.
	Choices []Choice
	// SubclassLevel is the class level at which the subclass is chosen; Subclasses are their slugs.
	SubclassLevel int
	Subclasses    []string
	// Improvements are the class levels that raise ability scores: two points, or one in each of two.
	Improvements []int
	// Spellcasting is nil for a class that casts no spells.
	Spellcasting *Spellcasting
	// UnarmoredDefense is nil for a class that has none.
	UnarmoredDefense *UnarmoredDefense
	// AbilityGains raise scores for good (primal champion).
	AbilityGains []AbilityGain
	// SaveGains are saving throws that later levels add.
	SaveGains []SaveGain
	// Levels are the class levels 1 to 20: Levels[0] is the first.
	Levels []Level
	// Multiclass says what it takes, and brings, to take the class beside another.
	Multiclass Multiclass
	// Equipment is what a new character of the class starts with.
	Equipment StartingEquipment
}

// Level is what a class level brings. Counts are totals at that level, not what is added.
type Level struct {
	// Level is the class level.
	Level int
	// ProficiencyBonus is that of a character of this level in all.
	ProficiencyBonus int
	// Features are new at this level; subclass features stand in Subclass.
	Features []Feature
	// Choices are what the player decides when the class reaches this level, as a first or a further class. Cantrips and
	// spells are not among them: see CantripsKnown and SpellsKnown.
	Choices []Choice
	// CantripsKnown is how many cantrips of the class are known; SpellsKnown the same for spells of level 1 and up,
	// 0 for a class that prepares its spells.
	CantripsKnown, SpellsKnown int
	// Slots are the spell slots of a character of this class alone: Slots[0] of level 1, and so on; nil without any.
	Slots []int
	// Pact are the slots of pact magic; the zero Pact for any other class.
	Pact PactSlots
	// Numbers are the further number columns of the class's table ("rages", "ki_points", ...), see the Number constants.
	Numbers map[string]int
	// Dice are its dice columns ("sneak_attack": "3d6", "martial_arts": "1d6", ...).
	Dice map[string]string
}

// PactSlots are the slots of pact magic: all of one level.
type PactSlots struct {
	Level, Count int
}

// The number columns of the class tables.
const (
	// NumberRages is how often a barbarian rages between long rests: Unlimited at level 20.
	NumberRages      = "rages"
	NumberRageDamage = "rage_damage"
	// NumberFastMovement is the barbarian's gain of speed in feet, without heavy armor.
	NumberFastMovement = "fast_movement"
	NumberBrutalDice   = "brutal_critical_dice"
	// NumberMagicalSecrets is how many of the bard's known spells may be of any class.
	NumberMagicalSecrets  = "magical_secrets"
	NumberChannelDivinity = "channel_divinity"
	NumberActionSurges    = "action_surges"
	NumberIndomitable     = "indomitable"
	// NumberAttacks is how many attacks the Attack action makes.
	NumberAttacks  = "attacks"
	NumberKiPoints = "ki_points"
	// NumberUnarmoredMovement is the monk's gain of speed in feet, without armor and shield.
	NumberUnarmoredMovement = "unarmored_movement"
	// NumberLayOnHands is the pool of hit points that a paladin heals between long rests.
	NumberLayOnHands    = "lay_on_hands"
	NumberSorceryPoints = "sorcery_points"
	NumberInvocations   = "invocations_known"
	NumberMetamagic     = "metamagic_known"
	NumberExpertise     = "expertise"
	// NumberWildShapes is how often a druid changes shape between rests: Unlimited at level 20.
	NumberWildShapes = "wild_shapes"
	// NumberAuraRange is how far a paladin's auras reach, in feet.
	NumberAuraRange = "aura_range"
	// NumberArcaneRecovery is how many levels of slots a wizard regains on a short rest, once a day.
	NumberArcaneRecovery = "arcane_recovery"
)

// The dice columns of the class tables.
const (
	DiceBardicInspiration = "bardic_inspiration"
	DiceSongOfRest        = "song_of_rest"
	DiceMartialArts       = "martial_arts"
	DiceSneakAttack       = "sneak_attack"
)

// Unlimited stands in a number column for "as often as you like".
const Unlimited = -1

// The kinds of spellcasting.
const (
	FullCaster  = "full"
	HalfCaster  = "half"
	ThirdCaster = "third"
	PactCaster  = "pact"
)

// The ways to come by spells.
const (
	// KnownSpells are learned with levels and can always be cast.
	KnownSpells = "known"
	// PreparedSpells are chosen anew each day: as many as PreparedCount says.
	PreparedSpells = "prepared"
)

// Spellcasting is how a class casts spells.
type Spellcasting struct {
	// Kind is FullCaster, HalfCaster, ThirdCaster or PactCaster.
	Kind string
	// Ability sets the save DC and the attack bonus.
	Ability string
	// Preparation is KnownSpells or PreparedSpells.
	Preparation string
	// FirstLevel is the class level at which it begins.
	FirstLevel int
	// Ritual is set where spells can be cast as rituals.
	Ritual bool
	// Focus are the slugs of the equipment that can stand in for material components.
	Focus []string
	// SpellbookFirst is how many spells a wizard's book starts with, SpellbookPerLevel what each level adds; else 0.
	SpellbookFirst, SpellbookPerLevel int
}

// PreparedCount is how many spells can be prepared at a class level with an ability modifier: the level (half of it,
// rounded down, for half casters) plus the modifier, at least 1; 0 for those that know their spells or cast none yet.
func (s *Spellcasting) PreparedCount(classLevel, modifier int) int {
	if s == nil || s.Preparation != PreparedSpells || classLevel < s.FirstLevel {
		return 0
	}
	if s.Kind == HalfCaster {
		classLevel /= 2
	}
	return max(1, classLevel+modifier)
}

// UnarmoredDefense is an armor class that needs no armor: Base plus the modifiers of Abilities.
type UnarmoredDefense struct {
	Base      int
	Abilities []string
	// Shield is set where a shield may be added.
	Shield bool
}

// AbilityGain raises ability scores at a class level, up to Maximum.
type AbilityGain struct {
	Level   int
	Bonuses map[string]int
	Maximum int
}

// SaveGain adds proficiency in saving throws at a class level.
type SaveGain struct {
	Level int
	Saves []string
}

// Subclass is the one subclass that the SRD has for a class.
type Subclass struct {
	Slug, Name string
	// Class is the slug of the class that it belongs to.
	Class string
	// Text says in a sentence what it is.
	Text string
	// Armor, Weapons, Tools, Skills and Languages come with the subclass.
	Armor, Weapons, Tools, Skills, Languages []string
	// HitPointsPerLevel is added to the hit point maximum at every level of the class (draconic resilience).
	HitPointsPerLevel int
	// UnarmoredDefense is nil for a subclass that has none.
	UnarmoredDefense *UnarmoredDefense
	// Levels are the class levels that bring something, rising.
	Levels []SubclassLevel
	// AlwaysPrepared are spells that need no preparing and do not count against it, by class level. Those of the circle
	// of the land stand with the lands, see Option.Spells.
	AlwaysPrepared []LevelSpells
	// AddsToList are spells that join the list which the class chooses from, by class level.
	AddsToList []LevelSpells
}

// SubclassLevel is what a subclass brings at a class level.
type SubclassLevel struct {
	Level    int
	Features []Feature
	Choices  []Choice
}

// LevelSpells are the spells that come at a class level.
type LevelSpells struct {
	Level  int
	Spells []string
}

// MulticlassMinimum is the score that multiclassing asks for in every ability that it asks for.
const MulticlassMinimum = 13

// Multiclass is what it takes to have the class beside another, and what it brings then. The levels themselves bring the
// same as to anyone; the saves do not come.
type Multiclass struct {
	// Requires lists what must be at least MulticlassMinimum: of every entry, one ability. A character that takes a
	// further class needs it for the classes that it has, too.
	Requires [][]string
	// Armor, Weapons and Tools are the proficiencies that a further class brings.
	Armor, Weapons, Tools []string
	// Choices are the skills and tools to choose that it brings.
	Choices []Choice
}

// StartingEquipment is what a new character of a class has, unless it takes Gold instead. The background's equipment
// comes beside it.
type StartingEquipment struct {
	// Items everyone of the class gets.
	Items []Content
	// Choices are decisions between Options: one of each is taken.
	Choices []EquipmentChoice
	// GoldDice is what a character rolls that buys everything itself, GoldTimes what the roll is multiplied by: gold
	// pieces.
	GoldDice  string
	GoldTimes int
}

// EquipmentChoice is a decision between options.
type EquipmentChoice struct {
	Options []EquipmentOption
}

// EquipmentOption is Items and, where Choose is not 0, so many pieces of what From lists, the same twice if one likes.
type EquipmentOption struct {
	Items  []Content
	Choose int
	From   []string
	// IfProficient is set where only a character may take it that is proficient with it.
	IfProficient bool
}

// Classes returns the twelve classes, sorted by slug.
func Classes() []Class { return classTable.all() }

// FindClass returns the class of a slug such as "fighter".
func FindClass(slug string) (Class, bool) { return classTable.find(slug) }

// Subclasses returns the twelve subclasses, sorted by slug.
func Subclasses() []Subclass { return subclassTable.all() }

// FindSubclass returns the subclass of a slug such as "champion".
func FindSubclass(slug string) (Subclass, bool) { return subclassTable.find(slug) }

// At returns what a class level from 1 to 20 brings; the zero Level for any other.
func (c Class) At(level int) Level {
	if level < 1 || level > len(c.Levels) {
		return Level{}
	}
	return c.Levels[level-1]
}

// Has reports whether the class has a feature at a class level: gained then or before.
func (c Class) Has(feature string, level int) bool {
	for _, l := range c.Levels[:min(max(level, 0), len(c.Levels))] {
		if slices.ContainsFunc(l.Features, func(f Feature) bool { return f.Slug == feature }) {
			return true
		}
	}
	return false
}

// Has reports whether the subclass has a feature at a class level: gained then or before.
func (s Subclass) Has(feature string, level int) bool {
	for _, l := range s.Levels {
		if l.Level <= level && slices.ContainsFunc(l.Features, func(f Feature) bool { return f.Slug == feature }) {
			return true
		}
	}
	return false
}
