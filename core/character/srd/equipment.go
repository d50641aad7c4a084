package srd

import "slices"

// ItemCategory is the kind of a piece of equipment.
type ItemCategory string

// The kinds of equipment. Which parts of an Item are set follows from its kind.
const (
	ArmorItem     ItemCategory = "armor"      // armour and the shield; Item.Armor is set
	WeaponItem    ItemCategory = "weapon"     // Item.Weapon is set
	GearItem      ItemCategory = "gear"       // adventuring gear, ammunition and foci
	PackItem      ItemCategory = "pack"       // Item.Contents is set
	ToolItem      ItemCategory = "tool"       // what a character can be proficient with
	MountItem     ItemCategory = "mount"      // mounts and other animals; Item.Travel is set
	TackItem      ItemCategory = "tack"       // saddles, bridles, feed, stabling, barding
	VehicleItem   ItemCategory = "vehicle"    // drawn and waterborne vehicles; Item.Travel is set for ships and boats
	TradeGoodItem ItemCategory = "trade-good" // goods that merchants deal in by the pound, the yard or the head
)

// Item is a piece of equipment: what the SRD's tables of equipment sell, and the few things that only come with a pack
// or a background.
//
// Group divides a category, and is empty for the others:
//
//	armor    light, medium, heavy, shield
//	weapon   simple-melee, simple-ranged, martial-melee, martial-ranged
//	gear     ammunition, arcane-focus, druidic-focus, holy-symbol, spellbook, standard; unpriced for what only comes
//	         with a pack or a background: it has neither price nor weight in the SRD, both are 0
//	tool     artisans-tools, gaming-set, musical-instrument, other; vehicles for the two proficiencies that are no things
//	tack     standard, barding
//	vehicle  land, water
type Item struct {
	Slug     string
	Name     string
	Category ItemCategory
	Group    string
	CostCP   int       // price of a purchase in copper pieces
	Weight   float64   // weight of a purchase in pounds; of a pack, what its contents weigh; 0 where the SRD has none
	Count    int       // how many pieces one purchase holds: 20 for arrows, 1 for most things, never less
	Text     string    // what it does or how it is sold, in own words; often empty
	Armor    *Armor    // nil for what is none
	Weapon   *Weapon   // nil for what is none
	Travel   *Travel   // nil for what does not move by itself
	Contents []Content // what a pack holds; empty for everything else
}

// UnitWeight is the weight of one piece in pounds: an arrow, not the quiver of 20.
func (i Item) UnitWeight() float64 { return i.Weight / float64(max(i.Count, 1)) }

// Content is an item and how many pieces of it, in a pack or in a background's equipment.
type Content struct {
	Item  string // slug
	Count int
}

// Armor is what a suit of armour or a shield does for its wearer.
type Armor struct {
	Category string // light, medium, heavy or shield; also the proficiency that it needs
	Base     int    // armour class without any modifier; for a shield, what it adds
	Dex      bool   // whether the Dexterity modifier is added
	MaxDex   int    // the most that Dexterity adds; 0 for no limit. Only medium armour has one, 2.
	Strength int    // the Strength score below which it slows its wearer by 10 feet; 0 for none
	Stealth  bool   // whether Dexterity (Stealth) checks are made with disadvantage
}

// DamageDice are the dice of a weapon's damage and what they do.
type DamageDice struct {
	Count int    // how many dice
	Sides int    // 1 for damage that is not rolled (the blowgun's 1)
	Type  string // bludgeoning, piercing or slashing
}

// Weapon is what a weapon does.
type Weapon struct {
	Category   string      // simple or martial
	Ranged     bool        // false for a melee weapon, thrown or not
	Damage     *DamageDice // nil for the net, which does none
	Versatile  *DamageDice // damage in two hands; nil if the weapon is not versatile
	Properties []string    // of the Property constants, sorted
	Range      int         // normal range in feet of a thrown or ranged weapon; else 0
	LongRange  int         // long range in feet; else 0
	Ammunition string      // slug of what it shoots; empty for none
}

// Has tells whether the weapon has the property, such as PropertyFinesse.
func (w Weapon) Has(property string) bool { return slices.Contains(w.Properties, property) }

// The properties of weapons.
const (
	PropertyAmmunition = "ammunition" // shoots something that is used up
	PropertyFinesse    = "finesse"    // Strength or Dexterity, as the wielder likes
	PropertyHeavy      = "heavy"      // Small creatures attack with disadvantage
	PropertyLight      = "light"      // fit for fighting with two weapons
	PropertyLoading    = "loading"    // one shot per action
	PropertyReach      = "reach"      // 5 feet farther
	PropertySpecial    = "special"    // a rule of its own, in the item's text
	PropertyThrown     = "thrown"     // can be thrown for a ranged attack
	PropertyTwoHanded  = "two-handed" // needs both hands to attack
	PropertyVersatile  = "versatile"  // one hand or two
)

// Travel is how an animal or a vehicle moves and what it carries.
type Travel struct {
	SpeedFeet int     // feet a round, of an animal; 0 for ships and boats
	SpeedMPH  float64 // miles an hour, of ships and boats; 0 for animals
	Capacity  int     // pounds that an animal carries; 0 for ships and boats
}

var items = loadItems()

// loadItems reads the equipment; a count that the file leaves out is 1.
func loadItems() table[Item] {
	t := newTable("equipment.json", func(i Item) string { return i.Slug })
	for n := range t.sorted {
		t.sorted[n].Count = max(t.sorted[n].Count, 1)
	}
	return t
}

// Items returns all equipment, sorted by slug. The slice and what its records point to are shared: do not write to
// them.
func Items() []Item { return items.all() }

// FindItem returns the piece of equipment with the slug, and whether there is one. What the record points to is
// shared: do not write to it.
func FindItem(slug string) (Item, bool) { return items.find(slug) }

// ItemsIn returns the slugs of the equipment of a category, sorted, of one group of it unless group is empty. The slice
// is the caller's own.
func ItemsIn(category ItemCategory, group string) []string {
	var slugs []string
	for _, i := range Items() {
		if i.Category == category && (group == "" || i.Group == group) {
			slugs = append(slugs, i.Slug)
		}
	}
	return slugs
}
