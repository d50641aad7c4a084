package config

import (
	"fmt"
	"io"
	"log/slog"
)

// mask is what is shown in the place of a secret.
const mask = "***"

// Secret is a text that must not be shown: a password, a key, a token. It prints as *** (as nothing when empty) under every
// fmt verb, in JSON and other text marshallers, and in slog. Only [Secret.Reveal] gives the text.
//
// The text is behind a pointer, so that even a Secret in an unexported field of a printed struct, where fmt may not call
// methods, does not show. Two Secrets are therefore compared by Reveal, not by ==.
type Secret struct {
	text *string
}

// NewSecret wraps text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text itself, "" for the zero Secret.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == nil }

// String returns *** or, for an empty Secret, "".
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return mask
}

// GoString returns the same as String.
func (s Secret) GoString() string { return s.String() }

// Format writes the same as String for every verb; without it, verbs such as %d would print the inside.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// MarshalText returns the same as String, so that JSON and YAML encoders show no secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns the same as String, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
