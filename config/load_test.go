package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// seedDotenv is the seed's own `.env`, byte for byte.
const seedDotenv = `# -- Use: Flask configuration
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

// sources are what one test gives to Load.
type sources struct {
	flags       []string
	environment map[string]string
	dotenv      string
}

func (s sources) load(t *testing.T) (*Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Register(flags)
	if err := flags.Parse(s.flags); err != nil {
		t.Fatalf("parsing flags: %v", err)
	}
	path := filepath.Join(t.TempDir(), ".env")
	if s.dotenv != "" {
		if err := os.WriteFile(path, []byte(s.dotenv), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(flags, func(name string) (string, bool) { text, found := s.environment[name]; return text, found }, path)
}

func (s sources) mustLoad(t *testing.T) *Config {
	t.Helper()
	config, err := s.load(t)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return config
}

func (s sources) problems(t *testing.T) *InvalidError {
	t.Helper()
	config, err := s.load(t)
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("Load = %v, %v; want an *InvalidError", config, err)
	}
	if config != nil {
		t.Errorf("Load returned a Config with its error")
	}
	return invalid
}

func setting(t *testing.T, config *Config, name string) Setting {
	t.Helper()
	for _, s := range config.Settings() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %s", name)
	return Setting{}
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s = %#v, want %#v", what, got, want)
	}
}

func TestSeedDotenvWorksUnchanged(t *testing.T) {
	c := sources{dotenv: seedDotenv}.mustLoad(t)
	equal(t, "HTTP.Host", c.HTTP.Host, "localhost")
	equal(t, "HTTP.Port", c.HTTP.Port, 9000)
	equal(t, "SecretKey", c.Auth.SecretKey.Reveal(), "Sup3rC0mpl3xS3cr3tK3y")
	equal(t, "Log", c.Log, Log{Level: Debug, Development: true})
	equal(t, "Engine", c.Database.Engine, EnginePostgres)
	equal(t, "User", c.Database.User, "root")
	equal(t, "Password", c.Database.Password.Reveal(), "password")
	equal(t, "Hosts", c.Database.Hosts, []HostPort{{"localhost", 5432}})
	equal(t, "Name", c.Database.Name, "mypkg")
	equal(t, "SSLMode", c.Database.SSLMode, "prefer")
	equal(t, "Redis.Addresses", c.Redis.Addresses, []string{"localhost:6379"})
	equal(t, "Redis.Password", c.Redis.Password.Reveal(), "password")
	equal(t, "Redis.MaxConn", c.Redis.MaxConn, 100)
	equal(t, "DefaultRate", c.Auth.DefaultRate, 100)
	equal(t, "Metrics", c.Metrics, Metrics{ProbeTable: "templates", ProbeColumn: "templateid"})
	equal(t, "AWS.Region", c.AWS.Region, "eu-south-2")
	equal(t, "AWS.Bucket", c.AWS.Bucket, "")
	equal(t, "Warnings", c.Warnings, nil)
	equal(t, "source of HTTP_PORT", setting(t, c, "HTTP_PORT").Source, "FLASK_PORT from .env")
	equal(t, "source of HTTP_HOST", setting(t, c, "HTTP_HOST").Source, "FLASK_HOST from .env")
	equal(t, "source of LOG_LEVEL", setting(t, c, "LOG_LEVEL").Source, ".env")
	equal(t, "source of AWS_S3_BUCKET", setting(t, c, "AWS_S3_BUCKET").Source, "default")
}

func TestDefaults(t *testing.T) {
	c := sources{}.mustLoad(t)
	want := Config{
		HTTP: HTTP{Host: "127.0.0.1", Port: 9000, ShutdownTimeout: 15 * time.Second},
		Database: Database{Engine: EngineSQLite, Path: "./data/templar.db", Migrate: true, Hosts: []HostPort{{"localhost", 5432}},
			Name: "mypkg", SSLMode: "prefer"},
		Redis:          Redis{Mode: RedisSingle, MaxConn: 100},
		Auth:           Auth{Grace: 5 * time.Minute, DefaultRate: 100},
		Cache:          Cache{TTL: 30 * time.Second, MaxBytes: 64 << 20},
		Content:        Content{MaxBytes: 1 << 20},
		Render:         Render{MaxBytes: 8 << 20, Timeout: time.Second},
		Log:            Log{Level: Info},
		Metrics:        Metrics{ProbeTable: "templates", ProbeColumn: "templateid"},
		AWS:            AWS{Region: "eu-south-2"},
		Harper:         Harper{URL: "http://localhost:9925", Schema: "mypkg"},
		SDKEnvironment: map[string]Secret{},
		settings:       c.settings,
	}
	equal(t, "Config", *c, want)
	for _, s := range c.Settings() {
		equal(t, "source of "+s.Name, s.Source, "default")
	}
	if c.Redis.Enabled() || c.Database.PostgresDSN().Reveal() != "" {
		t.Error("Redis or PostgreSQL is on without configuration")
	}
}

func TestNilFlagsAndEnvironmentOfTheProcess(t *testing.T) {
	t.Setenv("HTTP_PORT", "9123")
	c, err := Load(nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Port", c.HTTP.Port, 9123)
}

// Every variable obeys the same order of sources: with all of them set the flag wins, and so on down.
func TestPrecedenceOfEveryVariable(t *testing.T) {
	samples := map[string][3]string{
		"number": {"101", "102", "103"}, "port": {"7001", "7002", "7003"}, "size": {"2MiB", "3MiB", "4MiB"},
		"duration": {"11s", "12s", "13s"}, "host": {"a.test", "b.test", "c.test"}, "hosts": {"a.test", "b.test", "c.test"},
		"text": {"first-text", "second-text", "third-text"}, "identifier": {"one", "two", "three"},
		"url":       {"http://a.test", "http://b.test", "http://c.test"},
		"host:port": {"127.0.0.1:7101", "127.0.0.1:7102", "127.0.0.1:7103"}, truth: {"True", "False", "yes"}, "level": {"11", "12", "13"},
	}
	special := map[string][3]string{
		"DB_ENGINE": {"memory", "harper", "sqlite"}, "DB_SSLMODE": {"require", "disable", "allow"}, "DB_MIGRATE": {"off", "auto", "off"},
		"REDIS_MODE": {"cluster", "sentinel", "single"}, "FLASK_ENV": {"development", "production", "development"},
		"AWS_REGION": {"eu-north-1", "eu-west-1", "eu-west-2"}, "AWS_S3_BUCKET": {"bucket-a", "bucket-b", "bucket-c"},
		"DATABASE_URL": {"sqlite:a.db", "sqlite:b.db", "sqlite:c.db"}, "API_TOKENS": {strings.Repeat("a", 16), strings.Repeat("b", 16), strings.Repeat("c", 16)},
		"CORS_ORIGINS": {"https://a.test", "https://b.test", "https://c.test"}, "TRUSTED_PROXIES": {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"},
	}
	for _, v := range variables {
		if v.kind == "file" {
			continue // TestTLS has them: they need files
		}
		t.Run(v.name, func(t *testing.T) {
			texts, found := special[v.name]
			if !found {
				texts, found = samples[v.kind]
			}
			if !found {
				t.Fatalf("no sample for %s of the kind %s", v.name, v.kind)
			}
			// The companions that some variables need, set where nothing beats them.
			environment := map[string]string{}
			for name, text := range map[string]string{"SECRET_KEY": "long enough", "REDIS_HOST": "r.test", "REDIS_MASTER": "m", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"} {
				if name != v.name {
					environment[name] = text
				}
			}
			flag := []string{"--" + flagName(v.name) + "=" + texts[0]}
			both := func(value string) map[string]string {
				all := map[string]string{v.name: value}
				for name, text := range environment {
					all[name] = text
				}
				return all
			}
			file := v.name + "=" + texts[2] + "\n"
			for _, c := range []struct {
				given        sources
				text, source string
			}{
				{sources{flag, both(texts[1]), file}, texts[0], "flag --" + flagName(v.name)},
				{sources{flag, environment, file}, texts[0], "flag --" + flagName(v.name)},
				{sources{nil, both(texts[1]), file}, texts[1], "environment"},
				{sources{nil, environment, file}, texts[2], ".env"},
				{sources{nil, both(""), file}, texts[2], ".env"},
			} {
				config := c.given.mustLoad(t)
				want := c.text
				if v.secret && v.name != "DATABASE_URL" {
					want = mask
				}
				got := setting(t, config, v.name)
				if got.Value != want || got.Source != c.source {
					t.Errorf("got %q from %q, want %q from %q", got.Value, got.Source, want, c.source)
				}
			}
		})
	}
}

func TestPrecedenceReachesTheTypedValue(t *testing.T) {
	all := sources{flags: []string{"--cache-ttl=1s"}, environment: map[string]string{"CACHE_TTL": "2s"}, dotenv: "CACHE_TTL=3s\n"}
	equal(t, "flag", all.mustLoad(t).Cache.TTL, time.Second)
	all.flags = nil
	equal(t, "environment", all.mustLoad(t).Cache.TTL, 2*time.Second)
	all.environment = nil
	equal(t, ".env", all.mustLoad(t).Cache.TTL, 3*time.Second)
	all.dotenv = ""
	equal(t, "default", all.mustLoad(t).Cache.TTL, 30*time.Second)
	all = sources{flags: []string{"--api-tokens=flag-token-0123456789"}, environment: map[string]string{"API_TOKENS": "environment-token-01"}}
	equal(t, "secret flag", all.mustLoad(t).Auth.Tokens[0].Reveal(), "flag-token-0123456789")
}

func TestOlderNames(t *testing.T) {
	for _, c := range []struct {
		name   string
		given  sources
		port   int
		source string
	}{
		{"HTTP_PORT of .env beats FLASK_PORT of a flag", sources{flags: []string{"--flask-port=1"}, dotenv: "HTTP_PORT=2\nGUNIPORT=3"}, 2, ".env"},
		{"FLASK_PORT of .env beats GUNIPORT of a flag", sources{flags: []string{"--guniport=1"}, dotenv: "FLASK_PORT=2"}, 2, "FLASK_PORT from .env"},
		{"FLASK_PORT of the environment", sources{environment: map[string]string{"FLASK_PORT": "4"}, dotenv: "FLASK_PORT=2"}, 4, "FLASK_PORT from environment"},
		{"GUNIPORT alone", sources{flags: []string{"--guniport", "5"}}, 5, "GUNIPORT from flag --guniport"},
		{"an empty HTTP_PORT is unset", sources{environment: map[string]string{"HTTP_PORT": " "}, dotenv: "GUNIPORT=6"}, 6, "GUNIPORT from .env"},
		{"an empty flag is unset", sources{flags: []string{"--http-port="}, dotenv: "HTTP_PORT=6\nFLASK_PORT=7"}, 7, "FLASK_PORT from .env"},
		{"none", sources{}, 9000, "default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := c.given.mustLoad(t)
			equal(t, "port", config.HTTP.Port, c.port)
			equal(t, "source", setting(t, config, "HTTP_PORT").Source, c.source)
		})
	}
	invalid := sources{dotenv: "FLASK_PORT=70000\nFLASK_HOST=a b"}.problems(t)
	if len(invalid.Problems) != 2 || invalid.Problems[0].Variable != "FLASK_HOST" || invalid.Problems[1].Variable != "FLASK_PORT" {
		t.Errorf("a wrong older name is reported as %v, want once, under its own name", invalid.Problems)
	}
}

func TestEmptyFlagSwitchesOff(t *testing.T) {
	c := sources{flags: []string{"--redis-host="}, dotenv: "REDIS_HOST=r.test"}.mustLoad(t)
	equal(t, "Enabled", c.Redis.Enabled(), false)
	equal(t, "source", setting(t, c, "REDIS_HOST").Source, "flag --redis-host")
	c = sources{flags: []string{"--redis-tls"}}.mustLoad(t)
	equal(t, "--redis-tls without a value", c.Redis.TLS, true)
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name  string
		given sources
		want  string
	}{
		{"misspelt", sources{dotenv: "\nDB_HSOT=x"}, `.env line 2: "DB_HSOT" is no known variable; did you mean DB_HOST?`},
		{"lower case", sources{dotenv: "http_port=1"}, `.env line 1: "http_port" is no known variable; did you mean HTTP_PORT?`},
		{"unknown", sources{dotenv: "SOMETHING_ELSE=x"}, `.env line 1: "SOMETHING_ELSE" is no known variable`},
		{"twice", sources{dotenv: "LOG_LEVEL=INFO\nLOG_LEVEL=DEBUG"}, `.env line 2: "LOG_LEVEL" is set again, after line 1; the last value that is not empty counts`},
		{"FLASK_ENV", sources{environment: map[string]string{"FLASK_ENV": "staging"}}, "FLASK_ENV: neither development nor production; taken as production"},
		{"quotes", sources{environment: map[string]string{"SECRET_KEY": `"Sup3rC0mpl3xS3cr3tK3y"`}}, "SECRET_KEY (environment) begins and ends with a quote, which is taken as part of the value"},
		{"short token", sources{environment: map[string]string{"API_TOKENS": "0123456789abcdef, 12345678"}}, "API_TOKENS: token 2 has less than 16 characters and may be guessed"},
		{"everybody a proxy", sources{dotenv: "TRUSTED_PROXIES=0.0.0.0/0"}, "TRUSTED_PROXIES: 0.0.0.0/0 believes the X-Forwarded-For of everybody, so that every client chooses its own address"},
		{"no engine", sources{dotenv: "DB_HOST=db.test"}, "DB_HOST, DB_USER, DB_PASS or DB_NAME is set and not used, because DB_ENGINE is unset and its default is sqlite"},
		{"unused URL", sources{dotenv: "DB_ENGINE=memory\nDATABASE_URL=sqlite:x.db"}, "DATABASE_URL is not used with DB_ENGINE memory"},
		{"example key", sources{dotenv: "SECRET_KEY=Sup3rC0mpl3xS3cr3tK3y"}, "SECRET_KEY is the published example; whoever knows it can forge cursors"},
		{"metrics off", sources{dotenv: "METRICS_ADDR=:9100"}, "METRICS_ADDR is not used, because PROMETHEUS_ENABLED is False"},
		{"public profiles", sources{dotenv: "PPROF_ADDR=:6060"}, "PPROF_ADDR: profiles show the memory of the process, and this address is not only this machine's"},
	} {
		t.Run(c.name, func(t *testing.T) {
			equal(t, "Warnings", c.given.mustLoad(t).Warnings, []string{c.want})
		})
	}
	many := sources{dotenv: strings.Repeat("UNKNOWN_ONE=1\nOTHER_UNKNOWN=2\n", 500)}.mustLoad(t)
	equal(t, "number of warnings", len(many.Warnings), 51)
	equal(t, "last warning", many.Warnings[50], ".env has 1948 more names that are unknown or set again")
}

func TestNamesOfTheLibraries(t *testing.T) {
	c := sources{
		dotenv:      "OTEL_SERVICE_NAME=mine\nAWS_PROFILE=file\nOTEL_RESOURCE_ATTRIBUTES=\nAWS_REGION=eu-west-1",
		environment: map[string]string{"AWS_PROFILE": "env"},
	}.mustLoad(t)
	equal(t, "Warnings", c.Warnings, nil)
	equal(t, "number of library variables", len(c.SDKEnvironment), 1)
	equal(t, "OTEL_SERVICE_NAME", c.SDKEnvironment["OTEL_SERVICE_NAME"].Reveal(), "mine")
}
