package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// cacheTTL is the CACHE_TTL of these tests.
const cacheTTL = 3 * time.Second

// soon is when every instance shows a write at the latest.
const soon = time.Second

// trio is three instances that share a database and a Redis, each through a proxy of its own.
type trio struct {
	redis     *servers.RedisServer
	database  servers.Database
	proxies   []*servers.ProxyServer
	instances []*process
}

func startTrio(t *testing.T) *trio {
	t.Helper()
	c := &trio{redis: servers.NewRedis(t), database: servers.Postgres(t).Database(t)}
	for range 3 {
		proxy := servers.Proxy(t, c.redis.Addr())
		c.proxies = append(c.proxies, proxy)
		c.instances = append(c.instances, launch(t, t.TempDir(), base(t).with(postgresSettings(c.database),
			redisSettings(t, c.redis, proxy.Addr()), settings{"CACHE_TTL": cacheTTL.String(), "LOG_LEVEL": "WARNING"})))
	}
	for _, p := range c.instances {
		p.waitUntil(t, "GET", "/readyz", "is ok", 20*time.Second, status("ok"))
	}
	return c
}

// state is one state that a writer has put a template in.
type state struct {
	content string // "" in the trash
	begun   time.Time
	acked   time.Time // zero while the writer waits
	by      int       // the instance that took the write
}

// subject is one template that is written on one instance and read on all.
type subject struct {
	path string
	mu   sync.Mutex
	past []state
}

func (s *subject) begin(content string, by int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past = append(s.past, state{content: content, begun: time.Now(), by: by})
	return len(s.past) - 1
}

func (s *subject) acknowledge(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past[i].acked = time.Now()
}

// write makes one change of a random kind and reports what goes wrong.
func (s *subject) write(p *process, by int) error {
	s.mu.Lock()
	last := s.past[len(s.past)-1].content
	s.mu.Unlock()
	next := word()
	var i, want int
	var a *answer
	var err error
	switch kind := rand.IntN(6); {
	case last == "":
		// Back from the trash it has the content from before.
		s.mu.Lock()
		next = s.past[len(s.past)-2].content
		s.mu.Unlock()
		i, want = s.begin(next, by), 200
		a, err = p.try("POST", s.path+"/undelete", nil)
	case kind == 0:
		i, want = s.begin("", by), 204
		a, err = p.try("DELETE", s.path, nil)
	case kind < 3:
		i, want = s.begin(next, by), 200
		a, err = p.try("PATCH", s.path, map[string]string{"content": next})
	default:
		i, want = s.begin(next, by), 200
		a, err = p.try("PUT", s.path, object{Name: "n", Content: next}.draft())
	}
	if err != nil {
		return err
	}
	if a.Status != want {
		return fmt.Errorf("a write was answered %d: %s", a.Status, a.Body)
	}
	s.acknowledge(i)
	return nil
}

// oldest gives the index of the oldest state that a read which began then may show, under the bounds for writes of
// this instance and of others.
func (s *subject) oldest(began time.Time, reader int, own, others time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.past) - 1; i > 0; i-- {
		limit := others
		if s.past[i].by == reader {
			limit = own
		}
		if acked := s.past[i].acked; !acked.IsZero() && !acked.Add(limit).After(began) {
			return i
		}
	}
	return 0
}

// judge says how a read that showed this content is too old; "" when it is not.
func (s *subject) judge(content string, oldest int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.past[oldest:] {
		if p.content == content {
			return ""
		}
	}
	for i := oldest - 1; i >= 0; i-- {
		if s.past[i].content == content {
			return fmt.Sprintf("%q, state %d, which another replaced %v ago (the oldest that may be shown is state %d of %d)",
				content, i, time.Since(s.past[i+1].acked).Round(time.Millisecond), oldest, len(s.past))
		}
	}
	return fmt.Sprintf("%q, which it never was", content)
}

