package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// ArchiveCheck is one promise of template.Archive, tried on a fresh and empty database.
type ArchiveCheck = Check[template.Database]

// ArchiveChecks are all promises of template.Archive.
var ArchiveChecks = slices.Concat(archiveExports, archiveWrites, archiveBatches, archivePurges, archiveThins)

// TemplateArchive runs the suite of template.Archive.
func TemplateArchive(t *testing.T, h DatabaseHarness) {
	runChecks(t, ArchiveChecks, h.Lacks, false, h.Open)
	runPaused(t, h.Pause, PausedTemplateArchive)
}

// PausedTemplateArchive tries a database that does not answer until resume is called.
func PausedTemplateArchive(ctx context.Context, db template.Database, resume func()) error {
	a, b := sample(1), sample(2)
	return tryPaused(ctx, resume, []pausedStep{
		{"Export", func(ctx context.Context) error {
			return db.Export(ctx, template.Wanted{}, func(template.Record) error { return nil })
		}},
		{"Current", func(ctx context.Context) error { _, err := db.Current(ctx, ids(a, b)); return err }},
		{"Write", func(ctx context.Context) error {
			_, err := db.Write(ctx, []template.Writing{{Template: a}})
			return err
		}},
		{"Purge", func(ctx context.Context) error { _, err := db.Purge(ctx, at(1), 5); return err }},
		{"CountTrash", func(ctx context.Context) error { _, err := db.CountTrash(ctx, at(1)); return err }},
		{"Thin", func(ctx context.Context) error { _, _, _, err := db.Thin(ctx, 1, idOf(0), 5, true); return err }},
	}, func(ctx context.Context) error {
		b.ID[1]++ // an attempt that failed may have happened all the same
		return first(write(ctx, db, template.Writing{Template: b}), holds(ctx, db, b))
	})
}

// rec is a record of an export.
func rec(t template.Template, labels ...string) template.Record {
	return template.Record{Template: t, Labels: labels}
}

// export reads a whole export.
func export(ctx context.Context, db template.Database, w template.Wanted) ([]template.Record, error) {
	var records []template.Record
	err := db.Export(ctx, w, func(r template.Record) error {
		if !w.Revisions && r.Labels != nil {
			return fmt.Errorf("labels %q without revisions", r.Labels)
		}
		// Nothing of it may be kept: the texts are copied too, in case that they stand in a buffer.
		r.Name, r.Description, r.Content = strings.Clone(r.Name), strings.Clone(r.Description), strings.Clone(r.Content)
		r.Author, r.Labels = strings.Clone(r.Author), slices.Clone(r.Labels)
		records = append(records, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("Export %+v: %w", w, err)
	}
	return records, nil
}

// exports demands that an export holds these records in this order.
func exports(ctx context.Context, db template.Database, w template.Wanted, want ...template.Record) error {
	got, err := export(ctx, db, w)
	if err != nil {
		return err
	}
	return sameRecords(fmt.Sprintf("Export %+v", w), got, want)
}

func sameRecords(what string, got, want []template.Record) error {
	for i := range min(len(got), len(want)) {
		line := fmt.Sprintf("%s, record %d of %d", what, i, len(want))
		if err := sameTemplate(line, got[i].Template, want[i].Template); err != nil {
			return err
		}
		if !slices.Equal(got[i].Labels, want[i].Labels) {
			return fmt.Errorf("%s: Labels: want %q, got %q", line, want[i].Labels, got[i].Labels)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%s: want %d records, got %d", what, len(want), len(got))
	}
	return nil
}

// inOrder gives records in the order of an export.
func inOrder(records []template.Record) []template.Record {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b template.Record) int {
		if c := template.SortTime(a.Created).Compare(template.SortTime(b.Created)); c != 0 {
			return c
		}
		if c := bytes.Compare(a.ID[:], b.ID[:]); c != 0 {
			return c
		}
		return a.Revision - b.Revision
	})
	return sorted
}

// recordsOf gives a record without labels for each template, in the order of an export.
func recordsOf(rows []template.Template) []template.Record {
	records := make([]template.Record, len(rows))
	for i, t := range rows {
		records[i] = rec(t)
	}
	return inOrder(records)
}

// outcome demands what Write answers for each change: nil or one of the errors of its contract.
func outcome(ctx context.Context, db template.Database, changes []template.Writing, want ...error) error {
	got, err := db.Write(ctx, changes)
	if err != nil {
		return fmt.Errorf("Write of %d: %w", len(changes), err)
	}
	if len(got) != len(changes) {
		return fmt.Errorf("Write of %d: %d answers", len(changes), len(got))
	}
	for i := range got {
		if !errors.Is(got[i], want[i]) {
			return fmt.Errorf("Write of %d, change %d (%d to %d of %v): want %v, got %v", len(changes), i,
				changes[i].Was, changes[i].Template.Revision, changes[i].Template.ID, want[i], got[i])
		}
	}
	return nil
}

// write makes changes of which each must succeed.
func write(ctx context.Context, db template.Database, changes ...template.Writing) error {
	return outcome(ctx, db, changes, make([]error, len(changes))...)
}

// creations gives the changes that make templates.
func creations(rows ...template.Template) []template.Writing {
	changes := make([]template.Writing, len(rows))
	for i, t := range rows {
		changes[i].Template = t
	}
	return changes
}

// absent demands that nothing of a template is there.
func absent(ctx context.Context, db template.Database, t template.Template) error {
	_, get := db.Get(ctx, t.ID)
	_, revision := db.Revision(ctx, t.ID, t.Revision)
	_, revisions := db.Revisions(ctx, t.ID, 0, 5)
	current, err := db.Current(ctx, ids(t))
	if err != nil || len(current) != 0 {
		return fmt.Errorf("Current of what should not be there: %d, %v", len(current), err)
	}
	return first(wantKind("Get of what should not be there", get, fault.NotFound), wantKind("Revision of what should not be there", revision, fault.NotFound),
		wantKind("Revisions of what should not be there", revisions, fault.NotFound), hasLabels(ctx, db, t.ID))
}

// deleted gives t as it is in the trash since n seconds after the start.
func deleted(t template.Template, n int) template.Template {
	t.Deleted = at(n)
	return t
}
