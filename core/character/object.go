package character

import (
	"strconv"

	"github.com/google/uuid"
)

// The object of the API: what the player chose, what follows from it, and what is the server's.

type objectDocument struct {
	ID uuid.UUID `json:"characterid"`
	buildDocument
	Derived  derivedDocument `json:"derived"`
	Revision int             `json:"revision"`
	Author   string          `json:"author"`
	Created  string          `json:"created"`
	Modified string          `json:"modified"`
	Deleted  string          `json:"deleted,omitempty"`
}

type derivedDocument struct {
	Abilities         abilityScoresDocument    `json:"abilities"`
	ProficiencyBonus  int                      `json:"proficiency_bonus"`
	MaxHP             int                      `json:"max_hp"`
	ArmorClass        int                      `json:"armor_class"`
	Initiative        int                      `json:"initiative"`
	Speed             int                      `json:"speed"`
	Darkvision        int                      `json:"darkvision"`
	PassivePerception int                      `json:"passive_perception"`
	HitDice           string                   `json:"hit_dice"`
	Skills            map[string]skillDocument `json:"skills"`
	Languages         []string                 `json:"languages"`
	Proficiencies     []string                 `json:"proficiencies"`
	Features          []string                 `json:"features"`
	Spellcasting      *spellcastingDocument    `json:"spellcasting"`
	Weight            float64                  `json:"weight"`
	Capacity          int                      `json:"capacity"`
	Encumbrance       string                   `json:"encumbrance"`
	Pending           []pendingDocument        `json:"pending"`
	Notes             []string                 `json:"notes,omitempty"`
}

// abilityScoresDocument has the abilities in the order of a character sheet.
type abilityScoresDocument struct {
	Str abilityScoreDocument `json:"str"`
	Dex abilityScoreDocument `json:"dex"`
	Con abilityScoreDocument `json:"con"`
	Int abilityScoreDocument `json:"int"`
	Wis abilityScoreDocument `json:"wis"`
	Cha abilityScoreDocument `json:"cha"`
}

type abilityScoreDocument struct {
	Score    int `json:"score"`
	Modifier int `json:"modifier"`
	Save     int `json:"save"`
}

type skillDocument struct {
	Ability    string `json:"ability"`
	Proficient bool   `json:"proficient"`
	Expertise  bool   `json:"expertise,omitempty"`
	Bonus      int    `json:"bonus"`
}

type spellcastingDocument struct {
	Classes   []classSpellsDocument `json:"classes"`
	Slots     map[string]int        `json:"slots"`
	PactSlots *pactDocument         `json:"pact_slots"`
}

type classSpellsDocument struct {
	Class          string `json:"class"`
	Ability        string `json:"ability"`
	SaveDC         int    `json:"save_dc"`
	AttackBonus    int    `json:"attack_bonus"`
	CantripsKnown  int    `json:"cantrips_known"`
	SpellsKnown    *int   `json:"spells_known,omitempty"`
	SpellsPrepared *int   `json:"spells_prepared,omitempty"`
}

type pactDocument struct {
	Level int `json:"level"`
	Count int `json:"count"`
}

type pendingDocument struct {
	Field  string   `json:"field"`
	Choose int      `json:"choose"`
	From   []string `json:"from"`
	Level  int      `json:"level,omitempty"`
	Class  string   `json:"class,omitempty"`
}

// Object gives a character as the API answers it: compact JSON with the derived values, and `deleted` for one in the
// trash.
func Object(c Character) []byte { return marshal(objectOf(c)) }

// BuildObject gives the part of the API's object that the player decides, which a merge patch (RFC 7396) is applied to.
func BuildObject(b Build) []byte { return marshal(documentOf(b)) }

func objectOf(c Character) objectDocument {
	o := objectDocument{ID: c.ID, buildDocument: documentOf(c.Build), Derived: derivedOf(Derive(c)), Revision: c.Revision, Author: c.Author,
		Created: formatTime(c.Created), Modified: formatTime(c.Modified)}
	if c.InTrash() {
		o.Deleted = formatTime(c.Deleted)
	}
	return o
}

func derivedOf(d Derived) derivedDocument {
	score := func(ability string) abilityScoreDocument { return abilityScoreDocument(d.Abilities[ability]) }
	document := derivedDocument{
		Abilities:        abilityScoresDocument{Str: score("str"), Dex: score("dex"), Con: score("con"), Int: score("int"), Wis: score("wis"), Cha: score("cha")},
		ProficiencyBonus: d.ProficiencyBonus, MaxHP: d.MaxHP, ArmorClass: d.ArmorClass, Initiative: d.Initiative, Speed: d.Speed,
		Darkvision: d.Darkvision, PassivePerception: d.PassivePerception, HitDice: d.HitDice, Skills: map[string]skillDocument{},
		Languages: list(d.Languages), Proficiencies: list(d.Proficiencies), Features: list(d.Features), Weight: d.Weight, Capacity: d.Capacity,
		Encumbrance: string(d.Encumbrance), Pending: make([]pendingDocument, len(d.Pending)), Notes: d.Notes,
	}
	for slug, skill := range d.Skills {
		document.Skills[slug] = skillDocument(skill)
	}
	for i, p := range d.Pending {
		document.Pending[i] = pendingDocument(p)
	}
	if s := d.Spellcasting; s != nil {
		document.Spellcasting = s.document()
	}
	return document
}

func (s *Spellcasting) document() *spellcastingDocument {
	document := &spellcastingDocument{Slots: map[string]int{}}
	for _, class := range s.Classes {
		c := classSpellsDocument{Class: class.Class, Ability: class.Ability, SaveDC: class.SaveDC, AttackBonus: class.AttackBonus, CantripsKnown: class.CantripsKnown}
		if n := class.Spells; class.Prepares {
			c.SpellsPrepared = &n
		} else {
			c.SpellsKnown = &n
		}
		document.Classes = append(document.Classes, c)
	}
	for i, n := range s.Slots {
		if n > 0 {
			document.Slots[strconv.Itoa(i+1)] = n
		}
	}
	if s.Pact != nil {
		pact := pactDocument(*s.Pact)
		document.PactSlots = &pact
	}
	return document
}
