package contract

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

// brokenDatabase is a database of which some methods are replaced; nil ones are not.
type brokenDatabase struct {
	template.Database
	get          func(context.Context, uuid.UUID) (template.Template, error)
	revision     func(context.Context, uuid.UUID, int) (template.Template, error)
	undelete     func(context.Context, uuid.UUID, int, *template.Claim) error
	list         func(context.Context, template.Query) ([]template.Template, error)
	receipt      func(context.Context, string, string, time.Time) (template.Receipt, error)
	revisions    func(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error)
	named        func(context.Context, string) (uuid.UUID, error)
	labels       func(context.Context, uuid.UUID) ([]template.Label, error)
	setLabel     func(context.Context, uuid.UUID, template.Label) error
	removeLabel  func(ctx context.Context, id uuid.UUID, name, user string, at time.Time) error
	labelHistory func(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error)
	export       func(context.Context, template.Wanted, func(template.Record) error) error
	current      func(context.Context, []uuid.UUID) (map[uuid.UUID]template.Template, error)
	write        func(context.Context, []template.Writing) ([]error, error)
	purge        func(context.Context, time.Time, int) (int, error)
	countTrash   func(context.Context, time.Time) (int, error)
	thin         func(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error)
}

func breakDatabase(what string, breaks func(good template.Database, b *brokenDatabase)) breaker[template.Database] {
	return breaker[template.Database]{what, func(good template.Database) template.Database {
		b := &brokenDatabase{good, good.Get, good.Revision, good.Undelete, good.List, good.Receipt, good.Revisions, good.Named, good.Labels, good.SetLabel, good.RemoveLabel,
			good.LabelHistory, good.Export, good.Current, good.Write, good.Purge, good.CountTrash, good.Thin}
		breaks(good, b)
		return b
	}}
}

func (b *brokenDatabase) Get(ctx context.Context, id uuid.UUID) (template.Template, error) {
	return b.get(ctx, id)
}
func (b *brokenDatabase) Revision(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
	return b.revision(ctx, id, n)
}
func (b *brokenDatabase) Undelete(ctx context.Context, id uuid.UUID, was int, c *template.Claim) error {
	return b.undelete(ctx, id, was, c)
}
func (b *brokenDatabase) List(ctx context.Context, q template.Query) ([]template.Template, error) {
	return b.list(ctx, q)
}
func (b *brokenDatabase) Receipt(ctx context.Context, user, key string, now time.Time) (template.Receipt, error) {
	return b.receipt(ctx, user, key, now)
}
func (b *brokenDatabase) Revisions(ctx context.Context, id uuid.UUID, below, limit int) ([]template.Template, error) {
	return b.revisions(ctx, id, below, limit)
}
func (b *brokenDatabase) Named(ctx context.Context, name string) (uuid.UUID, error) {
	return b.named(ctx, name)
}
func (b *brokenDatabase) Labels(ctx context.Context, id uuid.UUID) ([]template.Label, error) {
	return b.labels(ctx, id)
}
func (b *brokenDatabase) SetLabel(ctx context.Context, id uuid.UUID, l template.Label) error {
	return b.setLabel(ctx, id, l)
}
func (b *brokenDatabase) RemoveLabel(ctx context.Context, id uuid.UUID, name, user string, at time.Time) error {
	return b.removeLabel(ctx, id, name, user, at)
}
func (b *brokenDatabase) LabelHistory(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]template.LabelMove, error) {
	return b.labelHistory(ctx, id, name, before, limit)
}
func (b *brokenDatabase) Export(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
	return b.export(ctx, w, each)
}
func (b *brokenDatabase) Current(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]template.Template, error) {
	return b.current(ctx, ids)
}
func (b *brokenDatabase) Write(ctx context.Context, changes []template.Writing) ([]error, error) {
	return b.write(ctx, changes)
}
func (b *brokenDatabase) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	return b.purge(ctx, before, limit)
}
func (b *brokenDatabase) CountTrash(ctx context.Context, before time.Time) (int, error) {
	return b.countTrash(ctx, before)
}
func (b *brokenDatabase) Thin(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (int, uuid.UUID, bool, error) {
	return b.thin(ctx, keep, after, limit, dry)
}
