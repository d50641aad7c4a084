package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// settings are environment variables of the program.
type settings map[string]string

// with gives the settings and others, which win.
func (s settings) with(others ...settings) settings {
	all := maps.Clone(s)
	for _, o := range others {
		maps.Copy(all, o)
	}
	return all
}

// token is an API token that every process of these tests takes; it holds every scope.
const token = "chaos-token-6f0f7c0e-27a1-4f55"

// output is a buffer that may be read while it is written.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// process is one run of the program.
type process struct {
	URL            string
	Addr           string
	Stdout, Stderr *output

	client *http.Client
	cmd    *exec.Cmd
	ended  chan struct{} // closed when it has exited
}

// starter starts children on one thread that lives as long as the test process, to which the kernel ties the signal
// of its death.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

func startTied(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	withParent(cmd.SysProcAttr)
	done := make(chan error, 1)
	starter() <- func() { done <- cmd.Start() }
	return <-done
}

// base are the settings of a process on a free port, without a limit of requests.
func base(t *testing.T) settings {
	t.Helper()
	return settings{"HTTP_PORT": strconv.Itoa(servers.FreePort(t)), "API_TOKENS": token,
		"SECRET_KEY": "a secret key of these tests", "DEFAULT_RATE_LIMIT": "0", "PROMETHEUS_ENABLED": "True"}
}

// command makes the program's command in a folder, with nothing in its environment but the settings.
func command(dir string, s settings, arguments ...string) *exec.Cmd {
	cmd := exec.Command(program, arguments...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		cmd.Env = append(cmd.Env, name+"="+s[name])
	}
	return cmd
}

// start runs "templar serve" and waits until it is ready.
func start(t *testing.T, dir string, s settings) *process {
	t.Helper()
	p := launch(t, dir, s)
	p.waitReady(t, 20*time.Second)
	return p
}

// launch runs "templar serve" in a folder and does not wait. HTTP_PORT must be among the settings.
func launch(t *testing.T, dir string, s settings) *process {
	t.Helper()
	return launchCommand(t, command(dir, s, "serve"), s)
}

func launchCommand(t *testing.T, cmd *exec.Cmd, s settings) *process {
	t.Helper()
	p := &process{Addr: "127.0.0.1:" + s["HTTP_PORT"], Stdout: &output{}, Stderr: &output{}, cmd: cmd, ended: make(chan struct{})}
	p.URL = "http://" + p.Addr
	p.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	if err := startTied(cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // how it ended stands in ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s (%v) told:\n%s", p.URL, cmd.ProcessState, p.notable())
		}
		if log := p.Stderr.String(); strings.Contains(log, "goroutine ") && strings.Contains(log, "panic") {
			t.Errorf("the program panicked:\n%s", log[strings.Index(log, "panic"):])
		}
	})
	return p
}

// notable are the log's lines that tell more than of a request served, at most the last twenty.
func (p *process) notable() string {
	var lines []string
	for line := range strings.Lines(p.Stderr.String()) {
		if !strings.Contains(line, `"level":"INFO"`) || !strings.Contains(line, `"message":"request"`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

// signal sends a signal; a process that has ended takes it without a word.
func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

// kill ends the process with SIGKILL and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
	p.client.CloseIdleConnections()
}

// exit waits for the end and gives the exit code, -1 for a signal.
func (p *process) exit(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("the program still runs after %v", limit)
		return -1
	}
}

// waitReady waits for 200 at /readyz.
func (p *process) waitReady(t *testing.T, limit time.Duration) {
	t.Helper()
	p.waitFor(t, "GET", "/readyz", 200, limit)
}

// waitFor repeats a request until it is answered with the status.
func (p *process) waitFor(t *testing.T, method, path string, status int, limit time.Duration) *answer {
	t.Helper()
	return p.waitUntil(t, method, path, fmt.Sprintf("answers %d", status), limit, func(a *answer) bool { return a.Status == status })
}

// waitUntil repeats a request until its answer is as wanted.
func (p *process) waitUntil(t *testing.T, method, path, what string, limit time.Duration, wanted func(*answer) bool, headers ...string) *answer {
	t.Helper()
	last := ""
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		a, err := p.try(method, path, nil, headers...)
		if err == nil && wanted(a) {
			return a
		}
		if err != nil {
			last = err.Error()
		} else {
			last = fmt.Sprintf("%d %s", a.Status, a.Body)
		}
		select {
		case <-p.ended:
			t.Fatalf("the program ended with %v: %s", p.cmd.ProcessState, p.Stderr.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s %s is wanted to be such that it %s within %v; the last was %s", method, path, what, limit, last)
		}
	}
}
