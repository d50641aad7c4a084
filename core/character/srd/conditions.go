package srd

// Condition is a state that a creature can be in and that changes what it can do.
type Condition struct {
	Slug string
	Name string
	Text string // what the condition does, in own words
	// Levels are the effects of a condition that comes in steps, the first step first; only exhaustion has them, six.
	// A step has the effects of all the steps below it too.
	Levels []string
}

var conditions = newTable("conditions.json", func(c Condition) string { return c.Slug })

// Conditions returns the 15 conditions, sorted by slug. The slice is shared: do not write to it.
func Conditions() []Condition { return conditions.all() }

// FindCondition returns the condition with the slug, and whether there is one.
func FindCondition(slug string) (Condition, bool) { return conditions.find(slug) }
