package bench

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

var profileTo = flag.String("profile", "", "`file` that BenchmarkProfile writes, seen from test/bench: ../../cmd/templar/default.pgo is the one that go build takes")

// BenchmarkProfile writes a profile of the service under the loads of the table. go build finds it beside the main
// package and optimizes what is used most (https://go.dev/doc/pgo). It is to be made anew after large changes; an old
// one does no harm.
func BenchmarkProfile(b *testing.B) {
	if *profileTo == "" {
		b.Skip("-profile names no file")
	}
	l := newBench(b, 1, 6, 10_000)
	l.profiles = b.TempDir()
	l.cached("", hashKey)
	l.cached(", key in the database", l.databaseKey())
	l.uncached()
	l.create()
	l.page()
	l.pages()
	l.render()
	parts, err := filepath.Glob(filepath.Join(l.profiles, "*"))
	if err != nil || len(parts) != 8 {
		b.Fatalf("there are %d profiles: %v", len(parts), err)
	}
	if out, err := exec.Command("go", append([]string{"tool", "pprof", "-proto", "-output", *profileTo}, parts...)...).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

// takeProfile has a program tell what it does in the next seconds, and keeps that in the folder of profiles.
func (l *lab) takeProfile(ctx context.Context, p *program, seconds int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.profiles, seconds), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("a profile is answered with %d", response.StatusCode)
	}
	file, err := os.Create(filepath.Join(l.profiles, fmt.Sprint(time.Now().UnixNano())))
	if err != nil {
		return err
	}
	if _, err := file.ReadFrom(response.Body); err != nil {
		return err
	}
	return file.Close()
}
