package contract

import (
	"bytes"
	"context"
	"errors"
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

// breaksExport replaces Export.
func breaksExport(what string, broken func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) {
		b.export = func(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
			return broken(ctx, good, w, each)
		}
	})
}

// spoilsRecords changes each record of an export.
func spoilsRecords(what string, spoil func(w template.Wanted, r *template.Record)) breaker[template.Database] {
	return breaksExport(what, func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
		return good.Export(ctx, w, func(r template.Record) error {
			spoil(w, &r)
			return each(r)
		})
	})
}

// reorders sorts the records of an export anew.
func reorders(what string, compare func(a, b template.Record) int) breaker[template.Database] {
	return breaksExport(what, func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
		records, err := export(ctx, good, w)
		slices.SortStableFunc(records, compare)
		for _, r := range records {
			if err == nil {
				err = each(r)
			}
		}
		return err
	})
}

// deafArchive does not listen to contexts.
var deafArchive = breakDatabase("does not listen to contexts", func(good template.Database, b *brokenDatabase) {
	b.export = func(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
		return good.Export(context.WithoutCancel(ctx), w, each)
	}
	b.write = func(ctx context.Context, changes []template.Writing) ([]error, error) {
		return good.Write(context.WithoutCancel(ctx), changes)
	}
})

var archiveExportBreakers = map[string][]breaker[template.Database]{
	"an export of nothing": {breaksExport("shows an empty record", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
		return first(good.Export(ctx, w, each), each(template.Record{}))
	})},
	"an export is ordered by created, then id": {
		reorders("orders by id", func(a, b template.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) }),
		reorders("orders missing times before all", func(a, b template.Record) int { return a.Created.Compare(b.Created) }),
		reorders("does not look at ids", func(a, b template.Record) int {
			if c := template.SortTime(a.Created).Compare(template.SortTime(b.Created)); c != 0 {
				return c
			}
			return strings.Compare(a.Name, b.Name)
		}),
		reorders("orders by seconds", func(a, b template.Record) int {
			if c := template.SortTime(a.Created).Truncate(time.Second).Compare(template.SortTime(b.Created).Truncate(time.Second)); c != 0 {
				return c
			}
			return bytes.Compare(a.ID[:], b.ID[:])
		}),
	},
	"the trash is exported only when wanted": {
		breaksExport("exports the trash always", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			w.Trash = true
			return good.Export(ctx, w, each)
		}),
		spoilsRecords("does not tell what is in the trash", func(_ template.Wanted, r *template.Record) { r.Deleted = time.Time{} }),
		breaksExport("exports the trash alone", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			return good.Export(ctx, w, func(r template.Record) error {
				if w.Trash && !r.InTrash() {
					return nil
				}
				return each(r)
			})
		}),
	},
	"an export has the current revisions, or all": {
		breaksExport("exports current revisions only", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			w.Revisions = false
			return good.Export(ctx, w, each)
		}),
		reorders("takes revisions for texts", func(a, b template.Record) int {
			if a.ID != b.ID {
				return 0
			}
			return strings.Compare(string(rune('0'+a.Revision%10)), string(rune('0'+b.Revision%10)))
		}),
		reorders("orders by revision before the template", func(a, b template.Record) int { return a.Revision - b.Revision }),
		spoilsRecords("takes modified for created", func(_ template.Wanted, r *template.Record) { r.Created = r.Modified }),
	},
	"an export has the labels of each revision, sorted": {
		spoilsRecords("does not sort labels", func(_ template.Wanted, r *template.Record) { slices.Reverse(r.Labels) }),
		spoilsRecords("loses labels", func(_ template.Wanted, r *template.Record) { r.Labels = nil }),
		spoilsRecords("answers labels that nobody asked for", func(w template.Wanted, r *template.Record) {
			if !w.Revisions {
				r.Labels = []string{}
			}
		}),
	},
	"odd texts and missing times are exported": {
		spoilsRecords("trims", func(_ template.Wanted, r *template.Record) { r.Content = strings.TrimSpace(r.Content) }),
		spoilsRecords("makes times up", func(_ template.Wanted, r *template.Record) { r.Modified = template.SortTime(r.Modified) }),
		spoilsRecords("cuts content", func(_ template.Wanted, r *template.Record) { r.Content = r.Content[:min(len(r.Content), 1<<20-1)] }),
	},
	"an error of the reader ends an export": {
		breaksExport("goes on", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			var failed error
			return first(good.Export(ctx, w, func(r template.Record) error {
				failed = errors.Join(failed, each(r))
				return nil
			}), failed)
		}),
		breaksExport("swallows it", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			_ = good.Export(ctx, w, each)
			return nil
		}),
		breaksExport("takes it for its own", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			if good.Export(ctx, w, each) != nil {
				return fault.New(fault.Internal, "a surprise")
			}
			return nil
		}),
		breakDatabase("loses a connection each time", func(good template.Database, b *brokenDatabase) {
			left := 100
			b.export = func(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
				if left == 0 {
					return fault.New(fault.Unavailable, "no connection is free")
				}
				err := good.Export(ctx, w, each)
				if err != nil {
					left--
				}
				return err
			}
		}),
	},
	"an export is of one moment, and stops no writer": {
		breaksExport("reads each when its turn comes", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			return good.Export(ctx, w, func(r template.Record) error {
				t, err := good.Get(ctx, r.ID)
				r.Deleted = t.Deleted
				return first(err, each(r))
			})
		}),
		breaksExport("reads in pages", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			const size = 1000
			for start, more := 0, true; more; start += size {
				records, err := export(ctx, good, w)
				if err != nil {
					return err
				}
				more = len(records) > start+size
				for _, r := range records[min(start, len(records)):min(start+size, len(records))] {
					if err := each(r); err != nil {
						return err
					}
				}
			}
			return nil
		}),
		breakDatabase("lets writers wait", func(good template.Database, b *brokenDatabase) {
			var mu sync.RWMutex
			b.export = func(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
				mu.RLock()
				defer mu.RUnlock()
				return good.Export(ctx, w, each)
			}
			b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				return good.Purge(ctx, before, limit)
			}
		}),
	},
	"exports among writers are of one moment each": {breakDatabase("reads labels by themselves", func(good template.Database, b *brokenDatabase) {
		written := make(chan struct{}, 1)
		b.write = func(ctx context.Context, changes []template.Writing) ([]error, error) {
			defer func() {
				select {
				case written <- struct{}{}:
				default:
				}
			}()
			return good.Write(ctx, changes)
		}
		b.export = func(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
			records, err := export(ctx, good, w)
			if err != nil {
				return err
			}
			for range 2 { // the first may have been waiting from before
				select {
				case <-written:
				case <-time.After(time.Second):
				}
			}
			for _, r := range records {
				labels, err := good.Labels(ctx, r.ID)
				r.Labels = nil
				for _, l := range labels {
					if l.Revision == r.Revision {
						r.Labels = append(r.Labels, l.Name)
					}
				}
				if err := first(err, each(r)); err != nil {
					return err
				}
			}
			return nil
		}
	})},
	"an export ends with its context": {
		deafArchive,
		breaksExport("takes the end for success", func(ctx context.Context, good template.Database, w template.Wanted, each func(template.Record) error) error {
			if err := good.Export(ctx, w, each); ctx.Err() == nil {
				return err
			}
			return nil
		}),
	},
	"archives under a context that has ended": {
		deafArchive,
		breakDatabase("purges all the same", func(good template.Database, b *brokenDatabase) {
			b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
				_, _ = good.Purge(context.WithoutCancel(ctx), before, limit)
				return 0, fault.New(fault.Unavailable, "ended")
			}
		}),
		breakDatabase("hides the reason", func(good template.Database, b *brokenDatabase) {
			b.countTrash = func(context.Context, time.Time) (int, error) {
				return 0, errors.New("canceling statement due to user request")
			}
		}),
	},
	"current revisions of many": {
		breakDatabase("does not look into the trash", func(good template.Database, b *brokenDatabase) {
			b.current = func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]template.Template, error) {
				found, err := good.Current(ctx, ids)
				for id, t := range found {
					if t.InTrash() {
						delete(found, id)
					}
				}
				return found, err
			}
		}),
		breakDatabase("looks at 500", func(good template.Database, b *brokenDatabase) {
			b.current = func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]template.Template, error) {
				return good.Current(ctx, ids[:min(len(ids), 500)])
			}
		}),
		breakDatabase("answers what is not there", func(good template.Database, b *brokenDatabase) {
			b.current = func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]template.Template, error) {
				found, err := good.Current(ctx, ids)
				for _, id := range ids {
					present := found[id]
					found[id] = present
				}
				return found, err
			}
		}),
		breakDatabase("answers first revisions", func(good template.Database, b *brokenDatabase) {
			b.current = func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]template.Template, error) {
				found, err := good.Current(ctx, ids)
				for id := range found {
					found[id], err = good.Revision(ctx, id, 1)
				}
				return found, err
			}
		}),
	},
}

func TestArchiveTeeth(t *testing.T) {
	t.Parallel()
	breakers := map[string][]breaker[template.Database]{}
	for _, table := range []map[string][]breaker[template.Database]{archiveExportBreakers, archiveWriteBreakers(), archivePurgeBreakers} {
		for name, list := range table {
			if breakers[name] != nil {
				t.Fatalf("%q has breakers in two tables", name)
			}
			breakers[name] = list
		}
	}
	demandTeeth(t, ArchiveChecks, func() template.Database { return memory.NewTemplates() }, breakers)
}
