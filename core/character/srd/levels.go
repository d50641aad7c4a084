package srd

// MaxLevel is the highest level of a character and of a class.
const MaxLevel = 20

// CharacterLevel is what a level brings whatever the classes are.
type CharacterLevel struct {
	Level int
	// XP is the least experience for the level.
	XP int
	// ProficiencyBonus of every character of the level.
	ProficiencyBonus int
}

var levelTable = load[CharacterLevel]("levels.json")

// CharacterLevels returns the levels 1 to 20, rising.
func CharacterLevels() []CharacterLevel { return levelTable[:len(levelTable):len(levelTable)] }

// ProficiencyBonus is the bonus of a character of a level in all, from 2 to 6; a level out of bounds counts as the
// nearest.
func ProficiencyBonus(level int) int { return atLevel(level).ProficiencyBonus }

// XPForLevel is the least experience for a level; a level out of bounds counts as the nearest.
func XPForLevel(level int) int { return atLevel(level).XP }

// LevelForXP is the level that an amount of experience reaches, from 1 to 20.
func LevelForXP(xp int) int {
	reached := 1
	for _, l := range levelTable {
		if l.XP <= xp {
			reached = l.Level
		}
	}
	return reached
}

func atLevel(level int) CharacterLevel { return levelTable[min(max(level, 1), MaxLevel)-1] }
