package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// variable is one row of the table: all that is known of one variable.
type variable struct {
	name    string
	group   string // heading in .env.example
	initial string // the default, as text
	kind    string // what the value is, for the flag's help
	meaning string
	secret  bool // never shown
	raw     bool // white space around the value belongs to it

	// apply checks the text, which is never empty, and stores what it means. The error says what would be right.
	apply func(d *draft, text string) error
}

// variables is the one table. Its order is the order of `templar config` and of `.env.example`.
var variables = []variable{
	{group: "HTTP", name: "HTTP_HOST", initial: "127.0.0.1", kind: "host", meaning: "address to listen on; 0.0.0.0 is every IPv4 address",
		apply: into(parseListenHost, func(d *draft) *string { return &d.HTTP.Host })},
	{group: "HTTP", name: "HTTP_PORT", initial: "9000", kind: "port", meaning: "port to listen on; 0 is any free one",
		apply: number(0, 65535, func(d *draft) *int { return &d.HTTP.Port })},
	{group: "HTTP", name: "FLASK_HOST", kind: "host", meaning: "the seed's name for HTTP_HOST, used when that is unset",
		apply: only(parseListenHost)},
	{group: "HTTP", name: "FLASK_PORT", kind: "port", meaning: "the seed's name for HTTP_PORT, used when that is unset",
		apply: number(0, 65535, nil)},
	{group: "HTTP", name: "GUNIPORT", kind: "port", meaning: "the seed's port of Gunicorn, used when HTTP_PORT and FLASK_PORT are unset",
		apply: number(0, 65535, nil)},
	{group: "HTTP", name: "TLS_CERT", kind: "file", meaning: "certificate chain in PEM; with TLS_KEY the listener speaks HTTPS",
		apply: into(parseFile, func(d *draft) *string { return &d.HTTP.TLSCert })},
	{group: "HTTP", name: "TLS_KEY", kind: "file", meaning: "private key of TLS_CERT in PEM",
		apply: into(parseFile, func(d *draft) *string { return &d.HTTP.TLSKey })},
	{group: "HTTP", name: "CORS_ORIGINS", kind: "list", meaning: "origins whose pages may call the API, with commas between them, or *; none turns CORS off",
		apply: into(parseOrigins, func(d *draft) *[]string { return &d.HTTP.CORSOrigins })},
	{group: "HTTP", name: "TRUSTED_PROXIES", kind: "list", meaning: "networks or addresses whose X-Forwarded-For is believed, with commas between them",
		apply: applyTrustedProxies},
	{group: "HTTP", name: "SHUTDOWN_TIMEOUT", initial: "15s", kind: "duration", meaning: "how long running requests may take to end after SIGTERM",
		apply: duration(0, 10*time.Minute, func(d *draft) *time.Duration { return &d.HTTP.ShutdownTimeout })},
	{group: "HTTP", name: "FLASK_APP", kind: "text", meaning: "accepted and unused",
		apply: func(*draft, string) error { return nil }},

	{group: "Credentials and limits", name: "SECRET_KEY", kind: "text", secret: true, raw: true,
		meaning: "signs cursors, at least 8 characters; required with DB_ENGINE pg and harper, the same on every instance; otherwise one is made at the first start",
		apply:   applySecretKey},
	{group: "Credentials and limits", name: "API_TOKENS", kind: "list", secret: true, meaning: "bearer tokens that hold every scope, with commas between them",
		apply: applyTokens},
	{group: "Credentials and limits", name: "AUTH_GRACE", initial: "5m", kind: "duration", meaning: "how long a key of the Redis hash goes on while Redis is down",
		apply: duration(0, 24*time.Hour, func(d *draft) *time.Duration { return &d.Auth.Grace })},
	{group: "Credentials and limits", name: "DEFAULT_RATE_LIMIT", initial: "100", kind: "number", meaning: "requests a minute and user; 0 is no limit",
		apply: number(0, 1_000_000_000, func(d *draft) *int { return &d.Auth.DefaultRate })},

	{group: "Database", name: "DB_ENGINE", initial: "sqlite", kind: "name", meaning: "pg, sqlite, memory or harper",
		apply: choice(func(d *draft) *Engine { return &d.Database.Engine }, EnginePostgres, EngineSQLite, EngineMemory, EngineHarper)},
	{group: "Database", name: "DB_USER", kind: "text", raw: true, meaning: "user of PostgreSQL",
		apply: text(func(d *draft) *string { return &d.Database.User })},
	{group: "Database", name: "DB_PASS", kind: "text", secret: true, raw: true, meaning: "password of PostgreSQL",
		apply: secret(func(d *draft) *Secret { return &d.Database.Password })},
	{group: "Database", name: "DB_HOST", initial: "localhost", kind: "hosts", meaning: "host of PostgreSQL, several host[:port] with commas for failover, or the folder of its socket",
		apply: func(d *draft, text string) (err error) { d.Database.Hosts, err = parseHosts(text, true); return err }},
	{group: "Database", name: "DB_PORT", initial: "5432", kind: "port", meaning: "port of every host that names none",
		apply: number(1, 65535, func(d *draft) *int { return &d.databasePort })},
	{group: "Database", name: "DB_NAME", initial: "mypkg", kind: "text", meaning: "database of PostgreSQL",
		apply: checked(func(text string) error { return checkText(text, 63) }, func(d *draft) *string { return &d.Database.Name })},
	{group: "Database", name: "DB_SSLMODE", initial: "prefer", kind: "name", meaning: "TLS to PostgreSQL: disable, allow, prefer, require, verify-ca or verify-full",
		apply: choice(func(d *draft) *string { return &d.Database.SSLMode }, sslModes...)},
	{group: "Database", name: "DATABASE_URL", kind: "url", secret: true, meaning: "postgres://user:password@host:5432/name or sqlite:PATH in the place of the variables above; without it SQLite keeps " + DefaultSQLitePath,
		apply: into(parseDatabaseURL, func(d *draft) **databaseURL { return &d.url })},
	{group: "Database", name: "DB_MAX_CONN", initial: "0", kind: "number", meaning: "connections to the database; 0 is by the number of cores",
		apply: number(0, 10_000, func(d *draft) *int { return &d.Database.MaxConn })},
	{group: "Database", name: "DB_MIGRATE", initial: "auto", kind: "name", meaning: "auto: serve brings the schema up to date; off: it does not touch it",
		apply: applyMigrate},

	{group: "Redis", name: "REDIS_HOST", kind: "hosts", meaning: "host of Redis, several host[:port] with commas for cluster and sentinel; none: keys in the database, cache and limits in the process",
		apply: func(d *draft, text string) (err error) { d.redisHosts, err = parseHosts(text, false); return err }},
	{group: "Redis", name: "REDIS_PORT", initial: "6379", kind: "port", meaning: "port of every host that names none",
		apply: number(1, 65535, func(d *draft) *int { return &d.redisPort })},
	{group: "Redis", name: "REDIS_USER", kind: "text", raw: true, meaning: "user of Redis",
		apply: text(func(d *draft) *string { return &d.Redis.User })},
	{group: "Redis", name: "REDIS_PASS", kind: "text", secret: true, raw: true, meaning: "password of Redis",
		apply: secret(func(d *draft) *Secret { return &d.Redis.Password })},
	{group: "Redis", name: "REDIS_DB", initial: "0", kind: "number", meaning: "number of the database in Redis",
		apply: number(0, 65535, func(d *draft) *int { return &d.Redis.DB })},
	{group: "Redis", name: "REDIS_MAX_CONN", initial: "100", kind: "number", meaning: "most connections to Redis",
		apply: number(1, 10_000, func(d *draft) *int { return &d.Redis.MaxConn })},
	{group: "Redis", name: "REDIS_MODE", initial: "single", kind: "name", meaning: "single, cluster or sentinel",
		apply: choice(func(d *draft) *RedisMode { return &d.Redis.Mode }, RedisSingle, RedisCluster, RedisSentinel)},
	{group: "Redis", name: "REDIS_MASTER", kind: "text", meaning: "name of the master set, required with REDIS_MODE sentinel",
		apply: checked(func(text string) error { return checkText(text, 255) }, func(d *draft) *string { return &d.Redis.Master })},
	{group: "Redis", name: "REDIS_TLS", initial: "False", kind: truth, meaning: "TLS to Redis",
		apply: into(parseBool, func(d *draft) *bool { return &d.Redis.TLS })},

	{group: "Cache and sizes", name: "CACHE_TTL", initial: "30s", kind: "duration", meaning: "how old a cached read may be when Redis is cut off or rows were changed by hand; 0 turns the cache off",
		apply: durationOrNone(100*time.Millisecond, 24*time.Hour, func(d *draft) *time.Duration { return &d.Cache.TTL })},
	{group: "Cache and sizes", name: "CACHE_MAX_BYTES", initial: "64MiB", kind: "size", meaning: "most memory for the answers that the process itself keeps",
		apply: size(1<<20, 1<<40, func(d *draft) *int64 { return &d.Cache.MaxBytes })},
	{group: "Cache and sizes", name: "CONTENT_MAX_BYTES", initial: "1048576", kind: "size", meaning: "largest content of a template",
		apply: size(1, 64<<20, func(d *draft) *int64 { return &d.Content.MaxBytes })},
	{group: "Cache and sizes", name: "RENDER_MAX_BYTES", initial: "8388608", kind: "size", meaning: "largest output of one rendering",
		apply: size(1, 256<<20, func(d *draft) *int64 { return &d.Render.MaxBytes })},
	{group: "Cache and sizes", name: "RENDER_TIMEOUT", initial: "1s", kind: "duration", meaning: "longest time of one rendering",
		apply: duration(time.Millisecond, time.Minute, func(d *draft) *time.Duration { return &d.Render.Timeout })},

	{group: "Logs, metrics, traces", name: "LOG_LEVEL", initial: "INFO", kind: "level", meaning: "DEBUG, INFO, WARNING, ERROR, CRITICAL or a number from 10 to 50",
		apply: into(ParseLevel, func(d *draft) *Level { return &d.Log.Level })},
	{group: "Logs, metrics, traces", name: "FLASK_ENV", initial: "production", kind: "name", meaning: "development: logs as readable text; production: as JSON",
		apply: applyFlaskEnv},
	{group: "Logs, metrics, traces", name: "PROMETHEUS_ENABLED", initial: "False", kind: truth, meaning: "serve /metrics",
		apply: into(parseBool, func(d *draft) *bool { return &d.Metrics.Enabled })},
	{group: "Logs, metrics, traces", name: "PROMETHEUS_DBLAT_TABLE", initial: "templates", kind: "identifier", meaning: "table that the database's latency is measured on",
		apply: checked(matching(tableForm, "must be a table's name of letters, digits and '_', such as templates or schema.templates"), func(d *draft) *string { return &d.Metrics.ProbeTable })},
	{group: "Logs, metrics, traces", name: "PROMETHEUS_DBLAT_COLUMN", initial: "templateid", kind: "identifier", meaning: "column that the database's latency is measured on",
		apply: checked(matching(identifierForm, "must be a column's name of letters, digits and '_', such as templateid"), func(d *draft) *string { return &d.Metrics.ProbeColumn })},
	{group: "Logs, metrics, traces", name: "METRICS_ADDR", kind: "host:port", meaning: "serve /metrics on a listener of its own",
		apply: into(parseListenAddress, func(d *draft) *string { return &d.Metrics.Address })},
	{group: "Logs, metrics, traces", name: "PPROF_ADDR", kind: "host:port", meaning: "serve profiles on a listener of their own; keep it away from the public",
		apply: into(parseListenAddress, func(d *draft) *string { return &d.Profiling.Address })},
	{group: "Logs, metrics, traces", name: "OTEL_EXPORTER_OTLP_ENDPOINT", kind: "url", meaning: "OTLP/HTTP collector that traces are sent to, such as http://localhost:4318",
		apply: into(parseBaseURL, func(d *draft) *string { return &d.Tracing.Endpoint })},

	{group: "AWS", name: "AWS_REGION", initial: "eu-south-2", kind: "name", meaning: "region of the bucket",
		apply: checked(matching(regionForm, "must be a region such as eu-south-2"), func(d *draft) *string { return &d.AWS.Region })},
	{group: "AWS", name: "AWS_S3_BUCKET", kind: "name", meaning: "where export and import go when no --to or --from is given",
		apply: checked(matching(bucketForm, "must be a bucket's name of letters, digits, '.', '_' and '-'"), func(d *draft) *string { return &d.AWS.Bucket })},
	{group: "AWS", name: "AWS_S3_BUCKET_PREFIX", kind: "text", meaning: "what the keys in the bucket begin with",
		apply: checked(func(text string) error { return checkText(text, 512) }, func(d *draft) *string { return &d.AWS.Prefix })},
	{group: "AWS", name: "AWS_ENDPOINT_URL", kind: "url", meaning: "another S3 service than Amazon's",
		apply: into(parseBaseURL, func(d *draft) *string { return &d.AWS.EndpointURL })},
	{group: "AWS", name: "AWS_ACCESS_KEY_ID", kind: "text", secret: true, meaning: "credentials of S3; without them the usual AWS sources are asked",
		apply: secret(func(d *draft) *Secret { return &d.AWS.AccessKeyID })},
	{group: "AWS", name: "AWS_SECRET_ACCESS_KEY", kind: "text", secret: true, meaning: "the secret that belongs to AWS_ACCESS_KEY_ID",
		apply: secret(func(d *draft) *Secret { return &d.AWS.SecretAccessKey })},
	{group: "AWS", name: "AWS_SESSION_TOKEN", kind: "text", secret: true, meaning: "the token of temporary credentials",
		apply: secret(func(d *draft) *Secret { return &d.AWS.SessionToken })},

	{group: "Harper", name: "HARPER_URL", initial: "http://localhost:9925", kind: "url", meaning: "Operations API of Harper",
		apply: into(parseBaseURL, func(d *draft) *string { return &d.Harper.URL })},
	{group: "Harper", name: "HARPER_USER", kind: "text", raw: true, meaning: "user of Harper",
		apply: text(func(d *draft) *string { return &d.Harper.User })},
	{group: "Harper", name: "HARPER_PASS", kind: "text", secret: true, raw: true, meaning: "password of Harper",
		apply: secret(func(d *draft) *Secret { return &d.Harper.Password })},
	{group: "Harper", name: "HARPER_SCHEMA", initial: "mypkg", kind: "identifier", meaning: "schema of Harper",
		apply: checked(matching(identifierForm, "must be a schema's name of letters, digits and '_', such as mypkg"), func(d *draft) *string { return &d.Harper.Schema })},
}

