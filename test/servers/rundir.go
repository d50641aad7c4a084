package servers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// runPrefix begins the name of the folder in which one test process keeps the
// files of its servers. The process holds a lock on the folder while it lives.
const runPrefix = "templar-test-run-"

// run is this process's folder, made at first use.
var run struct {
	sync.Mutex
	dir   string
	lock  *os.File
	dog   *watchdog
	count int
}

// newDir makes a folder for one server and returns it with the watchdog that
// will remove it when this process dies.
func newDir(kind string) (string, *watchdog, error) {
	run.Lock()
	defer run.Unlock()
	if run.dir == "" {
		if err := openRun(); err != nil {
			return "", nil, err
		}
	}
	run.count++
	dir := filepath.Join(run.dir, kind+strconv.Itoa(run.count))
	return dir, run.dog, os.Mkdir(dir, 0o700)
}

// openRun makes the folder and its watchdog. The caller holds run's lock.
func openRun() error {
	base, err := publicTempDir()
	if err != nil {
		return err
	}
	// Sweeping and making exclude each other, so that no sweep takes a folder
	// between its making and its locking.
	gate, err := lockFile(context.Background(), filepath.Join(base, fmt.Sprintf("templar-test-gate-%d", os.Getuid())), time.Minute)
	if err != nil {
		return err
	}
	defer gate.Close()
	sweep(base)

	dir, err := os.MkdirTemp(base, fmt.Sprintf("%s%d-", runPrefix, os.Getpid()))
	if err != nil {
		return err
	}
	// PostgreSQL runs as another user than root and must get through to its folder.
	if err := os.Chmod(dir, 0o711); err != nil {
		return err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	dog, err := startWatchdog(dir)
	if err != nil {
		lock.Close()
		os.RemoveAll(dir)
		return err
	}
	run.dir, run.lock, run.dog = dir, lock, dog
	return nil
}

// removeRun removes this process's folder; a later use makes another.
func removeRun() error {
	run.Lock()
	defer run.Unlock()
	if run.dir == "" {
		return nil
	}
	err := removeAll(run.dir)
	run.lock.Close()
	run.dog.close()
	run.dir, run.lock, run.dog = "", nil, nil
	return err
}

// sweep removes the folders of dead processes that nothing else removed. A
// folder's lock tells whether its process lives; its number alone would not, as
// numbers are used again, and differ between containers that share a folder.
func sweep(base string) {
	dirs, err := filepath.Glob(filepath.Join(base, runPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		if lock, err := lockDir(dir); err == nil {
			os.RemoveAll(dir)
			lock.Close()
		}
	}
}

// lockDir takes the lock of a folder that is this user's, without waiting.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !ownedByUs(info) {
		err = fmt.Errorf("%s belongs to another user", dir)
	}
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lockFile takes the lock on a file that it makes where there is none, waiting
// at most for so long. Closing the file gives the lock back, and so does dying.
func lockFile(ctx context.Context, path string, wait time.Duration) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// publicTempDir finds a folder for temporary files that every user can reach,
// which TMPDIR need not be.
func publicTempDir() (string, error) {
	for _, dir := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil && (os.Getuid() != 0 || reachable(real)) {
			return real, nil
		}
	}
	return "", errors.New("no temporary folder that another user can reach")
}

func reachable(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

func ownedByUs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}

// removeAll removes a folder into which a process that is just ending may still write.
func removeAll(dir string) error {
	var err error
	for range 20 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}
