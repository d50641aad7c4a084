package contract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// relisted is a store whose lists are made anew, with another idea of what a filter picks or of the order; nil keeps
// the right one. The rows before the page are found by their order, ids breaking ties.
func relisted(what string, pick func(template.Filter, template.Template) bool, compare func(s template.Sort, a, b template.Template) int) breaker[template.Store] {
	return breakStore(what, func(good template.Store, b *brokenStore) {
		if pick == nil {
			pick = picks
		}
		all := func(ctx context.Context, f template.Filter) ([]template.Template, error) {
			var rows []template.Template
			for _, trash := range []bool{false, true} {
				some, err := good.List(ctx, template.Query{Filter: template.Filter{Trash: trash}, Limit: 1 << 20, WithContent: true})
				if err != nil {
					return nil, err
				}
				rows = append(rows, some...)
			}
			return slices.DeleteFunc(rows, func(t template.Template) bool { return !pick(f, t) }), nil
		}
		b.count = func(ctx context.Context, f template.Filter) (int, error) {
			rows, err := all(ctx, f)
			return len(rows), err
		}
		b.list = func(ctx context.Context, q template.Query) ([]template.Template, error) {
			rows, err := all(ctx, q.Filter)
			slices.SortFunc(rows, func(x, y template.Template) int {
				c := 0
				if compare != nil {
					c = compare(q.Sort, x, y)
				}
				if compare == nil || c == 0 {
					c = template.PositionOf(x, q.Sort).Compare(template.PositionOf(y, q.Sort))
				}
				if q.Sort.Descending {
					return -c
				}
				return c
			})
			if q.After != nil {
				for i, t := range rows {
					if t.ID == q.After.ID {
						rows = rows[i+1:]
						break
					}
				}
			}
			return rows[:min(len(rows), q.Limit)], err
		}
	})
}

// onItsWay gives to all who ask for a page while it is on its way what the first of them is given.
func onItsWay(good template.Store) func(context.Context, template.Query) ([]template.Template, error) {
	type trip struct {
		page  []template.Template
		err   error
		ended chan struct{}
	}
	var mu sync.Mutex
	var running *trip
	return func(ctx context.Context, q template.Query) ([]template.Template, error) {
		mu.Lock()
		mine := running
		if mine != nil {
			mu.Unlock()
			<-mine.ended
			return slices.Clone(mine.page), mine.err
		}
		mine = &trip{ended: make(chan struct{})}
		running = mine
		mu.Unlock()
		mine.page, mine.err = good.List(ctx, q)
		time.Sleep(2 * time.Millisecond)
		mu.Lock()
		running = nil
		mu.Unlock()
		close(mine.ended)
		return slices.Clone(mine.page), mine.err
	}
}

// picksBy changes the template or the filter before the right picking.
func picksBy(what string, change func(f *template.Filter, t *template.Template)) breaker[template.Store] {
	return relisted(what, func(f template.Filter, t template.Template) bool {
		change(&f, &t)
		return picks(f, t)
	}, nil)
}

// finding replaces the search for words.
func finding(what string, found func(query, text string) bool) breaker[template.Store] {
	return relisted(what, func(f template.Filter, t template.Template) bool {
		words := f.Words
		f.Words = ""
		return picks(f, t) && (words == "" || found(words, t.Name+" "+t.Description+" "+t.Content))
	}, nil)
}

// foundWith searches in the right way with another idea of what the words of a text are.
func foundWith(what string, wordsOf func(string) []string) breaker[template.Store] {
	return finding(what, func(query, text string) bool {
		held := wordsOf(text)
		for _, word := range wordsOf(query) {
			if !slices.Contains(held, word) {
				return false
			}
		}
		return true
	})
}

// like is SQL's LIKE for a prefix whose wildcards nobody escaped.
func like(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	if pattern[0] == '%' {
		for i := 0; i <= len(text); i++ {
			if like(pattern[1:], text[i:]) {
				return true
			}
		}
		return false
	}
	return text != "" && (pattern[0] == '_' || pattern[0] == text[0]) && like(pattern[1:], text[1:])
}

