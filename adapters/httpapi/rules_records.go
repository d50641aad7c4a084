package httpapi

import (
	"strconv"

	"bitbucket.org/templar/templar/core/character/srd"
)

// The records of the rules as the API answers them, but for those of classes. Lists are never null.

// choiceObject is a decision: choose as many of from, and put them into the field of the character.
type choiceObject struct {
	Field  string   `json:"field"`
	Choose int      `json:"choose"`
	From   []string `json:"from"`
}

func showChoices(choices []srd.Choice) []choiceObject {
	return show(choices, func(c srd.Choice) choiceObject { return choiceObject{c.Field, c.Choose, listed(c.From)} })
}

// show maps a list, nil to an empty one.
func show[T, U any](list []T, one func(T) U) []U {
	shown := make([]U, len(list))
	for i, each := range list {
		shown[i] = one(each)
	}
	return shown
}

// shown is show for later.
func shown[T, U any](list func() []T, one func(T) U) func() []U {
	return func() []U { return show(list(), one) }
}

// listed is l, never nil: an empty list is [] in JSON.
func listed(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

// counted is m, never nil: an empty object is {} in JSON.
func counted[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

type featureObject struct {
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	Level int    `json:"level"`
	Text  string `json:"text"`
}

func showFeature(f srd.Feature) featureObject { return featureObject(f) }

type raceObject struct {
	Slug              string            `json:"slug"`
	Name              string            `json:"name"`
	Parent            string            `json:"parent"`
	Text              string            `json:"text"`
	Size              string            `json:"size"`
	Speed             int               `json:"speed"`
	Darkvision        int               `json:"darkvision"`
	AbilityBonuses    map[string]int    `json:"ability_bonuses"`
	ChosenBonus       int               `json:"chosen_bonus"`
	Languages         []string          `json:"languages"`
	Skills            []string          `json:"skills"`
	Armor             []string          `json:"armor"`
	Weapons           []string          `json:"weapons"`
	Tools             []string          `json:"tools"`
	HitPointsPerLevel int               `json:"hit_points_per_level"`
	IgnoresHeavyArmor bool              `json:"ignores_heavy_armor"`
	SpellAbility      string            `json:"spell_ability"`
	Spells            []raceSpellObject `json:"spells"`
	Traits            []featureObject   `json:"traits"`
	Choices           []choiceObject    `json:"choices"`
}

type raceSpellObject struct {
	Spell  string `json:"spell"`
	Level  int    `json:"level"`
	CastAt int    `json:"cast_at"`
	Uses   int    `json:"uses"`
}

func showRace(r srd.Race) raceObject {
	return raceObject{Slug: r.Slug, Name: r.Name, Parent: r.Parent, Text: r.Text, Size: r.Size, Speed: r.Speed, Darkvision: r.Darkvision,
		AbilityBonuses: counted(r.Bonuses), ChosenBonus: r.ChosenBonus, Languages: listed(r.Languages), Skills: listed(r.Skills),
		Armor: listed(r.Armor), Weapons: listed(r.Weapons), Tools: listed(r.Tools), HitPointsPerLevel: r.HitPointsPerLevel,
		IgnoresHeavyArmor: r.IgnoresHeavyArmor, SpellAbility: r.SpellAbility,
		Spells: show(r.Spells, func(s srd.RaceSpell) raceSpellObject { return raceSpellObject(s) }),
		Traits: show(r.Traits, showFeature), Choices: showChoices(r.Choices)}
}

type backgroundObject struct {
	Slug      string          `json:"slug"`
	Name      string          `json:"name"`
	Text      string          `json:"text"`
	Skills    []string        `json:"skills"`
	Tools     []string        `json:"tools"`
	Languages int             `json:"languages"`
	Equipment equipmentObject `json:"equipment"`
	CoinsCP   int             `json:"coins_cp"`
	Feature   textObject      `json:"feature"`
	Choices   []choiceObject  `json:"choices"`
}

type textObject struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
	Text string `json:"text"`
}

func showBackground(b srd.Background) backgroundObject {
	return backgroundObject{Slug: b.Slug, Name: b.Name, Text: b.Text, Skills: listed(b.Skills), Tools: listed(b.Tools), Languages: b.Languages,
		Equipment: showEquipment(b.Equipment), CoinsCP: b.CoinsCP, Feature: textObject(b.Feature), Choices: showChoices(b.Choices())}
}

// equipmentObject is what a new character starts with: the items, and one option of each of the choices.
type equipmentObject struct {
	Items   []contentObject         `json:"items"`
	Choices []equipmentChoiceObject `json:"choices"`
	// GoldDice is rolled, times GoldTimes, for the gold pieces of who buys everything instead; "" for a background.
	GoldDice  string `json:"gold_dice"`
	GoldTimes int    `json:"gold_times"`
}

type equipmentChoiceObject struct {
	Options []equipmentOptionObject `json:"options"`
}

type equipmentOptionObject struct {
	Items        []contentObject `json:"items"`
	Choose       int             `json:"choose"`
	From         []string        `json:"from"`
	IfProficient bool            `json:"if_proficient"`
}

type contentObject struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

func showContents(contents []srd.Content) []contentObject {
	return show(contents, func(c srd.Content) contentObject { return contentObject(c) })
}

func showEquipment(e srd.StartingEquipment) equipmentObject {
	return equipmentObject{Items: showContents(e.Items), GoldDice: e.GoldDice, GoldTimes: e.GoldTimes,
		Choices: show(e.Choices, func(c srd.EquipmentChoice) equipmentChoiceObject {
			return equipmentChoiceObject{show(c.Options, func(o srd.EquipmentOption) equipmentOptionObject {
				return equipmentOptionObject{showContents(o.Items), o.Choose, listed(o.From), o.IfProficient}
			})}
		})}
}

type skillObject struct {
	Slug    string `json:"slug"`
	Name    string `json:"name"`
	Ability string `json:"ability"`
	Text    string `json:"text"`
}

type languageObject struct {
	Slug      string   `json:"slug"`
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	Choosable bool     `json:"choosable"`
	Speakers  []string `json:"speakers"`
	Script    string   `json:"script"`
	Text      string   `json:"text"`
}

func showLanguage(l srd.Language) languageObject {
	return languageObject{l.Slug, l.Name, string(l.Kind), l.Choosable(), listed(l.Speakers), l.Script, l.Text}
}

type conditionObject struct {
	Slug   string   `json:"slug"`
	Name   string   `json:"name"`
	Text   string   `json:"text"`
	Levels []string `json:"levels"`
}

func showCondition(c srd.Condition) conditionObject {
	return conditionObject{c.Slug, c.Name, c.Text, listed(c.Levels)}
}

type spellObject struct {
	Slug          string   `json:"slug"`
	Name          string   `json:"name"`
	Level         int      `json:"level"`
	School        string   `json:"school"`
	Classes       []string `json:"classes"`
	Ritual        bool     `json:"ritual"`
	Concentration bool     `json:"concentration"`
	CastingTime   string   `json:"casting_time"`
	Range         string   `json:"range"`
	Components    []string `json:"components"`
	Material      string   `json:"material"`
	MaterialGP    int      `json:"material_cost_gp"`
	Consumed      bool     `json:"consumed"`
	Duration      string   `json:"duration"`
}

func showSpell(s srd.Spell) spellObject {
	s.Classes, s.Components = listed(s.Classes), listed(s.Components)
	return spellObject(s)
}

type itemObject struct {
	Slug     string          `json:"slug"`
	Name     string          `json:"name"`
	Category string          `json:"category"`
	Group    string          `json:"group"`
	CostCP   int             `json:"cost_cp"`
	WeightLB float64         `json:"weight_lb"`
	Count    int             `json:"count"`
	Text     string          `json:"text"`
	Armor    *armorObject    `json:"armor"`
	Weapon   *weaponObject   `json:"weapon"`
	Travel   *travelObject   `json:"travel"`
	Contents []contentObject `json:"contents"`
}

type armorObject struct {
	Category string `json:"category"`
	Base     int    `json:"base"`
	Dex      bool   `json:"dex"`
	MaxDex   int    `json:"max_dex"`
	Strength int    `json:"strength"`
	Stealth  bool   `json:"stealth_disadvantage"`
}

type weaponObject struct {
	Category   string        `json:"category"`
	Ranged     bool          `json:"ranged"`
	Damage     *damageObject `json:"damage"`
	Versatile  *damageObject `json:"versatile"`
	Properties []string      `json:"properties"`
	Range      int           `json:"range"`
	LongRange  int           `json:"long_range"`
	Ammunition string        `json:"ammunition"`
}

type damageObject struct {
	// Dice is such as "2d6", or a plain number for damage that is not rolled.
	Dice string `json:"dice"`
	Type string `json:"type"`
}

type travelObject struct {
	SpeedFeet int     `json:"speed_feet"`
	SpeedMPH  float64 `json:"speed_mph"`
	Capacity  int     `json:"capacity_lb"`
}

// diceText writes dice as people do; damage that is not rolled is a number.
func diceText(d srd.DamageDice) string {
	if d.Sides == 1 {
		return strconv.Itoa(d.Count)
	}
	return strconv.Itoa(d.Count) + "d" + strconv.Itoa(d.Sides)
}

func showDamage(d *srd.DamageDice) *damageObject {
	if d == nil {
		return nil
	}
	return &damageObject{diceText(*d), d.Type}
}

func showItem(i srd.Item) itemObject {
	o := itemObject{Slug: i.Slug, Name: i.Name, Category: string(i.Category), Group: i.Group, CostCP: i.CostCP, WeightLB: i.Weight, Count: i.Count,
		Text: i.Text, Contents: showContents(i.Contents)}
	if i.Armor != nil {
		armor := armorObject(*i.Armor)
		o.Armor = &armor
	}
	if w := i.Weapon; w != nil {
		o.Weapon = &weaponObject{w.Category, w.Ranged, showDamage(w.Damage), showDamage(w.Versatile), listed(w.Properties), w.Range, w.LongRange, w.Ammunition}
	}
	if i.Travel != nil {
		travel := travelObject(*i.Travel)
		o.Travel = &travel
	}
	return o
}
