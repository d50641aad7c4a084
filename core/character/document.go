package character

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character/srd"
)

// A character and a roll have one JSON form for the API, the sheets and the stores. What is stored has a version, and
// what the server alone knows, beside it; what is shown has the derived values.

// storedVersion is the form that Encode writes. Decode reads every version up to it.
const storedVersion = 1

// timeLayout is RFC 3339 in UTC with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

type buildDocument struct {
	Name       string               `json:"name"`
	Player     string               `json:"player"`
	Race       string               `json:"race"`
	Class      string               `json:"class"`
	Subclass   string               `json:"subclass"`
	Multiclass []classLevelDocument `json:"multiclass"`
	Background string               `json:"background"`
	Alignment  string               `json:"alignment"`
	Level      int                  `json:"level"`
	XP         int                  `json:"xp"`
	Abilities  abilitiesDocument    `json:"abilities"`
	Choices    choicesDocument      `json:"choices"`
	Equipment  []itemDocument       `json:"equipment"`
	Spells     []string             `json:"spells"`
	State      stateDocument        `json:"state"`
}

type classLevelDocument struct {
	Class    string `json:"class"`
	Subclass string `json:"subclass"`
	Level    int    `json:"level"`
}

type abilitiesDocument struct {
	Method string         `json:"method"`
	Base   map[string]int `json:"base"`
	RollID string         `json:"rollid,omitempty"`
}

type choicesDocument struct {
	Skills           []string              `json:"skills"`
	Expertise        []string              `json:"expertise"`
	Tools            []string              `json:"tools"`
	Languages        []string              `json:"languages"`
	AbilityBonus     []string              `json:"ability_bonus"`
	FightingStyle    string                `json:"fighting_style"`
	DraconicAncestry string                `json:"draconic_ancestry"`
	Cantrips         []string              `json:"cantrips"`
	Improvements     []improvementDocument `json:"improvements"`
	featureChoices
}

// featureChoices are the members of choices that only some features ask for; most characters have none of them. Its
// fields are those of FeatureFields, which a test holds against each other.
type featureChoices struct {
	AdditionalFightingStyle []string `json:"additional_fighting_style,omitempty"`
	CircleLand              []string `json:"circle_land,omitempty"`
	DefensiveTactics        []string `json:"defensive_tactics,omitempty"`
	DragonAncestor          []string `json:"dragon_ancestor,omitempty"`
	FavoredEnemies          []string `json:"favored_enemies,omitempty"`
	FavoredTerrains         []string `json:"favored_terrains,omitempty"`
	HuntersPrey             []string `json:"hunters_prey,omitempty"`
	Invocations             []string `json:"invocations,omitempty"`
	Metamagic               []string `json:"metamagic,omitempty"`
	Multiattack             []string `json:"multiattack,omitempty"`
	MysticArcanum           []string `json:"mystic_arcanum,omitempty"`
	PactBoon                []string `json:"pact_boon,omitempty"`
	SignatureSpells         []string `json:"signature_spells,omitempty"`
	SpellMastery            []string `json:"spell_mastery,omitempty"`
	SuperiorHuntersDefense  []string `json:"superior_hunters_defense,omitempty"`
}

// fields gives the places of the choices by the names of their fields.
func (f *featureChoices) fields() map[string]*[]string {
	return map[string]*[]string{
		srd.FieldAdditionalFightingStyle: &f.AdditionalFightingStyle,
		srd.FieldCircleLand:              &f.CircleLand,
		srd.FieldDefensiveTactics:        &f.DefensiveTactics,
		srd.FieldDragonAncestor:          &f.DragonAncestor,
		srd.FieldFavoredEnemies:          &f.FavoredEnemies,
		srd.FieldFavoredTerrains:         &f.FavoredTerrains,
		srd.FieldHuntersPrey:             &f.HuntersPrey,
		srd.FieldInvocations:             &f.Invocations,
		srd.FieldMetamagic:               &f.Metamagic,
		srd.FieldMultiattack:             &f.Multiattack,
		srd.FieldMysticArcanum:           &f.MysticArcanum,
		srd.FieldPactBoon:                &f.PactBoon,
		srd.FieldSignatureSpells:         &f.SignatureSpells,
		srd.FieldSpellMastery:            &f.SpellMastery,
		srd.FieldSuperiorHuntersDefense:  &f.SuperiorHuntersDefense,
	}
}

// featurePrefix stands before the name of a member of choices in a field such as "choices.metamagic".
const featurePrefix = "choices."

