package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestBadValues(t *testing.T) {
	long := strings.Repeat("x", maxValueBytes+1)
	const pg = "DB_ENGINE=pg\nSECRET_KEY=long enough\n"
	for _, c := range []struct {
		variable string
		bad      []string // each alone
		beside   string   // .env lines that the value needs to be the only fault
		why      string
	}{
		{variable: "HTTP_HOST", bad: []string{"a b", "http://x", "a:80", "a,b", "-x", "[::1", "300.1.1.1", "9000", long}, why: "must "},
		{variable: "HTTP_PORT", bad: []string{"abc", "-1", "65536", "80.5", "0x50", "9000;", "99999999999999999999"}, why: "must be a whole number from 0 to 65535"},
		{variable: "FLASK_HOST", bad: []string{"a/b"}, why: "must be one host"},
		{variable: "FLASK_PORT", bad: []string{"tcp://10.0.0.1:80"}, why: "must be a whole number"},
		{variable: "GUNIPORT", bad: []string{"x"}, why: "must be a whole number"},
		{variable: "TLS_CERT", bad: []string{"/nowhere/at/all", "."}, why: "must be a file"},
		{variable: "TLS_KEY", bad: []string{"/nowhere/at/all", "."}, why: "must be a file"},
		{variable: "CORS_ORIGINS", bad: []string{"app.example.com", "https://a.test/", "https://a.test/x", "ftp://a.test", "https://u@a.test", "https://a.test,,*", "https://a.test?", "https://", "null", "https://a.test:0"}, why: "must "},
		{variable: "TRUSTED_PROXIES", bad: []string{"10.0.0.0/33", "proxy.test", "10.0.0.0/8,", "fe80::1%eth0", "::ffff:10.0.0.0/104"}, why: "must "},
		{variable: "SHUTDOWN_TIMEOUT", bad: []string{"-1s", "11m", "soon", "15 s"}, why: "must be a duration from 0s to 10m0s"},
		{variable: "SECRET_KEY", bad: []string{"short", "1234567"}, why: "must have at least 8 characters"},
		{variable: "API_TOKENS", bad: []string{"1234567", "0123456789abcdef,", "0123456789 abcdef", "0123456789\x01abcdef", "0123456789äbcdef", ","}, why: "must "},
		{variable: "AUTH_GRACE", bad: []string{"25h", "-5m", "x"}, why: "must be a duration"},
		{variable: "DEFAULT_RATE_LIMIT", bad: []string{"-1", "1000000001", "many"}, why: "must be a whole number from 0 to 1000000000"},
		{variable: "DB_ENGINE", bad: []string{"mysql", "postgres ql"}, why: "must be pg, sqlite, memory or harper"},
		{variable: "DB_USER", bad: []string{"a\x00b", "\xff"}, why: "must "},
		{variable: "DB_PASS", bad: []string{"a\x00b"}, why: "must hold no NUL"},
		{variable: "DB_HOST", bad: []string{"postgres://db", "a,,b", "a:0", "a:65536", "a:", "a b", "[a]:1", "a:1:2"}, beside: pg, why: "must "},
		{variable: "DB_PORT", bad: []string{"0", "5432,5433", "x"}, why: "must be a whole number from 1 to 65535"},
		{variable: "DB_NAME", bad: []string{strings.Repeat("n", 64), "a\nb"}, why: "must have"},
		{variable: "DB_SSLMODE", bad: []string{"on", "true", "verify"}, why: "must be disable, allow, prefer, require, verify-ca or verify-full"},
		{variable: "DATABASE_URL", bad: []string{"mysql://a/b", "host=a password=b", "postgres:db", "postgres://u:p%zz@h/d", "postgres://h:port/d", "postgres://h/d?sslmode=on", "postgres://h/d?port=0", "postgres://h/d#x",
			"postgres://", "postgres://u:p@ss/w@h/d", "postgres://u:p/w@h/d", "postgres://u:p@x?y=z@h/d", "postgres://h/d/e", "postgres://h:5432,5433/d", "postgres://h a/d", "postgres://u:%00@h/d", "postgres://h/d?a%20b=c", "sqlite:", "sqlite:dir/", "sqlite::memory:", "file:x.db?mode=ro", "./x.db"}, beside: "SECRET_KEY=long enough\n", why: "must "},
		{variable: "DATABASE_URL", bad: []string{"sqlite:x.db"}, beside: pg, why: "must be of the engine that DB_ENGINE names, pg"},
		{variable: "DATABASE_URL", bad: []string{"postgres://h/d"}, beside: "DB_ENGINE=sqlite\n", why: "must be of the engine that DB_ENGINE names, sqlite"},
		{variable: "DB_MAX_CONN", bad: []string{"-1", "10001", "auto"}, why: "must be a whole number from 0 to 10000"},
		{variable: "DB_MIGRATE", bad: []string{"on", "false"}, why: "must be auto or off"},
		{variable: "REDIS_HOST", bad: []string{"redis://r", "/tmp/redis.sock", "r:x", "a,b"}, why: "must "},
		{variable: "REDIS_PORT", bad: []string{"0", "tcp://10.0.0.1:6379"}, why: "must be a whole number from 1 to 65535"},
		{variable: "REDIS_USER", bad: []string{"a\x00"}, why: "must "},
		{variable: "REDIS_PASS", bad: []string{"a\x00"}, why: "must "},
		{variable: "REDIS_DB", bad: []string{"-1", "65536", "x"}, why: "must be a whole number"},
		{variable: "REDIS_DB", bad: []string{"1"}, beside: "REDIS_MODE=cluster\nREDIS_HOST=a,b", why: "must be 0 with REDIS_MODE cluster"},
		{variable: "REDIS_MAX_CONN", bad: []string{"0", "10001"}, why: "must be a whole number"},
		{variable: "REDIS_MODE", bad: []string{"master"}, why: "must be single, cluster or sentinel"},
		{variable: "REDIS_MASTER", bad: []string{"a\x01"}, why: "must have no control characters"},
		{variable: "REDIS_TLS", bad: []string{"maybe", "2"}, why: "must be True or False"},
		{variable: "CACHE_TTL", bad: []string{"1ms", "99ms", "25h", "-1s"}, why: "must be a duration from 100ms to 24h"},
		{variable: "CACHE_MAX_BYTES", bad: []string{"1023KiB", "-5", "2TiB", "64 mebi", "1,000,000", "64MiB MiB", "1e7", "NaN", "9999999999999999999999"}, why: "must be a size from 1048576 to"},
		{variable: "CONTENT_MAX_BYTES", bad: []string{"0", "65MiB", "big"}, why: "must be a size"},
		{variable: "RENDER_MAX_BYTES", bad: []string{"0", "1GiB"}, why: "must be a size"},
		{variable: "RENDER_TIMEOUT", bad: []string{"0", "61s"}, why: "must be a duration from 1ms to 1m0s"},
		{variable: "LOG_LEVEL", bad: []string{"TRACE", "9", "51", "20.5"}, why: "must be DEBUG, INFO, WARNING, ERROR, CRITICAL or a number from 10 to 50"},
		{variable: "PROMETHEUS_ENABLED", bad: []string{"Falsch"}, why: "must be True or False"},
		{variable: "PROMETHEUS_DBLAT_TABLE", bad: []string{"a;drop table b", "a.b.c", `"a"`, "1a", "a b", ".a", strings.Repeat("a", 64)}, why: "must be a table's name"},
		{variable: "PROMETHEUS_DBLAT_COLUMN", bad: []string{"a.b", "*", "count(*)", "a-b"}, why: "must be a column's name"},
		{variable: "METRICS_ADDR", bad: []string{"9100", "localhost", "localhost:x", "a b:1", "::1:9100"}, why: "must be host:port"},
		{variable: "METRICS_ADDR", bad: []string{"127.0.0.1:9000", ":9000", "[::]:9000"}, beside: "PROMETHEUS_ENABLED=True", why: "must be another address than that of the API"},
		{variable: "PPROF_ADDR", bad: []string{"65536", ":65536"}, why: "must be host:port"},
		{variable: "PPROF_ADDR", bad: []string{"localhost:9100"}, beside: "PROMETHEUS_ENABLED=True\nMETRICS_ADDR=localhost:9100", why: "must be another address than that of METRICS_ADDR"},
		{variable: "OTEL_EXPORTER_OTLP_ENDPOINT", bad: []string{"localhost:4318", "grpc://a:1", "http://", "http://u:p@a", "http://a?b", "http://a#b"}, why: "must be a URL"},
		{variable: "AWS_REGION", bad: []string{"EU South", "eu_south"}, why: "must be a region"},
		{variable: "AWS_S3_BUCKET", bad: []string{"s3://bucket", "a", "a b c"}, why: "must be a bucket's name"},
		{variable: "AWS_S3_BUCKET_PREFIX", bad: []string{"a\tb", strings.Repeat("a", 513)}, why: "must have"},
		{variable: "AWS_ENDPOINT_URL", bad: []string{"minio:9000"}, why: "must be a URL"},
		{variable: "AWS_ACCESS_KEY_ID", bad: []string{"a\x00"}, why: "must hold no NUL"},
		{variable: "AWS_SECRET_ACCESS_KEY", bad: []string{"a\x00"}, why: "must hold no NUL"},
		{variable: "AWS_SESSION_TOKEN", bad: []string{"a\x00"}, why: "must hold no NUL"},
		{variable: "HARPER_URL", bad: []string{"localhost:9925", "http://a b"}, why: "must be a URL"},
		{variable: "HARPER_USER", bad: []string{"a\x00"}, why: "must hold no NUL"},
		{variable: "HARPER_PASS", bad: []string{"a\x00"}, why: "must hold no NUL"},
		{variable: "HARPER_SCHEMA", bad: []string{"a-b", "a b"}, why: "must be a schema's name"},
	} {
		for _, bad := range c.bad {
			t.Run(c.variable+"="+abridged(bad), func(t *testing.T) {
				invalid := sources{environment: map[string]string{c.variable: bad}, dotenv: c.beside}.problems(t)
				if len(invalid.Problems) != 1 {
					t.Fatalf("problems = %v, want one", invalid.Problems)
				}
				problem := invalid.Problems[0]
				equal(t, "Variable", problem.Variable, c.variable)
				equal(t, "Source", problem.Source, "environment")
				if !strings.Contains(problem.Why, c.why) {
					t.Errorf("Why = %q, want it to have %q", problem.Why, c.why)
				}
				if lookup(c.variable).secret {
					equal(t, "Value", problem.Value, mask)
				}
			})
		}
	}
}

