package servers

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// withoutServers is the variable that lets tests without their servers be skipped.
const withoutServers = "TEMPLAR_TEST_WITHOUT_SERVERS"

// Main runs the tests of a package, then ends the servers that they share and
// removes all files, and returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }
//
// It is optional: without it the same happens just after the process ended.
func Main(m *testing.M) int {
	code := m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		if code == 0 {
			code = 1
		}
	}
	return code
}

func closeShared() error {
	sharedPostgres.Lock()
	defer sharedPostgres.Unlock()
	var first error
	if s := sharedPostgres.server; s != nil {
		sharedPostgres.server = nil
		first = s.discard()
	}
	if err := removeRun(); err != nil && first == nil {
		first = err
	}
	return first
}

var printSkip = sync.OnceFunc(func() {
	fmt.Fprintf(os.Stderr, "NOTICE: %s=1: tests that need PostgreSQL or Redis are skipped\n", withoutServers)
})

// need skips the test where the user has opted out of real servers.
func need(tb testing.TB) {
	tb.Helper()
	if os.Getenv(withoutServers) == "1" {
		printSkip()
		tb.Skip("no servers: " + withoutServers + "=1")
	}
}