// truth is the kind of a variable that is on or off; its flag needs no value.
const truth = "True|False"

// into stores what parse makes of the text.
func into[T any](parse func(string) (T, error), field func(*draft) *T) func(*draft, string) error {
	return func(d *draft, text string) error {
		value, err := parse(text)
		if err != nil {
			return err
		}
		*field(d) = value
		return nil
	}
}

// only checks the text with parse and stores nothing: the variable is another name of one that stores it.
func only[T any](parse func(string) (T, error)) func(*draft, string) error {
	return func(_ *draft, text string) error {
		_, err := parse(text)
		return err
	}
}

func number(low, high int, field func(*draft) *int) func(*draft, string) error {
	parse := func(text string) (int, error) { return parseInt(text, low, high) }
	if field == nil {
		return only(parse)
	}
	return into(parse, field)
}

func duration(low, high time.Duration, field func(*draft) *time.Duration) func(*draft, string) error {
	return into(func(text string) (time.Duration, error) { return parseDuration(text, low, high) }, field)
}

// durationOrNone also takes 0, which is shorter than low.
func durationOrNone(low, high time.Duration, field func(*draft) *time.Duration) func(*draft, string) error {
	return into(func(text string) (time.Duration, error) {
		if d, err := parseDuration(text, 0, 0); err == nil {
			return d, nil
		}
		d, err := parseDuration(text, low, high)
		if err != nil {
			err = fmt.Errorf("%w; or 0 for none", err)
		}
		return d, err
	}, field)
}

