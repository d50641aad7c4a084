package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/test/servers"
)

// hooked makes a repository with the project's hooks, and the files besides.
func hooked(t *testing.T, files map[string]string) string {
	t.Helper()
	servers.Program(t, "pre-commit", "pre-commit")
	folder := t.TempDir()
	command(t, folder, "git", "init", "-q")
	command(t, folder, "mkdir", "build")
	for _, part := range []string{".pre-commit-config.yaml", "build/check"} {
		command(t, project, "cp", "-r", part, filepath.Join(folder, part))
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, folder, "git", "add", "--force", ".")
	// Those that look at the whole program are the CI's own steps.
	t.Setenv("SKIP", "vet,layering,core,lint")
	t.Setenv("PRE_COMMIT_HOME", t.TempDir())
	return folder
}

// TestHooks commits what each hook is there to stop.
func TestHooks(t *testing.T) {
	folder := hooked(t, map[string]string{"bad.go": "package  bad\n", ".env": "DB_PASS=x\n", "bad.yaml": "a: 1\na: 2\n", "bad.hcl": "a {\nb=1\n}\n",
		"key.txt": "AKIA" + strings.Repeat("Q", 16) + "\n"})
	out, err := tryCommand(t, folder, "pre-commit", "run", "--all-files")
	if err == nil {
		t.Error("bad files pass")
	}
	for _, want := range []string{"gofmt would change bad.go", ".env holds secrets", "bad.yaml: ", "bad.hcl:2", "key.txt:1: this looks like an AWS access key"} {
		if !strings.Contains(out, want) {
			t.Errorf("the hooks do not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "AKIAQ") {
		t.Error("the credential itself is shown")
	}
	message := filepath.Join(folder, "message")
	for text, good := range map[string]bool{"Keep the hooks working offline\n": true, "fix.\n": false} {
		if err := os.WriteFile(message, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := tryCommand(t, folder, "pre-commit", "run", "--hook-stage", "commit-msg", "--commit-msg-filename", message); (err == nil) != good {
			t.Errorf("the message %q: %v\n%s", text, err, out)
		}
	}
}

// TestFilesPassHooks holds the project's own files against the same checks.
func TestFilesPassHooks(t *testing.T) {
	for check, endings := range map[string][]string{"yaml": {"*.yaml", "*.yml"}, "hcl": {"*.hcl"}, "secrets": {"."}} {
		files := strings.Fields(command(t, project, "git", append([]string{"ls-files", "--cached", "--others", "--exclude-standard", "--"}, endings...)...))
		var there []string
		for _, name := range files {
			if _, err := os.Stat(filepath.Join(project, name)); err == nil { // one that was removed is listed until the commit
				there = append(there, name)
			}
		}
		if len(there) == 0 {
			t.Errorf("there are no files for %s", check)
		}
		command(t, project, "build/check/run", append([]string{check}, there...)...)
	}
}
