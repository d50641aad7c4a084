package httpapi

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/adapters/httpapi/apidoc"
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
	r.handle(http.MethodGet, "/openapi.yaml", document("application/yaml", apidoc.YAML()))
	r.handle(http.MethodGet, "/openapi.json", document(mediaJSON, apidoc.JSON()))
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
	c.Response().Header().Set(echo.HeaderVary, echo.HeaderAccept)
	if prefersHTML(c) {
		return html(c, apidoc.Landing(h.config.Version, c.Scheme()+"://"+c.Request().Host))
	}
	return c.JSON(http.StatusOK, struct {
		Name          string `json:"name"`
		Version       string `json:"version"`
		Documentation string `json:"documentation"`
		OpenAPI       string `json:"openapi"`
		Readiness     string `json:"readiness"`
	}{"templar", h.config.Version, "/docs", "/openapi.yaml", "/readyz"})
}

// problem explains a type of problem document.
func (h *operatingHandlers) problem(c echo.Context) error {
	problem, ok := apidoc.ProblemBySlug(c.Param("slug"))
	if !ok {
		return errNoRoute
	}
	c.Response().Header().Set(echo.HeaderVary, echo.HeaderAccept)
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

// document serves bytes that never change while the process runs.
func document(mediaType string, body []byte) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=300")
		return c.Blob(http.StatusOK, mediaType, body)
	}
}

func (h *operatingHandlers) live(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// probeTimeout bounds each check of readiness.
const probeTimeout = time.Second

// readiness is the answer of /readyz.
type readiness struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

func (h *operatingHandlers) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), probeTimeout)
	defer cancel()
	failures := make([]error, len(h.config.Checks))
	var running sync.WaitGroup
	for i, check := range h.config.Checks {
		running.Go(func() { failures[i] = check.Probe.Ping(ctx) })
	}
	running.Wait()

	answer, status := readiness{Status: "ok", Checks: map[string]string{}}, http.StatusOK
	for i, check := range h.config.Checks {
		switch {
		case failures[i] == nil:
			answer.Checks[check.Name] = "ok"
		case check.Name == "database":
			answer.Checks[check.Name] = "unavailable"
			answer.Status, status = "unavailable", http.StatusServiceUnavailable
		default:
			answer.Checks[check.Name] = "degraded"
			if status == http.StatusOK {
				answer.Status = "degraded"
			}
		}
	}
	if h.config.Ready != nil && h.config.Ready() != nil && status == http.StatusOK {
		answer.Status, status = "unavailable", http.StatusServiceUnavailable
	}
	if h.config.Stopping != nil && h.config.Stopping() {
		answer.Status, status = "stopping", http.StatusServiceUnavailable
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if status != http.StatusOK {
		c.Response().Header().Set(echo.HeaderRetryAfter, "1")
	}
	return c.JSON(status, answer)
}
