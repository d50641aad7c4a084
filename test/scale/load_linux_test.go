package scale

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

const (
	// cacheTTL is the CACHE_TTL of this test, and how old a read may be while Redis is away.
	cacheTTL = 3 * time.Second
	// soon is when every instance shows a write at the latest while Redis is there.
	soon = time.Second
)

// failure is a request that was not served.
type failure struct {
	began, ended time.Time
	instance     int
	status       int // 0: no answer
	what         string
}

// disturbance is a time in which some requests may fail, and what came of it.
type disturbance struct {
	name       string
	began, end time.Time
	allows     func(failure) bool
}

// load is steady work of many clients on all instances.
type load struct {
	instances []*instance

	mu           sync.Mutex
	records      []*record
	shared       []*record // changed by several clients at once, with If-Match
	failures     []failure
	disturbances []*disturbance
	wide         bool // Redis is away, or was a moment ago
	complaints   []string
	reads        int
	writes       int
	conflicts    int
	longest      time.Duration // of the requests that were served
}

func word() string { return fmt.Sprintf("w%016x", rand.Uint64()) }

func draft(content string) map[string]string {
	return map[string]string{"name": "scale", "content": content}
}

// start begins the work, which ends with the context, and returns what waits for its end.
func (l *load) start(t *testing.T, ctx context.Context) *sync.WaitGroup {
	t.Helper()
	for range 3 {
		r := newRecord(uuid.NewString())
		l.create(l.instances[0], r)
		if r.last != 1 {
			t.Fatalf("no template can be made: %v %v", l.failures, l.complaints)
		}
		l.shared = append(l.shared, r)
	}
	running := &sync.WaitGroup{}
	for _, in := range l.instances {
		for range 2 {
			running.Go(func() { l.write(ctx, in) })
			running.Go(func() { l.read(ctx, in) })
		}
		running.Go(func() { l.contend(ctx, in) })
	}
	return running
}

// pause waits for about d; false when the work is over.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d/2 + rand.N(d)):
		return true
	}
}

// write makes templates and replaces them; nobody else does so with these.
func (l *load) write(ctx context.Context, in *instance) {
	var own []*record
	for pause(ctx, 40*time.Millisecond) {
		if len(own) < 8 || rand.IntN(10) == 0 {
			if r := newRecord(uuid.NewString()); l.create(in, r) {
				own = append(own, r)
			}
			continue
		}
		l.replace(in, own[rand.IntN(len(own))])
	}
}

func (l *load) create(in *instance, r *record) bool {
	l.mu.Lock()
	l.records = append(l.records, r)
	l.mu.Unlock()
	content := word()
	body := draft(content)
	body["templateid"] = r.id
	return l.store(in, r, content, http.StatusCreated, "POST", "/v1/templates", body)
}

func (l *load) replace(in *instance, r *record) bool {
	content := word()
	return l.store(in, r, content, http.StatusOK, "PUT", r.path(), draft(content))
}

// contend changes templates that others change at the same moment, with If-Match.
func (l *load) contend(ctx context.Context, in *instance) {
	for pause(ctx, 40*time.Millisecond) {
		r := l.shared[rand.IntN(len(l.shared))]
		a, ok := l.ask(in, "GET", r.path(), nil, []int{http.StatusOK}, "Cache-Control", "no-cache")
		if ok {
			content := word()
			l.store(in, r, content, http.StatusOK, "PATCH", r.path(), map[string]string{"content": content}, "If-Match", a.header.Get("ETag"))
		}
	}
}

