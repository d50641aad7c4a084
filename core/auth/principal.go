// Package auth knows who calls and what they may do: credentials, scopes, keys and the principal that they make.
package auth

import (
	"context"
	"time"

	"bitbucket.org/templar/templar/core/fault"
)

// DefaultRate is a Principal's Rate when its credential does not set one: the service's default applies.
const DefaultRate = -1

// Principal is who calls, as its credential proved.
type Principal struct {
	// User is the name that changes are signed with and limits are counted by.
	User string
	// Scopes are the rights held, sorted.
	Scopes []Scope
	// Expires is when the credential ends; zero means never.
	Expires time.Time
	// Rate is requests a minute; 0 means no limit, DefaultRate the service's default.
	Rate int
}

// May tells whether the principal holds the scope.
func (p *Principal) May(scope Scope) bool {
	for _, held := range p.Scopes {
		if held == scope {
			return true
		}
	}
	return false
}

type principalKey struct{}

// With gives a context that carries the principal.
func With(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// IsKey tells whether key is what From asks a context for: one that is made of a struct may keep its *Principal there, and
// spare the one that With makes.
func IsKey(key any) bool { return key == principalKey{} }

// From gives the principal that ctx carries, nil without one.
func From(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

// Require gives the principal of ctx when it holds the scope; else an Unauthenticated or Forbidden fault.
func Require(ctx context.Context, scope Scope) (*Principal, error) {
	p := From(ctx)
	if p == nil {
		return nil, fault.New(fault.Unauthenticated, "a credential is needed")
	}
	if !p.May(scope) {
		return nil, fault.New(fault.Forbidden, "the scope %s is needed", scope)
	}
	return p, nil
}
