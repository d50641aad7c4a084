// Package page holds what every list shares: bounds and signed cursors.
package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"bitbucket.org/templar/templar/core/fault"
)

const (
	// DefaultLimit is the number of items of a page when the caller names none.
	DefaultLimit = 20
	// MaxLimit is the most items that a page may have.
	MaxLimit = 100
)

// Limit checks the number of items that a caller asked for, nil for none; a Malformed fault outside 1 to MaxLimit.
func Limit(asked *int) (int, error) {
	if asked == nil {
		return DefaultLimit, nil
	}
	if *asked < 1 || *asked > MaxLimit {
		return 0, fault.New(fault.Malformed, "limit must be 1 to %d", MaxLimit)
	}
	return *asked, nil
}

// macSize is how many bytes of the HMAC a cursor carries; 128 bits cannot be guessed.
const macSize = 16

// maxCursor bounds what is decoded, in characters: a position with a name of 200 code points fits well.
const maxCursor = 4096

// Sealer makes cursors that callers can carry but neither change nor use for another list. It is safe for
// concurrent use.
type Sealer struct{ key [sha256.Size]byte }

// NewSealer makes a Sealer of the service's secret key. Instances with the same key read each other's cursors.
func NewSealer(secretKey string) *Sealer {
	return &Sealer{key: sha256.Sum256([]byte("templar cursor\x00" + secretKey))}
}

// Seal makes a cursor of a position. The scope says which list, filter and order it belongs to.
func (s *Sealer) Seal(scope string, position []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(s.mac(scope, position), position...))
}

// Open gives back the position of a cursor that Seal made with the same scope; a Malformed fault for any other.
func (s *Sealer) Open(scope, cursor string) ([]byte, error) {
	refused := fault.New(fault.Malformed,
		"the cursor is not one that this service gave for this list, filter and sort; start again without it")
	if len(cursor) > maxCursor {
		return nil, refused
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < macSize {
		return nil, refused
	}
	position := raw[macSize:]
	if !hmac.Equal(raw[:macSize], s.mac(scope, position)) {
		return nil, refused
	}
	return position, nil
}

func (s *Sealer) mac(scope string, position []byte) []byte {
	h := hmac.New(sha256.New, s.key[:])
	scopeSum := sha256.Sum256([]byte(scope))
	h.Write(scopeSum[:])
	h.Write(position)
	return h.Sum(nil)[:macSize]
}
