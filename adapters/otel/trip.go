package otel

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Trip gives a function that makes a span of a trip to a server after it ended. system is db.system.name, such as redis;
// the function is told the context of the call that the trip was made for, the name of what was done, how long it took and
// what came of it. Trips that belong to no request make no span.
func (t *Tracing) Trip(system string) func(ctx context.Context, operation string, took time.Duration, err error) {
	name := semconv.DBSystemNameKey.String(system)
	return func(ctx context.Context, operation string, took time.Duration, err error) {
		if !recording(ctx) {
			return
		}
		began, ended := since(took)
		_, span := t.tracer.Start(ctx, system+" "+operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(began),
			trace.WithAttributes(name, semconv.DBOperationName(operation)))
		if err != nil {
			span.SetAttributes(causes(err)...)
			span.SetStatus(codes.Error, "")
		}
		span.End(trace.WithTimestamp(ended))
	}
}

// causes tell an error of a database by its code: its text may quote what was stored.
func causes(err error) []attribute.KeyValue {
	if errors.Is(err, context.Canceled) {
		return []attribute.KeyValue{semconv.ErrorTypeKey.String("canceled")}
	}
	code := codeOf(err)
	switch {
	case code != "":
		return []attribute.KeyValue{semconv.ErrorTypeKey.String(code), semconv.DBResponseStatusCode(code)}
	case errors.Is(err, context.DeadlineExceeded):
		return []attribute.KeyValue{semconv.ErrorTypeKey.String("timeout")}
	}
	return []attribute.KeyValue{semconv.ErrorTypeOther}
}

// codeOf is the code that a server gave with an error: an SQLSTATE, a number of SQLite, or the first word of what Redis
// says, such as CLUSTERDOWN; "" for none.
func codeOf(err error) string {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState()
	}
	var number interface{ Code() int }
	if errors.As(err, &number) {
		return strconv.Itoa(number.Code())
	}
	var redis interface{ IsMoved() (string, bool) }
	if errors.As(err, &redis) {
		word, _, _ := strings.Cut(err.Error(), " ")
		if len(word) <= 32 && word == strings.ToUpper(word) {
			return word
		}
	}
	return ""
}
