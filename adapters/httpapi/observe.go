package httpapi

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/ports"
)

// observe frames every request: its id, its span, its time limit, its problem document when it fails, its log line and
// its metrics.
func (a *API) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		a.config.Meter.Began()
		request, response := c.Request(), c.Response()

		header := response.Header()
		id := requestID(request.Header[headerRequestID])
		header[echo.HeaderXContentTypeOptions] = noSniff

		limit := requestTimeout
		if isBulk(c.Path()) {
			limit = 0
		}
		route := a.documented[c.Path()]
		connection := request.Context()
		var span ports.Span
		if a.config.Tracer != nil {
			connection, span = a.config.Tracer.Begin(connection, traced(c, route))
		}
		work := beginWork(connection, c, began, limit)
		defer work.end()
		header[headerRequestID] = work.one(id)

		err := refuseOversizedHeaders(request.Header)
		if err == nil {
			err = protect(next, c)
		}
		if err != nil && !response.Committed {
			a.writeProblem(c, err)
		}

		ended := time.Now()
		took := ended.Sub(began)
		if span != nil {
			span.End(response.Status, failureName(response.Status, err))
		}
		a.config.Meter.Ended(request.Method, route, response.Status, took)
		if a.config.AccessLog != nil {
			access := &work.access
			access.RequestID, access.Route, access.Ended, access.Took = id, route, ended, took
			if span != nil {
				access.TraceID = span.TraceID()
			}
			a.logRequest(c, access, err)
		}
		if errors.Is(err, errBrokenOff) {
			panic(http.ErrAbortHandler) // net/http then breaks the connection, without a word in the log
		}
		return nil
	}
}

// headerRequestID is X-Request-ID as net/http spells the keys of headers.
var headerRequestID = http.CanonicalHeaderKey(echo.HeaderXRequestID)

// noSniff and its like below are shared by all answers: net/http does not change what it is given.
var noSniff = []string{"nosniff"}

// errBrokenOff marks the failure of an answer that had begun: only the end of the connection can tell the client that
// it is not whole.
var errBrokenOff = errors.New("the answer was broken off")

// errPanic marks a panic of a handler.
var errPanic = errors.New("panic")

// protect turns a panic into an error with its stack, for the log.
func protect(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
		}
	}()
	return next(c)
}

// maxHeaderFields and maxHeaderBytes are what a request may bring in headers.
const (
	maxHeaderFields = 100
	maxHeaderBytes  = 32 << 10
)

func refuseOversizedHeaders(header http.Header) error {
	fields, size := 0, 0
	for name, values := range header {
		for _, value := range values {
			fields++
			size += len(name) + len(value)
		}
	}
	if fields > maxHeaderFields || size > maxHeaderBytes {
		return errHeadersTooBig
	}
	return nil
}

// Access is what the access log says of a request.
type Access struct {
	RequestID, TraceID string
	// Path is what was asked for, Route its pattern, "" for none.
	Method, Path, Route string
	Status              int
	// Bytes are those of the body that was sent.
	Bytes int64
	// Ended is when the answer was written, Took how long that was after the request came.
	Ended time.Time
	Took  time.Duration
	// Address is the client's, User the caller's name, "" for nobody.
	Address, User string
	// Failure is what went wrong inside, for answers that are the service's own fault or temporary; "" for all others.
	Failure string
	// Broken marks a failure of the service itself: it is to be logged as an error.
	Broken bool
}

// traced is what a Tracer is told of a request.
func traced(c echo.Context, route string) ports.TracedRequest {
	request := c.Request()
	scheme := "http"
	if request.TLS != nil {
		scheme = "https"
	}
	return ports.TracedRequest{
		Method: request.Method, Route: route, Path: request.URL.Path, Scheme: scheme, Address: c.RealIP(), Header: request.Header,
	}
}

// failureName says in a word what went wrong inside, for a span; "" where nothing did.
func failureName(status int, err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errPanic):
		return "panic"
	case errors.Is(err, errBrokenOff), status < http.StatusBadRequest:
		return "broken_off" // the answer had begun
	case status < http.StatusInternalServerError:
		return ""
	}
	return fault.KindOf(err).String()
}

// logRequest completes the line about a request and writes it: a failure of the service as an error.
func (a *API) logRequest(c echo.Context, access *Access, failure error) {
	request, response := c.Request(), c.Response()
	if access.TraceID == "" {
		access.TraceID = traceID(request.Header["Traceparent"])
	}
	access.Method, access.Path, access.Address = request.Method, request.URL.Path, c.RealIP()
	access.Status, access.Bytes = response.Status, response.Size
	access.Broken = failure != nil && response.Status < http.StatusBadRequest ||
		response.Status >= http.StatusInternalServerError && response.Status != http.StatusServiceUnavailable
	if caller := auth.From(request.Context()); caller != nil {
		access.User = caller.User
	}
	if failure != nil && (response.Status >= http.StatusInternalServerError || access.Broken) {
		access.Failure = causeOf(failure)
	}
	a.config.AccessLog(access)
}

// causeOf is the text of a failure for the log. Faults of the core and the adapters hold no content of templates and
// no credentials.
func causeOf(err error) string {
	var domain *fault.Error
	if errors.As(err, &domain) {
		return domain.Error()
	}
	return err.Error()
}

// requestID keeps a sane id that the client brought, else makes one.
func requestID(given []string) string {
	if len(given) == 0 || given[0] == "" || len(given[0]) > 128 {
		return newID()
	}
	for _, b := range []byte(given[0]) {
		sane := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-_.:", b) >= 0
		if !sane {
			return newID()
		}
	}
	return given[0]
}

// newID makes a version 4 UUID. It tells requests apart and protects nothing, so it needs no secret randomness.
func newID() string {
	var id uuid.UUID
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// traceID takes up the trace of a W3C traceparent (version 00 or later), else starts one.
func traceID(traceparent []string) string {
	const zeros = "00000000000000000000000000000000"
	if len(traceparent) > 0 {
		parts := strings.SplitN(traceparent[0], "-", 5)
		if len(parts) >= 4 && len(parts[0]) == 2 && parts[0] != "ff" && isHex(parts[0]) && len(parts[1]) == 32 && isHex(parts[1]) &&
			parts[1] != zeros && len(parts[2]) == 16 && isHex(parts[2]) && parts[2] != zeros[:16] && (parts[0] != "00" || len(parts) == 4) {
			return parts[1]
		}
	}
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()|1) // an id of zeros is none
	return hex.EncodeToString(id[:])
}

func isHex(text string) bool {
	for _, b := range []byte(text) {
		if hex := b >= '0' && b <= '9' || b >= 'a' && b <= 'f'; !hex {
			return false
		}
	}
	return true
}
