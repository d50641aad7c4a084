// Package dice reads dice notation such as 4d6dl1+2 and rolls it: reproducibly, from the text of a seed.
//
// A notation is up to MaxTerms terms joined by + or -, with spaces around them if one likes:
//
//	notation = term *( ("+" / "-") term )
//	term     = [N] "d" S [ ("kh" / "kl" / "dh" / "dl") [K] ]   N dice (else 1) of S sides
//	         / M                                               a constant
//
// kh and kl keep the K highest or lowest dice (else 1), dh and dl drop them. At least one term has dice. Letters may
// be upper case.
package dice

import (
	"fmt"
	"strconv"
	"strings"
)

// The bounds of a notation.
const (
	MaxTerms    = 10
	MaxDice     = 100 // of one term
	MaxSides    = 1000
	MaxConstant = 100_000
	// maxLength bounds the text, in bytes: no notation within the other bounds needs more.
	maxLength = 200
)

// choice says which dice of a term count.
type choice string

const (
	all         choice = ""
	keepHighest choice = "kh"
	keepLowest  choice = "kl"
	dropHighest choice = "dh"
	dropLowest  choice = "dl"
)

// term is one part of a notation.
type term struct {
	minus bool
	count int // dice; 0 for a constant
	sides int // or the constant
	which choice
	some  int // the K of which
}

// Notation says what to roll. Make it with Parse; the zero Notation rolls nothing.
type Notation struct{ terms []term }

// Parse reads a notation. The error says what is wrong, in words for the person who wrote it.
func Parse(text string) (Notation, error) {
	if len(text) > maxLength {
		return Notation{}, fmt.Errorf("must have at most %d characters", maxLength)
	}
	rest := strings.ToLower(strings.TrimSpace(text))
	if rest == "" {
		return Notation{}, fmt.Errorf("must be a dice notation such as 1d20, 4d6dl1 or 2d8+3")
	}
	var n Notation
	minus, dice := false, 0
	for {
		if len(n.terms) == MaxTerms {
			return Notation{}, fmt.Errorf("must have at most %d terms", MaxTerms)
		}
		end := strings.IndexAny(rest, "+-")
		if end < 0 {
			end = len(rest)
		}
		t, err := parseTerm(strings.TrimSpace(rest[:end]))
		if err != nil {
			return Notation{}, err
		}
		t.minus = minus
		n.terms = append(n.terms, t)
		dice += t.count
		if end == len(rest) {
			break
		}
		minus, rest = rest[end] == '-', rest[end+1:]
	}
	if dice == 0 {
		return Notation{}, fmt.Errorf("must roll at least one die, such as 1d6")
	}
	return n, nil
}

// parseTerm reads one term, without spaces around it, in lower case.
func parseTerm(text string) (term, error) {
	count, rest, isDice := strings.Cut(text, "d")
	if !isDice {
		constant, err := number(text, 0, MaxConstant, "a constant")
		return term{sides: constant}, err
	}
	t := term{count: 1}
	var err error
	if count != "" {
		if t.count, err = number(count, 1, MaxDice, "the number of dice of a term"); err != nil {
			return term{}, err
		}
	}
	sides := rest
	if at := strings.IndexAny(rest, "kd"); at >= 0 {
		sides = rest[:at]
		if t.which, t.some, err = parseChoice(rest[at:], t.count); err != nil {
			return term{}, err
		}
	}
	t.sides, err = number(sides, 1, MaxSides, "the number of sides")
	return t, err
}

// parseChoice reads what stands behind the sides, for a term of count dice.
func parseChoice(text string, count int) (choice, int, error) {
	which, some := choice(text[:min(2, len(text))]), 1
	least, most := 1, count
	switch which {
	case keepHighest, keepLowest:
	case dropHighest, dropLowest:
		most = count - 1
	default:
		return all, 0, fmt.Errorf("after the sides only kh, kl, dh or dl with a number may stand, as in 4d6dl1")
	}
	if most < least {
		return all, 0, fmt.Errorf("%s would leave no die of %d", which, count)
	}
	var err error
	if text = text[2:]; text != "" {
		some, err = number(text, least, most, fmt.Sprintf("the number after %s, of %d dice,", which, count))
	}
	return which, some, err
}

// number reads plain digits between two bounds.
func number(text string, least, most int, what string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most || text[0] < '0' {
		return 0, fmt.Errorf("%s must be a number from %d to %d", what, least, most)
	}
	return n, nil
}

// String is the notation in its normal form: lower case, every number written, no spaces.
func (n Notation) String() string {
	var b strings.Builder
	for i, t := range n.terms {
		if t.minus {
			b.WriteByte('-')
		} else if i > 0 {
			b.WriteByte('+')
		}
		if t.count == 0 {
			fmt.Fprintf(&b, "%d", t.sides)
			continue
		}
		fmt.Fprintf(&b, "%dd%d", t.count, t.sides)
		if t.which != all {
			fmt.Fprintf(&b, "%s%d", t.which, t.some)
		}
	}
	return b.String()
}

// Dice is how many dice one roll throws.
func (n Notation) Dice() int {
	dice := 0
	for _, t := range n.terms {
		dice += t.count
	}
	return dice
}
