package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/config"
	"bitbucket.org/templar/templar/test/deploy/walk"
	"bitbucket.org/templar/templar/test/servers"
)

const observability = project + "/build/observability"

// rules is the part of a file of rules, or of its test, that is looked at here.
type rules struct {
	Groups []struct {
		Rules []struct{ Record, Alert, Expr string }
	}
	Tests []struct {
		Alerts []struct {
			Name     string `yaml:"alertname"`
			Expected []any  `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

func readRules(t *testing.T, name string) rules {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(observability, name))
	if err != nil {
		t.Fatal(err)
	}
	var r rules
	if err := yaml.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAlertRules runs the rules' own tests, and sees that they test every alert both ways.
func TestAlertRules(t *testing.T) {
	promtool := servers.Program(t, "promtool", "prometheus")
	t.Log(command(t, observability, promtool, "check", "rules", "templar.rules.yml"))
	t.Log(command(t, observability, promtool, "test", "rules", "templar.rules.test.yml"))

	comes, stays := map[string]bool{}, map[string]bool{}
	for _, test := range readRules(t, "templar.rules.test.yml").Tests {
		for _, a := range test.Alerts {
			if len(a.Expected) > 0 {
				comes[a.Name] = true
			} else {
				stays[a.Name] = true
			}
		}
	}
	alerts := 0
	for _, group := range readRules(t, "templar.rules.yml").Groups {
		for _, r := range group.Rules {
			if r.Alert == "" {
				continue
			}
			alerts++
			if !comes[r.Alert] || !stays[r.Alert] {
				t.Errorf("of the alert %s it is not tested that it comes (%v) and that it stays away (%v)", r.Alert, comes[r.Alert], stays[r.Alert])
			}
		}
	}
	if alerts < 10 {
		t.Errorf("only %d alerts were found", alerts)
	}
}

// metricsPage runs a service with everything that has metrics, uses it, and gives its page.
func metricsPage(t *testing.T) string {
	t.Helper()
	database, redis := servers.Postgres(t).Database(t), servers.Redis(t)
	settings := map[string]string{"HTTP_PORT": "0", "API_TOKENS": "deploy-token-7d3c", "SECRET_KEY": "a secret key of these tests", "DEFAULT_RATE_LIMIT": "40",
		"PROMETHEUS_ENABLED": "True", "DB_ENGINE": "pg", "DATABASE_URL": database.URL(), "REDIS_HOST": redis.Host, "REDIS_PORT": strconv.Itoa(redis.Port), "REDIS_PASS": redis.Password}
	loaded, err := config.Load(nil, func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, "")
	if err != nil {
		t.Fatal(err)
	}
	service, err := app.New(loaded, app.Output{Log: io.Discard, Greeting: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	bounded, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	s := walk.Service{URL: service.URL(), Header: "Authorization", Value: "Bearer deploy-token-7d3c"}
	if err := s.WaitReady(bounded); err != nil {
		t.Fatal(err)
	}
	if err := s.Walk(bounded); err != nil {
		t.Fatal(err)
	}
	get := func(path, value string) string {
		t.Helper()
		request, err := http.NewRequestWithContext(bounded, http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if value != "" {
			request.Header.Set("Authorization", "Bearer "+value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	get("/v1/whoami", "a-wrong-token")
	for {
		page := get("/metrics", "")
		if strings.Contains(page, "\ndb_probe_latency_seconds ") && strings.Contains(page, "\nredis_probe_latency_seconds ") {
			return page
		}
		if bounded.Err() != nil {
			t.Fatalf("the probes show nothing:\n%s", page)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestMetricsPage has promtool read the page as Prometheus does, and finds in it all that rules and dashboard ask for.
func TestMetricsPage(t *testing.T) {
	promtool := servers.Program(t, "promtool", "prometheus")
	page := metricsPage(t)
	path := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := tryCommand(t, "", "/bin/sh", "-c", `"$0" check metrics < "$1"`, promtool, path); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}

	there := map[string]bool{"up": true}
	for line := range strings.Lines(page) {
		if name := metricName.FindString(line); name != "" {
			there[name] = true
		}
	}
	expressions := dashboardExpressions(t)
	for _, group := range readRules(t, "templar.rules.yml").Groups {
		for _, r := range group.Rules {
			expressions = append(expressions, r.Expr)
			if r.Record != "" {
				there[r.Record] = true
			}
		}
	}
	asked := map[string]bool{}
	for _, e := range expressions {
		for _, name := range metricsIn(e) {
			asked[name] = true
			if !there[name] {
				t.Errorf("%s asks for %s, which the page has not", e, name)
			}
		}
	}
	if len(asked) < 25 {
		t.Errorf("only these metrics are asked for: %v", slices.Sorted(maps.Keys(asked)))
	}
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*`)
	inside     = regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`)
	identifier = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\s*\(?`)
)

// metricsIn lists the metrics of a PromQL expression.
func metricsIn(expression string) []string {
	var names []string
	for _, found := range identifier.FindAllString(inside.ReplaceAllString(expression, " "), -1) {
		name := strings.TrimSpace(found)
		switch {
		case strings.HasSuffix(name, "("), name == "and", name == "or", name == "unless":
		default:
			names = append(names, name)
		}
	}
	return names
}

func TestMetricsIn(t *testing.T) {
	got := metricsIn(`histogram_quantile(0.9, sum by (le, route) (rate(a_bucket{x="b_total", y=~"{}"}[5m]))) / (job:c:rate5m > 0) and d_total or vector(0)`)
	if !slices.Equal(got, []string{"a_bucket", "job:c:rate5m", "d_total"}) {
		t.Errorf("found %q", got)
	}
}

// dashboard is the part of Grafana's model that is looked at here.
type dashboard struct {
	UID, Title string
	Panels     []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ H, W, X, Y int }
		Targets                  []struct{ Expr string }
	}
	Templating  struct{ List []struct{ Name string } }
	Annotations struct{ List []struct{ Expr string } }
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(observability, "grafana", "templar.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// dashboardExpressions are the dashboard's queries with its variables filled in.
func dashboardExpressions(t *testing.T) []string {
	t.Helper()
	var all []string
	fill := strings.NewReplacer("$__rate_interval", "1m", "$job", "templar", "$instance", ".*")
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, fill.Replace(target.Expr))
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			all = append(all, fill.Replace(a.Expr))
		}
	}
	return all
}

// TestDashboard has promtool read every query, and sees that no panel hides another.
func TestDashboard(t *testing.T) {
	promtool := servers.Program(t, "promtool", "prometheus")
	var file strings.Builder
	file.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	expressions := dashboardExpressions(t)
	for i, e := range expressions {
		if strings.Contains(e, "$") {
			t.Errorf("%s holds a variable that Grafana would not fill in", e)
		}
		fmt.Fprintf(&file, "      - {record: 'panel:%d', expr: %q}\n", i, e)
	}
	path := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := command(t, "", promtool, "check", "rules", path); !strings.Contains(out, fmt.Sprintf("%d rules found", len(expressions))) {
		t.Errorf("promtool told %s", out)
	}

	d := readDashboard(t)
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("the panel %d %q has an id that another one has, or lacks its title, description or query", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s stands beyond the right edge", p.Title)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%s stands on %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if d.UID != "templar" || len(d.Panels) < 20 || len(d.Templating.List) != 3 {
		t.Errorf("the dashboard has %d panels", len(d.Panels))
	}
}
