package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
)

var characterPages = []CharacterCheck{
	{Name: "lists are ordered and pages join up", Run: func(ctx context.Context, s character.Store) error {
		rows := mixedCharacters(60)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		return everyCharacterSort(func(sort character.Sort) error {
			for _, limit := range []int{1, 7, 60, 101, 1500} {
				if err := walkCharacters(ctx, s, rows, character.Filter{}, sort, limit, nil); err != nil {
					return fmt.Errorf("limit %d: %w", limit, err)
				}
			}
			return first(walkCharacters(ctx, s, rows, character.Filter{Words: "fighter", Race: "human"}, sort, 1, nil), walkCharacters(ctx, s, rows, character.Filter{Class: "bard", LevelMin: 3}, sort, 1500, nil))
		})
	}},
	{Name: "a list without an order is by created", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(5)
		for i := range rows {
			rows[i].Created, rows[i].Name = at(i*3%5), fmt.Sprint(9-i)
		}
		return first(createCharacters(ctx, s, rows...), walkCharacters(ctx, s, rows, character.Filter{}, character.Sort{}, 2, nil), walkCharacters(ctx, s, rows, character.Filter{Words: "acolyte"}, character.Sort{}, 2, nil))
	}},
	{Name: "ids break ties", Run: func(ctx context.Context, s character.Store) error {
		var rows []character.Character
		for i, id := range []string{
			"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-0000000000ff", "7fffffff-ffff-4fff-bfff-ffffffffffff",
			"80000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff", "0a000000-0000-4000-8000-000000000000",
			"a0000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000100", "01000000-0000-4000-8000-000000000000",
		} {
			c := sampleCharacter(i)
			c.ID, c.Name, c.Created, c.Modified = uuid.MustParse(id), "the same", at(1), at(2)
			rows = append(rows, c)
		}
		if err := createCharacters(ctx, s, shuffledCharacters(rows)...); err != nil {
			return err
		}
		return everyCharacterSort(func(sort character.Sort) error {
			return first(walkCharacters(ctx, s, rows, character.Filter{}, sort, 1, nil), walkCharacters(ctx, s, rows, character.Filter{}, sort, 20, nil), walkCharacters(ctx, s, rows, character.Filter{Words: "same"}, sort, 1, nil))
		})
	}},
	{Name: "names are ordered by code points", Run: func(ctx context.Context, s character.Store) error {
		rows := shuffledCharacters(namedCharacters("", " ", "!", "-a", "A", "B", "Z", "_", "a", "a b", "a-b", "aB", "ab", "b", "z", "{", "\u007f", "\u00c4", "\u00e4", "\u00e9", "e\u0301", "\u0416",
			"\u4e2d", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0001F409", "\U0010FFFF", "10", "9", "a1", "a10", "a2"))
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for _, descending := range []bool{false, true} {
			for _, limit := range []int{1, 4, 50} {
				sort := character.Sort{Key: character.ByName, Descending: descending}
				if err := first(walkCharacters(ctx, s, rows, character.Filter{}, sort, limit, nil), walkCharacters(ctx, s, rows, character.Filter{Words: "acolyte"}, sort, limit, nil)); err != nil {
					return err
				}
			}
		}
		return nil
	}},
	{Name: "times are ordered to the microsecond", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(12)
		for i := range rows {
			rows[i].Created = epoch.Add(time.Duration(i*5%12) * time.Microsecond)
			rows[i].Modified = epoch.Add(time.Duration(i*7%12) * time.Microsecond)
		}
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		return everyCharacterSort(func(sort character.Sort) error { return walkCharacters(ctx, s, rows, character.Filter{}, sort, 1, nil) })
	}},
	{Name: "a page may start after what is no longer there", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(9)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		return everyCharacterSort(func(sort character.Sort) error {
			after := character.PositionOf(rows[4], sort)
			if err := s.Trash(ctx, rows[4].ID, 1, at(1)); err != nil {
				return err
			}
			want := rows[5]
			if sort.Descending {
				want = rows[3]
			}
			for _, f := range []character.Filter{{}, {Words: "acolyte"}} {
				items, err := s.List(ctx, character.Query{Filter: f, Sort: sort, After: &after, Limit: 2})
				if err != nil || len(items) != 2 {
					return fmt.Errorf("List after a trashed one: want 2 items, got %d, %w", len(items), err)
				}
				if err := sameCharacter("the item after a trashed one", items[0], want); err != nil {
					return err
				}
			}
			return s.Undelete(ctx, rows[4].ID, 1, nil)
		})
	}},
	{Name: "a walk while others write", Run: walkCharactersWhileOthersWrite},
}

// shuffledCharacters gives the rows in another order, the same in every run.
func shuffledCharacters(rows []character.Character) []character.Character {
	mixed := slices.Clone(rows)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	return mixed
}

