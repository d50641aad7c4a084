package contract

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

var templateLists = []TemplateCheck{
	{Name: "the trash is listed apart", Run: func(ctx context.Context, s template.Store) error {
		rows := samples(8)
		if err := create(ctx, s, rows...); err != nil {
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
		if err := first(lists(ctx, s, rows, template.Filter{}), lists(ctx, s, rows, template.Filter{Trash: true})); err != nil {
			return err
		}
		rows[0].Deleted = rows[1].Deleted // zero
		return first(s.Undelete(ctx, rows[0].ID, 1, nil), lists(ctx, s, rows, template.Filter{}), lists(ctx, s, rows, template.Filter{Trash: true}))
	}},
	{Name: "only current revisions are listed", Run: func(ctx context.Context, s template.Store) error {
		rows := samples(5)
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		for i := range rows {
			for range i {
				rows[i] = next(rows[i], fmt.Sprintf("changed %d", rows[i].Revision))
				rows[i].Name = fmt.Sprintf("Zapped %d", 9-i)
				if err := s.Replace(ctx, rows[i], rows[i].Revision-1, nil); err != nil {
					return err
				}
			}
		}
		old, now := "Name 0003", "Zapped 6"
		return first(lists(ctx, s, rows, template.Filter{}), lists(ctx, s, rows, template.Filter{Name: &old}),
			lists(ctx, s, rows, template.Filter{Name: &now}), lists(ctx, s, rows, template.Filter{NamePrefix: "Zapped"}),
			lists(ctx, s, rows, template.Filter{NamePrefix: "Name"}))
	}},
	{Name: "the name filter is exact", Run: func(ctx context.Context, s template.Store) error {
		rows := named("Welcome", "welcome", "WELCOME", "Welcome ", " Welcome", "Welcome!", "Welcom", "Welcome", "We%come", "W_lcome", "", "\u00e9", "e\u0301", "\u00c9", "e")
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		for _, name := range []string{"Welcome", "welcome", "We%come", "W_lcome", "", "absent", "\u00e9", "e\u0301", "Welcome  ", "%", "Welcome'"} {
			if err := lists(ctx, s, rows, template.Filter{Name: &name}); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a name prefix is literal", Run: func(ctx context.Context, s template.Store) error {
		rows := named("100% wool", "100 wool", "a_b", "axb", "A_b", `back\slash`, `back\\slash`, "backslash", "st*r", "star", "st[a]r", "sta", "q?x", "qax",
			"it's", "its", "", "%", "_", "*", "\\", "[", "e\u0301t", "et\u00e9", "ete", "\U0001F409 dragon", "\U0001F40A croc", " lead")
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		for _, prefix := range []string{"", "1", "100%", "100% wool", "100% wool!", "a_", "A", "a", `back\`, `back\\`, "st*", "st[", "st[a]", "q?", "it'", "%", "_", "*", "\\", "[", " ",
			"e", "et\u00e9", "e\u0301", "\U0001F409", "\U0001F40A", "zzz", "ST", strings.Repeat("a", 300)} {
			if err := lists(ctx, s, rows, template.Filter{NamePrefix: prefix}); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a name prefix at the edges of Unicode", Run: func(ctx context.Context, s template.Store) error {
		edges := []string{"\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010FFFE", "\U0010FFFF", "a\U0010FFFF", "b", "\U0010FFFF\U0010FFFF"}
		var names []string
		for _, e := range edges {
			names = append(names, e, e+"x", e+"\U0010FFFF")
		}
		rows := named(names...)
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		for _, prefix := range append(edges, "\ud7ffx", "\U0010FFFFx") {
			if err := lists(ctx, s, rows, template.Filter{NamePrefix: prefix}); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "filters that no stored text can meet pick nothing", Run: func(ctx context.Context, s template.Store) error {
		rows := named("a", "ab", "a b")
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		for _, text := range []string{"a\x00", "\x00", "a\x00b", "a\xff", "\xed\xa0\x80", "\xc3"} {
			if err := first(lists(ctx, s, rows, template.Filter{Name: &text}), lists(ctx, s, rows, template.Filter{NamePrefix: text})); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "content comes only when asked for", Run: func(ctx context.Context, s template.Store) error {
		rows := samples(3)
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		for _, f := range []template.Filter{{}, {Words: "content"}, {NamePrefix: "Name"}} {
			for _, with := range []bool{true, false} {
				items, err := s.List(ctx, template.Query{Filter: f, Limit: 9, WithContent: with})
				if err != nil || len(items) != len(rows) {
					return fmt.Errorf("List: want %d items, got %d, %v", len(rows), len(items), err)
				}
				for i, want := range rows {
					if !with {
						want.Content = ""
					}
					if err := sameTemplate(fmt.Sprintf("List with content %t", with), items[i], want); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}},
	{Name: "filters join up", Run: func(ctx context.Context, s template.Store) error {
		rows := mixedRows(40)
		if err := create(ctx, s, rows...); err != nil {
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
		name, other := rows[0].Name, "b2"
		for _, f := range []template.Filter{
			{Name: &name, Words: "red"}, {Name: &name, NamePrefix: "a"}, {Name: &other, NamePrefix: "a"}, {NamePrefix: "b", Words: "blue"},
			{NamePrefix: "a1", Words: "red green"}, {Name: &name, NamePrefix: name, Words: "nowhere"}, {Words: "green"},
		} {
			for _, trash := range []bool{false, true} {
				f.Trash = trash
				if err := lists(ctx, s, rows, f); err != nil {
					return err
				}
			}
		}
		return nil
	}},
}

func samples(n int) []template.Template {
	rows := make([]template.Template, n)
	for i := range rows {
		rows[i] = sample(i)
	}
	return rows
}

// named gives a template for each name.
func named(names ...string) []template.Template {
	rows := samples(len(names))
	for i, name := range names {
		rows[i].Name = name
	}
	return rows
}

// mixedRows gives n templates with few names, times and words, so that filters pick several and sort keys tie. Their
// ids do not rise with anything.
func mixedRows(n int) []template.Template {
	rows := samples(n)
	for i := range rows {
		rows[i].ID = idOf(i * 7919 % 10007)
		rows[i].Name = fmt.Sprintf("%c%d", 'a'+i%3, i%5)
		rows[i].Created, rows[i].Modified = at(i/6), at(1000-i%7)
		rows[i].Content = []string{"red green", "green blue", "blue red", "grey"}[i%4]
	}
	return shuffled(rows)
}

// everySort tries each order in both directions.
func everySort(try func(template.Sort) error) error {
	for _, key := range []template.SortKey{template.ByCreated, template.ByModified, template.ByName} {
		for _, descending := range []bool{false, true} {
			sort := template.Sort{Key: key, Descending: descending}
			if err := try(sort); err != nil {
				return fmt.Errorf("sort=%s: %w", sort, err)
			}
		}
	}
	return nil
}

// picks tells, slowly and simply, whether a filter holds t.
func picks(f template.Filter, t template.Template) bool {
	if f.Trash != t.InTrash() || f.Name != nil && *f.Name != t.Name || !strings.HasPrefix(t.Name, f.NamePrefix) {
		return false
	}
	found := slices.Concat(template.Words(t.Name), template.Words(t.Description), template.Words(t.Content))
	for _, word := range template.Words(f.Words) {
		if !slices.Contains(found, word) {
			return false
		}
	}
	return true
}

// picked gives the rows that a filter holds, in order.
func picked(rows []template.Template, f template.Filter, sort template.Sort) []template.Template {
	var chosen []template.Template
	for _, t := range rows {
		if picks(f, t) {
			chosen = append(chosen, t)
		}
	}
	slices.SortFunc(chosen, func(a, b template.Template) int {
		c := template.PositionOf(a, sort).Compare(template.PositionOf(b, sort))
		if sort.Descending {
			c = -c
		}
		return c
	})
	return chosen
}

// lists demands that List, in two orders and in pages, and Count agree with what the filter should pick of rows.
func lists(ctx context.Context, s template.Store, rows []template.Template, f template.Filter) error {
	for _, sort := range []template.Sort{{Key: template.ByCreated}, {Key: template.ByName, Descending: true}} {
		if err := walk(ctx, s, rows, f, sort, 3, nil); err != nil {
			return fmt.Errorf("%s: %w", describe(f), err)
		}
	}
	want := len(picked(rows, f, template.Sort{Key: template.ByCreated}))
	if n, err := s.Count(ctx, f); err != nil || n != want {
		return fmt.Errorf("%s: Count: want %d, got %d, %v", describe(f), want, n, err)
	}
	return nil
}

func describe(f template.Filter) string {
	name := "any"
	if f.Name != nil {
		name = shorten(*f.Name)
	}
	return fmt.Sprintf("filter{trash %t, name %s, prefix %s, words %s}", f.Trash, name, shorten(f.NamePrefix), shorten(f.Words))
}

// walk goes through all pages of a list and demands that they show exactly what the filter picks of rows, in order.
// others holds ids that may show up beside; between is called after each page.
func walk(ctx context.Context, s template.Store, rows []template.Template, f template.Filter, sort template.Sort, limit int,
	others *churn) error {
	want := picked(rows, f, sort)
	q := template.Query{Filter: f, Sort: sort, Limit: limit, WithContent: true}
	var got []template.Template
	seen := map[uuid.UUID]bool{}
	for pages := 0; ; pages++ {
		if most := len(rows) + 2; others == nil && pages > most {
			return fmt.Errorf("the list does not end: %d pages of %d templates", pages, len(rows))
		}
		items, err := s.List(ctx, q)
		if err != nil {
			return fmt.Errorf("List: %w", err)
		}
		if len(items) > limit {
			return fmt.Errorf("List: want at most %d items, got %d", limit, len(items))
		}
		for _, t := range items {
			if others.made(t.ID) {
				continue
			}
			if seen[t.ID] {
				return fmt.Errorf("page %d: %v (%s) is shown twice", pages, t.ID, shorten(t.Name))
			}
			seen[t.ID] = true
			got = append(got, t)
		}
		if len(items) < limit {
			break
		}
		last := template.PositionOf(items[len(items)-1], sort)
		q.After = &last
		if err := others.step(ctx); err != nil {
			return err
		}
	}
	for i := range min(len(want), len(got)) {
		if err := sameTemplate(fmt.Sprintf("item %d of the list", i), got[i], want[i]); err != nil {
			return err
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("want %d items, got %d", len(want), len(got))
	}
	return nil
}
