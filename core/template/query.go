package template

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bitbucket.org/templar/templar/core/page"
)

// What lists of every domain share; see core/page.
type (
	// SortKey is what a list is ordered by.
	SortKey = page.SortKey
	// Sort is the order of a list.
	Sort = page.Sort
	// Position is a place in a list.
	Position = page.Position
)

// The orders that exist.
const (
	ByCreated  = page.ByCreated
	ByModified = page.ByModified
	ByName     = page.ByName
)

// Filter says which templates a list holds. The zero Filter is all living ones.
type Filter struct {
	// Trash picks the deleted ones instead of the living.
	Trash bool
	// Name is the exact name; nil for any.
	Name *string
	// NamePrefix is how the name starts, literally; "" for any.
	NamePrefix string
	// Words must all be found in name, description or content, case aside, each anywhere in them; see Words. A text
	// without a letter or digit, such as "", picks any.
	Words string
}

// scope tells lists apart, for their cursors.
func (f Filter) scope(s Sort) string {
	name := "any"
	if f.Name != nil {
		name = fmt.Sprintf("%q", *f.Name)
	}
	return fmt.Sprintf("templates sort=%s trash=%t name=%s prefix=%q words=%q", s, f.Trash, name, f.NamePrefix, f.Words)
}

// PositionOf is where t stands in a list of that order.
func PositionOf(t Template, s Sort) Position {
	p := Position{ID: t.ID}
	switch s.Key {
	case ByName:
		p.Name = SortName(t.Name)
	case ByModified:
		p.Time = SortTime(t.Modified)
	default:
		p.Time = SortTime(t.Created)
	}
	return p
}

// SortName is the part of a name that it is ordered by: the first MaxName code points, which is all of any name but
// those of old rows.
func SortName(name string) string {
	count := 0
	for i := range name {
		if count == MaxName {
			return name[:i]
		}
		count++
	}
	return name
}

// SortTime is the time that a row without one is ordered by: the start of 1970.
func SortTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return t
}

// Query is one page of a list, as a Store is asked for it.
type Query struct {
	Filter Filter
	Sort   Sort
	// After is where the page before ended; nil for the first page.
	After *Position
	// Limit is the most items to answer, at least 1.
	Limit int
	// WithContent asks for the content too; without it, Content is "".
	WithContent bool
}

// maxWord is the longest piece, in code points, that a text index keeps of a word; longer words are cut into such.
const maxWord = 255

// Words gives the words of a text as searches see them: runs of letters and digits, in lower case, those longer
// than 255 code points cut into pieces. The two small sigmas of Greek, of which one ends words, are one letter. Stores
// with an index of their own may differ in scripts without case.
func Words(text string) []string {
	text = strings.ReplaceAll(strings.ToLower(text), "\u03c2", "\u03c3")
	words := make([]string, 0, min(len(text)/6+1, 1024)) // most texts have shorter words than that, and a few longer ones
	start, count := 0, 0                                 // of the word that is going on, and its code points
	for i, r := range text {
		part := !isWordRune(r)
		if count > 0 && (part || count == maxWord) {
			words, count = append(words, text[start:i]), 0
		}
		if part {
			continue
		}
		if count == 0 {
			start = i
		}
		count++
	}
	if count > 0 {
		words = append(words, text[start:])
	}
	return words
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return asciiWord[r]
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// asciiWord tells which ASCII characters belong to words.
var asciiWord = func() (in [utf8.RuneSelf]bool) {
	for c := range in {
		in[c] = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z'
	}
	return in
}()
