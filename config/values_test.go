package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
)

func TestForms(t *testing.T) {
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "45": 45 * time.Second, "1.5": 1500 * time.Millisecond, "1m30s": 90 * time.Second, "250ms": 250 * time.Millisecond} {
		equal(t, text, sources{dotenv: "CACHE_TTL=" + text}.mustLoad(t).Cache.TTL, want)
	}
	for text, want := range map[string]int64{"2097152": 2 << 20, "64MiB": 64 << 20, "64MB": 64_000_000, "64 MiB": 64 << 20, "64 mb": 64_000_000, "1.5GiB": 3 << 29, "2048k": 2_048_000, "5000000B": 5_000_000} {
		equal(t, text, sources{dotenv: "CACHE_MAX_BYTES=" + text}.mustLoad(t).Cache.MaxBytes, want)
	}
	for text, want := range map[string]bool{"True": true, "true": true, "1": true, "yes": true, "ON": true, "False": false, "no": false, "0": false, "off": false} {
		equal(t, text, sources{dotenv: "PROMETHEUS_ENABLED=" + text}.mustLoad(t).Metrics.Enabled, want)
	}
	for text, want := range map[string]Level{"debug": 10, "Info": 20, "WARNING": 30, "warn": 30, "ERROR": 40, "Critical": 50, "10": 10, "35": 35, "50": 50} {
		equal(t, text, sources{dotenv: "LOG_LEVEL=" + text}.mustLoad(t).Log.Level, want)
	}
	equal(t, "name of a level", Warning.String()+Level(35).String(), "WARNING35")
	c := sources{environment: map[string]string{
		"CORS_ORIGINS": "https://App.example.com:8443 , *", "TRUSTED_PROXIES": "10.1.2.3/8, 192.0.2.7,::ffff:192.0.2.8, 2001:db8::/32",
		"API_TOKENS": "12345678-90ab-cdef-1234-567890abcdef, second-token-0123456789", "DEFAULT_RATE_LIMIT": " 0 ", "DB_MIGRATE": "OFF",
		"HARPER_URL": "http://h.test:9925/", "PROMETHEUS_DBLAT_TABLE": "dungeonmaster.characters", "HTTP_HOST": "[::1]", "HTTP_PORT": "0",
		"AUTH_GRACE": "0", "SHUTDOWN_TIMEOUT": "0",
	}}.mustLoad(t)
	equal(t, "CORSOrigins", c.HTTP.CORSOrigins, []string{"https://app.example.com:8443", "*"})
	equal(t, "TrustedProxies", c.HTTP.TrustedProxies, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"),
		netip.MustParsePrefix("192.0.2.8/32"), netip.MustParsePrefix("2001:db8::/32")})
	equal(t, "Tokens", []string{c.Auth.Tokens[0].Reveal(), c.Auth.Tokens[1].Reveal()}, []string{"12345678-90ab-cdef-1234-567890abcdef", "second-token-0123456789"})
	equal(t, "DefaultRate", c.Auth.DefaultRate, 0)
	equal(t, "Migrate", c.Database.Migrate, false)
	equal(t, "Harper.URL", c.Harper.URL, "http://h.test:9925")
	equal(t, "ProbeTable", c.Metrics.ProbeTable, "dungeonmaster.characters")
	equal(t, "HTTP.Host", c.HTTP.Host, "::1")
	equal(t, "HTTP.Port", c.HTTP.Port, 0)
	equal(t, "Warnings", c.Warnings, nil)
}

func TestRedisModes(t *testing.T) {
	c := sources{dotenv: "REDIS_MODE=Sentinel\nREDIS_MASTER=mymaster\nREDIS_HOST=a:26379, b ,[2001:db8::7]:1,::1\nREDIS_PORT=26380\nREDIS_TLS=yes\nREDIS_USER=joe"}.mustLoad(t)
	equal(t, "Addresses", c.Redis.Addresses, []string{"a:26379", "b:26380", "[2001:db8::7]:1", "[::1]:26380"})
	equal(t, "Mode", c.Redis.Mode, RedisSentinel)
	equal(t, "Master", c.Redis.Master, "mymaster")
	equal(t, "TLS", c.Redis.TLS, true)
	equal(t, "User", c.Redis.User, "joe")
}

