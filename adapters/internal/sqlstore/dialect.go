package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"bitbucket.org/templar/templar/core/template"
)

// Dialect is all that differs between the engines in the statements of the stores. Each adapter has one.
type Dialect struct {
	// Engine chooses how the keys of lists are spelled (KeyExpr).
	Engine Engine
	// Time makes a parameter of a time in UTC that is not zero.
	Time func(t time.Time) any
	// Replace are the statements that keep the current revision of a living template and then store the next. If there
	// are several, they run in one transaction. Each is given all of: $1 id, $2 the revision that must be the current
	// one, $3 name, $4 description, $5 content, $6 syntax, $7 revision, $8 author, $9 modified, and where there is a
	// Words.Column $10 its value. The last one changes one row, or none when the template is not as expected.
	Replace []string
	// LockClaim is a statement that answers whether nobody else is using the idempotency key whose number is $1, and
	// keeps others from it until the transaction ends; "" where transactions that write never run side by side.
	LockClaim string
	// LockRow ends a SELECT of one row of templates, or of several in the order of their ids, that nobody else may
	// change until the transaction ends; "" where transactions that write never run side by side.
	LockRow string
	// LockFree is LockRow without waiting: rows that others hold are left out.
	LockFree string
	// Rows is the body of a table expression that has these rows in it, in their order, and its parameters, of which
	// the first has the number before+1.
	Rows func(set RowSet, before int) (body string, args []any)
	// Among is the condition that the first %s, the column of an index, is one of the values of the second, a SELECT: in
	// words that make the engine look into the index for each, however few rows it takes the table to have.
	Among string
	// MaxParameters is how many parameters Rows may give; 0 where it gives one for each column.
	MaxParameters int
	// Lanes are the trips that requests share: reads of single templates, creations, and pages.
	Lanes Lanes
	// StartsWith is the condition that the name starts with a parameter, whose name replaces every %s. Beside it the
	// key of the name is held within bounds, for the index.
	StartsWith string
	// Words is how rows are searched for words.
	Words WordSearch
	// Characters is how rows of characters are searched.
	Characters CharacterSearch
	// CompareRows is set where (key, templateid) > ($1, $2) is a range of an index also when the key is an expression.
	CompareRows bool
	// PageBound is set where the planner has to be told that a page is small before it knows the parameters.
	PageBound bool
	// PlanFiltered is set where a filtered list needs a plan made for its very parameters, so that it must not be
	// prepared: which index is best depends on how rare the words are.
	PlanFiltered bool
	// Ready are statements that fail while tables, columns or functions of this engine are missing, beside those that
	// all engines share.
	Ready []string
	// Agree looks whether the server still does what the Dialect takes for granted, and tells what it does not; nil for
	// nothing to look at.
	Agree func(ctx context.Context, db Queryer) error
	// Fault tells what a driver's error means: an *fault.Error, Internal for what nobody expects.
	Fault func(err error) error
	// Duplicate tells whether the error is a violation of a unique index.
	Duplicate func(err error) bool
	// Busy tells whether the error means that another process was writing, and that nothing was done; nil where a
	// statement waits for others by itself, no longer than its context.
	Busy func(err error) bool
	// Outdated tells whether the error means that a prepared statement has to be prepared anew, and that nothing of it
	// was done.
	Outdated func(err error) bool
}

// Queryer reads one row.
type Queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// WordSearch is how an engine searches the rows of templates for words.
type WordSearch struct {
	// Column is a column of templates for the words of a row in the form that the engine's index takes, which every
	// write fills; "" where the engine makes all of its index itself.
	Column string
	// Value makes the column's value, in the text form of its type.
	Value func(t *template.Template) string
	// Condition is the condition that a row has all words of a text; parameter adds an argument to the statement and
	// gives its name, such as $3.
	Condition func(text string, parameter func(any) string) string
	// Window is how many rows of a list are looked at for words before the word index is asked; 0 where the engine
	// finds the better way by itself. It needs Dialect.CompareRows.
	Window int
}

// listed gives what, in which %s stands for the column, to be put into a list of columns or values; "" without a
// column.
func (w *WordSearch) listed(what string) string {
	if w.Column == "" {
		return ""
	}
	return strings.ReplaceAll(what, "%s", w.Column)
}

// with adds the value of the column, if there is one, to the arguments of a statement.
func (w *WordSearch) with(args []any, t *template.Template) []any {
	if w.Column == "" {
		return args
	}
	return append(args, w.Value(t))
}

// time gives the parameter of a time; null for the zero time.
func (d *Dialect) time(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return d.Time(t.UTC())
}

// lockTemplate is the statement that locks the row of a template.
func (d *Dialect) lockTemplate() string {
	return `SELECT 1 FROM templates WHERE templateid = $1` + d.LockRow
}

// amongIDs is the condition that a template is one of those in the set of ids v.
func (d *Dialect) amongIDs() string {
	return fmt.Sprintf(d.Among, "templateid", "SELECT templateid FROM v")
}

// lookAt is the statement that reads where the templates of the set v stand, and locks them in the order of their ids.
func (d *Dialect) lookAt() string {
	return `SELECT templateid, revision FROM templates WHERE ` + d.amongIDs() + ` ORDER BY templateid` + d.LockRow
}
