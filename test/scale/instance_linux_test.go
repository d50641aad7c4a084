package scale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// token is an API token that every instance takes; it holds every scope and has no limit.
const token = "scale-token-2f0f7c0e-27a1-4f55"

// patience bounds every request. It is more than any answer may take, on a slow machine too.
const patience = 20 * time.Second

// instance is one Templar, which may be killed and started again on its port.
type instance struct {
	number      int
	url         string
	environment []string
	dir         string
	client      *http.Client

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has exited
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

// newInstance starts "templar serve" with an environment of nothing but the settings, and does not wait.
func newInstance(t *testing.T, number int, settings map[string]string) *instance {
	t.Helper()
	port := strconv.Itoa(servers.FreePort(t))
	in := &instance{number: number, url: "http://127.0.0.1:" + port, dir: t.TempDir(),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	in.environment = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + in.dir, "HTTP_PORT=" + port}
	for name, value := range settings {
		in.environment = append(in.environment, name+"="+value)
	}
	t.Cleanup(func() {
		in.kill()
		log, err := os.ReadFile(in.log())
		if err != nil || bytes.Contains(log, []byte("\ngoroutine ")) {
			t.Errorf("instance %d panicked, or told nothing: %v", number, err)
		}
		if t.Failed() {
			t.Logf("instance %d told:\n%s", number, log[max(0, len(log)-3000):])
		}
	})
	in.start(t)
	return in
}

// log is the file that takes what all runs of the instance write.
func (in *instance) log() string { return filepath.Join(in.dir, "log") }

func (in *instance) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(in.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(program, "serve")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = in.dir, in.environment, log, log
	// The kernel ends a child whose test process died.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	starter() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended stands in its log
		close(ended)
	}()
	in.mu.Lock()
	defer in.mu.Unlock()
	in.cmd, in.ended = cmd, ended
}

// kill ends the process with SIGKILL and waits for its end.
func (in *instance) kill() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.cmd == nil {
		return
	}
	_ = in.cmd.Process.Kill() // it may have ended
	<-in.ended
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// object reads the answer's template; false when it is none.
func (a *answer) object() (object, bool) {
	var o object
	err := json.Unmarshal(a.body, &o)
	return o, err == nil && o.ID != "" && o.Revision > 0
}

// send makes one request with the token, unless the headers (name, value, name, value) bring another credential.
func (in *instance) send(method, path string, body any, headers ...string) (*answer, error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, in.url+path, sent)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	if request.Header.Get("X-API-KEY") == "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := in.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &answer{response.StatusCode, response.Header, received}, nil
}

// want is send, and ends the test when the status is another one.
func (in *instance) want(t *testing.T, status int, method, path string, body any, headers ...string) *answer {
	t.Helper()
	a, err := in.send(method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s on instance %d: %v", method, path, in.number, err)
	}
	if a.status != status {
		t.Fatalf("%s %s on instance %d: %d is wanted, got %d: %s", method, path, in.number, status, a.status, a.body)
	}
	return a
}

// awaitOK waits until /readyz says that the instance has all that it needs.
func (in *instance) awaitOK(t *testing.T, limit time.Duration) {
	t.Helper()
	last := ""
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		a, err := in.send("GET", "/readyz", nil)
		if err == nil {
			last = fmt.Sprintf("%d %s", a.status, a.body)
			if a.status == http.StatusOK && strings.Contains(string(a.body), `"status":"ok"`) {
				return
			}
		} else {
			last = err.Error()
		}
		if time.Now().After(end) {
			t.Fatalf("instance %d is not ready after %v: %s", in.number, limit, last)
		}
	}
}
