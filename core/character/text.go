package character

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"bitbucket.org/templar/templar/core/fault"
)

// The bounds of what a character may hold.
const (
	// MaxName and MaxPlayer are in code points.
	MaxName   = 200
	MaxPlayer = 200
	// MaxEquipment is the number of entries, MaxCount of pieces in one.
	MaxEquipment = 200
	MaxCount     = 100_000
	// MaxChoices bounds every list of choices, and the spells; no character can choose so many.
	MaxChoices = 100
	MaxXP      = 1_000_000_000
	MaxTempHP  = 1_000_000
	MaxCoins   = 1_000_000_000
	// MaxAmount bounds damage and healing of one blow.
	MaxAmount = 1_000_000
)

// maxListed is how many allowed values a message lists before it ends with dots.
const maxListed = 40

// violations gathers broken rules.
type violations []fault.Violation

func (v *violations) add(pointer, format string, args ...any) {
	*v = append(*v, fault.Violation{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

// err is an Invalid fault of all of them; nil without any.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	return fault.Violations(v)
}

// pointerTo is the JSON pointer (RFC 6901) of a member of parent.
func pointerTo(parent, member string) string {
	return parent + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(member)
}

// text checks a text that a player typed and gives it without space around.
func (v *violations) text(pointer, text string, least, most int) string {
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		v.add(pointer, "must be valid UTF-8")
	case n < least:
		v.add(pointer, "must have at least %d character that is no space", least)
	case n > most:
		v.add(pointer, "must have at most %d characters, has %d", most, n)
	case strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || (r >= 0x7f && r < 0xa0) }):
		v.add(pointer, "must have no control characters")
	}
	return text
}

// within checks a number.
func (v *violations) within(pointer string, n, least, most int) bool {
	if n < least || n > most {
		v.add(pointer, "must be %d to %d, is %d", least, most, n)
		return false
	}
	return true
}

// enumerate lists slugs for a message.
func enumerate(slugs []string) string {
	if len(slugs) == 0 {
		return "none"
	}
	if len(slugs) > maxListed {
		return strings.Join(slugs[:maxListed], ", ") + fmt.Sprintf(", ... (%d in all)", len(slugs))
	}
	return strings.Join(slugs, ", ")
}

// unknown says that a slug is none of the known ones, and what it may have meant.
func unknown(slug, kind string, known []string) string {
	what := "names no " + kind
	if slug != "" && len(slug) <= 60 {
		what = fmt.Sprintf("%q is no %s", slug, kind)
		if near := nearest(slug, known); near != "" {
			return fmt.Sprintf("%s; is %s meant?", what, near)
		}
	}
	return what + "; known are " + enumerate(known)
}

// nearest gives the known slug that is most like a mistyped one; "" when none is.
func nearest(slug string, known []string) string {
	slug = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(slug)), " ", "-")
	best, least := "", max(2, len(slug)/4)+1
	if len(slug) < 5 {
		least = 2 // of so few letters, two others make another word
	}
	for _, k := range known {
		if k == slug {
			return k
		}
		d := distance(slug, k)
		// The words of a name in another order: "crossbow-light".
		if a, b := strings.Split(slug, "-"), strings.Split(k, "-"); len(a) > 1 && len(a) == len(b) {
			slices.Sort(a)
			slices.Sort(b)
			if slices.Equal(a, b) {
				d = 1
			}
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's: how many letters must change, come or go.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
