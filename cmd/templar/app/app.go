// Package app puts Templar together: it is the one place where the configuration meets the adapters.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"bitbucket.org/templar/templar/adapters/httpapi"
	"bitbucket.org/templar/templar/adapters/otel"
	"bitbucket.org/templar/templar/adapters/prometheus"
	"bitbucket.org/templar/templar/config"
	"bitbucket.org/templar/templar/ports"
)

// Output is where an App writes to; nil fields mean the process's own streams.
type Output struct {
	// Log takes a line an event.
	Log io.Writer
	// Greeting takes the first API key of an embedded database, once.
	Greeting io.Writer
}

// App is a whole service: New builds it and listens, Run serves until its context ends, Close lets go of everything.
type App struct {
	config   *config.Config
	output   Output
	logs     *logs
	log      *zap.Logger // the events of logs
	metrics  *prometheus.Metrics
	traces   *otel.Tracing // nil where there are none
	services *Services

	listeners []listener
	began     time.Time
	prepared  chan struct{} // closed when the schema is in place
	stopping  atomic.Bool
}

// listener is one address that is served.
type listener struct {
	net.Listener
	server *http.Server
}

// New builds the service and binds its addresses. Database and Redis may be away.
func New(c *config.Config, output Output) (*App, error) {
	if output.Log == nil {
		output.Log = os.Stderr
	}
	if output.Greeting == nil {
		output.Greeting = os.Stdout
	}
	a := &App{config: c, output: output, logs: newLogs(c.Log, output.Log), metrics: prometheus.New(Version()), began: time.Now(), prepared: make(chan struct{})}
	a.log = a.logs.events
	for _, warning := range c.Warnings {
		a.log.Warn(warning)
	}
	if err := a.build(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) build() error {
	c := a.config
	err := a.listen()
	if err != nil {
		return err
	}
	if err = a.openTraces(); err != nil {
		return err
	}
	a.services, err = OpenServices(c, a.observers())
	if err != nil {
		return err
	}
	s := a.services
	if s.Stores.Warning != "" {
		a.log.Warn(s.Stores.Warning)
	}
	if s.Stores.Stats != nil {
		a.metrics.Pool(s.Stores.Stats)
	}
	checks := []httpapi.Check{{Name: "database", Probe: s.Stores.Probe}}
	if s.Redis != nil {
		checks = append(checks, httpapi.Check{Name: "redis", Probe: s.Redis})
	}
	var metricsPage http.Handler
	if c.Metrics.Enabled && c.Metrics.Address == "" {
		metricsPage = a.metrics.Handler()
	}
	var tracer ports.Tracer // nil, and not a nil in it
	if a.traces != nil {
		tracer = a.traces
	}
	api, err := httpapi.New(httpapi.Config{
		Templates: s.Templates, Characters: s.Characters, Keys: s.Keys, Limiter: s.Limiter, Sealer: s.Sealer, AccessLog: a.logs.access, Meter: a.metrics, Tracer: tracer,
		Metrics: metricsPage, Ready: a.ready, Await: a.await, Stopping: a.stopping.Load, Checks: checks,
		DefaultRate: c.Auth.DefaultRate, MaxContent: int(c.Content.MaxBytes),
		CORSOrigins: c.HTTP.CORSOrigins, TrustedProxies: c.HTTP.TrustedProxies, Version: Version(),
	})
	if err != nil {
		return err
	}
	a.listeners[0].server.Handler = api.Handler()
	return nil
}

func (a *App) redisChanged(up bool, err error) {
	if up {
		a.log.Info("Redis is reachable")
		return
	}
	a.log.Warn("Redis is away: keys of the database, tokens, reads and writes go on; each instance keeps limits by itself", zap.Error(err))
}

// listen binds the addresses: that of the API first, and those of metrics and profiles where they have their own. Who
// connects from now on waits for Run.
func (a *App) listen() error {
	c := a.config
	if err := a.bind("HTTP_HOST and HTTP_PORT", net.JoinHostPort(c.HTTP.Host, strconv.Itoa(c.HTTP.Port)), nil); err != nil {
		return err
	}
	if c.HTTP.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.HTTP.TLSCert, c.HTTP.TLSKey)
		if err != nil {
			return fmt.Errorf("TLS_CERT and TLS_KEY: %w", err)
		}
		a.listeners[0].server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	}
	if c.Metrics.Enabled && c.Metrics.Address != "" {
		page := http.NewServeMux()
		page.Handle("GET /metrics", a.metrics.Handler())
		if err := a.bind("METRICS_ADDR", c.Metrics.Address, page); err != nil {
			return err
		}
	}
	if c.Profiling.Address != "" {
		page := http.NewServeMux()
		page.HandleFunc("/debug/pprof/", pprof.Index)
		page.HandleFunc("/debug/pprof/profile", pprof.Profile)
		page.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		page.HandleFunc("/debug/pprof/trace", pprof.Trace)
		if err := a.bind("PPROF_ADDR", c.Profiling.Address, page); err != nil {
			return err
		}
	}
	return nil
}

