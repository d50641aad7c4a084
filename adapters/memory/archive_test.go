package memory

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

func TestWrittenTimesAreKeptAsDatabasesDo(t *testing.T) {
	s := NewTemplates()
	when := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 3600))
	want := time.Date(2026, 1, 2, 2, 4, 5, 123456000, time.UTC)
	given := template.Template{ID: uuid.New(), Revision: 1, Created: when, Modified: when, Deleted: when}
	if _, err := s.Write(t.Context(), []template.Writing{{Template: given, Labels: []string{"x"}}}); err != nil {
		t.Fatal(err)
	}
	err := s.Export(t.Context(), template.Wanted{Trash: true}, func(r template.Record) error {
		if r.Created != want || r.Modified != want || r.Deleted != want {
			t.Errorf("want %v, got %+v", want, r.Template)
		}
		return nil
	})
	labels, labelErr := s.Labels(t.Context(), given.ID)
	moves, movesErr := s.LabelHistory(t.Context(), given.ID, "x", 0, 5)
	if err := errors.Join(err, labelErr, movesErr); err != nil || len(labels) != 1 || len(moves) != 1 || labels[0].Modified != want || moves[0].Time != want {
		t.Errorf("want %v, got %+v, %+v, %v", want, labels, moves, err)
	}
	if n, err := s.CountTrash(t.Context(), want.Add(time.Nanosecond)); n != 1 || err != nil {
		t.Errorf("in the trash before a nanosecond later: want 1, got %d, %v", n, err)
	}
}

func TestHistoriesOnlyRise(t *testing.T) {
	s := NewTemplates()
	seventh := template.Template{ID: uuid.New(), Name: "seventh", Revision: 7}
	if err := s.Create(t.Context(), seventh, nil); err != nil {
		t.Fatal(err)
	}
	lower := template.Template{ID: seventh.ID, Name: "lower", Revision: 3}
	results, err := s.Write(t.Context(), []template.Writing{{Template: lower, Was: 7}})
	if err != nil || !errors.Is(results[0], template.ErrStale) {
		t.Errorf("revision 3 behind 7: want ErrStale, got %v, %v", results, err)
	}
	if now, err := s.Get(t.Context(), seventh.ID); err != nil || now.Name != "seventh" {
		t.Errorf("want the seventh still, got %+v, %v", now, err)
	}
}

// What readers hold may be changed by them, and by nobody else.
func TestHistorySharesNothing(t *testing.T) {
	s := NewTemplates()
	x := template.Template{ID: uuid.New(), Name: "x", Revision: 1}
	if err := s.Create(t.Context(), x, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if err := s.SetLabel(t.Context(), x.ID, template.Label{Name: name, Revision: 1, User: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	labels, _ := s.Labels(t.Context(), x.ID)
	moves, _ := s.LabelHistory(t.Context(), x.ID, "a", 0, 5)
	if len(labels) != 2 || len(moves) != 1 {
		t.Fatalf("want two labels and one move, got %v, %v", labels, moves)
	}
	if err := errors.Join(s.RemoveLabel(t.Context(), x.ID, "a", "bob", time.Time{}), s.SetLabel(t.Context(), x.ID, template.Label{Name: "b", Revision: 1, User: "bob"})); err != nil {
		t.Fatal(err)
	}
	if labels[0].Name != "a" || labels[1].User != "ann" || moves[0].User != "ann" {
		t.Errorf("what was answered has changed: %v, %v", labels, moves)
	}
	labels, _ = s.Labels(t.Context(), x.ID)
	labels[0].Name = "scribbled over"
	if again, _ := s.Labels(t.Context(), x.ID); len(again) != 1 || again[0].Name != "b" {
		t.Errorf("the store took over what its caller did: %v", again)
	}
}
