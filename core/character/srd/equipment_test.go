package srd

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// groups are the groups of every category and how many items each has in the SRD's tables.
var groups = map[ItemCategory]map[string]int{
	ArmorItem:  {"light": 3, "medium": 5, "heavy": 4, "shield": 1},
	WeaponItem: {"simple-melee": 10, "simple-ranged": 4, "martial-melee": 18, "martial-ranged": 5},
	GearItem: {"ammunition": 4, "arcane-focus": 5, "druidic-focus": 4, "holy-symbol": 3, "spellbook": 1,
		"standard": 82, "unpriced": 11},
	ToolItem: {"artisans-tools": 17, "gaming-set": 2, "musical-instrument": 10, "other": 6, "vehicles": 2},
	PackItem: {"": 7}, MountItem: {"": 8}, TackItem: {"standard": 8, "barding": 12},
	VehicleItem: {"land": 5, "water": 6}, TradeGoodItem: {"": 23},
}

func TestEquipmentCounts(t *testing.T) {
	total := 0
	for category, counts := range groups {
		for group, want := range counts {
			got := 0
			for _, i := range Items() {
				if i.Category == category && i.Group == group {
					got++
				}
			}
			if got != want {
				t.Errorf("%d items of %s %q, not %d", got, category, group, want)
			}
			total += want
		}
	}
	if len(Items()) != total {
		t.Errorf("%d items, not %d: some are in no known group", len(Items()), total)
	}
	if got := ItemsIn(ArmorItem, "heavy"); !slices.Equal(got, []string{"chain-mail", "plate", "ring-mail", "splint"}) {
		t.Errorf("heavy armour: %v", got)
	}
	if got := ItemsIn(WeaponItem, ""); len(got) != 37 || !slices.IsSorted(got) {
		t.Errorf("weapons: %v", got)
	}
	if got := ItemsIn(MountItem, "flying"); got != nil {
		t.Errorf("flying mounts: %v", got)
	}
}

func TestEquipmentFields(t *testing.T) {
	checkNames(t, Items(), func(i Item) (string, string) { return i.Slug, i.Name })
	for _, i := range Items() {
		if i.Text != "" {
			checkText(t, i.Slug, i.Text)
		}
		free := i.Group == "unpriced" || i.Group == "vehicles"
		if (i.CostCP == 0) != free || i.CostCP < 0 {
			t.Errorf("%s costs %d cp", i.Slug, i.CostCP)
		}
		if i.Weight < 0 || free && (i.Weight != 0 || i.Text == "") || i.Weight*4 != math.Trunc(i.Weight*4) {
			t.Errorf("%s weighs %v", i.Slug, i.Weight)
		}
		if wantCount := map[string]int{"arrow": 20, "blowgun-needle": 50, "crossbow-bolt": 20, "sling-bullet": 20,
			"iron-spike": 10}[i.Slug]; i.Count != max(wantCount, 1) {
			t.Errorf("%s comes in %d", i.Slug, i.Count)
		}
		if (i.Armor != nil) != (i.Category == ArmorItem) || (i.Weapon != nil) != (i.Category == WeaponItem) ||
			(len(i.Contents) != 0) != (i.Category == PackItem) ||
			(i.Travel != nil) != (i.Category == MountItem || i.Group == "water") {
			t.Errorf("%s, %s: the wrong parts are set: %+v", i.Slug, i.Category, i)
		}
		if tr := i.Travel; tr != nil && ((tr.SpeedFeet == 0) == (tr.SpeedMPH == 0) || (tr.Capacity == 0) != (tr.SpeedFeet == 0)) {
			t.Errorf("%s moves by %+v", i.Slug, tr)
		}
	}
	arrow, _ := FindItem("arrow")
	if got := arrow.UnitWeight(); got != 0.05 {
		t.Errorf("an arrow weighs %v", got)
	}
	if _, ok := FindItem("chainmail"); ok {
		t.Error("found a slug that does not exist")
	}
}

