package srd

// Skill is one of the 18 skills: an ability check that a character can be proficient in.
type Skill struct {
	Slug    string
	Name    string
	Ability string // the slug of the ability whose modifier counts, such as "dex"
	Text    string // what the skill is for, in own words
}

var skills = newTable("skills.json", func(s Skill) string { return s.Slug })

// Skills returns the 18 skills, sorted by slug. The slice is shared: do not write to it.
func Skills() []Skill { return skills.all() }

// FindSkill returns the skill with the slug, and whether there is one.
func FindSkill(slug string) (Skill, bool) { return skills.find(slug) }
