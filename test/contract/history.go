package contract

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// HistoryCheck is one promise of template.History, tried on a fresh and empty database.
type HistoryCheck = Check[template.Database]

// HistoryChecks are all promises of template.History.
var HistoryChecks = slices.Concat(historyRevisions, historyNames, historyLabels, historyMoves)

// DatabaseHarness is how an adapter's template.History and template.Archive are tried.
type DatabaseHarness struct {
	// Open gives a fresh and empty database; it registers its own clean-up.
	Open func(t *testing.T) template.Database
	// Pause is that of TemplateHarness; nil: it cannot be paused.
	Pause func(t *testing.T) (db template.Database, resume func())
	// Lacks says, by the name of a check, why this engine cannot promise it.
	Lacks map[string]string
}

// TemplateHistory runs the suite of template.History.
func TemplateHistory(t *testing.T, h DatabaseHarness) {
	runChecks(t, HistoryChecks, h.Lacks, false, h.Open)
	runPaused(t, h.Pause, PausedTemplateHistory)
}

// runPaused tries a database that stops answering, if there is one.
func runPaused(t *testing.T, open func(*testing.T) (template.Database, func()), try func(context.Context, template.Database, func()) error) {
	t.Helper()
	if open == nil {
		return
	}
	t.Run("a paused database", func(t *testing.T) {
		db, resume := open(t)
		ctx, cancel := context.WithTimeout(t.Context(), checkTime)
		defer cancel()
		if err := try(ctx, db, resume); err != nil {
			t.Error(err)
		}
	})
}

// pausedStep is a call that is tried on a paused database.
type pausedStep struct {
	what string
	call func(context.Context) error
}

// tryPaused demands that each call ends soon after its context, and that the last one works when the database goes on.
func tryPaused(ctx context.Context, resume func(), steps []pausedStep, after func(context.Context) error) error {
	resumed := false
	defer func() {
		if !resumed {
			resume()
		}
	}()
	for _, step := range steps {
		if err := whilePaused(ctx, step.what, step.call); err != nil {
			return err
		}
	}
	resume()
	resumed = true
	return eventually(ctx, recovery, func() error {
		limited, cancel := context.WithTimeout(ctx, slack)
		defer cancel()
		return after(limited)
	})
}

// PausedTemplateHistory tries a database that does not answer until resume is called.
func PausedTemplateHistory(ctx context.Context, db template.Database, resume func()) error {
	id := idOf(1)
	return tryPaused(ctx, resume, []pausedStep{
		{"Revisions", func(ctx context.Context) error { _, err := db.Revisions(ctx, id, 0, 5); return err }},
		{"Named", func(ctx context.Context) error { _, err := db.Named(ctx, "x"); return err }},
		{"Labels", func(ctx context.Context) error { _, err := db.Labels(ctx, id); return err }},
		{"SetLabel", func(ctx context.Context) error { return db.SetLabel(ctx, id, labelAt("a", 1, 1)) }},
		{"RemoveLabel", func(ctx context.Context) error { return db.RemoveLabel(ctx, id, "a", "ann", at(1)) }},
		{"LabelHistory", func(ctx context.Context) error { _, err := db.LabelHistory(ctx, id, "a", 0, 5); return err }},
	}, func(ctx context.Context) error { return hasLabels(ctx, db, id) })
}

