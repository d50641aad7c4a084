// Package walk goes through the README's first walk against a running service, to see that a deployment works: an image
// that was just built, a job that was just rolled out, a stage that was just deployed to.
package walk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Service is a running Templar.
type Service struct {
	// URL is where it serves, without a slash at its end.
	URL string
	// Header and Value are the credential: X-API-KEY and a key, or Authorization and "Bearer …". It needs
	// templates:read and templates:write.
	Header, Value string
	// Client sends the requests; nil is one with a time-out of 10 seconds.
	Client *http.Client
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s Service) do(ctx context.Context, method, path, body string, headers ...string) (*answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if s.Header != "" {
		request.Header.Set(s.Header, s.Value)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := s.Client
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	return &answer{response.StatusCode, response.Header, string(bytes.TrimSpace(read))}, nil
}

// WaitReady asks /readyz until it is 200 or ctx ends; then the error holds the last answer.
func (s Service) WaitReady(ctx context.Context) error {
	last := "nothing"
	for {
		a, err := s.do(ctx, http.MethodGet, "/readyz", "")
		switch {
		case err != nil && ctx.Err() == nil:
			last = err.Error()
		case err == nil && a.status == http.StatusOK:
			return nil
		case err == nil:
			last = fmt.Sprintf("%d %s", a.status, a.body)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; the last answer was %s", s.URL, ctx.Err(), last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// step is one request of the walk and what its answer must be.
type step struct {
	what         string
	method, path string // ID in the path stands for the template's id
	body         string
	headers      []string
	status       int
	holds        string // what the body contains
}

var steps = []step{
	{"read it again unchanged", "GET", "/v1/templates/ID", "", []string{"If-None-Match", `"1"`}, 304, ""},
	{"change it", "PATCH", "/v1/templates/ID", `{"content": "Dear {{name}},"}`, []string{"If-Match", `"1"`, "Content-Type", "application/merge-patch+json"}, 200, `"revision":2`},
	{"change it by an old revision", "PATCH", "/v1/templates/ID", `{"content": "lost"}`, []string{"If-Match", `"1"`, "Content-Type", "application/merge-patch+json"}, 412, "/problems/precondition-failed"},
	{"find it by its words", "GET", "/v1/templates?q=DEAR", "", nil, 200, `"ID"`},
	{"render it", "POST", "/v1/templates/ID/render", `{"data": {"name": "Ann & Bob"}}`, nil, 200, `"output":"Dear Ann &amp; Bob,"`},
	{"label a revision", "PUT", "/v1/templates/ID/labels/production", `{"revision": 1}`, nil, 200, `"label":"production"`},
	{"render what the label is on", "POST", "/v1/templates/ID/render?label=production", `{"data": {"name": "Ann"}}`, []string{"Accept", "text/plain"}, 200, "Hello Ann!"},
	{"compare revisions", "GET", "/v1/templates/ID/diff?from=1&to=2", "", nil, 200, "+Dear {{name}},"},
	{"roll back", "POST", "/v1/templates/ID/revisions/1/restore", "", nil, 200, `"revision":3`},
	{"delete it", "DELETE", "/v1/templates/ID", "", nil, 204, ""},
	{"not find it any more", "GET", "/v1/templates/ID", "", nil, 404, "/problems/"},
	{"find it in the trash", "GET", "/v1/templates?deleted=true&sort=-created", "", nil, 200, `"ID"`},
	{"bring it back", "POST", "/v1/templates/ID/undelete", "", nil, 200, `"revision":3`},
	{"be told what is wrong", "POST", "/v1/templates", `{"name": "", "content": "{{#a}}"}`, nil, 422, `"pointer":"/content"`},
	{"delete it for good measure", "DELETE", "/v1/templates/ID", "", nil, 204, ""},
}

// Walk makes a template and goes with it through everything that the README's walk shows; in the end it is in the trash.
// The error names the first step that went another way.
func (s Service) Walk(ctx context.Context) error {
	made, err := s.do(ctx, http.MethodPost, "/v1/templates", `{"name": "Welcome", "content": "Hello {{name}}!"}`)
	if err != nil {
		return fmt.Errorf("make a template: %w", err)
	}
	var template struct {
		ID string `json:"templateid"`
	}
	if err := json.Unmarshal([]byte(made.body), &template); err != nil || made.status != http.StatusCreated || template.ID == "" {
		return fmt.Errorf("make a template: %d %s", made.status, made.body)
	}
	for _, next := range steps {
		a, err := s.do(ctx, next.method, strings.ReplaceAll(next.path, "ID", template.ID), next.body, next.headers...)
		if err != nil {
			return fmt.Errorf("%s: %w", next.what, err)
		}
		if a.status != next.status || !strings.Contains(a.body, strings.ReplaceAll(next.holds, "ID", template.ID)) {
			return fmt.Errorf("%s: %d and %s was expected, %d %s came", next.what, next.status, next.holds, a.status, a.body)
		}
	}
	return nil
}
