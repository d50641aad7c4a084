package contract

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

var templatePages = []TemplateCheck{
	{Name: "lists are ordered and pages join up", Run: func(ctx context.Context, s template.Store) error {
		rows := mixedRows(60)
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		return everySort(func(sort template.Sort) error {
			for _, limit := range []int{1, 7, 60, 101} {
				if err := walk(ctx, s, rows, template.Filter{}, sort, limit, nil); err != nil {
					return fmt.Errorf("limit %d: %w", limit, err)
				}
			}
			return walk(ctx, s, rows, template.Filter{Words: "green", NamePrefix: "a"}, sort, 3, nil)
		})
	}},
	{Name: "ids break ties", Run: func(ctx context.Context, s template.Store) error {
		var rows []template.Template
		for i, id := range []string{
			"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-0000000000ff", "7fffffff-ffff-4fff-bfff-ffffffffffff",
			"80000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff", "0a000000-0000-4000-8000-000000000000",
			"a0000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000100", "01000000-0000-4000-8000-000000000000",
		} {
			t := sample(i)
			t.ID, t.Name, t.Created, t.Modified = uuid.MustParse(id), "the same", at(1), at(2)
			rows = append(rows, t)
		}
		if err := create(ctx, s, shuffled(rows)...); err != nil {
			return err
		}
		return everySort(func(sort template.Sort) error {
			return first(walk(ctx, s, rows, template.Filter{}, sort, 1, nil), walk(ctx, s, rows, template.Filter{}, sort, 20, nil))
		})
	}},
	{Name: "names are ordered by code points", Run: func(ctx context.Context, s template.Store) error {
		rows := shuffled(named("", " ", "!", "-a", "A", "B", "Z", "_", "a", "a b", "a-b", "aB", "ab", "b", "z", "{", "\u007f", "\u00c4", "\u00e4", "\u00e9", "e\u0301", "\u0416",
			"\u4e2d", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0001F409", "\U0010FFFF", "10", "9", "a1", "a10", "a2"))
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		for _, descending := range []bool{false, true} {
			for _, limit := range []int{1, 4, 50} {
				if err := walk(ctx, s, rows, template.Filter{}, template.Sort{Key: template.ByName, Descending: descending}, limit, nil); err != nil {
					return err
				}
			}
		}
		return nil
	}},
	{Name: "names of old rows may be very long", Run: longNames},
	{Name: "times are ordered to the microsecond", Run: func(ctx context.Context, s template.Store) error {
		rows := samples(12)
		for i := range rows {
			rows[i].Created = epoch.Add(time.Duration(i*5%12) * time.Microsecond)
			rows[i].Modified = epoch.Add(time.Duration(i*7%12) * time.Microsecond)
		}
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		return everySort(func(sort template.Sort) error { return walk(ctx, s, rows, template.Filter{}, sort, 1, nil) })
	}},
	{Name: "a page may start after what is no longer there", Run: func(ctx context.Context, s template.Store) error {
		rows := samples(9)
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		return everySort(func(sort template.Sort) error {
			after := template.PositionOf(rows[4], sort)
			if err := s.Trash(ctx, rows[4].ID, 1, at(1)); err != nil {
				return err
			}
			items, err := s.List(ctx, template.Query{Sort: sort, After: &after, Limit: 2, WithContent: true})
			if err != nil || len(items) != 2 {
				return fmt.Errorf("List after a trashed one: want 2 items, got %d, %v", len(items), err)
			}
			want := rows[5]
			if sort.Descending {
				want = rows[3]
			}
			return first(sameTemplate("the item after a trashed one", items[0], want), s.Undelete(ctx, rows[4].ID, 1, nil))
		})
	}},
	{Name: "a walk while others write", Run: walkWhileOthersWrite},
	{Name: "pages of the same moment show what was written before them", Run: pagesOfAMoment},
}

// pagesOfAMoment has many ask for the same page again and again, each after a change of its own. Each writes into what it
// is given: a page that several share is one for the race detector.
func pagesOfAMoment(ctx context.Context, s template.Store) error {
	const askers, changes = 12, 8
	q := template.Query{Limit: askers*changes + 1}
	return first(together(askers, func(i int) error {
		for n := range changes {
			made := sample(i*changes + n)
			if err := s.Create(ctx, made, nil); err != nil {
				return err
			}
			items, err := s.List(ctx, q)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(items, func(t template.Template) bool { return t.ID == made.ID }) {
				return fmt.Errorf("a page of %d does not show what was made right before it was asked for", len(items))
			}
			for j := range items {
				items[j].Author = "scribbled"
			}
		}
		return nil
	})...)
}

// longNames tries names beyond the rules: they are ordered by their first 200 code points, which is what a cursor
// holds of them, and filtered by all.
func longNames(ctx context.Context, s template.Store) error {
	stem := strings.Repeat("\U0001F9D9", template.MaxName-1)
	var tail strings.Builder
	for i := range 2000 {
		tail.WriteRune(rune(0x4e00 + i*37%20000))
	}
	var rows []template.Template
	for i, name := range []string{stem + "a" + "zzz", stem + "a" + "aaa", stem + "a", stem, stem + "b", stem + "a" + tail.String(), stem + "a" + tail.String() + "!", tail.String()} {
		t := sample(i)
		t.Name = name
		rows = append(rows, t)
	}
	if err := create(ctx, s, rows...); err != nil {
		return err
	}
	for _, t := range rows {
		if err := first(holds(ctx, s, t), lists(ctx, s, rows, template.Filter{Name: &t.Name}), lists(ctx, s, rows, template.Filter{NamePrefix: t.Name})); err != nil {
			return err
		}
	}
	return everySort(func(sort template.Sort) error {
		return first(walk(ctx, s, rows, template.Filter{}, sort, 1, nil), walk(ctx, s, rows, template.Filter{NamePrefix: stem + "a"}, sort, 2, nil))
	})
}

// churn is others at work: after each page it makes templates before, behind and between those that are there, moves
// some to the trash and back, and renames some.
type churn struct {
	store template.Store
	count int
	rows  []template.Template
}

// isChurn marks the ids of what a churn makes.
const isChurn = 0xcc

// made tells whether a churn made the template of that id.
func (c *churn) made(id uuid.UUID) bool { return c != nil && id[15] == isChurn && id[14] == isChurn }

func (c *churn) step(ctx context.Context) error {
	if c == nil {
		return nil
	}
	for _, place := range []int{-1000, 150, 100000} {
		t := sample(c.count % 300)
		t.ID = uuid.New()
		t.ID[0], t.ID[14], t.ID[15] = byte(c.count*37), isChurn, isChurn
		t.Created, t.Modified = at(place+c.count%100), at(place+100000-c.count%100)
		t.Name = []string{"", "Name 0150", "zzz"}[c.count%3] + fmt.Sprint(c.count)
		c.count++
		if err := create(ctx, c.store, t); err != nil {
			return err
		}
		c.rows = append(c.rows, t)
	}
	// The list gets shorter too: one from the front goes, and one is renamed from the front to the end.
	if n := len(c.rows); n >= 6 {
		gone, moved := c.rows[n-6], c.rows[n-5]
		moved = next(moved, "moved")
		moved.Name = "zzzz"
		moved.Modified = at(300000)
		c.rows[n-5] = moved
		if err := first(c.store.Trash(ctx, gone.ID, gone.Revision, at(5)), c.store.Replace(ctx, moved, moved.Revision-1, nil)); err != nil {
			return err
		}
	}
	return nil
}

// walkWhileOthersWrite walks hundreds of templates in small pages while others write, between the pages and at the
// same time, and demands to see each of those that were there all along exactly once and in order.
func walkWhileOthersWrite(ctx context.Context, s template.Store) error {
	rows := samples(300)
	for i := range rows {
		rows[i].ID = idOf(i * 7919 % 10007)
		rows[i].Created, rows[i].Modified = at(i/10), at(100000+i*17%300)
	}
	doomed := samples(340)[300:]
	for i := range doomed {
		doomed[i].ID[14], doomed[i].ID[15] = isChurn, isChurn
		doomed[i].Created = at(i - 5)
	}
	if err := create(ctx, s, shuffled(append(doomed, rows...))...); err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() {
		const bound = 150
		var err error
		for i := 0; i < bound && err == nil && background.Err() == nil; i++ {
			t := doomed[i%len(doomed)]
			err = first(s.Trash(ctx, t.ID, 1, at(5)), create(ctx, s, template.Template{ID: churnID(i), Name: fmt.Sprintf("Name %04d", i*2),
				Syntax: template.Plain, Revision: 1, Created: at(i / 5), Modified: at(100000 + i)}), s.Undelete(ctx, t.ID, 1, nil))
			if err == nil {
				_ = pause(background, time.Millisecond)
			}
		}
		stopped <- err
	}()
	others := &churn{store: s}
	err := everySort(func(sort template.Sort) error {
		return walk(ctx, s, rows, template.Filter{}, sort, 11, others)
	})
	stop()
	return first(<-stopped, err)
}

func churnID(i int) uuid.UUID {
	id := idOf(50000 + i)
	id[14], id[15] = isChurn, isChurn
	return id
}
