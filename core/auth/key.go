package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

// Digest is the SHA-256 of a secret's lower-case text. A secret is a random UUID (122 bits), so a plain digest
// can be stored: there is nothing to guess.
type Digest [sha256.Size]byte

// DigestOf hashes a secret; its case does not matter.
func DigestOf(secret string) Digest { return sha256.Sum256([]byte(strings.ToLower(secret))) }

// Hex is the digest in lower-case hexadecimal.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// Key is a credential that Templar made. The secret itself is never kept.
type Key struct {
	// ID is public; it does not reveal the secret.
	ID uuid.UUID
	// User is the name that the key acts under.
	User string
	// Scopes are the rights that it gives, sorted.
	Scopes []Scope
	// Expires is when it ends, in UTC with microseconds; zero means never.
	Expires time.Time
	// Rate is requests a minute; 0 means no limit, DefaultRate the service's default.
	Rate int
	// Secret is the digest of the current secret.
	Secret Digest
	// Former is the digest of the secret before the last rotation, good until FormerUntil; both zero without one.
	Former      Digest
	FormerUntil time.Time
	// Created is when the key was made, in UTC with microseconds.
	Created time.Time
}

// Clone is a copy that shares nothing.
func (k Key) Clone() Key {
	k.Scopes = append([]Scope(nil), k.Scopes...)
	return k
}

// NewKey is what a caller may choose of a key.
type NewKey struct {
	User    string
	Scopes  []Scope
	Expires time.Time
	Rate    int
}

const (
	maxUserLength = 200
	// MaxRate is the highest rate that a key can have, in requests a minute.
	MaxRate = 1_000_000_000
)

// check gives the rules that n breaks at the moment now.
func (n NewKey) check(now time.Time) []fault.Violation {
	var broken []fault.Violation
	add := func(pointer, detail string) {
		broken = append(broken, fault.Violation{Pointer: pointer, Detail: detail})
	}
	if !validUser(n.User) {
		add("/user", "must have 1 to 200 characters, none of them a control character, and no space around")
	}
	if len(n.Scopes) == 0 {
		add("/scopes", "must name at least one scope")
	}
	for _, s := range n.Scopes {
		if !s.Known() {
			add("/scopes", "every scope must be one of "+joinScopes(AllScopes()))
			break
		}
	}
	if !n.Expires.IsZero() && !n.Expires.After(now) {
		add("/expires", "must lie in the future")
	}
	if n.Rate != DefaultRate && (n.Rate < 0 || n.Rate > MaxRate) {
		add("/rate", "must be 0 (no limit) to 1000000000 requests a minute")
	}
	return broken
}

func joinScopes(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// validUser holds for names that can be printed in a log line and compared without surprise.
func validUser(name string) bool {
	if name == "" || name != strings.TrimSpace(name) || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxUserLength {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || (r >= 0x7f && r < 0xa0) })
}

// isSecret holds for the text of a UUID, in either case: what a secret looks like.
func isSecret(text string) bool {
	return len(text) == 36 && uuid.Validate(text) == nil
}
