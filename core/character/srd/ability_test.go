package srd_test

import (
	"strings"
	"testing"

	"bitbucket.org/templar/templar/core/character/srd"
)

func TestAbilities(t *testing.T) {
	var order []string
	for _, a := range srd.Abilities() {
		order = append(order, a.Slug)
		if got, ok := srd.FindAbility(a.Slug); !ok || got != a {
			t.Errorf("FindAbility(%q) = %+v, %v", a.Slug, got, ok)
		}
		isShort(t, "ability "+a.Slug, a.Text)
	}
	if got := strings.Join(order, " "); got != "str dex con int wis cha" {
		t.Errorf("the abilities are %s", got)
	}
	if _, ok := srd.FindAbility("luck"); ok {
		t.Error("there is no ability luck")
	}
}

func TestAbilityModifier(t *testing.T) {
	for score, want := range map[int]int{1: -5, 2: -4, 3: -4, 8: -1, 9: -1, 10: 0, 11: 0, 12: 1, 15: 2, 18: 4, 20: 5, 24: 7, 30: 10} {
		if got := srd.AbilityModifier(score); got != want {
			t.Errorf("AbilityModifier(%d) = %d, want %d", score, got, want)
		}
	}
}

func TestPointBuy(t *testing.T) {
	for score, want := range map[int]int{8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 13: 5, 14: 7, 15: 9} {
		if got, ok := srd.PointBuyCost(score); !ok || got != want {
			t.Errorf("PointBuyCost(%d) = %d, %v, want %d", score, got, ok, want)
		}
	}
	for _, score := range []int{-1, 7, 16} {
		if _, ok := srd.PointBuyCost(score); ok {
			t.Errorf("a score of %d can be bought", score)
		}
	}
	total := 0
	for _, score := range srd.StandardArray() {
		cost, _ := srd.PointBuyCost(score)
		total += cost
	}
	// The standard array is one of the arrays that the points buy exactly.
	if total != srd.PointBuyPoints {
		t.Errorf("the standard array costs %d points", total)
	}
}

func TestAttribution(t *testing.T) {
	for _, part := range []string{"System Reference Document 5.1", "Wizards of the Coast LLC", "https://creativecommons.org/licenses/by/4.0/legalcode"} {
		if !strings.Contains(srd.Attribution, part) {
			t.Errorf("the attribution does not name %q", part)
		}
	}
}

// isShort fails for a description that is missing, no sentence, or longer than words of our own need be.
func isShort(t *testing.T, what, text string) {
	t.Helper()
	if text == "" || !strings.HasSuffix(text, ".") || len(text) > 230 {
		t.Errorf("%s: the description is no sentence of 1 to 230 bytes: %q (%d)", what, text, len(text))
	}
}