// bind takes the address that a variable names.
func (a *App) bind(variable, address string, handler http.Handler) error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	a.listeners = append(a.listeners, listener{httpapi.Listener(l), httpapi.NewServer(handler, a.log)})
	return nil
}

// Prepared is closed when the database is there and its schema in place, and so all that only a start does has been done.
func (a *App) Prepared() <-chan struct{} { return a.prepared }

// URL is where the API is served; on this machine, where it is served on all addresses.
func (a *App) URL() string {
	scheme := "http://"
	if a.config.HTTP.TLSCert != "" {
		scheme = "https://"
	}
	address := a.listeners[0].Addr().(*net.TCPAddr)
	if address.IP.IsUnspecified() {
		return scheme + net.JoinHostPort("localhost", strconv.Itoa(address.Port))
	}
	return scheme + address.String()
}

// ready tells why requests cannot be served yet.
func (a *App) ready() error {
	select {
	case <-a.prepared:
		return nil
	default:
		return errNotPrepared
	}
}

// firstMoment is how long after the start requests wait for the database instead of being refused: whoever tells clients
// of a new instance may be faster than its first connection.
const firstMoment = 2 * time.Second

// await waits for ready while the first moment lasts.
func (a *App) await(ctx context.Context) error {
	err := a.ready()
	patience := time.Duration(0)
	if err != nil {
		patience = time.Until(a.began.Add(firstMoment))
	}
	if patience <= 0 {
		return err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-a.prepared:
	case <-timer.C:
	case <-ctx.Done():
	}
	return a.ready()
}

var errNotPrepared = errors.New("the schema is not in place yet")

// Run serves until ctx ends; then readiness turns 503, running requests end within SHUTDOWN_TIMEOUT, and it returns nil.
// A listener that breaks ends it with an error.
func (a *App) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.work(background)
	}()

	failed := make(chan error, len(a.listeners))
	for _, l := range a.listeners {
		go func() {
			if l.server.TLSConfig != nil {
				failed <- l.server.ServeTLS(l, "", "")
				return
			}
			failed <- l.server.Serve(l)
		}()
	}
	a.log.Info("serving", zap.String("url", a.URL()), zap.String("version", Version()),
		zap.String("engine", string(a.config.Database.Engine)), zap.Bool("redis", a.services.Redis != nil))

	var err error
	select {
	case err = <-failed:
		a.log.Error("a listener broke", zap.Error(err))
	case <-ctx.Done():
		a.log.Info("stopping: running requests may end", zap.Duration("timeout", a.config.HTTP.ShutdownTimeout))
	}
	err = errors.Join(err, a.drain())
	stop()
	<-done
	a.log.Info("stopped")
	return err
}

// notice is how long the API still takes requests after readiness turned 503, so that balancers see it first.
const notice = time.Second

func (a *App) drain() error {
	timeout := a.config.HTTP.ShutdownTimeout
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	a.stopping.Store(true)
	for _, l := range a.listeners {
		l.server.SetKeepAlivesEnabled(false)
	}
	time.Sleep(min(notice, timeout/4))
	var errs []error
	for _, l := range a.listeners {
		if err := l.server.Shutdown(ctx); err != nil {
			a.log.Warn("requests were cut off at the end of SHUTDOWN_TIMEOUT", zap.String("address", l.Addr().String()))
			errs = append(errs, l.server.Close())
		}
	}
	return errors.Join(errs...)
}

// Close lets go of the database, Redis and the addresses, whether Run was called or not.
func (a *App) Close() error {
	var errs []error
	for _, l := range a.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if a.services != nil {
		errs = append(errs, a.services.Close())
	}
	a.closeTraces()
	a.logs.close()
	return errors.Join(errs...)
}