// store makes one write and notes what came of it.
func (l *load) store(in *instance, r *record, content string, done int, method, path string, body any, headers ...string) bool {
	r.send(content)
	expected := []int{done}
	if headers != nil {
		expected = append(expected, http.StatusPreconditionFailed)
	}
	a, ok := l.ask(in, method, path, body, expected, headers...)
	at := time.Now()
	if !ok {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.status != done {
		l.conflicts++
		return false
	}
	l.writes++
	o, _ := a.object()
	if err := r.acknowledge(o, content, in.number, at); err != nil {
		l.complain("%v", err)
	}
	return true
}

// read reads templates, every eighth time past all caches, and holds what is shown to what was acknowledged.
func (l *load) read(ctx context.Context, in *instance) {
	for pause(ctx, 8*time.Millisecond) {
		l.mu.Lock()
		r := l.records[rand.IntN(len(l.records))]
		if rand.IntN(3) == 0 {
			r = l.shared[rand.IntN(len(l.shared))]
		}
		b := bounds{own: 0, others: soon}
		if l.wide {
			// A master that dies takes with it what it had not yet told its replica, so that the replica may have a
			// value that was already removed.
			b = bounds{own: cacheTTL, others: cacheTTL}
		}
		l.mu.Unlock()
		var headers []string
		if rand.IntN(8) == 0 {
			b, headers = bounds{}, []string{"Cache-Control", "no-cache"}
		}
		least := r.least(time.Now(), in.number, b)
		a, ok := l.ask(in, "GET", r.path(), nil, []int{http.StatusOK, http.StatusNotFound}, headers...)
		if !ok {
			continue
		}
		l.mu.Lock()
		l.reads++
		if o, is := a.object(); is {
			if err := r.shown(o, least); err != nil {
				l.complain("instance %d (%v): %v", in.number, headers, err)
			}
		} else if least > 0 {
			l.complain("instance %d (%v) answers %d for %s, which was acknowledged at revision %d", in.number, headers, a.status, r.id, least)
		}
		l.mu.Unlock()
	}
}

// ask makes one request, and notes it as a failure when its status is none of the expected.
func (l *load) ask(in *instance, method, path string, body any, expected []int, headers ...string) (*answer, bool) {
	f := failure{began: time.Now(), instance: in.number}
	a, err := in.send(method, path, body, headers...)
	f.ended = time.Now()
	if err == nil {
		for _, status := range expected {
			if a.status == status {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.longest = max(l.longest, f.ended.Sub(f.began))
				return a, true
			}
		}
		f.status, f.what = a.status, fmt.Sprintf("%s %s: %d %s", method, path, a.status, a.body)
		if seconds, wrong := strconv.Atoi(a.header.Get("Retry-After")); a.status == http.StatusServiceUnavailable && (wrong != nil || seconds < 1) {
			f.status, f.what = -1, "without Retry-After: "+f.what
		}
	} else {
		f.what = err.Error()
	}
	l.mu.Lock()
	l.failures = append(l.failures, f)
	l.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	return nil, false
}

// complain expects l.mu to be held.
func (l *load) complain(format string, arguments ...any) {
	if len(l.complaints) < 20 {
		l.complaints = append(l.complaints, fmt.Sprintf(format, arguments...))
	}
}

// disturb begins a time in which failures of one sort are allowed; Redis says that reads may be as old as CACHE_TTL.
func (l *load) disturb(name string, redis bool, allows func(failure) bool) *disturbance {
	d := &disturbance{name: name, began: time.Now(), allows: allows}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disturbances = append(l.disturbances, d)
	l.wide, l.longest = redis, 0
	return d
}

// recovered waits until every instance has all it needs and takes writes, and ends the disturbance.
func (l *load) recovered(t *testing.T, d *disturbance) {
	t.Helper()
	for _, in := range l.instances {
		in.awaitOK(t, recovery)
		r := newRecord(uuid.NewString())
		for end := time.Now().Add(recovery); !l.create(in, r); r = newRecord(uuid.NewString()) {
			if time.Now().After(end) {
				t.Fatalf("%s: instance %d takes no writes after %v", d.name, in.number, time.Since(d.began))
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	d.end = time.Now()
	failed, last := 0, time.Duration(0)
	for _, f := range l.failures {
		if f.ended.After(d.began) {
			failed++
			last = max(last, f.ended.Sub(d.began))
		}
	}
	t.Logf("%s: all well again after %v; %d requests failed, the last after %v; the slowest that was served took %v",
		d.name, d.end.Sub(d.began).Round(10*time.Millisecond), failed, last.Round(10*time.Millisecond), l.longest.Round(time.Millisecond))
}

// calm says that Redis has been there for long enough for the strict bound to hold again.
func (l *load) calm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wide = false
}

// worked demands that so much is done in a while without a disturbance that checks of it tell something.
func (l *load) worked(t *testing.T, d time.Duration) {
	t.Helper()
	count := func() (int, int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.reads, l.writes
	}
	reads, writes := count()
	time.Sleep(d)
	moreReads, moreWrites := count()
	if moreReads-reads < 20 || moreWrites-writes < 10 {
		t.Errorf("within %v there were %d reads and %d writes: too few to show anything", d, moreReads-reads, moreWrites-writes)
	}
}

// check reports what was wrong while the work went on: every failure that no disturbance allows is.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.complaints {
		t.Error(c)
	}
	unexpected := 0
	for _, f := range l.failures {
		if !l.allowed(f) {
			if unexpected++; unexpected <= 10 {
				t.Errorf("instance %d failed at %s after %v: %s", f.instance, f.began.Format("15:04:05.000"), f.ended.Sub(f.began).Round(time.Millisecond), f.what)
			}
		}
	}
	if unexpected > 10 {
		t.Errorf("%d failures more", unexpected-10)
	}
}

func (l *load) allowed(f failure) bool {
	for _, d := range l.disturbances {
		// A request that was begun before is hit as well.
		if f.ended.After(d.began) && (d.end.IsZero() || f.began.Before(d.end)) && d.allows(f) {
			return true
		}
	}
	return false
}
