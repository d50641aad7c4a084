package httpapi

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/adapters/httpapi/apidoc"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// slugs is the one map from what can go wrong to what HTTP calls it; apidoc has the status and the page of each.
var slugs = map[fault.Kind]string{
	fault.Internal:        "internal",
	fault.Malformed:       "malformed-request",
	fault.Unauthenticated: "unauthenticated",
	fault.Forbidden:       "forbidden",
	fault.NotFound:        "not-found",
	fault.Conflict:        "conflict",
	fault.Stale:           "precondition-failed",
	fault.TooLarge:        "too-large",
	fault.Unsupported:     "unsupported-media-type",
	fault.Invalid:         "invalid",
	fault.Limited:         "rate-limited",
	fault.Unavailable:     "unavailable",
}

// Failures that only HTTP knows.
var (
	errNoRoute       = &protocolError{slug: "not-found", detail: "there is nothing at this path; see /docs for what there is"}
	errMethod        = &protocolError{slug: "method-not-allowed", detail: "this path does not take this method; see Allow"}
	errHeadersTooBig = &protocolError{slug: "headers-too-large", detail: "the request's headers are too large; 32 KiB and 100 fields are allowed"}
)

type protocolError struct{ slug, detail string }

func (e *protocolError) Error() string { return e.slug + ": " + e.detail }

const mediaProblem = "application/problem+json"

// problemDocument is an RFC 9457 problem.
type problemDocument struct {
	Type     string             `json:"type"`
	Title    string             `json:"title"`
	Status   int                `json:"status"`
	Detail   string             `json:"detail"`
	Instance string             `json:"instance"`
	Errors   []problemViolation `json:"errors,omitempty"`
	// Missing are the names that a rendering lacked.
	Missing []string `json:"missing,omitempty"`
}

type problemViolation struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// problemOf turns any error into what the world sees of it. Unknown ones become a 500 that tells nothing.
func problemOf(err error) (problemDocument, time.Duration) {
	var slug, detail string
	var violations []problemViolation
	var retryAfter time.Duration

	var domain *fault.Error
	var protocol *protocolError
	var routing *echo.HTTPError
	switch {
	case errors.As(err, &protocol):
		slug, detail = protocol.slug, protocol.detail
	case errors.As(err, &routing):
		switch routing.Code {
		case http.StatusNotFound:
			slug, detail = errNoRoute.slug, errNoRoute.detail
		case http.StatusMethodNotAllowed:
			slug, detail = errMethod.slug, errMethod.detail
		default:
			slug = "internal"
		}
	default:
		kind := fault.KindOf(err)
		slug = slugs[kind]
		if errors.As(err, &domain) && kind != fault.Internal {
			detail, retryAfter = domain.Detail, domain.RetryAfter
			for _, v := range domain.Violations {
				violations = append(violations, problemViolation(v))
			}
		}
		if kind == fault.Unavailable && retryAfter == 0 {
			retryAfter = time.Second
		}
		if kind == fault.Unavailable && detail == "" {
			detail = "the request took too long, or something that the service needs is away; try again"
		}
	}
	known, ok := apidoc.ProblemBySlug(slug)
	if !ok {
		known, _ = apidoc.ProblemBySlug("internal")
	}
	if known.Slug == "internal" {
		detail = "something went wrong inside; the log has more under the id of this request"
	}
	return problemDocument{Type: known.Type(), Title: known.Title, Status: known.Status, Detail: detail, Errors: violations,
		Missing: missingNames(err)}, retryAfter
}

// writeProblem answers err as a problem document and tells the status.
func (a *API) writeProblem(c echo.Context, err error) int {
	problem, retryAfter := problemOf(err)
	problem.Instance = c.Response().Header().Get(echo.HeaderXRequestID)
	header := c.Response().Header()
	// What a handler meant to say of its success is not true of the failure.
	for _, name := range []string{"ETag", "Last-Modified", echo.HeaderLocation, echo.HeaderContentLength} {
		header.Del(name)
	}
	header.Set(echo.HeaderCacheControl, "no-store")
	if retryAfter > 0 {
		header.Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(retryAfter.Seconds()))))
	}
	if problem.Status == http.StatusUnauthorized {
		challenge := `Bearer realm="templar"`
		if !errors.Is(err, auth.ErrMissing) {
			challenge += `, error="invalid_token"`
		}
		header.Add(echo.HeaderWWWAuthenticate, challenge)
		header.Add(echo.HeaderWWWAuthenticate, `ApiKey realm="templar", header="X-API-KEY"`)
	}
	header.Set(echo.HeaderContentType, mediaProblem)
	_ = c.JSON(problem.Status, problem) // keeps the Content-Type; a client that went away is told nothing
	return problem.Status
}
