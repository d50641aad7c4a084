package ports

import "context"

// Tracer follows requests through the service, so that a collector can show where each spent its time. It is on the way
// of every request: it never waits and never fails.
type Tracer interface {
	// Begin begins the span of a request: it continues the trace that the request's headers name, or starts one. The
	// context that it gives carries the span; work done under it becomes part of the trace.
	Begin(ctx context.Context, r TracedRequest) (context.Context, Span)
}

// TracedRequest is what a Tracer is told of a request when it begins. It must not keep the headers, nor pass on any but
// those of the trace itself (https://www.w3.org/TR/trace-context/) and User-Agent.
type TracedRequest struct {
	// Method is the request's. Route is the pattern that its path matched, such as /v1/templates/{id}; "" for none.
	Method, Route string
	// Path is what was asked for, without the query. Scheme is http or https.
	Path, Scheme string
	// Address is the client's.
	Address string
	// Header has the request's header fields by their canonical names.
	Header map[string][]string
}

// Span is the part of a trace that one request takes. It must be ended, once.
type Span interface {
	// TraceID is the id of the trace, 32 hexadecimal digits, also when nothing is recorded of it.
	TraceID() string
	// End tells how the request was answered: the HTTP status, and in a word what went wrong inside, "" for nothing.
	// The word is one of a few; it is never the text of an error.
	End(status int, failure string)
}
