package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"bitbucket.org/templar/templar/adapters/httpapi"
	"bitbucket.org/templar/templar/adapters/httpapi/apidoc"
)

// document is the OpenAPI document with its routes.
var document = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(apidoc.YAML())
	if err != nil {
		return nil, err
	}
	doc.Servers = nil
	return gorillamux.NewRouter(doc)
})

// The document describes pages and its own text as plain strings.
func init() {
	for _, mediaType := range []string{"text/html", "application/yaml", "text/css", "text/javascript", "text/x-diff", "application/x-ndjson", "application/ndjson", "application/jsonl"} {
		openapi3filter.RegisterBodyDecoder(mediaType, func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
			text, err := io.ReadAll(body)
			return string(text), err
		})
	}
}

// conforms holds an answer against the document: its status, its headers and its body must be there.
func conforms(request *http.Request, response *http.Response, body []byte) error {
	router, err := document()
	if err != nil {
		return err
	}
	bare := request.Clone(context.Background())
	bare.URL.Host, bare.URL.Scheme, bare.Host = "", "", ""
	route, parameters, err := router.FindRoute(bare)
	if err != nil {
		if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusMethodNotAllowed || response.StatusCode == http.StatusUnauthorized {
			return problemOnly(response, body)
		}
		return fmt.Errorf("no such operation: %w", err)
	}
	if response.Header.Get("Content-Encoding") == "gzip" && request.Method != http.MethodHead {
		unzipped, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(unzipped); err != nil {
			return err
		}
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: bare, PathParams: parameters, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}},
		Status: response.StatusCode, Header: response.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: request.Method == http.MethodHead},
	})
}

// problemOnly is what is asked of an answer outside of the document's routes.
func problemOnly(response *http.Response, body []byte) error {
	if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
		return fmt.Errorf("%d with the type %q: %s", response.StatusCode, got, body)
	}
	return nil
}

// TestDocumentAndRouterAgree holds the document against the router, both ways.
func TestDocumentAndRouterAgree(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(apidoc.YAML())
	if err != nil {
		t.Fatal(err)
	}
	documented, served := map[string]bool{}, map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented[method+" "+path] = true
		}
	}
	api, err := httpapi.New(httpapi.Config{Metrics: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range api.Routes() {
		served[r.Method+" "+r.Path] = true
	}
	for operation := range served {
		if !documented[operation] && operation != "GET /docs/" && operation != "HEAD /docs/" {
			t.Errorf("%s is served and not in the document", operation)
		}
	}
	for operation := range documented {
		if !served[operation] {
			t.Errorf("%s is in the document and not served", operation)
		}
	}
	if len(served) < 20 {
		t.Errorf("only %d operations: the list is not that of the API", len(served))
	}
}
