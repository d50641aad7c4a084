package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// The word index holds a number for each word of a row. Templar makes the numbers itself, in microseconds, and gives
// them with every row that it writes, in a column of their own. Where the column is null, PostgreSQL makes them with
// the function templar_word_hashes, which takes ten times as long, and seconds for megabytes without a space: for
// rows that were there before the column, and those that others write. A trigger sets the column to null where
// somebody changes the texts of a row and not the column.

// maxWordText is how many characters of a row are searched; see wordsBody.
const maxWordText = 1_200_000

var wordTexts = []string{"name", "description", "content"}

// words is how PostgreSQL searches for words.
var words = sqlstore.WordSearch{
	Column: "word_hashes",
	Value: func(t *template.Template) string {
		hashes := wordHashes(t.Name + " " + t.Description + " " + t.Content)
		if t.Revision%2 == 0 {
			// The order means nothing to the index. It turns with each revision, so that a row whose words stay the
			// same does not look to the trigger as if somebody had forgotten the column.
			slices.Reverse(hashes)
		}
		return arrayText(hashes)
	},
	Condition: func(text string, parameter func(any) string) string {
		key := sqlstore.WordsKey("word_hashes", wordTexts...)
		own := key + ` @> ` + parameter(arrayText(wordHashes(text))) + `::bigint[]`
		if !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
			return own
		}
		// PostgreSQL may see other words in such a text: without ICU it knows no letters beyond ASCII, and its Unicode
		// may be of another year.
		storable := strings.ReplaceAll(strings.ToValidUTF8(text, " "), "\x00", " ")
		return `(` + own + ` OR ` + key + ` @> ` + sqlstore.WordsFunction + `(` + parameter(storable) + `))`
	},
	Window: 1000, // some 30 ms, where the columns are null
}

// wordHashes gives the hashes of the words of a text, each once, in the order in which the words come.
func wordHashes(text string) []int64 {
	if len(text) > maxWordText {
		count := 0
		for i := range text {
			if count++; count > maxWordText {
				text = text[:i]
				break
			}
		}
	}
	found := template.Words(text)
	hashes := make([]int64, 0, len(found))
	// Hashes are spread evenly, so they find their places in a table by themselves. The table has the indexes of
	// hashes, counted from 1, and is never more than half full. To sort them would take twice as long.
	table := make([]int32, 2<<bits.Len(uint(len(found))))
	for _, word := range found {
		hash := hashText(word)
		at := uint64(hash) & uint64(len(table)-1)
		for table[at] != 0 && hashes[table[at]-1] != hash {
			at = (at + 1) & uint64(len(table)-1)
		}
		if table[at] == 0 {
			hashes = append(hashes, hash)
			table[at] = int32(len(hashes)) //nolint:gosec // a text has fewer words than maxWordText
		}
	}
	return hashes
}

// arrayText is an array as PostgreSQL reads it.
func arrayText(numbers []int64) string {
	text := append(make([]byte, 0, 2+21*len(numbers)), '{')
	for i, n := range numbers {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, '}'))
}

// hashText is PostgreSQL's hashtextextended(text COLLATE "C", 0) on a little-endian machine: hash_bytes_extended of
// src/common/hashfn.c, which is Bob Jenkins' lookup3 (burtleburtle.net/bob/hash). It has been the same since
// PostgreSQL 11; agree sees whether it still is.
func hashText(text string) int64 {
	a := 0x9e3779b9 + uint32(len(text)) + 3923095
	b, c := a, a
	var k [12]byte
	for len(text) >= 12 {
		copy(k[:], text)
		text = text[12:]
		a += binary.LittleEndian.Uint32(k[0:])
		b += binary.LittleEndian.Uint32(k[4:])
		c += binary.LittleEndian.Uint32(k[8:])

		a = (a - c) ^ bits.RotateLeft32(c, 4)
		c += b
		b = (b - a) ^ bits.RotateLeft32(a, 6)
		a += c
		c = (c - b) ^ bits.RotateLeft32(b, 8)
		b += a
		a = (a - c) ^ bits.RotateLeft32(c, 16)
		c += b
		b = (b - a) ^ bits.RotateLeft32(a, 19)
		a += c
		c = (c - b) ^ bits.RotateLeft32(b, 4)
		b += a
	}
	clear(k[:])
	copy(k[:], text)
	a += binary.LittleEndian.Uint32(k[0:])
	b += binary.LittleEndian.Uint32(k[4:])
	c += binary.LittleEndian.Uint32(k[8:]) << 8 // the lowest byte of c is the length's

	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	c = (c ^ b) - bits.RotateLeft32(b, 24)
	return int64(uint64(b)<<32 | uint64(c))
}

// agree is an error when this PostgreSQL does not hash as hashText does: then rows that Templar wrote would not be
// found by their words.
func agree(ctx context.Context, db sqlstore.Queryer) error {
	const text = "thirtyonecharactersmaketworounds"
	var theirs int64
	err := db.QueryRowContext(ctx, `SELECT pg_catalog.hashtextextended('`+text+`' COLLATE pg_catalog."C", 0)`).Scan(&theirs)
	if err != nil {
		return err
	}
	return agreeOn(theirs, hashText(text))
}

func agreeOn(theirs, ours int64) error {
	if theirs == ours {
		return nil
	}
	return fault.Wrap(fault.Unavailable, fmt.Errorf("hashtextextended gives %d, expected %d", theirs, ours),
		"this PostgreSQL hashes words in another way than this version of Templar: word searches would miss rows; use another PostgreSQL, or a Templar that knows this one")
}
