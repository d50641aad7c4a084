package srd

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestSpellCounts(t *testing.T) {
	if got := len(Spells()); got != 319 {
		t.Errorf("%d spells, the SRD 5.1 has 319", got)
	}
	levels, schools := map[int]int{}, map[string]int{}
	for _, s := range Spells() {
		levels[s.Level]++
		schools[s.School]++
	}
	for level, want := range []int{24, 49, 54, 42, 31, 37, 31, 20, 16, 15} {
		if levels[level] != want {
			t.Errorf("%d spells of level %d, not %d", levels[level], level, want)
		}
	}
	if len(levels) != 10 {
		t.Errorf("levels %v", levels)
	}
	if len(Schools()) != 8 || !slices.IsSorted(Schools()) {
		t.Errorf("schools %v", Schools())
	}
	for _, school := range Schools() {
		if schools[school] == 0 {
			t.Errorf("no spell of %s", school)
		}
		delete(schools, school)
	}
	if len(schools) != 0 {
		t.Errorf("there are no such schools: %v", schools)
	}
}

func TestSpellLists(t *testing.T) {
	want := map[string][]string{}
	for class, levels := range spellLists {
		for level, text := range levels {
			list := strings.Fields(text)
			var got []string
			for _, s := range SpellsOf(class, level, level) {
				got = append(got, s.Slug)
			}
			if !slices.Equal(got, list) {
				t.Errorf("%s, level %d:\n got %v\nwant %v", class, level, got, list)
			}
			for _, slug := range list {
				want[slug] = append(want[slug], class)
			}
		}
	}
	for _, s := range Spells() {
		list := want[s.Slug]
		slices.Sort(list)
		if !slices.Equal(s.Classes, list) {
			t.Errorf("%s is on the lists of %v, not of %v", s.Slug, s.Classes, list)
		}
	}
	for class, total := range map[string]int{"bard": 112, "cleric": 105, "druid": 105, "paladin": 31, "ranger": 37,
		"sorcerer": 120, "warlock": 64, "wizard": 204} {
		if got := len(SpellsOf(class, 0, 9)); got != total {
			t.Errorf("%d spells of the %s, not %d", got, class, total)
		}
	}
	if got := SpellsOf("fighter", 0, 9); got != nil {
		t.Errorf("the fighter has spells: %v", got)
	}
}

func TestSpellFields(t *testing.T) {
	checkNames(t, Spells(), func(s Spell) (string, string) { return s.Slug, s.Name })
	var (
		castingTime = regexp.MustCompile(`^(1 (action|bonus action|reaction|minute|hour)|1 action or 8 hours|` +
			`10 minutes|(8|12|24) hours)$`)
		reach = regexp.MustCompile(`^(Self|Self \(\d+-foot (cone|line|cube|radius)\)|` +
			`Self \(10-foot-radius (hemisphere|sphere)\)|Self \(5-mile radius\)|` +
			`Touch|Sight|Special|Unlimited|\d+ feet|1 mile|500 miles)$`)
		duration = regexp.MustCompile(`^(Instantaneous|Special|Until dispelled( or triggered)?|(Up to )?` +
			`(1 (round|minute|hour|day)|\d+ (minutes|hours|days)))$`)
	)
	for _, s := range Spells() {
		if len(s.Classes) == 0 || !slices.IsSorted(s.Classes) || len(slices.Compact(slices.Clone(s.Classes))) != len(s.Classes) {
			t.Errorf("%s is on the lists of %v", s.Slug, s.Classes)
		}
		for _, class := range s.Classes {
			c, ok := FindClass(class)
			if !ok || c.Spellcasting == nil {
				t.Errorf("%s names the class %q", s.Slug, class)
			}
		}
		if !castingTime.MatchString(s.CastingTime) || !reach.MatchString(s.Range) || !duration.MatchString(s.Duration) {
			t.Errorf("%s: %q, %q, %q", s.Slug, s.CastingTime, s.Range, s.Duration)
		}
		if !slices.Contains([]string{"V", "S", "VS", "VM", "SM", "VSM"}, strings.Join(s.Components, "")) {
			t.Errorf("%s has the components %v", s.Slug, s.Components)
		}
		if material := slices.Contains(s.Components, "M"); material != (s.Material != "") ||
			!material && (s.MaterialGP != 0 || s.Consumed) {
			t.Errorf("%s: components %v, material %q of %d gp", s.Slug, s.Components, s.Material, s.MaterialGP)
		}
		if len(s.Material) > 160 || strings.HasSuffix(s.Material, ".") {
			t.Errorf("%s needs %q", s.Slug, s.Material)
		}
		if s.Ritual && s.Cantrip() {
			t.Errorf("%s is a cantrip and a ritual", s.Slug)
		}
		if s.Concentration && (strings.HasPrefix(s.Duration, "Until") || s.Duration == "Instantaneous") {
			t.Errorf("%s is concentrated on and lasts %q", s.Slug, s.Duration)
		}
	}
}

