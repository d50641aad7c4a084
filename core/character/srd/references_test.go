package srd_test

import (
	"regexp"
	"slices"
	"testing"

	"bitbucket.org/templar/templar/core/character/srd"
)

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checkFeatures fails for features without slug, name, level or description, and for a slug that stands there twice.
func checkFeatures(t *testing.T, of string, features []srd.Feature) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range features {
		if !slugForm.MatchString(f.Slug) || f.Name == "" || f.Level < 1 || f.Level > srd.MaxLevel {
			t.Errorf("%s: feature %+v", of, f)
		}
		if seen[f.Slug] && f.Slug != "ability-score-improvement" {
			t.Errorf("%s: the feature %s stands there twice", of, f.Slug)
		}
		seen[f.Slug] = true
		isShort(t, of+" "+f.Slug, f.Text)
	}
}

// known reports by field whether a slug can be an answer to a choice.
var known = map[string]func(slug string) bool{
	srd.FieldSubclass:                func(s string) bool { _, ok := srd.FindSubclass(s); return ok },
	srd.FieldSpells:                  func(s string) bool { p, ok := srd.FindSpell(s); return ok && !p.Cantrip() },
	srd.FieldCantrips:                func(s string) bool { p, ok := srd.FindSpell(s); return ok && p.Cantrip() },
	srd.FieldMysticArcanum:           func(s string) bool { p, ok := srd.FindSpell(s); return ok && p.Level >= 6 && p.On("warlock") },
	srd.FieldSpellMastery:            func(s string) bool { p, ok := srd.FindSpell(s); return ok && p.Level <= 2 && p.On("wizard") },
	srd.FieldSignatureSpells:         func(s string) bool { p, ok := srd.FindSpell(s); return ok && p.Level == 3 && p.On("wizard") },
	srd.FieldSkills:                  isSkill,
	srd.FieldExpertise:               func(s string) bool { return isSkill(s) || s == "thieves-tools" },
	srd.FieldTools:                   isTool,
	srd.FieldLanguages:               func(s string) bool { l, ok := srd.FindLanguage(s); return ok && l.Choosable() },
	srd.FieldAbilityBonus:            isAbility,
	srd.FieldImprovements:            isAbility,
	srd.FieldDraconicAncestry:        isAncestry,
	srd.FieldDragonAncestor:          isAncestry,
	srd.FieldFightingStyle:           isOption(srd.FightingStyles),
	srd.FieldAdditionalFightingStyle: isOption(srd.FightingStyles),
	srd.FieldFavoredEnemies:          isOption(srd.FavoredEnemies),
	srd.FieldFavoredTerrains:         isOption(srd.FavoredTerrains),
	srd.FieldHuntersPrey:             isOption(srd.HuntersPrey),
	srd.FieldDefensiveTactics:        isOption(srd.DefensiveTactics),
	srd.FieldMultiattack:             isOption(srd.Multiattack),
	srd.FieldSuperiorHuntersDefense:  isOption(srd.SuperiorHuntersDefense),
	srd.FieldCircleLand:              isOption(srd.CircleLands),
	srd.FieldMetamagic:               isOption(srd.Metamagic),
	srd.FieldInvocations:             isOption(srd.Invocations),
	srd.FieldPactBoon:                isOption(srd.PactBoons),
}

func isSkill(s string) bool    { _, ok := srd.FindSkill(s); return ok }
func isAbility(s string) bool  { _, ok := srd.FindAbility(s); return ok }
func isAncestry(s string) bool { _, ok := srd.FindDraconicAncestry(s); return ok }
func isTool(s string) bool     { i, ok := srd.FindItem(s); return ok && i.Category == srd.ToolItem }
func isOption(group string) func(string) bool {
	return func(s string) bool { _, ok := srd.FindOption(group, s); return ok }
}

// checkChoice fails for a choice that nobody can take: of an unknown field, of slugs that do not exist, of fewer slugs
// than are to be chosen.
func checkChoice(t *testing.T, of string, c srd.Choice) {
	t.Helper()
	is, ok := known[c.Field]
	if !ok {
		t.Errorf("%s: nothing is known of the field %q", of, c.Field)
		return
	}
	if c.Choose < 1 || len(c.From) < c.Choose {
		t.Errorf("%s: %s: choose %d from %v", of, c.Field, c.Choose, c.From)
	}
	for i, slug := range c.From {
		if !is(slug) {
			t.Errorf("%s: %s: there is no %q to choose", of, c.Field, slug)
		}
		if slices.Contains(c.From[:i], slug) {
			t.Errorf("%s: %s: %q stands there twice", of, c.Field, slug)
		}
	}
}

// checkProficiencies fails for slugs that do not exist.
func checkProficiencies(t *testing.T, of string, armor, weapons, tools, skills, languages []string) {
	t.Helper()
	for _, s := range armor {
		if !slices.Contains([]string{"light", "medium", "heavy", "shield"}, s) {
			t.Errorf("%s: there is no armor category %q", of, s)
		}
	}
	for _, s := range weapons {
		if i, ok := srd.FindItem(s); s != "simple" && s != "martial" && (!ok || i.Weapon == nil) {
			t.Errorf("%s: there is no weapon %q", of, s)
		}
	}
	for _, s := range tools {
		if !isTool(s) {
			t.Errorf("%s: there is no tool %q", of, s)
		}
	}
	for _, s := range skills {
		if !isSkill(s) {
			t.Errorf("%s: there is no skill %q", of, s)
		}
	}
	for _, s := range languages {
		if _, ok := srd.FindLanguage(s); !ok {
			t.Errorf("%s: there is no language %q", of, s)
		}
	}
}

// checkStacks fails for items that do not exist or have no count.
func checkStacks(t *testing.T, of string, items []srd.Content) {
	t.Helper()
	for _, c := range items {
		if _, ok := srd.FindItem(c.Item); !ok || c.Count < 1 {
			t.Errorf("%s: there is no item %+v", of, c)
		}
	}
}

// checkSpells fails for spells that do not exist or that a caster cannot cast yet. The level of an entry is a class
// level; maxLevel is the highest spell level that such a class casts at it.
func checkSpells(t *testing.T, of string, spells []srd.LevelSpells, maxLevel func(classLevel int) int) {
	t.Helper()
	for _, l := range spells {
		for _, s := range l.Spells {
			spell, ok := srd.FindSpell(s)
			if !ok || spell.Level < 1 || spell.Level != maxLevel(l.Level) {
				t.Errorf("%s: level %d: %q is a spell %v of level %d, not %d", of, l.Level, s, ok, spell.Level, maxLevel(l.Level))
			}
		}
	}
}
