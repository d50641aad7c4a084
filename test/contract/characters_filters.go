package contract

import (
	"context"
	"fmt"
	"strings"

	"bitbucket.org/templar/templar/core/character"
)

var characterFilters = []CharacterCheck{
	{Name: "the trash is listed apart", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(8)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for i := range rows {
			if i%3 == 0 {
				rows[i].Deleted = at(500 + i)
				if err := s.Trash(ctx, rows[i].ID, 1, rows[i].Deleted); err != nil {
					return err
				}
			}
		}
		both := func() error {
			return first(listsCharacters(ctx, s, rows, character.Filter{}), listsCharacters(ctx, s, rows, character.Filter{Trash: true}),
				listsCharacters(ctx, s, rows, character.Filter{Trash: true, Words: "name"}), listsCharacters(ctx, s, rows, character.Filter{Words: "name"}))
		}
		if err := both(); err != nil {
			return err
		}
		rows[0].Deleted = rows[1].Deleted // zero
		return first(s.Undelete(ctx, rows[0].ID, 1, nil), both())
	}},
	{Name: "filters look at the current revision", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(4)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for i := range 2 {
			b := nextCharacter(rows[i], 2)
			b.Name, b.Player, b.Race, b.Class, b.Level, b.Multiclass = "Zapped", "Zoe", "tiefling", "warlock", 19, nil
			b.Modified = at(200000 + i)
			if err := replaceCharacter(ctx, s, b, 1); err != nil {
				return err
			}
			rows[i] = b
		}
		old, now := rows[2].Player, "Zoe"
		return listsEach(ctx, s, rows, character.Filter{}, character.Filter{Player: &old}, character.Filter{Player: &now}, character.Filter{Race: "tiefling"}, character.Filter{Race: "hill-dwarf"},
			character.Filter{Class: "warlock"}, character.Filter{Class: "bard"}, character.Filter{Class: "fighter"}, character.Filter{LevelMin: 19}, character.Filter{LevelMax: 2},
			character.Filter{Words: "zapped"}, character.Filter{Words: "name"})
	}},
	{Name: "the class filter finds every class of a character", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(6)
		for i, classes := range [][]string{{"fighter"}, {"wizard", "fighter"}, {"wizard", "rogue", "fighter", "bard"}, {"wizard"}, {"fighter-mage"}, {"war", "fighte", "r"}} {
			rows[i].Class, rows[i].Multiclass = classes[0], nil
			for _, class := range classes[1:] {
				rows[i].Multiclass = append(rows[i].Multiclass, character.ClassLevel{Class: class, Level: 1})
			}
		}
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for _, class := range []string{"fighter", "wizard", "rogue", "bard", "Fighter", "fight", "ighter", "absent", "fighter-mage", "wizard fighter", "war", "%", "_izard", " ", "'", `\`, ","} {
			if err := listsCharacters(ctx, s, rows, character.Filter{Class: class}); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "the race filter is exact", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(6)
		for i, race := range []string{"hill-dwarf", "human", "half-elf", "high-elf", "elf", "dwarf"} {
			rows[i].Race = race
		}
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for _, race := range []string{"hill-dwarf", "human", "dwarf", "elf", "Human", "hum", "hill dwarf", "dwarf-hill", "%", "h_man", "...", "'"} {
			if err := listsCharacters(ctx, s, rows, character.Filter{Race: race}); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "the player filter is exact", Run: func(ctx context.Context, s character.Store) error {
		players := []string{"Ann", "ann", "ANN", "Ann ", " Ann", "Ann Smith", "An", "Ann", "A%n", "A_n", "", "...", "\u00e9", "e\u0301", "\u00c9", "e", strings.Repeat("\U0001F9D9", 200), strings.Repeat("\U0001F9D9", 199)}
		rows := manyCharacters(len(players))
		for i, player := range players {
			rows[i].Player = player
		}
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for _, player := range append(players, "absent", "%", "Smith", "Smith Ann", "Ann'", "..", "\u3002", "ann smith") {
			if err := listsCharacters(ctx, s, rows, character.Filter{Player: &player}); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "level bounds are included", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(22)
		for i := range rows {
			rows[i].Level = i % 21
		}
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for _, f := range []character.Filter{{LevelMin: 1}, {LevelMin: 5}, {LevelMin: 20}, {LevelMax: 1}, {LevelMax: 5}, {LevelMax: 20}, {LevelMin: 5, LevelMax: 5}, {LevelMin: 3, LevelMax: 7}, {LevelMin: 7, LevelMax: 3},
			{LevelMin: 21}, {LevelMax: -1}} {
			if err := listsCharacters(ctx, s, rows, f); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "all words must be found, in any field", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(4)
		rows[0].Name, rows[0].Player, rows[0].Race, rows[0].Class, rows[0].Subclass = "Tordek the Bold", "Ann Smith", "hill-dwarf", "fighter", "champion"
		rows[1].Name, rows[1].Background, rows[1].Alignment = "Smith", "folk-hero", "chaotic-neutral"
		rows[2].Multiclass = []character.ClassLevel{{Class: "warlock", Subclass: "the-fiend", Level: 1}, {Class: "monk", Level: 2}}
		rows[3].Name, rows[3].Equipment[0].Item = "Bold", "greatclub"
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		return findsCharacters(ctx, s, rows, "tordek", "smith", "ann smith", "smith ann", "bold", "the bold", "the", "dwarf", "hill dwarf", "dwarf hill", "hill-dwarf", "fighter champion tordek", "folk", "hero", "chaotic",
			"warlock", "fiend monk", "monk fiend warlock", "greatclub", "absent", "tordek absent", "tordek tordek tordek", "  tordek\t\r\nbold  ", "lore", "bard", "acolyte", "good")
	}},
	{Name: "words are found case aside", Run: func(ctx context.Context, s character.Store) error {
		rows := namedCharacters("Hello World", "hello world", "HELLO", "\u00c9clair \u00c4pfel", "\u00e9clair \u00e4pfel", "eclair apfel", "\u041f\u0420\u0418\u0412\u0415\u0422", "\u043f\u0440\u0438\u0432\u0435\u0442", "\u0391\u03b8\u03ae\u03bd\u03b1",
			"Stra\u00dfe", "STRASSE", "\u017fort", "sort", "\u0130zmir", "izmir", "\u212akelvin", "kkelvin")
		return first(createCharacters(ctx, s, rows...), findsCharacters(ctx, s, rows, "hello", "HELLO", "hElLo wOrLd", "\u00c9CLAIR", "\u00e9clair", "\u00e4PFEL", "eclair", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u0391\u0398\u0389\u039d\u0391",
			"stra\u00dfe", "STRA\u00dfE", "strasse", "\u017fort", "sort", "\u0130ZMIR", "izmir", "\u212akelvin", "kkelvin"))
	}},
	{Name: "words are found whole", Run: func(ctx context.Context, s character.Store) error {
		rows := namedCharacters("welcome", "welcomes", "unwelcome", "come", "42", "421", "42nd", "a42", "the", "a", "1st", "x\u00b2", "it's", "snake_case", "kebab-case", "3.14", "caf\u00e9!", "\u00abquoted\u00bb", "em\u2014dash",
			strings.Repeat("a", 199), strings.Repeat("a", 200), strings.Repeat("\u0416", 200))
		return first(createCharacters(ctx, s, rows...), findsCharacters(ctx, s, rows, "welcome", "come", "wel", "elcom", "42", "4", "2", "42nd", "a42", "the", "a", "1st", "x", "x\u00b2", "it", "it's", "s", "snake", "case", "snake_case", "kebab",
			"3.14", "14", "caf\u00e9", "caf", "quoted", "dash", strings.Repeat("a", 198), strings.Repeat("a", 199), strings.Repeat("A", 200), strings.Repeat("\u0436", 200), strings.Repeat("a", 300)))
	}},
	{Name: "words of every script are found", Run: func(ctx context.Context, s character.Store) error {
		// Letters that Unicode got in its versions 6 to 15, of which some databases know only the older, and marks.
		names := []string{"\u4e2d\u6587 \u540d\u524d", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u05e9\u05dc\u05d5\u05dd", "\u0633\u0644\u0627\u0645", "\ua7aea", "\uab30b", "\u1c80\u1c81", "\U0001e900x", "\U00010570y", "\u0870z", "\U00031350", "e\u0301t\u00e9", "\uff21\uff11", "\u0660\u0661"}
		rows := namedCharacters(names...)
		return first(createCharacters(ctx, s, rows...), findsCharacters(ctx, s, rows, append(names, "\u6587", "\u540d\u524d", "a", "b", "x", "y", "z", "t\u00e9", "e", "\uff41\uff11", "\u0660", "\uab30", "\U0001e900")...))
	}},
	{Name: "words have no operators", Run: func(ctx context.Context, s character.Store) error {
		rows := namedCharacters("alpha", "beta", "alpha beta", "beta alpha", "alpha or beta", "alpha and beta", "alpha not beta", "not", "or", "and", "near alpha beta", "alphabet", "name alpha", "words alpha")
		return first(createCharacters(ctx, s, rows...), findsCharacters(ctx, s, rows, "alpha OR beta", "alpha AND beta", "alpha NOT beta", "NOT alpha", "NOT", "OR", "AND AND", "NEAR(alpha beta)", `"alpha beta"`, `"alpha`, `alpha"`, `"`, `""`,
			"alph*", "alpha*", "*", "^beta", "words:alpha", "name : alpha", "{name words}:alpha", "-alpha", "+alpha", "!alpha", "alpha & beta", "alpha | beta", "alpha <-> beta", "alpha:*", "(alpha", "alpha)", "()", "'alpha'", "'", `\`, `alpha\`,
			"alpha; drop table characters", "alpha -- beta", "%", "_", "alph_", "alph%", "?", "$1", ":alpha", "@alpha", "alpha,beta", "~alpha", "[alpha]", "<alpha>", "alpha\x00beta", "\x00", "\xff", "alpha\xffbeta", "\xc3"))
	}},
	{Name: "a text without words picks any", Run: func(ctx context.Context, s character.Store) error {
		rows := namedCharacters("alpha", "", "...")
		return first(createCharacters(ctx, s, rows...), findsCharacters(ctx, s, rows, "", " ", "...", "\t\n", "-", "\U0001F409", "\u2028", "\x00"))
	}},
	{Name: "a search for very many words", Run: func(ctx context.Context, s character.Store) error {
		rows := namedCharacters("alpha", "beta")
		var text strings.Builder
		for i := range 2000 {
			fmt.Fprintf(&text, "w%d ", i)
		}
		return first(createCharacters(ctx, s, rows...), findsCharacters(ctx, s, rows, text.String(), strings.Repeat("alpha ", 2000)))
	}},
	{Name: "filters that no stored text can meet pick nothing", Run: func(ctx context.Context, s character.Store) error {
		rows := manyCharacters(3)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for _, text := range []string{"a\x00", "\x00", "human\x00", "a\xff", "\xed\xa0\x80", "\xc3", "human\xff"} {
			if err := listsEach(ctx, s, rows, character.Filter{Player: &text}, character.Filter{Race: text}, character.Filter{Class: text}); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "filters join up", Run: func(ctx context.Context, s character.Store) error {
		rows := mixedCharacters(60)
		if err := createCharacters(ctx, s, rows...); err != nil {
			return err
		}
		for i := range rows {
			if i%4 == 3 {
				rows[i].Deleted = at(900 + i)
				if err := s.Trash(ctx, rows[i].ID, 1, rows[i].Deleted); err != nil {
					return err
				}
			}
		}
		player, other := rows[0].Player, "Nobody"
		for _, f := range []character.Filter{
			{Player: &player, Words: "human"}, {Player: &player, Race: "human"}, {Player: &other, Race: "human"}, {Class: "wizard", Race: "hill-dwarf"}, {Class: "bard", LevelMin: 5, LevelMax: 9},
			{Class: "rogue", Words: "a1"}, {LevelMin: 10, Words: "dwarf bard"}, {Player: &player, Class: "fighter", Race: "human", LevelMin: 2, LevelMax: 19, Words: "fighter human"}, {Words: "absent", Race: "human"},
		} {
			for _, trash := range []bool{false, true} {
				f.Trash = trash
				if err := listsCharacters(ctx, s, rows, f); err != nil {
					return err
				}
			}
		}
		return nil
	}},
}

func manyCharacters(n int) []character.Character {
	rows := make([]character.Character, n)
	for i := range rows {
		rows[i] = sampleCharacter(i)
	}
	return rows
}

// namedCharacters gives a character for each name, whose other fields have no words in common with the checks.
func namedCharacters(names ...string) []character.Character {
	rows := manyCharacters(len(names))
	for i, name := range names {
		rows[i].Name, rows[i].Player = name, fmt.Sprintf("row%d", i)
	}
	return rows
}

// mixedCharacters gives n characters with few names, times and players, so that filters pick several and sort keys tie.
// Their ids do not rise with anything.
func mixedCharacters(n int) []character.Character {
	rows := manyCharacters(n)
	for i := range rows {
		rows[i].ID = idOf(i * 7919 % 10007)
		rows[i].Name, rows[i].Player = fmt.Sprintf("%c%d", 'a'+i%3, i%5), fmt.Sprintf("Player %d", i%4)
		rows[i].Created, rows[i].Modified = at(i/6), at(1000-i%7)
	}
	return shuffledCharacters(rows)
}

// findsCharacters demands that each search picks those of the rows that it should.
func findsCharacters(ctx context.Context, s character.Store, rows []character.Character, searches ...string) error {
	for _, words := range searches {
		if err := listsCharacters(ctx, s, rows, character.Filter{Words: words}); err != nil {
			return err
		}
	}
	return nil
}

// listsEach demands what listsCharacters does of each filter.
func listsEach(ctx context.Context, s character.Store, rows []character.Character, filters ...character.Filter) error {
	for _, f := range filters {
		if err := listsCharacters(ctx, s, rows, f); err != nil {
			return err
		}
	}
	return nil
}

// listsCharacters demands that List, in two orders and in pages, and Count agree with what the filter should pick of rows.
func listsCharacters(ctx context.Context, s character.Store, rows []character.Character, f character.Filter) error {
	for _, sort := range []character.Sort{{Key: character.ByCreated}, {Key: character.ByName, Descending: true}} {
		if err := walkCharacters(ctx, s, rows, f, sort, 3, nil); err != nil {
			return fmt.Errorf("%s: %w", describeFilter(f), err)
		}
	}
	want := len(pickedCharacters(rows, f, character.Sort{Key: character.ByCreated}))
	if n, err := s.Count(ctx, f); err != nil || n != want {
		return fmt.Errorf("%s: Count: want %d, got %d, %w", describeFilter(f), want, n, err)
	}
	return nil
}

func describeFilter(f character.Filter) string {
	player := "any"
	if f.Player != nil {
		player = shorten(*f.Player)
	}
	return fmt.Sprintf("filter{trash %t, class %s, race %s, player %s, level %d to %d, words %s}", f.Trash, shorten(f.Class), shorten(f.Race), player, f.LevelMin, f.LevelMax, shorten(f.Words))
}
