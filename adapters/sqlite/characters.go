package sqlite

import (
	"strings"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
)

// characterWords is the FTS5 table that the migration makes of the index of that name; its rowid is cidx.
const characterWords = "characters_words"

// characterSearch is how SQLite searches characters.
var characterSearch = sqlstore.CharacterSearch{
	Contains: func(column, parameter string) string { return `instr(` + column + `, ` + parameter + `) > 0` },
	Words: func(words []string, parameter func(any) string) string {
		return `cidx IN (SELECT rowid FROM ` + characterWords + ` WHERE ` + characterWords + ` MATCH ` + parameter(matchAll(strings.Join(words, " "))) + `)`
	},
}

// Characters gives the store of characters and rolls.
func (db *DB) Characters() *sqlstore.Characters { return db.handle.Characters() }
