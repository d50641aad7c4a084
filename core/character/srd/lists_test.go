package srd

import (
	"slices"
	"strings"
	"testing"
)

func TestSkills(t *testing.T) {
	checkNames(t, Skills(), func(s Skill) (string, string) { return s.Slug, s.Name })
	byAbility := map[string][]string{}
	for _, s := range Skills() {
		checkText(t, s.Slug, s.Text)
		byAbility[s.Ability] = append(byAbility[s.Ability], s.Slug)
	}
	for ability, want := range map[string]string{
		"str": "athletics",
		"dex": "acrobatics sleight-of-hand stealth",
		"con": "",
		"int": "arcana history investigation nature religion",
		"wis": "animal-handling insight medicine perception survival",
		"cha": "deception intimidation performance persuasion",
	} {
		if got := strings.Join(byAbility[ability], " "); got != want {
			t.Errorf("skills of %s: %s", ability, got)
		}
	}
	if len(Skills()) != 18 {
		t.Errorf("%d skills", len(Skills()))
	}
	if _, ok := FindSkill("lockpicking"); ok {
		t.Error("found a skill that does not exist")
	}
}

func TestLanguages(t *testing.T) {
	checkNames(t, Languages(), func(l Language) (string, string) { return l.Slug, l.Name })
	byKind := map[LanguageKind][]string{}
	for _, l := range Languages() {
		byKind[l.Kind] = append(byKind[l.Kind], l.Slug)
		if len(l.Speakers) == 0 || l.Text != "" && !strings.HasSuffix(l.Text, ".") {
			t.Errorf("%+v", l)
		}
		script, ok := FindLanguage(l.Script)
		if l.Script != "" && (!ok || script.Script != l.Script) {
			t.Errorf("%s is written in %q", l.Slug, l.Script)
		}
	}
	for kind, want := range map[LanguageKind]string{
		StandardLanguage: "common dwarvish elvish giant gnomish goblin halfling orc",
		ExoticLanguage:   "abyssal celestial deep-speech draconic infernal primordial sylvan undercommon",
		SecretLanguage:   "druidic thieves-cant",
	} {
		if got := strings.Join(byKind[kind], " "); got != want {
			t.Errorf("%s languages: %s", kind, got)
		}
	}
	choosable := ChoosableLanguages()
	if len(Languages()) != 18 || len(choosable) != 16 || !slices.IsSorted(choosable) ||
		slices.Contains(choosable, "druidic") || slices.Contains(choosable, "thieves-cant") {
		t.Errorf("languages to choose from: %v", choosable)
	}
}

func TestConditions(t *testing.T) {
	checkNames(t, Conditions(), func(c Condition) (string, string) { return c.Slug, c.Name })
	var slugs []string
	for _, c := range Conditions() {
		slugs = append(slugs, c.Slug)
		checkText(t, c.Slug, c.Text)
		if want := map[string]int{"exhaustion": 6}[c.Slug]; len(c.Levels) != want {
			t.Errorf("%s has the levels %q", c.Slug, c.Levels)
		}
	}
	if got := strings.Join(slugs, " "); got != "blinded charmed deafened exhaustion frightened grappled incapacitated "+
		"invisible paralyzed petrified poisoned prone restrained stunned unconscious" {
		t.Errorf("conditions: %s", got)
	}
	if _, ok := FindCondition("tired"); ok {
		t.Error("found a condition that does not exist")
	}
}
