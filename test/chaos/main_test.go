// Package chaos runs the built program on real servers, breaks what it stands on, and holds it to what is promised
// about faults: nothing acknowledged is lost, nothing hangs, nothing stale is shown for longer than said, and it
// recovers by itself.
package chaos

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	// What the program is built from: go test must not take an earlier result for a changed program's.
	_ "bitbucket.org/templar/templar/cmd/templar/commands"
	"bitbucket.org/templar/templar/test/servers"
)

// program is the path of the built binary.
var program string

// together is how many tests run side by side. They wait more than they work, and those that measure latencies
// would notice many more.
const together = 6

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", fmt.Sprint(max(together, runtime.GOMAXPROCS(0)))); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	dir, err := os.MkdirTemp("", "templar-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "templar")
	if err := servers.Templar(program); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	return servers.Main(m)
}
