package page

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

// SortKey is what a list is ordered by; the id breaks ties.
type SortKey string

// The orders that exist.
const (
	ByCreated  SortKey = "created"
	ByModified SortKey = "modified"
	ByName     SortKey = "name"
)

// Sort is the order of a list. Names are ordered by their code points.
type Sort struct {
	Key        SortKey
	Descending bool
}

// ParseSort reads `created`, `-created` and so on; "" is `created`. A Malformed fault for any other.
func ParseSort(text string) (Sort, error) {
	key, descending := strings.CutPrefix(text, "-")
	switch SortKey(key) {
	case ByCreated, ByModified, ByName:
		return Sort{Key: SortKey(key), Descending: descending}, nil
	case "":
		if !descending {
			return Sort{Key: ByCreated}, nil
		}
	}
	return Sort{}, fault.New(fault.Malformed, "sort must be created, modified or name, with - before it for descending")
}

// String is the text that ParseSort reads.
func (s Sort) String() string {
	if s.Descending {
		return "-" + string(s.Key)
	}
	return string(s.Key)
}

// Position is a place in a list: the sort key and the id of the item before it. Only the field that the Sort names
// is set.
type Position struct {
	Time time.Time
	Name string
	ID   uuid.UUID
}

// Compare orders positions of lists sorted by key, rising: times or names first, ids to break ties.
func (p Position) Compare(other Position) int {
	if c := p.Time.Compare(other.Time); c != 0 {
		return c
	}
	if c := strings.Compare(p.Name, other.Name); c != 0 {
		return c
	}
	return bytes.Compare(p.ID[:], other.ID[:])
}

// noTime stands for the zero time in a cursor: no time that is stored is so early.
const noTime = math.MinInt64

// Encode gives the position in the bytes that a cursor carries: id, microseconds of the time, name.
func (p Position) Encode() []byte {
	raw := append(make([]byte, 0, 24+len(p.Name)), p.ID[:]...)
	micros := int64(noTime)
	if !p.Time.IsZero() {
		micros = p.Time.UnixMicro()
	}
	raw = binary.BigEndian.AppendUint64(raw, uint64(micros))
	return append(raw, p.Name...)
}

// DecodePosition reads what Encode wrote; not ok for anything else.
func DecodePosition(raw []byte) (p Position, ok bool) {
	if len(raw) < 24 {
		return Position{}, false
	}
	p.Name = string(raw[24:])
	if micros := int64(binary.BigEndian.Uint64(raw[16:])); micros != noTime {
		p.Time = time.UnixMicro(micros).UTC()
	}
	copy(p.ID[:], raw)
	return p, true
}

// AfterPrefix is the least text, by code points, that is greater than all that start with prefix; "" when there is none.
func AfterPrefix(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch last {
		case utf8.MaxRune:
			continue
		case 0xD7FF: // surrogates are no characters
			return prefix + "\uE000"
		}
		return prefix + string(last+1)
	}
	return ""
}
