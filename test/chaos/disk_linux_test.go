package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// smallDisk is a file system of a few MiB that ends with the test. It is mounted in a namespace of its own, so that
// neither root nor a cleaning up is needed.
type smallDisk struct {
	holder *exec.Cmd
	path   string // where processes in the namespace see it
}

func newSmallDisk(t *testing.T, size string) *smallDisk {
	t.Helper()
	d := &smallDisk{path: t.TempDir()}
	arguments := []string{"--mount"}
	if os.Getuid() != 0 {
		arguments = append(arguments, "--user", "--map-root-user")
	}
	arguments = append(arguments, "sh", "-c", `mount -t tmpfs -o size="$1" tmpfs "$0" && touch "$0/there" && exec sleep 600`, d.path, size)
	d.holder = exec.Command("unshare", arguments...)
	failure := &output{}
	d.holder.Stderr = failure
	if err := startTied(d.holder); err != nil {
		t.Fatalf("a small disk needs unshare of util-linux: %v", err)
	}
	t.Cleanup(func() {
		_ = d.holder.Process.Kill() // it may have ended
		_ = d.holder.Wait()         // by the signal
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(d.outside("there")); err == nil {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatalf("the small disk was not mounted: %s", failure)
		}
	}
}

// outside is the path of a file of the disk for this process.
func (d *smallDisk) outside(name string) string {
	return filepath.Join("/proc", strconv.Itoa(d.holder.Process.Pid), "root", d.path, name)
}

// launch runs the program in the disk's namespace.
func (d *smallDisk) launch(t *testing.T, s settings) *process {
	t.Helper()
	inner := command("/", s, "serve")
	arguments := []string{"--target", strconv.Itoa(d.holder.Process.Pid), "--mount"}
	if os.Getuid() != 0 {
		arguments = append(arguments, "--user", "--preserve-credentials")
	}
	cmd := exec.Command("nsenter", append(arguments, inner.Args...)...)
	cmd.Dir, cmd.Env = inner.Dir, inner.Env
	return launchCommand(t, cmd, s)
}

// TestDiskFull lets the disk of the embedded database fill up, frees it, and kills the program.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	disk := newSmallDisk(t, "11m")
	// It is taken away later. It is larger than what SQLite keeps in its log before it moves it to the database (4 MiB).
	if err := os.WriteFile(disk.outside("ballast"), make([]byte, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := base(t).with(sqliteSettings(disk.path))
	p := disk.launch(t, s)
	p.waitReady(t, 10*time.Second)
	first := p.create(t, "small")
	acked := map[string]string{first: "small"}
	fill := func(size int) *answer {
		t.Helper()
		for range 400 {
			content := strings.Repeat(word()+" ", size/18)
			a := p.do(t, "POST", "/v1/templates", object{Name: "n", Content: content}.draft())
			if a.Status != 201 {
				return a
			}
			acked["/v1/templates/"+a.object(t).ID] = content
		}
		t.Fatal("the disk does not fill up")
		return nil
	}
	for _, size := range []int{100_000, 10_000, 1_000} {
		if err := fill(size).unavailable(); err != nil {
			t.Errorf("a write on a full disk: %v", err)
		}
	}
	whole := func() {
		t.Helper()
		for path, content := range acked {
			if a := p.do(t, "GET", path, nil, "Cache-Control", "no-cache"); a.Status != 200 || a.object(t).Content != content {
				t.Errorf("%s was acknowledged and now answers %d %.100s", path, a.Status, a.Body)
			}
		}
		if n := len(p.walk(t, "sort=created")); n != len(acked) {
			t.Errorf("%d templates are listed, %d were acknowledged", n, len(acked))
		}
		p.want(t, 200, "GET", "/v1/templates?q=small", nil)
		p.want(t, 200, "GET", "/livez", nil)
		p.want(t, 200, "GET", "/readyz", nil)
	}
	whole()
	for _, r := range []struct{ method, path string }{{"PUT", first}, {"PATCH", first}, {"POST", "/v1/templates"}} {
		if err := p.do(t, r.method, r.path, object{Name: "n", Content: strings.Repeat("large ", 20_000)}.draft()).unavailable(); err != nil {
			t.Errorf("%s on a full disk: %v", r.method, err)
		}
	}
	t.Logf("%d templates fit", len(acked))

	// A crash on the full disk loses nothing either, and the program starts on it.
	p.kill()
	p = disk.launch(t, s)
	p.waitReady(t, 10*time.Second)
	whole()

	if err := os.Remove(disk.outside("ballast")); err != nil {
		t.Fatal(err)
	}
	writable(t, p, first, back)
	delete(acked, first)
	acked[first] = p.want(t, 200, "GET", first, nil).object(t).Content
	path := p.create(t, strings.Repeat("large ", 20_000))
	acked[path] = strings.Repeat("large ", 20_000)
	whole()
	p.kill()
	p = disk.launch(t, s)
	p.waitReady(t, 10*time.Second)
	whole()
}
