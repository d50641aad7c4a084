package auth

import "sort"

// Scope is a right that a credential holds.
type Scope string

// The scopes that exist.
const (
	TemplatesRead   Scope = "templates:read"
	TemplatesWrite  Scope = "templates:write"
	CharactersRead  Scope = "characters:read"
	CharactersWrite Scope = "characters:write"
	KeysAdmin       Scope = "keys:admin"
)

// AllScopes lists every scope, sorted. The caller owns the slice.
func AllScopes() []Scope {
	return []Scope{CharactersRead, CharactersWrite, KeysAdmin, TemplatesRead, TemplatesWrite}
}

// Known tells whether s is a scope that exists.
func (s Scope) Known() bool {
	switch s {
	case TemplatesRead, TemplatesWrite, CharactersRead, CharactersWrite, KeysAdmin:
		return true
	}
	return false
}

// normalScopes sorts scopes and drops repetitions, in a copy that is never nil.
func normalScopes(scopes []Scope) []Scope {
	sorted := append(make([]Scope, 0, len(scopes)), scopes...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i] < sorted[j] })
	kept := sorted[:0]
	for i, s := range sorted {
		if i == 0 || s != sorted[i-1] {
			kept = append(kept, s)
		}
	}
	return kept
}