// watch is one run of writers and readers.
type watch struct {
	*trio
	subjects []*subject
	// bounds gives how old a read on an instance may be now: of its own writes, and of others'.
	bounds func(reader int) (own, others time.Duration)
	// orderly demands that a reader never sees a revision go back.
	orderly bool
	// gap is what a writer waits between two writes.
	gap time.Duration
	// writers are the instances that are written on.
	writers []int

	mu       sync.Mutex
	failures map[string]int
	reads    int
}

func (w *watch) fail(kind, format string, arguments ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures == nil {
		w.failures = map[string]int{}
	}
	if w.failures[kind]++; w.failures[kind] <= 3 {
		w.failures[kind+": "+fmt.Sprintf(format, arguments...)] = 1
	}
}

// run reads and writes for a while, then reports.
func (w *watch) run(t *testing.T, d time.Duration) {
	t.Helper()
	if w.gap == 0 {
		w.gap = 10 * time.Millisecond
	}
	if w.writers == nil {
		w.writers = []int{0, 1, 2}
	}
	if w.bounds == nil {
		w.bounds = func(int) (time.Duration, time.Duration) { return 0, soon }
	}
	var running sync.WaitGroup
	end := time.Now().Add(d)
	for n := range 6 {
		by := w.writers[n%len(w.writers)]
		first := word()
		s := &subject{path: w.instances[by].create(t, first)}
		s.acknowledge(s.begin(first, by))
		w.subjects = append(w.subjects, s)
		running.Go(func() {
			for time.Now().Before(end) {
				if err := s.write(w.instances[by], by); err != nil {
					w.fail("write", "%v", err)
				}
				time.Sleep(w.gap/2 + rand.N(w.gap))
			}
		})
	}
	for n := range w.instances {
		for range 2 {
			running.Go(func() { w.read(n, end) })
		}
	}
	running.Wait()
	writes := 0
	for _, s := range w.subjects {
		writes += len(s.past)
	}
	t.Logf("%d writes, %d reads", writes, w.reads)
	for what, times := range w.failures {
		t.Errorf("%d times %s", times, what)
	}
}

func (w *watch) read(n int, end time.Time) {
	last, reads := map[*subject]int{}, 0
	defer func() { w.mu.Lock(); w.reads += reads; w.mu.Unlock() }()
	for ; time.Now().Before(end); reads++ {
		s := w.subjects[rand.IntN(len(w.subjects))]
		fresh := rand.IntN(8) == 0
		own, others := w.bounds(n)
		var headers []string
		if fresh {
			own, others, headers = 0, 0, []string{"Cache-Control", "no-cache"}
		}
		began := time.Now()
		oldest := s.oldest(began, n, own, others)
		a, err := w.instances[n].try("GET", s.path, nil, headers...)
		if err != nil {
			w.fail("read", "%v", err)
			continue
		}
		var o object
		switch a.Status {
		case 404:
		case 200:
			var ok bool
			if o, ok = decode(a); !ok {
				w.fail("read", "%s", a.Body)
			}
		default:
			w.fail("read", "%d %s", a.Status, a.Body)
			continue
		}
		if complaint := s.judge(o.Content, oldest); complaint != "" {
			w.fail("stale", "instance %d (no-cache: %v) shows %s", n, fresh, complaint)
		}
		if o.Revision > 0 {
			if w.orderly && o.Revision < last[s] {
				w.fail("backwards", "instance %d shows revision %d after %d", n, o.Revision, last[s])
			}
			last[s] = max(last[s], o.Revision)
		}
		time.Sleep(rand.N(2 * time.Millisecond))
	}
}

