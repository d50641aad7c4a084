package character

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character/srd"
)

// MaxScore is the most that improvements bring an ability to (Ability Score Improvement).
const MaxScore = 20

// The roll that ability scores are made with: four dice, the lowest dropped, six times (Ability Scores).
const (
	AbilityNotation = "4d6dl1"
	AbilityRolls    = 6
)

// The bounds of a score that is entered by hand: those of three dice.
const (
	manualLowest  = 3
	manualHighest = 18
)

// abilities checks how the scores came about and adds up what counts for each.
func (a *analysis) abilities() {
	chosen := &a.c.Abilities
	a.base = map[string]int{}
	for _, ability := range sortedKeys(chosen.Base) {
		if _, ok := srd.FindAbility(ability); ok {
			a.base[ability] = chosen.Base[ability]
		} else if len(a.broken) < MaxChoices {
			a.broken.add(pointerTo("/abilities/base", ability), "%s", unknown(ability, "ability", abilityOrder))
		}
	}
	if chosen.Method != Rolled && chosen.RollID != uuid.Nil {
		a.broken.add("/abilities/rollid", "goes with the method %q only", Rolled)
	}
	switch chosen.Method {
	case StandardArray:
		a.spread(srd.StandardArray(), "the standard array")
	case PointBuy:
		a.bought()
	case Rolled:
		switch {
		case chosen.RollID == uuid.Nil:
			a.broken.add("/abilities/rollid", `is needed for the method %q: the rollid that POST /v1/rolls answers to {"notation": %q, "count": %d}`,
				Rolled, AbilityNotation, AbilityRolls)
		case a.c.RolledScores == nil:
			a.broken.add("/abilities/rollid", "must be a roll of %d times %s that this server made from a seed of its own and no other character has used; make a new one with POST /v1/rolls",
				AbilityRolls, AbilityNotation)
		default:
			a.spread(a.c.RolledScores, "the roll")
		}
	case Manual:
		a.byHand()
	case "":
		if len(chosen.Base) > 0 {
			a.broken.add("/abilities/method", "is needed with scores: %s", enumerate(methods()))
		}
		a.open("abilities.method", 1, methods())
	default:
		a.broken.add("/abilities/method", "%s", unknown(string(chosen.Method), "method", methods()))
	}
	a.addUp()
}

func methods() []string {
	return []string{string(StandardArray), string(PointBuy), string(Rolled), string(Manual)}
}

// spread checks scores that are given numbers, each used once.
func (a *analysis) spread(numbers []int, what string) {
	left := slices.Clone(numbers)
	var missing []string
	for _, ability := range abilityOrder {
		score, ok := a.base[ability]
		if !ok {
			missing = append(missing, ability)
		} else if i := slices.Index(left, score); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			a.broken.add(pointerTo("/abilities/base", ability), "%s is %s, each used once; %d is not among them any more", what, numerals(numbers), score)
		}
	}
	a.openScores(missing, left)
}

// bought checks scores that are bought with 27 points (Variant: Customizing Ability Scores).
func (a *analysis) bought() {
	spent, known := 0, true
	var missing []string
	for _, ability := range abilityOrder {
		score, ok := a.base[ability]
		if !ok {
			missing = append(missing, ability)
			continue
		}
		cost, ok := srd.PointBuyCost(score)
		if !ok {
			known = false
			a.broken.add(pointerTo("/abilities/base", ability), "a bought score is %d to %d, not %d", srd.PointBuyLowest, srd.PointBuyHighest, score)
		}
		spent += cost
	}
	if known && spent > srd.PointBuyPoints {
		a.broken.add("/abilities/base", "the scores cost %d points, %d may be spent (8 costs 0, 9 1, 10 2, 11 3, 12 4, 13 5, 14 7, 15 9)", spent, srd.PointBuyPoints)
	}
	// Who gives each the first of its numbers does not overspend.
	var forAll, affordable []int
	for score := srd.PointBuyHighest; score >= srd.PointBuyLowest; score-- {
		switch cost, _ := srd.PointBuyCost(score); {
		case spent+cost*len(missing) <= srd.PointBuyPoints:
			forAll = append(forAll, score)
		case spent+cost <= srd.PointBuyPoints:
			affordable = append(affordable, score)
		}
	}
	for _, ability := range missing {
		a.open("abilities.base."+ability, 1, decimals(append(forAll, affordable...)))
	}
}

// byHand checks scores that are entered as they are.
func (a *analysis) byHand() {
	var all []int
	for score := manualHighest; score >= manualLowest; score-- {
		all = append(all, score)
	}
	for _, ability := range abilityOrder {
		if score, ok := a.base[ability]; ok {
			a.broken.within(pointerTo("/abilities/base", ability), score, manualLowest, manualHighest)
		} else {
			a.open("abilities.base."+ability, 1, decimals(all))
		}
	}
}

