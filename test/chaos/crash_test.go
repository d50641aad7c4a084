package chaos

import (
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// TestKilledWhileWriting kills the program with SIGKILL in the middle of writes, again and again.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	engines := map[string]func(t *testing.T) settings{
		"sqlite": func(t *testing.T) settings { return sqliteSettings(t.TempDir()) },
		"pg":     func(t *testing.T) settings { return postgresSettings(servers.Postgres(t).Database(t)) },
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir, l := base(t).with(open(t)), t.TempDir(), &ledger{}
			p := start(t, dir, s)
			for range 3 {
				stop := make(chan struct{})
				running := l.write(p, 8, stop)
				time.Sleep(700 * time.Millisecond)
				p.kill()
				close(stop)
				running.Wait()
				p = start(t, dir, s)
				l.check(t, p)
			}
		})
	}
}

// TestKilledWhileStarting kills the program during its first starts, when it makes its tables.
func TestKilledWhileStarting(t *testing.T) {
	t.Parallel()
	engines := map[string]func(t *testing.T) settings{
		"sqlite": func(t *testing.T) settings { return sqliteSettings(t.TempDir()) },
		"pg":     func(t *testing.T) settings { return postgresSettings(servers.Postgres(t).Database(t)) },
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := base(t).with(open(t)), t.TempDir()
			for wait := 10 * time.Millisecond; wait < 160*time.Millisecond; wait += 20 * time.Millisecond {
				p := launch(t, dir, s)
				time.Sleep(wait)
				p.kill()
			}
			p := start(t, dir, s)
			path := p.create(t, "there")
			p.want(t, 200, "GET", path, nil)
		})
	}
}
