package postgres

import (
	"strings"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
)

// characterSearch is how PostgreSQL searches characters.
var characterSearch = sqlstore.CharacterSearch{
	Contains: func(column, parameter string) string { return `strpos(` + column + `, ` + parameter + `) > 0` },
	// The texts are short, so PostgreSQL finds their words itself. It cuts the words searched for as it cut those of the
	// rows, whatever it takes for a letter.
	Words: func(words []string, parameter func(any) string) string {
		return sqlstore.WordsKey("", "words") + ` @> ` + sqlstore.WordsFunction + `(` + parameter(strings.Join(words, " ")) + `)`
	},
}

// Characters gives the store of characters and rolls.
func (db *DB) Characters() *sqlstore.Characters { return db.handle.Characters() }
