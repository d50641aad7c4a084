package dice

import (
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"slices"
)

// Generator names how a seed becomes dice. The same seed gives the same dice for as long as the name stays:
//
//   - ChaCha8 as c2sp.org/chacha8rand has it, keyed with the SHA-256 of the seed's UTF-8 bytes, gives 64-bit numbers;
//   - for a die of s sides a number x is taken if it lies below the greatest multiple of s that 64 bits hold, else the
//     next one is tried, so every side is equally likely; the die shows 1 + x mod s;
//   - dice fall from left to right, repetitions one after the other.
const Generator = "sha256-chacha8-v1"

// Result is one roll of a notation.
type Result struct {
	// Dice are all dice in the order in which they fell, also those dropped.
	Dice []int
	// Dropped are those that did not count, in the order in which they fell; nil for none. Of equal dice, the one that
	// fell first is dropped first.
	Dropped []int
	// Total is the sum of those that counted, with the notation's signs and constants.
	Total int
}

// Roller throws dice that follow from a seed. It is not safe for concurrent use.
type Roller struct{ source *rand.ChaCha8 }

// NewRoller makes a Roller of a seed.
func NewRoller(seed string) *Roller {
	return &Roller{source: rand.NewChaCha8(sha256.Sum256([]byte(seed)))}
}

// Die throws one die of so many sides, at least 1.
func (r *Roller) Die(sides int) int {
	s := uint64(sides)
	// Unsigned, -s is 2^64 - s, so this is 2^64 mod s; the last numbers, as many, would make small sides likelier.
	excess := -s % s
	for {
		if x := r.source.Uint64(); x <= math.MaxUint64-excess {
			return 1 + int(x%s)
		}
	}
}

// Roll rolls a notation once.
func (r *Roller) Roll(n Notation) Result {
	var result Result
	for _, t := range n.terms {
		sign := 1
		if t.minus {
			sign = -1
		}
		if t.count == 0 {
			result.Total += sign * t.sides
			continue
		}
		thrown := make([]int, t.count)
		for i := range thrown {
			thrown[i] = r.Die(t.sides)
		}
		result.Dice = append(result.Dice, thrown...)
		drop := t.dropped(thrown)
		for i, die := range thrown {
			if drop[i] {
				result.Dropped = append(result.Dropped, die)
			} else {
				result.Total += sign * die
			}
		}
	}
	return result
}

// dropped tells which of the dice do not count.
func (t term) dropped(thrown []int) []bool {
	drop := make([]bool, len(thrown))
	number, lowest := 0, true
	switch t.which {
	case dropLowest:
		number = t.some
	case dropHighest:
		number, lowest = t.some, false
	case keepHighest:
		number = t.count - t.some
	case keepLowest:
		number, lowest = t.count-t.some, false
	}
	order := make([]int, len(thrown))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if lowest {
			return thrown[a] - thrown[b]
		}
		return thrown[b] - thrown[a]
	})
	for _, i := range order[:number] {
		drop[i] = true
	}
	return drop
}
