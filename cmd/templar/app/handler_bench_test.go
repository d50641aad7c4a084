package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/config"
)

// sink is an answer that goes nowhere.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// BenchmarkHandler is what the service adds to net/http: requests by its handler, with everything on, over the stores in
// memory and without a network.
func BenchmarkHandler(b *testing.B) {
	environment := map[string]string{"DB_ENGINE": "memory", "HTTP_PORT": "0", "API_TOKENS": "b3ArerT0ken", "DEFAULT_RATE_LIMIT": "1000000000", "PROMETHEUS_ENABLED": "True"}
	c, err := config.Load(nil, func(name string) (string, bool) { value, ok := environment[name]; return value, ok }, filepath.Join(b.TempDir(), ".env"))
	if err != nil {
		b.Fatal(err)
	}
	a, err := New(c, Output{Log: io.Discard, Greeting: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- a.Run(ctx) }()
	defer func() {
		stop()
		<-ended
		_ = a.Close()
	}()
	for a.ready() != nil {
		time.Sleep(time.Millisecond)
	}
	handler := a.listeners[0].server.Handler

	request := func(method, path, body string) *http.Request {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer b3ArerT0ken")
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		return r
	}
	create := func(content string) string {
		body, _ := json.Marshal(map[string]string{"name": "b", "content": content})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request("POST", "/v1/templates", string(body)))
		var made struct{ TemplateID string }
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 201 {
			b.Fatal(w.Code, w.Body)
		}
		return "/v1/templates/" + made.TemplateID
	}
	mail, data := "", map[string]string{}
	for i := range 20 {
		mail += fmt.Sprintf("Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod %d <br>\n<p>{{field%d}}</p>\n", i, i)
		data[fmt.Sprintf("field%d", i)] = fmt.Sprintf("value number %d of O'Neill & Sons", i)
	}
	var values strings.Builder
	encoder := json.NewEncoder(&values)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]any{"data": data}); err != nil {
		b.Fatal(err)
	}
	for name, one := range map[string]struct{ method, path, body string }{
		"get 600 bytes":  {"GET", create(strings.Repeat("Hello name, your order is on its way. ", 16)[:600]), ""},
		"get 2300 bytes": {"GET", create(mail), ""},
		"render":         {"POST", create(mail) + "/render", values.String()},
	} {
		b.Run(name, func(b *testing.B) {
			r := request(one.method, one.path, one.body)
			body := bytes.NewReader(nil)
			b.ReportAllocs()
			for b.Loop() {
				body.Reset([]byte(one.body))
				r.Body = io.NopCloser(body)
				w := &sink{header: http.Header{}}
				handler.ServeHTTP(w, r)
				if w.status != 200 {
					b.Fatal(w.status)
				}
			}
		})
	}
}
