package httpapi

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/adapters/httpapi/apidoc"
	"bitbucket.org/templar/templar/core/fault"
)

// operatingHandlers serve what needs no credential.
type operatingHandlers struct{ config *Config }

func (h *operatingHandlers) routes(r *routes) {
	r.handle(http.MethodGet, "/", h.index)
	r.handle(http.MethodGet, "/livez", h.live)
	r.handle(http.MethodGet, "/readyz", h.ready)
	if h.config.Metrics != nil {
		r.handle(http.MethodGet, "/metrics", echo.WrapHandler(h.config.Metrics))
	}
	r.handle(http.MethodGet, "/openapi.yaml", document("application/yaml", apidoc.YAML))
	r.handle(http.MethodGet, "/openapi.json", document(mediaJSON, apidoc.JSON))
	r.handle(http.MethodGet, "/problems/:slug", h.problem)
	r.handle(http.MethodGet, "/docs", docFile("index.html"))
	r.handle(http.MethodGet, "/docs/", docFile("index.html"))
	r.handle(http.MethodGet, "/docs/:file", func(c echo.Context) error { return docFile(c.Param("file"))(c) })
}

// docFile serves one file of the page to try the API.
func docFile(name string) echo.HandlerFunc {
	return func(c echo.Context) error {
		file, ok := apidoc.File(name)
		if !ok {
			return errNoRoute
		}
		file.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}

// prefersHTML tells a browser from a program by its Accept.
func prefersHTML(c echo.Context) bool {
	return strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "text/html")
}

// html answers a page under a policy that lets it load nothing but the service's own files.
func html(c echo.Context, body []byte) error {
	c.Response().Header().Set(echo.HeaderContentSecurityPolicy, apidoc.ContentSecurityPolicy)
	return c.Blob(http.StatusOK, "text/html; charset=utf-8", body)
}

// index tells what runs here.
func (h *operatingHandlers) index(c echo.Context) error {
	c.Response().Header().Add(echo.HeaderVary, echo.HeaderAccept)
	if prefersHTML(c) {
		return html(c, apidoc.Landing(h.config.Version, c.Scheme()+"://"+c.Request().Host))
	}
	return c.JSON(http.StatusOK, struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Docs    string `json:"docs"`
		OpenAPI string `json:"openapi"`
	}{"Templar", h.config.Version, "/docs", "/openapi.yaml"})
}

// problem explains a type of problem document.
func (h *operatingHandlers) problem(c echo.Context) error {
	problem, ok := apidoc.ProblemBySlug(c.Param("slug"))
	if !ok {
		return errNoRoute
	}
	c.Response().Header().Add(echo.HeaderVary, echo.HeaderAccept)
	if prefersHTML(c) {
		return html(c, problem.HTML())
	}
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", problem.Text())
}

// documentedPath is a route's pattern as the OpenAPI document writes it: {name} for a parameter; "" for no route.
func documentedPath(pattern string) string {
	if !strings.Contains(pattern, ":") {
		return pattern
	}
	parts := strings.Split(pattern, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

// document serves bytes that never change while the process runs, and that may be made when they are first asked for.
func document(mediaType string, body func() []byte) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=300")
		return c.Blob(http.StatusOK, mediaType, body())
	}
}

func (h *operatingHandlers) live(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// probeTimeout bounds each check of readiness.
const probeTimeout = time.Second

// readiness is the answer of /readyz while requests can be served.
type readiness struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

// unreadiness is a problem document that tells the checks too.
type unreadiness struct {
	problemDocument
	Checks map[string]string `json:"checks"`
}

func (h *operatingHandlers) ready(c echo.Context) error {
	checks, unavailable := h.check(c.Request().Context())
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if unavailable != "" {
		problem, _ := problemOf(fault.New(fault.Unavailable, "%s", unavailable))
		problem.Instance = c.Response().Header().Get(echo.HeaderXRequestID)
		c.Response().Header().Set(echo.HeaderRetryAfter, "1")
		c.Response().Header().Set(echo.HeaderContentType, mediaProblem)
		return c.JSON(problem.Status, unreadiness{problem, checks})
	}
	answer := readiness{Status: "ok", Checks: checks}
	for _, state := range checks {
		if state != "ok" {
			answer.Status = "degraded"
		}
	}
	return c.JSON(http.StatusOK, answer)
}

// check asks everything at once, and says why requests cannot be served; "" when they can.
func (h *operatingHandlers) check(ctx context.Context) (checks map[string]string, unavailable string) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	failures := make([]error, len(h.config.Checks))
	var running sync.WaitGroup
	for i, check := range h.config.Checks {
		running.Go(func() { failures[i] = check.Probe.Ping(ctx) })
	}
	running.Wait()

	checks = map[string]string{}
	for i, check := range h.config.Checks {
		switch {
		case failures[i] == nil:
			checks[check.Name] = "ok"
		case check.Name == "database":
			checks[check.Name], unavailable = "down", "the database cannot be reached"
		default:
			checks[check.Name] = "degraded"
		}
	}
	switch {
	case h.config.Stopping():
		unavailable = "the service is stopping"
	case unavailable == "" && h.config.Ready() != nil:
		checks["database"], unavailable = "down", "the schema of the database is not in place yet"
	}
	return checks, unavailable
}
