package config

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// exampleSecretKey is the SECRET_KEY that the seed's documentation publishes.
const exampleSecretKey = "Sup3rC0mpl3xS3cr3tK3y"

// checkTogether finishes what depends on more than one variable and refuses what cannot be right together.
func (d *draft) checkTogether() {
	d.finishDatabase()
	d.finishRedis()
	d.checkSecretKey()
	d.checkTLS()
	d.checkListeners()
	d.checkAWS()
}

// finishDatabase works DATABASE_URL into the Database.
func (d *draft) finishDatabase() {
	if d.bad("DATABASE_URL", "DB_ENGINE") {
		return
	}
	database := &d.Database
	database.Hosts = withPort(database.Hosts, d.databasePort)
	if d.url != nil && !d.isSet("DB_ENGINE") {
		database.Engine = d.url.engine
		d.override("DB_ENGINE", string(d.url.engine))
	}
	if database.Engine == EngineSQLite {
		database.Path = DefaultSQLitePath
	}
	if d.url != nil && d.url.engine != database.Engine {
		if database.Engine == EnginePostgres || database.Engine == EngineSQLite {
			d.wrong("DATABASE_URL", "must be of the engine that DB_ENGINE names, "+string(database.Engine)+", or DB_ENGINE be unset")
		} else {
			d.warn("DATABASE_URL is not used with DB_ENGINE %s", database.Engine)
		}
		return
	}
	if d.url != nil && d.url.engine == EngineSQLite {
		database.Path = d.url.path
	}
	if d.url != nil && d.url.engine == EnginePostgres {
		d.takeURL()
	}
	if !d.isSet("DB_ENGINE") && d.url == nil && (d.isSet("DB_HOST") || d.isSet("DB_USER") || d.isSet("DB_PASS") || d.isSet("DB_NAME")) {
		d.warn("DB_HOST, DB_USER, DB_PASS or DB_NAME is set and not used, because DB_ENGINE is unset and its default is %s", database.Engine)
	}
}

// takeURL lets a postgres URL override the DB_* variables, and shows them as what they have become.
func (d *draft) takeURL() {
	database, from := &d.Database, d.url
	database.User, database.Password, database.Name, database.Options = from.user, from.password, from.name, from.options
	if database.Name == "" {
		database.Name = from.user // as libpq does
	}
	if database.Name == "" {
		d.wrong("DATABASE_URL", "must name a database after the host")
	}
	database.Hosts = from.hosts
	if len(database.Hosts) == 0 {
		database.Hosts = []HostPort{{Host: "localhost", Port: 5432}}
	}
	if from.sslMode != "" {
		database.SSLMode = from.sslMode
		d.override("DB_SSLMODE", from.sslMode)
	}
	hosts := make([]string, len(database.Hosts))
	for i, host := range database.Hosts {
		hosts[i] = host.String()
		if strings.HasPrefix(host.Host, "/") {
			hosts[i] = host.Host
		}
	}
	d.override("DB_USER", database.User)
	d.override("DB_PASS", database.Password.Reveal())
	d.override("DB_HOST", strings.Join(hosts, ","))
	d.override("DB_PORT", strconv.Itoa(database.Hosts[0].Port))
	d.override("DB_NAME", database.Name)
}

// override shows a variable with the value that DATABASE_URL gave it.
func (d *draft) override(name, text string) {
	d.values[name] = given{text: text, source: "DATABASE_URL from " + d.values["DATABASE_URL"].source, line: d.values["DATABASE_URL"].line, set: true, borrowed: true}
}

func (d *draft) finishRedis() {
	if d.bad("REDIS_HOST", "REDIS_MODE", "REDIS_PORT") {
		return
	}
	redis := &d.Redis
	for _, host := range withPort(d.redisHosts, d.redisPort) {
		redis.Addresses = append(redis.Addresses, host.String())
	}
	switch {
	case redis.Mode != RedisSingle && !redis.Enabled():
		d.wrong("REDIS_HOST", "must name at least one host with REDIS_MODE "+string(redis.Mode))
	case redis.Mode == RedisSingle && len(redis.Addresses) > 1:
		d.wrong("REDIS_HOST", "must name one host with REDIS_MODE single; several are for cluster and sentinel")
	}
	if redis.Mode == RedisSentinel && redis.Master == "" && !d.bad("REDIS_MASTER") {
		d.wrong("REDIS_MASTER", "must be the name of the master set with REDIS_MODE sentinel")
	}
	if redis.Mode == RedisCluster && redis.DB != 0 && !d.bad("REDIS_DB") {
		d.wrong("REDIS_DB", "must be 0 with REDIS_MODE cluster, which has no other")
	}
}

