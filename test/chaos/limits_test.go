package chaos

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// TestLimitsAreShared hammers three instances with one user's requests at once.
func TestLimitsAreShared(t *testing.T) {
	t.Parallel()
	c := startTrio(t)
	for n, rate := range []int{60, 600, 6000} {
		key := fmt.Sprintf("5c6d7f6e-3b0a-4a7e-9d6c-3f4a0e8c2d%02d", n)
		user := "user" + strconv.Itoa(rate)
		// Half of them by another key of the same user.
		other := fmt.Sprintf("5c6d7f6e-3b0a-4a7e-9d6c-3f4a0e8c3d%02d", n)
		for _, k := range []string{key, other} {
			c.redis.CLI("HSET", "sec_apikeys", k, fmt.Sprintf(`{"user": %q, "scopes": ["templates:read"], "rate": %d}`, user, rate))
		}
		var admitted, denied atomic.Int64
		var running sync.WaitGroup
		began := time.Now()
		// Long enough for leases to be handed back and taken again; on a slow machine, until the bucket is empty.
		atLeast, atMost := began.Add(2500*time.Millisecond), began.Add(time.Minute)
		drained := func() bool { return rate > 600 || denied.Load() > 0 }
		more := func() bool {
			now := time.Now()
			return now.Before(atLeast) || now.Before(atMost) && !drained()
		}
		for i, p := range c.instances {
			for j := range 4 {
				credential := []string{key, other}[(i+j)%2]
				running.Go(func() {
					for more() {
						a, err := p.try("GET", "/v1/whoami", nil, "X-API-KEY", credential)
						switch {
						case err != nil:
							t.Error(err)
							return
						case a.Status == http.StatusOK:
							admitted.Add(1)
						case a.Status == http.StatusTooManyRequests:
							if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
								t.Errorf("a 429 with Retry-After %q", a.Header.Get("Retry-After"))
							}
							denied.Add(1)
						default:
							t.Errorf("%d: %s", a.Status, a.Body)
							return
						}
					}
				})
			}
		}
		running.Wait()
		elapsed := time.Since(began)
		most := float64(rate) + float64(rate)*elapsed.Minutes()
		t.Logf("rate %d: %d admitted, %d denied, the bucket gives %.1f in %v", rate, admitted.Load(), denied.Load(), most, elapsed)
		if float64(admitted.Load()) > most {
			t.Errorf("with rate %d there were %d requests admitted, more than the %.1f of the bucket", rate, admitted.Load(), most)
		}
		if least := 0.9 * min(most, float64(admitted.Load()+denied.Load())); float64(admitted.Load()) < least {
			t.Errorf("with rate %d there were %d requests admitted, less than %.1f", rate, admitted.Load(), least)
		}
		if !drained() {
			t.Errorf("with rate %d nothing was denied", rate)
		}
	}
}

// TestFailedAuthenticationsAreLimited guesses keys on three instances; good credentials are let in all the same.
func TestFailedAuthenticationsAreLimited(t *testing.T) {
	t.Parallel()
	redis := servers.NewRedis(t)
	s := base(t).with(postgresSettings(servers.Postgres(t).Database(t)), redisSettings(t, redis, redis.Addr()), settings{"DEFAULT_RATE_LIMIT": "40"})
	var instances []*process
	for range 3 {
		instances = append(instances, launch(t, t.TempDir(), s.with(settings{"HTTP_PORT": base(t)["HTTP_PORT"]})))
	}
	for _, p := range instances {
		p.waitUntil(t, "GET", "/readyz", "is ok", 20*time.Second, status("ok"))
	}
	statuses := map[int]int{}
	began := time.Now()
	for i := range 240 {
		key := fmt.Sprintf("5c6d7f6e-3b0a-4a7e-9d6c-%012d", i)
		statuses[instances[i%3].do(t, "GET", "/v1/whoami", nil, "X-API-KEY", key).Status]++
	}
	most := 40 + 40*time.Since(began).Minutes()
	if n := float64(statuses[401]); n > most || n < 0.9*most || statuses[401]+statuses[429] != 240 {
		t.Errorf("of 240 guesses with a limit of 40 the answers were %v", statuses)
	}
	for _, p := range instances {
		p.want(t, 200, "GET", "/v1/whoami", nil)
	}
}
