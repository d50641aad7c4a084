package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bitbucket.org/templar/templar/test/bench/chart"
)

// write puts the report with its pictures into a folder: report.md, ratios.svg and a picture of each curve.
func (r report) write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	files := map[string]string{"report.md": r.markdown(), "ratios.svg": r.picture()}
	for _, c := range r.curves {
		files[c.name+".svg"] = c.picture()
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// kept tells whether the floor is kept.
func (c comparison) kept() bool { return c.reaches(c.floor) }

func (c comparison) reaches(limit float64) bool {
	if c.lessIsGood {
		return c.value() <= limit
	}
	return c.value() >= limit
}

// verdict says in words how a comparison ended.
func (c comparison) verdict() string {
	switch {
	case c.aim != 0 && c.reaches(c.aim):
		return "aim reached"
	case c.kept():
		return "floor kept"
	}
	return "**misses the floor**"
}

func limit(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprint(v)
}

func (r report) markdown() string {
	var b strings.Builder
	b.WriteString("# How fast Templar is\n\nWritten by the benchmark; do not edit.\n\n")
	if r.broken {
		b.WriteString("**The run failed: this is not all of it.**\n\n")
	}
	for _, f := range r.facts {
		fmt.Fprintf(&b, "- %s: %s\n", f[0], f[1])
	}
	b.WriteString("\nServers, databases and load generators share the machine. Time on processors is the kernel's own accounting; it depends less than anything else on what the machine does beside.\n")
	if len(r.comparisons) > 0 {
		b.WriteString("\n## Next to bare Echo and bare SQL\n\n![The ratios as bars](ratios.svg)\n\n| work | against | ratio | floor | aim | | by time on processors |\n| --- | --- | --- | --- | --- | --- | --- |\n")
		for _, c := range r.comparisons {
			most, steady := "", fmt.Sprintf("%.2f", c.rounds.median(processors))
			if c.lessIsGood {
				most, steady = "at most ", "-"
			}
			fmt.Fprintf(&b, "| %s | %s | %.2f | %s%s | %s | %s | %s |\n", c.work, c.against, c.value(), most, limit(c.floor), limit(c.aim), c.verdict(), steady)
		}
		if r.peak > 0 {
			c := r.memory()
			fmt.Fprintf(&b, "| %s | MiB, the highest that there was | %.0f | at most %s | %s | %s | - |\n", c.work, c.value(), limit(c.floor), limit(c.aim), c.verdict())
		}
		b.WriteString("\nThe last column is the ratio that there would be if processors, those of the load generator included, were all that there is to wait for.\n")
		b.WriteString("\nOf each side, medians of all rounds; times on processors are microseconds of one request:\n\n")
		sidesTable(&b, "work", func(row func(string, []string, rounds)) {
			for _, c := range r.comparisons {
				row(c.work, c.names, c.rounds)
			}
		})
	}
	if len(r.contests) > 0 {
		b.WriteString("\n## Next to what one might use instead\n\nThe same work in the same run. Flask is with gunicorn (two workers a core and one more, of four threads), PostgreSQL and Redis; PocketBase is with its embedded SQLite, whose commits do not wait for the disk as PostgreSQL's do.\n\n")
		fmt.Fprintf(&b, "Versions: %s\n\n", r.peers)
		sidesTable(&b, "work", func(row func(string, []string, rounds)) {
			for _, c := range r.contests {
				row(c.work, c.names, c.rounds)
			}
		})
		b.WriteString("\n")
		for _, c := range r.contests {
			for i := 1; i < len(c.names)-1; i++ {
				fmt.Fprintf(&b, "- %s: Templar does %.1f times as many a second as %s, for %.2f times the time on processors of each; %s is %.1f times slower than bare Echo.\n",
					c.work, c.share(0, i), c.names[i], 1/c.thrift(0, i), c.names[i], c.share(len(c.names)-1, i))
			}
		}
	}
	if len(r.curves) > 0 {
		b.WriteString("\n## How cost grows\n\nThe pictures show the time on processors of one request, of all that serve it.\n")
		for _, c := range r.curves {
			fmt.Fprintf(&b, "\n### %s\n\n", strings.ToUpper(c.title[:1])+c.title[1:])
			if c.remark != "" {
				b.WriteString(c.remark + "\n\n")
			}
			fmt.Fprintf(&b, "![%s](%s.svg)\n\n", c.title, c.name)
			sidesTable(&b, c.x, func(row func(string, []string, rounds)) {
				for _, p := range c.points {
					row(p.label, c.series, p.rounds)
				}
			})
		}
	}
	return b.String()
}

// share is how many times as many requests a second one side of a contest does as another.
func (c contest) share(one, other int) float64 {
	return c.rounds.median(func(round []shot) float64 { return round[one].PerSecond() / round[other].PerSecond() })
}

// thrift is how many times less time on processors a request of one side takes than one of another.
func (c contest) thrift(one, other int) float64 {
	return c.rounds.median(func(round []shot) float64 { return float64(round[other].total()) / float64(round[one].total()) })
}

// sidesTable writes a line for each side of each row.
func sidesTable(b *strings.Builder, what string, rows func(row func(label string, names []string, r rounds))) {
	fmt.Fprintf(b, "| %s | side | requests/s | p50 ms | p99 ms | server | Redis | PostgreSQL | generator | memory MiB |\n|%s\n", what, strings.Repeat(" --- |", 10))
	rows(func(label string, names []string, r rounds) {
		for i, name := range names {
			of := func(f func(shot) float64) float64 { return r.median(func(round []shot) float64 { return f(round[i]) }) }
			p99, pss := "-", "-" // pgbench has neither
			if v := of(func(s shot) float64 { return ms(s.P99) }); v > 0 {
				p99 = fmt.Sprintf("%.2f", v)
			}
			if v := of(func(s shot) float64 { return mib(s.Memory.PSS) }); v > 0 {
				pss = fmt.Sprintf("%.0f", v)
			}
			fmt.Fprintf(b, "| %s | %s | %.0f | %.2f | %s | %.1f | %.1f | %.1f | %.1f | %s |\n", label, name, of(func(s shot) float64 { return s.PerSecond() }),
				of(func(s shot) float64 { return ms(s.Median) }), p99, of(func(s shot) float64 { return us(s.Server) }), of(func(s shot) float64 { return us(s.Redis) }),
				of(func(s shot) float64 { return us(s.Postgres) }), of(func(s shot) float64 { return us(s.generator()) }), pss)
		}
	})
}

// memory is the last line of the table.
func (r report) memory() comparison {
	return comparison{work: "memory of the server under that load", floor: 64, aim: 40, lessIsGood: true,
		rounds: rounds{{shot{}}}, ratio: func([]shot) float64 { return mib(r.peak) }}
}

func (c comparison) bar(format string) chart.Bar {
	return chart.Bar{Label: c.work, Value: c.value(), Text: fmt.Sprintf(format, c.value()), Floor: c.floor, Aim: c.aim, Good: c.kept()}
}

// picture draws the ratios.
func (r report) picture() string {
	more := chart.Group{Title: "Requests a second as a share of the yardstick's: longer is better"}
	less := chart.Group{Title: "Times as much: shorter is better"}
	for _, c := range r.comparisons {
		if c.lessIsGood {
			less.Bars = append(less.Bars, c.bar("%.2f"))
		} else {
			more.Bars = append(more.Bars, c.bar("%.2f"))
		}
	}
	groups := []chart.Group{more, less}
	if r.peak > 0 {
		groups = append(groups, chart.Group{Title: "MiB: shorter is better", Bars: []chart.Bar{r.memory().bar("%.0f")}})
	}
	for _, c := range r.contests {
		g := chart.Group{Title: c.work + ", requests a second as a share of bare Echo's"}
		last := len(c.names) - 1
		for i, name := range c.names[:last] {
			g.Bars = append(g.Bars, chart.Bar{Label: name, Value: c.share(i, last), Text: fmt.Sprintf("%.3f", c.share(i, last))})
		}
		groups = append(groups, g)
	}
	var drawn []chart.Group
	for _, g := range groups {
		if len(g.Bars) > 0 {
			drawn = append(drawn, g)
		}
	}
	return chart.Bars("Templar next to its yardsticks", drawn)
}

func (c curve) picture() string {
	lines := make([]chart.Line, len(c.series))
	var xs []float64
	var labels []string
	for _, p := range c.points {
		xs, labels = append(xs, p.x), append(labels, p.label)
		for i := range lines {
			lines[i].Label = c.series[i]
			lines[i].Values = append(lines[i].Values, p.rounds.median(func(round []shot) float64 { return us(round[i].total()) }))
		}
	}
	return chart.Lines(strings.ToUpper(c.title[:1])+c.title[1:], c.x, "microseconds of a request", xs, labels, lines)
}
