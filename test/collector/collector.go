// Package collector is an OpenTelemetry collector for tests: it takes spans by OTLP over HTTP and keeps them.
package collector

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span that came.
type Span struct {
	// Name and Kind (such as SPAN_KIND_SERVER) are the span's.
	Name, Kind string
	// TraceID, ID and Parent are in hexadecimal digits; Parent is "" for none.
	TraceID, ID, Parent string
	// Attributes and Resource have numbers and truths as texts.
	Attributes, Resource map[string]string
	// Failed is set for the status Error, whose text is Message.
	Failed  bool
	Message string
	// Events counts the span's events.
	Events int
	// Began and Ended are when.
	Began, Ended time.Time
}

// Arrival is one request of a client.
type Arrival struct {
	Path   string
	Header http.Header
	// Body is what was sent, without compression.
	Body []byte
}

// Collector is a running collector. It is safe for concurrent use.
type Collector struct {
	// URL is the base URL.
	URL string

	mu       sync.Mutex
	arrivals []Arrival
	spans    []Span
	refuse   int
	answer   string
}

// New starts a collector that ends with the test.
func New(tb testing.TB) *Collector {
	tb.Helper()
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(w, r); err != nil {
			tb.Errorf("what was sent to the collector cannot be read: %v", err)
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	tb.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) error {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return err
		}
		body = unzipped
	}
	sent, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var request collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(sent, &request); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrivals = append(c.arrivals, Arrival{Path: r.URL.Path, Header: r.Header.Clone(), Body: sent})
	if c.refuse != 0 {
		http.Error(w, c.answer, c.refuse)
		return nil
	}
	for _, resource := range request.GetResourceSpans() {
		about := texts(resource.GetResource().GetAttributes())
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, spanOf(s, about))
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	return nil
}

func spanOf(s *tracepb.Span, about map[string]string) Span {
	return Span{
		Name: s.GetName(), Kind: s.GetKind().String(),
		TraceID: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Attributes: texts(s.GetAttributes()), Resource: about,
		Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR, Message: s.GetStatus().GetMessage(), Events: len(s.GetEvents()),
		Began: time.Unix(0, int64(s.GetStartTimeUnixNano())), Ended: time.Unix(0, int64(s.GetEndTimeUnixNano())),
	}
}

func texts(attributes []*commonpb.KeyValue) map[string]string {
	all := make(map[string]string, len(attributes))
	for _, a := range attributes {
		switch v := a.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			all[a.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			all[a.GetKey()] = strconv.FormatInt(v.IntValue, 10)
		case *commonpb.AnyValue_BoolValue:
			all[a.GetKey()] = strconv.FormatBool(v.BoolValue)
		default:
			all[a.GetKey()] = a.GetValue().String()
		}
	}
	return all
}

// Refuse has every request from now on answered with that status and text; 0 takes spans again.
func (c *Collector) Refuse(status int, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse, c.answer = status, text
}

// Spans gives what has come so far, in the order of its coming.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Arrivals gives the requests that have come so far, the refused ones too.
func (c *Collector) Arrivals() []Arrival {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.arrivals)
}
