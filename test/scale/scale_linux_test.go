package scale

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// recovery bounds every wait for something to work again. On a quiet machine the longest takes 15 seconds.
const recovery = 90 * time.Second

// held is for how long the primary goes on alone before it is killed: longer than the 5 seconds that Templar works on
// one request, so that commits are given up which wait for the other node.
const held = 6 * time.Second

// TestScale is one run of everything: what it starts takes longer than what it shows.
func TestScale(t *testing.T) {
	began := time.Now()
	redis := servers.RedisCluster(t)
	postgres := servers.Patroni(t, 2)
	database := postgres.Database(t)
	l := &load{}
	for n := range 3 {
		l.instances = append(l.instances, newInstance(t, n, map[string]string{
			"DB_ENGINE": "pg", "DB_HOST": strings.Join(postgres.Hosts(), ","), "DB_USER": database.User, "DB_PASS": database.Password,
			"DB_NAME": database.Name, "DB_SSLMODE": "disable",
			"REDIS_MODE": "cluster", "REDIS_HOST": strings.Join(redis.Addrs(), ","), "REDIS_PASS": redis.Password,
			"CACHE_TTL": cacheTTL.String(), "API_TOKENS": token, "SECRET_KEY": "a secret key of this test",
			"DEFAULT_RATE_LIMIT": "0", "LOG_LEVEL": "WARNING",
		}))
	}
	for _, in := range l.instances {
		in.awaitOK(t, recovery)
	}
	t.Logf("everything was started within %v", time.Since(began).Round(100*time.Millisecond))

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	running := l.start(t, ctx)
	l.worked(t, 2*time.Second)
	l.limitHolds(t, "undisturbed", "calm")
	l.instanceKilled(t)
	l.worked(t, time.Second)
	l.masterKilled(t, redis)
	l.worked(t, time.Second)
	l.primaryKilled(t, postgres)
	l.worked(t, 2*time.Second)
	l.limitHolds(t, "in the end", "ending")
	stop()
	running.Wait()

	l.check(t)
	l.nothingLost(t)
	t.Logf("it took %v: %d reads, %d writes acknowledged, %d refused by If-Match, %d requests failed",
		time.Since(began).Round(time.Second), l.reads, l.writes, l.conflicts, len(l.failures))
}

// instanceKilled kills one Templar: nobody else fails, and it comes back by itself.
func (l *load) instanceKilled(t *testing.T) {
	t.Helper()
	victim := l.instances[1]
	d := l.disturb("an instance killed", false, func(f failure) bool {
		// It does not answer, or says that it has just begun.
		return f.instance == victim.number && (f.status == 0 || f.status == http.StatusServiceUnavailable)
	})
	victim.kill()
	time.Sleep(time.Second)
	victim.start(t)
	l.recovered(t, d)
}

// masterKilled kills a master of the Redis Cluster: no request fails, a limit is kept by each instance for itself, and by
// all together again as soon as the replica has taken over.
func (l *load) masterKilled(t *testing.T, redis *servers.RedisClusterServer) {
	t.Helper()
	user := "user0"
	key := l.limited(t, user)
	for _, in := range l.instances {
		in.want(t, http.StatusOK, "GET", "/v1/whoami", nil, "X-API-KEY", key)
	}
	victim := redis.MasterOf(bucket(user))
	if victim == nil {
		t.Fatal("no master has the bucket")
	}
	d := l.disturb("a Redis master killed", true, func(failure) bool { return false })
	victim.Kill()
	admitted, most := l.hammer(t, key, 3*time.Second)
	t.Logf("%s: of a limit of %d a minute %.0f requests were admitted, three buckets give %.1f", d.name, rate, admitted, 3*most)
	if admitted > 3*most {
		t.Errorf("%s: %.0f requests were admitted, three buckets give %.1f", d.name, admitted, 3*most)
	}
	redis.AwaitServing(recovery)
	t.Logf("%s: a replica has taken over after %v", d.name, time.Since(d.began).Round(10*time.Millisecond))
	l.recovered(t, d)
	heir := redis.MasterOf(bucket(user))
	victim.Start()
	redis.AwaitWhole(recovery)
	// What was kept until the return may show for as long as it lives.
	time.Sleep(time.Until(d.end.Add(cacheTTL + time.Second)))
	l.calm()
	l.limitHolds(t, "after the Redis master", userOn(t, func(key string) bool { return key != bucket(user) && redis.MasterOf(key) == heir }))
}

// primaryKilled kills PostgreSQL's primary with its Patroni, just when the other node does not hear of what it does: what
// it acknowledges then, only it would have. Reads from memory go on; all else is a 503 until the other has taken over.
func (l *load) primaryKilled(t *testing.T, postgres *servers.PatroniServer) {
	t.Helper()
	primary := postgres.Primary()
	if primary == nil {
		t.Fatal("Patroni has no primary")
	}
	d := l.disturb("the primary killed", false, func(f failure) bool { return f.status == http.StatusServiceUnavailable })
	primary.HoldReplication()
	time.Sleep(held)
	primary.Kill()
	l.recovered(t, d)
	primary.Start()
	postgres.AwaitWhole(recovery)
	if p := postgres.Primary(); p == nil || p == primary {
		t.Errorf("the node that was killed is the primary again, or nobody is")
	}
	t.Logf("%s: the old primary follows the new one after %v", d.name, time.Since(d.began).Round(10*time.Millisecond))
}

// nothingLost compares all that was acknowledged with all revisions that there are, and with what each instance shows.
func (l *load) nothingLost(t *testing.T) {
	t.Helper()
	stored := map[string]map[int]string{}
	export := l.instances[0].want(t, http.StatusOK, "GET", "/v1/templates/export?revisions=true", nil)
	for lines := bufio.NewScanner(bytes.NewReader(export.body)); lines.Scan(); {
		var o object
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		if stored[o.ID] == nil {
			stored[o.ID] = map[int]string{}
		}
		if _, twice := stored[o.ID][o.Revision]; twice {
			t.Errorf("%s has revision %d twice", o.ID, o.Revision)
		}
		stored[o.ID][o.Revision] = o.Content
	}
	wrong := 0
	for _, r := range l.records {
		for _, err := range r.kept(stored[r.id]) {
			if wrong++; wrong <= 20 {
				t.Error(err)
			}
		}
		delete(stored, r.id)
	}
	if wrong > 20 {
		t.Errorf("%d more", wrong-20)
	}
	if len(stored) > 0 {
		t.Errorf("%d templates are there that nobody made", len(stored))
	}
	time.Sleep(soon)
	wrong = 0
	for _, in := range l.instances {
		for i, r := range l.records {
			if i >= 40 && r.last < 5 || wrong > 20 {
				continue // one like it was looked at; this many would take long
			}
			a, err := in.send("GET", r.path(), nil)
			if err != nil {
				t.Fatalf("instance %d: %v", in.number, err)
			}
			if o, ok := a.object(); ok {
				if err := r.shown(o, r.last); err != nil {
					if wrong++; wrong <= 20 {
						t.Errorf("instance %d: %v", in.number, err)
					}
				}
			} else if r.last > 0 {
				wrong++
				t.Errorf("instance %d answers %d for %s, which is at revision %d", in.number, a.status, r.id, r.last)
			}
		}
	}
}

func unmarshal(t *testing.T, a *answer, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}