func (d *draft) checkSecretKey() {
	if d.bad("SECRET_KEY", "DB_ENGINE", "DATABASE_URL") {
		return
	}
	key := d.Auth.SecretKey
	if key.Empty() && (d.Database.Engine == EnginePostgres || d.Database.Engine == EngineHarper) {
		d.wrong("SECRET_KEY", "must be set with DB_ENGINE "+string(d.Database.Engine)+", the same on every instance, to at least 8 characters")
	}
	if key.Reveal() == exampleSecretKey && !d.Log.Development {
		d.warn("SECRET_KEY is the published example; whoever knows it can forge cursors")
	}
}

// parseFile accepts the path of a file that is there.
func parseFile(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", errors.New("must be a file that can be read: " + cause(err))
	case info.IsDir():
		return "", errors.New("must be a file, not a folder")
	}
	return path, nil
}

func (d *draft) checkTLS() {
	if d.bad("TLS_CERT", "TLS_KEY") {
		return
	}
	http := d.HTTP
	switch {
	case http.TLSCert == "" && http.TLSKey == "":
	case http.TLSKey == "":
		d.wrong("TLS_KEY", "must be set together with TLS_CERT")
	case http.TLSCert == "":
		d.wrong("TLS_CERT", "must be set together with TLS_KEY")
	default:
		if _, err := tls.LoadX509KeyPair(http.TLSCert, http.TLSKey); err != nil {
			d.wrong("TLS_CERT", "must be a certificate that belongs to TLS_KEY: "+cause(err))
		}
	}
}

// checkListeners refuses two listeners on one address and warns of what is reachable but not meant to be.
func (d *draft) checkListeners() {
	if d.bad("HTTP_HOST", "HTTP_PORT", "FLASK_HOST", "FLASK_PORT", "GUNIPORT", "METRICS_ADDR", "PPROF_ADDR") {
		return
	}
	type listener struct{ name, address string }
	taken := []listener{{"the API", HostPort{Host: d.HTTP.Host, Port: d.HTTP.Port}.String()}}
	for _, next := range []listener{{"METRICS_ADDR", d.Metrics.Address}, {"PPROF_ADDR", d.Profiling.Address}} {
		if next.address == "" {
			continue
		}
		for _, other := range taken {
			if collide(next.address, other.address) {
				d.wrong(next.name, "must be another address than that of "+other.name)
				break
			}
		}
		taken = append(taken, next)
	}
	if d.Metrics.Address != "" && !d.Metrics.Enabled {
		d.warn("METRICS_ADDR is not used, because PROMETHEUS_ENABLED is False")
	}
	if d.Profiling.Address != "" && !loopback(d.Profiling.Address) {
		d.warn("PPROF_ADDR: profiles show the memory of the process, and this address is not only this machine's")
	}
}

// collide reports whether the two addresses, both host:port, cannot be listened on at once: the same port on the same host,
// or with one of them on every address of the machine.
func collide(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return strings.EqualFold(hostA, hostB) || everywhere(hostA) || everywhere(hostB)
}

func everywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || (err == nil && ip.IsUnspecified())
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && ip.IsLoopback())
}

func (d *draft) checkAWS() {
	if d.bad("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") || d.AWS.AccessKeyID.Empty() == d.AWS.SecretAccessKey.Empty() {
		return
	}
	if d.AWS.AccessKeyID.Empty() {
		d.wrong("AWS_ACCESS_KEY_ID", "must be set together with AWS_SECRET_ACCESS_KEY")
		return
	}
	d.wrong("AWS_SECRET_ACCESS_KEY", "must be set together with AWS_ACCESS_KEY_ID")
}
