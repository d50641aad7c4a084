// Package otel follows requests with OpenTelemetry: a span for each request, and below it one for each statement sent to
// the database and each trip to Redis or Harper, sent to a collector by OTLP over HTTP.
//
// A span says what was done, how long it took and whether it failed, by codes. It never holds a credential, a query string,
// the content of a template, a value of a statement or the text of an error, which may quote one.
//
// Beside what Config says, the variables of the OpenTelemetry specification are read from the environment of the process:
// sampling, resource, limits, and how the collector is reached
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
package otel

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"bitbucket.org/templar/templar/ports"
)

const (
	// scope names what makes the spans of this package.
	scope = "bitbucket.org/templar/templar"
	// serviceName is service.name unless the environment says otherwise.
	serviceName = "templar"
	// longestValue bounds a text in a span, in bytes, unless the environment says otherwise.
	longestValue = 4 << 10

	// tracesEndpoint is a whole URL, used as it is; it wins over the base URL of all signals.
	tracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
)

// Config says where spans go.
type Config struct {
	// Endpoint is the base URL of an OTLP/HTTP collector, such as http://localhost:4318; spans are sent to v1/traces below
	// it. OTEL_EXPORTER_OTLP_TRACES_ENDPOINT in the environment wins.
	Endpoint string
	// Version is service.version.
	Version string
	// Warn is told what goes wrong with the traces, which is never more than their loss: that spans could not be sent, at
	// most once a minute, and what in the environment cannot be used, once. It holds no header and no span. nil for nobody.
	Warn func(error)
}

// Wanted tells whether traces are to be made, for an Endpoint that may be "": something says where they go, and neither
// OTEL_SDK_DISABLED=true nor OTEL_TRACES_EXPORTER=none is set.
func Wanted(endpoint string) bool {
	return (endpoint != "" || os.Getenv(tracesEndpoint) != "") &&
		!strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") && os.Getenv("OTEL_TRACES_EXPORTER") != "none"
}

// Tracing makes spans and sends them in the background. It is safe for concurrent use.
type Tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	exporter *reportingExporter
	headers  propagation.TextMapPropagator
	closed   sync.Once
}

var _ ports.Tracer = (*Tracing)(nil)

// Open makes a Tracing. The collector may be away. An error means that what Config or the environment says of the collector
// can never work. The Tracing must be closed.
//
// OpenTelemetry's own messages, which the process would write to standard error, go to Warn from then on.
func Open(c Config) (*Tracing, error) {
	if exporter := os.Getenv("OTEL_TRACES_EXPORTER"); exporter != "" && exporter != "otlp" {
		return nil, fmt.Errorf("OTEL_TRACES_EXPORTER=%.50q is not spoken: use otlp or none", exporter)
	}
	reports := newReporter(c.Warn)
	otel.SetErrorHandler(reports)
	otel.SetLogger(logr.New(reports))

	client, err := newClient(c.Endpoint)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptrace.New(context.Background(), client) // it connects to nothing
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	about, err := describe(c.Version)
	if err != nil {
		reports.Handle(err) // what could be told is told
	}
	t := &Tracing{exporter: &reportingExporter{SpanExporter: exporter, reports: reports}, headers: propagation.TraceContext{}}
	t.provider = sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithRawSpanLimits(limits()),
		sdktrace.WithSpanProcessor(newQueue(t.exporter)))
	t.tracer = t.provider.Tracer(scope, trace.WithInstrumentationVersion(c.Version), trace.WithSchemaURL(semconv.SchemaURL))
	return t, nil
}

// newClient makes the connection to the collector. What the environment says beside the endpoint, the library reads.
func newClient(base string) (otlptrace.Client, error) {
	if whole := os.Getenv(tracesEndpoint); whole != "" {
		if u, err := url.Parse(whole); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New(tracesEndpoint + " must be a URL such as http://localhost:4318/v1/traces, without user, password, '?' and '#'")
		}
		return otlptracehttp.NewClient(), nil
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("the collector's address is no URL: use one such as http://localhost:4318")
	}
	return otlptracehttp.NewClient(otlptracehttp.WithEndpointURL(u.JoinPath("v1", "traces").String())), nil
}

// describe tells what makes the spans: the environment wins over the name of the service and adds what it likes.
func describe(version string) (*resource.Resource, error) {
	return resource.New(context.Background(),
		resource.WithAttributes(semconv.ServiceName(serviceName), semconv.ServiceVersion(version)),
		resource.WithHost(), resource.WithTelemetrySDK(), resource.WithFromEnv())
}

// limits bound what one span holds. The environment wins.
func limits() sdktrace.SpanLimits {
	l := sdktrace.NewSpanLimits()
	if os.Getenv("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT") == "" && os.Getenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT") == "" {
		l.AttributeValueLengthLimit = longestValue
	}
	return l
}

// Close sends the spans that wait, until ctx ends: those that are left then are lost. No span is sent after it. It may be
// called more than once.
func (t *Tracing) Close(ctx context.Context) error {
	var err error
	t.closed.Do(func() {
		err = t.provider.Shutdown(ctx)
		if ctx.Err() != nil {
			err = errors.Join(err, t.exporter.Shutdown(ctx)) // breaks off what is under way
		}
	})
	if err != nil {
		return fmt.Errorf("the last spans could not be sent: %w", err)
	}
	return nil
}

// recording tells whether work under ctx gets spans: work that belongs to no request, or to one
// that was not sampled, gets none.
func recording(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }

// since turns how long something took, told at its end, into when it began and ended.
func since(took time.Duration) (began, ended time.Time) {
	ended = time.Now()
	return ended.Add(-took), ended
}
