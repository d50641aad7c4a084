package sqlite

import (
	"strings"
	"testing"
	"unicode"

	"bitbucket.org/templar/templar/core/template"
)

// TestWordsOfAllLetters asks for words with every letter and digit that there is: where template.Words sees one word the
// index may see two, and it refuses to look for two in a row.
func TestWordsOfAllLetters(t *testing.T) {
	db := open(t)
	const each = 1000
	var words []string
	search := func() {
		t.Helper()
		var n int
		if err := db.read.GetContext(t.Context(), &n, `SELECT count(*) FROM templates_words WHERE templates_words MATCH ?`, matchAll(strings.Join(words, " "))); err != nil {
			t.Errorf("words up to %+q: %v", words[len(words)-1], err)
		}
		words = words[:0]
	}
	for r := rune('0'); r <= unicode.MaxRune; r++ {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			continue
		}
		if words = append(words, "in"+string(r)+"side"); len(words) == each {
			search()
		}
	}
	search()
}

// TestWordsWithSigns finds words with the letters that the index takes for signs.
func TestWordsWithSigns(t *testing.T) {
	s := open(t).Templates()
	row := sample("signs")
	row.Content = "before \u1985\u19b0\u1985\u19c8 a\u1cf2b behind"
	if err := s.Create(t.Context(), row, nil); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{row.Content, "\u1985\u19b0\u1985\u19c8", "A\u1cf2B"} {
		got, err := s.List(t.Context(), template.Query{Filter: template.Filter{Words: text}, Limit: 2})
		if err != nil || len(got) != 1 || got[0].ID != row.ID {
			t.Errorf("%+q: want the row, got %d, %v", text, len(got), err)
		}
	}
}
