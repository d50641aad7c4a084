package srd

// Choice is something that the player of a character decides.
type Choice struct {
	// Field is where the answer stands in a character: "choices.skills", "spells", "subclass", ...
	Field string
	// Choose is how many of From are taken, each once.
	Choose int
	// From lists the slugs that can be taken.
	From []string
}

// The fields of a character that a Choice can name.
const (
	FieldSubclass                = "subclass"
	FieldSpells                  = "spells"
	FieldSkills                  = "choices.skills"
	FieldExpertise               = "choices.expertise"
	FieldTools                   = "choices.tools"
	FieldLanguages               = "choices.languages"
	FieldAbilityBonus            = "choices.ability_bonus"
	FieldCantrips                = "choices.cantrips"
	FieldImprovements            = "choices.improvements"
	FieldDraconicAncestry        = "choices.draconic_ancestry"
	FieldFightingStyle           = "choices.fighting_style"
	FieldAdditionalFightingStyle = "choices.additional_fighting_style"
	FieldDragonAncestor          = "choices.dragon_ancestor"
	FieldFavoredEnemies          = "choices.favored_enemies"
	FieldFavoredTerrains         = "choices.favored_terrains"
	FieldHuntersPrey             = "choices.hunters_prey"
	FieldDefensiveTactics        = "choices.defensive_tactics"
	FieldMultiattack             = "choices.multiattack"
	FieldSuperiorHuntersDefense  = "choices.superior_hunters_defense"
	FieldCircleLand              = "choices.circle_land"
	FieldMetamagic               = "choices.metamagic"
	FieldInvocations             = "choices.invocations"
	FieldPactBoon                = "choices.pact_boon"
	FieldMysticArcanum           = "choices.mystic_arcanum"
	FieldSpellMastery            = "choices.spell_mastery"
	FieldSignatureSpells         = "choices.signature_spells"
)
