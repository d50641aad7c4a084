package character

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

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

// Filter says which characters a list holds. The zero Filter is all living ones.
type Filter struct {
	// Trash picks the deleted ones instead of the living.
	Trash bool
	// Class is the slug of a class that the character has levels in, be it the first or a further one; "" for any.
	Class string
	// Race is the slug of the race or subrace; "" for any.
	Race string
	// Player is the exact player; nil for any.
	Player *string
	// LevelMin and LevelMax bound the total level, both included; 0 for no bound.
	LevelMin int
	LevelMax int
	// Words must all be found, case aside, each as a whole word, among the words of name, player, race, classes,
	// subclasses, background and alignment; see Wanted. A text without a letter or digit, such as "", picks any.
	Words string
}

// Wanted gives the pieces, such as " dwarf ", that Columns.Words must all contain to match the filter. They have
// nothing but letters, digits and the two spaces, so they need no escaping in a LIKE pattern.
func (f Filter) Wanted() []string {
	wanted := words(f.Words)
	for i, word := range wanted {
		wanted[i] = " " + word + " "
	}
	return wanted
}

// Matches tells whether the filter picks c. Stores that can look at every character may use it.
func (f Filter) Matches(c Character) bool {
	if c.InTrash() != f.Trash || (f.Race != "" && c.Race != f.Race) || (f.Player != nil && c.Player != *f.Player) ||
		(f.LevelMin != 0 && c.Level < f.LevelMin) || (f.LevelMax != 0 && c.Level > f.LevelMax) {
		return false
	}
	columns := c.Columns()
	if f.Class != "" && !slices.Contains(columns.Classes, f.Class) {
		return false
	}
	for _, piece := range f.Wanted() {
		if !strings.Contains(columns.Words, piece) {
			return false
		}
	}
	return true
}

// scope tells lists apart, for their cursors.
func (f Filter) scope(s Sort) string {
	player := "any"
	if f.Player != nil {
		player = fmt.Sprintf("%q", *f.Player)
	}
	return fmt.Sprintf("characters sort=%s trash=%t class=%q race=%q player=%s level=%d-%d words=%q",
		s, f.Trash, f.Class, f.Race, player, f.LevelMin, f.LevelMax, f.Words)
}

// words gives the words of a text as searches see them: runs of letters and digits in lower case, each once, in the
// order of their first use.
func words(text string) []string {
	var found []string
	seen := map[string]bool{}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if !seen[word] {
			seen[word] = true
			found = append(found, word)
		}
	}
	return found
}

// Columns gives what lists look at.
func (c Character) Columns() Columns {
	columns := Columns{Name: c.Name, Player: c.Player, Race: c.Race, Classes: []string{c.Class}, Level: c.Level, Author: c.Author}
	texts := []string{c.Name, c.Player, c.Race, c.Class, c.Subclass, c.Background, c.Alignment}
	for _, m := range c.Multiclass {
		columns.Classes = append(columns.Classes, m.Class)
		texts = append(texts, m.Class, m.Subclass)
	}
	columns.Words = " " + strings.Join(words(strings.Join(texts, " ")), " ") + " "
	return columns
}

// PositionOf is where c stands in a list of that order.
func PositionOf(c Character, s Sort) Position {
	p := Position{ID: c.ID}
	switch s.Key {
	case ByName:
		p.Name = c.Name
	case ByModified:
		p.Time = c.Modified
	default:
		p.Time = c.Created
	}
	return p
}

// Query is one page of a list, as a Store is asked for it.
type Query struct {
	Filter Filter
	Sort   Sort
	// After is where the page before ended; nil for the first page.
	After *Position
	// Limit is the most items to answer, at least 1.
	Limit int
}
