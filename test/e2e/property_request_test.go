package e2e

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"pgregory.net/rapid"
)

// request is one generated request and what the document says of it.
type request struct {
	op         *operation
	path       map[string]string // not escaped
	query      []header
	rawQuery   string // behind the query, as it is
	headers    []header
	body       []byte
	value      map[string]any // the body, where it is an object as generated
	lines      []line         // the body, where it is NDJSON as generated
	mediaType  string
	credential credential
	// sound requests are allowed by the document in every part. Broken ones must not succeed.
	sound, broken bool
	// torn tells that the body's text was changed; nothing is to mend it again.
	torn bool
	// changes are what was done to a sound request.
	changes []string
}

func (r *request) set(name, value string) { r.headers = append(r.headers, header{name, value}) }

func (r *request) brings(name string) bool {
	return slices.ContainsFunc(r.headers, func(h header) bool { return strings.EqualFold(h.name, name) })
}

func (r *request) escapedPath() string {
	path := r.op.route.Path
	for name, value := range r.path {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	return path
}

// build makes the HTTP request.
func (r *request) build(base, method string) (*http.Request, error) {
	var values []string
	for _, q := range r.query {
		values = append(values, url.QueryEscape(q.name)+"="+url.QueryEscape(q.value))
	}
	if r.rawQuery != "" {
		values = append(values, r.rawQuery)
	}
	h, err := http.NewRequest(method, base+r.escapedPath(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	h.URL.RawQuery = strings.Join(values, "&")
	if len(r.body) == 0 {
		h.Body, h.ContentLength = http.NoBody, 0
	}
	if r.mediaType != "" {
		h.Header.Set("Content-Type", r.mediaType)
	}
	for _, each := range slices.Concat(r.headers, r.credential.headers) {
		h.Header[http.CanonicalHeaderKey(each.name)] = append(h.Header[http.CanonicalHeaderKey(each.name)], each.value)
	}
	return h, nil
}

func (r *request) String() string {
	h, err := r.build("", r.op.route.Method)
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s as %s (%s)\n", h.Method, h.URL, r.credential.name, cmp.Or(strings.Join(r.changes, ", "), "unchanged"))
	for _, name := range slices.Sorted(maps.Keys(h.Header)) {
		for _, value := range h.Header[name] {
			fmt.Fprintf(&text, "%s: %.300q\n", name, value)
		}
	}
	fmt.Fprintf(&text, "%.600q", r.body)
	return text.String()
}

// reply is what came back, as it was on the wire and unzipped.
type reply struct {
	Status  int
	Header  http.Header
	wire    []byte
	Body    []byte
	request *http.Request
	whole   *http.Response
}

// slowest is when an answer came too late, far behind any that was seen on a busy machine.
const slowest = 10 * time.Second

func (d *driver) send(t rapid.TB, r *request) *reply { return d.sendAs(t, r, r.op.route.Method) }

func (d *driver) sendAs(t rapid.TB, r *request, method string) *reply {
	t.Helper()
	h, err := r.build(d.service.URL, method)
	if err != nil {
		t.Fatalf("the generator made what is no request: %v\n%s", err, r)
	}
	began := time.Now()
	response, err := d.client.Do(h)
	if err != nil {
		t.Fatalf("%v\n%s", err, r)
	}
	defer response.Body.Close()
	a := &reply{Status: response.StatusCode, Header: response.Header, request: h, whole: response}
	if a.wire, err = io.ReadAll(response.Body); err != nil {
		t.Fatalf("%v\n%s", err, r)
	}
	if took := time.Since(began); took > slowest {
		t.Fatalf("the answer took %v\n%s", took, r)
	}
	a.Body = a.wire
	if response.Header.Get("Content-Encoding") == "gzip" && method != http.MethodHead && len(a.wire) > 0 {
		unzipped, err := gzip.NewReader(bytes.NewReader(a.wire))
		if err == nil {
			a.Body, err = io.ReadAll(unzipped)
		}
		if err != nil {
			t.Fatalf("the answer is no gzip: %v\n%s", err, r)
		}
	}
	return a
}

// allows asks the document about a request.
func allows(r *request) error {
	h, err := r.build("http://service", r.op.route.Method)
	if err != nil {
		return err
	}
	return openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: h, PathParams: r.path, Route: r.op.route, QueryParams: h.URL.Query(),
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
	})
}
