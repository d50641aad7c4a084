package servers

import (
	"os/exec"
	"testing"
)

// Program returns the path of a program, installing the package of Debian that brings it when there is none on the
// PATH. The test fails when that cannot be done.
func Program(tb testing.TB, name, pkg string) string {
	tb.Helper()
	var path string
	Package(tb, pkg, func() bool {
		var err error
		path, err = exec.LookPath(name)
		return err == nil
	})
	return path
}

// Package installs a package of Debian unless present holds, which it must afterwards. The test fails when that cannot
// be done.
func Package(tb testing.TB, pkg string, present func() bool) {
	tb.Helper()
	need(tb)
	if err := machine().provide(pkg, present); err != nil {
		tb.Fatalf("servers: %s: %v", pkg, err)
	}
}
