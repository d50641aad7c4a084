package srd

// Background is what a character was before the adventures. The SRD has one, the acolyte.
type Background struct {
	Slug      string
	Name      string
	Text      string   // in own words
	Skills    []string // slugs of the skills it gives proficiency in
	Tools     []string // slugs of the tools it gives proficiency in
	Languages int      // how many languages of choice it gives
	Equipment StartingEquipment
	CoinsCP   int // the coins that a character of this background starts with, in copper pieces
	Feature   BackgroundFeature
}

// BackgroundFeature is what a background gives outside of the numbers.
type BackgroundFeature struct {
	Slug string
	Name string
	Text string // in own words
}

// Choices are the decisions that the background leaves to the player.
func (b Background) Choices() []Choice {
	if b.Languages == 0 {
		return nil
	}
	return []Choice{{Field: FieldLanguages, Choose: b.Languages, From: ChoosableLanguages()}}
}

var backgrounds = newTable("backgrounds.json", func(b Background) string { return b.Slug })

// Backgrounds returns the backgrounds, sorted by slug. The slice is shared: do not write to it.
func Backgrounds() []Background { return backgrounds.all() }

// FindBackground returns the background with the slug, and whether there is one.
func FindBackground(slug string) (Background, bool) { return backgrounds.find(slug) }
