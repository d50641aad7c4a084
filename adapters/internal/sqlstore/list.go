package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
)

// listing puts the statement of a list together. Every condition is written so that the partial indexes of the sort
// keys, of the living or of the trash, serve it.
type listing struct {
	dialect *Dialect
	text    strings.Builder
	args    []any
}

// parameter adds an argument and gives its name.
func (l *listing) parameter(value any) string {
	l.args = append(l.args, value)
	return "$" + strconv.Itoa(len(l.args))
}

func (l *listing) add(parts ...string) {
	for _, p := range parts {
		l.text.WriteString(p)
	}
}

// filter adds the conditions of f. It tells whether there are any beside living or trash.
func (l *listing) filter(f template.Filter) (filtered bool) {
	l.add(" FROM templates WHERE deleted IS ", map[bool]string{false: "NULL", true: "NOT NULL"}[f.Trash])
	key := KeyExpr(l.dialect.Engine, "name")
	if f.Name != nil && !storable(*f.Name) || !storable(f.NamePrefix) {
		filtered = true
		l.add(" AND 1 = 0")
		f.Name, f.NamePrefix = nil, ""
	}
	if f.Name != nil {
		filtered = true
		// The index has the first part of a name only.
		l.add(" AND ", key, " = ", l.parameter(template.SortName(*f.Name)), " AND COALESCE(name, '') = ", l.parameter(*f.Name))
	}
	if f.NamePrefix != "" {
		filtered = true
		from := template.SortName(f.NamePrefix)
		l.add(" AND ", key, " >= ", l.parameter(from))
		if to := page.AfterPrefix(from); to != "" {
			l.add(" AND ", key, " < ", l.parameter(to))
		}
		l.add(" AND ", strings.ReplaceAll(l.dialect.StartsWith, "%s", l.parameter(f.NamePrefix)))
	}
	if len(template.Words(f.Words)) > 0 {
		filtered = true
		l.add(" AND ", l.words(f))
	}
	return filtered
}

// words is the condition that a row has all the words of f.
func (l *listing) words(f template.Filter) string {
	return l.dialect.Words.Condition(f.Words, l.parameter)
}

