package contract

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

type revisionsFunc = func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error)

// breaksRevisions replaces Revisions.
func breaksRevisions(what string, broken func(good template.Database, old revisionsFunc) revisionsFunc) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) { b.revisions = broken(good, good.Revisions) })
}

// spoilsRevisions changes what Revisions answers.
func spoilsRevisions(what string, spoil func(ctx context.Context, good template.Database, items []template.Template)) breaker[template.Database] {
	return breaksRevisions(what, func(good template.Database, old revisionsFunc) revisionsFunc {
		return func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
			items, err := old(ctx, id, below, limit)
			spoil(ctx, good, items)
			return items, err
		}
	})
}

// looksUp finds names among all records of an export in its order; same tells whether a record matches.
func looksUp(what string, w template.Wanted, same func(r template.Record, name string) bool, better func(a, b template.Record) bool) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) {
		b.named = func(ctx context.Context, name string) (uuid.UUID, error) {
			var best *template.Record
			err := good.Export(ctx, w, func(r template.Record) error {
				if same(r, name) && (best == nil || better(r, *best)) {
					best = &r
				}
				return nil
			})
			if err != nil {
				return uuid.Nil, err
			}
			if best == nil {
				return uuid.Nil, fault.New(fault.NotFound, "none")
			}
			return best.ID, nil
		}
	})
}

func sameName(r template.Record, name string) bool { return r.Name == name }
func never(_, _ template.Record) bool              { return false }

// breaksSetLabel replaces SetLabel.
func breaksSetLabel(what string, broken func(ctx context.Context, good template.Database, id uuid.UUID, l template.Label) error) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) {
		b.setLabel = func(ctx context.Context, id uuid.UUID, l template.Label) error { return broken(ctx, good, id, l) }
	})
}

// breaksLabels changes what Labels answers.
func breaksLabels(what string, broken func(ctx context.Context, good template.Database, id uuid.UUID, labels []template.Label) []template.Label) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) {
		b.labels = func(ctx context.Context, id uuid.UUID) ([]template.Label, error) {
			labels, err := good.Labels(ctx, id)
			return broken(ctx, good, id, labels), err
		}
	})
}

// breaksMoves changes what LabelHistory answers.
func breaksMoves(what string, broken func(ctx context.Context, good template.Database, id uuid.UUID, name string, moves []template.LabelMove) []template.LabelMove) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) {
		b.labelHistory = func(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
			moves, err := good.LabelHistory(ctx, id, name, before, limit)
			return broken(ctx, good, id, name, moves), err
		}
	})
}

// breaksRemoveLabel replaces RemoveLabel.
func breaksRemoveLabel(what string, broken func(ctx context.Context, good template.Database, id uuid.UUID, name, user string, at time.Time) error) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) {
		b.removeLabel = func(ctx context.Context, id uuid.UUID, name, user string, at time.Time) error {
			return broken(ctx, good, id, name, user, at)
		}
	})
}

