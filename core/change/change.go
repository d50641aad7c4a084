// Package change holds what the changes of every domain share: on what condition they are made, and how a repeat of the
// same request is told from a new one.
package change

import "slices"

// Precondition is what a caller knows of the thing that it changes (If-Match, RFC 9110 13.1.1).
type Precondition struct {
	// Any is met by everything that lives.
	Any bool
	// Revisions are met by what stands at one of them.
	Revisions []int
}

// Met tells whether something at the revision meets p; a nil Precondition is always met.
func (p *Precondition) Met(revision int) bool {
	return p == nil || p.Any || slices.Contains(p.Revisions, revision)
}

// Idempotency is the Idempotency-Key of a request with a digest of all of it; nil where there is none.
type Idempotency struct {
	Key         string
	Fingerprint [32]byte
}
