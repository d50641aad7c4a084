package template_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// line makes a line of an import.
func line(number int, id uuid.UUID, revision int, content string, labels ...string) template.Incoming {
	t := template.Template{ID: id, Name: "n", Content: content, Syntax: template.Plain, Revision: revision}
	return template.Incoming{Line: number, Record: template.Record{Template: t, Labels: labels}, NoAuthor: true, NoCreated: true, NoModified: true}
}

func (f *fixture) importer(t *testing.T, policy template.ConflictPolicy) *template.Importer {
	t.Helper()
	importer, err := f.NewImporter(f.ctx, policy)
	if err != nil {
		t.Fatal(err)
	}
	return importer
}

// stored imports lines as one batch and gives the results.
func (f *fixture) stored(t *testing.T, importer *template.Importer, lines ...template.Incoming) []template.ImportResult {
	t.Helper()
	outcomes, err := importer.Batch(lines).Store(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	results := make([]template.ImportResult, len(outcomes))
	for i, o := range outcomes {
		results[i] = o.Result
	}
	return results
}

// everything is all that is stored.
func (f *fixture) everything(t *testing.T) (records []template.Record) {
	t.Helper()
	err := f.Export(f.ctx, template.Wanted{Trash: true, Revisions: true}, func(r template.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// slowStore takes a moment for each batch, longer for some.
type slowStore struct{ *memory.Templates }

func (s slowStore) Write(ctx context.Context, changes []template.Writing) ([]error, error) {
	time.Sleep(rand.N(300 * time.Microsecond))
	return s.Templates.Write(ctx, changes)
}

// randomLines are lines of few templates: some broken, many with revisions behind each other.
func randomLines(r *rand.Rand, ids []uuid.UUID) []template.Incoming {
	var lines []template.Incoming
	for len(lines) < 60 {
		id, revision := ids[r.IntN(len(ids))], 1+r.IntN(2)
		for range 1 + r.IntN(4) {
			next := line(len(lines)+1, id, revision, fmt.Sprint("content ", r.IntN(3)))
			if r.IntN(8) == 0 {
				next.Problem = fault.New(fault.Malformed, "broken")
			}
			if r.IntN(12) == 0 {
				next.Record.ID = ids[r.IntN(len(ids))]
			}
			lines, revision = append(lines, next), revision+r.IntN(3)
		}
	}
	return lines
}

// TestImportInParts demands that it does not show how the lines were cut into batches, nor that several were stored at
// the same time.
func TestImportInParts(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		ids := make([]uuid.UUID, 6)
		for i := range ids {
			ids[i] = uuid.New()
		}
		lines, before := randomLines(r, ids), line(0, ids[0], 1, "content 1")
		for _, policy := range []template.ConflictPolicy{template.FailOnConflict, template.SkipOnConflict, template.ReplaceOnConflict} {
			alone, parts := newFixture(t), newFixture(t)
			parts.Service = parts.over(slowStore{parts.store})
			for _, f := range []*fixture{alone, parts} {
				f.stored(t, f.importer(t, template.FailOnConflict), before)
			}
			var want []template.ImportResult
			one := alone.importer(t, policy)
			for _, l := range lines {
				want = append(want, alone.stored(t, one, l)...)
			}
			got := parts.inParts(t, parts.importer(t, policy), lines, r)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, %s: want %v, got %v", seed, policy, want, got)
			}
			if got, want := parts.everything(t), alone.everything(t); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, %s: want %+v, got %+v", seed, policy, want, got)
			}
		}
	}
}

// inParts imports lines in batches of any size, all stored at the same time.
func (f *fixture) inParts(t *testing.T, importer *template.Importer, lines []template.Incoming, r *rand.Rand) (results []template.ImportResult) {
	t.Helper()
	type answer struct {
		outcomes []template.Outcome
		err      error
	}
	var answers []chan answer
	for len(lines) > 0 {
		n := min(1+r.IntN(12), len(lines))
		batch, answered := importer.Batch(lines[:n]), make(chan answer, 1)
		lines, answers = lines[n:], append(answers, answered)
		go func() {
			time.Sleep(rand.N(300 * time.Microsecond))
			outcomes, err := batch.Store(f.ctx)
			answered <- answer{outcomes, err}
		}()
	}
	for _, answered := range answers {
		a := <-answered
		if a.err != nil {
			t.Fatal(a.err)
		}
		for _, o := range a.outcomes {
			if (o.Problem == nil) == (o.Result == template.Failed) {
				t.Errorf("line %d: %s with the problem %v", o.Line, o.Result, o.Problem)
			}
			results = append(results, o.Result)
		}
	}
	return results
}

// TestImportOfLabelsThatStand shows that nothing is done for labels that stand where a line says.
func TestImportOfLabelsThatStand(t *testing.T) {
	f := newFixture(t)
	id := uuid.New()
	export := []template.Incoming{line(1, id, 1, "c", "live", "old")}
	f.stored(t, f.importer(t, template.FailOnConflict), export...)
	for _, c := range []struct {
		what  string
		lines []template.Incoming
		want  template.ImportResult
	}{
		{"the same again", export, template.Unchanged},
		{"fewer labels", []template.Incoming{line(1, id, 1, "c", "old")}, template.Unchanged},
		{"another label", []template.Incoming{line(1, id, 1, "c", "live", "new")}, template.Updated},
		{"other content", []template.Incoming{line(1, id, 1, "d", "live")}, template.Updated},
		{"a label that stands elsewhere", []template.Incoming{line(1, id, 2, "d", "old")}, template.Updated},
		{"that label again", []template.Incoming{line(1, id, 2, "d", "old")}, template.Unchanged},
	} {
		if got := f.stored(t, f.importer(t, template.ReplaceOnConflict), c.lines...); got[0] != c.want {
			t.Errorf("%s: want %s, got %s", c.what, c.want, got[0])
		}
	}
	moves, err := f.store.LabelHistory(f.ctx, id, "live", 0, 10)
	if err != nil || len(moves) != 3 {
		t.Errorf("want three moves of live, got %v, %v", moves, err)
	}
}

// brokenOnce is a store whose first batch is lost.
type brokenOnce struct {
	*memory.Templates
	broken chan error
}

func (s brokenOnce) Write(ctx context.Context, changes []template.Writing) ([]error, error) {
	select {
	case err := <-s.broken:
		return nil, err
	default:
		return s.Templates.Write(ctx, changes)
	}
}

// TestImportAfterALostBatch shows that what comes behind a batch that was not stored does not go on with it.
func TestImportAfterALostBatch(t *testing.T) {
	f := newFixture(t)
	lost := errors.New("lost")
	store := brokenOnce{f.store, make(chan error, 1)}
	store.broken <- lost
	f.Service = f.over(store)
	importer, id := f.importer(t, template.FailOnConflict), uuid.New()
	first, second := importer.Batch([]template.Incoming{line(1, id, 1, "a")}), importer.Batch([]template.Incoming{line(2, id, 4, "b")})

	impatient, cancel := context.WithTimeout(f.ctx, 10*time.Millisecond)
	defer cancel()
	third := importer.Batch([]template.Incoming{line(3, id, 5, "c")})
	if _, err := third.Store(impatient); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a batch whose time ends while it waits: %v", err)
	}
	if _, err := first.Store(f.ctx); !errors.Is(err, lost) {
		t.Errorf("want the store's error, got %v", err)
	}
	outcomes, err := second.Store(f.ctx)
	if err != nil || outcomes[0].Result != template.Created {
		t.Errorf("want the second line as the first of its template, got %+v, %v", outcomes, err)
	}
}
