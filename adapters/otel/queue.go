package otel

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// errFull is why spans are lost that were never tried to be sent.
var errFull = errors.New("more spans waited than the collector takes in time")

// queue bounds the spans that wait to be sent, and counts those that found no room: the batching processor of the SDK,
// which sends them, drops them without a word.
type queue struct {
	sdktrace.SpanProcessor
	exporter *reportingExporter
	most     int64
}

func newQueue(exporter *reportingExporter) *queue {
	most := sdktrace.DefaultMaxQueueSize
	if asked, err := strconv.Atoi(os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE")); err == nil && asked > 0 {
		most = asked
	}
	// What waits here is in the processor's queue or in the batch that it sends, so its queue has always room.
	return &queue{sdktrace.NewBatchSpanProcessor(exporter, sdktrace.WithMaxQueueSize(most)), exporter, int64(most)}
}

// OnEnd implements sdktrace.SpanProcessor. It never waits.
func (q *queue) OnEnd(s sdktrace.ReadOnlySpan) {
	if q.exporter.waiting.Add(1) > q.most {
		q.exporter.waiting.Add(-1)
		q.exporter.reports.failed(1, errFull)
		return
	}
	q.SpanProcessor.OnEnd(s)
}

// reportingExporter reports what could not be sent. Nobody else could do anything about it.
type reportingExporter struct {
	sdktrace.SpanExporter
	reports *reporter
	// waiting counts the spans that are in the queue or under way.
	waiting atomic.Int64
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *reportingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	defer e.waiting.Add(-int64(len(spans)))
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.reports.failed(len(spans), err)
	}
	return nil
}
