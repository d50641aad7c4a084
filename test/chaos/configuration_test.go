package chaos

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// runToEnd runs the program until it ends by itself, within 10 seconds.
func runToEnd(t *testing.T, dir string, s settings, arguments ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := command(dir, s, arguments...)
	var out, errs output
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := startTied(cmd); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(10*time.Second, func() {
		t.Errorf("templar %v still runs after 10 s", arguments)
		_ = cmd.Process.Kill() // it may just have ended
	})
	defer late.Stop()
	_ = cmd.Wait() // how it ended stands in ProcessState
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestWrongConfiguration has every variable wrong that can be.
func TestWrongConfiguration(t *testing.T) {
	t.Parallel()
	wrong := settings{
		"HTTP_PORT": "99999", "DB_ENGINE": "oracle", "DB_PORT": "port", "DB_MAX_CONN": "-1", "DB_MIGRATE": "perhaps",
		"DB_SSLMODE": "sure", "REDIS_PORT": "0", "REDIS_DB": "-1", "REDIS_MODE": "many", "REDIS_MAX_CONN": "none",
		"CACHE_TTL": "soon", "AUTH_GRACE": "-1s", "CACHE_MAX_BYTES": "much", "CONTENT_MAX_BYTES": "0", "RENDER_TIMEOUT": "1",
		"SHUTDOWN_TIMEOUT": "later", "LOG_LEVEL": "LOUD", "DEFAULT_RATE_LIMIT": "-5", "PROMETHEUS_ENABLED": "maybe",
		"PROMETHEUS_DBLAT_TABLE": "templates; drop table templates", "CORS_ORIGINS": "nowhere", "TRUSTED_PROXIES": "300.1.1.1/8",
		"TLS_CERT": "/nowhere/cert.pem", "SECRET_KEY": "short", "METRICS_ADDR": "nowhere",
	}
	secret := "wrong-but-secret-value"
	s := wrong.with(settings{"DATABASE_URL": "mysql://user:" + secret + "@host/name"})
	for _, arguments := range [][]string{{"serve"}, {"config"}, {"migrate", "status"}} {
		dir := t.TempDir()
		code, stdout, stderr := runToEnd(t, dir, s, arguments...)
		if code != 2 {
			t.Errorf("templar %v: exit code %d\n%s", arguments, code, stderr)
		}
		for name := range s {
			// A duration without a unit is taken for seconds.
			if name != "RENDER_TIMEOUT" && !strings.Contains(stderr, name) {
				t.Errorf("templar %v does not name %s:\n%s", arguments, name, stderr)
			}
		}
		if strings.Contains(stdout+stderr, secret) || strings.Contains(stdout+stderr, `"short"`) {
			t.Errorf("templar %v tells a secret:\n%s%s", arguments, stdout, stderr)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("templar %v with a wrong configuration left %v, %v", arguments, left, err)
		}
	}
	for _, arguments := range [][]string{{"serve", "--no-such-flag"}, {"no-such-command"}, {"serve", "more"}} {
		if code, _, stderr := runToEnd(t, t.TempDir(), nil, arguments...); code != 2 || stderr == "" {
			t.Errorf("templar %v: exit code %d, %q", arguments, code, stderr)
		}
	}
	if code, _, stderr := runToEnd(t, t.TempDir(), settings{"DB_ENGINE": "pg"}, "serve"); code != 2 || !strings.Contains(stderr, "SECRET_KEY") {
		t.Errorf("without SECRET_KEY: exit code %d, %q", code, stderr)
	}
}

// TestUnknownVariable has a name in .env that is none.
func TestUnknownVariable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, ".env"), "DB_ENGINE=memory\nDB_HOTS=db.example\n")
	p := start(t, dir, base(t))
	for _, line := range strings.Split(p.Stderr.String(), "\n") {
		if strings.Contains(line, "DB_HOTS") && strings.Contains(line, "WARNING") {
			return
		}
	}
	t.Errorf("no warning of DB_HOTS:\n%s", p.Stderr)
}

