package otel

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel/attribute"
	metrics "go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// SQL puts a span around every statement that a request sends through a driver: those of the service, their preparation on
// a connection that has not seen them, and the beginning and end of transactions. system is db.system.name, such as
// postgresql. Texts of statements are told, values are not. Statements that belong to no request make no span.
func (t *Tracing) SQL(system string, inner driver.Connector) driver.Connector {
	wrapped := otelsql.WrapDriver(connected{inner},
		otelsql.WithTracerProvider(discreet{t.provider}), otelsql.WithMeterProvider(metrics.NewMeterProvider()),
		otelsql.WithAttributes(semconv.DBSystemNameKey.String(system)),
		otelsql.WithSpanNameFormatter(func(_ context.Context, method otelsql.Method, query string) string { return summary(method, query) }),
		otelsql.WithAttributesGetter(func(_ context.Context, method otelsql.Method, query string, _ []driver.NamedValue) []attribute.KeyValue {
			text := summary(method, query)
			operation, _, _ := strings.Cut(text, " ")
			return []attribute.KeyValue{semconv.DBOperationName(operation), semconv.DBQuerySummary(text)}
		}),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			DisableErrSkip: true, OmitConnResetSession: true, OmitRows: true, OmitConnectorConnect: true,
			SpanFilter: func(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
				return recording(ctx)
			},
		}))
	// The driver that otelsql makes of one with contexts has them too, and makes its connectors without an error.
	outer, _ := wrapped.(driver.DriverContext).OpenConnector("")
	return outer
}

// connected is a connector in the form of a driver, which is all that otelsql takes.
type connected struct{ driver.Connector }

// Open implements driver.Driver. database/sql prefers OpenConnector.
func (c connected) Open(string) (driver.Conn, error) { return c.Connect(context.Background()) }

// OpenConnector implements driver.DriverContext.
func (c connected) OpenConnector(string) (driver.Connector, error) { return c.Connector, nil }

// longestTarget bounds the name of a table in a summary.
const longestTarget = 100

// summary says in a few words what is done: the statement's first word and the first table that it names, such as SELECT
// templates. The texts are of this project, so there are few.
func summary(method otelsql.Method, query string) string {
	switch method {
	case otelsql.MethodConnBeginTx:
		return "BEGIN"
	case otelsql.MethodTxCommit:
		return "COMMIT"
	case otelsql.MethodTxRollback:
		return "ROLLBACK"
	case otelsql.MethodConnPrepare:
		return "PREPARE " + summarize(query)
	}
	return summarize(query)
}

func summarize(query string) string {
	first, before := "", ""
	for word := range strings.FieldsSeq(query) {
		upper := strings.ToUpper(word)
		if first == "" {
			first = upper
		}
		switch before {
		case "FROM", "INTO", "UPDATE", "TABLE":
			name, _, _ := strings.Cut(word, "(")
			if name = strings.Trim(name, `",;)`); name != "" && len(name) <= longestTarget {
				return first + " " + name
			}
		}
		before = strings.TrimLeft(upper, "(")
	}
	if first == "" || len(first) > longestTarget {
		return "SQL"
	}
	return first
}

// discreet gives otelsql spans that tell errors by their codes: the texts of databases quote values.
type discreet struct{ trace.TracerProvider }

// Tracer implements trace.TracerProvider.
func (d discreet) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return discreetTracer{d.TracerProvider.Tracer(name, options...)}
}

type discreetTracer struct{ trace.Tracer }

// Start implements trace.Tracer.
func (d discreetTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	ctx, span := d.Tracer.Start(ctx, name, options...)
	return ctx, discreetSpan{span}
}

type discreetSpan struct{ trace.Span }

// RecordError implements trace.Span.
func (d discreetSpan) RecordError(err error, _ ...trace.EventOption) { d.SetAttributes(causes(err)...) }
