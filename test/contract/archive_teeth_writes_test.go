package contract

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

type writeFunc = func(ctx context.Context, changes []template.Writing) ([]error, error)

// breaksWrite replaces Write.
func breaksWrite(what string, broken func(good template.Database) writeFunc) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) { b.write = broken(good) })
}

// spoilsChanges changes what is written.
func spoilsChanges(what string, spoil func(ctx context.Context, good template.Database, w *template.Writing)) breaker[template.Database] {
	return breaksWrite(what, func(good template.Database) writeFunc {
		return func(ctx context.Context, changes []template.Writing) ([]error, error) {
			spoiled := append([]template.Writing(nil), changes...)
			for i := range spoiled {
				spoil(ctx, good, &spoiled[i])
			}
			return good.Write(ctx, spoiled)
		}
	})
}

// oneByOne makes each change in a transaction of its own, with a pause between.
func oneByOne(what string, wait time.Duration) breaker[template.Database] {
	return breaksWrite(what, func(good template.Database) writeFunc {
		return func(ctx context.Context, changes []template.Writing) ([]error, error) {
			half := len(changes) / 2
			a, err := good.Write(ctx, changes[:half])
			if err != nil {
				return nil, err
			}
			if err := pause(ctx, wait); err != nil {
				return nil, fault.Wrap(fault.Unavailable, err, "ended")
			}
			b, err := good.Write(ctx, changes[half:])
			return append(a, b...), err
		}
	})
}

// judgesAtTheStart compares all changes of a batch with what was there before it.
var judgesAtTheStart = breaksWrite("compares with what was there before the batch", func(good template.Database) writeFunc {
	return func(ctx context.Context, changes []template.Writing) ([]error, error) {
		var asked []uuid.UUID
		for _, w := range changes {
			asked = append(asked, w.Template.ID)
		}
		before, err := good.Current(ctx, asked)
		results := make([]error, len(changes))
		var kept []template.Writing
		for i, w := range changes {
			now, exists := before[w.Template.ID]
			switch {
			case w.Was == 0 && exists:
				results[i] = template.ErrTaken
			case w.Was != now.Revision:
				results[i] = template.ErrStale
			default:
				kept = append(kept, w)
			}
		}
		_, writeErr := good.Write(ctx, kept)
		return results, errors.Join(err, writeErr)
	}
})

