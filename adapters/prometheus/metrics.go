// Package prometheus keeps Templar's metrics and shows them in the Prometheus text format. Names and units follow
// Prometheus' conventions: seconds, bytes, counters that end in _total.
package prometheus

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Metrics are the metrics of one process. All methods are safe for concurrent use and cheap.
type Metrics struct {
	set      *metrics.Set
	inFlight atomic.Int64

	rateLimited *metrics.Counter
	rendered    *metrics.Counter
	cacheHits   *metrics.Counter
	cacheMisses *metrics.Counter

	requests   requestMetersBySeries
	queries    sync.Map // string → *metrics.PrometheusHistogram
	commands   sync.Map // string → *metrics.PrometheusHistogram
	authFailed sync.Map // string → *metrics.Counter
}

// Bounds of the histograms, in seconds: a cached read takes 20 µs, the longest request 5 s.
var (
	requestBounds = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}
	storeBounds   = []float64{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}
)

// New makes empty metrics; version names the build in build_info.
func New(version string) *Metrics {
	metrics.ExposeMetadata(true) // the types of metrics; for the whole process, which has no other page
	m := &Metrics{set: metrics.NewSet()}
	m.rateLimited = m.set.NewCounter("rate_limited_total")
	m.rendered = m.set.NewCounter("templates_rendered_total")
	m.cacheHits = m.set.NewCounter(`cache_requests_total{result="hit"}`)
	m.cacheMisses = m.set.NewCounter(`cache_requests_total{result="miss"}`)
	m.set.NewGauge("http_requests_in_flight", func() float64 { return float64(m.inFlight.Load()) })
	m.set.NewGauge(fmt.Sprintf("build_info{version=%q,goversion=%q}", version, runtime.Version()), func() float64 { return 1 })
	return m
}

// Write shows all metrics, those of the process and the Go runtime included.
func (m *Metrics) Write(w io.Writer) {
	var page bytes.Buffer
	m.set.WritePrometheus(&page)
	metrics.WriteProcessMetrics(&page)
	metrics.WriteFDMetrics(&page)
	_, _ = w.Write(tidy(page.Bytes())) // whoever asked is gone
}

// Handler serves Write.
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		m.Write(w)
	})
}

type requestSeries struct {
	method, route string
	status        int
}

type requestMeters struct {
	count    *metrics.Counter
	duration *metrics.PrometheusHistogram
}

// Began counts a request in.
func (m *Metrics) Began() { m.inFlight.Add(1) }

// Ended counts a request out. Methods that HTTP does not define share one series, so that clients cannot make series.
func (m *Metrics) Ended(method, route string, status int, took time.Duration) {
	m.inFlight.Add(-1)
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
	default:
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	both := m.requests.get(requestSeries{method, route, status}, m.newRequestMeters)
	both.count.Inc()
	both.duration.Update(took.Seconds())
}

func (m *Metrics) newRequestMeters(s requestSeries) *requestMeters {
	labels := fmt.Sprintf("{method=%q,route=%q,status=%q}", s.method, s.route, strconv.Itoa(s.status))
	return &requestMeters{
		count:    m.set.GetOrCreateCounter("http_requests_total" + labels),
		duration: m.set.GetOrCreatePrometheusHistogramExt("http_request_duration_seconds"+labels, requestBounds),
	}
}

// requestMetersBySeries is a map that is read for every request and hardly ever grows: it is copied when it does, so
// that readers need neither a lock nor, as with sync.Map, memory for the key.
type requestMetersBySeries struct {
	known atomic.Pointer[map[requestSeries]*requestMeters]
	mu    sync.Mutex
}

func (r *requestMetersBySeries) get(s requestSeries, create func(requestSeries) *requestMeters) *requestMeters {
	if known := r.known.Load(); known != nil {
		if both, ok := (*known)[s]; ok {
			return both
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	grown := map[requestSeries]*requestMeters{}
	if known := r.known.Load(); known != nil {
		maps.Copy(grown, *known)
	}
	if grown[s] == nil {
		grown[s] = create(s)
	}
	r.known.Store(&grown)
	return grown[s]
}

// RateLimited counts an answer of 429.
func (m *Metrics) RateLimited() { m.rateLimited.Inc() }

// Rendered counts a rendering.
func (m *Metrics) Rendered() { m.rendered.Inc() }

// AuthFailed counts a request that was not let in; reasons are a small fixed set.
func (m *Metrics) AuthFailed(reason string) {
	counter, ok := m.authFailed.Load(reason)
	if !ok {
		counter, _ = m.authFailed.LoadOrStore(reason, m.set.GetOrCreateCounter(fmt.Sprintf("auth_failures_total{reason=%q}", reason)))
	}
	counter.(*metrics.Counter).Inc()
}

// Query observes a database query by its name.
func (m *Metrics) Query(name string, took time.Duration, _ error) {
	m.observe(&m.queries, "db_query_duration_seconds", "query", name, took)
}

// Command observes a Redis command by its name.
func (m *Metrics) Command(name string, took time.Duration, _ error) {
	m.observe(&m.commands, "redis_command_duration_seconds", "command", name, took)
}

func (m *Metrics) observe(known *sync.Map, metric, label, value string, took time.Duration) {
	histogram, ok := known.Load(value)
	if !ok {
		histogram, _ = known.LoadOrStore(value,
			m.set.GetOrCreatePrometheusHistogramExt(fmt.Sprintf("%s{%s=%q}", metric, label, value), storeBounds))
	}
	histogram.(*metrics.PrometheusHistogram).Update(took.Seconds())
}

// Pool shows the state of a database's connection pool as db_pool_*.
func (m *Metrics) Pool(stats func() sql.DBStats) {
	gauge := func(name string, value func(sql.DBStats) float64) {
		m.set.NewGauge("db_pool_"+name, func() float64 { return value(stats()) })
	}
	gauge("open_connections", func(s sql.DBStats) float64 { return float64(s.OpenConnections) })
	gauge("in_use_connections", func(s sql.DBStats) float64 { return float64(s.InUse) })
	gauge("idle_connections", func(s sql.DBStats) float64 { return float64(s.Idle) })
	gauge("max_connections", func(s sql.DBStats) float64 { return float64(s.MaxOpenConnections) })
	gauge("waits_total", func(s sql.DBStats) float64 { return float64(s.WaitCount) })
	gauge("wait_seconds_total", func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() })
}

// Latency makes a gauge of how long the last probe took, in seconds: NaN before the first and after one that failed.
// The returned function is told each result.
func (m *Metrics) Latency(name string) func(took time.Duration, err error) {
	var bits atomic.Uint64
	bits.Store(math.Float64bits(math.NaN()))
	m.set.NewGauge(name, func() float64 { return math.Float64frombits(bits.Load()) })
	return func(took time.Duration, err error) {
		seconds := took.Seconds()
		if err != nil {
			seconds = math.NaN()
		}
		bits.Store(math.Float64bits(seconds))
	}
}