func TestDatabaseURL(t *testing.T) {
	const key = "SECRET_KEY=long enough\n"
	for text, want := range map[string]string{
		"sqlite:x.db": "x.db", "sqlite:/var/x.db": "/var/x.db", "file:./x.db": "./x.db", "sqlite:///var/x.db": "/var/x.db",
	} {
		c := sources{dotenv: "DATABASE_URL=" + text}.mustLoad(t)
		equal(t, text, c.Database.Path, want)
		equal(t, text, c.Database.Engine, EngineSQLite)
	}
	c := sources{dotenv: key + "DB_HOST=other\nDB_USER=other\nDB_PASS=other\nDB_SSLMODE=disable\n" +
		"DATABASE_URL='postgresql://joe:p%40ss%2Fw%27@h1:5433,h2/shop?application_name=x&sslpassword=s3cret'"}.mustLoad(t)
	equal(t, "Engine", c.Database.Engine, EnginePostgres)
	equal(t, "User", c.Database.User, "joe")
	equal(t, "Password", c.Database.Password.Reveal(), "p@ss/w'")
	equal(t, "Hosts", c.Database.Hosts, []HostPort{{"h1", 5433}, {"h2", 5432}})
	equal(t, "Name", c.Database.Name, "shop")
	equal(t, "SSLMode of DB_SSLMODE", c.Database.SSLMode, "disable")
	for name, want := range map[string][2]string{
		"DB_ENGINE": {"pg", "DATABASE_URL from .env"}, "DB_USER": {"joe", "DATABASE_URL from .env"}, "DB_PASS": {"***", "DATABASE_URL from .env"},
		"DB_HOST": {"h1:5433,h2:5432", "DATABASE_URL from .env"}, "DB_NAME": {"shop", "DATABASE_URL from .env"}, "DB_SSLMODE": {"disable", ".env"},
		"DATABASE_URL": {"postgresql://joe:***@h1:5433,h2/shop?application_name=x&sslpassword=***", ".env"},
	} {
		got := setting(t, c, name)
		equal(t, name, [2]string{got.Value, got.Source}, want)
	}
	c = sources{flags: []string{"--db-host=flag"}, dotenv: key + "DATABASE_URL=postgres:///d?host=/run/pg&port=5555&user=u&password=p&sslmode=require"}.mustLoad(t)
	equal(t, "Hosts", c.Database.Hosts, []HostPort{{"/run/pg", 5555}})
	equal(t, "SSLMode of the URL", c.Database.SSLMode, "require")
	equal(t, "User and Password", c.Database.User+c.Database.Password.Reveal(), "up")
	shown := setting(t, c, "DATABASE_URL").Value
	if strings.Contains(shown, "password=p") {
		t.Errorf("shown as %s", shown)
	}
}

