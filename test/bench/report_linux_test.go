package bench

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var (
	reportTo      = flag.String("report", "", "`folder` that the report is written into, seen from test/bench; empty: it goes to standard error")
	reportRows    = flag.String("rows", "", "`names` of what to measure, with commas between: "+strings.Join(allRows, ", ")+"; empty: everything")
	reportRounds  = flag.Int("rounds", 5, "`number` of rounds in which the sides alternate")
	reportSeconds = flag.Int("seconds", 4, "`seconds` of each measurement")
	reportDeep    = flag.Int("deep", 10_000_000, "`rows` of the largest table")
	reportQuick   = flag.Bool("quick", false, "measure briefly: 3 rounds of 1 second, 100,000 rows")
)

// allRows are what can be measured by itself.
var allRows = []string{"cached", "dbkey", "uncached", "create", "page", "pages", "render", "rows", "templates", "connections", "content", "keys", "peers"}

// report is everything that was measured.
type report struct {
	facts       [][2]string
	comparisons []comparison
	curves      []curve
	contests    []contest
	peers       string // their versions
	broken      bool   // the run failed before everything was measured
	peak        int64  // the most memory that Templar had in the table's measurements, in bytes
}

// BenchmarkReport measures everything and writes the report. It is a benchmark, so that it runs when it is asked for.
func BenchmarkReport(b *testing.B) {
	if *reportQuick {
		*reportRounds, *reportSeconds, *reportDeep = 3, 1, 100_000
	}
	asked := strings.Split(*reportRows, ",")
	wanted := func(name string) bool { return *reportRows == "" || slices.Contains(asked, name) }
	for _, name := range asked {
		if *reportRows != "" && !slices.Contains(allRows, name) {
			b.Fatalf("-rows: there is no %q; there are %s", name, strings.Join(allRows, ", "))
		}
	}

	l := newBench(b, *reportRounds, *reportSeconds, 10_000)
	r := report{facts: l.facts()}
	defer r.finish(b)
	compared := func(c comparison) {
		progress("== %s: %.2f of %s (floor %.2f, aim %.2f); time on processors %.2f times; memory %.0f MiB PSS", c.work, c.value(), c.against,
			c.floor, c.aim, c.rounds.median(cost), c.rounds.median(func(r []shot) float64 { return mib(r[0].Memory.PSS) }))
		r.comparisons = append(r.comparisons, c)
	}
	for _, row := range []struct {
		name string
		run  func() comparison
	}{
		{"cached", func() comparison { return l.cached("", hashKey) }},
		{"dbkey", func() comparison { return l.cached(", key in the database", l.databaseKey()) }},
		{"uncached", l.uncached},
		{"create", l.create},
		{"page", l.page},
		{"pages", l.pages},
		{"render", l.render},
	} {
		if wanted(row.name) {
			compared(row.run())
		}
	}
	r.peak = l.peak
	if wanted("rows") || wanted("templates") {
		sizes := []int{10_000, 1_000_000, 10_000_000}
		sizes = append(slices.DeleteFunc(sizes, func(n int) bool { return n >= *reportDeep }), *reportDeep)
		lists, searches, deep := l.growingRows(sizes)
		compared(deep)
		r.curves = append(r.curves, lists, searches)
	}
	if wanted("templates") {
		r.curves = append(r.curves, l.growingTemplates([]int{1000, 30_000, 1_000_000})...)
	}
	if wanted("connections") {
		r.curves = append(r.curves, l.growingConnections([]int{1, 8, 64, 256, 512}))
	}
	if wanted("content") {
		r.curves = append(r.curves, l.growingContent([]int{512, 4 << 10, 32 << 10, 256 << 10, 1 << 20}))
	}
	if wanted("keys") {
		r.curves = append(r.curves, l.growingKeys([]int{1, 100, 10_000, 100_000}))
	}
	if wanted("peers") {
		r.contests, r.peers = l.peers()
	}
}

// finish writes what there is. A run of an hour that failed at its end is worth reading too, as far as it went.
func (r *report) finish(b *testing.B) {
	r.broken = b.Failed()
	if *reportTo == "" {
		fmt.Fprint(os.Stderr, r.markdown())
	} else if err := r.write(*reportTo); err != nil {
		b.Error(err)
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
