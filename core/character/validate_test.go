package character

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// What the rules forbid is named with a pointer, and with what would be allowed.
func TestValidateRefuses(t *testing.T) {
	base := tordek()
	base.XP, base.State.HP = 900, 20
	for name, c := range map[string]struct {
		change func(*Build)
		// pointer is where, says a part of the detail.
		pointer, says string
	}{
		"no name":                    {func(b *Build) { b.Name = " " }, "/name", "at least 1 character"},
		"a long name":                {func(b *Build) { b.Name = strings.Repeat("n", 201) }, "/name", "at most 200"},
		"a name over lines":          {func(b *Build) { b.Name = "a\nb" }, "/name", "control"},
		"a name that is no text":     {func(b *Build) { b.Name = "a\xff" }, "/name", "UTF-8"},
		"a long player":              {func(b *Build) { b.Player = strings.Repeat("p", 201) }, "/player", "at most 200"},
		"no race":                    {func(b *Build) { b.Race = "" }, "/race", "hill-dwarf"},
		"a race of subraces":         {func(b *Build) { b.Race = "elf" }, "/race", "\"elf\" has subraces; choose high-elf"},
		"a mistyped race":            {func(b *Build) { b.Race = "hil-dwarf" }, "/race", "is hill-dwarf meant?"},
		"no class":                   {func(b *Build) { b.Class = "" }, "/class", "wizard"},
		"another game's class":       {func(b *Build) { b.Class = "artificer" }, "/class", "barbarian, bard"},
		"a strange background":       {func(b *Build) { b.Background = "sailor" }, "/background", "acolyte"},
		"a strange alignment":        {func(b *Build) { b.Alignment = "good" }, "/alignment", "neutral-good"},
		"a level too high":           {func(b *Build) { b.Level = 21 }, "/level", "1 to 20"},
		"a level that is not earned": {func(b *Build) { b.Level = 4 }, "/level", "needs 2700 experience points"},
		"a negative level":           {func(b *Build) { b.Level = -3 }, "/level", "1 to 20"},
		"negative experience":        {func(b *Build) { b.XP = -1 }, "/xp", "0 to"},
		"a subclass too early":       {func(b *Build) { b.Level, b.Subclass = 2, "champion" }, "/subclass", "at level 3"},
		"another's subclass":         {func(b *Build) { b.Subclass = "thief" }, "/subclass", "champion"},
		"a class twice":              {func(b *Build) { b.Multiclass = []ClassLevel{{Class: "fighter", Level: 1}} }, "/multiclass/0/class", "twice"},
		"another class twice":        {func(b *Build) { b.Multiclass = []ClassLevel{{"rogue", "", 1}, {"rogue", "", 1}} }, "/multiclass/1/class", "twice"},
		"no level is left":           {func(b *Build) { b.Multiclass = []ClassLevel{{"rogue", "", 3}} }, "/level", "at least 4"},
		"a class without level":      {func(b *Build) { b.Multiclass = []ClassLevel{{"rogue", "", 0}} }, "/multiclass/0/level", "1 to 19"},
		"a class unprepared":         {func(b *Build) { b.Multiclass = []ClassLevel{{"wizard", "", 1}} }, "/multiclass/0/class", "int 13 (has 8)"},
		"a first class unprepared": {func(b *Build) {
			b.Abilities.Base, b.Multiclass = scores(8, 10, 14, 13, 12, 15), []ClassLevel{{"bard", "", 1}}
		}, "/class", "str 13 (has 8) or dex 13 (has 10)"},
		"a strange method":         {func(b *Build) { b.Abilities.Method = "guess" }, "/abilities/method", "point-buy"},
		"scores without method":    {func(b *Build) { b.Abilities.Method = "" }, "/abilities/method", "standard-array"},
		"a strange ability":        {func(b *Build) { b.Abilities.Base["luck"] = 10 }, "/abilities/base/luck", "str, dex"},
		"a number used twice":      {func(b *Build) { b.Abilities.Base["dex"] = 15 }, "/abilities/base/dex", "15 14 13 12 10 8"},
		"a number off the array":   {func(b *Build) { b.Abilities.Base["dex"] = 9 }, "/abilities/base/dex", "9 is not among them"},
		"an overspent point buy":   {func(b *Build) { b.Abilities = Abilities{Method: PointBuy, Base: scores(15, 15, 15, 9, 8, 8)} }, "/abilities/base", "cost 28 points, 27 may be spent"},
		"a score that is not sold": {func(b *Build) { b.Abilities = Abilities{Method: PointBuy, Base: scores(16, 8, 8, 8, 8, 8)} }, "/abilities/base/str", "8 to 15"},
		"a score of a god":         {func(b *Build) { b.Abilities = Abilities{Method: Manual, Base: scores(19, 8, 8, 8, 8, 8)} }, "/abilities/base/str", "3 to 18"},
		"rolled without a roll":    {func(b *Build) { b.Abilities.Method = Rolled }, "/abilities/rollid", "POST /v1/rolls"},
		"a roll that nobody knows": {func(b *Build) { b.Abilities.Method, b.Abilities.RollID = Rolled, uuid.New() }, "/abilities/rollid", "no other character has used"},
		"a roll for nothing":       {func(b *Build) { b.Abilities.RollID = uuid.New() }, "/abilities/rollid", "method \"rolled\" only"},
		"a skill of others":        {func(b *Build) { b.Choices.Skills[1] = "arcana" }, "/choices/skills/1", "the fighter: 2 of acrobatics"},
		"a skill too many":         {func(b *Build) { b.Choices.Skills = append(b.Choices.Skills, "survival") }, "/choices/skills/2", "one too many"},
		"a skill twice":            {func(b *Build) { b.Choices.Skills[1] = "athletics" }, "/choices/skills/1", "twice"},
		"a strange skill":          {func(b *Build) { b.Choices.Skills[0] = "Athletics" }, "/choices/skills/0", "is athletics meant?"},
		"a mountain of skills":     {func(b *Build) { b.Choices.Skills = make([]string, 101) }, "/choices/skills", "at most 100"},
		"expertise of a fighter":   {func(b *Build) { b.Choices.Expertise = []string{"athletics"} }, "/choices/expertise/0", "leave it empty"},
		"a tool too many":          {func(b *Build) { b.Choices.Tools = []string{"smiths-tools", "masons-tools"} }, "/choices/tools/1", "one too many"},
		"a tool of others":         {func(b *Build) { b.Choices.Tools = []string{"lute"} }, "/choices/tools/0", "smiths-tools"},
		"a tool that is none":      {func(b *Build) { b.Choices.Tools = []string{"plate"} }, "/choices/tools/0", "no tool"},
		"a language too many":      {func(b *Build) { b.Choices.Languages = []string{"elvish", "giant", "orc"} }, "/choices/languages/2", "one too many"},
		"a secret language":        {func(b *Build) { b.Choices.Languages = []string{"druidic"} }, "/choices/languages/0", "cannot be chosen"},
		"a bonus of others":        {func(b *Build) { b.Choices.AbilityBonus = []string{"str"} }, "/choices/ability_bonus/0", "leave it empty"},
		"a strange style":          {func(b *Build) { b.Choices.FightingStyle = "dancing" }, "/choices/fighting_style", "defense"},
		"a second style too early": {func(b *Build) { b.Choices.Features = map[string][]string{"additional_fighting_style": {"archery"}} }, "/choices/additional_fighting_style/0", "one too many"},
		"only a second style": {func(b *Build) {
			b.Choices.FightingStyle, b.Choices.Features = "", map[string][]string{"additional_fighting_style": {"archery"}}
		}, "/choices/additional_fighting_style", "choices.fighting_style"},
		"a dragon for a dwarf":      {func(b *Build) { b.Choices.DraconicAncestry = "red" }, "/choices/draconic_ancestry", "leave it empty"},
		"a field that is none":      {func(b *Build) { b.Choices.Features = map[string][]string{"pets": {"cat"}} }, "/choices/pets", "not a field"},
		"magic of a fighter":        {func(b *Build) { b.Choices.Cantrips = []string{"fire-bolt"} }, "/choices/cantrips/0", "leave it empty"},
		"a spell as a cantrip":      {func(b *Build) { b.Choices.Cantrips = []string{"fireball"} }, "/choices/cantrips/0", "no cantrip"},
		"a cantrip as a spell":      {func(b *Build) { b.Spells = []string{"fire-bolt"} }, "/spells/0", "choices.cantrips"},
		"an improvement in between": {func(b *Build) { b.Choices.Improvements[0].Level = 5 }, "/choices/improvements/0/level", "4 6 8 12 14 16 19"},
		"an improvement of 3":       {func(b *Build) { b.Choices.Improvements[0].Abilities = points{"str": 2, "dex": 1} }, "/choices/improvements/0/abilities", "2 points"},
		"an improvement of luck":    {func(b *Build) { b.Choices.Improvements[0].Abilities = points{"luck": 2} }, "/choices/improvements/0/abilities/luck", "str, dex"},
		"a negative improvement":    {func(b *Build) { b.Choices.Improvements[0].Abilities = points{"str": -1} }, "/choices/improvements/0/abilities/str", "1 to 2"},
		"an improvement twice":      {func(b *Build) { b.Choices.Improvements = append(b.Choices.Improvements, b.Choices.Improvements[0]) }, "/choices/improvements/1", "twice"},
		"an improvement of others":  {func(b *Build) { b.Choices.Improvements[0].Class = "wizard" }, "/choices/improvements/0/class", "no levels"},
		"more than 20": {func(b *Build) {
			b.Abilities = Abilities{Method: Manual, Base: scores(10, 10, 18, 10, 10, 10)}
			b.Choices.Improvements[0].Abilities = points{"con": 1}
		}, "/choices/improvements/0/abilities/con", "would be 21"},
		"a strange thing":       {func(b *Build) { b.Equipment[0].Item = "chainmail" }, "/equipment/0/item", "is chain-mail meant?"},
		"words turned round":    {func(b *Build) { b.Equipment[0].Item = "crossbow-light" }, "/equipment/0/item", "is light-crossbow meant?"},
		"no thing at all":       {func(b *Build) { b.Equipment[0].Count = 0 }, "/equipment/0/count", "1 to"},
		"two suits of armor":    {func(b *Build) { b.Equipment = worn("chain-mail", "leather") }, "/equipment/1/equipped", "only one suit of armor"},
		"two shields":           {func(b *Build) { b.Equipment = worn("shield", "shield") }, "/equipment/1/equipped", "only one shield"},
		"a house full":          {func(b *Build) { b.Equipment = make([]Item, 201) }, "/equipment", "at most 200"},
		"more than the maximum": {func(b *Build) { b.State.HP = 35 }, "/state/hp", "0 to the maximum of 34"},
		"less than nothing":     {func(b *Build) { b.State.HP = -1 }, "/state/hp", "0 to the maximum"},
		"temporary debts":       {func(b *Build) { b.State.TempHP = -1 }, "/state/temp_hp", "0 to"},
		"a strange condition":   {func(b *Build) { b.State.Conditions = []string{"tired"} }, "/state/conditions/0", "exhaustion"},
		"a condition twice":     {func(b *Build) { b.State.Conditions = []string{"prone", "prone"} }, "/state/conditions/1", "twice"},
		"hit dice of others":    {func(b *Build) { b.State.HitDiceUsed = points{"d6": 1} }, "/state/hit_dice_used/d6", "d10: 3"},
		"hit dice overspent":    {func(b *Build) { b.State.HitDiceUsed = points{"d10": 4} }, "/state/hit_dice_used/d10", "0 to 3"},
		"slots of a fighter":    {func(b *Build) { b.State.SpellSlotsUsed = points{"1": 1} }, "/state/spell_slots_used/1", "spell slots: none"},
		"strange money":         {func(b *Build) { b.State.Currency = points{"eur": 1} }, "/state/currency/eur", "cp, sp, ep, gp, pp"},
		"debts":                 {func(b *Build) { b.State.Currency = points{"gp": -1} }, "/state/currency/gp", "0 to"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Draft{Build: base.with(c.change)}.check(nil, nil)
			for _, v := range violationsOf(err) {
				if v.Pointer == c.pointer && strings.Contains(v.Detail, c.says) {
					return
				}
			}
			t.Errorf("no %q at %s, but %v", c.says, c.pointer, err)
		})
	}
}