func archiveWriteBreakers() map[string][]breaker[template.Database] {
	ignoresWas := spoilsChanges("does not compare revisions", func(ctx context.Context, good template.Database, w *template.Writing) {
		if now, err := good.Get(ctx, w.Template.ID); err == nil && w.Was != 0 {
			w.Was = now.Revision
		}
	})
	dropsLabels := spoilsChanges("loses labels", func(_ context.Context, _ template.Database, w *template.Writing) { w.Labels = nil })
	losesTrash := spoilsChanges("does not know the trash", func(_ context.Context, _ template.Database, w *template.Writing) { w.Template.Deleted = time.Time{} })
	makesTimes := spoilsChanges("makes times up", func(_ context.Context, _ template.Database, w *template.Writing) {
		if w.Template.Created.IsZero() {
			w.Template.Created = at(0)
		}
	})
	sortsByKind := breaksWrite("does the creations first", func(good template.Database) writeFunc {
		return func(ctx context.Context, changes []template.Writing) ([]error, error) {
			results := make([]error, len(changes))
			for _, creations := range []bool{true, false} {
				for i, w := range changes {
					if (w.Was == 0) == creations {
						one, err := good.Write(ctx, []template.Writing{w})
						if err != nil {
							return nil, err
						}
						results[i] = one[0]
					}
				}
			}
			return results, nil
		}
	})
	return map[string][]breaker[template.Database]{
		"writing creates templates as they are given": {
			spoilsChanges("starts at revision 1", func(_ context.Context, _ template.Database, w *template.Writing) { w.Template.Revision = 1 }),
			losesTrash, makesTimes,
		},
		"writing does not create what is taken": {
			spoilsChanges("overwrites", func(ctx context.Context, good template.Database, w *template.Writing) {
				if now, err := good.Get(ctx, w.Template.ID); err == nil {
					w.Was = now.Revision
				}
			}),
			breaksWrite("puts the labels all the same", func(good template.Database) writeFunc {
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					results, err := good.Write(ctx, changes)
					for i, w := range changes {
						for _, name := range w.Labels {
							if results[i] != nil {
								_ = good.SetLabel(ctx, w.Template.ID, labelAt(name, 1, 1))
							}
						}
					}
					return results, err
				}
			}),
			breaksWrite("refuses all for one", func(good template.Database) writeFunc {
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					results, err := good.Write(ctx, changes)
					return results, errors.Join(append(results, err)...)
				}
			}),
		},
		"writing at another revision is stale": {ignoresWas, spoilsChanges("creates what is missing", func(ctx context.Context, good template.Database, w *template.Writing) {
			if _, err := good.Get(ctx, w.Template.ID); err != nil {
				w.Was = 0
			}
		})},
		"writing a revision keeps the one before and created": {
			breaksWrite("overwrites history", func(good template.Database) writeFunc {
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					results, err := good.Write(ctx, changes)
					_, _, _, _ = good.Thin(ctx, 1, uuid.Nil, 1000, false)
					return results, err
				}
			}),
			breakDatabase("takes over created", func(good template.Database, b *brokenDatabase) {
				var given time.Time
				b.write = func(ctx context.Context, changes []template.Writing) ([]error, error) {
					given = changes[0].Template.Created
					return good.Write(ctx, changes)
				}
				b.get = func(ctx context.Context, id uuid.UUID) (template.Template, error) {
					t, err := good.Get(ctx, id)
					t.Created = given
					return t, err
				}
			}),
		},
		"writing moves to the trash and back": {losesTrash, breaksWrite("finds living ones only", func(good template.Database) writeFunc {
			return func(ctx context.Context, changes []template.Writing) ([]error, error) {
				var results []error
				for _, w := range changes {
					if now, err := good.Get(ctx, w.Template.ID); err == nil && now.InTrash() {
						results = append(results, template.ErrStale)
						continue
					}
					one, err := good.Write(ctx, []template.Writing{w})
					if err != nil {
						return nil, err
					}
					results = append(results, one...)
				}
				return results, nil
			}
		})},
		"writing the same revision sets only deleted and labels": {
			spoilsChanges("makes a revision of it", func(_ context.Context, _ template.Database, w *template.Writing) {
				if w.Was == w.Template.Revision {
					w.Template.Revision++
				}
			}),
			breakDatabase("overwrites the texts", func(good template.Database, b *brokenDatabase) {
				var given template.Template
				b.write = func(ctx context.Context, changes []template.Writing) ([]error, error) {
					given = changes[0].Template
					return good.Write(ctx, changes)
				}
				b.get = func(ctx context.Context, id uuid.UUID) (template.Template, error) {
					t, err := good.Get(ctx, id)
					t.Content = given.Content
					return t, err
				}
			}),
			dropsLabels, losesTrash,
		},
		"written labels are those of the author, with a move each": {
			dropsLabels,
			breaksMoves("does not note written labels", func(ctx context.Context, good template.Database, id uuid.UUID, name string, moves []template.LabelMove) []template.LabelMove {
				return moves[:max(0, len(moves)-1)]
			}),
			breaksLabels("knows one author", func(_ context.Context, _ template.Database, _ uuid.UUID, labels []template.Label) []template.Label {
				for i := range labels {
					labels[i].User = "import"
				}
				return labels
			}),
		},
		"lists, searches and names see what was written": {
			breakDatabase("does not index what is written", func(good template.Database, b *brokenDatabase) {
				b.list = func(ctx context.Context, q template.Query) ([]template.Template, error) {
					if q.Filter.Words == "delta" {
						return nil, nil
					}
					return good.List(ctx, q)
				}
			}),
			losesTrash,
		},
		"a written template cannot be claimed away": {breakDatabase("forgets receipts", func(good template.Database, b *brokenDatabase) {
			b.receipt = func(context.Context, string, string, time.Time) (template.Receipt, error) {
				return template.Receipt{}, fault.New(fault.NotFound, "none")
			}
		})},
		"an export that is written anew is the same": {dropsLabels, losesTrash, makesTimes},
		"changes of a batch follow each other":       {judgesAtTheStart, sortsByKind, dropsLabels},
		"any mix of changes is as if each came alone": {
			judgesAtTheStart, sortsByKind, dropsLabels,
			breaksWrite("takes the last change of each", func(good template.Database) writeFunc {
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					last := map[uuid.UUID]int{}
					for i, w := range changes {
						last[w.Template.ID] = i
					}
					var kept []template.Writing
					for i, w := range changes {
						if last[w.Template.ID] == i {
							kept = append(kept, w)
						}
					}
					_, err := good.Write(ctx, kept)
					return make([]error, len(changes)), err
				}
			}),
		},
		"a batch of a thousand": {
			breaksWrite("has room for 999", func(good template.Database) writeFunc {
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					_, err := good.Write(ctx, changes[:min(len(changes), 999)])
					return make([]error, len(changes)), err
				}
			}),
			breaksWrite("has too many parameters", func(good template.Database) writeFunc {
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					if len(changes) > 500 {
						return nil, fault.New(fault.Internal, "too many parameters")
					}
					return good.Write(ctx, changes)
				}
			}),
			dropsLabels,
		},
		"a batch appears at once": {oneByOne("makes two transactions", 20*time.Millisecond)},
		"a batch that is broken off is stored whole or not at all": {
			breaksWrite("leaves the first", func(good template.Database) writeFunc {
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					_, _ = good.Write(context.WithoutCancel(ctx), changes[:1])
					<-ctx.Done()
					return nil, fault.New(fault.Unavailable, "ended")
				}
			}),
			breaksWrite("hides the reason", func(template.Database) writeFunc {
				return func(ctx context.Context, _ []template.Writing) ([]error, error) {
					<-ctx.Done()
					return nil, errors.New("canceling statement due to user request")
				}
			}),
			breaksWrite("answers what it did not store", func(template.Database) writeFunc {
				return func(_ context.Context, changes []template.Writing) ([]error, error) {
					return make([]error, len(changes)), nil
				}
			}),
		},
		"of concurrent batches each change is made once": {
			breaksWrite("looks first and writes later", func(good template.Database) writeFunc {
				gap := newGap()
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					now, err := good.Get(ctx, changes[0].Template.ID)
					stale := err == nil && now.Revision != changes[0].Was
					gap()
					results, err := good.Write(ctx, changes)
					if !stale {
						clear(results)
					}
					return results, err
				}
			}),
			breaksWrite("locks in the order of the batch", func(good template.Database) writeFunc {
				var mu sync.Mutex
				gap, working := newGap(), 0
				return func(ctx context.Context, changes []template.Writing) ([]error, error) {
					mu.Lock()
					working++
					deadlock := working > 1
					mu.Unlock()
					gap()
					defer func() { mu.Lock(); working--; mu.Unlock() }()
					if deadlock {
						return nil, fault.New(fault.Unavailable, "deadlock detected")
					}
					return good.Write(ctx, changes)
				}
			}),
		},
	}
}
