package contract

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
)

// CharacterCheck is one promise of character.Store, tried on a fresh and empty one.
type CharacterCheck = Check[character.Store]

// CharacterChecks are all promises of character.Store.
var CharacterChecks = slices.Concat(characterBasics, characterChanges, characterRolls, characterClaims, characterFilters, characterPages, characterPurges)

// CharacterHarness is how an adapter is tried.
type CharacterHarness struct {
	// Open gives a fresh and empty store; it registers its own clean-up.
	Open func(t *testing.T) character.Store
	// Pause gives a fresh and empty store whose database has stopped answering after the store was opened (its process
	// is stopped, the connections stay), and what lets it go on. nil: it cannot be paused.
	Pause func(t *testing.T) (s character.Store, resume func())
	// Lacks says, by the name of a check, why this engine cannot promise it.
	Lacks map[string]string
}

// CharacterStore runs the suite of character.Store.
func CharacterStore(t *testing.T, h CharacterHarness) {
	runChecks(t, CharacterChecks, h.Lacks, false, h.Open)
	if h.Pause == nil {
		return
	}
	t.Run("a paused database", func(t *testing.T) {
		s, resume := h.Pause(t)
		ctx, cancel := context.WithTimeout(t.Context(), checkTime)
		defer cancel()
		if err := PausedCharacterStore(ctx, s, resume); err != nil {
			t.Error(err)
		}
	})
}

// PausedCharacterStore tries a store whose database does not answer until resume is called.
func PausedCharacterStore(ctx context.Context, s character.Store, resume func()) error {
	resumed := false
	defer func() {
		if !resumed {
			resume()
		}
	}()
	a, b, roll := sampleCharacter(1), sampleCharacter(2), sampleRoll(1)
	for _, step := range []struct {
		what string
		call func(context.Context) error
	}{
		{"Create", func(ctx context.Context) error { return s.Create(ctx, a, nil, uuid.Nil) }},
		{"Create with a claim and a roll", func(ctx context.Context) error { return s.Create(ctx, a, answerTo("ann", "key"), roll.ID) }},
		{"Get", func(ctx context.Context) error { _, err := s.Get(ctx, a.ID); return err }},
		{"Replace", func(ctx context.Context) error { return s.Replace(ctx, nextCharacter(a, 5), 1, nil, uuid.Nil) }},
		{"Trash", func(ctx context.Context) error { return s.Trash(ctx, a.ID, 1, at(9)) }},
		{"Undelete", func(ctx context.Context) error { return s.Undelete(ctx, a.ID, 1, nil) }},
		{"List", func(ctx context.Context) error { _, err := s.List(ctx, character.Query{Limit: 5}); return err }},
		{"List of a filter", func(ctx context.Context) error {
			_, err := s.List(ctx, character.Query{Limit: 5, Filter: character.Filter{Words: "tordek"}})
			return err
		}},
		{"Count", func(ctx context.Context) error { _, err := s.Count(ctx, character.Filter{}); return err }},
		{"SaveRoll", func(ctx context.Context) error { return s.SaveRoll(ctx, roll, nil) }},
		{"Roll", func(ctx context.Context) error { _, err := s.Roll(ctx, roll.ID); return err }},
		{"Receipt", func(ctx context.Context) error { _, err := s.Receipt(ctx, "ann", "key", at(0)); return err }},
		{"ForgetReceipts", func(ctx context.Context) error { _, err := s.ForgetReceipts(ctx, at(0), 1); return err }},
		{"Purge", func(ctx context.Context) error { _, err := s.Purge(ctx, at(0), 1); return err }},
		{"CountTrash", func(ctx context.Context) error { _, err := s.CountTrash(ctx, at(0)); return err }},
	} {
		if err := whilePaused(ctx, step.what, step.call); err != nil {
			return err
		}
	}
	resume()
	resumed = true
	return eventually(ctx, recovery, func() error {
		limited, cancel := context.WithTimeout(ctx, slack)
		defer cancel()
		if err := s.Create(limited, b, nil, uuid.Nil); err != nil {
			b.ID = uuid.New() // the one that failed may be there all the same
			return fmt.Errorf("Create after the database went on: %w", err)
		}
		return holdsCharacter(limited, s, b)
	})
}

