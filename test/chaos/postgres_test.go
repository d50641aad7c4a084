package chaos

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// back is how soon everything works again after a dependency's return.
const back = 5 * time.Second

// refusals sends one request of each kind at once; each must be a prompt 503.
func refusals(t *testing.T, p *process, path string) {
	t.Helper()
	body := object{Name: "n", Content: word()}.draft()
	requests := []struct {
		method, path string
		body         any
		header       []string
	}{
		{"GET", path, nil, []string{"Cache-Control", "no-cache"}},
		{"PUT", path, body, nil},
		{"PATCH", path, body, nil},
		{"DELETE", path, nil, nil},
		{"POST", "/v1/templates", body, nil},
		{"POST", "/v1/templates", body, []string{"Idempotency-Key", word()}},
		{"GET", "/v1/templates", nil, nil},
		{"GET", "/v1/templates?q=hello&count=true", nil, nil},
		{"GET", path + "/revisions", nil, nil},
		{"GET", "/v1/keys", nil, nil},
	}
	var running sync.WaitGroup
	for _, r := range requests {
		running.Go(func() {
			a, err := p.try(r.method, r.path, r.body, r.header...)
			if err != nil {
				t.Errorf("%s %s: %v", r.method, r.path, err)
				return
			}
			if a.Status == 404 && r.path == path+"/revisions" {
				return // not in this version
			}
			if err := a.unavailable(); err != nil {
				t.Errorf("%s %s without a database: %v", r.method, r.path, err)
			}
		})
	}
	running.Wait()
}

// TestPostgresKilled kills the database with SIGKILL under writes, and stops it in order, then brings it back.
func TestPostgresKilled(t *testing.T) {
	t.Parallel()
	database := servers.NewPostgres(t)
	p := start(t, t.TempDir(), base(t).with(postgresSettings(database.Database(t))))
	path, l := p.create(t, "a template"), &ledger{others: 1}
	for _, end := range []func(){database.Kill, database.Stop} {
		stop := make(chan struct{})
		running := l.write(p, 6, stop)
		time.Sleep(700 * time.Millisecond)
		end()
		p.waitFor(t, "GET", "/readyz", 503, 3*time.Second)
		refusals(t, p, path)
		p.want(t, 200, "GET", "/livez", nil)
		p.want(t, 503, "GET", "/readyz", nil)

		database.Start()
		began := time.Now()
		p.waitReady(t, back)
		writable(t, p, path, back)
		t.Logf("writes work %v after the return", time.Since(began))
		time.Sleep(300 * time.Millisecond)
		close(stop)
		running.Wait()
		l.check(t, p)
	}
}

// writable waits until a template can be changed.
func writable(t *testing.T, p *process, path string, limit time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		a, err := p.try("PUT", path, object{Name: "n", Content: word()}.draft())
		if err == nil && a.Status == 200 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no write within %v: %+v, %v", limit, a, err)
		}
	}
}

// TestPostgresAbsentAtStart starts the program before its database.
func TestPostgresAbsentAtStart(t *testing.T) {
	t.Parallel()
	database := servers.NewPostgres(t)
	s := base(t).with(postgresSettings(database.Database(t)))
	database.Stop()
	p := launch(t, t.TempDir(), s)
	p.waitFor(t, "GET", "/livez", 200, 3*time.Second)
	p.want(t, 503, "GET", "/readyz", nil)
	// Long enough for any patience between attempts to have grown.
	time.Sleep(3 * time.Second)
	refusals(t, p, "/v1/templates/018f4e3c-0000-7000-8000-000000000000")
	p.want(t, 200, "GET", "/livez", nil)
	database.Start()
	p.waitReady(t, back)
	p.want(t, 200, "GET", p.create(t, "a template"), nil)
}

// TestPostgresPaused has the database accept everything and answer nothing.
func TestPostgresPaused(t *testing.T) {
	t.Parallel()
	database := servers.NewPostgres(t)
	p := start(t, t.TempDir(), base(t).with(postgresSettings(database.Database(t))))
	path, l := p.create(t, "a template"), &ledger{others: 1}
	stop := make(chan struct{})
	running := l.write(p, 6, stop)
	time.Sleep(300 * time.Millisecond)
	database.Pause()
	time.Sleep(100 * time.Millisecond)
	refusals(t, p, path)
	// The pool is used up by what waits; these come on top.
	refusals(t, p, path)
	p.want(t, 200, "GET", "/livez", nil)
	if a := p.want(t, 503, "GET", "/readyz", nil); a.Took > 3*time.Second {
		t.Errorf("/readyz took %v", a.Took)
	}
	database.Resume()
	p.waitReady(t, back)
	writable(t, p, path, back)
	time.Sleep(300 * time.Millisecond)
	close(stop)
	running.Wait()
	l.check(t, p)
}

// TestPostgresCutOff cuts and swallows the connections to a database that goes on.
func TestPostgresCutOff(t *testing.T) {
	t.Parallel()
	database := servers.Postgres(t).Database(t)
	proxy := servers.Proxy(t, fmt.Sprintf("%s:%d", database.Host, database.Port))
	host, port, err := net.SplitHostPort(proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, t.TempDir(), base(t).with(postgresSettings(database), settings{"DB_HOST": host, "DB_PORT": port}))
	path, l := p.create(t, "a template"), &ledger{others: 1}
	for _, disturb := range []func(){proxy.Cut, proxy.Blackhole} {
		stop := make(chan struct{})
		running := l.write(p, 4, stop)
		time.Sleep(300 * time.Millisecond)
		disturb()
		refusals(t, p, path)
		proxy.Heal()
		p.waitReady(t, back)
		writable(t, p, path, back)
		time.Sleep(200 * time.Millisecond)
		close(stop)
		running.Wait()
		l.check(t, p)
	}
}
