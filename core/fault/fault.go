// Package fault says what can go wrong, in the domain's words. Every error that the core or an adapter hands to a
// caller is, or wraps, an *Error: its Kind decides what the caller may do about it, its Detail tells a person.
// Transports map kinds to their own codes in one place; nothing here knows HTTP or SQL.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind is what went wrong, as far as a caller can act on it.
type Kind uint8

const (
	// Internal is an unexpected failure: a bug, or a dependency that broke its word. Its text stays inside.
	Internal Kind = iota
	// Malformed is a request that cannot be understood at all: broken JSON, an id that is no UUID, a bad cursor.
	Malformed
	// Unauthenticated is a missing or unknown credential.
	Unauthenticated
	// Forbidden is a known caller that lacks the scope.
	Forbidden
	// NotFound is an object that does not exist, or lies in the trash.
	NotFound
	// Conflict is a clash with what is stored or running: an id that is taken, a request still in progress.
	Conflict
	// Stale is a failed precondition: the object is not at the revision that the caller named.
	Stale
	// TooLarge is a request over a size limit.
	TooLarge
	// Unsupported is a body in a media type that is not understood.
	Unsupported
	// Invalid is a well-formed request whose values break a rule; Violations name them.
	Invalid
	// Limited is a caller over its rate limit; RetryAfter says when to come back.
	Limited
	// Unavailable is a needed dependency that is down or full; trying later may work.
	Unavailable
)

var kindNames = [...]string{"internal", "malformed", "unauthenticated", "forbidden", "not found", "conflict",
	"stale", "too large", "unsupported", "invalid", "limited", "unavailable"}

// String is the kind's name in lower case, for logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Violation is one broken rule of an Invalid error.
type Violation struct {
	// Pointer is where: a JSON pointer (RFC 6901) into what was sent, "" for the whole.
	Pointer string
	// Detail is which rule, and what would be right.
	Detail string
}

// Error is a failure with a kind. The zero value is an Internal error without a text.
type Error struct {
	Kind Kind
	// Detail is told to the caller: what is wrong and what to do. Never a secret, never a driver's text.
	Detail string
	// Violations are set for Invalid.
	Violations []Violation
	// RetryAfter is set for Limited and may be set for Unavailable and Conflict; zero means no advice.
	RetryAfter time.Duration
	// Err is the cause, for logs only.
	Err error
}

// Error is the text for logs: detail, violations and cause.
func (e *Error) Error() string {
	text := e.Kind.String()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	for _, v := range e.Violations {
		text += "; " + v.Pointer + ": " + v.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a kind with a text for the caller.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of a kind around a cause; the text is for the caller, the cause for the log.
func Wrap(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...), Err: cause}
}

// InvalidAt makes an Invalid error with one violation.
func InvalidAt(pointer, format string, args ...any) *Error {
	return Violations([]Violation{{Pointer: pointer, Detail: fmt.Sprintf(format, args...)}})
}

// Violations makes an Invalid error of them; it must not be given an empty list.
func Violations(list []Violation) *Error {
	return &Error{Kind: Invalid, Detail: "the request breaks a rule; see errors", Violations: list}
}

// KindOf tells the kind of any error: that of the outermost *Error in its chain; Unavailable for a deadline
// that passed or a context that was cancelled; else Internal. It panics on nil, which has no kind.
func KindOf(err error) Kind {
	if err == nil {
		panic("fault: KindOf(nil)")
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unavailable
	}
	return Internal
}

// Is tells whether err is of the kind; nil is of none.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
