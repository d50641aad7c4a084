package deploy

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/deploy/walk"
	"bitbucket.org/templar/templar/test/servers"
)

// project is the folder of the project, seen from here.
const project = "../.."

// command runs a program and gives what it prints on both streams; the test fails when it does.
func command(t *testing.T, dir, name string, arguments ...string) string {
	t.Helper()
	out, err := tryCommand(t, dir, name, arguments...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, out)
	}
	return out
}

func tryCommand(t *testing.T, dir, name string, arguments ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	return out.String(), err
}

// engine is podman with a storage of its own, which ends with the test.
type engine struct {
	t       *testing.T
	program string
	options []string
}

func newEngine(t *testing.T) engine {
	t.Helper()
	servers.Program(t, "runc", "runc")
	e := engine{t: t, program: servers.Program(t, "podman", "podman")}
	root := t.TempDir()
	e.options = []string{"--root", filepath.Join(root, "storage"), "--runroot", filepath.Join(root, "run"), "--tmpdir", filepath.Join(root, "tmp"),
		"--storage-driver", "vfs", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file"}
	return e
}

func (e engine) run(arguments ...string) string {
	e.t.Helper()
	return strings.TrimSpace(command(e.t, "", e.program, append(e.options, arguments...)...))
}

// keyForm finds the API key that the first start prints, on a line of its own.
var keyForm = regexp.MustCompile(`(?m)^\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$`)

// TestImageRuns starts the image as the quick start has it, without any configuration, and walks through the service.
func TestImageRuns(t *testing.T) {
	e := newEngine(t)
	// Podman takes the path for a name, which is lower case; a test's own folder is not.
	folder, err := os.MkdirTemp("", "templar-image-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	command(t, filepath.Join(project, "build", "image"), "go", "run", ".", "build", "-platforms", "linux/"+runtime.GOARCH, "-o", folder)
	image := e.run("pull", "--quiet", "oci:"+folder)

	port := servers.FreePort(t)
	name := "templar-test-" + strconv.Itoa(os.Getpid())
	e.run("run", "--detach", "--name", name, "--network", "host", "--read-only", "--cap-drop", "all", "--ulimit", "nofile=20000:20000",
		"--ulimit", "nproc=4096:4096", "--env", "HTTP_PORT="+strconv.Itoa(port), "--env", "TZ=Europe/Madrid", image)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the container told:\n%s", e.run("logs", name))
		}
		e.run("rm", "--force", "--time", "1", "--volumes", name)
	})

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	service := walk.Service{URL: fmt.Sprintf("http://127.0.0.1:%d", port), Header: "X-API-KEY"}
	if err := service.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	key := keyForm.FindStringSubmatch(e.run("logs", name))
	if key == nil {
		t.Fatal("the first start printed no key")
	}
	service.Value = key[1]
	if err := service.Walk(ctx); err != nil {
		t.Error(err)
	}
	e.run("exec", name, "/templar", "healthcheck")

	pid := e.run("inspect", "--format", "{{.State.Pid}}", name)
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Uid:\t65532\t65532", "Gid:\t65532\t65532", "CapEff:\t0000000000000000"} {
		if !strings.Contains(string(status), line) {
			t.Errorf("the process has not %q", line)
		}
	}

	began := time.Now()
	e.run("stop", "--time", "20", name)
	if code := e.run("inspect", "--format", "{{.State.ExitCode}}", name); code != "0" {
		t.Errorf("after podman stop the exit code is %s", code)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("podman stop took %v", took)
	}
}
