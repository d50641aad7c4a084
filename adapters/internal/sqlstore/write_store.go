package sqlstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"bitbucket.org/templar/templar/core/template"
)

// The columns of the sets of rows that a Write stores.
var (
	templateSet = []Column{{"templateid", UUIDColumn}, {"name", TextColumn}, {"description", TextColumn}, {"content", TextColumn},
		{"syntax", TextColumn}, {"revision", IntColumn}, {"author", TextColumn}, {"created", TimeColumn}, {"modified", TimeColumn}, {"deleted", TimeColumn}}
	markSet = []Column{{"templateid", UUIDColumn}, {"deleted", TimeColumn}}
	moveSet = []Column{{"n", IntColumn}, {"templateid", UUIDColumn}, {"label", TextColumn}, {"from_revision", IntColumn}, {"to_revision", IntColumn},
		{"username", TextColumn}, {"moved", TimeColumn}}
)

// The WHERE of a statement that selects from v alone tells SQLite that ON is no join.
const (
	storeKept = `INSERT INTO template_revisions (templateid, revision, name, description, content, syntax, author, modified)
SELECT templateid, revision, COALESCE(name, ''), COALESCE(description, ''), COALESCE(content, ''), syntax, author, modified
FROM templates WHERE templateid IN (SELECT templateid FROM v)`
	storeSuperseded = `INSERT INTO template_revisions (templateid, revision, name, description, content, syntax, author, modified)
SELECT templateid, revision, name, description, content, syntax, author, modified FROM v`
	storeMarked = `UPDATE templates SET deleted = v.deleted FROM v WHERE templates.templateid = v.templateid`
	storeMoves  = `INSERT INTO template_label_moves (templateid, label, from_revision, to_revision, username, moved)
SELECT templateid, label, from_revision, to_revision, username, moved FROM v ORDER BY n`
	storeLabels = `INSERT INTO template_labels (templateid, label, revision, username, modified)
SELECT templateid, label, to_revision, username, moved FROM v WHERE 1 = 1
ON CONFLICT (templateid, label) DO UPDATE SET revision = excluded.revision, username = excluded.username, modified = excluded.modified`
)

func (d *Dialect) storeCreated() string {
	words := d.Words.listed(", %s")
	return `INSERT INTO templates (templateid, name, description, content, syntax, revision, author, created, modified, deleted` + words + `)
SELECT templateid, name, description, content, syntax, revision, author, created, modified, deleted` + words + ` FROM v WHERE 1 = 1
ON CONFLICT (templateid) DO NOTHING`
}

func (d *Dialect) storeReplaced() string {
	return `UPDATE templates SET name = v.name, description = v.description, content = v.content, syntax = v.syntax, revision = v.revision,
author = v.author, modified = v.modified, deleted = v.deleted` + d.Words.listed(", %s = v.%s") + ` FROM v WHERE templates.templateid = v.templateid`
}

// store stores what came of the batch. New rows are stored in the order of their ids, so that two batches of the same
// templates wait for each other, and never in a circle.
func (w *writing) store(ctx context.Context) error {
	created := w.d.current(w.created)
	slices.SortFunc(created.Rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	if n, err := w.t.execSet(ctx, w.d, created, w.d.storeCreated()); err != nil {
		return err
	} else if int(n) != len(created.Rows) {
		return errOvertaken
	}
	marked := RowSet{Columns: markSet}
	for id, t := range w.marked {
		marked.Rows = append(marked.Rows, []any{id.String(), utc(t.Deleted)})
	}
	superseded := make([]*template.Template, len(w.superseded))
	for i := range w.superseded {
		superseded[i] = &w.superseded[i]
	}
	for _, step := range []struct {
		set  RowSet
		text string
	}{
		{idSet(w.kept), storeKept},
		{w.d.current(w.replaced), w.d.storeReplaced()},
		{rowsOf(superseded), storeSuperseded},
		{marked, storeMarked},
		{RowSet{moveSet, w.moves}, storeMoves},
		{RowSet{moveSet, w.put}, storeLabels},
	} {
		if _, err := w.t.execSet(ctx, w.d, step.set, step.text); err != nil {
			return err
		}
	}
	return nil
}

func rowsOf(templates []*template.Template) RowSet {
	set := RowSet{Columns: templateSet, Rows: make([][]any, len(templates))}
	for i, t := range templates {
		set.Rows[i] = []any{t.ID.String(), t.Name, t.Description, t.Content, string(t.Syntax), t.Revision, t.Author,
			utc(t.Created), utc(t.Modified), utc(t.Deleted)}
	}
	return set
}

// current gives the rows of templates themselves, which have their words with them.
func (d *Dialect) current(templates []*template.Template) RowSet {
	set := rowsOf(templates)
	if d.Words.Column == "" {
		return set
	}
	set.Columns = append(slices.Clone(set.Columns), Column{d.Words.Column, WordsColumn})
	for i, t := range templates {
		set.Rows[i] = d.Words.with(set.Rows[i], t)
	}
	return set
}

// utc gives a time in UTC; the zero time stays.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
