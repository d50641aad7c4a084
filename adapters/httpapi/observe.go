package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// observe frames every request: its id and trace, its time limit, its problem document when it fails, its log line
// and its metrics.
func (a *API) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		a.config.Meter.Began()
		request, response := c.Request(), c.Response()

		header := response.Header()
		id := requestID(request.Header.Get(echo.HeaderXRequestID))
		header.Set(echo.HeaderXRequestID, id)
		header.Set(echo.HeaderXContentTypeOptions, "nosniff")

		if !isBulk(c.Path()) {
			limit := beginWork(c)
			defer limit.end()
		}

		err := refuseOversizedHeaders(request.Header)
		if err == nil {
			err = protect(next, c)
		}
		if err != nil && !response.Committed {
			a.writeProblem(c, err)
		}

		took := time.Since(began)
		a.config.Meter.Ended(request.Method, documentedPath(c.Path()), response.Status, took)
		a.logRequest(c, id, traceID(request.Header.Get("traceparent")), took, err)
		if errors.Is(err, errBrokenOff) {
			panic(http.ErrAbortHandler) // net/http then breaks the connection, without a word in the log
		}
		return nil
	}
}

// errBrokenOff marks the failure of an answer that had begun: only the end of the connection can tell the client that
// it is not whole.
var errBrokenOff = errors.New("the answer was broken off")

// protect turns a panic into an error with its stack, for the log.
func protect(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
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

// logRequest writes the access log: a failure of the service as ERROR, everything else as INFO.
func (a *API) logRequest(c echo.Context, id, trace string, took time.Duration, failure error) {
	response := c.Response()
	level := zapcore.InfoLevel
	if failure != nil && response.Status < http.StatusBadRequest || response.Status >= http.StatusInternalServerError && response.Status != http.StatusServiceUnavailable {
		level = zapcore.ErrorLevel
	}
	entry := a.accessLog.Check(level, "request")
	if entry == nil {
		return
	}
	entry.Caller = accessLogCaller
	fields := make([]zap.Field, 0, 12)
	fields = append(fields,
		zap.String("request_id", id),
		zap.String("trace_id", trace),
		zap.String("method", c.Request().Method),
		zap.String("path", c.Request().URL.Path),
		zap.String("route", documentedPath(c.Path())),
		zap.Int("status", response.Status),
		zap.Int64("bytes", response.Size),
		zap.Duration("took", took),
		zap.String("address", c.RealIP()),
	)
	if caller := auth.From(c.Request().Context()); caller != nil {
		fields = append(fields, zap.String("user", caller.User))
	}
	if failure != nil && (response.Status >= http.StatusInternalServerError || level == zapcore.ErrorLevel) {
		fields = append(fields, zap.String("error", causeOf(failure)))
	}
	entry.Write(fields...)
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

// accessLogCaller is where access log lines come from; looked up once, because it never changes.
var accessLogCaller = func() zapcore.EntryCaller {
	pc, file, line, ok := runtime.Caller(0)
	return zapcore.EntryCaller{Defined: ok, PC: pc, File: file, Line: line}
}()

// requestID keeps a sane id that the client brought, else makes one.
func requestID(given string) string {
	if given == "" || len(given) > 128 {
		return uuid.NewString()
	}
	for _, b := range []byte(given) {
		sane := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-_.:", b) >= 0
		if !sane {
			return uuid.NewString()
		}
	}
	return given
}

// traceID takes up the trace of a W3C traceparent (version 00 or later), else starts one.
func traceID(traceparent string) string {
	const zeros = "00000000000000000000000000000000"
	parts := strings.SplitN(traceparent, "-", 5)
	if len(parts) >= 4 && len(parts[0]) == 2 && parts[0] != "ff" && isHex(parts[0]) && len(parts[1]) == 32 && isHex(parts[1]) &&
		parts[1] != zeros && len(parts[2]) == 16 && isHex(parts[2]) && parts[2] != zeros[:16] && (parts[0] != "00" || len(parts) == 4) {
		return parts[1]
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
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
