package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// facts tell on what and of what a report is, each a name and a value.
func (b *bench) facts() [][2]string {
	b.tb.Helper()
	db := connect(b.tb, b.database)
	defer db.Close()
	var postgres string
	if err := db.QueryRow("SHOW server_version").Scan(&postgres); err != nil {
		b.tb.Fatal(err)
	}
	redis := ""
	for line := range strings.Lines(b.redis.CLI("INFO", "server")) {
		if v, found := strings.CutPrefix(line, "redis_version:"); found {
			redis = strings.TrimSpace(v)
		}
	}
	// wrk tells its version and exits with 1.
	wrk, _ := exec.Command(b.wrk, "--version").Output()
	version, _, _ := strings.Cut(string(wrk), " [")
	return [][2]string{
		{"date", time.Now().UTC().Format("2006-01-02 15:04 UTC")},
		{"commit", first(said(".", "git", "describe", "--always", "--dirty"), "unknown")},
		{"machine", fmt.Sprintf("%d cores of %s, %s of memory, Linux %s", runtime.NumCPU(), value("/proc/cpuinfo", "model name"), memory(), kernel())},
		{"versions", fmt.Sprintf("%s, Echo %s, PostgreSQL %s with fsync, Redis %s, %s", runtime.Version(), said(".", "go", "list", "-m", "-f", "{{.Version}}", "github.com/labstack/echo/v4"),
			postgres, redis, version)},
		{"load", fmt.Sprintf("wrk with %d connections, pgbench with %d clients, prepared; %d rounds of %d s in which the sides alternate; medians",
			connections, b.clients, b.rounds, b.seconds)},
		{"everything on", "key check, rate limit, cache, metrics, access log at INFO into a file"},
		{"command", "`" + command() + "`"},
	}
}

// kernel is the version of Linux without what its builder added.
func kernel() string {
	version, _, _ := strings.Cut(said(".", "uname", "-r"), "-")
	return version
}

// command is what this report was asked for with.
func command() string {
	var own []string
	for i, a := range os.Args {
		if i > 0 && !strings.HasPrefix(a, "-test.") {
			own = append(own, a)
		}
	}
	return strings.TrimSpace("go test ./test/bench -run '^$' -bench '^BenchmarkReport$' -benchtime 1x -timeout 4h -args " + strings.Join(own, " "))
}

// said is the first line that a command writes, or nothing.
func said(dir, name string, arguments ...string) string {
	cmd := exec.Command(name, arguments...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// value is what follows a name and a colon in a file of /proc.
func value(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, v, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == name {
			return strings.TrimSpace(v)
		}
	}
	return "an unnamed processor"
}

func memory() string {
	var kib int64
	if _, err := fmt.Sscan(value("/proc/meminfo", "MemTotal"), &kib); err != nil {
		return "an unknown amount"
	}
	return fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
}
