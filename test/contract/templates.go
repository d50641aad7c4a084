package contract

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// TemplateCheck is one promise of template.Store, tried on a fresh and empty one.
type TemplateCheck = Check[template.Store]

// TemplateChecks are all promises of template.Store.
var TemplateChecks = slices.Concat(templateBasics, templateChanges, templateLists, templatePages, templateWords, templateClaims)

// TemplateHarness is how an adapter is tried.
type TemplateHarness struct {
	// Open gives a fresh and empty store; it registers its own clean-up.
	Open func(t *testing.T) template.Store
	// Pause gives a fresh and empty store whose database has stopped answering after the store was opened (its process
	// is stopped, the connections stay), and what lets it go on. nil: it cannot be paused.
	Pause func(t *testing.T) (s template.Store, resume func())
	// Lacks says, by the name of a check, why this engine cannot promise it.
	Lacks map[string]string
}

// TemplateStore runs the suite of template.Store.
func TemplateStore(t *testing.T, h TemplateHarness) {
	runChecks(t, TemplateChecks, h.Lacks, false, h.Open)
	if h.Pause == nil {
		return
	}
	t.Run("a paused database", func(t *testing.T) {
		s, resume := h.Pause(t)
		ctx, cancel := context.WithTimeout(t.Context(), checkTime)
		defer cancel()
		if err := PausedTemplateStore(ctx, s, resume); err != nil {
			t.Error(err)
		}
	})
}

// patience is how long a call on a paused store is given, and slack how much later it may come back.
const (
	patience = 200 * time.Millisecond
	slack    = 2 * time.Second
	recovery = 5 * time.Second
)

// whilePaused demands that a call ends soon after its context, as Unavailable.
func whilePaused(ctx context.Context, what string, call func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- call(limited) }()
	select {
	case err := <-done:
		return wantKind(what+" while the database is paused", err, fault.Unavailable)
	case <-time.After(patience + slack):
		return fmt.Errorf("%s while the database is paused: still running %v after its context ended", what, slack)
	}
}

// PausedTemplateStore tries a store whose database does not answer until resume is called.
func PausedTemplateStore(ctx context.Context, s template.Store, resume func()) error {
	resumed := false
	defer func() {
		if !resumed {
			resume()
		}
	}()
	a, b := sample(1), sample(2)
	for _, step := range []struct {
		what string
		call func(context.Context) error
	}{
		{"Create", func(ctx context.Context) error { return s.Create(ctx, a, nil) }},
		{"Create with a claim", func(ctx context.Context) error { return s.Create(ctx, a, claimOf("ann", "key")) }},
		{"Get", func(ctx context.Context) error { _, err := s.Get(ctx, a.ID); return err }},
		{"Revision", func(ctx context.Context) error { _, err := s.Revision(ctx, a.ID, 1); return err }},
		{"Replace", func(ctx context.Context) error { return s.Replace(ctx, next(a, "x"), 1, nil) }},
		{"Claim", func(ctx context.Context) error { return s.Claim(ctx, a.ID, *claimOf("ann", "key")) }},
		{"Trash", func(ctx context.Context) error { return s.Trash(ctx, a.ID, 1, at(9)) }},
		{"List", func(ctx context.Context) error { _, err := s.List(ctx, template.Query{Limit: 5}); return err }},
		{"Count", func(ctx context.Context) error { _, err := s.Count(ctx, template.Filter{}); return err }},
		{"Receipt", func(ctx context.Context) error { _, err := s.Receipt(ctx, "ann", "key", at(0)); return err }},
		{"ForgetReceipts", func(ctx context.Context) error { _, err := s.ForgetReceipts(ctx, at(0), 1); return err }},
	} {
		if err := whilePaused(ctx, step.what, step.call); err != nil {
			return err
		}
	}
	resume()
	resumed = true
	return eventually(ctx, recovery, func() error {
		limited, cancel := context.WithTimeout(ctx, slack)
		defer cancel()
		if err := s.Create(limited, b, nil); err != nil {
			b.ID = uuid.New() // the one that failed may be there all the same
			return fmt.Errorf("Create after the database went on: %w", err)
		}
		return holds(limited, s, b)
	})
}

// epoch is where the times of samples start: with microseconds, so that an engine that loses them is found out.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// at is a time n seconds after the start.
func at(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

// idOf makes ids that rise with n.
func idOf(n int) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint32(id[:4], uint32(n))
	id[6], id[8] = 0x70, 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(n)*2654435761)
	return id
}

// sample is a template that differs from every other sample in every field.
func sample(n int) template.Template {
	return template.Template{
		ID:          idOf(n),
		Name:        fmt.Sprintf("Name %04d", n),
		Description: fmt.Sprintf("Description %d", n),
		Content:     fmt.Sprintf("Content %d: {{name}}", n),
		Syntax:      template.Mustache,
		Revision:    1,
		Author:      fmt.Sprintf("author%d", n),
		Created:     at(n),
		Modified:    at(n + 100000),
	}
}

// next is the revision that follows t, with a new content.
func next(t template.Template, content string) template.Template {
	t.Revision++
	t.Content = content
	t.Modified = t.Modified.Add(time.Minute + 7*time.Microsecond)
	t.Author = "editor"
	return t
}

// sameTemplate complains unless every field is as wanted.
func sameTemplate(what string, got, want template.Template) error {
	for _, f := range []struct{ name, got, want string }{
		{"ID", got.ID.String(), want.ID.String()},
		{"Name", got.Name, want.Name},
		{"Description", got.Description, want.Description},
		{"Content", got.Content, want.Content},
		{"Syntax", string(got.Syntax), string(want.Syntax)},
		{"Author", got.Author, want.Author},
	} {
		if f.got != f.want {
			return fmt.Errorf("%s: %s: want %s, got %s", what, f.name, shorten(f.want), shorten(f.got))
		}
	}
	if got.Revision != want.Revision {
		return fmt.Errorf("%s: Revision: want %d, got %d", what, want.Revision, got.Revision)
	}
	for _, f := range []struct {
		name      string
		got, want time.Time
	}{
		{"Created", got.Created, want.Created},
		{"Modified", got.Modified, want.Modified},
		{"Deleted", got.Deleted, want.Deleted},
	} {
		if err := sameTime(what+": "+f.name, f.got, f.want); err != nil {
			return err
		}
	}
	return nil
}

// holds complains unless Get answers t.
func holds(ctx context.Context, s template.Store, t template.Template) error {
	got, err := s.Get(ctx, t.ID)
	if err != nil {
		return fmt.Errorf("Get: %w", err)
	}
	return sameTemplate("Get", got, t)
}

// holdsRevision complains unless Revision answers t for its number, with Deleted zero.
func holdsRevision(ctx context.Context, s template.Store, t template.Template) error {
	got, err := s.Revision(ctx, t.ID, t.Revision)
	if err != nil {
		return fmt.Errorf("Revision %d: %w", t.Revision, err)
	}
	t.Deleted = time.Time{}
	return sameTemplate(fmt.Sprintf("Revision %d", t.Revision), got, t)
}

// create stores templates without claims.
func create(ctx context.Context, s template.Store, templates ...template.Template) error {
	for _, t := range templates {
		if err := s.Create(ctx, t, nil); err != nil {
			return fmt.Errorf("Create %v: %w", t.ID, err)
		}
	}
	return nil
}

// first answers the first complaint.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
