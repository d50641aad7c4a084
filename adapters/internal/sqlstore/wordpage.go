package sqlstore

import (
	"strconv"
	"strings"

	"bitbucket.org/templar/templar/core/template"
)

// Reach says where a page of a word search is looked for.
type Reach int

const (
	// Near looks at the next rows in the list's order, WordSearch.Window of them: there is a page of common words.
	Near Reach = iota
	// Far asks the word index for every row that has the words, and sorts them: they are few when Near found no page.
	Far
)

// WordPage gives one of the two statements by which List looks for a page of a word search. Which of the two is the
// better one depends on how rare the words are, and that the planner cannot know: it keeps no statistics of words that
// stand in a few rows only, and takes half a percent for granted.
func (s *Templates) WordPage(q template.Query, reach Reach) PageStatement {
	d := &s.h.dialect
	others := q.Filter
	others.Words = ""
	l := listing{dialect: d}
	l.filter(others)
	where := strings.TrimPrefix(l.text.String(), " FROM templates")
	l.text.Reset()

	content := `''`
	if q.WithContent {
		content = currentContent
	}
	key := KeyExpr(d.Engine, string(q.Sort.Key))
	compare, direction := " > ", ""
	if q.Sort.Descending {
		compare, direction = " < ", " DESC"
	}
	if q.After != nil {
		where += l.behind(q, key, compare)
	}
	order := " ORDER BY " + key + direction + ", templateid" + direction
	columns := "SELECT " + templateColumns(content)
	if reach == Near {
		l.add(columns, " FROM (SELECT * FROM templates", where, order, " LIMIT ", strconv.Itoa(d.Words.Window), ") AS near WHERE ", l.words(q.Filter), order)
	} else {
		l.add("WITH found AS MATERIALIZED (SELECT * FROM templates WHERE deleted IS ", map[bool]string{false: "NULL", true: "NOT NULL"}[q.Filter.Trash],
			" AND ", l.words(q.Filter), ") ", columns, " FROM found", where, order)
	}
	l.add(" LIMIT ", l.parameter(q.Limit))
	return PageStatement{Text: l.text.String(), Args: l.args, OneShot: true}
}
