package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

const unknownKey = "99999999-90ab-4def-8234-567890abcdef"

func asKey(key string) header { return header{"X-API-KEY", key} }

func TestKeysOverHTTP(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		whoami := i.do(t, "GET", "/v1/whoami", nil).want(200).has("user", "token").has("expires", nil).has("rate_limit", 0)
		if got := fmt.Sprint(whoami.object()["scopes"]); got != "[characters:read characters:write keys:admin templates:read templates:write]" {
			t.Errorf("scopes %s", got)
		}
		made := i.do(t, "POST", "/v1/keys", map[string]any{"user": "reader", "scopes": []string{"templates:read"}, "rate": 500}).want(201)
		key, keyid := made.object()["key"].(string), made.object()["keyid"].(string)
		reader := asKey(key)
		i.do(t, "GET", "/v1/whoami", nil, reader).want(200).has("user", "reader").has("rate_limit", 500).headerHas("RateLimit-Policy", `"default";q=500;w=60`)
		i.do(t, "GET", "/v1/whoami", nil, asKey(strings.ToUpper(key))).want(200)
		i.do(t, "GET", "/v1/whoami", nil, header{"Authorization", "bearer " + key}).want(200).has("user", "reader")
		i.do(t, "GET", "/v1/templates", nil, reader).want(200)
		i.do(t, "POST", "/v1/templates", `{"name":"x"}`, reader).want(403)
		i.do(t, "GET", "/v1/keys", nil, reader).want(403)

		listed := i.do(t, "GET", "/v1/keys?limit=1", nil).want(200)
		if strings.Contains(string(listed.Body), key) || strings.Contains(string(listed.Body), `"key"`) {
			t.Errorf("the list tells secrets: %s", listed.Body)
		}

		rotated := i.do(t, "POST", "/v1/keys/"+keyid+"/rotate", `{"grace":60}`).want(200).object()["key"].(string)
		i.do(t, "GET", "/v1/whoami", nil, reader).want(200)
		i.do(t, "GET", "/v1/whoami", nil, asKey(rotated)).want(200)
		final := i.do(t, "POST", "/v1/keys/"+keyid+"/rotate", nil).want(200).object()["key"].(string)
		for _, old := range []string{key, rotated} {
			i.do(t, "GET", "/v1/whoami", nil, asKey(old)).want(401)
		}
		i.do(t, "GET", "/v1/whoami", nil, asKey(final)).want(200)
		i.do(t, "DELETE", "/v1/keys/"+keyid, nil).want(204)
		i.do(t, "GET", "/v1/whoami", nil, asKey(final)).want(401)
		i.do(t, "DELETE", "/v1/keys/"+keyid, nil).want(404)
		i.do(t, "POST", "/v1/keys/"+keyid+"/rotate", nil).want(404)
		i.do(t, "DELETE", "/v1/keys/x", nil).want(400)

		soon := time.Now().Add(1200 * time.Millisecond).UTC().Format(time.RFC3339Nano)
		short := i.do(t, "POST", "/v1/keys", map[string]any{"user": "brief", "scopes": []string{"templates:read"}, "expires": soon}).want(201).object()["key"].(string)
		i.do(t, "GET", "/v1/whoami", nil, asKey(short)).want(200)
		time.Sleep(1300 * time.Millisecond)
		i.do(t, "GET", "/v1/whoami", nil, asKey(short)).want(401)

		for body, pointers := range map[string][]string{
			`{}`:                          {"/scopes", "/user"},
			`{"user":"x","scopes":[]}`:    {"/scopes"},
			`{"user":"x","scopes":["a"]}`: {"/scopes"},
			`{"user":"x","scopes":["templates:read"],"rate":-1}`:                         {"/rate"},
			`{"user":"x","scopes":["templates:read"],"rate":1.5}`:                        {"/rate"},
			`{"user":"x","scopes":["templates:read"],"expires":"2020-01-01T00:00:00Z"}`:  {"/expires"},
			`{"user":"x","scopes":["templates:read"],"expires":"tomorrow","colour":"x"}`: {"/colour", "/expires"},
		} {
			got := map[string]bool{}
			for _, p := range i.do(t, "POST", "/v1/keys", body).want(422).pointers() {
				got[p] = true
			}
			want := map[string]bool{}
			for _, p := range pointers {
				want[p] = true
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: pointers %v", body, got)
			}
		}
		if logs := i.logs.String(); strings.Contains(logs, key) || strings.Contains(logs, final) || strings.Contains(logs, token) {
			t.Error("a secret is in the log")
		}
	})
}

func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		a := i.do(t, "GET", "/v1/templates", nil, anonymous).want(401)
		if got := a.Header.Values("WWW-Authenticate"); len(got) == 0 || !strings.HasPrefix(got[0], "Bearer") {
			t.Errorf("WWW-Authenticate %q", got)
		}
		for _, h := range []header{asKey(unknownKey), asKey("x"), asKey("user: x"), asKey(strings.Repeat("k", 5000)), {"Authorization", "Bearer x"},
			{"Authorization", "Bearer " + unknownKey}, {"Authorization", "Basic dXNlcjpwYXNz"}, {"Authorization", token}, {"Authorization", "Bearer " + token + "x"}} {
			a := i.do(t, "GET", "/v1/templates", nil, h).want(401)
			if strings.Contains(string(a.Body), unknownKey) {
				t.Errorf("the answer repeats the key: %s", a.Body)
			}
		}
		i.do(t, "GET", "/v1/templates", nil, asToken, asKey(unknownKey)).want(400)
		i.do(t, "GET", "/v1/templates", nil, asToken, asToken).want(400)
		i.do(t, "GET", "/v1/templates", nil, asKey(unknownKey), asKey(unknownKey)).want(400)
	})
}

func TestFailedAuthenticationsAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory", "DEFAULT_RATE_LIMIT": "5", "TRUSTED_PROXIES": "127.0.0.1/32"})
	from := func(address string) header { return header{"X-Forwarded-For", address} }
	for range 5 {
		i.do(t, "GET", "/v1/whoami", nil, asKey(unknownKey), from("192.0.2.1")).want(401)
	}
	a := i.do(t, "GET", "/v1/whoami", nil, asKey(unknownKey), from("192.0.2.1")).want(429)
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	i.do(t, "GET", "/v1/whoami", nil, from("192.0.2.1")).want(200) // a good credential is let in
	i.do(t, "GET", "/v1/whoami", nil, asKey(unknownKey), from("192.0.2.2")).want(401)
	for n := range 5 {
		i.do(t, "GET", "/v1/whoami", nil, asKey(unknownKey), from(fmt.Sprintf("2001:db8::%x", n))).want(401)
	}
	i.do(t, "GET", "/v1/whoami", nil, asKey(unknownKey), from("2001:db8::ffff")).want(429)
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		body := map[string]any{"user": "limited", "scopes": []string{"templates:read"}, "rate": 6}
		first := asKey(i.do(t, "POST", "/v1/keys", body).want(201).object()["key"].(string))
		second := asKey(i.do(t, "POST", "/v1/keys", body).want(201).object()["key"].(string))
		for n := range 6 {
			a := i.do(t, "GET", "/v1/whoami", nil, []header{first, second}[n%2]).want(200).headerHas("RateLimit-Policy", `"default";q=6;w=60`)
			if got := a.Header.Get("RateLimit"); !strings.HasPrefix(got, fmt.Sprintf(`"default";r=%d;t=`, 5-n)) {
				t.Errorf("request %d: RateLimit %s", n, got)
			}
		}
		a := i.do(t, "GET", "/v1/whoami", nil, first).want(429)
		if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 10 {
			t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
		}
		i.do(t, "GET", "/v1/whoami", nil).want(200) // another user
	})
}

// seedHash is the Redis hash of the service that Templar replaced.
const seedHash = "sec_apikeys"

func TestSeedHash(t *testing.T) {
	t.Parallel()
	redis := servers.Redis(t)
	s := postgresSettings(t)
	maps.Copy(s, redisSettings(redis))
	instances := []*service{start(t, s), start(t, s)}
	i := instances[0]

	const seedKey = "12345678-90ab-cdef-1234-567890abcdef" // the README's, which is no version 4 UUID
	redis.CLI("HSET", seedHash, seedKey, "user: YourUserOrYourOrgHere")
	i.do(t, "GET", "/v1/whoami", nil, asKey(seedKey)).want(200).has("user", "YourUserOrYourOrgHere").has("rate_limit", 0)
	i.do(t, "POST", "/v1/templates", `{"name":"x"}`, asKey(strings.ToUpper(seedKey))).want(201).has("author", "YourUserOrYourOrgHere")

	const hashed = "aaaaaaaa-90ab-4def-8234-567890abcdef"
	sum := sha256.Sum256([]byte(hashed))
	redis.CLI("HSET", seedHash, "sha256:"+hex.EncodeToString(sum[:]), `{"user": "reader", "scopes": ["templates:read"], "rate": 7}`)
	eventually(t, 2*time.Second, func() bool { return i.status(t, asKey(hashed)) == 200 })
	i.do(t, "GET", "/v1/whoami", nil, asKey(hashed)).want(200).has("rate_limit", 7).has("scopes", "[templates:read]")
	i.do(t, "POST", "/v1/templates", `{"name":"x"}`, asKey(hashed)).want(403)

	for n, value := range []string{"YourUser", "user:", "user: ", "USER: x", `{"user":""}`, `{"user":"x","scope":[]}`, `{"user":"x","scopes":["all"]}`,
		`{"user":"x","rate":"7"}`, `{"user":"x"}{}`, `["x"]`, "", `{"user":"x","expires":"never"}`} {
		key := fmt.Sprintf("bbbbbbbb-90ab-4def-8234-5678%08d", n)
		redis.CLI("HSET", seedHash, key, value)
		time.Sleep(20 * time.Millisecond)
		i.do(t, "GET", "/v1/whoami", nil, asKey(key)).want(401)
	}

	// A change by another client reaches every instance within 2 seconds.
	for _, each := range instances {
		each.do(t, "GET", "/v1/whoami", nil, asKey(seedKey)).want(200)
	}
	redis.CLI("HDEL", seedHash, seedKey)
	for _, each := range instances {
		eventually(t, 2*time.Second, func() bool { return each.status(t, asKey(seedKey)) == 401 })
	}

	// So does a revocation through Templar.
	made := i.do(t, "POST", "/v1/keys", map[string]any{"user": "u", "scopes": []string{"templates:read"}}).want(201).object()
	key := asKey(made["key"].(string))
	instances[1].do(t, "GET", "/v1/whoami", nil, key).want(200)
	i.do(t, "DELETE", "/v1/keys/"+made["keyid"].(string), nil).want(204)
	i.do(t, "GET", "/v1/whoami", nil, key).want(401)
	eventually(t, 2*time.Second, func() bool { return instances[1].status(t, key) == 401 })
}

// status asks who a credential is, without looking at the answer.
func (i *service) status(t *testing.T, h header) int {
	t.Helper()
	request, err := http.NewRequest("GET", i.URL+"/v1/whoami", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set(h.name, h.value)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// eventually waits for a condition.
func eventually(t *testing.T, limit time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not come to hold within %v", limit)
		}
	}
}