var historyBreakers = map[string][]breaker[template.Database]{
	"revisions are listed newest first, without description and content": {
		spoilsRevisions("lists the oldest first", func(_ context.Context, _ template.Database, items []template.Template) { slices.Reverse(items) }),
		spoilsRevisions("answers the content too", func(ctx context.Context, good template.Database, items []template.Template) {
			for i, t := range items {
				items[i], _ = good.Revision(ctx, t.ID, t.Revision)
			}
		}),
		breaksRevisions("forgets the current one", func(_ template.Database, old revisionsFunc) revisionsFunc {
			return func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
				items, err := old(ctx, id, below, limit)
				if below == 0 && len(items) > 0 {
					items = items[1:]
				}
				return items, err
			}
		}),
		spoilsRevisions("answers the modification of the current one for all", func(_ context.Context, _ template.Database, items []template.Template) {
			for i := range items {
				items[i].Modified = items[0].Modified
			}
		}),
	},
	"pages of revisions join up": {
		breaksRevisions("starts at the one given", func(_ template.Database, old revisionsFunc) revisionsFunc {
			return func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
				return old(ctx, id, below+min(below, 1), limit)
			}
		}),
		breaksRevisions("has no limit", func(_ template.Database, old revisionsFunc) revisionsFunc {
			return func(ctx context.Context, id uuid.UUID, below, _ int) ([]template.Template, error) {
				return old(ctx, id, below, 1000)
			}
		}),
	},
	"revisions may have gaps": {breaksRevisions("counts numbers", func(good template.Database, old revisionsFunc) revisionsFunc {
		return func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
			items, err := old(ctx, id, below, limit)
			if below == 0 && len(items) > 0 {
				below = items[0].Revision + 1
			}
			return slices.DeleteFunc(items, func(t template.Template) bool { return t.Revision < below-limit }), err
		}
	})},
	"revisions of one in the trash are listed": {
		breaksRevisions("looks at living ones only", func(good template.Database, old revisionsFunc) revisionsFunc {
			return func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
				if t, err := good.Get(ctx, id); err != nil || t.InTrash() {
					return nil, fault.New(fault.NotFound, "none")
				}
				return old(ctx, id, below, limit)
			}
		}),
		spoilsRevisions("tells of the trash", func(ctx context.Context, good template.Database, items []template.Template) {
			for i := range items {
				now, _ := good.Get(ctx, items[i].ID)
				items[i].Deleted = now.Deleted
			}
		}),
	},
	"revisions of a missing template are not found": {
		breaksRevisions("answers none", func(_ template.Database, old revisionsFunc) revisionsFunc {
			return func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
				items, _ := old(ctx, id, below, limit)
				return items, nil
			}
		}),
		breaksRevisions("takes an empty page for a missing template", func(_ template.Database, old revisionsFunc) revisionsFunc {
			return func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
				items, err := old(ctx, id, below, limit)
				if len(items) == 0 {
					err = fault.New(fault.NotFound, "none")
				}
				return items, err
			}
		}),
	},
	"revisions of odd texts and missing times": {spoilsRevisions("makes times up", func(_ context.Context, _ template.Database, items []template.Template) {
		for i := range items {
			items[i].Modified = template.SortTime(items[i].Modified)
		}
	})},
	"history under a context that has ended": {
		breaksSetLabel("does not listen to contexts", func(ctx context.Context, good template.Database, id uuid.UUID, l template.Label) error {
			return good.SetLabel(context.WithoutCancel(ctx), id, l)
		}),
		breaksRevisions("does not listen to contexts", func(_ template.Database, old revisionsFunc) revisionsFunc {
			return func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
				return old(context.WithoutCancel(ctx), id, below, limit)
			}
		}),
	},
	"a name is found exactly": {
		looksUp("does not see case", template.Wanted{}, func(r template.Record, name string) bool { return strings.EqualFold(r.Name, name) }, never),
		looksUp("trims", template.Wanted{}, func(r template.Record, name string) bool {
			return strings.TrimSpace(r.Name) == strings.TrimSpace(name)
		}, never),
		looksUp("compares what names are ordered by", template.Wanted{}, func(r template.Record, name string) bool {
			return template.SortName(r.Name) == template.SortName(name)
		}, never),
		breakDatabase("stumbles over NUL", func(good template.Database, b *brokenDatabase) {
			b.named = func(ctx context.Context, name string) (uuid.UUID, error) {
				if strings.Contains(name, "\x00") {
					return uuid.Nil, fault.New(fault.Internal, "invalid byte sequence")
				}
				return good.Named(ctx, name)
			}
		}),
	},
	"of one name the first created is found, ids break ties": {
		looksUp("finds the last", template.Wanted{}, sameName, func(_, _ template.Record) bool { return true }),
		looksUp("finds the lowest id", template.Wanted{}, sameName, func(a, b template.Record) bool { return a.ID.String() < b.ID.String() }),
		looksUp("does not look at ids", template.Wanted{}, sameName, func(a, b template.Record) bool {
			return !template.SortTime(a.Created).After(template.SortTime(b.Created))
		}),
	},
	"names in the trash are not found": {looksUp("looks into the trash", template.Wanted{Trash: true}, sameName, never)},
	"names of old revisions are not found": {
		looksUp("looks at all revisions", template.Wanted{Revisions: true}, sameName, never),
		breakDatabase("remembers names", func(good template.Database, b *brokenDatabase) {
			seen := map[string]uuid.UUID{}
			b.named = func(ctx context.Context, name string) (uuid.UUID, error) {
				if id, ok := seen[name]; ok {
					return id, nil
				}
				id, err := good.Named(ctx, name)
				seen[name] = id
				return id, err
			}
		}),
	},
	"a label is set, moved and removed": {
		breaksSetLabel("does not move labels", func(ctx context.Context, good template.Database, id uuid.UUID, l template.Label) error {
			labels, _ := good.Labels(ctx, id)
			if slices.ContainsFunc(labels, func(have template.Label) bool { return have.Name == l.Name }) {
				return nil
			}
			return good.SetLabel(ctx, id, l)
		}),
		breaksRemoveLabel("does not remove", func(context.Context, template.Database, uuid.UUID, string, string, time.Time) error { return nil }),
		breaksSetLabel("does not note who puts a label where it stands", func(ctx context.Context, good template.Database, id uuid.UUID, l template.Label) error {
			labels, _ := good.Labels(ctx, id)
			if slices.ContainsFunc(labels, func(have template.Label) bool { return have.Name == l.Name && have.Revision == l.Revision }) {
				return nil
			}
			return good.SetLabel(ctx, id, l)
		}),
	},
	"labels are sorted by name": {breaksLabels("sorts as a dictionary does", func(_ context.Context, _ template.Database, _ uuid.UUID, labels []template.Label) []template.Label {
		letters := strings.NewReplacer("-", "", ".", "", "_", "")
		slices.SortStableFunc(labels, func(a, b template.Label) int {
			return strings.Compare(letters.Replace(a.Name), letters.Replace(b.Name))
		})
		return labels
	})},
	"labels of two templates are apart": {breakDatabase("keeps them by name", func(good template.Database, b *brokenDatabase) {
		b.removeLabel = func(ctx context.Context, id uuid.UUID, name, user string, when time.Time) error {
			_ = good.RemoveLabel(ctx, sample(2).ID, name, user, when)
			return good.RemoveLabel(ctx, id, name, user, when)
		}
	})},
	"a label is only put on what is there": {
		breaksSetLabel("puts labels on what is in the trash", func(ctx context.Context, good template.Database, id uuid.UUID, l template.Label) error {
			t, _ := good.Get(ctx, id)
			if t.InTrash() {
				return first(good.Undelete(ctx, id, t.Revision, nil), good.SetLabel(ctx, id, l), good.Trash(ctx, id, t.Revision, t.Deleted))
			}
			return good.SetLabel(ctx, id, l)
		}),
		breaksSetLabel("removes the label before it looks", func(ctx context.Context, good template.Database, id uuid.UUID, l template.Label) error {
			err := good.SetLabel(ctx, id, l)
			if err != nil {
				_ = good.RemoveLabel(ctx, id, l.Name, l.User, l.Modified)
			}
			return err
		}),
		breaksSetLabel("puts labels nowhere without a word", func(ctx context.Context, good template.Database, id uuid.UUID, l template.Label) error {
			_ = good.SetLabel(ctx, id, l)
			return nil
		}),
	},
	"labels stay with their revisions": {
		breaksLabels("hides labels in the trash", func(ctx context.Context, good template.Database, id uuid.UUID, labels []template.Label) []template.Label {
			if t, _ := good.Get(ctx, id); t.InTrash() {
				return nil
			}
			return labels
		}),
		breaksLabels("moves labels along", func(ctx context.Context, good template.Database, id uuid.UUID, labels []template.Label) []template.Label {
			t, _ := good.Get(ctx, id)
			for i := range labels {
				labels[i].Revision = t.Revision
			}
			return labels
		}),
	},
	"a label that is not there cannot be removed": {
		breaksRemoveLabel("is content with none", func(ctx context.Context, good template.Database, id uuid.UUID, name, user string, when time.Time) error {
			_ = good.RemoveLabel(ctx, id, name, user, when)
			return nil
		}),
		breaksRemoveLabel("notes it all the same", func(ctx context.Context, good template.Database, id uuid.UUID, name, user string, when time.Time) error {
			err := good.RemoveLabel(ctx, id, name, user, when)
			if err != nil {
				_ = good.SetLabel(ctx, id, template.Label{Name: name, Revision: 1, User: user, Modified: when})
				_ = good.RemoveLabel(ctx, id, name, user, when)
			}
			return err
		}),
	},
	"every move of a label is noted and kept": {
		breaksMoves("forgets removed labels", func(ctx context.Context, good template.Database, id uuid.UUID, name string, moves []template.LabelMove) []template.LabelMove {
			if len(moves) > 0 && moves[0].To == 0 {
				return nil
			}
			return moves
		}),
		breaksMoves("does not note what stays where it is", func(_ context.Context, _ template.Database, _ uuid.UUID, _ string, moves []template.LabelMove) []template.LabelMove {
			return slices.DeleteFunc(moves, func(m template.LabelMove) bool { return m.From == m.To })
		}),
		breaksMoves("does not know where labels come from", func(_ context.Context, _ template.Database, _ uuid.UUID, _ string, moves []template.LabelMove) []template.LabelMove {
			for i := range moves {
				moves[i].From = 0
			}
			return moves
		}),
		breaksMoves("keeps the last two", func(_ context.Context, _ template.Database, _ uuid.UUID, _ string, moves []template.LabelMove) []template.LabelMove {
			return moves[:min(2, len(moves))]
		}),
	},
	"pages of a label's history join up": {
		breakDatabase("starts at the one given", func(good template.Database, b *brokenDatabase) {
			b.labelHistory = func(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
				return good.LabelHistory(ctx, id, name, before+min(before, 1), limit)
			}
		}),
		breakDatabase("mixes labels", func(good template.Database, b *brokenDatabase) {
			b.labelHistory = func(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
				x, err := good.LabelHistory(ctx, id, "x", before, limit)
				y, _ := good.LabelHistory(ctx, id, "y", before, limit)
				moves := append(x, y...)
				slices.SortFunc(moves, func(a, b template.LabelMove) int { return cmp.Compare(b.Number, a.Number) })
				return moves[:min(len(moves), limit)], err
			}
		}),
	},
	"numbers of moves rise over all labels": {breaksMoves("numbers the moves of each label", func(_ context.Context, _ template.Database, _ uuid.UUID, _ string, moves []template.LabelMove) []template.LabelMove {
		for i := range moves {
			moves[i].Number = int64(len(moves) - i)
		}
		return moves
	})},
	"concurrent moves of a label follow each other": {breakDatabase("looks first and notes later", func(good template.Database, b *brokenDatabase) {
		gap := newGap()
		var mu sync.Mutex
		looked := map[time.Time]int{}
		b.setLabel = func(ctx context.Context, id uuid.UUID, l template.Label) error {
			labels, _ := good.Labels(ctx, id)
			from := 0
			for _, have := range labels {
				if have.Name == l.Name {
					from = have.Revision
				}
			}
			gap()
			mu.Lock()
			defer mu.Unlock()
			looked[l.Modified] = from
			return good.SetLabel(ctx, id, l)
		}
		b.labelHistory = func(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
			moves, err := good.LabelHistory(ctx, id, name, before, limit)
			for i := range moves {
				moves[i].From = looked[moves[i].Time]
			}
			return moves, err
		}
	})},
}

func TestHistoryTeeth(t *testing.T) {
	t.Parallel()
	demandTeeth(t, HistoryChecks, func() template.Database { return memory.NewTemplates() }, historyBreakers)
}
