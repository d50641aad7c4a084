package srd

// The groups of options.
const (
	FightingStyles         = "fighting-styles"
	CircleLands            = "circle-lands"
	FavoredEnemies         = "favored-enemies"
	FavoredTerrains        = "favored-terrains"
	HuntersPrey            = "hunters-prey"
	DefensiveTactics       = "defensive-tactics"
	Multiattack            = "multiattack"
	SuperiorHuntersDefense = "superior-hunters-defense"
	Invocations            = "invocations"
	Metamagic              = "metamagic"
	PactBoons              = "pact-boons"
)

// Option is something that a feature of a class lets the player choose: a fighting style, an invocation, a land, ...
type Option struct {
	// Slug is unique within the Group.
	Slug, Name, Group string
	// Text says in a sentence or two what it does.
	Text string
	// Level is the class level from which it can be taken.
	Level int
	// Boon is the pact boon that it needs, Cantrip the cantrip that must be known; else "".
	Boon, Cantrip string
	// Skills are proficiencies that it gives.
	Skills []string
	// Spells come with it at class levels, beside those that are chosen: always prepared, or known.
	Spells []LevelSpells
	// Choices are what it makes the player decide in turn.
	Choices []Choice
}

var optionTable = finishOptions(newTable("class-options.json", optionKey))

func optionKey(o Option) string { return o.Group + "/" + o.Slug }

// finishOptions writes out what the file of the options names in short.
func finishOptions(t table[Option]) table[Option] {
	for i := range t.sorted {
		o := &t.sorted[i]
		o.Level = max(o.Level, 1)
		o.Choices = expandAll(o.Choices, nil)
	}
	return t
}

// Options returns the options of a group, sorted by slug; all groups for "".
func Options(group string) []Option {
	if group == "" {
		return optionTable.all()
	}
	var all []Option
	for _, o := range optionTable.sorted {
		if o.Group == group {
			all = append(all, o)
		}
	}
	return all
}

// FindOption returns the option of a group and slug, such as FightingStyles and "defense".
func FindOption(group, slug string) (Option, bool) {
	return optionTable.find(group + "/" + slug)
}