// openScores notes abilities without a score, and the numbers that are left for them. Each list begins with another
// one, so that who gives each the first of its numbers uses none twice.
func (a *analysis) openScores(missing []string, left []int) {
	for i, ability := range missing {
		if len(left) > 0 {
			at := i % len(left)
			a.open("abilities.base."+ability, 1, decimals(slices.Concat(left[at:], left[:at])))
		}
	}
}

// decimals writes numbers out, each once.
func decimals(numbers []int) []string {
	var texts []string
	for _, n := range numbers {
		if text := strconv.Itoa(n); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

func numerals(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, " ")
}

// addUp gives every ability its score: the base, the bonuses of the race, those that the player chose, the
// improvements of the levels reached, and what class features add (Primal Champion: +4, to at most 24).
func (a *analysis) addUp() {
	a.scores = map[string]int{}
	for _, ability := range abilityOrder {
		a.scores[ability] = 10
		if score, ok := a.base[ability]; ok {
			a.scores[ability] = score
		}
		a.scores[ability] += a.race.Bonuses[ability]
	}
	for i, ability := range a.c.Choices.AbilityBonus {
		if _, ok := a.scores[ability]; ok && !slices.Contains(a.c.Choices.AbilityBonus[:i], ability) {
			a.scores[ability] += a.race.ChosenBonus
		}
	}
	a.improve()
	for _, class := range a.classes {
		for _, gain := range class.AbilityGains {
			if gain.Level > class.level {
				continue
			}
			for ability, bonus := range gain.Bonuses {
				a.scores[ability] = max(a.scores[ability], min(a.scores[ability]+bonus, gain.Maximum))
			}
		}
	}
}

// improve checks the Ability Score Improvements and adds those of the levels reached. Those to come are checked too,
// so that reaching them breaks no rule.
func (a *analysis) improve() {
	improvements := a.c.Choices.Improvements
	if len(improvements) > MaxChoices {
		a.broken.add("/choices/improvements", "must have at most %d entries, has %d", MaxChoices, len(improvements))
		return
	}
	type place struct {
		class string
		level int
	}
	spent := map[place]int{}
	planned := map[string]int{}
	for ability, score := range a.scores {
		planned[ability] = score
	}
	for i, improvement := range improvements {
		pointer := fmt.Sprintf("/choices/improvements/%d", i)
		at := place{improvement.Class, improvement.Level}
		if at.class == "" {
			at.class = a.c.Class
		}
		class := slices.IndexFunc(a.classes, func(c classLevels) bool { return c.Slug == at.class })
		if class < 0 {
			if improvement.Class != "" {
				a.broken.add(pointer+"/class", "the character has no levels in %q", improvement.Class)
			}
			continue // an unknown first class is noted already
		}
		if !slices.Contains(a.classes[class].Improvements, at.level) {
			a.broken.add(pointer+"/level", "the %s improves abilities at the class levels %s, not %d", at.class, numerals(a.classes[class].Improvements), at.level)
			continue
		}
		if _, twice := spent[at]; twice {
			a.broken.add(pointer, "level %d of the %s stands there twice; give all its points in one place", at.level, at.class)
			continue
		}
		reached := a.classes[class].level >= at.level
		spent[at] = a.improvement(pointer, improvement, planned, reached)
	}
	for _, class := range a.classes {
		for _, level := range class.Improvements {
			if level <= class.level {
				a.openImprovement(class, level, improvementPoints-spent[place{class.Slug, level}])
			}
		}
	}
}

// improvementPoints are spent on one ability, or on two.
const improvementPoints = 2

// improvement checks one entry, adds it to the planned scores and, if its level is reached, to the scores; it tells
// how many points it spends.
func (a *analysis) improvement(pointer string, improvement Improvement, planned map[string]int, reached bool) int {
	points := 0
	for _, ability := range sortedKeys(improvement.Abilities) {
		at, n := pointerTo(pointer+"/abilities", ability), improvement.Abilities[ability]
		if _, ok := srd.FindAbility(ability); !ok {
			a.broken.add(at, "%s", unknown(ability, "ability", abilityOrder))
			return improvementPoints
		}
		if !a.broken.within(at, n, 1, improvementPoints) {
			return improvementPoints
		}
		points += n
		if planned[ability] += n; planned[ability] > MaxScore {
			a.broken.add(at, "improvements raise an ability to %d at most; %s would be %d", MaxScore, ability, planned[ability])
		}
		if reached {
			a.scores[ability] += n
		}
	}
	if points > improvementPoints {
		a.broken.add(pointer+"/abilities", "one improvement has %d points: 2 for one ability or 1 each for two; these are %d", improvementPoints, points)
	}
	return points
}

// openImprovement notes points that are not spent yet.
func (a *analysis) openImprovement(class classLevels, level, points int) {
	var from []string
	for _, ability := range abilityOrder {
		if a.scores[ability] < MaxScore {
			from = append(from, ability)
		}
	}
	if points > 0 && len(from) > 0 {
		a.pending = append(a.pending, Pending{Field: srd.FieldImprovements, Choose: points, From: from, Level: level, Class: class.Slug})
	}
}