func TestArmor(t *testing.T) {
	// Category, base, Dexterity and its maximum, Strength, stealth, price in gold pieces, weight: the SRD's table.
	type row struct {
		Armor
		gp     int
		weight float64
	}
	for slug, want := range map[string]row{
		"padded":          {Armor{"light", 11, true, 0, 0, true}, 5, 8},
		"leather":         {Armor{"light", 11, true, 0, 0, false}, 10, 10},
		"studded-leather": {Armor{"light", 12, true, 0, 0, false}, 45, 13},
		"hide":            {Armor{"medium", 12, true, 2, 0, false}, 10, 12},
		"chain-shirt":     {Armor{"medium", 13, true, 2, 0, false}, 50, 20},
		"scale-mail":      {Armor{"medium", 14, true, 2, 0, true}, 50, 45},
		"breastplate":     {Armor{"medium", 14, true, 2, 0, false}, 400, 20},
		"half-plate":      {Armor{"medium", 15, true, 2, 0, true}, 750, 40},
		"ring-mail":       {Armor{"heavy", 14, false, 0, 0, true}, 30, 40},
		"chain-mail":      {Armor{"heavy", 16, false, 0, 13, true}, 75, 55},
		"splint":          {Armor{"heavy", 17, false, 0, 15, true}, 200, 60},
		"plate":           {Armor{"heavy", 18, false, 0, 15, true}, 1500, 65},
		"shield":          {Armor{"shield", 2, false, 0, 0, false}, 10, 6},
	} {
		i, ok := FindItem(slug)
		if !ok || i.Armor == nil {
			t.Errorf("there is no %s", slug)
			continue
		}
		if got := (row{*i.Armor, i.CostCP / 100, i.Weight}); got != want || i.CostCP%100 != 0 || i.Group != i.Armor.Category {
			t.Errorf("%s: got %+v, want %+v", slug, got, want)
		}
		barding, ok := FindItem(slug + "-barding")
		if ok != (slug != "shield") || ok && (barding.CostCP != 4*i.CostCP || barding.Weight != 2*i.Weight) {
			t.Errorf("%s for a mount: %+v", slug, barding)
		}
	}
}

func TestWeapons(t *testing.T) {
	properties := []string{PropertyAmmunition, PropertyFinesse, PropertyHeavy, PropertyLight, PropertyLoading, PropertyReach,
		PropertySpecial, PropertyThrown, PropertyTwoHanded, PropertyVersatile}
	for _, slug := range ItemsIn(WeaponItem, "") {
		i, _ := FindItem(slug)
		w := i.Weapon
		kind := "melee"
		if w.Ranged {
			kind = "ranged"
		}
		if i.Group != w.Category+"-"+kind {
			t.Errorf("%s is %s, %s, in the group %s", slug, w.Category, kind, i.Group)
		}
		if !slices.IsSorted(w.Properties) || len(slices.Compact(slices.Clone(w.Properties))) != len(w.Properties) {
			t.Errorf("%s: %v", slug, w.Properties)
		}
		for _, p := range w.Properties {
			if !slices.Contains(properties, p) {
				t.Errorf("%s has the property %q", slug, p)
			}
		}
		if (w.Damage == nil) != (slug == "net") || (w.Versatile != nil) != w.Has(PropertyVersatile) {
			t.Errorf("%s: damage %v, in two hands %v", slug, w.Damage, w.Versatile)
		}
		for _, d := range []*DamageDice{w.Damage, w.Versatile} {
			if d != nil && (d.Count < 1 || !slices.Contains([]int{1, 4, 6, 8, 10, 12}, d.Sides) ||
				!slices.Contains([]string{"bludgeoning", "piercing", "slashing"}, d.Type)) {
				t.Errorf("%s: %+v", slug, d)
			}
		}
		if w.Versatile != nil && (w.Versatile.Sides != w.Damage.Sides+2 || w.Versatile.Type != w.Damage.Type) {
			t.Errorf("%s: %+v in one hand, %+v in two", slug, w.Damage, w.Versatile)
		}
		if (w.Range > 0) != (w.Has(PropertyThrown) || w.Ranged) || w.Range > w.LongRange || (w.Range == 0) != (w.LongRange == 0) {
			t.Errorf("%s: %v, %d/%d", slug, w.Properties, w.Range, w.LongRange)
		}
		shot, ok := FindItem(w.Ammunition)
		if w.Has(PropertyAmmunition) != ok || ok && shot.Group != "ammunition" || w.Has(PropertyAmmunition) && !w.Ranged {
			t.Errorf("%s shoots %q", slug, w.Ammunition)
		}
		if w.Has(PropertySpecial) != (i.Text != "") || w.Has(PropertyLight) && (w.Has(PropertyHeavy) || w.Has(PropertyTwoHanded)) {
			t.Errorf("%s: %v, %q", slug, w.Properties, i.Text)
		}
	}
}

