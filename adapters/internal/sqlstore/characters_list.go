package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"bitbucket.org/templar/templar/core/character"
)

// CharacterSearch is how an engine searches the rows of characters.
type CharacterSearch struct {
	// Contains is the condition that a text column contains the text of a parameter, byte for byte.
	Contains func(column, parameter string) string
	// Words is a condition that the word index answers: every row that has all of the words meets it, and few others do.
	// parameter adds an argument to the statement and gives its name, such as $3.
	Words func(words []string, parameter func(any) string) string
}

// characterWindow is how many rows of a list are looked at for what a filter picks before the indexes of the filters are
// asked: some milliseconds.
const characterWindow = 1000

// mostWords is more than the words of any character: its texts have at most 200 characters.
const mostWords = 1000

// characterKey is the sort key of a list as its index has it.
func characterKey(e Engine, key character.SortKey) string {
	if key == character.ByName {
		return TextKey(e, string(key), namePrefix)
	}
	return quoted(string(key))
}

// place is the condition of the indexes of the living and of the trash.
func place(f character.Filter) string {
	if f.Trash {
		return "deleted IS NOT NULL"
	}
	return "deleted IS NULL"
}

// filterCharacters gives the conditions of f but for the place; none when it picks all.
func (l *listing) filterCharacters(f character.Filter) []string {
	wanted := f.Wanted()
	if !storable(f.Class) || strings.Contains(f.Class, " ") || !storable(f.Race) || f.Player != nil && !storable(*f.Player) || len(wanted) > mostWords {
		return []string{"1 = 0"}
	}
	var all []string
	if f.Race != "" {
		all = append(all, "race = "+l.parameter(f.Race))
	}
	if f.Player != nil {
		all = append(all, "player = "+l.parameter(*f.Player))
	}
	if f.LevelMin != 0 {
		all = append(all, "level >= "+l.parameter(f.LevelMin))
	}
	if f.LevelMax != 0 {
		all = append(all, "level <= "+l.parameter(f.LevelMax))
	}
	contains := l.dialect.Characters.Contains
	if f.Class != "" {
		all = append(all, contains("classes", l.parameter(classList([]string{f.Class}))))
	}
	for _, word := range wanted {
		all = append(all, contains("words", l.parameter(word)))
	}
	return all
}

// narrowed gives the conditions of f, place and all, with one more for the word index: what picks a race, a class or a
// player picks their words too.
func (l *listing) narrowed(f character.Filter) string {
	all := append([]string{place(f)}, l.filterCharacters(f)...)
	texts := []string{f.Words, f.Race, f.Class}
	if f.Player != nil {
		texts = append(texts, *f.Player)
	}
	words := character.Filter{Words: strings.Join(texts, " ")}.Wanted()
	if len(words) > 0 && len(words) <= mostWords {
		for i := range words {
			words[i] = strings.TrimSpace(words[i])
		}
		all = append(all, l.dialect.Characters.Words(words, l.parameter))
	}
	return strings.Join(all, " AND ")
}

// order is that of q, over the key and the id.
type order struct{ key, compare, direction string }

func (d *Dialect) orderOf(q character.Query) order {
	o := order{key: characterKey(d.Engine, q.Sort.Key), compare: " > "}
	if q.Sort.Descending {
		o.compare, o.direction = " < ", " DESC"
	}
	return o
}

func (o order) by() string {
	return " ORDER BY " + o.key + o.direction + ", characterid" + o.direction
}

// after gives the parameters of the place that a page begins after.
func (l *listing) after(q character.Query) (key, id string) {
	var at any = q.After.Name
	if q.Sort.Key != character.ByName {
		at = l.dialect.instant(q.After.Time)
	}
	return l.parameter(at), l.parameter(q.After.ID.String())
}

// walk adds a SELECT of the next rows of a list, along the index of its order.
func (l *listing) walk(columns string, q character.Query, limit string) {
	o := l.dialect.orderOf(q)
	where := " FROM characters WHERE " + place(q.Filter)
	switch {
	case q.After == nil:
		l.add("SELECT ", columns, where, o.by())
	case l.dialect.CompareRows:
		at, id := l.after(q)
		l.add("SELECT ", columns, where, " AND (", o.key, ", characterid)", o.compare, "(", at, ", ", id, ")", o.by())
	default:
		// In two halves, as in Templates.Page.
		at, id := l.after(q)
		l.add("SELECT * FROM (SELECT ", columns, where, " AND ", o.key, " = ", at, " AND characterid", o.compare, id,
			" ORDER BY characterid", o.direction, " LIMIT ", limit, ") UNION ALL SELECT * FROM (SELECT ", columns, where, " AND ", o.key, o.compare, at,
			o.by(), " LIMIT ", limit, ")")
	}
	l.add(" LIMIT ", limit)
}