func TestMissingCompanions(t *testing.T) {
	for _, c := range []struct{ dotenv, variable, why string }{
		{"DB_ENGINE=pg", "SECRET_KEY", "must be set with DB_ENGINE pg"},
		{"DATABASE_URL=postgres://h/d", "SECRET_KEY", "must be set with DB_ENGINE pg"},
		{"DB_ENGINE=harper", "SECRET_KEY", "must be set with DB_ENGINE harper"},
		{"REDIS_MODE=cluster", "REDIS_HOST", "must name at least one host with REDIS_MODE cluster"},
		{"REDIS_MODE=sentinel\nREDIS_HOST=a,b", "REDIS_MASTER", "must be the name of the master set"},
		{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY", "must be set together"},
		{"AWS_SECRET_ACCESS_KEY=a", "AWS_ACCESS_KEY_ID", "must be set together"},
	} {
		invalid := sources{dotenv: c.dotenv}.problems(t)
		if len(invalid.Problems) != 1 {
			t.Fatalf("%s: problems = %v, want one", c.dotenv, invalid.Problems)
		}
		problem := invalid.Problems[0]
		if problem.Variable != c.variable || problem.Source != "not set" || problem.Value != "" || !strings.Contains(problem.Why, c.why) {
			t.Errorf("%s: %#v", c.dotenv, problem)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	invalid := sources{
		flags:       []string{"--http-port=abc", "--db-port", "0"},
		environment: map[string]string{"LOG_LEVEL": "LOUD", "SECRET_KEY": "hunter2", "DB_ENGINE": "pg"},
		dotenv:      "REDIS_MODE=ring\nthis line is broken\nCACHE_TTL=never\nREDIS_HSOT=x\nHARPER_URL=ftp://joe:hunter2@h\n",
	}.problems(t)
	want := `the configuration has 8 values that cannot be right:
  .env line 2: must be NAME=value, a comment or blank: there is no '='
  HTTP_PORT="abc" (flag --http-port): must be a whole number from 0 to 65535
  SECRET_KEY=*** (environment): must have at least 8 characters
  DB_PORT="0" (flag --db-port): must be a whole number from 1 to 65535
  REDIS_MODE="ring" (.env line 1): must be single, cluster or sentinel
  CACHE_TTL="never" (.env line 3): must be a duration from 100ms to 24h0m0s, such as 30s, 1m30s or 250ms; a bare number is seconds; or 0 for none
  LOG_LEVEL="LOUD" (environment): must be DEBUG, INFO, WARNING, ERROR, CRITICAL or a number from 10 to 50
  HARPER_URL="ftp://***@h" (.env line 5): must be a URL such as http://localhost:4318
  warning: .env line 4: "REDIS_HSOT" is no known variable; did you mean REDIS_HOST?`
	if got := invalid.Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
		if text := fmt.Sprintf(verb, invalid); strings.Contains(text, "hunter2") {
			t.Errorf("%s shows the secret: %s", verb, text)
		}
	}
}
