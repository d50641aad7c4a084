package sqlstore

import (
	"fmt"
	"strconv"
	"strings"
)

// Engine names an SQL database whose statements differ from the others'.
type Engine string

// The engines.
const (
	EnginePostgres Engine = "postgres"
	EngineSQLite   Engine = "sqlite"
)

// SQLiteTime is the layout (package time) of every timestamp in SQLite: text of
// one length, in UTC, so that it sorts by time.
const SQLiteTime = "2006-01-02 15:04:05.000000"

// WordsFunction is the SQL function that finds the words of a text in
// PostgreSQL, as the array of their hashes. It answers an empty array for a
// text without a word, and every row contains that.
const WordsFunction = "templar_word_hashes"

// namePrefix is how many characters of a template's name are in its index: all
// of them, unless the row is older than the rule that a name has 200 at most.
const namePrefix = 200

// The planner takes an index only if a statement spells its keys exactly as the
// index does. The functions below are that spelling, for the migrators and for
// the stores. Columns stand in double quotes and without a table's name.

// KeyExpr is what the list indexes of the table templates have for attribute:
// created, modified (TimeKey), name (TextKey), any other column as it is.
func KeyExpr(e Engine, attribute string) string {
	switch attribute {
	case "created", "modified":
		return TimeKey(e, attribute)
	case "name":
		return TextKey(e, attribute, namePrefix)
	}
	return quoted(attribute)
}

// TimeKey is the timestamp of column, where null is 1970-01-01 00:00:00.
func TimeKey(e Engine, column string) string {
	if e == EngineSQLite {
		return fmt.Sprintf(`COALESCE(%s, '1970-01-01 00:00:00.000000')`, quoted(column))
	}
	return fmt.Sprintf(`COALESCE(%s, '1970-01-01 00:00:00'::timestamp)`, quoted(column))
}

// TextKey is the first prefix characters of column, ordered by code point,
// where null is empty.
func TextKey(e Engine, column string, prefix int) string {
	if e == EngineSQLite {
		return fmt.Sprintf(`substr(COALESCE(%s, ''), 1, %d)`, quoted(column), prefix)
	}
	return fmt.Sprintf(`left(COALESCE(%s, ''), %s) COLLATE "C"`, quoted(column), strconv.Itoa(prefix))
}

// WordsKey is the array of the hashes of the words in all columns together,
// which PostgreSQL's word index holds: what stands in the column ready, where
// it is null or "", what WordsFunction makes of the texts. In SQLite the index
// is an FTS5 table.
func WordsKey(ready string, columns ...string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf(`COALESCE(%s, '')`, quoted(c))
	}
	made := WordsFunction + "(" + strings.Join(parts, ` || ' ' || `) + `)`
	if ready == "" {
		return made
	}
	return "COALESCE(" + quoted(ready) + ", " + made + ")"
}

// quoted is a column as an SQL identifier.
func quoted(column string) string {
	return `"` + strings.ReplaceAll(column, `"`, `""`) + `"`
}