// TestPortInUse starts the program on a port that is taken.
func TestPortInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	code, _, stderr := runToEnd(t, t.TempDir(), settings{"HTTP_PORT": port, "DB_ENGINE": "memory"}, "serve")
	if code != 1 || !strings.Contains(stderr, port) || !strings.Contains(stderr, "in use") || strings.Contains(stderr, "goroutine") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	// The metrics' listener is another one.
	code, _, stderr = runToEnd(t, t.TempDir(), base(t).with(settings{"METRICS_ADDR": "127.0.0.1:" + port, "DB_ENGINE": "memory"}), "serve")
	if code != 1 || !strings.Contains(stderr, "METRICS_ADDR") || !strings.Contains(stderr, "in use") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// TestDatabaseCannotBeOpened has a path for the embedded database that is none.
func TestDatabaseCannotBeOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "file"), "this is no folder")
	writeFile(t, filepath.Join(dir, "broken.db"), strings.Repeat("this is no database either. ", 1000))
	s := base(t).with(settings{"DB_ENGINE": "sqlite", "DATABASE_URL": "sqlite:" + filepath.Join(dir, "file", "templar.db")})
	if code, _, stderr := runToEnd(t, dir, s, "serve"); code != 1 || !strings.Contains(stderr, "templar.db") && !strings.Contains(stderr, "file") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	// A file of something else is not overwritten.
	p := launch(t, dir, s.with(settings{"DATABASE_URL": "sqlite:" + filepath.Join(dir, "broken.db")}))
	told := func() bool { return strings.Contains(p.Stderr.String(), "not a database") }
	for end := time.Now().Add(20 * time.Second); !told() && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	if a, err := p.try("GET", "/readyz", nil); err == nil && a.Status == 200 {
		t.Error("it is ready on a file that is no database")
	}
	if !told() {
		t.Errorf("it does not tell what is wrong: %s", p.Stderr)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "broken.db")); err != nil || !strings.HasPrefix(string(kept), "this is no database") {
		t.Errorf("the file was changed, %v", err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// seedEnv is the seed's own .env, as its README has it.
const seedEnv = `# -- Use: Flask configuration
FLASK_APP=app.py
FLASK_ENV=development
FLASK_HOST=localhost
FLASK_PORT=9000

# -- Secret key used by Flask for signatures and sessions
SECRET_KEY="Sup3rC0mpl3xS3cr3tK3y"

# -- Log level in own logging capability but not FLASK_LOG_LEVEL
LOG_LEVEL=DEBUG

# -- Postgres configuration
DB_ENGINE=pg
DB_USER=root
DB_PASS=password
DB_HOST=localhost
DB_PORT=5432
DB_NAME=mypkg

# -- Redis configuration
REDIS_HOST=localhost
REDIS_PORT=6379
REDIS_PASS=password
REDIS_DB=0
REDIS_MAX_CONN=100

# -- Rate limit settings (unit of measure is: connections per minute)
DEFAULT_RATE_LIMIT=100

# -- Enable or disable Prometheus metrics and sets settings
PROMETHEUS_ENABLED=False
PROMETHEUS_DBLAT_TABLE=templates
PROMETHEUS_DBLAT_COLUMN=templateid

# -- Gunicorn (WSGI) configuration
GUNIPORT=9000

# -- AWS specific settings
AWS_REGION=eu-south-2
AWS_S3_BUCKET=
AWS_S3_BUCKET_PREFIX=

`

// TestSeedsOwnEnvironment serves with the seed's .env, its table and the key of its README. Only the ports are other
// ones, by environment and by flag.
func TestSeedsOwnEnvironment(t *testing.T) {
	t.Parallel()
	postgres, redis := servers.NewPostgres(t), servers.NewRedis(t)
	admin := postgres.Database(t)
	execute(t, connect(t, admin), "CREATE DATABASE mypkg")
	database := admin
	database.Name = "mypkg"
	db := connect(t, database)
	execute(t, db, seedTable)
	execute(t, db, "INSERT INTO templates (templateid, name, content) VALUES ('00000000-0000-4000-8000-000000000001', 'old', 'Hello')")
	const key = "12345678-90ab-cdef-1234-567890abcdef"
	redis.CLI("HSET", "sec_apikeys", key, "user: YourUserOrYourOrgHere")

	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, ".env"), seedEnv)
	s := settings{"HTTP_PORT": base(t)["HTTP_PORT"], "DB_PORT": strconv.Itoa(postgres.Port)}
	p := launchCommand(t, command(dir, s, "serve", "--redis-port", strconv.Itoa(redis.Port)), s)
	p.waitUntil(t, "GET", "/readyz", "is ok", 20*time.Second, status("ok"))
	whoami := p.want(t, 200, "GET", "/v1/whoami", nil, "X-API-KEY", key)
	for _, part := range []string{`"YourUserOrYourOrgHere"`, "templates:read", "templates:write", "characters:read", "characters:write", "keys:admin", "100"} {
		if !strings.Contains(string(whoami.Body), part) {
			t.Errorf("whoami is to have %s: %s", part, whoami.Body)
		}
	}
	if policy := whoami.Header.Get("RateLimit-Policy"); policy != `"default";q=100;w=60` {
		t.Errorf("RateLimit-Policy %s", policy)
	}
	old := "/v1/templates/00000000-0000-4000-8000-000000000001"
	if o := p.want(t, 200, "GET", old, nil, "X-API-KEY", strings.ToUpper(key)).object(t); o.Content != "Hello" || o.Revision != 1 {
		t.Errorf("the old row reads as %+v", o)
	}
	p.want(t, 200, "PUT", old, object{Name: "old", Content: "Hello again"}.draft(), "Authorization", "Bearer "+key)
	p.want(t, 404, "GET", "/metrics", nil, "X-API-KEY", key)
	// FLASK_ENV=development: text, and nothing unknown in the seed's own .env.
	for line := range strings.Lines(p.Stderr.String()) {
		if strings.HasPrefix(line, "{") || strings.Contains(line, "WARNING") {
			t.Errorf("a log line is %s", line)
		}
		if strings.Contains(line, "Sup3r") || strings.Contains(line, key) || strings.Contains(line, "Hello") {
			t.Errorf("a log line tells a secret or content: %s", line)
		}
	}
	redis.CLI("HDEL", "sec_apikeys", key)
	p.waitUntil(t, "GET", "/v1/whoami", "refuses a revoked key", 2*time.Second, func(a *answer) bool { return a.Status == 401 }, "X-API-KEY", key)
}