// storable holds for texts that a database can have: PostgreSQL refuses others even as parameters.
func storable(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// smallPage is more than any page that a person is shown has; a plan for so few rows walks an index.
const smallPage = 128

// PageStatement is the statement of a page.
type PageStatement struct {
	Text string
	Args []any
	// OneShot is set when it must not be prepared.
	OneShot bool
}

// Page gives the statement that List runs.
func (s *Templates) Page(q template.Query) PageStatement {
	if q.Sort.Key == "" {
		q.Sort.Key = template.ByCreated
	}
	d := &s.h.dialect
	l := listing{dialect: d}
	filtered := l.filter(q.Filter)
	where := l.text.String()
	l.text.Reset()

	content := `''`
	if q.WithContent {
		content = currentContent
	}
	columns := "SELECT " + templateColumns(content)
	key := KeyExpr(d.Engine, string(q.Sort.Key))
	compare, direction := " > ", ""
	if q.Sort.Descending {
		compare, direction = " < ", " DESC"
	}
	statement := PageStatement{OneShot: filtered && d.PlanFiltered}
	bounded := d.PageBound && q.Limit <= smallPage
	if bounded {
		l.add("SELECT * FROM (")
	}
	switch a := q.After; {
	case a == nil:
		l.add(columns, where, " ORDER BY ", key, direction, ", templateid", direction)
	case d.CompareRows:
		l.add(columns, where, l.behind(q, key, compare), " ORDER BY ", key, direction, ", templateid", direction)
	default:
		// First those with the same key, then the others: each half is a range of the index, read as far as the page
		// goes. SQLite answers the halves of UNION ALL one after the other; to sort them would double the time of a
		// page. The contract suite holds it.
		at, id, limit := l.parameter(l.position(q)), l.parameter(a.ID.String()), l.parameter(q.Limit)
		l.add("SELECT * FROM (", columns, where, " AND ", key, " = ", at, " AND templateid", compare, id,
			" ORDER BY templateid", direction, " LIMIT ", limit, ") UNION ALL SELECT * FROM (", columns, where, " AND ", key, compare, at,
			" ORDER BY ", key, direction, ", templateid", direction, " LIMIT ", limit, ")")
	}
	if bounded {
		l.add(" LIMIT ", strconv.Itoa(smallPage), ") AS page")
	}
	l.add(" LIMIT ", l.parameter(q.Limit))
	statement.Text, statement.Args = l.text.String(), l.args
	return statement
}

// behind is the condition that a row comes after the page before, for engines that compare rows.
func (l *listing) behind(q template.Query, key, compare string) string {
	a := q.After
	at, id := l.parameter(l.position(q)), l.parameter(a.ID.String())
	if q.Sort.Key != template.ByName && (a.Time.Equal(InfinitePast) || a.Time.Equal(InfiniteFuture)) {
		// Many times are read as one of these. The row itself knows which it was, if it is still there.
		at = "COALESCE((SELECT " + key + " FROM templates WHERE templateid = " + id + " AND (" + key + " <= '0001-01-01 00:00:00.000001' OR " +
			key + " >= '9999-12-31 23:59:59.999999')), " + at + ")"
	}
	return " AND (" + key + ", templateid)" + compare + "(" + at + ", " + id + ")"
}

// position is the sort key that a page begins after.
func (l *listing) position(q template.Query) any {
	if q.Sort.Key == template.ByName {
		return q.After.Name
	}
	return l.dialect.Time(template.SortTime(q.After.Time).UTC())
}

// List implements template.Store.
func (s *Templates) List(ctx context.Context, q template.Query) ([]template.Template, error) {
	if q.Sort.Key == "" {
		q.Sort.Key = template.ByCreated
	}
	if s.pages.lanes == 0 {
		return s.read(ctx, q)
	}
	shared, err := s.pages.do(ctx, keyOf(q), func(ctx context.Context) ([]template.Template, error) { return s.read(ctx, q) })
	if err != nil {
		return nil, s.h.fault(ctx, err)
	}
	return slices.Clone(shared), nil
}

// read reads a page.
func (s *Templates) read(ctx context.Context, q template.Query) ([]template.Template, error) {
	if s.h.dialect.Words.Window > 0 && len(template.Words(q.Filter.Words)) > 0 {
		near, err := s.list(ctx, q, s.WordPage(q, Near))
		if err != nil || len(near) == q.Limit {
			return near, err
		}
		return s.list(ctx, q, s.WordPage(q, Far))
	}
	return s.list(ctx, q, s.Page(q))
}

func (s *Templates) list(ctx context.Context, q template.Query, statement PageStatement) (found []template.Template, err error) {
	err = s.h.run(ctx, "template.list", func(ctx context.Context) error {
		found = make([]template.Template, 0, min(q.Limit, smallPage))
		var t template.Template
		fields := templateFields(&t)
		return s.h.rows(ctx, statement.OneShot, statement.Text, statement.Args, func(rows *sql.Rows) error {
			err := rows.Scan(fields...)
			found = append(found, t)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Count implements template.Store.
func (s *Templates) Count(ctx context.Context, f template.Filter) (int, error) {
	l := listing{dialect: &s.h.dialect}
	l.add("SELECT count(*)")
	oneShot := l.filter(f) && l.dialect.PlanFiltered
	var n int
	err := s.h.run(ctx, "template.count", func(ctx context.Context) error {
		if oneShot {
			return s.h.read.QueryRowContext(ctx, l.text.String(), l.args...).Scan(&n)
		}
		return s.h.row(ctx, l.text.String(), []any{&n}, l.args...)
	})
	return n, err
}
