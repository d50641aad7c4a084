package load

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// Statements is a load of one SQL statement, prepared, which each client runs again and again.
type Statements struct {
	// Pgbench is the path of the program pgbench.
	Pgbench string
	// URL is that of the database.
	URL string
	// Text is the statement, with parameters such as :id.
	Text string
	// Parameters are their values.
	Parameters map[string]string
	// Clients are how many run at a time, each on its own connection.
	Clients int
	// Seconds is how long it lasts.
	Seconds int
}

var (
	pgbenchDone    = regexp.MustCompile(`number of transactions actually processed: (\d+)`)
	pgbenchFailed  = regexp.MustCompile(`number of failed transactions: (\d+)`)
	pgbenchLatency = regexp.MustCompile(`latency average = ([\d.]+) ms`)
	pgbenchRate    = regexp.MustCompile(`tps = ([\d.]+) \(without initial connection time\)`)
)

// Run sends the load. A statement that failed is an error.
func (s Statements) Run(ctx context.Context) (Result, error) {
	dir, err := os.MkdirTemp("", "templar-pgbench-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	database, err := url.Parse(s.URL)
	if err != nil {
		return Result{}, err
	}
	password, _ := database.User.Password()
	threads := max(1, runtime.NumCPU()/2)
	args := []string{"-n", "-M", "prepared", "-c", strconv.Itoa(s.Clients), "-j", strconv.Itoa(threads), "-T", strconv.Itoa(s.Seconds),
		"-h", database.Hostname(), "-p", database.Port(), "-U", database.User.Username()}
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		args = append(args, "-D", name+"="+s.Parameters[name])
	}
	file := filepath.Join(dir, "statement")
	if err := os.WriteFile(file, []byte(s.Text+";\n"), 0o600); err != nil {
		return Result{}, err
	}
	cmd := exec.CommandContext(ctx, s.Pgbench, append(args, "-f", file, database.Path[1:])...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password, "PGSSLMODE=disable", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("pgbench: %w: %.2000s", err, out)
	}
	result, err := readPgbench(out)
	result.Generator = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return result, err
}

func readPgbench(out []byte) (Result, error) {
	number := func(pattern *regexp.Regexp) (float64, error) {
		found := pattern.FindSubmatch(out)
		if found == nil {
			return 0, fmt.Errorf("pgbench does not tell %s: %.2000s", pattern, out)
		}
		return strconv.ParseFloat(string(found[1]), 64)
	}
	var values [4]float64
	for i, pattern := range []*regexp.Regexp{pgbenchDone, pgbenchFailed, pgbenchLatency, pgbenchRate} {
		var err error
		if values[i], err = number(pattern); err != nil {
			return Result{}, err
		}
	}
	done, failed, latency, rate := values[0], values[1], values[2], values[3]
	if failed > 0 || done == 0 || rate == 0 {
		return Result{}, fmt.Errorf("of %.0f transactions %.0f failed", done, failed)
	}
	return Result{Done: int64(done), Took: time.Duration(done / rate * float64(time.Second)),
		Median: time.Duration(latency * float64(time.Millisecond))}, nil
}
