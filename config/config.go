package config

import (
	"net/netip"
	"time"
)

// Config is the whole configuration of one process, checked. It holds no secret in a form that prints.
type Config struct {
	HTTP      HTTP
	Database  Database
	Redis     Redis
	Auth      Auth
	Cache     Cache
	Content   Content
	Render    Render
	Log       Log
	Metrics   Metrics
	Profiling Profiling
	Tracing   Tracing
	AWS       AWS
	Harper    Harper

	// Warnings are lines for the log at start: unknown names in `.env`, values that are allowed but doubtful.
	Warnings []string

	// SDKEnvironment holds the OTEL_* and AWS_* variables of `.env` that are not in the table and not in the environment.
	// The OpenTelemetry and AWS libraries read the environment of the process by themselves; whoever starts them may put
	// these there.
	SDKEnvironment map[string]Secret

	settings []Setting
}

// HTTP is the listener of the API.
type HTTP struct {
	Host            string         // host name or address without brackets
	Port            int            // 0: any free port
	TLSCert, TLSKey string         // files in PEM, both or none
	CORSOrigins     []string       // scheme://host[:port] in lower case, or "*"; none: CORS is off
	TrustedProxies  []netip.Prefix // whose X-Forwarded-For is believed
	ShutdownTimeout time.Duration  // how long running requests may take to end
}

// Engine names the kind of database.
type Engine string

// The values of DB_ENGINE.
const (
	EnginePostgres Engine = "pg"
	EngineSQLite   Engine = "sqlite"
	EngineMemory   Engine = "memory"
	EngineHarper   Engine = "harper"
)

// DefaultSQLitePath is the file of the embedded database when DATABASE_URL names none.
const DefaultSQLitePath = "./data/templar.db"

// Database says where templates and keys are stored. What DATABASE_URL says is already worked into it.
type Database struct {
	Engine  Engine
	Path    string // the file, for EngineSQLite
	MaxConn int    // connections in the pool; 0: by the number of cores
	Migrate bool   // serve brings the schema up to date

	User     string
	Password Secret
	Hosts    []HostPort // at least one; more than one for failover
	Name     string
	SSLMode  string            // one of libpq's
	Options  map[string]Secret // further connection parameters of DATABASE_URL
}

// RedisMode names how the Redis servers belong together.
type RedisMode string

// The values of REDIS_MODE.
const (
	RedisSingle   RedisMode = "single"
	RedisCluster  RedisMode = "cluster"
	RedisSentinel RedisMode = "sentinel"
)

// Redis says where cache, limits and the seed's keys are shared.
type Redis struct {
	Addresses []string // host:port; none: no Redis
	Mode      RedisMode
	Master    string // the name of the master set, for RedisSentinel
	User      string
	Password  Secret
	DB        int
	MaxConn   int
	TLS       bool
}

// Enabled reports whether there is a Redis at all.
func (r Redis) Enabled() bool { return len(r.Addresses) > 0 }

// Auth is about credentials and how often they may be used.
type Auth struct {
	SecretKey   Secret        // signs cursors; empty only with the embedded engines, where one is made at the first start
	Tokens      []Secret      // bearer tokens
	Grace       time.Duration // how long a key of Redis goes on while Redis is down
	DefaultRate int           // requests a minute and user; 0: no limit
}

// Cache bounds what the process itself keeps.
type Cache struct {
	TTL      time.Duration
	MaxBytes int64
}

// Content bounds what is stored.
type Content struct {
	MaxBytes int64 // of one template's content
}

// Render bounds one rendering.
type Render struct {
	MaxBytes int64 // of output
	Timeout  time.Duration
}

// Log is what is logged and how.
type Log struct {
	Level       Level
	Development bool // readable text in the place of JSON
}

// Metrics is the Prometheus page and its probe of the database.
type Metrics struct {
	Enabled     bool
	Address     string // host:port of a listener of its own; empty: on the API's
	ProbeTable  string // a plain identifier, possibly with a schema before it
	ProbeColumn string // a plain identifier
}

// Profiling is the listener of net/http/pprof.
type Profiling struct {
	Address string // host:port; empty: off
}

// Tracing is where spans are sent.
type Tracing struct {
	Endpoint string // base URL of an OTLP/HTTP collector; empty: off
}

// AWS is where export and import go by default, and with which credentials.
type AWS struct {
	Region, Bucket, Prefix string
	EndpointURL            string // empty: Amazon's own
	AccessKeyID            Secret // empty: the SDK's own chain of credentials
	SecretAccessKey        Secret
	SessionToken           Secret
}

// Harper is the Operations API of a Harper server.
type Harper struct {
	URL      string
	User     string
	Password Secret
	Schema   string
}