var historyRevisions = []HistoryCheck{
	{Name: "revisions are listed newest first, without description and content", Run: func(ctx context.Context, db template.Database) error {
		a, err := grow(ctx, db, sample(1), 4)
		if err != nil {
			return err
		}
		b, err := grow(ctx, db, sample(2), 0)
		if err != nil {
			return err
		}
		return first(listsRevisions(ctx, db, a, 0, 50), listsRevisions(ctx, db, b, 0, 50))
	}},
	{Name: "pages of revisions join up", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 11)
		if err != nil {
			return err
		}
		for _, below := range []int{0, 1, 2, 7, 12, 13, 1 << 40} {
			for _, limit := range []int{1, 5, 12, 100} {
				if err := listsRevisions(ctx, db, history, below, limit); err != nil {
					return err
				}
			}
		}
		return nil
	}},
	{Name: "revisions may have gaps", Run: func(ctx context.Context, db template.Database) error {
		history := []template.Template{sample(1)}
		history[0].Revision = 3
		if err := create(ctx, db, history[0]); err != nil {
			return err
		}
		for i, n := range []int{4, 9, 20} {
			t := next(history[i], fmt.Sprint("content ", n))
			t.Revision = n
			if err := db.Replace(ctx, t, history[i].Revision, nil); err != nil {
				return err
			}
			history = append(history, t)
		}
		for _, below := range []int{0, 1, 3, 4, 8, 9, 10, 20, 21} {
			if err := first(listsRevisions(ctx, db, history, below, 2), listsRevisions(ctx, db, history, below, 50)); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "revisions of one in the trash are listed", Run: func(ctx context.Context, db template.Database) error {
		history, err := grow(ctx, db, sample(1), 2)
		if err != nil {
			return err
		}
		id := history[0].ID
		return first(db.Trash(ctx, id, 3, at(5)), listsRevisions(ctx, db, history, 0, 50), listsRevisions(ctx, db, history, 3, 1),
			db.Undelete(ctx, id, 3, nil), listsRevisions(ctx, db, history, 0, 50))
	}},
	{Name: "revisions of a missing template are not found", Run: func(ctx context.Context, db template.Database) error {
		if err := create(ctx, db, sample(1)); err != nil {
			return err
		}
		_, newest := db.Revisions(ctx, idOf(2), 0, 5)
		_, below := db.Revisions(ctx, idOf(2), 7, 5)
		// The one that exists has nothing below its first, which is no error.
		return first(wantKind("Revisions of an unknown id", newest, fault.NotFound), wantKind("Revisions below 7 of an unknown id", below, fault.NotFound),
			listsRevisions(ctx, db, samples(2)[1:], 1, 5))
	}},
	{Name: "revisions of odd texts and missing times", Run: func(ctx context.Context, db template.Database) error {
		t := sample(1)
		t.Name, t.Author, t.Created, t.Modified = oddText, oddText, time.Time{}, time.Time{}
		u := t
		u.Revision, u.Name, u.Author, u.Syntax = 2, "", "", template.Plain
		return first(create(ctx, db, t), db.Replace(ctx, u, 1, nil), listsRevisions(ctx, db, []template.Template{t, u}, 0, 5))
	}},
	{Name: "history under a context that has ended", Run: historyCancelled},
}

var historyNames = []HistoryCheck{
	{Name: "a name is found exactly", Run: func(ctx context.Context, db template.Database) error {
		long := strings.Repeat("\U0001F9D9", template.MaxName)
		rows := named("Welcome", "welcome", "WELCOME", "Welcome ", " Welcome", "We%come", "W_lcome", "", "\u00e9", "e\u0301", "it's", `back\slash`, long, long+"a", long+"b", oddText)
		if err := create(ctx, db, rows...); err != nil {
			return err
		}
		for _, t := range rows {
			if err := finds1(ctx, db, t.Name, t.ID); err != nil {
				return err
			}
		}
		for _, name := range []string{"absent", "Welcom", "Welcome!", "wELCOME", "%", "_", "\u00c9", long + "c", "Welcome\x00", "\x00", "Welcome\xff", "\xff"} {
			if err := finds1(ctx, db, name, uuid.Nil); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "of one name the first created is found, ids break ties", Run: func(ctx context.Context, db template.Database) error {
		for i, times := range [][]time.Time{{at(3), at(1), at(2)}, {at(5), at(5), at(5)}, {at(2), at(1), at(1)}, {at(1), {}, at(2)}, {{}, {}, at(1)}} {
			rows := named("x", "x", "x")
			best := -1
			for j := range rows {
				rows[j].ID, rows[j].Name, rows[j].Created = idOf(100*i+90-j), fmt.Sprint("name", i), times[j]
				if best < 0 || template.PositionOf(rows[j], template.Sort{}).Compare(template.PositionOf(rows[best], template.Sort{})) < 0 {
					best = j
				}
			}
			if err := first(create(ctx, db, rows...), finds1(ctx, db, rows[0].Name, rows[best].ID)); err != nil {
				return fmt.Errorf("created at %v: %w", times, err)
			}
		}
		return nil
	}},
	{Name: "names in the trash are not found", Run: func(ctx context.Context, db template.Database) error {
		rows := named("x", "x")
		return first(create(ctx, db, rows...), finds1(ctx, db, "x", rows[0].ID),
			db.Trash(ctx, rows[0].ID, 1, at(5)), finds1(ctx, db, "x", rows[1].ID),
			db.Trash(ctx, rows[1].ID, 1, at(6)), finds1(ctx, db, "x", uuid.Nil),
			db.Undelete(ctx, rows[0].ID, 1, nil), finds1(ctx, db, "x", rows[0].ID))
	}},
	{Name: "names of old revisions are not found", Run: func(ctx context.Context, db template.Database) error {
		rows := named("old", "old")
		renamed := next(rows[0], "content")
		renamed.Name = "new"
		return first(create(ctx, db, rows...), finds1(ctx, db, "new", uuid.Nil), db.Replace(ctx, renamed, 1, nil),
			finds1(ctx, db, "new", renamed.ID), finds1(ctx, db, "old", rows[1].ID), db.Trash(ctx, rows[1].ID, 1, at(4)), finds1(ctx, db, "old", uuid.Nil))
	}},
}

// grow stores t and so many revisions more, all different, and answers them all, oldest first.
func grow(ctx context.Context, db template.Database, t template.Template, more int) ([]template.Template, error) {
	history := []template.Template{t}
	if err := create(ctx, db, t); err != nil {
		return nil, err
	}
	for range more {
		u := next(history[len(history)-1], "")
		u.Name, u.Description = fmt.Sprintf("%s at %d", t.Name, u.Revision), fmt.Sprintf("Description at %d", u.Revision)
		u.Content, u.Author = fmt.Sprintf("Content at %d", u.Revision), fmt.Sprintf("author at %d", u.Revision)
		if u.Revision%2 == 0 {
			u.Syntax = template.Plain
		} else {
			u.Syntax = template.Mustache
		}
		if err := db.Replace(ctx, u, u.Revision-1, nil); err != nil {
			return nil, fmt.Errorf("Replace to revision %d: %w", u.Revision, err)
		}
		history = append(history, u)
	}
	return history, nil
}

// listsRevisions demands what Revisions must answer of a history, oldest first, that is all of a template.
func listsRevisions(ctx context.Context, db template.Database, history []template.Template, below, limit int) error {
	var want []template.Template
	for _, t := range slices.Backward(history) {
		if (below == 0 || t.Revision < below) && len(want) < limit {
			t.Description, t.Content, t.Deleted = "", "", time.Time{}
			want = append(want, t)
		}
	}
	what := fmt.Sprintf("Revisions below %d, at most %d", below, limit)
	got, err := db.Revisions(ctx, history[0].ID, below, limit)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if len(got) != len(want) {
		return fmt.Errorf("%s: want %d of them, got %d", what, len(want), len(got))
	}
	for i := range want {
		if err := sameTemplate(fmt.Sprintf("%s, item %d", what, i), got[i], want[i]); err != nil {
			return err
		}
	}
	return nil
}

// finds1 demands that the name leads to the id, or to none for uuid.Nil.
func finds1(ctx context.Context, db template.Database, name string, want uuid.UUID) error {
	got, err := db.Named(ctx, name)
	what := "Named " + shorten(name)
	if want == uuid.Nil {
		return wantKind(what, err, fault.NotFound)
	}
	if err != nil || got != want {
		return fmt.Errorf("%s: want %v, got %v, %v", what, want, got, err)
	}
	return nil
}

// historyCancelled demands that every method refuses to work under a context that has ended, and that nothing happens.
func historyCancelled(ctx context.Context, db template.Database) error {
	a := sample(1)
	if err := first(create(ctx, db, a), db.SetLabel(ctx, a.ID, labelAt("kept", 1, 1))); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, revisions := db.Revisions(ended, a.ID, 0, 5)
	_, name := db.Named(ended, a.Name)
	_, labels := db.Labels(ended, a.ID)
	_, moves := db.LabelHistory(ended, a.ID, "kept", 0, 5)
	for what, err := range map[string]error{
		"Revisions": revisions, "Named": name, "Labels": labels, "LabelHistory": moves,
		"SetLabel":    db.SetLabel(ended, a.ID, labelAt("new", 1, 2)),
		"RemoveLabel": db.RemoveLabel(ended, a.ID, "kept", "ann", at(3)),
	} {
		if err := wantKind(what+" under a cancelled context", err, fault.Unavailable); err != nil {
			return err
		}
	}
	return first(hasLabels(ctx, db, a.ID, labelAt("kept", 1, 1)), hasMoves(ctx, db, a.ID, "kept", moveOf(labelAt("kept", 1, 1), 0)), hasMoves(ctx, db, a.ID, "new"))
}
