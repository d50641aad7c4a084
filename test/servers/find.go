package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
)

// postgresDirs are where systems keep the programs of a server off the PATH.
var postgresDirs = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
}

// findPostgres returns the folder of PostgreSQL's programs, installing them when
// there is none.
var findPostgres = sync.OnceValues(func() (string, error) {
	var bin string
	err := machine().provide("postgresql", func() bool {
		bin = postgresBin(postgresDirs)
		return bin != ""
	})
	return bin, err
})

// redisPrograms are the paths of the server and its command line.
type redisPrograms struct{ server, cli string }

// findRedis returns the paths of Redis's programs, installing them when there are none.
var findRedis = sync.OnceValues(func() (redisPrograms, error) {
	var found redisPrograms
	err := machine().provide("redis-server", func() bool {
		server, serverErr := exec.LookPath("redis-server")
		cli, cliErr := exec.LookPath("redis-cli")
		found = redisPrograms{server: server, cli: cli}
		return serverErr == nil && cliErr == nil
	})
	return found, err
})

// postgresBin finds a folder with postgres and initdb: on the PATH, else the
// highest version in the folders that the patterns match. Empty: none.
func postgresBin(patterns []string) string {
	if path, err := exec.LookPath("postgres"); err == nil {
		// A link on the PATH leads to the folder where its own initdb is.
		if path, err = filepath.EvalSymlinks(path); err == nil && wholeBin(filepath.Dir(path)) {
			return filepath.Dir(path)
		}
	}
	best, bestVersion := "", -1.0
	for _, pattern := range patterns {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			if v := versionOf(dir); v > bestVersion && wholeBin(dir) {
				best, bestVersion = dir, v
			}
		}
	}
	return best
}

var versionInPath = regexp.MustCompile(`[/@-](\d+(?:\.\d+)?)/bin$`)

func versionOf(dir string) float64 {
	found := versionInPath.FindStringSubmatch(dir)
	if found == nil {
		return 0
	}
	v, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return 0
	}
	return v
}

func wholeBin(dir string) bool {
	for _, program := range []string{"postgres", "initdb"} {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil || info.IsDir() || info.Mode().Perm()&0o111 == 0 {
			return false
		}
	}
	return true
}

// missing is the error for a server that cannot be installed from here.
func missing(pkg string) error {
	return fmt.Errorf(`it is not installed, and only root on Debian or a relative of it can have it installed by the tests.
Install it yourself:
  Debian, Ubuntu:  sudo apt-get install --no-install-recommends %s
  Fedora:          sudo dnf install postgresql-server redis
  macOS:           brew install postgresql@17 redis
or skip the tests that need servers: %s=1`, pkg, withoutServers)
}
