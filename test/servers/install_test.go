package servers

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fakeMachine is a Debian on which installing a package makes the file bin/<package>.
type fakeMachine struct {
	installer
	dir   string
	mu    sync.Mutex
	calls []string
	fail  error
}

func newFakeMachine(t *testing.T) *fakeMachine {
	t.Helper()
	dir := t.TempDir()
	m := &fakeMachine{dir: dir}
	m.installer = installer{
		uid: 0, marker: m.path("debian_version"), policy: m.path("policy-rc.d"), lock: m.path("lock"),
		notice: io.Discard,
		run: func(_ context.Context, name string, args ...string) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.calls = append(m.calls, name+" "+strings.Join(args, " "))
			policy, err := os.ReadFile(m.policy)
			if err != nil || !strings.Contains(string(policy), "exit 101") {
				t.Errorf("services may start during the installation: %q, %v", policy, err)
			}
			if m.fail != nil || !slices.Contains(args, "install") {
				return m.fail
			}
			return os.WriteFile(m.path(args[len(args)-1]), nil, 0o755)
		},
	}
	// apt-get is looked up on the PATH.
	for _, name := range []string{"debian_version", "apt-get"} {
		if err := os.WriteFile(m.path(name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return m
}

func (m *fakeMachine) path(name string) string { return filepath.Join(m.dir, name) }

func (m *fakeMachine) has(name string) func() bool {
	return func() bool {
		_, err := os.Stat(m.path(name))
		return err == nil
	}
}

func TestInstallOnceForAllProcesses(t *testing.T) {
	m := newFakeMachine(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := m.provide("postgresql", m.has("postgresql")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(m.calls) != 2 || !strings.HasSuffix(m.calls[0], " update") ||
		!strings.HasSuffix(m.calls[1], " install --no-install-recommends postgresql") {
		t.Errorf("ran %q", m.calls)
	}
	if m.has("policy-rc.d")() {
		t.Error("policy-rc.d was left behind")
	}
}

func TestInstallLeavesAForeignPolicy(t *testing.T) {
	m := newFakeMachine(t)
	if err := os.WriteFile(m.policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.provide("redis-server", m.has("redis-server")); err != nil {
		t.Fatal(err)
	}
	if !m.has("policy-rc.d")() {
		t.Error("a policy-rc.d that was there before is gone")
	}
}

func TestInstallFailures(t *testing.T) {
	t.Run("apt-get fails", func(t *testing.T) {
		m := newFakeMachine(t)
		m.fail = errors.New("no network")
		err := m.provide("postgresql", m.has("postgresql"))
		if err == nil || !strings.Contains(err.Error(), "no network") {
			t.Errorf("error is %v", err)
		}
		if m.has("policy-rc.d")() {
			t.Error("policy-rc.d was left behind")
		}
	})
	for name, spoil := range map[string]func(*fakeMachine) error{
		"not root":   func(m *fakeMachine) error { m.uid = 1000; return nil },
		"not Debian": func(m *fakeMachine) error { return os.Remove(m.marker) },
		"no apt-get": func(m *fakeMachine) error { return os.Remove(m.path("apt-get")) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newFakeMachine(t)
			if err := spoil(m); err != nil {
				t.Fatal(err)
			}
			err := m.provide("postgresql", m.has("postgresql"))
			if err == nil || !strings.Contains(err.Error(), "apt-get install --no-install-recommends postgresql") {
				t.Errorf("error is %v", err)
			}
			if len(m.calls) > 0 {
				t.Errorf("ran %q", m.calls)
			}
		})
	}
}

func TestHighestVersionIsFound(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", filepath.Join(dir, "nothing"))
	for _, version := range []string{"9.6", "15", "17"} {
		bin := filepath.Join(dir, version, "bin")
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		programs := []string{"postgres", "initdb"}
		if version == "17" {
			programs = programs[1:] // only a part of it
		}
		for _, program := range programs {
			if err := os.WriteFile(filepath.Join(bin, program), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, want := postgresBin([]string{filepath.Join(dir, "*", "bin")}), filepath.Join(dir, "15", "bin"); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	link := filepath.Join(dir, "links")
	if err := os.Mkdir(link, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "9.6", "bin", "postgres"), filepath.Join(link, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", link)
	if got, want := postgresBin(nil), filepath.Join(dir, "9.6", "bin"); got != want {
		t.Errorf("by the PATH found %q, want %q", got, want)
	}
}

func TestSweep(t *testing.T) {
	base := t.TempDir()
	living, dead, other := filepath.Join(base, runPrefix+"1-a"), filepath.Join(base, runPrefix+"2-b"), filepath.Join(base, "other")
	for _, dir := range []string{living, dead, other} {
		if err := os.MkdirAll(filepath.Join(dir, "pg1"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := lockDir(living)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	sweep(base)
	for dir, want := range map[string]bool{living: true, dead: false, other: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(dir), err == nil, want)
		}
	}
}
