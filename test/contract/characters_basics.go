package contract

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

var characterBasics = []CharacterCheck{
	{Name: "create and get every field", Run: func(ctx context.Context, s character.Store) error {
		a, b := sampleCharacter(1), sampleCharacter(2)
		return first(createCharacters(ctx, s, a, b), holdsCharacter(ctx, s, a), holdsCharacter(ctx, s, b))
	}},
	{Name: "what is not chosen stays empty", Run: func(ctx context.Context, s character.Store) error {
		a := character.Character{ID: idOf(1), Build: character.Build{Name: "N", Race: "human", Class: "monk", Level: 1}, Revision: 1, Created: at(1), Modified: at(2)}
		b := sampleCharacter(2)
		b.Player, b.Author, b.Name, b.Class, b.Race, b.Multiclass, b.State, b.Level = "", "", "", "", "", nil, character.State{}, 0
		empty := ""
		return first(createCharacters(ctx, s, a, b, sampleCharacter(3)), holdsCharacter(ctx, s, a), holdsCharacter(ctx, s, b),
			listsCharacters(ctx, s, []character.Character{a, b, sampleCharacter(3)}, character.Filter{Player: &empty}))
	}},
	{Name: "odd texts are kept byte for byte", Run: func(ctx context.Context, s character.Store) error {
		for i, text := range []string{
			oddText, "", " ", "  padded\t", "line one\r\nline two\rline three\n\n", "NULL", "0", "'", `\`, `\\`, "%", "_", "\ufeff", "\uffff", "\U0010FFFF", "<b>&amp;</b>",
			strings.Repeat("\U0001F9D9", character.MaxName), strings.Repeat("'", 199),
		} {
			c := sampleCharacter(i)
			c.Name, c.Player, c.Author, c.Background, c.Equipment[0].Item, c.Choices.Skills[0] = text, text, text, text, text, text
			if err := first(createCharacters(ctx, s, c), holdsCharacter(ctx, s, c)); err != nil {
				return err
			}
			items, err := s.List(ctx, character.Query{Filter: character.Filter{Player: &text}, Limit: 2})
			if err != nil || len(items) != 1 {
				return fmt.Errorf("List of the player %s: want 1 item, got %d, %v", shorten(text), len(items), err)
			}
			if err := sameCharacter("List", items[0], c); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a character may be large", Run: func(ctx context.Context, s character.Store) error {
		c := sampleCharacter(1)
		for i := range character.MaxEquipment {
			c.Equipment = append(c.Equipment, character.Item{Item: fmt.Sprint("item-of-a-long-name-", i), Count: character.MaxCount, Equipped: i%2 == 0})
		}
		for i := range character.MaxChoices {
			c.Spells = append(c.Spells, fmt.Sprint("spell-of-a-long-name-", i))
			c.Choices.Skills = append(c.Choices.Skills, fmt.Sprint("skill-of-a-long-name-", i))
		}
		c.Name, c.Player = strings.Repeat("\U0001F409", character.MaxName), strings.Repeat("\U0001F409", character.MaxPlayer)
		return first(createCharacters(ctx, s, c), holdsCharacter(ctx, s, c))
	}},
	{Name: "times keep their microseconds", Run: func(ctx context.Context, s character.Store) error {
		a, b := sampleCharacter(1), sampleCharacter(2)
		a.Created = time.Date(2026, 12, 31, 23, 59, 59, 999999000, time.UTC)
		a.Modified = time.Date(2038, 1, 19, 3, 14, 8, 1000, time.UTC)
		b.Created, b.Modified = time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Unix(1, 0).UTC()
		gone := at(3).Add(999 * time.Microsecond)
		return first(createCharacters(ctx, s, a, b), holdsCharacter(ctx, s, a), holdsCharacter(ctx, s, b),
			s.Trash(ctx, a.ID, 1, gone), holdsCharacter(ctx, s, deletedAt(a, gone)))
	}},
	{Name: "times of other zones and finer clocks are kept as UTC in microseconds", Run: func(ctx context.Context, s character.Store) error {
		zone := time.FixedZone("", 3600)
		fine := func(n int) time.Time { return at(n).In(zone).Add(999 * time.Nanosecond) }
		given := sampleCharacter(1)
		given.Created, given.Modified = fine(1), fine(2)
		want := sampleCharacter(1)
		want.Created, want.Modified = at(1), at(2)
		if err := first(createCharacters(ctx, s, given), holdsCharacter(ctx, s, want)); err != nil {
			return err
		}
		given, want = nextCharacter(want, 4), nextCharacter(want, 4)
		given.Modified, want.Modified = fine(5), at(5)
		return first(replaceCharacter(ctx, s, given, 1), holdsCharacter(ctx, s, want),
			s.Trash(ctx, want.ID, 2, fine(7)), holdsCharacter(ctx, s, deletedAt(want, at(7))))
	}},
	{Name: "a character may start at any revision", Run: func(ctx context.Context, s character.Store) error {
		c := sampleCharacter(1)
		c.Revision = 7
		return first(createCharacters(ctx, s, c), holdsCharacter(ctx, s, c), replaceCharacter(ctx, s, nextCharacter(c, 1), 7), holdsCharacter(ctx, s, nextCharacter(c, 1)))
	}},
	{Name: "an id is taken once", Run: func(ctx context.Context, s character.Store) error {
		a, other := sampleCharacter(1), sampleCharacter(2)
		other.ID, other.Revision = a.ID, 2
		return first(createCharacters(ctx, s, a),
			wantErr("Create with the id of a living one", s.Create(ctx, other, nil, uuid.Nil), character.ErrTaken), holdsCharacter(ctx, s, a),
			s.Trash(ctx, a.ID, 1, at(5)),
			wantErr("Create with the id of one in the trash", s.Create(ctx, other, nil, uuid.Nil), character.ErrTaken), holdsCharacter(ctx, s, deletedAt(a, at(5))))
	}},
	{Name: "of concurrent creates of an id one wins", Run: func(ctx context.Context, s character.Store) error {
		won, bad := winners(together(12, func(i int) error {
			c := sampleCharacter(i)
			c.ID = idOf(99)
			return s.Create(ctx, c, nil, uuid.Nil)
		}), character.ErrTaken)
		if won != 1 {
			return fmt.Errorf("12 creates of one id at once: want 1 to succeed, got %d (%v)", won, bad)
		}
		n, err := s.Count(ctx, character.Filter{})
		if n != 1 || err != nil {
			return fmt.Errorf("after 12 creates of one id: want 1 character, got %d, %v", n, err)
		}
		return bad
	}},
	{Name: "what is not there is not found", Run: func(ctx context.Context, s character.Store) error {
		if err := first(createCharacters(ctx, s, sampleCharacter(1)), s.SaveRoll(ctx, sampleRoll(1), nil)); err != nil {
			return err
		}
		_, get := s.Get(ctx, idOf(2))
		_, none := s.Get(ctx, uuid.Nil)
		_, roll := s.Roll(ctx, sampleCharacter(1).ID)
		_, other := s.Get(ctx, sampleRoll(1).ID)
		_, receipt := s.Receipt(ctx, "ann", "never", at(0))
		return first(wantKind("Get of an unknown id", get, fault.NotFound), wantKind("Get of the zero id", none, fault.NotFound), wantKind("Roll of a character's id", roll, fault.NotFound),
			wantKind("Get of a roll's id", other, fault.NotFound), wantKind("Receipt of an unused key", receipt, fault.NotFound))
	}},
	{Name: "what is taken and given is not shared", Run: notSharedCharacters},
	{Name: "a context that has ended", Run: cancelledCharacters},
}

// scribble changes all of a character that a copy may share with it.
func scribble(c character.Character) {
	c.Abilities.Base["str"], c.State.Currency["gp"], c.State.HitDiceUsed["d10"], c.State.SpellSlotsUsed["1"] = 99, 99, 99, 99
	c.Choices.Skills[0], c.Choices.Features["metamagic"][0], c.Spells[0], c.State.Conditions[0] = "x", "x", "x", "x"
	c.Choices.Improvements[0].Abilities["str"], c.Choices.Improvements[0].Level = 99, 99
	c.Equipment[0].Item, c.Multiclass[0].Class, c.HitPoints[0].Roll, c.RolledScores[0] = "x", "x", 99, 99
	delete(c.Choices.Features, "pact_boon")
}

func notSharedCharacters(ctx context.Context, s character.Store) error {
	a := sampleCharacter(1)
	given := a.Clone()
	if err := createCharacters(ctx, s, given); err != nil {
		return err
	}
	scribble(given)
	if err := holdsCharacter(ctx, s, a); err != nil {
		return fmt.Errorf("after the caller changed what it had created: %w", err)
	}
	got, err := s.Get(ctx, a.ID)
	if err != nil {
		return err
	}
	scribble(got)
	if err := holdsCharacter(ctx, s, a); err != nil {
		return fmt.Errorf("after the caller changed what Get answered: %w", err)
	}
	items, err := s.List(ctx, character.Query{Limit: 5})
	if err != nil || len(items) != 1 {
		return fmt.Errorf("List: want 1 item, got %d, %v", len(items), err)
	}
	scribble(items[0])
	items[0] = character.Character{}
	if err := first(holdsCharacter(ctx, s, a), listsCharacters(ctx, s, []character.Character{a}, character.Filter{})); err != nil {
		return fmt.Errorf("after the caller changed what List answered: %w", err)
	}
	b := nextCharacter(a, 2)
	given = b.Clone()
	if err := replaceCharacter(ctx, s, given, 1); err != nil {
		return err
	}
	scribble(given)
	if err := holdsCharacter(ctx, s, b); err != nil {
		return fmt.Errorf("after the caller changed what it had replaced: %w", err)
	}
	return nil
}

// cancelledCharacters demands that every method refuses to work under a context that has ended, and that nothing happens.
func cancelledCharacters(ctx context.Context, s character.Store) error {
	a, trashed, roll := sampleCharacter(1), sampleCharacter(2), sampleRoll(1)
	if err := first(createCharacters(ctx, s, a, trashed), s.Trash(ctx, trashed.ID, 1, at(7)), s.SaveRoll(ctx, roll, nil)); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, get := s.Get(ended, a.ID)
	_, list := s.List(ended, character.Query{Limit: 5})
	_, count := s.Count(ended, character.Filter{})
	_, receipt := s.Receipt(ended, "ann", "key", at(0))
	_, forget := s.ForgetReceipts(ended, at(0), 5)
	_, read := s.Roll(ended, roll.ID)
	_, purge := s.Purge(ended, farAhead, 5)
	_, trash := s.CountTrash(ended, farAhead)
	for what, err := range map[string]error{
		"Get": get, "List": list, "Count": count, "Receipt": receipt, "ForgetReceipts": forget, "Roll": read, "Purge": purge, "CountTrash": trash,
		"Create":   s.Create(ended, sampleCharacter(3), answerTo("ann", "key"), roll.ID),
		"Replace":  s.Replace(ended, nextCharacter(a, 1), 1, answerTo("ann", "key"), roll.ID),
		"Trash":    s.Trash(ended, a.ID, 1, at(8)),
		"Undelete": s.Undelete(ended, trashed.ID, 1, answerTo("ann", "other")),
		"SaveRoll": s.SaveRoll(ended, sampleRoll(2), answerTo("ann", "key")),
	} {
		if err := wantKind(what+" under a cancelled context", err, fault.Unavailable); err != nil {
			return err
		}
	}
	_, missing := s.Get(ctx, sampleCharacter(3).ID)
	_, unsaved := s.Roll(ctx, sampleRoll(2).ID)
	return first(wantKind("Get of what was created under a cancelled context", missing, fault.NotFound),
		wantKind("Roll of what was saved under a cancelled context", unsaved, fault.NotFound), unanswered(ctx, s, answerTo("ann", "key")),
		holdsRoll(ctx, s, roll), holdsCharacter(ctx, s, a), holdsCharacter(ctx, s, deletedAt(trashed, at(7))))
}