func size(low, high int64, field func(*draft) *int64) func(*draft, string) error {
	return into(func(text string) (int64, error) { return parseSize(text, low, high) }, field)
}

func choice[T ~string](field func(*draft) *T, choices ...T) func(*draft, string) error {
	names := make([]string, len(choices))
	for i, name := range choices {
		names[i] = string(name)
	}
	return into(func(text string) (T, error) {
		name, err := parseChoice(text, names...)
		return T(name), err
	}, field)
}

func checked(check func(string) error, field func(*draft) *string) func(*draft, string) error {
	return into(func(text string) (string, error) { return text, check(text) }, field)
}

// checkFree lets a user name or a password be anything but what no server can take.
func checkFree(text string) error {
	if strings.ContainsRune(text, 0) {
		return errors.New("must hold no NUL byte")
	}
	if !utf8.ValidString(text) {
		return errors.New("must be valid UTF-8")
	}
	return nil
}

func text(field func(*draft) *string) func(*draft, string) error { return checked(checkFree, field) }

func secret(field func(*draft) *Secret) func(*draft, string) error {
	return into(func(text string) (Secret, error) { return NewSecret(text), checkFree(text) }, field)
}

func applySecretKey(d *draft, text string) error {
	if utf8.RuneCountInString(text) < minSecretKeyRunes {
		return fmt.Errorf("must have at least %d characters", minSecretKeyRunes)
	}
	d.Auth.SecretKey = NewSecret(text)
	return nil
}

func applyTokens(d *draft, text string) error {
	tokens, err := parseTokens(text)
	if err != nil {
		return err
	}
	for i, token := range tokens {
		if len(token.Reveal()) < adviceTokenBytes {
			d.warn("API_TOKENS: token %d has less than %d characters and may be guessed", i+1, adviceTokenBytes)
		}
	}
	d.Auth.Tokens = tokens
	return nil
}

func applyTrustedProxies(d *draft, text string) error {
	networks, err := parseNetworks(text)
	if err != nil {
		return err
	}
	for _, network := range networks {
		if network.Bits() == 0 {
			d.warn("TRUSTED_PROXIES: %s believes the X-Forwarded-For of everybody, so that every client chooses its own address", network)
		}
	}
	d.HTTP.TrustedProxies = networks
	return nil
}

func applyMigrate(d *draft, text string) error {
	mode, err := parseChoice(text, "auto", "off")
	if err != nil {
		return err
	}
	d.Database.Migrate = mode == "auto"
	return nil
}

func applyFlaskEnv(d *draft, text string) error {
	mode, err := parseChoice(text, "development", "production")
	if err != nil {
		d.warn("FLASK_ENV: neither development nor production; taken as production")
	}
	d.Log.Development = mode == "development"
	return nil
}
