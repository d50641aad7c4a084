package otel

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

const (
	// reportPause is the least time between two warnings that spans were lost.
	reportPause = time.Minute
	// longestReport bounds the text of a warning, in bytes.
	longestReport = 500
	// mostOddities bounds how many different warnings of OpenTelemetry itself are passed on.
	mostOddities = 20
)

// reporter passes on what goes wrong with the traces, now and then. It takes the place of OpenTelemetry's handler of errors
// and of its log.
type reporter struct {
	warn func(error)
	now  func() time.Time

	mu   sync.Mutex
	lost int       // spans since the last report
	next time.Time // when there may be another
	odd  map[string]bool
}

func newReporter(warn func(error)) *reporter {
	if warn == nil {
		warn = func(error) {}
	}
	return &reporter{warn: warn, now: time.Now, odd: map[string]bool{}}
}

// failed notes that some spans could not be sent.
func (r *reporter) failed(spans int, err error) {
	r.mu.Lock()
	r.lost += spans
	lost, now := r.lost, r.now()
	if now.Before(r.next) {
		r.mu.Unlock()
		return
	}
	r.lost, r.next = 0, now.Add(reportPause)
	r.mu.Unlock()
	r.warn(fmt.Errorf("%d spans could not be sent and are lost: %s", lost, plain(err)))
}

// plain is the text of an error without what a collector answered, which may be long and may repeat what it was sent.
func plain(err error) string {
	text, _, _ := strings.Cut(err.Error(), "body: ")
	return bounded(strings.TrimRight(text, " (:"))
}

func bounded(text string) string {
	if len(text) > longestReport {
		return strings.ToValidUTF8(text[:longestReport], "") + "..."
	}
	return text
}

// Handle implements otel.ErrorHandler: it tells each thing once.
func (r *reporter) Handle(err error) {
	if err == nil {
		return
	}
	text := bounded(err.Error())
	r.mu.Lock()
	told := r.odd[text] || len(r.odd) >= mostOddities
	if !told {
		r.odd[text] = true
	}
	r.mu.Unlock()
	if !told {
		r.warn(errors.New(text))
	}
}

// Init implements logr.LogSink.
func (*reporter) Init(logr.RuntimeInfo) {}

// Enabled implements logr.LogSink: what is no error is not wanted.
func (*reporter) Enabled(int) bool { return false }

// Info implements logr.LogSink.
func (*reporter) Info(int, string, ...any) {}

// Error implements logr.LogSink. The values that come with an error are left out: they may be headers.
func (r *reporter) Error(err error, message string, _ ...any) {
	var escape url.EscapeError // quotes the value of a header
	if err == nil || errors.As(err, &escape) {
		r.Handle(errors.New(message))
		return
	}
	r.Handle(fmt.Errorf("%s: %w", message, err))
}

// WithValues implements logr.LogSink.
func (r *reporter) WithValues(...any) logr.LogSink { return r }

// WithName implements logr.LogSink.
func (r *reporter) WithName(string) logr.LogSink { return r }