// The driver itself has to read what PostgresDSN writes.
func TestPostgresDSN(t *testing.T) {
	hostile := ` it's \ "q" = ä` + "\n'; x='"
	c := sources{environment: map[string]string{
		"DB_ENGINE": "pg", "SECRET_KEY": "long enough", "DB_USER": hostile, "DB_PASS": hostile, "DB_NAME": "it's", "DB_HOST": "h1,[::1]:5433", "DB_PORT": "6000",
	}}.mustLoad(t)
	got, err := pq.NewConfig(c.Database.PostgresDSN().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "user", got.User, hostile)
	equal(t, "password", got.Password, hostile)
	equal(t, "database", got.Database, "it's")
	equal(t, "host", got.Host, "h1")
	equal(t, "port", got.Port, 6000)
	equal(t, "second host", got.Multi[0].Host, "::1")
	equal(t, "second port", got.Multi[0].Port, 5433)
	equal(t, "sslmode", string(got.SSLMode), "prefer")
	equal(t, "target_session_attrs", string(got.TargetSessionAttrs), "read-write")
	equal(t, "connect_timeout", got.ConnectTimeout, 5*time.Second)

	c = sources{environment: map[string]string{"SECRET_KEY": "long enough", "DATABASE_URL": "postgres://u@h/d?connect_timeout=2&work_mem=8MB"}}.mustLoad(t)
	if got, err = pq.NewConfig(c.Database.PostgresDSN().Reveal()); err != nil {
		t.Fatal(err)
	}
	equal(t, "connect_timeout of the URL", got.ConnectTimeout, 2*time.Second)
	equal(t, "work_mem", got.Runtime["work_mem"], "8MB")
	equal(t, "target_session_attrs of one host", string(got.TargetSessionAttrs), "")
}

// writePair writes a certificate and its key and returns their paths.
func writePair(t *testing.T, folder, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(folder, name+".crt"), filepath.Join(folder, name+".key")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func TestTLS(t *testing.T) {
	folder := t.TempDir()
	certificate, key := writePair(t, folder, "one")
	_, otherKey := writePair(t, folder, "two")
	given := sources{flags: []string{"--tls-cert=" + certificate}, environment: map[string]string{"TLS_CERT": "/absent", "TLS_KEY": key}, dotenv: "TLS_KEY=/absent\n"}
	c := given.mustLoad(t)
	equal(t, "TLSCert and TLSKey", [2]string{c.HTTP.TLSCert, c.HTTP.TLSKey}, [2]string{certificate, key})
	for _, bad := range []struct {
		environment map[string]string
		variable    string
	}{
		{map[string]string{"TLS_CERT": certificate}, "TLS_KEY"},
		{map[string]string{"TLS_KEY": key}, "TLS_CERT"},
		{map[string]string{"TLS_CERT": certificate, "TLS_KEY": otherKey}, "TLS_CERT"},
		{map[string]string{"TLS_CERT": key, "TLS_KEY": key}, "TLS_CERT"},
	} {
		problems := sources{environment: bad.environment}.problems(t).Problems
		if len(problems) != 1 || problems[0].Variable != bad.variable {
			t.Errorf("%v: %v, want a problem of %s", bad.environment, problems, bad.variable)
		}
	}
}

func FuzzDatabaseURL(f *testing.F) {
	for _, seed := range []string{"postgres://u:p@h:1,[::1]:2/d?sslmode=require", "postgresql:///d?host=/run&x=%27", "sqlite:x", "file:///x", "postgres://@,@/%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseDatabaseURL(text)
		if err != nil || parsed.engine != EnginePostgres {
			return
		}
		database := Database{Engine: EnginePostgres, User: parsed.user, Password: parsed.password, Hosts: parsed.hosts, Name: parsed.name, SSLMode: "disable"}
		if len(database.Hosts) == 0 {
			database.Hosts = []HostPort{{"localhost", 5432}}
		}
		got, err := pq.NewConfig(database.PostgresDSN().Reveal())
		if err != nil {
			t.Fatalf("%q: the driver says %v", text, err)
		}
		if got.Password != parsed.password.Reveal() || got.Host != database.Hosts[0].Host || got.Database != parsed.name {
			t.Errorf("%q: the driver reads %q at %q in %q", text, got.Password, got.Host, got.Database)
		}
		if secret := parsed.password.Reveal(); len(secret) > 3 && !strings.Contains(strings.ReplaceAll(text, secret, ""), secret) && strings.Count(text, secret) == 1 && strings.Contains(parsed.shown, secret) {
			t.Errorf("%q: shown as %q", text, parsed.shown)
		}
	})
}