// pageAs replaces the query of a page.
func pageAs(what string, change func(q *template.Query)) breaker[template.Store] {
	return breakStore(what, func(good template.Store, b *brokenStore) {
		b.list = func(ctx context.Context, q template.Query) ([]template.Template, error) {
			change(&q)
			return good.List(ctx, q)
		}
	})
}

var byOffset = breakStore("pages by counting rows", func(good template.Store, b *brokenStore) {
	var mu sync.Mutex
	offsets := map[string]int{}
	b.list = func(ctx context.Context, q template.Query) ([]template.Template, error) {
		mu.Lock()
		defer mu.Unlock()
		key := fmt.Sprint(q.Filter, q.Sort, q.Limit)
		if q.After == nil {
			offsets[key] = 0
		}
		offset, limit := offsets[key], q.Limit
		q.After, q.Limit = nil, offset+limit
		rows, err := good.List(ctx, q)
		offsets[key] += limit
		return rows[min(offset, len(rows)):], err
	}
})

var noTies = relisted("does not break ties", nil, func(s template.Sort, a, b template.Template) int {
	x, y := template.PositionOf(a, s), template.PositionOf(b, s)
	x.ID, y.ID = uuid.Nil, uuid.Nil
	return cmp.Or(x.Compare(y), strings.Compare(a.Content, b.Content))
})

