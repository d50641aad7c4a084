// Package scale runs three instances of the built program on a Redis Cluster and on a PostgreSQL that Patroni keeps, and
// kills one of each under load: an instance, a master of the cluster, the primary. Nothing acknowledged is lost, nothing
// is shown that is older than promised, limits hold for all instances together, and everything recovers by itself.
//
// It runs on Linux: Patroni and etcd come from Debian's packages.
package scale

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	// What the program is built from: go test must not take an earlier result for a changed program's.
	_ "bitbucket.org/templar/templar/cmd/templar/commands"
	"bitbucket.org/templar/templar/test/servers"
)

// program is the path of the built binary.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "templar-scale-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "templar")
	if err := servers.Templar(program); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		return 1
	}
	return servers.Main(m)
}