// FeatureFields lists the names that Choices.Features can have ("metamagic"), sorted: the members of choices beside
// those that every character has. Each takes a list of slugs. The caller owns the slice.
func FeatureFields() []string {
	names := make([]string, len(catalog.featureFields))
	for i, field := range catalog.featureFields {
		names[i] = strings.TrimPrefix(field, featurePrefix)
	}
	return names
}

type improvementDocument struct {
	Level     int            `json:"level"`
	Class     string         `json:"class,omitempty"`
	Abilities map[string]int `json:"abilities"`
}

type itemDocument struct {
	Item     string `json:"item"`
	Count    int    `json:"count"`
	Equipped bool   `json:"equipped"`
}

type stateDocument struct {
	HP             int            `json:"hp"`
	TempHP         int            `json:"temp_hp"`
	Conditions     []string       `json:"conditions"`
	HitDiceUsed    map[string]int `json:"hit_dice_used"`
	SpellSlotsUsed map[string]int `json:"spell_slots_used"`
	Currency       map[string]int `json:"currency"`
}

// list is l, never nil: an empty list is [] in JSON.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

// counts is m, never nil: an empty object is {} in JSON.
func counts(m map[string]int) map[string]int {
	if m == nil {
		return map[string]int{}
	}
	return m
}

func documentOf(b Build) buildDocument {
	d := buildDocument{Name: b.Name, Player: b.Player, Race: b.Race, Class: b.Class, Subclass: b.Subclass, Background: b.Background,
		Alignment: b.Alignment, Level: b.Level, XP: b.XP, Spells: list(b.Spells),
		Multiclass: make([]classLevelDocument, len(b.Multiclass)), Equipment: make([]itemDocument, len(b.Equipment))}
	for i, m := range b.Multiclass {
		d.Multiclass[i] = classLevelDocument(m)
	}
	for i, item := range b.Equipment {
		d.Equipment[i] = itemDocument(item)
	}
	d.Abilities = abilitiesDocument{Method: string(b.Abilities.Method), Base: counts(b.Abilities.Base)}
	if b.Abilities.RollID != uuid.Nil {
		d.Abilities.RollID = b.Abilities.RollID.String()
	}
	c := b.Choices
	d.Choices = choicesDocument{Skills: list(c.Skills), Expertise: list(c.Expertise), Tools: list(c.Tools), Languages: list(c.Languages),
		AbilityBonus: list(c.AbilityBonus), FightingStyle: c.FightingStyle, DraconicAncestry: c.DraconicAncestry, Cantrips: list(c.Cantrips),
		Improvements: make([]improvementDocument, len(c.Improvements))}
	for i, improvement := range c.Improvements {
		improvement.Abilities = counts(improvement.Abilities)
		d.Choices.Improvements[i] = improvementDocument(improvement)
	}
	for field, place := range d.Choices.fields() {
		*place = c.Features[strings.TrimPrefix(field, featurePrefix)]
	}
	s := b.State
	d.State = stateDocument{HP: s.HP, TempHP: s.TempHP, Conditions: list(s.Conditions), HitDiceUsed: counts(s.HitDiceUsed),
		SpellSlotsUsed: counts(s.SpellSlotsUsed), Currency: counts(s.Currency)}
	return d
}

func (d buildDocument) build() (Build, error) {
	b := Build{Name: d.Name, Player: d.Player, Race: d.Race, Class: d.Class, Subclass: d.Subclass, Background: d.Background,
		Alignment: d.Alignment, Level: d.Level, XP: d.XP, Spells: d.Spells, State: State(d.State)}
	for _, m := range d.Multiclass {
		b.Multiclass = append(b.Multiclass, ClassLevel(m))
	}
	for _, item := range d.Equipment {
		b.Equipment = append(b.Equipment, Item(item))
	}
	b.Abilities = Abilities{Method: Method(d.Abilities.Method), Base: d.Abilities.Base}
	if d.Abilities.RollID != "" {
		id, err := uuid.Parse(d.Abilities.RollID)
		if err != nil {
			return Build{}, fmt.Errorf("the stored rollid: %w", err)
		}
		b.Abilities.RollID = id
	}
	c := d.Choices
	b.Choices = Choices{Skills: c.Skills, Expertise: c.Expertise, Tools: c.Tools, Languages: c.Languages, AbilityBonus: c.AbilityBonus,
		FightingStyle: c.FightingStyle, DraconicAncestry: c.DraconicAncestry, Cantrips: c.Cantrips}
	for _, improvement := range c.Improvements {
		b.Choices.Improvements = append(b.Choices.Improvements, Improvement(improvement))
	}
	for field, place := range c.fields() {
		if len(*place) > 0 {
			if b.Choices.Features == nil {
				b.Choices.Features = map[string][]string{}
			}
			b.Choices.Features[strings.TrimPrefix(field, featurePrefix)] = *place
		}
	}
	return b.normal(), nil
}

