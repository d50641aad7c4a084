package postgres

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
)

// arrays gives the rows of a set as one array for each column.
func arrays(set sqlstore.RowSet, before int) (body string, args []any) {
	n := len(set.Columns)
	parameters, names, columns := make([]string, n), make([]string, n), make([]string, n)
	for i, c := range set.Columns {
		kind, values := array(c.Type, set.Rows, i)
		parameters[i] = fmt.Sprintf("$%d::%s[]", before+i+1, kind)
		names[i] = fmt.Sprintf("c%d", i)
		columns[i] = names[i]
		if c.Type == sqlstore.WordsColumn {
			columns[i] += "::bigint[]" // an array cannot hold arrays of unequal lengths, so they come as texts
		}
		args = append(args, values)
	}
	return `SELECT ` + strings.Join(columns, ", ") + ` FROM unnest(` + strings.Join(parameters, ", ") + `) AS u(` + strings.Join(names, ", ") + `)`, args
}

func array(of sqlstore.ColumnType, rows [][]any, column int) (kind string, values any) {
	switch of {
	case sqlstore.IntColumn:
		numbers := make([]sql.NullInt64, len(rows))
		for i, r := range rows {
			n := int64(r[column].(int))
			numbers[i] = sql.NullInt64{Int64: n, Valid: n != 0}
		}
		return "bigint", pq.Array(numbers)
	case sqlstore.TimeColumn:
		times := make([]sql.NullString, len(rows))
		for i, r := range rows {
			if t := r[column].(time.Time); !t.IsZero() {
				times[i] = sql.NullString{String: timeText(t), Valid: true}
			}
		}
		return "timestamp", pq.Array(times)
	case sqlstore.UUIDColumn:
		kind = "uuid"
	default:
		kind = "text"
	}
	texts := make(pq.StringArray, len(rows))
	for i, r := range rows {
		texts[i] = r[column].(string)
	}
	return kind, texts
}

// timeText is a time as PostgreSQL reads it.
func timeText(t time.Time) string {
	if text := infinite(t); text != "" {
		return text
	}
	return t.Format("2006-01-02 15:04:05.000000")
}
