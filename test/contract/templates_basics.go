package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

var templateBasics = []TemplateCheck{
	{Name: "create and get every field", Run: func(ctx context.Context, s template.Store) error {
		a, b := sample(1), sample(2)
		b.Syntax, b.Author, b.Description, b.Content = template.Plain, "", "", ""
		return first(create(ctx, s, a, b), holds(ctx, s, a), holds(ctx, s, b))
	}},
	{Name: "odd texts are kept byte for byte", Run: oddTexts},
	{Name: "a megabyte of content", Run: func(ctx context.Context, s template.Store) error {
		t := sample(1)
		t.Content = oddText + strings.Repeat("0123456789abcde\n", 1<<16)[len(oddText):]
		return first(create(ctx, s, t), holds(ctx, s, t), holdsRevision(ctx, s, t))
	}},
	{Name: "times keep their microseconds", Run: func(ctx context.Context, s template.Store) error {
		a, b, c := sample(1), sample(2), sample(3)
		a.Created = time.Date(2026, 12, 31, 23, 59, 59, 999999000, time.UTC)
		a.Modified = time.Date(2038, 1, 19, 3, 14, 8, 1000, time.UTC)
		b.Created, b.Modified = time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Unix(1, 0).UTC()
		c.Created, c.Modified = time.Date(1901, 2, 3, 4, 5, 6, 7000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
		return first(create(ctx, s, a, b, c), holds(ctx, s, a), holds(ctx, s, b), holds(ctx, s, c))
	}},
	{Name: "times that are missing stay missing", Run: missingTimes},
	{Name: "a template may start at any revision", Run: func(ctx context.Context, s template.Store) error {
		t := sample(1)
		t.Revision = 7
		_, before := s.Revision(ctx, t.ID, 6)
		if err := first(create(ctx, s, t), holds(ctx, s, t), holdsRevision(ctx, s, t)); err != nil {
			return err
		}
		if before == nil {
			_, before = s.Revision(ctx, t.ID, 6)
		}
		second := next(t, "eight")
		return first(wantKind("Revision 6 of a template that starts at 7", before, fault.NotFound),
			s.Replace(ctx, second, 7, nil), holds(ctx, s, second), holdsRevision(ctx, s, t))
	}},
	{Name: "an id is taken once", Run: func(ctx context.Context, s template.Store) error {
		a, other := sample(1), sample(2)
		other.ID, other.Revision = a.ID, 2
		if err := create(ctx, s, a); err != nil {
			return err
		}
		if err := first(wantErr("Create with the id of a living one", s.Create(ctx, other, nil), template.ErrTaken), holds(ctx, s, a)); err != nil {
			return err
		}
		if err := s.Trash(ctx, a.ID, 1, at(5)); err != nil {
			return err
		}
		a.Deleted = at(5)
		err := wantErr("Create with the id of one in the trash", s.Create(ctx, other, nil), template.ErrTaken)
		_, revision := s.Revision(ctx, a.ID, 2)
		return first(err, holds(ctx, s, a), wantKind("a revision of what was refused", revision, fault.NotFound))
	}},
	{Name: "of concurrent creates of an id one wins", Run: func(ctx context.Context, s template.Store) error {
		won, bad := winners(together(12, func(i int) error {
			t := sample(i)
			t.ID = idOf(99)
			return s.Create(ctx, t, nil)
		}), template.ErrTaken)
		if won != 1 {
			return fmt.Errorf("12 creates of one id at once: want 1 to succeed, got %d (%v)", won, bad)
		}
		n, err := s.Count(ctx, template.Filter{})
		if n != 1 || err != nil {
			return fmt.Errorf("after 12 creates of one id: want 1 template, got %d, %v", n, err)
		}
		return bad
	}},
	{Name: "what is not there is not found", Run: func(ctx context.Context, s template.Store) error {
		a := sample(1)
		if err := create(ctx, s, a); err != nil {
			return err
		}
		_, get := s.Get(ctx, idOf(2))
		_, revision := s.Revision(ctx, idOf(2), 1)
		errs := []error{wantKind("Get of an unknown id", get, fault.NotFound), wantKind("Revision of an unknown id", revision, fault.NotFound)}
		for _, n := range []int{0, -1, 2, 1 << 31, 1 << 40} {
			_, err := s.Revision(ctx, a.ID, n)
			errs = append(errs, wantKind(fmt.Sprintf("Revision %d of a template with one", n), err, fault.NotFound))
		}
		_, receipt := s.Receipt(ctx, "ann", "never", at(0))
		return first(append(errs, wantKind("Receipt of an unused key", receipt, fault.NotFound))...)
	}},
	{Name: "what is answered is not shared", Run: func(ctx context.Context, s template.Store) error {
		a, b := sample(1), sample(2)
		if err := create(ctx, s, a, b); err != nil {
			return err
		}
		q := template.Query{Limit: 5, WithContent: true}
		items, err := s.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range items {
			items[i] = template.Template{Name: "scribbled over by the caller"}
		}
		if items, err = s.List(ctx, q); err != nil {
			return err
		}
		if len(items) != 2 {
			return fmt.Errorf("List: want 2 items, got %d", len(items))
		}
		return first(sameTemplate("List after the caller changed what it got", items[0], a), holds(ctx, s, a), holds(ctx, s, b))
	}},
	{Name: "a context that has ended", Run: cancelled},
}

// oddText has what text columns, drivers and encodings are known to stumble over.
const oddText = "\u00e9 e\u0301 \u00df \u0416 \u4e2d\u6587 \U0001F409 \U0010FFFF \ufeff \u200f \u2028 \\ \\x41 \\u0041 %s %% _ '' \" ` $1 ? :name @p1 -- ; /* */ \r\n\t\v\x01\x7f {{{x}}} \\0 \\N NULL"

func oddTexts(ctx context.Context, s template.Store) error {
	for i, text := range []string{
		oddText, "", " ", "  padded\t", "line one\r\nline two\rline three\n\n", "NULL", "0", "'", `\`, `\\`, "%", "_", "\ufeff", "\uffff", "\U0010FFFF",
		strings.Repeat("\U0001F9D9", 200), strings.Repeat("'", 199),
	} {
		t := sample(i)
		t.Name, t.Description, t.Content, t.Author = text, text, text, text
		if err := first(create(ctx, s, t), holds(ctx, s, t), holdsRevision(ctx, s, t)); err != nil {
			return err
		}
		items, err := s.List(ctx, template.Query{Filter: template.Filter{Name: &text}, Limit: 2, WithContent: true})
		if err != nil || len(items) != 1 {
			return fmt.Errorf("List of the name %s: want 1 item, got %d, %v", shorten(text), len(items), err)
		}
		if err := sameTemplate("List", items[0], t); err != nil {
			return err
		}
	}
	return nil
}

// missingTimes tries rows of which others never noted a time: they sort as if from the start of 1970.
func missingTimes(ctx context.Context, s template.Store) error {
	var rows []template.Template
	for i := range 9 {
		t := sample(i)
		switch i % 3 {
		case 0:
			t.Created, t.Modified = time.Time{}, time.Time{}
		case 1:
			t.Created, t.Modified = time.Unix(0, 0).UTC(), time.Unix(int64(i-4), 0).UTC()
		}
		rows = append(rows, t)
	}
	if err := create(ctx, s, rows...); err != nil {
		return err
	}
	for _, t := range rows {
		if err := first(holds(ctx, s, t), holdsRevision(ctx, s, t)); err != nil {
			return err
		}
	}
	return everySort(func(sort template.Sort) error { return walk(ctx, s, rows, template.Filter{}, sort, 2, nil) })
}

// cancelled demands that every method refuses to work under a context that has ended, and that nothing happens.
func cancelled(ctx context.Context, s template.Store) error {
	a, trashed := sample(1), sample(2)
	if err := first(create(ctx, s, a, trashed), s.Trash(ctx, trashed.ID, 1, at(7))); err != nil {
		return err
	}
	trashed.Deleted = at(7)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, get := s.Get(ended, a.ID)
	_, revision := s.Revision(ended, a.ID, 1)
	_, list := s.List(ended, template.Query{Limit: 5})
	_, count := s.Count(ended, template.Filter{})
	_, receipt := s.Receipt(ended, "ann", "key", at(0))
	_, forget := s.ForgetReceipts(ended, at(0), 5)
	for what, err := range map[string]error{
		"Get": get, "Revision": revision, "List": list, "Count": count, "Receipt": receipt, "ForgetReceipts": forget,
		"Create":   s.Create(ended, sample(3), claimOf("ann", "key")),
		"Replace":  s.Replace(ended, next(a, "changed"), 1, claimOf("ann", "key")),
		"Claim":    s.Claim(ended, a.ID, *claimOf("ann", "key")),
		"Trash":    s.Trash(ended, a.ID, 1, at(8)),
		"Undelete": s.Undelete(ended, trashed.ID, 1, claimOf("ann", "other")),
	} {
		if err := wantKind(what+" under a cancelled context", err, fault.Unavailable); err != nil {
			return err
		}
	}
	_, missing := s.Get(ctx, sample(3).ID)
	_, key := s.Receipt(ctx, "ann", "key", at(0))
	return first(wantKind("Get of what was created under a cancelled context", missing, fault.NotFound),
		wantKind("Receipt of a claim under a cancelled context", key, fault.NotFound), holds(ctx, s, a), holds(ctx, s, trashed))
}

// shuffled gives the templates in another order, the same in every run.
func shuffled(rows []template.Template) []template.Template {
	mixed := append([]template.Template(nil), rows...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	return mixed
}
