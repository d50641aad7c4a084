package harper

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Times are stored as texts of one length, so that they sort as times do.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// timeText is how a time is stored; null for none.
func timeText(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(timeLayout)
}

// timeOf reads a stored time; "" (null) is none.
func timeOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("a stored time is broken: %T", err)
	}
	return t.UTC(), nil
}

// timesOf reads several times into their places.
func timesOf(texts []string, into ...*time.Time) error {
	for i, text := range texts {
		t, err := timeOf(text)
		if err != nil {
			return err
		}
		*into[i] = t
	}
	return nil
}

// digits is how a number of 0 or more is written in a hash, so that texts sort as numbers do.
func digits(n int64) string { return fmt.Sprintf("%019d", max(n, 0)) }

// numberOf reads a stored number; "" (null) is 0.
func numberOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("a stored number is broken: %T", err)
	}
	return n, nil
}

// Sort keys are what a list is ordered by and the id, as one text: lists need nothing but bounds on it, and a page
// costs the same wherever it is. Harper keeps the first 256 UTF-16 units of a text in its index, so a name can have 200
// of them in a key (longest): names that agree in so many are ordered by their ids. Only names with many characters
// beyond U+FFFF, or of old rows, are as long as that.
const longest = 200

// nameEnd stands behind the name in a key; it sorts before everything that can be in a name.
const nameEnd = "\x00"

// timeBase makes the microseconds of every time positive.
const timeBase = 1 << 62

func timeKey(t time.Time, id uuid.UUID) string { return timeBound(t) + id.String() }

// timeBound is where the keys of a time begin.
func timeBound(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return fmt.Sprintf("%020d", t.UnixMicro()+timeBase)
}

func nameKey(name string, id uuid.UUID) string { return cutName(name) + nameEnd + id.String() }

// cutName is as much of a name as a key has room for.
func cutName(name string) string {
	units := 0
	for i, r := range name {
		units++
		if r > 0xffff {
			units++
		}
		if units > longest {
			return name[:i]
		}
	}
	return name
}

// wordText gives the words, each once, in the form that holdsAll searches.
func wordText(words []string) string {
	seen := make(map[string]bool, len(words))
	var text strings.Builder
	text.WriteString(" ")
	for _, word := range words {
		if !seen[word] {
			seen[word] = true
			text.WriteString(word)
			text.WriteString(" ")
		}
	}
	return text.String()
}

// holdsAll tells whether a text of words holds all pieces such as " dwarf ".
func holdsAll(words string, pieces []string) bool {
	for _, piece := range pieces {
		if !strings.Contains(words, piece) {
			return false
		}
	}
	return true
}
