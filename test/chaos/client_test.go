package chaos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answer is what came back, and how long that took.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration
}

// try sends a request with the token, unless the headers (name, value, name, value) bring another credential. A body
// that is no string is sent as JSON.
func (p *process) try(method, path string, body any, headers ...string) (*answer, error) {
	var sent []byte
	switch b := body.(type) {
	case nil:
	case string:
		sent = []byte(b)
	default:
		var err error
		if sent, err = json.Marshal(b); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequest(method, p.URL+path, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	if request.Header.Get("Authorization") == "" && request.Header.Get("X-API-KEY") == "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	began := time.Now()
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &answer{Status: response.StatusCode, Header: response.Header, Body: received, Took: time.Since(began)}, nil
}

// do is try, and ends the test when no answer came.
func (p *process) do(t *testing.T, method, path string, body any, headers ...string) *answer {
	t.Helper()
	a, err := p.try(method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// want is do, and ends the test when the status is not the wanted one.
func (p *process) want(t *testing.T, status int, method, path string, body any, headers ...string) *answer {
	t.Helper()
	a := p.do(t, method, path, body, headers...)
	if a.Status != status {
		t.Fatalf("%s %s: %d is wanted, got %d after %v: %s", method, path, status, a.Status, a.Took, a.Body)
	}
	return a
}

// object is one template as it is answered.
type object struct {
	ID          string `json:"templateid"`
	Name        string
	Description string
	Content     string
	Revision    int
}

func (a *answer) object(t *testing.T) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(a.Body, &o); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	return o
}

// create makes a template and gives its path.
func (p *process) create(t *testing.T, content string) string {
	t.Helper()
	return "/v1/templates/" + p.want(t, 201, "POST", "/v1/templates", object{Name: "made", Content: content}.draft()).object(t).ID
}

// draft is what an author may send of the object.
func (o object) draft() map[string]string {
	return map[string]string{"name": o.Name, "description": o.Description, "content": o.Content}
}

// unavailable says what is wrong with a 503: it must be a problem document, tell when to come back, and be quick.
func (a *answer) unavailable() error {
	switch {
	case a.Status != http.StatusServiceUnavailable:
		return fmt.Errorf("503 is wanted, got %d: %s", a.Status, a.Body)
	case a.Header.Get("Content-Type") != "application/problem+json":
		return fmt.Errorf("a 503 of type %q", a.Header.Get("Content-Type"))
	case a.Took > bound:
		return fmt.Errorf("a 503 after %v", a.Took)
	}
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 {
		return fmt.Errorf("a 503 with Retry-After %q", a.Header.Get("Retry-After"))
	}
	for _, inside := range []string{"pq:", "SQL", "sqlite", "dial", "127.0.0.1", "goroutine"} {
		if strings.Contains(string(a.Body), inside) {
			return fmt.Errorf("a 503 tells of the inside (%s): %s", inside, a.Body)
		}
	}
	return nil
}

// bound is how long a request may take at most, whatever is broken.
const bound = 6 * time.Second

// walk reads all pages of a list and gives its items, in order.
func (p *process) walk(t *testing.T, query string) []object {
	t.Helper()
	var all []object
	for cursor := ""; ; {
		path := "/v1/templates?limit=100&" + query
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		var page struct {
			Items []object
			Next  string
		}
		if err := json.Unmarshal(p.want(t, 200, "GET", path, nil).Body, &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all
		}
		if len(all) > 1_000_000 {
			t.Fatal("the list has no end")
		}
	}
}

// metric reads one value of /metrics; labels belong to the name.
func (p *process) metric(t *testing.T, name string) float64 {
	t.Helper()
	for _, line := range strings.Split(string(p.want(t, 200, "GET", "/metrics", nil).Body), "\n") {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// decode reads a template's object where the test must not end.
func decode(a *answer) (object, bool) {
	var o object
	err := json.Unmarshal(a.Body, &o)
	return o, err == nil && o.ID != ""
}

func unmarshal(t *testing.T, a *answer, into any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, into); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
}

// pageOf decodes a page of a list where the test must not end.
func pageOf(a *answer) (items []object, next string) {
	var page struct {
		Items []object
		Next  string
	}
	if json.Unmarshal(a.Body, &page) != nil {
		return nil, ""
	}
	return page.Items, page.Next
}