// everyCharacterSort tries each order in both directions.
func everyCharacterSort(try func(character.Sort) error) error {
	for _, key := range []character.SortKey{character.ByCreated, character.ByModified, character.ByName} {
		for _, descending := range []bool{false, true} {
			sort := character.Sort{Key: key, Descending: descending}
			if err := try(sort); err != nil {
				return fmt.Errorf("sort=%s: %w", sort, err)
			}
		}
	}
	return nil
}

// pickedCharacters gives the rows that a filter holds, in order.
func pickedCharacters(rows []character.Character, f character.Filter, sort character.Sort) []character.Character {
	chosen := slices.DeleteFunc(slices.Clone(rows), func(c character.Character) bool { return !f.Matches(c) })
	slices.SortFunc(chosen, func(a, b character.Character) int {
		c := character.PositionOf(a, sort).Compare(character.PositionOf(b, sort))
		if sort.Descending {
			c = -c
		}
		return c
	})
	return chosen
}

// walkCharacters goes through all pages of a list and demands that they show exactly what the filter picks of rows, in
// order. Characters whose ids are marked with isChurn may show up beside; between is called after each page.
func walkCharacters(ctx context.Context, s character.Store, rows []character.Character, f character.Filter, sort character.Sort, limit int, between func() error) error {
	want := pickedCharacters(rows, f, sort)
	q := character.Query{Filter: f, Sort: sort, Limit: limit}
	var got []character.Character
	seen := map[uuid.UUID]bool{}
	for pages := 0; ; pages++ {
		if between == nil && pages > len(rows)+2 {
			return fmt.Errorf("the list does not end: %d pages of %d characters", pages, len(rows))
		}
		items, err := s.List(ctx, q)
		if err != nil {
			return fmt.Errorf("List: %w", err)
		}
		if len(items) > limit {
			return fmt.Errorf("List: want at most %d items, got %d", limit, len(items))
		}
		for _, c := range items {
			if between != nil && isChurned(c.ID) {
				continue
			}
			if seen[c.ID] {
				return fmt.Errorf("page %d: %v (%s) is shown twice", pages, c.ID, shorten(c.Name))
			}
			seen[c.ID] = true
			got = append(got, c)
		}
		if len(items) < limit {
			break
		}
		last := character.PositionOf(items[len(items)-1], sort)
		q.After = &last
		if between != nil {
			if err := between(); err != nil {
				return err
			}
		}
	}
	for i := range min(len(want), len(got)) {
		if err := sameCharacter(fmt.Sprintf("item %d of the list", i), got[i], want[i]); err != nil {
			return err
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("want %d items, got %d", len(want), len(got))
	}
	return nil
}

func isChurned(id uuid.UUID) bool { return id[14] == isChurn && id[15] == isChurn }

// walkCharactersWhileOthersWrite walks many characters in small pages while others write, between the pages and at the
// same time, and demands to see each of those that were there all along exactly once and in order.
func walkCharactersWhileOthersWrite(ctx context.Context, s character.Store) error {
	rows := manyCharacters(120)
	for i := range rows {
		rows[i].ID = idOf(i * 7919 % 10007)
		rows[i].Created, rows[i].Modified = at(i/10), at(100000+i*17%300)
	}
	if err := createCharacters(ctx, s, shuffledCharacters(rows)...); err != nil {
		return err
	}
	// The others make one before, one behind and one between those that are there; one of them goes again, and one moves
	// to the end.
	write := func(n int) error {
		var made []character.Character
		for i, place := range []int{-1000, 7, 100000} {
			c := sampleCharacter(n % 120)
			c.ID = churnID(3*n + i)
			c.Created, c.Modified = at(place+n%10), at(place+100000-n%10)
			c.Name = []string{"", "Name 0060", "zzz"}[i] + fmt.Sprint(n)
			made = append(made, c)
		}
		moved := nextCharacter(made[0], 2)
		moved.Name, moved.Modified = "zzzz", at(300000)
		return first(createCharacters(ctx, s, made...), s.Trash(ctx, made[1].ID, 1, at(5)), replaceCharacter(ctx, s, moved, 1))
	}
	background, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() {
		const bound = 100
		var err error
		for n := 0; n < bound && err == nil && background.Err() == nil; n++ {
			if err = write(10000 + n); err == nil {
				_ = pause(background, time.Millisecond)
			}
		}
		stopped <- err
	}()
	n := 0
	between := func() error { n++; return write(n) }
	err := everyCharacterSort(func(sort character.Sort) error {
		return first(walkCharacters(ctx, s, rows, character.Filter{}, sort, 19, between), walkCharacters(ctx, s, rows, character.Filter{Class: "fighter"}, sort, 19, between))
	})
	stop()
	return first(<-stopped, err)
}