// sampleCharacter is a character that has something in every field, and differs from every other sample.
func sampleCharacter(n int) character.Character {
	return character.Character{
		ID: idOf(n),
		Build: character.Build{
			Name: fmt.Sprintf("Name %04d", n), Player: fmt.Sprintf("Player %d", n),
			Race: []string{"hill-dwarf", "human", "lightfoot-halfling"}[n%3], Class: []string{"fighter", "wizard", "cleric", "rogue"}[n%4],
			Subclass: "champion", Background: "acolyte", Alignment: "lawful-good", Level: 1 + n%20, XP: 300 + n,
			Multiclass: []character.ClassLevel{{Class: "bard", Subclass: "college-of-lore", Level: 3}},
			Abilities:  character.Abilities{Method: character.Rolled, Base: map[string]int{"str": 15, "dex": 13, "con": 14, "int": 8, "wis": 12, "cha": 10}, RollID: idOf(n + 5000)},
			Choices: character.Choices{
				Skills: []string{"athletics", "perception"}, Expertise: []string{"athletics"}, Tools: []string{"lute"}, Languages: []string{"elvish", "orc"},
				AbilityBonus: []string{"str", "con"}, FightingStyle: "defense", DraconicAncestry: "red", Cantrips: []string{"light"},
				Improvements: []character.Improvement{{Level: 4, Abilities: map[string]int{"str": 2}}, {Level: 4, Class: "bard", Abilities: map[string]int{"dex": 1, "cha": 1}}},
				Features:     map[string][]string{"metamagic": {"twinned-spell", "quickened-spell"}, "pact_boon": {"pact-of-the-tome"}},
			},
			Equipment: []character.Item{{Item: "chain-mail", Count: 1, Equipped: true}, {Item: "torch", Count: 10 + n}},
			Spells:    []string{"magic-missile", "shield"},
			State: character.State{HP: 12 + n, TempHP: 3, Conditions: []string{"prone"}, HitDiceUsed: map[string]int{"d10": 1},
				SpellSlotsUsed: map[string]int{"1": 2, character.PactSlots: 1}, Currency: map[string]int{"gp": 15, "cp": n}},
		},
		HitPoints:    []character.HitPointRoll{{Class: "bard", Level: 2, Roll: 7}},
		RolledScores: []int{15, 13, 14, 8, 12, 10},
		Revision:     1,
		Author:       fmt.Sprintf("author%d", n),
		Created:      at(n),
		Modified:     at(n + 100000),
	}
}

// nextCharacter is the revision that follows c, with so many hit points.
func nextCharacter(c character.Character, hp int) character.Character {
	c = c.Clone()
	c.Revision++
	c.State.HP = hp
	c.Modified = c.Modified.Add(time.Minute + 7*time.Microsecond)
	c.Author = "editor"
	return c
}

// deletedAt is c in the trash.
func deletedAt(c character.Character, when time.Time) character.Character {
	c.Deleted = when
	return c
}

// sameCharacter complains unless every field is as wanted. An empty list is as good as none.
func sameCharacter(what string, got, want character.Character) error {
	for _, f := range []struct {
		name      string
		got, want time.Time
	}{{"Created", got.Created, want.Created}, {"Modified", got.Modified, want.Modified}, {"Deleted", got.Deleted, want.Deleted}} {
		if err := sameTime(what+": "+f.name, f.got, f.want); err != nil {
			return err
		}
	}
	if g, w := character.Encode(got), character.Encode(want); !bytes.Equal(g, w) {
		at := 0
		for at < min(len(g), len(w)) && g[at] == w[at] {
			at++
		}
		from := max(0, at-30)
		return fmt.Errorf("%s: want ...%s, got ...%s", what, shorten(string(w[from:])), shorten(string(g[from:])))
	}
	return nil
}

// holdsCharacter complains unless Get answers c.
func holdsCharacter(ctx context.Context, s character.Store, c character.Character) error {
	got, err := s.Get(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("Get: %w", err)
	}
	return sameCharacter("Get", got, c)
}

// createCharacters stores characters without claims and rolls.
func createCharacters(ctx context.Context, s character.Store, characters ...character.Character) error {
	for _, c := range characters {
		if err := s.Create(ctx, c, nil, uuid.Nil); err != nil {
			return fmt.Errorf("Create %v: %w", c.ID, err)
		}
	}
	return nil
}

// replaceCharacter stores a revision without a claim and a roll.
func replaceCharacter(ctx context.Context, s character.Store, c character.Character, was int) error {
	return s.Replace(ctx, c, was, nil, uuid.Nil)
}