func TestReadsAreFresh(t *testing.T) {
	t.Parallel()
	t.Run("in normal operation", func(t *testing.T) {
		t.Parallel()
		w := watch{trio: startTrio(t), orderly: true}
		w.run(t, 4*time.Second)
	})
	t.Run("under eviction", func(t *testing.T) {
		t.Parallel()
		w := watch{trio: startTrio(t)}
		stop := make(chan struct{})
		var evictor sync.WaitGroup
		evictor.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(70 * time.Millisecond):
				}
				switch i % 8 {
				case 3:
					w.redis.CLI("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "allkeys-lru")
				case 4:
					w.redis.CLI("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction")
				case 5:
					w.redis.CLI("CONFIG", "SET", "maxmemory", "0")
				default:
					w.redis.CLI("FLUSHALL")
				}
			}
		})
		w.run(t, 4*time.Second)
		close(stop)
		evictor.Wait()
	})
	t.Run("with Redis restarting", func(t *testing.T) {
		t.Parallel()
		w := watch{trio: startTrio(t), bounds: func(int) (time.Duration, time.Duration) { return 0, cacheTTL }, gap: 50 * time.Millisecond}
		stop := make(chan struct{})
		var breaker sync.WaitGroup
		breaker.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(400 * time.Millisecond):
				}
				w.redis.Kill()
				time.Sleep(200 * time.Millisecond)
				w.redis.Start()
			}
		})
		w.run(t, 6*time.Second)
		close(stop)
		breaker.Wait()
	})
	for name, disturb := range map[string]func(*servers.ProxyServer){
		"with one instance cut off":      (*servers.ProxyServer).Cut,
		"with one instance in the black": (*servers.ProxyServer).Blackhole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startTrio(t)
			var mu sync.Mutex
			others := soon
			set := func(d time.Duration) { mu.Lock(); others = d; mu.Unlock() }
			w := watch{trio: c, gap: 100 * time.Millisecond, bounds: func(int) (time.Duration, time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				return 0, others
			}}
			var breaker sync.WaitGroup
			breaker.Go(func() {
				time.Sleep(time.Second)
				set(cacheTTL)
				disturb(c.proxies[1])
				time.Sleep(5 * time.Second)
				c.proxies[1].Heal()
				// What was written until the return may show for as long as before.
				time.Sleep(cacheTTL)
				set(soon)
			})
			w.run(t, 11*time.Second)
			breaker.Wait()
		})
	}
}

// TestRowsChangedByHand changes rows in SQL behind the program's back.
func TestRowsChangedByHand(t *testing.T) {
	t.Parallel()
	c := startTrio(t)
	db := connect(t, c.database)
	path := c.instances[0].create(t, "before")
	id := strings.TrimPrefix(path, "/v1/templates/")
	stop := time.Now().Add(500 * time.Millisecond)
	for time.Now().Before(stop) {
		for _, p := range c.instances {
			p.want(t, 200, "GET", path, nil)
		}
	}
	execute(t, db, "UPDATE templates SET content = 'by hand' WHERE templateid = $1", id)
	changed := time.Now()
	for n, p := range c.instances {
		if o := p.want(t, 200, "GET", path, nil, "Cache-Control", "no-cache").object(t); o.Content != "by hand" {
			t.Errorf("no-cache on instance %d shows %q", n, o.Content)
		}
	}
	// Reads all the time must not keep the old row alive.
	shown := make([]time.Duration, len(c.instances))
	for time.Since(changed) < cacheTTL {
		for n, p := range c.instances {
			if o := p.want(t, 200, "GET", path, nil).object(t); o.Content == "by hand" && shown[n] == 0 {
				shown[n] = time.Since(changed)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Logf("shown after %v", shown)
	for n, p := range c.instances {
		if o := p.want(t, 200, "GET", path, nil).object(t); o.Content != "by hand" {
			t.Errorf("%v after the change instance %d shows %q", time.Since(changed), n, o.Content)
		}
	}
	execute(t, db, "DELETE FROM templates WHERE templateid = $1", id)
	for n, p := range c.instances {
		p.want(t, 404, "GET", path, nil, "Cache-Control", "no-cache")
		p.waitFor(t, "GET", path, 404, cacheTTL)
		_ = n
	}
}
