package postgres

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
)

// arrays gives the rows of a set as one array for each column. The words of all rows are in one array, of which each row
// has a slice: an array cannot hold arrays of unequal lengths, and as texts PostgreSQL would read them twice.
func arrays(set sqlstore.RowSet, before int) (body string, args []any) {
	var parameters, names, columns []string
	parameter := func(kind string, value string) string {
		args = append(args, value)
		return fmt.Sprintf("$%d::%s[]", before+len(args), kind)
	}
	unnested := func(kind string, value string) string {
		parameters = append(parameters, parameter(kind, value))
		name := fmt.Sprintf("c%d", len(names))
		names = append(names, name)
		return name
	}
	for i, c := range set.Columns {
		switch c.Type {
		case sqlstore.IntColumn:
			columns = append(columns, unnested("bigint", array(set.Rows, i, appendInt)))
		case sqlstore.TimeColumn:
			columns = append(columns, unnested("timestamp", array(set.Rows, i, appendTime)))
		case sqlstore.UUIDColumn:
			columns = append(columns, unnested("uuid", array(set.Rows, i, appendText)))
		case sqlstore.WordsColumn:
			all, first, last := joined(set.Rows, i)
			columns = append(columns, fmt.Sprintf("(%s)[%s:%s]", parameter("bigint", all), unnested("int", first), unnested("int", last)))
		default:
			columns = append(columns, unnested("text", array(set.Rows, i, appendText)))
		}
	}
	return `SELECT ` + strings.Join(columns, ", ") + ` FROM unnest(` + strings.Join(parameters, ", ") + `) AS u(` + strings.Join(names, ", ") + `)`, args
}

// array writes a column as an array (PostgreSQL manual, 8.15.6). lib/pq's arrays take several times as long.
func array[T any](rows [][]any, column int, element func([]byte, T) []byte) string {
	size := 0
	for _, r := range rows {
		if text, ok := r[column].(string); ok {
			size += len(text) + len(text)/16
		}
	}
	out := append(make([]byte, 0, size+32*len(rows)+2), '{')
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = element(out, r[column].(T))
	}
	return string(append(out, '}'))
}

var escapeElement = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func appendText(out []byte, text string) []byte {
	return append(append(append(out, '"'), escapeElement.Replace(text)...), '"')
}

func appendInt(out []byte, n int) []byte {
	if n == 0 {
		return append(out, "NULL"...)
	}
	return strconv.AppendInt(out, int64(n), 10)
}

func appendTime(out []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(out, "NULL"...)
	}
	return appendText(out, timeText(t))
}

// joined makes one array of a column of arrays, and tells at which elements, counted from 1, that of each row begins and
// ends.
func joined(rows [][]any, column int) (all, first, last string) {
	size := 2
	for _, r := range rows {
		size += len(r[column].(string))
	}
	text := append(make([]byte, 0, size), '{')
	firsts, lasts, count := []byte{'{'}, []byte{'{'}, 0
	for i, r := range rows {
		own := r[column].(string)
		own = own[1 : len(own)-1]
		firsts = strconv.AppendInt(firsts, int64(count+1), 10)
		if own != "" {
			if count > 0 {
				text = append(text, ',')
			}
			text = append(text, own...)
			count += 1 + strings.Count(own, ",")
		}
		lasts = strconv.AppendInt(lasts, int64(count), 10)
		if i < len(rows)-1 {
			firsts, lasts = append(firsts, ','), append(lasts, ',')
		}
	}
	return string(append(text, '}')), string(append(firsts, '}')), string(append(lasts, '}'))
}

// timeText is a time as PostgreSQL reads it.
func timeText(t time.Time) string {
	if text := infinite(t); text != "" {
		return text
	}
	return t.Format("2006-01-02 15:04:05.000000")
}