// normal gives the build with nil in the place of every empty slice and map, so that builds that mean the same are
// equal to reflect.DeepEqual. It shares what is not empty.
func (b Build) normal() Build {
	c := &b.Choices
	for _, list := range []*[]string{&c.Skills, &c.Expertise, &c.Tools, &c.Languages, &c.AbilityBonus, &c.Cantrips, &b.Spells, &b.State.Conditions} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	for _, m := range []*map[string]int{&b.Abilities.Base, &b.State.HitDiceUsed, &b.State.SpellSlotsUsed, &b.State.Currency} {
		if len(*m) == 0 {
			*m = nil
		}
	}
	c.Features = maps.Clone(c.Features)
	maps.DeleteFunc(c.Features, func(_ string, chosen []string) bool { return len(chosen) == 0 })
	if len(c.Features) == 0 {
		c.Features = nil
	}
	if len(b.Multiclass) == 0 {
		b.Multiclass = nil
	}
	if len(b.Equipment) == 0 {
		b.Equipment = nil
	}
	if len(c.Improvements) == 0 {
		c.Improvements = nil
	}
	c.Improvements = slices.Clone(c.Improvements)
	for i := range c.Improvements {
		if len(c.Improvements[i].Abilities) == 0 {
			c.Improvements[i].Abilities = nil
		}
	}
	return b
}

type hitPointDocument struct {
	Class string `json:"class"`
	Level int    `json:"level"`
	Roll  int    `json:"roll"`
}

type storedDocument struct {
	Version int       `json:"version"`
	ID      uuid.UUID `json:"characterid"`
	buildDocument
	HitPoints    []hitPointDocument `json:"hit_points,omitempty"`
	RolledScores []int              `json:"rolled_scores,omitempty"`
	Revision     int                `json:"revision"`
	Author       string             `json:"author"`
	Created      string             `json:"created"`
	Modified     string             `json:"modified"`
}

// Encode gives the document that a store keeps of c: JSON in one line, without Deleted. Characters that are equal
// but for the order of their maps have the same document.
func Encode(c Character) []byte {
	d := storedDocument{Version: storedVersion, ID: c.ID, buildDocument: documentOf(c.Build), Revision: c.Revision, Author: c.Author,
		Created: formatTime(c.Created), Modified: formatTime(c.Modified), RolledScores: c.RolledScores}
	for _, roll := range c.HitPoints {
		d.HitPoints = append(d.HitPoints, hitPointDocument(roll))
	}
	return marshal(d)
}

// Decode reads what Encode wrote, of this version of the form or an older one. Empty lists and maps are nil. The
// error is for the log; it repeats nothing of the document.
func Decode(body []byte) (Character, error) {
	var d storedDocument
	if err := unmarshal(body, &d); err != nil {
		return Character{}, err
	}
	if d.Version < 1 || d.Version > storedVersion {
		return Character{}, fmt.Errorf("character: a stored document of version %d; this program reads up to %d", d.Version, storedVersion)
	}
	build, err := d.build()
	if err != nil {
		return Character{}, fmt.Errorf("character: %w", err)
	}
	c := Character{ID: d.ID, Build: build, Revision: d.Revision, Author: d.Author, RolledScores: d.RolledScores}
	for _, roll := range d.HitPoints {
		c.HitPoints = append(c.HitPoints, HitPointRoll(roll))
	}
	if c.Created, err = parseTime(d.Created); err == nil {
		c.Modified, err = parseTime(d.Modified)
	}
	return c, err
}

// marshal gives compact JSON in which <, > and & stand as they are.
func marshal(v any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("character: a document that is no JSON: " + err.Error()) // plain structs of texts and numbers always are
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

// unmarshal reads a stored document. Its errors name the place, not the content.
func unmarshal(body []byte, v any) error {
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("character: a stored document of %d bytes is broken: %T", len(body), err)
	}
	return nil
}

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("character: a stored document has a broken time: %T", err)
	}
	return t.UTC(), nil
}
