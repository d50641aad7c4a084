package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// installWait bounds the wait for the package manager, and for another test
// process that runs it.
const installWait = 8 * time.Minute

// policyMark stands in the file that this package puts at policy-rc.d, to tell it from others.
const policyMark = "# put here by the tests of Templar while they install servers"

// installer installs packages on Debian and its relatives.
type installer struct {
	uid    int
	marker string    // the file that tells Debian from other systems
	policy string    // the file that Debian's packages ask before they start a service
	lock   string    // excludes the other test processes
	notice io.Writer // is told what is being installed
	run    func(ctx context.Context, name string, args ...string) error
}

// machine is the installer of this machine.
func machine() installer {
	return installer{
		uid: os.Getuid(), marker: "/etc/debian_version", policy: "/usr/sbin/policy-rc.d",
		lock:   filepath.Join(os.TempDir(), fmt.Sprintf("templar-test-install-%d", os.Getuid())),
		notice: os.Stderr, run: runQuietly,
	}
}

// provide installs a package unless what it brings is present.
func (i installer) provide(pkg string, present func() bool) error {
	if present() {
		return nil
	}
	if _, err := os.Stat(i.marker); err != nil || i.uid != 0 {
		return missing(pkg)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return missing(pkg)
	}
	ctx, cancel := context.WithTimeout(context.Background(), installWait)
	defer cancel()
	lock, err := lockFile(ctx, i.lock, installWait)
	if err != nil {
		return err
	}
	defer lock.Close()
	if present() { // another test process was quicker
		return nil
	}
	fmt.Fprintf(i.notice, "servers: installing %s\n", pkg)
	if err := i.install(ctx, pkg); err != nil {
		return fmt.Errorf("install %s: %w", pkg, err)
	}
	if !present() {
		return fmt.Errorf("the package %s is installed, but its programs are not found", pkg)
	}
	return nil
}

// install runs apt-get with all services forbidden to start, so that it leaves
// no cluster and no Redis of the system running.
func (i installer) install(ctx context.Context, pkg string) (err error) {
	old, err := os.ReadFile(i.policy)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && bytes.Contains(old, []byte(policyMark)):
		if err := os.WriteFile(i.policy, []byte("#!/bin/sh\n"+policyMark+"\nexit 101\n"), 0o755); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.Remove(i.policy)) }()
	case err != nil:
		return err
	}
	if err := i.run(ctx, "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "update"); err != nil {
		return err
	}
	return i.run(ctx, "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "install", "--no-install-recommends", pkg)
}

// runQuietly runs a command and shows the end of its output only when it fails.
func runQuietly(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out[max(0, len(out)-1500):])
	}
	return nil
}
