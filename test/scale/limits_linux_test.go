package scale

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// rate is the limit of the users of this test, in requests a minute.
const rate = 240

// bucket is where the limit of a user stands in Redis.
func bucket(user string) string { return "templar:r:user:" + user }

// limited makes a key with the limit.
func (l *load) limited(t *testing.T, user string) string {
	t.Helper()
	a := l.instances[0].want(t, http.StatusCreated, "POST", "/v1/keys",
		map[string]any{"user": user, "scopes": []string{"templates:read"}, "rate": rate})
	var made struct{ Key string }
	unmarshal(t, a, &made)
	return made.Key
}

// hammer has all instances asked at once with one key, for a while and until some are denied, and tells how many were
// admitted and how many one bucket has for this time.
func (l *load) hammer(t *testing.T, key string, atLeast time.Duration) (admitted, bucket float64) {
	t.Helper()
	var passed, denied atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for _, in := range l.instances {
		for range 2 {
			running.Go(func() {
				for time.Since(began) < atLeast || denied.Load() == 0 && time.Since(began) < recovery {
					a, err := in.send("GET", "/v1/whoami", nil, "X-API-KEY", key)
					switch {
					case err != nil:
						t.Errorf("instance %d: %v", in.number, err)
						return
					case a.status == http.StatusOK:
						passed.Add(1)
					case a.status == http.StatusTooManyRequests:
						denied.Add(1)
						time.Sleep(5 * time.Millisecond)
					default:
						t.Errorf("instance %d: %d: %s", in.number, a.status, a.body)
						return
					}
				}
			})
		}
	}
	running.Wait()
	if denied.Load() == 0 {
		t.Errorf("of %d requests none was denied", passed.Load())
	}
	return float64(passed.Load()), rate + rate*time.Since(began).Minutes()
}

// limitHolds demands that all instances together admit what one bucket has, and hardly less.
func (l *load) limitHolds(t *testing.T, when, user string) {
	t.Helper()
	admitted, most := l.hammer(t, l.limited(t, user), time.Second)
	t.Logf("%s: of a limit of %d a minute %.0f requests were admitted, the bucket gives %.1f", when, rate, admitted, most)
	if admitted > most || admitted < 0.9*most {
		t.Errorf("%s: %.0f requests were admitted, the bucket gives %.1f", when, admitted, most)
	}
}

// userOn finds the name of a user whose bucket a node has.
func userOn(t *testing.T, has func(key string) bool) string {
	t.Helper()
	for n := range 100 {
		if user := fmt.Sprintf("user%d", n); has(bucket(user)) {
			return user
		}
	}
	t.Fatal("of 100 users none has its bucket on this node")
	return ""
}