// TestWeaponTable holds every weapon against its line of the SRD's table, typed in again: price in copper pieces, weight,
// damage, the first letter of its type, properties, range, damage in two hands.
func TestWeaponTable(t *testing.T) {
	for _, slug := range ItemsIn(WeaponItem, "") {
		i, _ := FindItem(slug)
		want, ok := weaponTable[slug]
		if got := weaponLine(i); !ok || got != want {
			t.Errorf("%s:\n got %s\nwant %s", slug, got, want)
		}
	}
	if len(weaponTable) != 37 {
		t.Errorf("%d lines", len(weaponTable))
	}
}

func TestPacks(t *testing.T) {
	for _, slug := range ItemsIn(PackItem, "") {
		pack, _ := FindItem(slug)
		var worth, weight float64
		complete := true
		seen := map[string]bool{}
		for _, c := range pack.Contents {
			i, ok := FindItem(c.Item)
			if !ok || c.Count < 1 || i.Category == PackItem || seen[c.Item] {
				t.Errorf("%s holds %+v", slug, c)
				continue
			}
			seen[c.Item] = true
			if i.Group == "unpriced" {
				complete = false
			}
			worth += float64(i.CostCP) / float64(i.Count) * float64(c.Count)
			weight += i.UnitWeight() * float64(c.Count)
		}
		// The SRD rounds the prices of its packs: never more than a gold piece away, unless they hold what has no price.
		if over := float64(pack.CostCP) - worth; over < -100 || complete && over > 100 {
			t.Errorf("%s costs %v cp more than its contents", slug, over)
		}
		if math.Abs(pack.Weight-weight) > 1e-9 {
			t.Errorf("%s weighs %v, its contents %v", slug, pack.Weight, weight)
		}
	}
	if p, _ := FindItem("explorers-pack"); p.Weight != 59 || len(p.Contents) != 8 {
		t.Errorf("got %+v", p)
	}
}

// TestPrices spot-checks prices and weights that the SRD writes in other units than gold pieces and pounds.
func TestPrices(t *testing.T) {
	for slug, want := range map[string]struct {
		cp     int
		weight float64
	}{
		"club": {10, 2}, "dart": {5, 0.25}, "sling-bullet": {4, 1.5}, "candle": {1, 0}, "torch": {1, 1},
		"rations": {50, 2}, "waterskin": {20, 5}, "spyglass": {100000, 1}, "dice-set": {10, 0},
		"potion-of-healing": {5000, 0.5}, "feed": {5, 10}, "stabling": {50, 0}, "galley": {3000000, 0}, "warhorse": {40000, 0},
		"tinkers-tools": {5000, 10}, "thieves-tools": {2500, 1}, "hempen-rope": {100, 10}, "ladder": {10, 25},
	} {
		if i, ok := FindItem(slug); !ok || i.CostCP != want.cp || i.Weight != want.weight {
			t.Errorf("%s: %d cp, %v lb, want %+v", slug, i.CostCP, i.Weight, want)
		}
	}
}

func TestBackgrounds(t *testing.T) {
	checkNames(t, Backgrounds(), func(b Background) (string, string) { return b.Slug, b.Name })
	b, ok := FindBackground("acolyte")
	if !ok || len(Backgrounds()) != 1 || !slices.Equal(b.Skills, []string{"insight", "religion"}) || b.CoinsCP != 1500 ||
		b.Feature.Slug != "shelter-of-the-faithful" {
		t.Errorf("got %+v", b)
	}
	checkText(t, b.Slug, b.Text)
	checkText(t, b.Feature.Slug, b.Feature.Text)
	for _, slug := range b.Skills {
		if _, ok := FindSkill(slug); !ok {
			t.Errorf("there is no skill %q", slug)
		}
	}
	choices := b.Choices()
	if len(choices) != 1 || choices[0].Field != FieldLanguages || choices[0].Choose != 2 || len(choices[0].From) != 16 {
		t.Errorf("choices %+v", choices)
	}
	if got := (Background{}).Choices(); got != nil {
		t.Errorf("choices of none: %+v", got)
	}
	var given []string
	for _, c := range b.Equipment.Items {
		given = append(given, c.Item)
	}
	for _, choice := range b.Equipment.Choices {
		for _, o := range choice.Options {
			given = append(given, o.From...)
			for _, c := range o.Items {
				given = append(given, c.Item)
			}
		}
	}
	for _, slug := range given {
		if _, ok := FindItem(slug); !ok {
			t.Errorf("there is no item %q", slug)
		}
	}
	slices.Sort(given)
	if got := strings.Join(given, " "); got != "amulet common-clothes emblem pouch prayer-book prayer-wheel reliquary "+
		"stick-of-incense vestments" {
		t.Errorf("equipment %s", got)
	}
}
