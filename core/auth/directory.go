package auth

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"
)

// plainEntry starts the plain form of a directory entry, `user: NAME`.
const plainEntry = "user: "

// parseEntry reads the value that a Directory keeps for a key: `user: NAME`, which holds every scope, or a JSON
// object {"user", "scopes", "expires", "rate"} of which only user must be there; without scopes it holds none.
// Any other form (an unknown field or scope, a wrong type, text behind the object) is not ok and opens nothing:
// a misspelled limit must not turn into no limit.
func parseEntry(value string) (p *Principal, ok bool) {
	if name, plain := strings.CutPrefix(value, plainEntry); plain {
		name = strings.TrimSpace(name)
		if !validUser(name) {
			return nil, false
		}
		return &Principal{User: name, Scopes: AllScopes(), Rate: DefaultRate}, true
	}
	if !strings.HasPrefix(value, "{") {
		return nil, false
	}
	var entry struct {
		User    string     `json:"user"`
		Scopes  []Scope    `json:"scopes"`
		Expires *time.Time `json:"expires"`
		Rate    *int       `json:"rate"`
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(value)))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&entry) != nil {
		return nil, false
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, false
	}
	if !validUser(entry.User) {
		return nil, false
	}
	for _, s := range entry.Scopes {
		if !s.Known() {
			return nil, false
		}
	}
	p = &Principal{User: entry.User, Scopes: normalScopes(entry.Scopes), Rate: DefaultRate}
	if entry.Expires != nil {
		p.Expires = entry.Expires.UTC()
	}
	if entry.Rate != nil {
		if *entry.Rate < 0 || *entry.Rate > MaxRate {
			return nil, false
		}
		p.Rate = *entry.Rate
	}
	return p, true
}
