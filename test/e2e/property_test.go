package e2e

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"pgregory.net/rapid"

	"bitbucket.org/templar/templar/adapters/httpapi/apidoc"
)

// The property tests are kept short by default; -rapid.checks or RAPID_CHECKS make them look further. What rapid finds
// is told with its seed and never written beside the sources.
func init() {
	for name, value := range map[string]string{"checks": "25", "steps": "20", "shrinktime": "5s", "nofailfile": "true"} {
		if _, chosen := os.LookupEnv("RAPID_" + strings.ToUpper(name)); !chosen {
			if err := flag.Set("rapid."+name, value); err != nil {
				panic(err) // rapid has no such flag any more
			}
		}
	}
}

// onPropertyEngines runs a property on the plainest engine and on the one with the most parts.
func onPropertyEngines(t *testing.T, property func(t *testing.T, i *service)) {
	for _, engine := range engines {
		if engine.name != "memory" && engine.name != "pg and redis" {
			continue
		}
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			s := engine.open(t)
			s["PROMETHEUS_ENABLED"] = "true" // /metrics is in the document
			property(t, start(t, s))
		})
	}
}

// operation is one operation of the document.
type operation struct {
	route      *routers.Route
	parameters []*openapi3.Parameter
	secured    bool
	scopes     []string
}

// name has no slash, which would part it in -run.
func (o *operation) name() string { return o.route.Operation.OperationID }

// takesInput tells whether there is something that a client can get wrong, headers that every operation has aside.
func (o *operation) takesInput() bool {
	for _, p := range o.parameters {
		if p.In != openapi3.ParameterInHeader {
			return true
		}
	}
	return o.secured || o.route.Operation.RequestBody != nil
}

// pathParameters are the names in the path, in their order.
func (o *operation) pathParameters() []string {
	var names []string
	for _, part := range strings.Split(o.route.Path, "/") {
		if strings.HasPrefix(part, "{") {
			names = append(names, strings.Trim(part, "{}"))
		}
	}
	return names
}

// operations reads every operation of the document, in an order that does not change.
func operations(t *testing.T) []*operation {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(apidoc.YAML())
	if err != nil {
		t.Fatal(err)
	}
	var list []*operation
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			o := &operation{route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op}}
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				o.parameters = append(o.parameters, p.Value)
			}
			slices.SortFunc(o.parameters, func(a, b *openapi3.Parameter) int { return cmp.Compare(a.In+a.Name, b.In+b.Name) })
			security := doc.Security
			if op.Security != nil {
				security = *op.Security
			}
			o.secured = len(security) > 0
			for _, requirement := range security {
				for _, scopes := range requirement {
					o.scopes = scopes // the same for each kind of credential
				}
			}
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *operation) int {
		return cmp.Or(cmp.Compare(a.route.Path, b.route.Path), cmp.Compare(a.route.Method, b.route.Method))
	})
	return list
}

// rounds bounds how often an operation is tried again when chance reached too little of it.
const rounds = 6

// TestEveryOperation drives each operation of the document with requests that it allows and requests that it does
// not, all made from the document alone. An operation that the document gains is driven without a change here.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	onPropertyEngines(t, func(t *testing.T, i *service) {
		d := newDriver(t, i)
		for _, o := range d.operations {
			t.Run(o.name(), func(t *testing.T) {
				good, bad := 0, 0
				statuses := map[int]int{}
				defer func() { t.Logf("answers by status: %v", statuses) }()
				for range rounds {
					rapid.Check(t, func(t *rapid.T) {
						d.replenish(t, o)
						r := d.drawRequest(t, o)
						a := d.send(t, r)
						d.judge(t, r, a)
						d.compareWithTwin(t, r, a)
						d.harvest(r, a)
						statuses[a.Status]++
						switch {
						case a.Status < 300:
							good++
						case a.Status >= 400:
							bad++
						}
					})
					if good > 0 && (bad > 0 || !o.takesInput()) {
						return
					}
				}
				t.Errorf("not reached: %d answers of 2xx, %d of 4xx", good, bad)
			})
		}
	})
}

// driver sends generated requests to one service, and remembers what can be asked for next.
type driver struct {
	service     *service
	operations  []*operation
	credentials []credential
	pool        *pool
	client      *http.Client
}

