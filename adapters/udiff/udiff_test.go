package udiff_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bitbucket.org/templar/templar/adapters/udiff"
)

// apply turns old into new as a user would, with patch(1) where it is installed, else with git.
func apply(t rapid.TB, folder, old, diff string) string {
	t.Helper()
	file, patch := filepath.Join(folder, "content"), filepath.Join(folder, "changes")
	for name, text := range map[string]string{file: old, patch: diff} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("patch", "--binary", "--force", "--no-backup-if-mismatch", "--posix", file, patch)
	if _, err := exec.LookPath("patch"); err != nil {
		command = exec.Command("git", "apply", "-p0", "--whitespace=nowarn", patch)
		command.Dir = folder
	}
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, diff)
	}
	got, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) { // POSIX patch removes a file that it made empty
		t.Fatal(err)
	}
	return string(got)
}

func TestPatchApplies(t *testing.T) {
	folder := t.TempDir()
	line := rapid.SampledFrom([]string{"a\n", "b\n", "\n", "c\r\n", "-- x\n", "+ y\n", "{{name}}\n", "é\u2028z\n"})
	text := func(t *rapid.T, label string) string {
		return strings.Join(rapid.SliceOfN(line, 0, 30).Draw(t, label), "") + rapid.SampledFrom([]string{"", "end", "a", "b\r"}).Draw(t, label+" end")
	}
	rapid.Check(t, func(t *rapid.T) {
		old, new := text(t, "old"), text(t, "new")
		diff, err := udiff.Differ{}.Unified(context.Background(), "content", "content", old, new)
		if err != nil {
			t.Fatal(err)
		}
		if (diff == "") != (old == new) {
			t.Fatalf("%q to %q is %q", old, new, diff)
		}
		if diff == "" {
			return
		}
		if got := apply(t, folder, old, diff); got != new {
			t.Fatalf("%q becomes %q, wanted %q, by\n%s", old, got, new, diff)
		}
	})
}

func TestUnified(t *testing.T) {
	got, err := udiff.Differ{}.Unified(context.Background(), "id@1", "id@2", "Hello\nyou\n", "Hello\nall")
	want := "--- id@1\n+++ id@2\n@@ -1,2 +1,2 @@\n Hello\n-you\n+all\n\\ No newline at end of file\n"
	if err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
}

// TestLargeTexts shows that the work is bounded: these have nothing in common.
func TestLargeTexts(t *testing.T) {
	old, new := strings.Repeat("a\nb\n", 1<<18), strings.Repeat("x\ny\nz", 1<<18)
	began := time.Now()
	if _, err := (udiff.Differ{}).Unified(context.Background(), "a", "b", old, new); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("1 MiB against 1 MiB took %v", took)
	}
}
