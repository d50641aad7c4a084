package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/config"
)

// BenchmarkTraces measures a read from the cache, without a network: with no traces, with traces of which none is sampled,
// and with all of them sampled and sent.
func BenchmarkTraces(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer collector.Close()
	for _, c := range []struct{ name, endpoint, sampler string }{
		{"off", "", ""},
		{"sampled out", collector.URL, "always_off"},
		{"one of a hundred", collector.URL, "parentbased_traceidratio"},
		{"all", collector.URL, "always_on"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.Setenv("OTEL_TRACES_SAMPLER", c.sampler)
			b.Setenv("OTEL_TRACES_SAMPLER_ARG", "0.01")
			settings := map[string]string{"DB_ENGINE": "memory", "HTTP_PORT": "0", "API_TOKENS": "token-of-a-benchmark", "DEFAULT_RATE_LIMIT": "0",
				"OTEL_EXPORTER_OTLP_ENDPOINT": c.endpoint}
			loaded, err := config.Load(nil, func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, "")
			if err != nil {
				b.Fatal(err)
			}
			a, err := New(loaded, Output{Log: io.Discard, Greeting: io.Discard})
			if err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := a.Close(); err != nil {
					b.Error(err)
				}
			}()
			if !a.prepare(b.Context()) {
				b.Fatal("not prepared")
			}
			handler := a.listeners[0].server.Handler
			serve := func(method, path, body string) *httptest.ResponseRecorder {
				request := httptest.NewRequest(method, path, strings.NewReader(body))
				request.Header.Set("Authorization", "Bearer token-of-a-benchmark")
				request.Header.Set("Content-Type", "application/json")
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, request)
				return answer
			}
			made := serve("POST", "/v1/templates", `{"name": "a", "content": "Hello"}`)
			path := made.Header().Get("Location")
			if made.Code != http.StatusCreated || path == "" {
				b.Fatalf("%d %s", made.Code, made.Body)
			}
			b.ReportAllocs()
			for b.Loop() {
				if answer := serve("GET", path, ""); answer.Code != http.StatusOK {
					b.Fatalf("%d %s", answer.Code, answer.Body)
				}
			}
		})
	}
}
