// Package httpapi is Templar's REST interface: Echo, and nothing of Echo leaves it. It turns requests into calls of
// the services and faults into problem documents; rules live in the core.
package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"go.uber.org/zap"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
)

// Meter is told what happens, for metrics. Every method is called on the way of a request and must not block.
type Meter interface {
	// Began and Ended frame a request; route is the pattern, "" for none.
	Began()
	Ended(method, route string, status int, took time.Duration)
	// RateLimited counts an answer of 429.
	RateLimited()
	// Rendered counts a rendering.
	Rendered()
	// AuthFailed counts a request that was not let in.
	AuthFailed(reason string)
}

// Config is what an API is made of.
type Config struct {
	Templates  *template.Service
	Characters *character.Service
	Keys       *auth.Service
	// Limiter counts requests by user and failed authentications by address.
	Limiter ports.Limiter
	// Sealer signs the cursors of key lists.
	Sealer *page.Sealer
	// AccessLog is told of every request; nil for nobody. It may not keep what it is given.
	AccessLog func(*Access)
	Meter     Meter
	// Tracer makes a span of every request; nil for no traces.
	Tracer ports.Tracer
	// Metrics serves /metrics; nil where it is off or on a listener of its own.
	Metrics http.Handler
	// Ready tells whether requests can be served; an error is shown to nobody.
	Ready func() error
	// Await is Ready for a request, which may wait a moment for it while the service starts, as long as its context lets it.
	Await func(context.Context) error
	// Stopping tells that the process is about to end; readiness says so.
	Stopping func() bool
	// Checks are what /readyz asks. The one named "database" decides; any other that fails is only a degradation.
	Checks []Check
	// DefaultRate is requests a minute for users whose key does not say; 0 means no limit.
	DefaultRate int
	// MaxContent bounds a template's content, in bytes.
	MaxContent int
	// CORSOrigins may read answers from a browser; empty for none.
	CORSOrigins []string
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Version is shown at /.
	Version string
}

// Check is one part of readiness.
type Check struct {
	Name  string
	Probe ports.Probe
}

// API serves the routes.
type API struct {
	config Config
	echo   *echo.Echo
	routes []Route
	// documented has the documented form of every pattern.
	documented map[string]string
	// policy is the RateLimit-Policy of everybody who has no rate of their own.
	policy  []string
	handler http.Handler
}

// New makes an API.
func New(config Config) (*API, error) {
	a := &API{config: config, echo: echo.New(), documented: map[string]string{}, policy: []string{policy(config.DefaultRate)}}
	e := a.echo
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientAddress(config.TrustedProxies)
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if !c.Response().Committed {
			a.writeProblem(c, err)
		}
	}
	e.Use(a.observe)
	if len(config.CORSOrigins) > 0 {
		e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
			AllowOrigins: config.CORSOrigins,
			AllowMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
			AllowHeaders: []string{echo.HeaderAuthorization, apiKeyHeader, echo.HeaderContentType, "If-Match", "If-None-Match",
				"Idempotency-Key", echo.HeaderXRequestID, echo.HeaderCacheControl, "traceparent"},
			ExposeHeaders: []string{"ETag", echo.HeaderLocation, "Link", echo.HeaderLastModified, echo.HeaderXRequestID,
				"RateLimit", "RateLimit-Policy", echo.HeaderRetryAfter, "Idempotency-Replayed"},
			MaxAge: 600,
		}))
	}
	e.Use(a.check)

	r := &routes{echo: e}
	(&templateHandlers{service: config.Templates, bodyLimit: bodyLimit(config.MaxContent)}).routes(r)
	(&renderHandlers{service: config.Templates, meter: config.Meter}).routes(r)
	(&revisionHandlers{service: config.Templates}).routes(r)
	(&bulkHandlers{service: config.Templates, maxLine: MaxLine(config.MaxContent)}).routes(r)
	(&characterHandlers{service: config.Characters}).routes(r)
	(&sheetHandlers{characters: config.Characters, templates: config.Templates, meter: config.Meter}).routes(r)
	(&rollHandlers{service: config.Characters}).routes(r)
	(&ruleHandlers{documents: ruleDocuments()}).routes(r)
	(&keyHandlers{service: config.Keys, sealer: config.Sealer, defaultRate: config.DefaultRate}).routes(r)
	(&operatingHandlers{config: &a.config}).routes(r)
	a.routes = r.list
	for _, route := range e.Routes() {
		a.documented[route.Path] = documentedPath(route.Path)
	}

	var err error
	a.handler, err = compressed(e)
	return a, err
}

// bodyLimit is what content of that many bytes can need in a JSON body: each byte up to six (\u0001), and 64 KiB for
// the other fields.
func bodyLimit(maxContent int) int64 { return 6*int64(maxContent) + smallBody }

// MaxLine is the longest line of an import, in bytes, where content may have that many.
func MaxLine(maxContent int) int { return int(bodyLimit(maxContent)) }

// Handler serves every route.
func (a *API) Handler() http.Handler { return a.handler }

// Route is a method and a path pattern that the API serves.
type Route struct{ Method, Path string }

// Routes lists what the API serves, with parameters as {name}; a test holds the OpenAPI document against it.
func (a *API) Routes() []Route { return a.routes }

// routes registers handlers, HEAD beside every GET.
type routes struct {
	echo *echo.Echo
	list []Route
}

func (r *routes) handle(method, path string, h echo.HandlerFunc) {
	r.echo.Add(method, path, h)
	r.list = append(r.list, Route{Method: method, Path: documentedPath(path)})
	if method == http.MethodGet {
		r.echo.Add(http.MethodHead, path, h)
		r.list = append(r.list, Route{Method: http.MethodHead, Path: documentedPath(path)})
	}
}

// clientAddress tells who calls: the peer, or what trusted proxies say of it.
func clientAddress(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, prefix := range trusted {
		options = append(options, echo.TrustIPRange(&net.IPNet{
			IP:   net.IP(prefix.Addr().AsSlice()),
			Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// NewServer gives a server for a handler with a bound on everything that a client can draw out: headers 5 s and
// 1 MiB (less is allowed by the API itself, with an answer that says so), the whole request 30 s, the answer 60 s,
// an idle connection 2 minutes.
func NewServer(handler http.Handler, log *zap.Logger) *http.Server {
	quiet, _ := zap.NewStdLogAt(log, zap.DebugLevel) // fails only for unknown levels
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    1 << 20,
		ErrorLog:          quiet,
	}
}
