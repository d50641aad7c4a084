package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"bitbucket.org/templar/templar/core/template"
)

// ExportStatement gives the statement that Export runs. It is one, so that all it answers stood like that at one
// moment. Each of its parts can be answered in order by walking along an index, and the parts are merged.
func (s *Templates) ExportStatement(w template.Wanted) string {
	key := strings.ReplaceAll(KeyExpr(s.h.dialect.Engine, "created"), `"created"`, `t."created"`)
	columns := func(from, labels string) string {
		return `SELECT t.templateid, COALESCE(` + from + `.name, ''), COALESCE(` + from + `.description, ''), COALESCE(` + from + `.content, ''), ` +
			from + `.syntax, ` + from + `.revision AS revision, ` + from + `.author, t.created, ` + from + `.modified, t.deleted, ` + labels + ` AS labels, ` +
			key + ` AS since`
	}
	labelsOf := func(from string) string {
		return `(SELECT string_agg(label, ' ') FROM template_labels l WHERE l.templateid = t.templateid AND l.revision = ` + from + `.revision)`
	}
	places := []string{"NULL"}
	if w.Trash {
		places = append(places, "NOT NULL")
	}
	var parts []string
	for _, place := range places {
		where := ` WHERE t.deleted IS ` + place
		if !w.Revisions {
			parts = append(parts, columns("t", "NULL")+` FROM templates t`+where)
			continue
		}
		parts = append(parts, columns("t", labelsOf("t"))+` FROM templates t`+where,
			columns("r", labelsOf("r"))+` FROM templates t JOIN template_revisions r ON r.templateid = t.templateid`+where)
	}
	// Without revisions the third key would only be in the way of an index that has the first two.
	order := ` ORDER BY since, templateid`
	if w.Revisions {
		order += `, revision`
	}
	return strings.Join(parts, "\nUNION ALL\n") + order
}

// Export implements template.Archive. It takes as long as it goes on: rows are handed on as they come.
func (s *Templates) Export(ctx context.Context, w template.Wanted, each func(template.Record) error) error {
	start := time.Now()
	var refused error
	err := s.h.rows(ctx, true, s.ExportStatement(w), nil, func(rows *sql.Rows) error {
		var r template.Record
		var labels sql.NullString
		var since any
		if err := rows.Scan(append(templateFields(&r.Template), &labels, &since)...); err != nil {
			return err
		}
		if labels.Valid {
			r.Labels = strings.Split(labels.String, " ") // no label has a space in it
			slices.Sort(r.Labels)
		}
		refused = each(r)
		return refused
	})
	switch {
	case refused != nil:
		err = refused
	case err != nil:
		err = s.h.fault(ctx, err)
	}
	s.h.observe("template.export", time.Since(start), err)
	return err
}

func sortLabels(labels []template.Label) {
	slices.SortFunc(labels, func(a, b template.Label) int { return strings.Compare(a.Name, b.Name) })
}