// Page gives the statement that List runs for all the living, or all the trash.
func (s *Characters) Page(q character.Query) PageStatement {
	q = sorted(q)
	l := listing{dialect: &s.h.dialect}
	if l.dialect.PageBound && q.Limit <= smallPage {
		l.add("SELECT * FROM (")
		l.walk(characterColumns, q, strconv.Itoa(smallPage))
		l.add(") AS page LIMIT ", l.parameter(q.Limit))
	} else {
		l.walk(characterColumns, q, l.parameter(q.Limit))
	}
	return PageStatement{Text: l.text.String(), Args: l.args}
}

// FilteredPage gives one of the two statements by which List looks for a page of a filter: Near along the order, over
// characterWindow rows, Far by the indexes of the filters. Near finds a page of what is common, of which Far would sort
// too many; of what Near finds no page, Far finds few.
func (s *Characters) FilteredPage(q character.Query, reach Reach) PageStatement {
	q = sorted(q)
	l := listing{dialect: &s.h.dialect}
	o := l.dialect.orderOf(q)
	if reach == Near {
		// The row behind the page tells how many rows were looked at: one statement sees both at one moment.
		window := strconv.Itoa(characterWindow)
		l.add("SELECT ", characterColumns, ", 0 AS looked FROM (SELECT ", characterColumns, " FROM (")
		l.walk("*", q, window)
		l.add(") AS near WHERE ", strings.Join(l.filterCharacters(q.Filter), " AND "), o.by(), " LIMIT ", l.parameter(q.Limit),
			") AS page UNION ALL SELECT NULL, NULL, NULL, count(*) FROM (")
		l.walk("characterid", q, window)
		l.add(") AS looked")
		return PageStatement{Text: l.text.String(), Args: l.args, OneShot: true}
	}
	// The list's order is no way to these rows, so the planner is not shown it where it looks for one.
	l.add("WITH found AS MATERIALIZED (SELECT cidx, characterid, name, created, modified FROM characters WHERE ", l.narrowed(q.Filter), ") SELECT ",
		characterColumns, " FROM characters WHERE cidx IN (SELECT cidx FROM found")
	if q.After != nil {
		at, id := l.after(q)
		l.add(" WHERE (", o.key, ", characterid)", o.compare, "(", at, ", ", id, ")")
	}
	l.add(o.by(), " LIMIT ", l.parameter(q.Limit), ")", o.by())
	return PageStatement{Text: l.text.String(), Args: l.args, OneShot: true}
}

// sorted gives q with the order that it has without one.
func sorted(q character.Query) character.Query {
	if q.Sort.Key == "" {
		q.Sort.Key = character.ByCreated
	}
	return q
}

// filtered tells whether f picks by more than the place.
func (d *Dialect) filtered(f character.Filter) bool {
	return len((&listing{dialect: d}).filterCharacters(f)) > 0
}

// List implements character.Store. A page of a filter costs a look at the next characterWindow rows; if they do not hold
// it and there are more, as much again as there are rows that the indexes of words and levels find for the filter.
func (s *Characters) List(ctx context.Context, q character.Query) ([]character.Character, error) {
	if q.Limit < 1 {
		return nil, nil
	}
	if !s.h.dialect.filtered(q.Filter) {
		return s.list(ctx, q, s.Page(q))
	}
	if q.Limit <= characterWindow {
		looked := 0
		near, err := s.list(ctx, q, s.FilteredPage(q, Near), &looked)
		if err != nil || len(near) == q.Limit || looked < characterWindow {
			return near, err
		}
	}
	return s.list(ctx, q, s.FilteredPage(q, Far))
}

// list reads the rows of a statement. Where the statement ends with a row of its own for it, looked is set.
func (s *Characters) list(ctx context.Context, q character.Query, statement PageStatement, looked ...any) (found []character.Character, err error) {
	err = s.h.run(ctx, "character.list", func(ctx context.Context) error {
		found = make([]character.Character, 0, min(q.Limit, smallPage))
		return s.h.rows(ctx, statement.OneShot, statement.Text, statement.Args, func(rows *sql.Rows) error {
			var row characterRow
			if err := rows.Scan(append(row.fields(), looked...)...); err != nil || row.document == nil {
				return err
			}
			c, err := row.value()
			found = append(found, c)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// CountStatement gives the statement that Count runs.
func (s *Characters) CountStatement(f character.Filter) PageStatement {
	l := listing{dialect: &s.h.dialect}
	l.add("SELECT count(*) FROM characters WHERE ", l.narrowed(f))
	return PageStatement{Text: l.text.String(), Args: l.args, OneShot: l.dialect.filtered(f)}
}

// Count implements character.Store.
func (s *Characters) Count(ctx context.Context, f character.Filter) (n int, err error) {
	statement := s.CountStatement(f)
	err = s.h.run(ctx, "character.count", func(ctx context.Context) error {
		if statement.OneShot {
			return s.h.read.QueryRowContext(ctx, statement.Text, statement.Args...).Scan(&n)
		}
		return s.h.row(ctx, statement.Text, []any{&n}, statement.Args...)
	})
	return n, err
}
