package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// databaseURL is what DATABASE_URL says.
type databaseURL struct {
	engine   Engine
	path     string // of SQLite
	user     string
	password Secret
	hosts    []HostPort // ports filled in; empty: none named
	name     string
	sslMode  string
	options  map[string]Secret
	shown    string // the URL without its secrets
}

var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// parseDatabaseURL reads postgres:// and postgresql:// URLs as libpq does (several hosts, a socket folder in ?host=), and
// sqlite:PATH and file:PATH.
func parseDatabaseURL(text string) (*databaseURL, error) {
	scheme, rest, found := strings.Cut(text, ":")
	if found {
		switch strings.ToLower(scheme) {
		case "postgres", "postgresql":
			return parsePostgresURL(text)
		case "sqlite", "file":
			return parseSQLiteURL(text, rest)
		}
	}
	return nil, errors.New("must be postgres://user:password@host:5432/name or sqlite:PATH")
}

func parseSQLiteURL(text, path string) (*databaseURL, error) {
	path = strings.TrimPrefix(path, "//")
	switch {
	case path == "" || strings.HasSuffix(path, "/"):
		return nil, errors.New("must name a file after the scheme, such as sqlite:./data/templar.db")
	case path == ":memory:":
		return nil, errors.New("must name a file; DB_ENGINE=memory keeps nothing on disk")
	case strings.ContainsAny(path, "?#"):
		return nil, errors.New("must be a plain path without '?' and '#'")
	}
	if err := checkText(path, 4096); err != nil {
		return nil, err
	}
	return &databaseURL{engine: EngineSQLite, path: path, shown: text}, nil
}

func parsePostgresURL(text string) (*databaseURL, error) {
	text, hosts := cutHosts(text)
	parsed, err := url.Parse(text)
	if err != nil || parsed.Opaque != "" || !strings.Contains(text, "://") {
		return nil, errors.New("must be postgres://user:password@host:5432/name, with special characters of user and password in %XX form")
	}
	// An '@' or a second '/' here is most likely the rest of a password with a bare '/' or '?' in it. Taken for the name, it
	// would be shown.
	if strings.Contains(parsed.RawQuery+parsed.EscapedPath(), "@") || strings.Count(parsed.EscapedPath(), "/") > 1 {
		return nil, errors.New("must have the characters '/', '?' and '@' of user and password as %2F, %3F and %40")
	}
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return nil, errors.New("must have parameters such as ?sslmode=require after the name")
	}
	if parsed.Fragment != "" {
		return nil, errors.New("must have no '#'; in a password it is %23")
	}
	result := &databaseURL{engine: EnginePostgres, user: parsed.User.Username(), name: strings.TrimPrefix(parsed.Path, "/"), options: map[string]Secret{}}
	password, _ := parsed.User.Password()
	shown, port := hosts, 5432
	for key, values := range query {
		value := values[len(values)-1]
		switch key {
		case "user":
			result.user = value
		case "password":
			password = value
		case "dbname":
			result.name = value
		case "sslmode":
			result.sslMode = value
		case "host":
			hosts = value
		case "port":
			if port, err = parseInt(value, 1, 65535); err != nil {
				return nil, errors.New("must have one port from 1 to 65535 in port=")
			}
		default:
			if !identifierForm.MatchString(key) {
				return nil, errors.New("must have parameter names of letters, digits and '_'")
			}
			result.options[key] = NewSecret(value)
		}
	}
	result.password = NewSecret(password)
	if result.sslMode != "" && !slices.Contains(sslModes, result.sslMode) {
		return nil, errors.New("must have one of " + strings.Join(sslModes, ", ") + " in sslmode=")
	}
	if hosts != "" {
		named, err := parseHosts(hosts, true)
		if err != nil {
			return nil, fmt.Errorf("its host %w", err)
		}
		result.hosts = withPort(named, port)
	}
	for _, part := range append([]string{result.user, result.name, password}, revealed(result.options)...) {
		if err := checkFree(part); err != nil {
			return nil, err
		}
	}
	result.shown = showPostgresURL(parsed, shown, query)
	return result, nil
}

// cutHosts takes the hosts out of a URL: libpq lets several stand there, each with its port, and net/url does not.
func cutHosts(text string) (rest, hosts string) {
	start := strings.Index(text, "://")
	if start < 0 {
		return text, ""
	}
	start += len("://")
	end := len(text)
	if at := strings.IndexAny(text[start:], "/?#"); at >= 0 {
		end = start + at
	}
	if at := strings.LastIndexByte(text[start:end], '@'); at >= 0 {
		start += at + 1
	}
	return text[:start] + text[end:], text[start:end]
}

func revealed(options map[string]Secret) []string {
	texts := make([]string, 0, len(options))
	for _, option := range options {
		texts = append(texts, option.Reveal())
	}
	return texts
}

// showPostgresURL writes the URL with *** for its password and for every parameter that may hold a secret.
func showPostgresURL(parsed *url.URL, hosts string, query url.Values) string {
	var text strings.Builder
	text.WriteString(parsed.Scheme + "://")
	if parsed.User != nil {
		text.WriteString(url.User(parsed.User.Username()).String())
		if _, has := parsed.User.Password(); has {
			text.WriteString(":" + mask)
		}
		text.WriteString("@")
	}
	text.WriteString(hosts + parsed.EscapedPath())
	separator := "?"
	for _, key := range slices.Sorted(maps.Keys(query)) {
		value := url.QueryEscape(query.Get(key))
		if secretParameter(key) {
			value = mask
		}
		text.WriteString(separator + url.QueryEscape(key) + "=" + value)
		separator = "&"
	}
	return text.String()
}

func secretParameter(key string) bool {
	key = strings.ToLower(key)
	return strings.Contains(key, "pass") || strings.Contains(key, "key") || strings.Contains(key, "secret") || strings.Contains(key, "token")
}

// PostgresDSN is the connection string for lib/pq, in libpq's form of key='value'. Every value is quoted, so user and
// password may hold any characters. With several hosts the one that accepts writes is sought. It is empty for the other
// engines. Connecting to one host is bounded to 5 seconds unless DATABASE_URL has its own connect_timeout.
func (d Database) PostgresDSN() Secret {
	if d.Engine != EnginePostgres {
		return Secret{}
	}
	hosts, ports := make([]string, len(d.Hosts)), make([]string, len(d.Hosts))
	for i, host := range d.Hosts {
		hosts[i], ports[i] = host.Host, strconv.Itoa(host.Port)
	}
	settings := map[string]string{"application_name": "templar", "connect_timeout": "5"}
	if len(hosts) > 1 {
		settings["target_session_attrs"] = "read-write"
	}
	for key, value := range d.Options {
		settings[key] = value.Reveal()
	}
	settings["host"] = strings.Join(hosts, ",")
	settings["port"] = strings.Join(ports, ",")
	settings["dbname"] = d.Name
	settings["sslmode"] = d.SSLMode
	if d.User != "" {
		settings["user"] = d.User
	}
	if !d.Password.Empty() {
		settings["password"] = d.Password.Reveal()
	}
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	pairs := make([]string, 0, len(settings))
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		pairs = append(pairs, key+"='"+escape.Replace(settings[key])+"'")
	}
	return NewSecret(strings.Join(pairs, " "))
}
