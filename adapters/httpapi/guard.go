package httpapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/ports"
)

const apiKeyHeader = "X-API-KEY"

var (
	errTwoCredentials error = fault.New(fault.Malformed, "there must be one credential: either X-API-KEY or Authorization, once")
	errNotBearer      error = fault.New(fault.Unauthenticated, "the Authorization must be Bearer <token>")
)

// wholePath refuses paths that Echo finds a route for only because the last parameter of a pattern takes slashes too.
func wholePath(c echo.Context) error {
	given := c.Request().URL
	path := given.Path // holds as many slashes as were sent, unless RawPath tells of others
	if given.RawPath != "" {
		path = given.EscapedPath()
	}
	if pattern := c.Path(); pattern != "" && strings.Count(pattern, "/") != strings.Count(path, "/") {
		return errNoRoute
	}
	return nil
}

// check lets a request through to its handler when its caller may call and its path is one.
func (a *API) check(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := a.guard(c); err != nil {
			return err
		}
		if err := wholePath(c); err != nil {
			return err
		}
		if answered, err := fixedPath(c); answered {
			return err
		}
		return next(c)
	}
}

// guard refuses requests under /v1 that bring no good credential or are over their rate.
func (a *API) guard(c echo.Context) error {
	request := c.Request()
	if path := request.URL.Path; path != "/v1" && !strings.HasPrefix(path, "/v1/") {
		return nil
	}
	ctx := request.Context()
	if err := a.config.Await(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the service is starting or its database is away; try again")
	}
	caller, err := a.authenticate(ctx, request.Header["X-Api-Key"], request.Header["Authorization"])
	if err != nil {
		return a.refuse(ctx, c, err)
	}
	rate := caller.Rate
	if rate == auth.DefaultRate {
		rate = a.config.DefaultRate
	}
	permit := a.config.Limiter.Take(ctx, "user:"+caller.User, rate)
	a.showPermit(c, permit)
	if !permit.Granted {
		a.config.Meter.RateLimited()
		return limited(permit)
	}
	workOf(c).admit(caller)
	return nil
}

func (a *API) authenticate(ctx context.Context, keys, authorizations []string) (*auth.Principal, error) {
	switch {
	case len(keys)+len(authorizations) > 1:
		return nil, errTwoCredentials
	case len(keys) == 1:
		return a.config.Keys.AuthenticateKey(ctx, strings.TrimSpace(keys[0]))
	case len(authorizations) == 1:
		scheme, token, _ := strings.Cut(strings.TrimSpace(authorizations[0]), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil, errNotBearer
		}
		return a.config.Keys.AuthenticateBearer(ctx, strings.TrimSpace(token))
	}
	return nil, auth.ErrMissing
}

// refuse counts a failed authentication against the client's address, and answers 429 instead once there were too
// many. A good credential never comes here, whatever its address did.
func (a *API) refuse(ctx context.Context, c echo.Context, err error) error {
	a.config.Meter.AuthFailed(failureReason(err))
	if !fault.Is(err, fault.Unauthenticated) {
		return err
	}
	permit := a.config.Limiter.Take(ctx, "address:"+network(c.RealIP()), a.config.DefaultRate)
	if permit.Granted {
		return err
	}
	a.showPermit(c, permit)
	a.config.Meter.RateLimited()
	return limited(permit)
}

func failureReason(err error) string {
	switch {
	case errors.Is(err, auth.ErrMissing):
		return "missing"
	case errors.Is(err, auth.ErrExpired):
		return "expired"
	case errors.Is(err, errTwoCredentials):
		return "ambiguous"
	case errors.Is(err, errNotBearer):
		return "scheme"
	case fault.Is(err, fault.Unavailable):
		return "unavailable"
	}
	return "unknown"
}

// network is what failed authentications are counted by: an IPv4 address, or the /64 that an IPv6 host can choose
// its addresses from.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// showPermit tells the state of the limit (draft-ietf-httpapi-ratelimit-headers); nothing where there is none.
func (a *API) showPermit(c echo.Context, p ports.Permit) {
	if p.Limit == 0 {
		return
	}
	header, work := c.Response().Header(), workOf(c)
	header["Ratelimit-Policy"] = a.policy
	if p.Limit != a.config.DefaultRate {
		header["Ratelimit-Policy"] = work.one(policy(p.Limit))
	}
	var text [64]byte
	state := strconv.AppendInt(append(text[:0], `"default";r=`...), int64(p.Remaining), 10)
	state = strconv.AppendInt(append(state, ";t="...), int64(wholeSeconds(p.Reset)), 10)
	header["Ratelimit"] = work.one(string(state))
}

func policy(limit int) string { return `"default";q=` + strconv.Itoa(limit) + ";w=60" }

// wholeSeconds rounds up: a client that waits that long is let in.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func limited(p ports.Permit) error {
	return &fault.Error{Kind: fault.Limited, RetryAfter: max(p.RetryAfter, time.Second),
		Detail: fmt.Sprintf("more than %d requests a minute; try again after the seconds that Retry-After tells", p.Limit)}
}
