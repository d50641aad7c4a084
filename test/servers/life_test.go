package servers_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// childVariable tells this test binary, started by one of its own tests, how to end.
const childVariable = "TEMPLAR_TEST_CHILD"

// TestChild is what the children run; by itself it does nothing.
func TestChild(t *testing.T) {
	how := os.Getenv(childVariable)
	if how == "" {
		return
	}
	shared := servers.Postgres(t)
	shared.Database(t)
	private := servers.NewPostgres(t)
	redis := servers.Redis(t)
	// A backend that works, and would not notice for long that its server is gone.
	busy := openDB(t, private.Database(t).URL())
	go busy.Exec("SELECT pg_sleep(1000)") //nolint:errcheck // it is meant to be cut off
	time.Sleep(100 * time.Millisecond)
	if how == "paused" {
		private.Pause()
		redis.Pause()
	}
	fmt.Printf("ports %d %d %d\n", shared.Port, private.Port, redis.Port)
	// Until the parent has seen what runs.
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	switch how {
	case "panic":
		go panic("on purpose")
		fallthrough
	case "killed", "paused":
		time.Sleep(time.Minute)
	}
}

// child is a test process that has started servers.
type child struct {
	cmd         *exec.Cmd
	how         string
	in          io.Writer
	run         string // begins the name of its folder
	ports       [3]int
	descendants []int
}

func startChild(t *testing.T, how string) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	c := &child{cmd: exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$", "-test.v"), how: how}
	c.cmd.Env = append(os.Environ(), childVariable+"="+how)
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.run = fmt.Sprintf("templar-test-run-%d-", c.cmd.Process.Pid)
	for lines := bufio.NewScanner(out); c.ports[2] == 0 && lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "ports %d %d %d", &c.ports[0], &c.ports[1], &c.ports[2]); err != nil {
			continue
		}
	}
	if c.ports[2] == 0 {
		t.Fatal("the child started no servers")
	}
	for _, port := range c.ports {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatalf("the child's server does not listen: %v", err)
		}
		conn.Close()
	}
	// Two PostgreSQLs with their helpers, one busy backend, Redis and the watchdog.
	if c.descendants = descendantsOf(t, c.cmd.Process.Pid); len(c.descendants) < 10 {
		t.Fatalf("the child has only the processes %v", c.descendants)
	}
	return c
}

// end lets the child end in its way and waits for it.
func (c *child) end(t *testing.T) {
	t.Helper()
	if _, err := fmt.Fprintln(c.in, "go on"); err != nil {
		t.Fatal(err)
	}
	if c.how == "killed" || c.how == "paused" {
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.cmd.Wait(); (err == nil) != (c.how == "returns") {
		t.Errorf("the child that is to be %q ended with: %v", c.how, err)
	}
}

// await looks for what the child left until it is as wanted, for 15 seconds.
func (c *child) await(t *testing.T, wanted func([]string) bool) []string {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := leftovers(t, c.run, c.ports[:], c.descendants)
		if wanted(left) || time.Now().After(deadline) {
			return left
		}
	}
}

func nothing(left []string) bool { return len(left) == 0 }

// TestNothingOutlivesTheProcess ends test processes in all ways and looks for
// what they left.
func TestNothingOutlivesTheProcess(t *testing.T) {
	for _, how := range []string{"killed", "paused", "panic", "returns"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c := startChild(t, how)
			c.end(t)
			if left := c.await(t, nothing); len(left) > 0 {
				t.Errorf("15 s after the child's end there are still: %s", strings.Join(left, "; "))
			}
		})
	}
}

// leftovers lists the folders, the listening ports and the processes of a child.
func leftovers(t *testing.T, run string, ports []int, processes []int) []string {
	t.Helper()
	var left []string
	bases := []string{os.TempDir(), "/tmp", "/var/tmp"}
	slices.Sort(bases)
	for _, base := range slices.Compact(bases) {
		dirs, err := filepath.Glob(filepath.Join(base, run+"*"))
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, dirs...)
	}
	for _, port := range ports {
		if conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second); err == nil {
			conn.Close()
			left = append(left, fmt.Sprintf("port %d", port))
		}
	}
	living := parents(t)
	for _, pid := range processes {
		if _, ok := living[pid]; ok {
			left = append(left, fmt.Sprintf("process %d", pid))
		}
	}
	return left
}

// parents maps the living processes of the machine to their parents.
func parents(t *testing.T) map[int]int {
	t.Helper()
	out, err := exec.Command("ps", "-axo", "pid=,ppid=,state=").Output()
	if err != nil {
		t.Fatal(err)
	}
	table := map[int]int{}
	for _, line := range strings.Split(string(out), "\n") {
		var pid, parent int
		var state string
		if n, _ := fmt.Sscan(line, &pid, &parent, &state); n == 3 && !strings.HasPrefix(state, "Z") {
			table[pid] = parent
		}
	}
	return table
}

func descendantsOf(t *testing.T, pid int) []int {
	t.Helper()
	table := parents(t)
	var found []int
	for child := range table {
		for p := table[child]; p > 1; p = table[p] {
			if p == pid {
				found = append(found, child)
				break
			}
		}
	}
	return found
}

// TestKernelAloneEndsServers kills the watchdog before its test process: the
// parent-death signal ends the servers, and the next run removes the files.
func TestKernelAloneEndsServers(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // other systems have no such signal, and the package promises none
	}
	child := startChild(t, "killed")
	for _, pid := range child.descendants {
		if executableOf(pid) == executableOf(os.Getpid()) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	child.end(t)
	if left := child.await(t, func(left []string) bool { return len(left) == 1 }); len(left) != 1 || !strings.Contains(left[0], child.run) {
		t.Fatalf("without a watchdog there is %q, want only the folder", left)
	}
	startChild(t, "returns").end(t)
	if left := child.await(t, nothing); len(left) > 0 {
		t.Errorf("after the next run there are still: %s", strings.Join(left, "; "))
	}
}

func executableOf(pid int) string {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return err.Error()
	}
	return path
}

// TestOptOut looks at the one way to be skipped, and that it is told.
func TestOptOut(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^(TestPostgresShared|TestRedisIsPrivate)$", "-test.v")
	cmd.Env = append(os.Environ(), "TEMPLAR_TEST_WITHOUT_SERVERS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if strings.Count(string(out), "--- SKIP") != 2 || strings.Count(string(out), "NOTICE: TEMPLAR_TEST_WITHOUT_SERVERS=1") != 1 {
		t.Errorf("printed %s", out)
	}
}
