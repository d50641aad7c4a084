package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
)

// unfinished counts the hidden files of uploads in a folder.
func unfinished(folder string) (int, error) {
	entries, err := os.ReadDir(folder)
	n := 0
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".part") {
			n++
		}
	}
	return n, err
}

func open(t *testing.T, folder string) *Blobs {
	t.Helper()
	b, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBlobsContract(t *testing.T) {
	contract.Blobs(t, contract.BlobsHarness{Open: func(t *testing.T) contract.BlobsTrial {
		folder := t.TempDir()
		return contract.BlobsTrial{
			Blobs: open(t, folder+"/"),
			Left:  func(context.Context) (int, error) { return unfinished(folder) },
			Break: func(u ports.Upload) func() {
				_ = u.(*upload).part.Close()
				return func() {}
			},
		}
	}})
}

func TestFolders(t *testing.T) {
	base := t.TempDir()
	for _, folder := range []string{base, base + "/", filepath.Join(base, "Größe 漢字"), filepath.Join(base, "[a]*?")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, open(t, folder), "object", "text")
		if got, err := os.ReadFile(filepath.Join(folder, "object")); err != nil || string(got) != "text" {
			t.Errorf("%s: want the object in its folder, got %q, %v", folder, got, err)
		}
		if err := os.Remove(filepath.Join(folder, "object")); err != nil {
			t.Error(err)
		}
	}
	t.Chdir(base)
	put(t, open(t, ""), "here", "text")
	if _, err := os.Stat(filepath.Join(base, "here")); err != nil {
		t.Errorf("the empty name is the current folder: %v", err)
	}
	if _, err := Open(filepath.Join(base, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent folder: want fs.ErrNotExist, got %v", err)
	}
	if _, err := Open(filepath.Join(base, "here")); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a file for a folder: want fs.ErrInvalid, got %v", err)
	}
	if err := os.Mkdir(filepath.Join(base, "inner"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := open(t, base).Open(t.Context(), "inner"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a folder for an object: want fs.ErrInvalid, got %v", err)
	}
	if _, err := open(t, base).Create(t.Context(), "inner"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a new object where a folder is: want fs.ErrExist, got %v", err)
	}
}

func put(t *testing.T, b *Blobs, name, text string) {
	t.Helper()
	u, err := b.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, text); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestAnExportIsItsOwnersAlone(t *testing.T) {
	folder := t.TempDir()
	put(t, open(t, folder), "object", "text")
	info, err := os.Stat(filepath.Join(folder, "object"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want the mode 0600, got %v, %v", info.Mode(), err)
	}
}

// TestLinks: what a person names for reading may be a link; what is written never goes through one.
func TestLinks(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	goal := filepath.Join(elsewhere, "goal")
	if err := os.WriteFile(goal, []byte("goal"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link": goal, "dangling": filepath.Join(elsewhere, "absent")} {
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, folder).Create(t.Context(), name); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a new object where the link %q is: want fs.ErrExist, got %v", name, err)
		}
	}
	r, size, err := open(t, folder).Open(t.Context(), "link")
	if err != nil || size != 4 {
		t.Fatalf("Open of a link: want its goal, got the size %d, %v", size, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestPipe reads what has no size, and stops waiting for it when the context ends.
func TestPipe(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(path, os.O_RDWR, 0) // so that opening waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	r, size, err := open(t, folder).Open(ctx, "pipe")
	if err != nil || size != -1 {
		t.Fatalf("Open of a pipe: want the size -1, got %d, %v", size, err)
	}
	defer func() { _ = r.Close() }()
	if _, err := writer.WriteString("text"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, end)
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read when the context ends: want context.Canceled, got %v", err)
	}
}

func TestLatestOfAFullFolder(t *testing.T) {
	folder := t.TempDir()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := ""
	for i := range 2500 {
		name := ports.DatedName("t-", at.Add(time.Duration(i)*time.Hour))
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want = name
	}
	if err := os.Mkdir(filepath.Join(folder, ports.DatedName("t-", at.AddDate(9, 0, 0))), 0o700); err != nil {
		t.Fatal(err) // a folder is no object
	}
	if got, err := open(t, folder).Latest(t.Context(), "t-"); err != nil || got != want {
		t.Errorf("Latest: want %q, got %q, %v", want, got, err)
	}
}

// killedVariable tells the process that TestKilled starts where to write.
const killedVariable = "FILE_TEST_KILLED_IN"

// TestKilled kills a process that writes: nothing shows under the name.
func TestKilled(t *testing.T) {
	const name = "object"
	if folder := os.Getenv(killedVariable); folder != "" {
		u, err := open(t, folder).Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			if _, err := u.Write(make([]byte, 1<<16)); err != nil {
				t.Fatal(err)
			}
			if i == 100 {
				fmt.Println("written")
				time.Sleep(time.Minute) // until it is killed
				return
			}
		}
	}
	folder := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	victim := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilled$")
	victim.Env = append(os.Environ(), killedVariable+"="+folder)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "written\n" {
		t.Errorf("the process that is to be killed says %q, %v", line, err)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = victim.Wait()
	b := open(t, folder)
	if _, _, err := b.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the kill, Open: want fs.ErrNotExist, got %v", err)
	}
	if n, err := unfinished(folder); n != 1 || err != nil {
		t.Errorf("after the kill: want its one hidden file, got %d, %v", n, err)
	}
	put(t, b, name, "text") // and it is in nobody's way
}
