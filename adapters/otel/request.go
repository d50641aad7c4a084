package otel

import (
	"context"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"bitbucket.org/templar/templar/ports"
)

// serverSpan is shared by all requests.
var serverSpan = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}

// Begin implements ports.Tracer, by the semantic conventions for HTTP
// (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
func (t *Tracing) Begin(ctx context.Context, r ports.TracedRequest) (context.Context, ports.Span) {
	method := r.Method
	if !knownMethod(method) {
		method = "HTTP" // whatever a client thinks of must not become a name
	}
	name := method
	if r.Route != "" {
		name += " " + r.Route
	}
	header := http.Header(r.Header)
	ctx, span := t.tracer.Start(t.headers.Extract(ctx, propagation.HeaderCarrier(header)), name, serverSpan...)
	if span.IsRecording() {
		attributes := make([]attribute.KeyValue, 0, 7)
		if method == r.Method {
			attributes = append(attributes, semconv.HTTPRequestMethodKey.String(method))
		} else {
			attributes = append(attributes, semconv.HTTPRequestMethodOther, semconv.HTTPRequestMethodOriginal(r.Method))
		}
		attributes = append(attributes, semconv.URLPath(r.Path), semconv.URLScheme(r.Scheme), semconv.ClientAddress(r.Address))
		if r.Route != "" {
			attributes = append(attributes, semconv.HTTPRoute(r.Route))
		}
		if agent := header.Get("User-Agent"); agent != "" {
			attributes = append(attributes, semconv.UserAgentOriginal(agent))
		}
		span.SetAttributes(attributes...)
	}
	return ctx, requestSpan{span}
}

// knownMethod tells whether a method is one of RFC 9110 or RFC 5789.
func knownMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return true
	}
	return false
}

// requestSpan is a ports.Span.
type requestSpan struct{ span trace.Span }

// TraceID implements ports.Span.
func (s requestSpan) TraceID() string { return s.span.SpanContext().TraceID().String() }

// End implements ports.Span. A status below 500 is no error of a server, whatever the client did wrong.
func (s requestSpan) End(status int, failure string) {
	if s.span.IsRecording() {
		s.span.SetAttributes(semconv.HTTPResponseStatusCode(status))
		if failure == "" && status >= http.StatusInternalServerError {
			failure = strconv.Itoa(status)
		}
		if failure != "" {
			s.span.SetAttributes(semconv.ErrorTypeKey.String(failure))
			s.span.SetStatus(codes.Error, "")
		}
	}
	s.span.End()
}
