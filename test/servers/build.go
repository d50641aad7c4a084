package servers

import (
	"fmt"
	"os"
	"os/exec"
)

// Build builds a command to a path, as it is released: static, and without the paths of this machine. The package is as
// seen from dir, which may be "". Tests that build by it share what the compiler has done already; with other flags it
// would begin anew.
func Build(dir, pkg, path string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// Templar builds the program itself to a path.
func Templar(path string) error { return Build("", "bitbucket.org/templar/templar/cmd/templar", path) }
