package chaos

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"
)

// revoked is when a key that was revoked or changed is out on every instance at the latest.
const revoked = 2 * time.Second

// TestRevocationReachesAll revokes and changes keys in all ways while all instances use them.
func TestRevocationReachesAll(t *testing.T) {
	t.Parallel()
	c := startTrio(t)
	type created struct{ KeyID, Key string }
	newKey := func() (k created) {
		unmarshal(t, c.instances[0].want(t, 201, "POST", "/v1/keys", map[string]any{"user": "u", "scopes": []string{"templates:read"}}), &k)
		return k
	}
	deleted, rotated := newKey(), newKey()
	const whole = "5c6d7f6e-3b0a-4a7e-9d6c-3f4a0e8c4d01"
	const hashed = "5c6d7f6e-3b0a-4a7e-9d6c-3f4a0e8c4d02"
	c.redis.CLI("HSET", "sec_apikeys", seenKey, "user: a", revokedKey, "user: b", whole, "user: c",
		"sha256:"+sha256Hex(hashed), `{"user": "d", "scopes": ["templates:read"]}`)
	uses := func(key string, status int) {
		t.Helper()
		for _, p := range c.instances {
			p.want(t, status, "GET", "/v1/whoami", nil, "X-API-KEY", key)
		}
	}
	for _, key := range []string{deleted.Key, rotated.Key, seenKey, revokedKey, whole, hashed} {
		uses(key, 200)
		uses(key, 200)
	}
	for _, change := range []struct {
		what, key string
		change    func()
	}{
		{"a key deleted over HTTP", deleted.Key, func() { c.instances[0].want(t, 204, "DELETE", "/v1/keys/"+deleted.KeyID, nil) }},
		{"a key rotated over HTTP", rotated.Key, func() {
			c.instances[1].want(t, 200, "POST", "/v1/keys/"+rotated.KeyID+"/rotate", map[string]int{"grace": 0})
		}},
		{"a field deleted by redis-cli", seenKey, func() { c.redis.CLI("HDEL", "sec_apikeys", seenKey) }},
		{"a field made worthless", revokedKey, func() { c.redis.CLI("HSET", "sec_apikeys", revokedKey, "nobody") }},
		{"a digest deleted by redis-cli", hashed, func() { c.redis.CLI("HDEL", "sec_apikeys", "sha256:"+sha256Hex(hashed)) }},
		{"the whole hash gone", whole, func() { c.redis.CLI("DEL", "sec_apikeys") }},
	} {
		uses(change.key, 200)
		change.change()
		until := time.Now().Add(revoked)
		for n, p := range c.instances {
			for {
				began := time.Now()
				a := p.do(t, "GET", "/v1/whoami", nil, "X-API-KEY", change.key)
				if a.Status == 401 {
					break
				}
				if began.After(until) {
					t.Errorf("%s still opens instance %d after %v: %d", change.what, n, revoked, a.Status)
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
		}
		uses(change.key, 401)
	}
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