// TestNoConfiguration starts the program with nothing at allin its environment but a port, in an empty folder.
func TestNoConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := settings{"HTTP_PORT": base(t)["HTTP_PORT"]}
	p := start(t, dir, s)
	var line string
	// It was printed before the service was ready; the pipe may still have it.
	for end := time.Now().Add(20 * time.Second); line == "" && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for l := range strings.Lines(p.Stdout.String()) {
			if strings.Contains(l, "curl ") && strings.HasSuffix(l, "\n") {
				line = strings.TrimSpace(l)
			}
		}
	}
	if line == "" {
		t.Fatalf("no line to try was printed: %s", p.Stdout)
	}
	if _, err := exec.LookPath("curl"); err == nil {
		if out, err := exec.Command("sh", "-c", strings.Replace(line, "curl ", "curl -sf ", 1)).CombinedOutput(); err != nil || !strings.Contains(string(out), "templateid") {
			t.Errorf("%s: %v %s", line, err, out)
		}
	}
	_, rest, _ := strings.Cut(line, "X-API-KEY: ")
	key := rest[:36]
	path := "/v1/templates/" + p.want(t, 201, "POST", "/v1/templates", object{Name: "n"}.draft(), "X-API-KEY", key).object(t).ID
	if strings.Contains(p.Stderr.String(), key) {
		t.Error("the key stands in the log")
	}
	p.kill()
	again := start(t, dir, s)
	if strings.Contains(again.Stdout.String(), "curl") {
		t.Error("the second start greets again")
	}
	again.want(t, 200, "GET", path, nil, "X-API-KEY", key)
	if info, err := os.Stat(filepath.Join(dir, "data", "templar.db")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the database's file: %v, %v", info, err)
	}
}
