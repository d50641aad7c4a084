// Package bench measures the built program from the outside, next to yardsticks: a bare Echo handler, the same
// statements in pgbench, and services that somebody might use instead.
//
// A small guard of it runs with every go test. The whole report, which takes an hour, is a benchmark:
//
//	go test ./test/bench -run '^$' -bench '^BenchmarkReport$' -benchtime 1x -timeout 4h -args -report report
//
// Another one makes the profile that the compiler works by:
//
//	go test ./test/bench -run '^$' -bench '^BenchmarkProfile$' -benchtime 1x -args -profile ../../cmd/templar/default.pgo
//
// In the same place are benchmarks of the Mustache engine next to others. What reads the kernel's accounting exists on
// Linux only.
package bench

import (
	"flag"
	"fmt"
	"os"
	"testing"

	// What the program is built from: go test must not take an earlier result for a changed program's.
	_ "bitbucket.org/templar/templar/cmd/templar/commands"
	"bitbucket.org/templar/templar/test/servers"
)

// work is a folder for what the whole test process needs, such as the built programs.
var work string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	var err error
	if work, err = os.MkdirTemp("", "templar-bench-"); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	defer os.RemoveAll(work)
	return servers.Main(m)
}
