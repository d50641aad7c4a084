package contract

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/template"
)

// pausable is a store that can stop answering.
func pausable(wait func(context.Context) error) breaker[template.Store] {
	return breakStore("paused", func(good template.Store, b *brokenStore) {
		b.create = func(ctx context.Context, t template.Template, c *template.Claim) error {
			if err := wait(ctx); err != nil {
				return err
			}
			return good.Create(ctx, t, c)
		}
		b.get = func(ctx context.Context, id uuid.UUID) (template.Template, error) {
			if err := wait(ctx); err != nil {
				return template.Template{}, err
			}
			return good.Get(ctx, id)
		}
		b.revision = func(ctx context.Context, id uuid.UUID, n int) (template.Template, error) {
			return template.Template{}, wait(ctx)
		}
		b.replace = func(ctx context.Context, t template.Template, was int, c *template.Claim) error { return wait(ctx) }
		b.claim = func(ctx context.Context, id uuid.UUID, c template.Claim) error { return wait(ctx) }
		b.trash = func(ctx context.Context, id uuid.UUID, was int, at time.Time) error { return wait(ctx) }
		b.list = func(ctx context.Context, q template.Query) ([]template.Template, error) { return nil, wait(ctx) }
		b.count = func(ctx context.Context, f template.Filter) (int, error) { return 0, wait(ctx) }
		b.receipt = func(ctx context.Context, user, key string, now time.Time) (template.Receipt, error) {
			return template.Receipt{}, wait(ctx)
		}
		b.forgetReceipts = func(ctx context.Context, now time.Time, limit int) (int, error) { return 0, wait(ctx) }
	})
}

func TestPausedTemplateTeeth(t *testing.T) {
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
				return fmt.Errorf("canceling statement due to user request")
			}
		}},
		{"one that never recovers", false, func(<-chan struct{}) func(context.Context) error {
			return func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		}},
	} {
		t.Run(try.what, func(t *testing.T) {
			t.Parallel()
			paused := make(chan struct{})
			s := pausable(try.wait(paused)).breaks(memory.NewTemplates())
			if err := PausedTemplateStore(t.Context(), s, func() { close(paused) }); (err == nil) != try.good {
				t.Errorf("want good %t, got %v", try.good, err)
			}
		})
	}
}
