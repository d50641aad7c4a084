package contract

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/template"
)

// pausableDatabase is a database of which History and Archive can stop answering.
func pausableDatabase(wait func(context.Context) error) template.Database {
	return breakDatabase("paused", func(good template.Database, b *brokenDatabase) {
		b.revisions = func(ctx context.Context, _ uuid.UUID, _, _ int) ([]template.Template, error) { return nil, wait(ctx) }
		b.named = func(ctx context.Context, _ string) (uuid.UUID, error) { return uuid.Nil, wait(ctx) }
		b.labels = func(ctx context.Context, _ uuid.UUID) ([]template.Label, error) { return nil, wait(ctx) }
		b.setLabel = func(ctx context.Context, _ uuid.UUID, _ template.Label) error { return wait(ctx) }
		b.removeLabel = func(ctx context.Context, _ uuid.UUID, _, _ string, _ time.Time) error { return wait(ctx) }
		b.labelHistory = func(ctx context.Context, _ uuid.UUID, _ string, _ int64, _ int) ([]template.LabelMove, error) {
			return nil, wait(ctx)
		}
		b.export = func(ctx context.Context, _ template.Wanted, _ func(template.Record) error) error { return wait(ctx) }
		b.current = func(ctx context.Context, _ []uuid.UUID) (map[uuid.UUID]template.Template, error) {
			return nil, wait(ctx)
		}
		b.write = func(ctx context.Context, changes []template.Writing) ([]error, error) {
			if err := wait(ctx); err != nil {
				return nil, err
			}
			return good.Write(ctx, changes)
		}
		b.purge = func(ctx context.Context, _ time.Time, _ int) (int, error) { return 0, wait(ctx) }
		b.countTrash = func(ctx context.Context, _ time.Time) (int, error) { return 0, wait(ctx) }
		b.thin = func(ctx context.Context, _ int, _ uuid.UUID, _ int, _ bool) (int, uuid.UUID, bool, error) {
			return 0, uuid.Nil, false, wait(ctx)
		}
	}).breaks(memory.NewTemplates())
}

func TestPausedDatabaseTeeth(t *testing.T) {
	t.Parallel()
	for _, try := range []struct {
		what string
		good bool
		wait func(paused <-chan struct{}) func(context.Context) error
	}{
		{"a good one", true, func(paused <-chan struct{}) func(context.Context) error {
			return func(ctx context.Context) error {
				select {
				case <-paused:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}},
		{"one that waits whatever its context says", false, func(paused <-chan struct{}) func(context.Context) error {
			return func(context.Context) error { <-paused; return nil }
		}},
		{"one that hides the reason", false, func(<-chan struct{}) func(context.Context) error {
			return func(ctx context.Context) error {
				<-ctx.Done()
				return errors.New("canceling statement due to user request")
			}
		}},
		{"one that never recovers", false, func(<-chan struct{}) func(context.Context) error {
			return func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		}},
	} {
		for suite, run := range map[string]func(context.Context, template.Database, func()) error{"history": PausedTemplateHistory, "archive": PausedTemplateArchive} {
			t.Run(suite+" of "+try.what, func(t *testing.T) {
				t.Parallel()
				paused := make(chan struct{})
				if err := run(t.Context(), pausableDatabase(try.wait(paused)), func() { close(paused) }); (err == nil) != try.good {
					t.Errorf("want good %t, got %v", try.good, err)
				}
			})
		}
	}
}
