package servers

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// watchdogVariable tells a copy of the test binary that it is a watchdog.
const watchdogVariable = "TEMPLAR_TEST_WATCHDOG"

// The watchdog is this same test binary, started again: every binary that can
// start a server can therefore watch it too, with nothing to build or install.
func init() {
	if os.Getenv(watchdogVariable) == "1" {
		watch(os.Stdin)
		os.Exit(0)
	}
}

// watchdog is a process beside the test process. When the pipe between the two
// closes, which the kernel does however the test process ends, it ends the
// servers still running and removes the folder. The kernel's parent-death signal alone
// would not do: it leaves the folder, waits in a stopped process, and is Linux's own.
type watchdog struct {
	mu   sync.Mutex
	pipe io.WriteCloser
}

// startWatchdog starts the watchdog of a folder.
func startWatchdog(dir string) (*watchdog, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = []string{watchdogVariable + "=1"}
	cmd.Dir = "/"
	// A session of its own: an interrupt typed at the terminal ends the test, not its watchdog.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	go cmd.Wait() //nolint:errcheck // how it ended changes nothing; this only reaps it
	w := &watchdog{pipe: pipe}
	return w, w.tell("dir %s\n", dir)
}

// started tells of a server's first process, and the signal that ends it.
func (w *watchdog) started(pid int, end syscall.Signal) error {
	return w.tell("started %d %d\n", pid, int(end))
}

// ended tells that a process is no more.
func (w *watchdog) ended(pid int) {
	_ = w.tell("ended %d\n", pid) // without its watchdog the process goes on; the next start says so
}

func (w *watchdog) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pipe.Close()
}

func (w *watchdog) tell(format string, args ...any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := fmt.Fprintf(w.pipe, format, args...); err != nil {
		return fmt.Errorf("tell the watchdog: %w", err)
	}
	return nil
}

// watch is the watchdog's whole life.
func watch(pipe io.Reader) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	var dir string
	servers := map[int]syscall.Signal{}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		var pid, end int
		line := lines.Text()
		if n, _ := fmt.Sscanf(line, "started %d %d", &pid, &end); n == 2 {
			servers[pid] = syscall.Signal(end)
		} else if n, _ := fmt.Sscanf(line, "ended %d", &pid); n == 1 {
			delete(servers, pid)
		} else if len(line) > 4 && line[:4] == "dir " {
			dir = line[4:]
		}
	}
	var all sync.WaitGroup
	for pid, end := range servers {
		all.Go(func() { _ = endTree(pid, end, 3*time.Second) })
	}
	all.Wait()
	if dir != "" {
		_ = removeAll(dir)
	}
}
