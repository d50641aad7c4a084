// Package template is the heart of Templar: texts that other programs keep outside their code, with every revision
// that they ever had. It holds the rules and the use cases; where texts are stored, cached and shown is others' work,
// behind the ports in ports.go.
package template

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/mustache"
)

// Syntax says how a template's content is rendered.
type Syntax string

const (
	// Mustache content is rendered as mustache(5) says; the default.
	Mustache Syntax = "mustache"
	// Plain content is rendered as it is.
	Plain Syntax = "plain"
)

// Template is one revision of a template. It is a value: copies share nothing that can change.
type Template struct {
	// ID names the template for good, also in the trash.
	ID          uuid.UUID
	Name        string
	Description string
	// Content is kept byte for byte.
	Content string
	Syntax  Syntax
	// Revision counts from 1; every change makes the next.
	Revision int
	// Author is the user who made this revision; "" for rows that others wrote.
	Author string
	// Created is when the template was made, Modified when this revision was, in UTC with microseconds. They are
	// zero in rows that others wrote without them.
	Created  time.Time
	Modified time.Time
	// Deleted is when it was moved to the trash; zero while it lives.
	Deleted time.Time
}

// InTrash tells whether the template is deleted.
func (t Template) InTrash() bool { return !t.Deleted.IsZero() }

// Draft is what the author of a template chooses.
type Draft struct {
	Name        string
	Description string
	Content     string
	Syntax      Syntax
}

// Draft gives the author's part of t.
func (t Template) Draft() Draft {
	return Draft{Name: t.Name, Description: t.Description, Content: t.Content, Syntax: t.Syntax}
}

// Change is one field of a Patch: absent, reset to its default, or a new value.
type Change struct {
	Present bool
	// Reset is set for JSON's null (RFC 7396).
	Reset bool
	Value string
}

// Patch is a partial change of a draft, as a JSON merge patch (RFC 7396) describes it.
type Patch struct{ Name, Description, Content, Syntax Change }

// apply gives the draft that the patch makes of d; an Invalid fault for a reset of the name, which has no default.
func (p Patch) apply(d Draft) (Draft, error) {
	if p.Name.Reset {
		return d, fault.InvalidAt("/name", "a template needs a name; it cannot be null")
	}
	set := func(field *string, c Change, standard string) {
		switch {
		case !c.Present:
		case c.Reset:
			*field = standard
		default:
			*field = c.Value
		}
	}
	syntax := string(d.Syntax)
	set(&d.Name, p.Name, "")
	set(&d.Description, p.Description, "")
	set(&d.Content, p.Content, "")
	set(&syntax, p.Syntax, string(Mustache))
	d.Syntax = Syntax(syntax)
	return d, nil
}

// The longest texts that new templates may have, in code points.
const (
	MaxName        = 200
	MaxDescription = 2000
)

// check gives the draft in its normal form (name trimmed, syntax set), or an Invalid fault with every broken rule.
// What is the same as in old is not checked again: rows that the seed's service left may break rules and must
// stay editable. old is nil for a new template.
func (d Draft) check(old *Draft, maxContent int) (Draft, error) {
	d.Name = strings.TrimSpace(d.Name)
	if d.Syntax == "" {
		d.Syntax = Mustache
	}
	var broken []fault.Violation
	add := func(pointer, format string, args ...any) {
		broken = append(broken, fault.Violation{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	if old == nil || d.Name != strings.TrimSpace(old.Name) {
		if why := checkText(d.Name, MaxName); why != "" {
			add("/name", "%s", why)
		} else if d.Name == "" {
			add("/name", "must have at least 1 character that is no space")
		} else if strings.ContainsFunc(d.Name, isControl) {
			add("/name", "must have no control characters")
		}
	} else {
		d.Name = old.Name
	}
	if old == nil || d.Description != old.Description {
		if why := checkText(d.Description, MaxDescription); why != "" {
			add("/description", "%s", why)
		}
	}
	syntaxKnown := d.Syntax == Mustache || d.Syntax == Plain
	if !syntaxKnown {
		add("/syntax", "must be %q or %q", Mustache, Plain)
	}
	if old == nil || d.Content != old.Content || d.Syntax != old.Syntax {
		switch {
		case len(d.Content) > maxContent:
			add("/content", "must have at most %d bytes, has %d", maxContent, len(d.Content))
		case !utf8.ValidString(d.Content):
			add("/content", "must be valid UTF-8")
		case strings.IndexByte(d.Content, 0) >= 0:
			add("/content", "must not contain the character NUL")
		case d.Syntax == Mustache:
			if _, err := mustache.Parse(d.Content); err != nil {
				add("/content", "%s", err.Error())
			}
		}
	}
	if broken != nil {
		return d, fault.Violations(broken)
	}
	return d, nil
}

// checkText says why a text, which may have so many code points, cannot be stored; "" when it can.
func checkText(text string, limit int) string {
	switch {
	case !utf8.ValidString(text):
		return "must be valid UTF-8"
	case strings.IndexByte(text, 0) >= 0:
		return "must not contain the character NUL"
	case utf8.RuneCountInString(text) > limit:
		return fmt.Sprintf("must have at most %d characters, has %d", limit, utf8.RuneCountInString(text))
	}
	return ""
}

// isControl holds for Unicode's category Cc.
func isControl(r rune) bool { return r < 0x20 || (r >= 0x7f && r < 0xa0) }

// ParseID reads a template's id: the 36 characters of a UUID (RFC 9562), in either case; a Malformed fault for any
// other text.
func ParseID(text string) (uuid.UUID, error) {
	if len(text) == 36 {
		if id, err := uuid.Parse(text); err == nil {
			return id, nil
		}
	}
	return uuid.UUID{}, fault.New(fault.Malformed, "the id is no UUID: 36 characters such as 0190a5d2-7c1e-7d35-9a51-3f1c5ad2b6e4 are expected")
}
