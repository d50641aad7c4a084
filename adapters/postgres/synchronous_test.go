package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

// TestCommitWithoutItsStandby writes while the standby that has to have every commit is away. PostgreSQL has such a
// commit wait, and when the wait is cancelled, by the end of a context or by an operator, it answers that
// the transaction is committed, and warns that it is so here alone. That is not to be told as done: the standby knows
// nothing of it, and may be the next primary.
func TestCommitWithoutItsStandby(t *testing.T) {
	server := servers.NewPostgres(t)
	db := open(t, server.Database(t))
	s := db.Templates()
	kept := sample("kept")
	if err := s.Create(t.Context(), kept, nil); err != nil {
		t.Fatal(err)
	}
	set := func(statement string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for _, text := range []string{statement, "SELECT pg_reload_conf()"} {
			if _, err := db.SQL().ExecContext(ctx, text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		time.Sleep(200 * time.Millisecond) // every backend reads it at its next statement
	}
	set("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	writes := map[string]func(context.Context) error{
		"create": func(ctx context.Context) error { return s.Create(ctx, sample("new"), nil) },
		"create with a claim": func(ctx context.Context) error {
			return s.Create(ctx, sample("new"), &template.Claim{User: "ann", Key: "k", Revision: 1, Expires: time.Now().Add(time.Hour)})
		},
		"replace": func(ctx context.Context) error {
			next := kept
			next.Revision, next.Content = 2, "other"
			return s.Replace(ctx, next, 1, nil)
		},
		"trash": func(ctx context.Context) error {
			other := sample("trashed")
			if err := s.Create(ctx, other, nil); !fault.Is(err, fault.Unavailable) {
				return fmt.Errorf("created: %v", err)
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 500*time.Millisecond)
			defer cancel()
			return s.Trash(ctx, other.ID, 1, at(2))
		},
		"write": func(ctx context.Context) error {
			results, err := s.Write(ctx, []template.Writing{{Template: sample("written")}})
			if err == nil {
				return results[0]
			}
			return err
		},
	}
	for name, write := range writes {
		t.Run("the context ends: "+name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			wantAway(t, name, 3*time.Second, func() error { return write(ctx) })
		})
	}
	t.Run("an operator cancels", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		go func() {
			for range 20 {
				time.Sleep(100 * time.Millisecond)
				_, _ = db.SQL().ExecContext(ctx, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") // until one is there
			}
		}()
		wantAway(t, "create", 5*time.Second, func() error { return s.Create(ctx, sample("new"), nil) })
	})
	set("ALTER SYSTEM RESET synchronous_standby_names")
	if err := s.Create(t.Context(), sample("after"), nil); err != nil {
		t.Errorf("with no standby demanded: %v", err)
	}
}