func TestEveryBrokenRuleIsNamedAtOnce(t *testing.T) {
	b := tordek()
	b.Name, b.Choices.Skills, b.State.HP, b.Equipment = "", []string{"arcana", "flying"}, 99, worn("plate", "leather")
	_, err := Draft{Build: b, Absent: Absent{XP: true}}.check(nil, nil)
	var pointers []string
	for _, v := range violationsOf(err) {
		pointers = append(pointers, v.Pointer)
	}
	for _, want := range []string{"/name", "/choices/skills/0", "/choices/skills/1", "/state/hp", "/equipment/1/equipped"} {
		if !slices.Contains(pointers, want) {
			t.Errorf("%s is not among %v", want, pointers)
		}
	}
}

func TestValidateAllows(t *testing.T) {
	all := scores(13, 13, 13, 13, 13, 13)
	for name, b := range map[string]Build{
		"nothing chosen":                     {Race: "human", Class: "wizard"},
		"level 20 with nothing chosen":       {Race: "human", Class: "wizard", Level: 20},
		"a skill that the background gives":  human("cleric", 1, all).with(func(b *Build) { b.Background, b.Choices.Skills = "acolyte", []string{"insight", "history"} }),
		"and another in its place":           human("cleric", 1, all).with(func(b *Build) { b.Background, b.Choices.Skills = "acolyte", []string{"insight", "history", "stealth"} }),
		"a half-elf's skills in any order":   {Race: "half-elf", Class: "fighter", Choices: Choices{Skills: []string{"athletics", "history", "arcana", "stealth"}}},
		"the race's free choice comes first": {Race: "half-elf", Class: "fighter", Choices: Choices{Skills: []string{"athletics", "history", "insight", "perception"}}},
		"a high elf's cantrip":               {Race: "high-elf", Class: "fighter", Choices: Choices{Cantrips: []string{"fire-bolt"}}},
		"cantrips of two classes": human("wizard", 2, all, ClassLevel{Class: "cleric", Level: 1}).with(func(b *Build) {
			b.Choices.Cantrips = []string{"fire-bolt", "guidance", "light", "mage-hand", "ray-of-frost", "sacred-flame"}
		}),
		"two fighting styles": human("fighter", 3, all, ClassLevel{Class: "paladin", Level: 2}).with(func(b *Build) {
			b.Choices.FightingStyle, b.Choices.Features = "archery", map[string][]string{"additional_fighting_style": {"defense"}}
		}),
		"magical secrets": human("bard", 10, all).with(func(b *Build) {
			b.Spells = []string{"fireball", "find-steed", "bane", "sleep", "heroism", "silence", "fear", "shatter", "hold-person", "invisibility", "suggestion", "tongues", "polymorph", "confusion"}
		}),
		"a domain's spells cost nothing": human("cleric", 1, scores(8, 8, 8, 8, 8, 8)).with(func(b *Build) { b.Subclass, b.Spells = "life-domain", []string{"bless", "cure-wounds", "bane"} }),
		"a wizard's whole book": human("wizard", 1, scores(8, 8, 8, 8, 8, 8)).with(func(b *Build) {
			b.Spells = []string{"alarm", "shield", "sleep", "mage-armor", "magic-missile", "identify"}
		}),
		"a warlock's pact slot": human("warlock", 2, all).with(func(b *Build) { b.State.SpellSlotsUsed = points{PactSlots: 2, "1": 0} }),
		"a sorcerer's dragon":   human("sorcerer", 1, all).with(func(b *Build) { b.Subclass, b.Choices.DraconicAncestry = "draconic-bloodline", "red" }),
		"a sorcerer's dragon by its name": human("sorcerer", 1, all).with(func(b *Build) {
			b.Subclass, b.Choices.Features = "draconic-bloodline", map[string][]string{"dragon_ancestor": {"red"}}
		}),
		"two dragons": {Race: "dragonborn", Class: "sorcerer", Subclass: "draconic-bloodline", Choices: Choices{DraconicAncestry: "red",
			Features: map[string][]string{"dragon_ancestor": {"blue"}}}},
		"an array that is not spread yet": {Race: "human", Class: "wizard", Abilities: Abilities{Method: StandardArray, Base: points{"int": 15}}},
		"a word with space around":        {Name: " n ", Race: "human", Class: "wizard"},
		"more than the level needs":       {Race: "human", Class: "wizard", XP: 100000},
		"a library of shields":            {Race: "human", Class: "wizard", Equipment: []Item{{"shield", 3, false}, {"shield", 1, true}, {"plate", 1, false}, {"leather", 1, true}, {"longsword", 2, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := build(b).check(nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			holds(t, made)
			if made.Name != "n" {
				t.Errorf("the name is %q", made.Name)
			}
		})
	}
}

func TestValidateRefusesMagic(t *testing.T) {
	all := scores(13, 13, 13, 13, 13, 13)
	for name, c := range map[string]struct {
		build Build
		where string
	}{
		"off the list":            {human("wizard", 1, all).with(func(b *Build) { b.Spells = []string{"cure-wounds"} }), "/spells/0"},
		"of too high a level":     {human("wizard", 4, all).with(func(b *Build) { b.Spells = []string{"fireball"} }), "/spells/0"},
		"of another class's rank": {human("wizard", 8, all, ClassLevel{Class: "cleric", Level: 4}).with(func(b *Build) { b.Spells = []string{"revivify"} }), "/spells/0"},
		"too many known":          {human("sorcerer", 1, all).with(func(b *Build) { b.Spells = []string{"shield", "sleep", "alarm", "fog-cloud"} }), "/spells/2"},
		"too many prepared": {human("cleric", 1, all).with(func(b *Build) {
			b.Spells = []string{"bane", "command", "sanctuary", "guiding-bolt"}
		}), "/spells/3"},
		"too many cantrips":  {human("cleric", 1, all).with(func(b *Build) { b.Choices.Cantrips = []string{"light", "guidance", "mending", "resistance"} }), "/choices/cantrips/3"},
		"too early a secret": {human("bard", 9, all).with(func(b *Build) { b.Spells = []string{"fireball"} }), "/spells/0"},
		"too many slots":     {human("wizard", 3, all).with(func(b *Build) { b.State.SpellSlotsUsed = points{"2": 3} }), "/state/spell_slots_used/2"},
		"a slot of no level": {human("wizard", 3, all).with(func(b *Build) { b.State.SpellSlotsUsed = points{"10": 1} }), "/state/spell_slots_used/10"},
		"a boon it has not":  {human("warlock", 2, all).with(func(b *Build) { b.Choices.Features = map[string][]string{"invocations": {"thirsting-blade"}} }), "/choices/invocations/0"},
		"one style twice": {human("fighter", 3, all, ClassLevel{Class: "paladin", Level: 2}).with(func(b *Build) {
			b.Choices.FightingStyle, b.Choices.Features = "defense", map[string][]string{"additional_fighting_style": {"defense"}}
		}), "/choices/additional_fighting_style/0"},
		"expertise in nothing": {human("rogue", 1, all).with(func(b *Build) { b.Choices.Skills, b.Choices.Expertise = []string{"stealth"}, []string{"deception"} }), "/choices/expertise/0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(c.build).check(nil, nil)
			if v := violationsOf(err); len(v) == 0 || v[0].Pointer != c.where {
				t.Errorf("%v", err)
			}
		})
	}
}