func templateListBreakers() map[string][]breaker[template.Store] {
	split := func(text string) []string { return strings.Fields(strings.ToLower(text)) }
	return map[string][]breaker[template.Store]{
		"the trash is listed apart": {
			picksBy("lists the trash among the living", func(f *template.Filter, t *template.Template) { f.Trash = t.InTrash() }),
			picksBy("knows no trash", func(f *template.Filter, _ *template.Template) { f.Trash = false }),
		},
		"only current revisions are listed": {breakStore("filters by the first name", func(good template.Store, b *brokenStore) {
			stale := relisted("", func(f template.Filter, t template.Template) bool {
				if old, err := good.Revision(context.Background(), t.ID, 1); err == nil {
					t.Name = old.Name
				}
				return picks(f, t)
			}, nil).breaks(good)
			b.list, b.count = stale.List, stale.Count
		})},
		"the name filter is exact": {
			relisted("ignores case", func(f template.Filter, t template.Template) bool {
				if f.Name != nil && strings.EqualFold(*f.Name, t.Name) {
					f.Name = nil
				}
				return picks(f, t)
			}, nil),
			picksBy("ignores spaces at the end", func(f *template.Filter, t *template.Template) { t.Name = strings.TrimRight(t.Name, " ") }),
			relisted("knows wildcards", func(f template.Filter, t template.Template) bool {
				if f.Name != nil && like(*f.Name, t.Name) && utf8.RuneCountInString(*f.Name) == utf8.RuneCountInString(t.Name) {
					f.Name = nil
				}
				return picks(f, t)
			}, nil),
			picksBy("takes the empty name for none", func(f *template.Filter, _ *template.Template) {
				if f.Name != nil && *f.Name == "" {
					f.Name = nil
				}
			}),
		},
		"a name prefix is literal": {
			relisted("knows wildcards", func(f template.Filter, t template.Template) bool {
				prefix := f.NamePrefix
				f.NamePrefix = ""
				return picks(f, t) && like(prefix+"%", t.Name)
			}, nil),
			picksBy("ignores case", func(f *template.Filter, t *template.Template) {
				f.NamePrefix, t.Name = strings.ToLower(f.NamePrefix), strings.ToLower(t.Name)
			}),
		},
		"a name prefix at the edges of Unicode": {relisted("counts the last character up", func(f template.Filter, t template.Template) bool {
			prefix := []rune(f.NamePrefix)
			f.NamePrefix = ""
			if len(prefix) == 0 {
				return picks(f, t)
			}
			from := string(prefix)
			prefix[len(prefix)-1]++
			return picks(f, t) && t.Name >= from && t.Name < string(prefix)
		}, nil)},
		"filters that no stored text can meet pick nothing": {breakStore("stumbles over them", func(good template.Store, b *brokenStore) {
			b.list = func(ctx context.Context, q template.Query) ([]template.Template, error) {
				if strings.Contains(q.Filter.NamePrefix, "\x00") {
					return nil, errors.New("invalid byte sequence for encoding")
				}
				return good.List(ctx, q)
			}
		})},
		"content comes only when asked for": {
			pageAs("always gives it", func(q *template.Query) { q.WithContent = true }),
			pageAs("never gives it", func(q *template.Query) { q.WithContent = false }),
		},
		"filters join up": {
			picksBy("takes the name alone", func(f *template.Filter, _ *template.Template) {
				if f.Name != nil {
					f.Words, f.NamePrefix = "", ""
				}
			}),
			picksBy("takes the words alone", func(f *template.Filter, _ *template.Template) {
				if f.Words != "" {
					f.Name, f.NamePrefix = nil, ""
				}
			}),
		},
		"lists are ordered and pages join up": {
			pageAs("ignores the direction", func(q *template.Query) { q.Sort.Descending = false }),
			pageAs("ignores the sort", func(q *template.Query) { q.Sort.Key = template.ByCreated }),
			pageAs("gives one too many", func(q *template.Query) { q.Limit++ }),
			pageAs("gives one too few", func(q *template.Query) { q.Limit = max(1, q.Limit-1) }),
			pageAs("pages without the id", func(q *template.Query) {
				if q.After != nil {
					after := *q.After
					after.ID = uuid.Max
					q.After = &after
				}
			}),
			noTies,
		},
		"ids break ties": {noTies},
		"names are ordered by code points": {relisted("orders names as a dictionary does", nil, func(s template.Sort, a, b template.Template) int {
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		}), relisted("orders names by UTF-16", nil, func(s template.Sort, a, b template.Template) int {
			return slices.Compare(utf16.Encode([]rune(a.Name)), utf16.Encode([]rune(b.Name)))
		})},
		"names of old rows may be very long": {relisted("orders by the whole name", nil, func(s template.Sort, a, b template.Template) int {
			if s.Key != template.ByName {
				return 0
			}
			return strings.Compare(a.Name, b.Name)
		})},
		"times are ordered to the microsecond": {relisted("orders by milliseconds", nil, func(s template.Sort, a, b template.Template) int {
			return strings.Compare(a.Content, b.Content)
		})},
		"pages of the same moment show what was written before them": {breakStore("joins a page that is on its way", func(good template.Store, b *brokenStore) {
			b.list = onItsWay(good)
		})},
		"a page may start after what is no longer there": {breakStore("looks for the row itself", func(good template.Store, b *brokenStore) {
			b.list = func(ctx context.Context, q template.Query) ([]template.Template, error) {
				if q.After != nil {
					if t, err := good.Get(ctx, q.After.ID); err != nil || t.InTrash() {
						q.After = nil
					}
				}
				return good.List(ctx, q)
			}
		})},
		"a walk while others write": {byOffset},
		"all words must be found, in any field": {
			finding("one word is enough", func(query, text string) bool {
				return slices.ContainsFunc(template.Words(query), func(w string) bool { return slices.Contains(template.Words(text), w) })
			}),
			picksBy("searches contents alone", func(f *template.Filter, t *template.Template) {
				if f.Words != "" {
					t.Name, t.Description = "", ""
				}
			}),
		},
		"words are found case aside": {
			foundWith("minds case", strings.Fields),
			foundWith("knows the case of ASCII alone", func(text string) []string {
				return strings.Fields(strings.Map(func(r rune) rune {
					if r >= 'A' && r <= 'Z' {
						return r + 32
					}
					return r
				}, text))
			}),
			finding("drops accents", func(query, text string) bool {
				plain := strings.NewReplacer("\u00e9", "e", "\u00e4", "a").Replace
				return picks(template.Filter{Words: plain(strings.ToLower(query))}, template.Template{Content: plain(strings.ToLower(text))})
			}),
		},
		"words are found whole": {
			finding("finds parts", func(query, text string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(query)) }),
			foundWith("finds stems", func(text string) []string {
				words := template.Words(text)
				for i, w := range words {
					words[i] = strings.TrimSuffix(strings.TrimSuffix(w, "ning"), "s")
				}
				return words
			}),
			foundWith("skips frequent words", func(text string) []string {
				return slices.DeleteFunc(template.Words(text), func(w string) bool { return w == "the" || w == "is" })
			}),
		},
		"punctuation parts words": {foundWith("splits at spaces", split)},
		"words have no operators": {
			finding("knows OR", func(query, text string) bool {
				return slices.ContainsFunc(strings.Split(query, " OR "), func(part string) bool { return picks(template.Filter{Words: part}, template.Template{Content: text}) })
			}),
			finding("knows minus", func(query, text string) bool {
				if word, minus := strings.CutPrefix(query, "-"); minus {
					return !strings.Contains(text, word)
				}
				return picks(template.Filter{Words: query}, template.Template{Content: text})
			}),
			finding("knows phrases", func(query, text string) bool {
				if phrase, quoted := strings.CutPrefix(query, `"`); quoted {
					return strings.Contains(text, strings.TrimSuffix(phrase, `"`))
				}
				return picks(template.Filter{Words: query}, template.Template{Content: text})
			}),
			breakStore("has a syntax", func(good template.Store, b *brokenStore) {
				b.count = func(ctx context.Context, f template.Filter) (int, error) {
					if strings.Count(f.Words, "(") != strings.Count(f.Words, ")") {
						return 0, fault.New(fault.Internal, "syntax error")
					}
					return good.Count(ctx, f)
				}
			}),
		},
		"a text without words picks any": {finding("finds nothing for it", func(query, text string) bool {
			return len(template.Words(query)) > 0 && picks(template.Filter{Words: query}, template.Template{Content: text})
		})},
		"long words are found": {
			foundWith("drops them", func(text string) []string {
				return slices.DeleteFunc(split(text), func(w string) bool { return utf8.RuneCountInString(w) > 255 })
			}),
			foundWith("cuts them off", func(text string) []string {
				words := split(text)
				for i, w := range words {
					words[i] = w[:min(len(w), 255)]
				}
				return words
			}),
		},
		"words of blobs do no harm": {mangledCreate("refuses them", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
			for _, word := range split(t.Content) {
				if len(word) > 2046 {
					return errors.New("word is too long to be indexed")
				}
			}
			return good.Create(ctx, t, c)
		})},
		"words of a megabyte are found": {
			mangledCreate("refuses them", func(good template.Store, ctx context.Context, t template.Template, c *template.Claim) error {
				if len(t.Content) > 1<<19 {
					return errors.New("string is too long for the index")
				}
				return good.Create(ctx, t, c)
			}),
			picksBy("indexes the start alone", func(f *template.Filter, t *template.Template) {
				if f.Words != "" {
					t.Content = t.Content[:min(len(t.Content), 1<<10)]
				}
			}),
		},
		"words of old revisions are not found": {breakStore("keeps the index of the first revision", func(good template.Store, b *brokenStore) {
			stale := relisted("", func(f template.Filter, t template.Template) bool {
				if old, err := good.Revision(context.Background(), t.ID, 1); err == nil {
					t.Content += " " + old.Content
				}
				return picks(f, t)
			}, nil).breaks(good)
			b.list, b.count = stale.List, stale.Count
		})},
		"words are found in the trash apart": {
			relisted("does not index the trash", func(f template.Filter, t template.Template) bool {
				return picks(f, t) && (f.Words == "" || !t.InTrash())
			}, nil),
			picksBy("finds the trash among the living", func(f *template.Filter, t *template.Template) {
				if f.Words != "" {
					f.Trash = t.InTrash()
				}
			}),
		},
	}
}