// TestSpellFlags holds the flags that are easily missed against the SRD's complete lists of rituals, of bonus actions
// and reactions, and of materials that are used up.
func TestSpellFlags(t *testing.T) {
	var rituals, quick, consumed []string
	for _, s := range Spells() {
		if s.Ritual {
			rituals = append(rituals, s.Slug)
		}
		if s.CastingTime == "1 bonus action" || s.CastingTime == "1 reaction" {
			quick = append(quick, s.Slug)
		}
		if s.Consumed {
			consumed = append(consumed, s.Slug)
		}
	}
	for name, list := range map[string]struct {
		got  []string
		want string
	}{
		"rituals": {rituals, `alarm animal-messenger augury commune commune-with-nature comprehend-languages
			contact-other-plane detect-magic detect-poison-and-disease divination find-familiar floating-disk forbiddance
			gentle-repose identify illusory-script instant-summons locate-animals-or-plants magic-mouth meld-into-stone
			phantom-steed purify-food-and-drink silence speak-with-animals telepathic-bond tiny-hut unseen-servant
			water-breathing water-walk`},
		"bonus actions and reactions": {quick, `branding-smite counterspell divine-favor divine-word expeditious-retreat
			feather-fall flame-blade healing-word hellish-rebuke hunters-mark magic-weapon mass-healing-word misty-step
			sanctuary shield shield-of-faith shillelagh spiritual-weapon`},
		"used up": {consumed, `arcane-lock astral-projection awaken clone continual-flame divination find-familiar
			glyph-of-warding greater-restoration hallow heroes-feast illusory-script legend-lore magic-circle magic-mouth
			nondetection planar-binding protection-from-evil-and-good raise-dead reincarnate resurrection revivify sequester
			simulacrum stoneskin symbol teleportation-circle true-resurrection true-seeing`},
	} {
		if want := strings.Fields(list.want); !slices.Equal(list.got, want) {
			t.Errorf("%s:\n got %v\nwant %v", name, list.got, want)
		}
	}
}

func TestFindSpell(t *testing.T) {
	s, ok := FindSpell("revivify")
	if !ok || s.Name != "Revivify" || s.Level != 3 || s.School != "necromancy" || s.MaterialGP != 300 || !s.Consumed ||
		s.Range != "Touch" || s.Concentration || s.Cantrip() || !s.On("paladin") || s.On("druid") {
		t.Errorf("got %+v, %v", s, ok)
	}
	if s, ok := FindSpell("fire-bolt"); !ok || !s.Cantrip() {
		t.Errorf("got %+v, %v", s, ok)
	}
	if _, ok := FindSpell("Revivify"); ok {
		t.Error("found by its name")
	}
	if got := SpellsOf("paladin", 1, 2); len(got) != 19 {
		t.Errorf("%d spells of the paladin up to level 2", len(got))
	}
}
