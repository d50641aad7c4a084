package e2e

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// TestOutsideOfTheOperations asks for methods that a path does not have, and for paths that are not there.
func TestOutsideOfTheOperations(t *testing.T) {
	t.Parallel()
	s := settings{"DB_ENGINE": "memory", "PROMETHEUS_ENABLED": "true"}
	d := newDriver(t, start(t, s))
	described, _ := d.operations[0].route.Spec.Extensions["x-outside-operations"].(map[string]any)
	if described["404"] == nil || described["405"] == nil {
		t.Fatalf("the document says of what is no operation: %v", described)
	}
	options := described["204"] != nil // whether OPTIONS is answered with the methods, or is one that no path has
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X-Y"}
	rapid.Check(t, func(t *rapid.T) {
		o := rapid.SampledFrom(d.operations).Draw(t, "operation")
		path, want := o.route.Path, http.StatusMethodNotAllowed
		for _, p := range o.parameters {
			if p.In == openapi3.ParameterInPath {
				path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(d.drawParameter(t, p)))
			}
		}
		if rapid.Bool().Draw(t, "no such path") {
			want = http.StatusNotFound
			path = rapid.SampledFrom([]string{path + "/x/y/z", "/x" + path, path + "//", "/v1" + path + "/none", "/v2/templates", "/V1/Templates", "/v1", "/v1/", "/%2e%2e/etc/passwd", "/..", "/problems", "/favicon.ico", "/x%00", "/" + strings.Repeat("a/", 500)}).Draw(t, "path")
		}
		var have []string
		for method := range o.route.PathItem.Operations() {
			have = append(have, method)
		}
		method := rapid.SampledFrom(methods).Draw(t, "method")
		if want == http.StatusMethodNotAllowed && slices.Contains(have, method) {
			t.Skip("that is an operation")
		}
		request, err := http.NewRequest(method, d.service.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(asToken.name, asToken.value)
		response, err := d.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		a := &reply{Status: response.StatusCode, Header: response.Header, Body: body}
		if options && method == http.MethodOptions && want == http.StatusMethodNotAllowed {
			want = http.StatusNoContent
		}
		if a.Status != want {
			t.Fatalf("%s %s: %d is wanted, got %d %v\n%s", method, path, want, a.Status, a.Header, body)
		}
		if why := wrongProblem(a, a.Header.Get("X-Request-ID")); why != "" && method != http.MethodHead && want >= 400 {
			t.Fatalf("%s %s: %s\n%v\n%s", method, path, why, a.Header, body)
		}
		allow := strings.Split(strings.ReplaceAll(a.Header.Get("Allow"), " ", ""), ",")
		if options {
			have = append(have, http.MethodOptions)
		}
		slices.Sort(allow)
		slices.Sort(have)
		if want != http.StatusNotFound && !slices.Equal(allow, have) {
			t.Fatalf("%s %s: Allow is %v, the document has %v", method, path, allow, have)
		}
	})
}
