package contract

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// columnsOfTheFirst picks by what a character was when it was created.
var columnsOfTheFirst = breakCharacters("keeps the columns that it made first", func(good character.Store, b *brokenCharacters) {
	var mu sync.Mutex
	made := map[uuid.UUID]character.Character{}
	b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
		mu.Lock()
		defer mu.Unlock()
		made[c.ID] = c.Clone()
		return good.Create(ctx, c, claim, roll)
	}
	relisted := relistedCharacters("", func(f character.Filter, c character.Character) bool {
		mu.Lock()
		defer mu.Unlock()
		return f.Matches(made[c.ID])
	}, nil).breaks(good)
	b.list, b.count = relisted.List, relisted.Count
})

// pieces are the words of a text as the core sees them.
func pieces(text string) []string { return character.Filter{Words: text}.Wanted() }

func holdsEvery(wanted []string, in string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(in, w) })
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}

var characterListBreakers = map[string][]breaker[character.Store]{
	"the trash is listed apart": {
		picksCharactersBy("lists both places", func(f *character.Filter, c *character.Character) { f.Trash, c.Deleted = false, time.Time{} }),
		picksCharactersBy("finds words in the living alone", func(f *character.Filter, c *character.Character) {
			if f.Trash && f.Words != "" {
				f.LevelMin = 99
			}
		}),
	},
	"filters look at the current revision": {columnsOfTheFirst},
	"the class filter finds every class of a character": {
		picksCharactersBy("looks at the first class", func(_ *character.Filter, c *character.Character) { c.Multiclass = nil }),
		relistedCharacters("looks for a part of the text", func(f character.Filter, c character.Character) bool {
			return strings.Contains(strings.Join(c.Columns().Classes, " "), f.Class)
		}, nil),
	},
	"the race filter is exact": {
		relistedCharacters("looks for words", func(f character.Filter, c character.Character) bool {
			return holdsEvery(pieces(f.Race), " "+strings.ReplaceAll(c.Race, "-", " ")+" ")
		}, nil),
		relistedCharacters("is deaf to case", func(f character.Filter, c character.Character) bool {
			return f.Race == "" || strings.EqualFold(f.Race, c.Race)
		}, nil),
	},
	"the player filter is exact": {
		picksCharactersBy("trims", func(_ *character.Filter, c *character.Character) { c.Player = strings.TrimSpace(c.Player) }),
		relistedCharacters("is deaf to case", func(f character.Filter, c character.Character) bool {
			return f.Player == nil || strings.EqualFold(*f.Player, c.Player)
		}, nil),
		relistedCharacters("takes wildcards", func(f character.Filter, c character.Character) bool {
			return f.Player == nil || like(*f.Player, c.Player) && (*f.Player == c.Player || strings.ContainsAny(*f.Player, "%_"))
		}, nil),
		picksCharactersBy("takes no player for any", func(f *character.Filter, _ *character.Character) {
			if f.Player != nil && *f.Player == "" {
				f.Player = nil
			}
		}),
	},
	"level bounds are included": {
		picksCharactersBy("excludes the lower bound", func(f *character.Filter, _ *character.Character) {
			if f.LevelMin != 0 {
				f.LevelMin++
			}
		}),
		picksCharactersBy("excludes the upper bound", func(f *character.Filter, _ *character.Character) {
			if f.LevelMax > 0 {
				f.LevelMax--
			}
		}),
	},
	"all words must be found, in any field": {
		searchesBy("asks for any word", func(query, text string) bool {
			return slices.ContainsFunc(pieces(query), func(w string) bool { return strings.Contains(text, w) })
		}),
		picksCharactersBy("does not look at further classes", func(f *character.Filter, c *character.Character) { c.Multiclass = nil }),
		picksCharactersBy("does not look at players", func(f *character.Filter, c *character.Character) { c.Player = "" }),
	},
	"words are found case aside": {
		relistedCharacters("looks at case", func(f character.Filter, c character.Character) bool {
			return f.Matches(c) && strings.Contains(c.Name, f.Words)
		}, nil),
		relistedCharacters("knows the cases of ASCII alone", func(f character.Filter, c character.Character) bool {
			return f.Matches(c) && (isASCII(f.Words) || strings.Contains(c.Name, f.Words))
		}, nil),
		searchesBy("folds by other rules", func(query, text string) bool {
			fold := func(t string) string { return strings.ReplaceAll(strings.ToLower(t), "\u017f", "s") }
			return holdsEvery(pieces(fold(query)), fold(text))
		}),
	},
	"words are found whole": {
		searchesBy("finds parts of words", func(query, text string) bool { return strings.Contains(text, strings.ToLower(query)) }),
		searchesBy("finds the beginnings of words", func(query, text string) bool {
			return !slices.ContainsFunc(pieces(query), func(w string) bool { return !strings.Contains(text, strings.TrimSuffix(w, " ")) })
		}),
	},
	"words of every script are found": {searchesBy("knows no letters beyond ASCII", func(query, text string) bool { return isASCII(query) && holdsEvery(pieces(query), text) })},
	"words have no operators": {
		searchesBy("takes a star", func(query, text string) bool {
			if stem, is := strings.CutSuffix(query, "*"); is {
				return strings.Contains(text, " "+stem)
			}
			return holdsEvery(pieces(query), text)
		}),
		searchesBy("takes OR", func(query, text string) bool {
			a, b, is := strings.Cut(query, " OR ")
			return holdsEvery(pieces(a), text) && (!is || holdsEvery(pieces(b), text)) || is && holdsEvery(pieces(b), text)
		}),
		breakCharacters("fails on quotes", func(good character.Store, b *brokenCharacters) {
			b.list = func(ctx context.Context, q character.Query) ([]character.Character, error) {
				if strings.Contains(q.Filter.Words, `"`) {
					return nil, fault.New(fault.Internal, "unterminated string")
				}
				return good.List(ctx, q)
			}
		}),
	},
	"a text without words picks any": {searchesBy("picks none", func(query, text string) bool { return len(pieces(query)) > 0 && holdsEvery(pieces(query), text) })},
	"a search for very many words": {breakCharacters("has too many parameters", func(good character.Store, b *brokenCharacters) {
		b.count = func(ctx context.Context, f character.Filter) (int, error) {
			if len(f.Wanted()) > 999 {
				return 0, fault.New(fault.Internal, "too many SQL variables")
			}
			return good.Count(ctx, f)
		}
	})},
	"filters that no stored text can meet pick nothing": {
		picksCharactersBy("cuts at NUL", func(f *character.Filter, _ *character.Character) { f.Race, _, _ = strings.Cut(f.Race, "\x00") }),
		breakCharacters("fails", func(good character.Store, b *brokenCharacters) {
			b.list = func(ctx context.Context, q character.Query) ([]character.Character, error) {
				if p := q.Filter.Player; p != nil && !utf8.ValidString(*p) {
					return nil, fault.New(fault.Internal, "invalid byte sequence")
				}
				return good.List(ctx, q)
			}
		}),
	},
	"filters join up": {
		relistedCharacters("joins filters by or", func(f character.Filter, c character.Character) bool {
			player := f
			player.Race, player.Class, player.Words, player.LevelMin, player.LevelMax = "", "", "", 0, 0
			rest := f
			rest.Player = nil
			return rest.Matches(c) || f.Player != nil && player.Matches(c)
		}, nil),
		picksCharactersBy("forgets the level when it searches words", func(f *character.Filter, _ *character.Character) {
			if f.Words != "" {
				f.LevelMin, f.LevelMax = 0, 0
			}
		}),
	},
	"lists are ordered and pages join up": {
		asksFor("has pages of at most 50", func(q *character.Query) { q.Limit = min(q.Limit, 50) }),
		asksFor("does not sort by modified", func(q *character.Query) {
			if q.Sort.Key == character.ByModified {
				q.Sort.Key = character.ByCreated
			}
		}),
		asksFor("does not know descending", func(q *character.Query) { q.Sort.Descending = false }),
		asksFor("repeats the last item", func(q *character.Query) {
			if q.After != nil {
				after := *q.After
				after.ID[15]--
				q.After = &after
			}
		}),
	},
	"a list without an order is by created": {asksFor("is by name", func(q *character.Query) { q.Sort.Key = cmp.Or(q.Sort.Key, character.ByName) })},
	"ids break ties": {relistedCharacters("breaks ties in another way", nil, func(s character.Sort, a, b character.Character) int {
		x, y := character.PositionOf(a, s), character.PositionOf(b, s)
		x.ID, y.ID = uuid.Nil, uuid.Nil
		return cmp.Or(x.Compare(y), strings.Compare(a.Player, b.Player))
	})},
	"names are ordered by code points": {
		relistedCharacters("orders them case aside", nil, func(s character.Sort, a, b character.Character) int {
			if s.Key != character.ByName {
				return 0
			}
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		}),
	},
	"times are ordered to the microsecond": {relistedCharacters("orders by the second", nil, func(s character.Sort, a, b character.Character) int {
		if s.Key == character.ByName {
			return 0
		}
		return strings.Compare(a.ID.String(), b.ID.String())
	})},
	"a page may start after what is no longer there": {breakCharacters("looks for the item before", func(good character.Store, b *brokenCharacters) {
		b.list = func(ctx context.Context, q character.Query) ([]character.Character, error) {
			if q.After != nil {
				if c, err := good.Get(ctx, q.After.ID); err != nil || c.InTrash() != q.Filter.Trash {
					q.After = nil
				}
			}
			return good.List(ctx, q)
		}
	})},
	"a walk while others write": {countsRows},
	"a purge takes what was in the trash before the moment": {
		breakCharacters("takes what was there at the moment", func(good character.Store, b *brokenCharacters) {
			b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
				return good.Purge(ctx, before.Add(time.Microsecond), limit)
			}
		}),
		breakCharacters("only counts", func(good character.Store, b *brokenCharacters) {
			b.purge = func(ctx context.Context, before time.Time, _ int) (int, error) { return good.CountTrash(ctx, before) }
		}),
	},
	"a purge has a limit": {breakCharacters("has none", func(good character.Store, b *brokenCharacters) {
		b.purge = func(ctx context.Context, before time.Time, _ int) (int, error) { return good.Purge(ctx, before, 1000) }
	})},
	"a purge leaves the id free": {breakCharacters("keeps the ids", func(good character.Store, b *brokenCharacters) {
		made := map[uuid.UUID]bool{}
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			if made[c.ID] {
				return character.ErrTaken
			}
			made[c.ID] = true
			return good.Create(ctx, c, claim, roll)
		}
	})},
	"a purge leaves the receipts": {breakCharacters("forgets them", func(good character.Store, b *brokenCharacters) {
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			_, _ = good.ForgetReceipts(ctx, farAhead, 1000)
			return good.Purge(ctx, before, limit)
		}
	})},
	"an undelete and a purge do not both win": {losesUpdates},
}
