package sqlite

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
)

// wordsTable is the FTS5 table that the migration makes of the index of that name; its rowid is tidx.
const wordsTable = "templates_words"

// longWord is how many code points a piece of a word has at most (template.Words).
const longWord = 255

// dialect is all that SQLite does in its own way.
var dialect = sqlstore.Dialect{
	Engine: sqlstore.EngineSQLite,
	Time:   func(t time.Time) any { return t.Format(sqlstore.SQLiteTime) },
	// There is one writer at a time, so nothing changes between the two.
	Replace: []string{`INSERT INTO template_revisions (templateid, revision, name, description, content, syntax, author, modified)
SELECT templateid, revision, COALESCE(name, ''), COALESCE(description, ''), COALESCE(content, ''), syntax, author, modified
FROM templates WHERE templateid = $1 AND revision = $2 AND deleted IS NULL`,
		`UPDATE templates SET name = $3, description = $4, content = $5, syntax = $6, revision = $7, author = $8, modified = $9
WHERE templateid = $1 AND revision = $2 AND deleted IS NULL`},
	Rows:          values,
	Among:         `%s IN (%s)`,
	MaxParameters: maxParameters,
	StartsWith:    `substr(name, 1, length(%s)) = %s`,
	Words: sqlstore.WordSearch{Condition: func(text string, parameter func(any) string) string {
		return `tidx IN (SELECT rowid FROM ` + wordsTable + ` WHERE ` + wordsTable + ` MATCH ` + parameter(matchAll(text)) + `)`
	}},
	Characters: characterSearch,
	Ready:      []string{`SELECT rowid FROM ` + wordsTable + ` LIMIT 0`, `SELECT rowid FROM ` + characterWords + ` LIMIT 0`},
	Fault:      faultOf,
	Duplicate: func(err error) bool {
		code := codeOf(err)
		return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	},
	Busy: func(err error) bool { return codeOf(err)&0xff == sqlite3.SQLITE_BUSY },
	// SQLite prepares anew by itself.
	Outdated: func(error) bool { return false },
}

// maxParameters makes sets of rows large enough that statements are few, and so small that the same ones come again
// and again: they are kept (statements.go).
const maxParameters = 1000

// values gives the rows of a set as they are written in SQL, in the same words for any rows of that number. SQLite looks
// every numbered parameter up in a list of all of them, so they have numbers only where the statement has parameters of
// its own.
func values(set sqlstore.RowSet, before int) (body string, args []any) {
	var text strings.Builder
	args = make([]any, 0, len(set.Rows)*len(set.Columns))
	for i, row := range set.Rows {
		text.WriteString([]string{"VALUES (", "), ("}[min(i, 1)])
		for j, value := range row {
			if t, timed := value.(time.Time); timed && t.IsZero() || set.Columns[j].Type == sqlstore.IntColumn && value == 0 {
				value = nil
			} else if timed {
				value = t.Format(sqlstore.SQLiteTime)
			}
			args = append(args, value)
			if j > 0 {
				text.WriteString(", ")
			}
			text.WriteByte('?')
			if before > 0 {
				text.WriteString(strconv.Itoa(before + len(args)))
			}
		}
	}
	text.WriteByte(')')
	return text.String(), args
}

// matchAll makes a query of FTS5 that asks for all words of the text: each is quoted, so that none is an operator.
// The index has long words whole, where template.Words cuts them into pieces. So a word that ends inside a piece is
// looked for as it is, and one that ends with a piece by its first piece, whatever follows.
func matchAll(text string) string {
	var query strings.Builder
	for _, word := range strings.FieldsFunc(text, betweenWords) {
		runes := []rune(word)
		beginning := len(runes)%longWord == 0
		if beginning {
			word = string(runes[:longWord])
		}
		query.WriteString(`"` + word + `"`)
		if beginning {
			query.WriteByte('*')
		}
		query.WriteByte(' ')
	}
	return query.String()
}

// signs are letters that the index takes for signs between words: vowels and tones of New Tai Lue, and two Vedic signs.
// It keeps no places of words, so that it cannot look for what it takes for two words in a row.
var signs = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x19b0, Hi: 0x19c0, Stride: 1}, {Lo: 0x19c8, Hi: 0x19c9, Stride: 1}, {Lo: 0x1cf2, Hi: 0x1cf3, Stride: 1}}}

func betweenWords(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) || unicode.Is(signs, r)
}

// codeOf is the extended result code (sqlite.org/rescode.html); 0 for an error of another kind.
func codeOf(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// faultOf tells by the result code what went wrong.
func faultOf(err error) error {
	switch code := codeOf(err); code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL:
		return sqlstore.ErrBusy(err)
	case sqlite3.SQLITE_FULL:
		return sqlstore.ErrFull(err)
	case sqlite3.SQLITE_READONLY:
		return sqlstore.ErrReadOnly(err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return sqlstore.ErrAway(err)
	case sqlite3.SQLITE_ERROR:
		if strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "no such column") {
			return sqlstore.ErrNoSchema(err)
		}
	case 0:
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return sqlstore.ErrAway(err)
		}
	}
	return sqlstore.ErrUnexpected(err)
}