func newDriver(t *testing.T, i *service) *driver {
	d := &driver{service: i, operations: operations(t), client: &http.Client{
		Timeout: 30 * time.Second,
		// What is compressed stays so: the lengths and the ETags of the wire are looked at.
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	t.Cleanup(d.client.CloseIdleConnections)
	d.pool = newPool(d.operations)
	d.credentials = makeCredentials(t, i, d.pool)
	return d
}

// judge holds an answer against the document, and against what the document says of the request.
func (d *driver) judge(t rapid.TB, r *request, a *reply) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("%s\n%s\nanswered %d %v\n%.800q", fmt.Sprintf(format, args...), r, a.Status, a.Header, a.Body)
	}
	if a.Status >= 500 {
		fail("the service failed")
	}
	if err := documented(r.op, a); err != nil {
		fail("the document does not have this answer: %v", err)
	}
	if why := wrongLines(r, a); why != "" {
		fail("%s", why)
	}
	id := a.Header.Get("X-Request-ID")
	if id == "" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		fail("X-Request-ID or X-Content-Type-Options is missing")
	}
	if given := r.first("X-Request-ID"); saneID.MatchString(given) != (given == id) && given != "" {
		fail("the X-Request-ID %q became %q", given, id)
	}
	if a.Status >= 400 && r.op.route.Method != http.MethodHead {
		if why := wrongProblem(a, id); why != "" {
			fail("%s", why)
		}
	}
	success := a.Status < 400
	if r.broken && success {
		fail("the document does not allow this request, and it succeeded")
	}
	if !r.op.secured || a.Status == http.StatusRequestHeaderFieldsTooLarge {
		if r.sound && (a.Status == 400 || a.Status == 415 || a.Status == 422) {
			fail("the document allows this request")
		}
		return
	}
	switch {
	case r.credential.kind == noCredential && a.Status != 401:
		fail("without a good credential the answer is 401")
	case r.credential.kind == twoCredentials && a.Status != 400:
		fail("with two credentials the answer is 400")
	case r.credential.kind != goodCredential:
		return
	case a.Status == 429 && !r.credential.limited:
		fail("this user has no limit")
	case a.Status == 429:
		return
	case !r.credential.holds(r.op.scopes):
		if success || (r.sound && a.Status != 403 && !excused(r, a)) {
			fail("the credential lacks the scope %v", r.op.scopes)
		}
	case r.sound && (a.Status == 400 || a.Status == 401 || a.Status == 403 || a.Status == 413 || a.Status == 415 || a.Status == 422) && !excused(r, a):
		fail("the document allows this request")
	}
}

// documented holds an answer against the operation. The validator passes every HEAD and every 304, so that these are
// looked at here.
func documented(o *operation, a *reply) error {
	if a.request.Method != http.MethodHead && a.Status != http.StatusNotModified {
		return conforms(a.request, a.whole, a.wire)
	}
	described := o.route.Operation.Responses.Status(a.Status)
	if described == nil {
		return fmt.Errorf("no status %d", a.Status)
	}
	for name, h := range described.Value.Headers {
		value, found := a.Header.Get(name), len(a.Header.Values(name)) > 0
		if !found {
			if h.Value.Required {
				return fmt.Errorf("the header %s is missing", name)
			}
			continue
		}
		var read any = value
		if h.Value.Schema.Value.Type.Is(openapi3.TypeInteger) {
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return fmt.Errorf("the header %s: %w", name, err)
			}
			read = number
		}
		if err := h.Value.Schema.Value.VisitJSON(read, openapi3.EnableJSONSchema2020()); err != nil {
			return fmt.Errorf("the header %s: %w", name, err)
		}
	}
	if len(a.wire) > 0 {
		return fmt.Errorf("%d bytes of body behind a %s with %d", len(a.wire), a.request.Method, a.Status)
	}
	return nil
}

// wrongProblem tells what is wrong with a problem document; "" when nothing is.
func wrongProblem(a *reply, id string) string {
	var p struct {
		Type, Title, Detail, Instance string
		Status                        int
	}
	switch err := json.Unmarshal(a.Body, &p); {
	case a.Header.Get("Content-Type") != "application/problem+json":
		return "an error is a problem document"
	case err != nil:
		return "the problem document cannot be read: " + err.Error()
	case p.Status != a.Status || p.Instance != id || p.Title == "" || p.Detail == "" || !strings.HasPrefix(p.Type, "/problems/"):
		return "the problem document does not fit its answer"
	}
	return ""
}

// compareWithTwin sends a GET as HEAD as well, or a HEAD as GET: both must tell the same (RFC 9110, section 9.3.2).
func (d *driver) compareWithTwin(t rapid.TB, r *request, a *reply) {
	t.Helper()
	get, head := a, a
	switch {
	case r.credential.limited:
		return // its bucket may be empty by now
	case r.op.route.Method == http.MethodGet:
		head = d.sendAs(t, r, http.MethodHead)
	case r.op.route.Method == http.MethodHead:
		get = d.sendAs(t, r, http.MethodGet)
	default:
		return
	}
	if get.Status != head.Status {
		t.Fatalf("GET answers %d, HEAD %d\n%s", get.Status, head.Status, r)
	}
	for _, name := range []string{"ETag", "Last-Modified", "Content-Type", "Content-Encoding", "Cache-Control", "Link", "Allow"} {
		if fmt.Sprint(get.Header.Values(name)) != fmt.Sprint(head.Header.Values(name)) {
			t.Fatalf("%s: GET says %q, HEAD %q\n%s", name, get.Header.Values(name), head.Header.Values(name), r)
		}
	}
	// A HEAD may leave the length out but must not tell another (RFC 9110, section 8.6). That of /metrics always changes.
	length := head.Header.Get("Content-Length")
	if length != "" && length != strconv.Itoa(len(get.wire)) && r.op.route.Path != "/metrics" {
		t.Fatalf("HEAD says that there are %s bytes, GET sends %d\n%s", length, len(get.wire), r)
	}
}
