package bench

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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

// settings are environment variables of a program.
type settings map[string]string

// with gives the settings and others, which win.
func (s settings) with(other settings) settings {
	all := maps.Clone(s)
	maps.Copy(all, other)
	return all
}

// built are the programs that were built already, by their package.
var built sync.Map

// build builds a program as it is released, without the race detector, once for each process.
func build(tb testing.TB, dir, pkg string) string {
	tb.Helper()
	once, _ := built.LoadOrStore(dir+pkg, sync.OnceValues(func() (string, error) {
		path := filepath.Join(work, filepath.Base(dir)+"-"+filepath.Base(pkg))
		return path, servers.Build(dir, pkg, path)
	}))
	path, err := once.(func() (string, error))()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// program is a running process that answers HTTP.
type program struct {
	addr string
	pid  int
	log  *os.File // what it writes on stdout and stderr
	// profiles is the address where it tells what it does; "" for none.
	profiles string

	ended chan struct{}
	cmd   *exec.Cmd
	ready string // the path that answers 200 when it is
}

// starter starts children on one thread that lives as long as the test process, to which the kernel ties the signal
// of its death.
var starter = sync.OnceValue(func() chan<- func() {
	tasks := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range tasks {
			f()
		}
	}()
	return tasks
})

// launch starts a program in a folder of its own, with nothing in its environment but the settings, and waits until
// its path answers 200.
func launch(tb testing.TB, addr, ready string, s settings, name string, arguments ...string) *program {
	tb.Helper()
	dir := tb.TempDir()
	p := &program{addr: addr, ready: ready, cmd: exec.Command(name, arguments...)}
	p.cmd.Dir = dir
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		p.cmd.Env = append(p.cmd.Env, name+"="+s[name])
	}
	p.start(tb)
	tb.Cleanup(p.stop)
	return p
}

// restart runs the program again, as it was run before. Where its memory came to lie makes a process up to a tenth faster
// or slower than another of the same program, for as long as it lives.
func (p *program) restart(tb testing.TB) {
	tb.Helper()
	p.stop()
	again := exec.Command(p.cmd.Path, p.cmd.Args[1:]...)
	again.Dir, again.Env = p.cmd.Dir, p.cmd.Env
	p.cmd = again
	p.start(tb)
}

// start runs the command, and waits until it is ready.
func (p *program) start(tb testing.TB) {
	tb.Helper()
	var err error
	// Appending, so that it can be cut off while it is written.
	if p.log, err = os.OpenFile(filepath.Join(p.cmd.Dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		tb.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr, p.ended = p.log, p.log, make(chan struct{})
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	done := make(chan error, 1)
	starter() <- func() { done <- p.cmd.Start() }
	if err := <-done; err != nil {
		tb.Fatal(err)
	}
	p.pid = p.cmd.Process.Pid
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // how it ended stands in ProcessState
		close(ended)
	}(p.cmd, p.ended)
	p.await(tb, p.ready)
}

func (p *program) await(tb testing.TB, ready string) {
	tb.Helper()
	client := &http.Client{Timeout: 5 * time.Second}
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		response, err := client.Get("http://" + p.addr + ready)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("it answers %d", response.StatusCode)
		}
		select {
		case <-p.ended:
			tb.Fatalf("%s ended with %v: %s", p.cmd.Path, p.cmd.ProcessState, p.told())
		default:
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s is not ready: %v: %s", p.cmd.Path, err, p.told())
		}
	}
}

// stop ends the program: in order, and if it does not end, with SIGKILL.
func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	p.log.Close()
}

// told is the end of the log.
func (p *program) told() string {
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-3000):])
}

// startBare starts the yardstick with bodies to answer, by their names.
func startBare(tb testing.TB, bodies map[string][]byte) *program {
	tb.Helper()
	dir := tb.TempDir()
	for name, body := range bodies {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ready"), nil, 0o600); err != nil {
		tb.Fatal(err)
	}
	addr := freeAddr(tb)
	return launch(tb, addr, "/ready/1", nil, build(tb, ".", "./bare"), addr, dir)
}

func freeAddr(tb testing.TB) string { return "127.0.0.1:" + strconv.Itoa(servers.FreePort(tb)) }

// answer is what a program answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends one request and demands a status.
func (p *program) ask(tb testing.TB, status int, method, path, body string, headers ...string) answer {
	tb.Helper()
	request, err := http.NewRequest(method, "http://"+p.addr+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	if response.StatusCode != status {
		tb.Fatalf("%s %s answers %d instead of %d: %.500s", method, path, response.StatusCode, status, bytes.TrimSpace(text))
	}
	return answer{response.StatusCode, response.Header, text}
}
