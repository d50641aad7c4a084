package load

import (
	"bytes"
	"context"
	_ "embed" // the script
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Requests is a load of HTTP requests.
type Requests struct {
	// Wrk is the path of the program wrk.
	Wrk string
	// Address is where they go, as in 127.0.0.1:9000.
	Address string
	// Text is a request as it goes over the wire. Every %x in it stands for twelve hexadecimal digits of a random
	// number from 1 to Numbers, or of 1 if that is not more than 1; with InTurn, of one number after the other, of which
	// the first follows From.
	Text    string
	Numbers int
	InTurn  bool
	From    int
	// Values, if there are any, stand for the numbers: the first for 1. Then Numbers is how many there are.
	Values []string
	// Connections are how many clients there are, each of which sends its next request when it has its answer.
	Connections int
	// Seconds is how long it lasts.
	Seconds int
}

// Result is what a load met with.
type Result struct {
	// Done are the requests, or transactions, that were answered.
	Done int64
	Took time.Duration
	// Median and P99 are times from the request to the end of the answer. pgbench knows no P99; Median is its mean.
	Median, P99 time.Duration
	// Generator is the time that the load generator itself spent on processors.
	Generator time.Duration
}

// PerSecond is how many were answered in a second.
func (r Result) PerSecond() float64 { return float64(r.Done) / r.Took.Seconds() }

// Request puts a request together. Headers are lines such as "Accept: text/plain".
func Request(method, path, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, path)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

//go:embed wrk.lua
var script []byte

// Run sends the load. Its error tells of any request that failed or was not answered with 2xx.
func (r Requests) Run(ctx context.Context) (Result, error) {
	dir, err := os.MkdirTemp("", "templar-wrk-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	files := map[string][]byte{"wrk.lua": script, "request": []byte(r.Text)}
	if len(r.Values) > 0 {
		files["values"], r.Numbers = []byte(strings.Join(r.Values, "\n")+"\n"), len(r.Values)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return Result{}, err
		}
	}
	// One thread of wrk keeps several of a server busy; more would only take processors from it.
	threads, last := min(max(1, runtime.NumCPU()/2), r.Connections), "random"
	if r.InTurn { // each thread counts by itself
		threads, last = 1, strconv.Itoa(r.From)
	}
	cmd := exec.CommandContext(ctx, r.Wrk, "-t", strconv.Itoa(threads), "-c", strconv.Itoa(r.Connections), "-d", fmt.Sprint(r.Seconds, "s"),
		"--timeout", "10s", "-s", filepath.Join(dir, "wrk.lua"), "http://"+r.Address+"/", "--",
		dir, strconv.Itoa(r.Numbers), last, strconv.FormatInt(time.Now().UnixNano()%1e6, 10))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	result, err := readWrk(out)
	result.Generator = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return result, err
}

// readWrk reads the line that the script writes at the end.
func readWrk(out []byte) (Result, error) {
	at := bytes.LastIndex(out, []byte("\nRESULT "))
	if at < 0 {
		return Result{}, fmt.Errorf("wrk told no result: %s", out)
	}
	var done, took, connect, read, write, timeout, status, median, p99 int64
	if _, err := fmt.Sscanf(string(out[at+1:]), "RESULT %d %d %d %d %d %d %d %d %d",
		&done, &took, &connect, &read, &write, &timeout, &status, &median, &p99); err != nil {
		return Result{}, fmt.Errorf("read wrk's result: %w: %s", err, out[at:])
	}
	if failed := connect + read + write + timeout + status; failed > 0 || done == 0 {
		return Result{}, fmt.Errorf("of %d requests failed: to connect %d, to read %d, to write %d, in time %d, by their status %d",
			done, connect, read, write, timeout, status)
	}
	return Result{Done: done, Took: time.Duration(took) * time.Microsecond,
		Median: time.Duration(median) * time.Microsecond, P99: time.Duration(p99) * time.Microsecond}, nil
}
