package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Column is a column of a RowSet: what statements call it, and its type.
type Column struct {
	Name string
	// Type is one of the constants below.
	Type ColumnType
}

// ColumnType is the type of a column in a RowSet.
type ColumnType uint8

// The types, and what stands for them in Go.
const (
	UUIDColumn  ColumnType = iota // string
	TextColumn                    // string
	IntColumn                     // int; 0 is null
	TimeColumn                    // time.Time in UTC; zero is null
	WordsColumn                   // string, as WordSearch.Value makes it
)

// RowSet is rows that a statement is given as parameters, all at once.
type RowSet struct {
	Columns []Column
	Rows    [][]any
}

// with begins a statement in which the rows are the table v, and gives its parameters: first those of the statement
// itself, which are $1 and so on in it, then those of the rows.
func (d *Dialect) with(set RowSet, own []any) (text string, args []any) {
	names := make([]string, len(set.Columns))
	for i, c := range set.Columns {
		names[i] = c.Name
	}
	body, args := d.Rows(set, len(own))
	return `WITH v(` + strings.Join(names, ", ") + `) AS (` + body + `) `, append(slices.Clone(own), args...)
}

// each calls do for the set in pieces that a statement can take.
func (d *Dialect) each(set RowSet, do func(RowSet) error) error {
	most := len(set.Rows)
	if d.MaxParameters > 0 {
		most = d.MaxParameters / len(set.Columns)
	}
	for rows := set.Rows; len(rows) > 0; {
		n := min(most, len(rows))
		if err := do(RowSet{set.Columns, rows[:n]}); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// idSet makes a set of ids, in the column templateid.
func idSet(ids []uuid.UUID) RowSet {
	set := RowSet{Columns: []Column{{"templateid", UUIDColumn}}}
	for _, id := range ids {
		set.Rows = append(set.Rows, []any{id.String()})
	}
	return set
}

// execSet runs a statement on the rows, which are the table v in it, and tells how many rows it changed.
func (t tx) execSet(ctx context.Context, d *Dialect, set RowSet, text string, own ...any) (changed int64, err error) {
	err = d.each(set, func(part RowSet) error {
		with, args := d.with(part, own)
		n, err := affected(t.tx.ExecContext(ctx, with+text, args...))
		changed += n
		return err
	})
	return changed, err
}

// querySet calls each for every row that a statement answers on the rows, which are the table v in it.
func (t tx) querySet(ctx context.Context, d *Dialect, set RowSet, text string, each func(*sql.Rows) error, own ...any) error {
	return d.each(set, func(part RowSet) error {
		with, args := d.with(part, own)
		rows, err := t.tx.QueryContext(ctx, with+text, args...)
		return eachRow(rows, err, each)
	})
}

// eachRow calls each for every row, and closes them.
func eachRow(rows *sql.Rows, err error, each func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := each(rows); err != nil {
			_ = rows.Close() // the first error is the one that counts
			return err
		}
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close() // the first error is the one that counts
		return err
	}
	return rows.Close()
}
