package character

import (
	"slices"

	"bitbucket.org/templar/templar/core/character/srd"
)

// complete fills in what a draft left out: level 1, the least experience of the level, all hit points. Rolled hit
// points come from the character before, nil for a new one; rolled are the totals of the roll that the draft names.
func (d Draft) complete(before *Character, rolled []int) Character {
	c := Character{Build: d.Build.Clone().normal(), RolledScores: slices.Clone(rolled)}
	if before != nil {
		c.HitPoints = slices.Clone(before.HitPoints)
	}
	if d.Absent.Level {
		c.Level = 1
		for _, m := range c.Multiclass {
			// Nonsense is for Validate to refuse; here it must only not overflow.
			c.Level = min(c.Level+min(max(m.Level, 0), srd.MaxLevel), 2*srd.MaxLevel)
		}
	}
	if d.Absent.XP {
		c.XP = srd.XPForLevel(c.Level)
	}
	c.forgetLostLevels()
	switch {
	case d.Absent.HP:
		c.State.HP = 0 // so that nothing is said of it
		c.State.HP = analyse(&c).maxHP()
	case before != nil && before.State.HP == c.State.HP:
		c.followMaximum(before)
	}
	return c
}

// followMaximum keeps hit points right that a change left alone when it changed their maximum: who was unhurt stays
// so, nobody has more than the maximum.
func (c *Character) followMaximum(before *Character) {
	was, now := Derive(*before).MaxHP, Derive(*c).MaxHP
	switch {
	case was == now || now <= 0:
	case before.State.HP == was:
		c.State.HP = now
	default:
		c.State.HP = min(c.State.HP, now)
	}
}

// forgetLostLevels drops the rolled hit points of levels that the character does not have.
func (c *Character) forgetLostLevels() {
	levels := map[string]int{c.Class: c.Level}
	for _, m := range c.Multiclass {
		levels[m.Class] = m.Level
		levels[c.Class] -= m.Level
	}
	c.HitPoints = slices.DeleteFunc(c.HitPoints, func(r HitPointRoll) bool {
		return r.Level > levels[r.Class] || (r.Class == c.Class && r.Level == 1)
	})
	if len(c.HitPoints) == 0 {
		c.HitPoints = nil
	}
}

// Validate holds a character against the rules; an Invalid fault names every one that it breaks, with a pointer and
// with what would be allowed. What is not chosen yet breaks none.
func Validate(c Character) error {
	c = c.Clone()
	return analyse(&c).broken.err()
}

// check completes a draft and gives it in its normal form: texts trimmed, empty lists nil.
func (d Draft) check(before *Character, rolled []int) (Character, error) {
	c := d.complete(before, rolled)
	if err := analyse(&c).broken.err(); err != nil {
		return Character{}, err
	}
	return c, nil
}
