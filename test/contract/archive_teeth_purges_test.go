package contract

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// breaksPurge replaces Purge and CountTrash in the same way.
func breaksPurge(what string, spoil func(before *time.Time, limit *int)) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) {
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			spoil(&before, &limit)
			return good.Purge(ctx, before, limit)
		}
		b.countTrash = func(ctx context.Context, before time.Time) (int, error) {
			var limit int
			spoil(&before, &limit)
			return good.CountTrash(ctx, before)
		}
	})
}

type thinFunc = func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error)

// breaksThin replaces Thin.
func breaksThin(what string, broken func(good template.Database) thinFunc) breaker[template.Database] {
	return breakDatabase(what, func(good template.Database, b *brokenDatabase) { b.thin = broken(good) })
}

// spoilsThin changes what Thin is asked for.
func spoilsThin(what string, spoil func(keep *int, after *uuid.UUID, limit *int, dry *bool)) breaker[template.Database] {
	return breaksThin(what, func(good template.Database) thinFunc {
		return func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
			spoil(&keep, &after, &limit, &dry)
			return good.Thin(ctx, keep, after, limit, dry)
		}
	})
}

var archivePurgeBreakers = map[string][]breaker[template.Database]{
	"a purge takes what was in the trash before the moment": {
		breaksPurge("takes the moment too", func(before *time.Time, _ *int) { *before = before.Add(time.Microsecond) }),
		breaksPurge("takes all the trash", func(before *time.Time, _ *int) { *before = farAhead }),
		breakDatabase("counts all the trash", func(good template.Database, b *brokenDatabase) {
			b.countTrash = func(ctx context.Context, _ time.Time) (int, error) {
				return good.Count(ctx, template.Filter{Trash: true})
			}
		}),
	},
	"a purge has a limit": {breaksPurge("has no limit", func(_ *time.Time, limit *int) { *limit = 1000 })},
	"a purge leaves nothing behind, and the id free": {
		breakDatabase("leaves receipts", func(good template.Database, b *brokenDatabase) {
			left := map[string]template.Receipt{}
			b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
				left["key"], _ = good.Receipt(ctx, "ann", "key", at(0))
				return good.Purge(ctx, before, limit)
			}
			b.receipt = func(ctx context.Context, user, key string, now time.Time) (template.Receipt, error) {
				if r, ok := left[key]; ok {
					return r, nil
				}
				return good.Receipt(ctx, user, key, now)
			}
		}),
		breakDatabase("leaves revisions", func(good template.Database, b *brokenDatabase) {
			var left *template.Template
			b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
				if t, err := good.Revision(ctx, sample(1).ID, 1); err == nil {
					left = &t
				}
				return good.Purge(ctx, before, limit)
			}
			b.revision = func(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
				// Those of a template that is gone are found only when there is one again.
				if _, err := good.Get(ctx, id); err == nil && left != nil && left.ID == id && n == 1 {
					return *left, nil
				}
				return good.Revision(ctx, id, n)
			}
		}),
		breakDatabase("leaves labels", func(good template.Database, b *brokenDatabase) {
			left := map[uuid.UUID][]template.Label{}
			b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
				left[sample(1).ID], _ = good.Labels(ctx, sample(1).ID)
				return good.Purge(ctx, before, limit)
			}
			b.labels = func(ctx context.Context, id uuid.UUID) ([]template.Label, error) {
				labels, err := good.Labels(ctx, id)
				return append(labels, left[id]...), err
			}
		}),
		breakDatabase("leaves the history of labels", func(good template.Database, b *brokenDatabase) {
			left := map[uuid.UUID][]template.LabelMove{}
			b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
				left[sample(1).ID], _ = good.LabelHistory(ctx, sample(1).ID, "x", 0, 9)
				return good.Purge(ctx, before, limit)
			}
			b.labelHistory = func(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
				moves, err := good.LabelHistory(ctx, id, name, before, limit)
				return append(moves, left[id]...), err
			}
		}),
	},
	"an undelete and a purge do not both win": {breakDatabase("looks first and purges later", func(good template.Database, b *brokenDatabase) {
		gap := newGap()
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			defer gap()
			return good.Purge(ctx, before, limit)
		}
		b.undelete = func(ctx context.Context, id uuid.UUID, was int, c *template.Claim) error {
			gap()
			_ = good.Undelete(ctx, id, was, c)
			return nil
		}
	})},
	"thinning keeps the newest": {
		spoilsThin("does not count the current one", func(keep *int, _ *uuid.UUID, _ *int, _ *bool) { *keep++ }),
		spoilsThin("keeps too few", func(keep *int, _ *uuid.UUID, _ *int, _ *bool) { *keep-- }),
		spoilsThin("removes nothing", func(_ *int, _ *uuid.UUID, _ *int, dry *bool) { *dry = true }),
	},
	"thinning counts revisions, not numbers": {breaksThin("counts numbers", func(good template.Database) thinFunc {
		return func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
			items, err := good.Revisions(ctx, sample(1).ID, 0, 100)
			if err != nil {
				return 0, after, false, err
			}
			near := 0
			for _, t := range items {
				if t.Revision > items[0].Revision-keep {
					near++
				}
			}
			return good.Thin(ctx, near, after, limit, dry)
		}
	})},
	"thinning keeps what is labelled": {breaksThin("does not look at labels", func(good template.Database) thinFunc {
		return func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
			labels, _ := good.Labels(ctx, sample(1).ID)
			for _, l := range labels {
				_ = good.RemoveLabel(ctx, sample(1).ID, l.Name, l.User, l.Modified)
			}
			return good.Thin(ctx, keep, after, limit, dry)
		}
	})},
	"thinning leaves the trash alone": {breaksThin("thins the trash", func(good template.Database) thinFunc {
		return func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
			if t, err := good.Get(ctx, sample(1).ID); err == nil && t.InTrash() {
				_ = good.Undelete(ctx, t.ID, t.Revision, nil)
				defer func() { _ = good.Trash(ctx, t.ID, t.Revision, t.Deleted) }()
			}
			return good.Thin(ctx, keep, after, limit, dry)
		}
	})},
	"a dry thinning only counts": {
		spoilsThin("removes", func(_ *int, _ *uuid.UUID, _ *int, dry *bool) { *dry = false }),
		breaksThin("counts labelled ones", func(good template.Database) thinFunc {
			return func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
				n, last, done, err := good.Thin(ctx, keep, after, limit, dry)
				if dry {
					n++
				}
				return n, last, done, err
			}
		}),
	},
	"thinning goes on where it ended": {
		spoilsThin("has no limit", func(_ *int, _ *uuid.UUID, limit *int, _ *bool) { *limit = 1000 }),
		spoilsThin("starts anew each time", func(_ *int, after *uuid.UUID, _ *int, _ *bool) { *after = uuid.Nil }),
		breaksThin("does not know the end", func(good template.Database) thinFunc {
			return func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
				n, last, _, err := good.Thin(ctx, keep, after, limit, dry)
				return n, last, n == 0, err
			}
		}),
		breaksThin("forgets where it was", func(good template.Database) thinFunc {
			return func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
				n, _, done, err := good.Thin(ctx, keep, after, limit, dry)
				return n, after, done, err
			}
		}),
	},
	"a label and a thinning do not both win": {breakDatabase("looks first and labels later", func(good template.Database, b *brokenDatabase) {
		gap := newGap()
		b.thin = func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
			defer gap()
			return good.Thin(ctx, keep, after, limit, dry)
		}
		b.setLabel = func(ctx context.Context, id uuid.UUID, l template.Label) error {
			gap()
			if err := good.SetLabel(ctx, id, l); !fault.Is(err, fault.NotFound) {
				return err
			}
			return nil
		}
	})},
}
