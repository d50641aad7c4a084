package bench

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// side is one of those that are compared.
type side struct {
	name string
	// run measures for so many seconds.
	run func(seconds int) (shot, error)
}

// rounds are the measurements of all sides, alternating: rounds[i][j] is that of side j in round i.
type rounds [][]shot

// alternate measures each side in turn, n times, every second time in the opposite order, so that whatever the machine
// does meanwhile meets all sides alike. A second of each comes before, which does not count.
func alternate(tb testing.TB, work string, n, seconds int, sides ...side) rounds {
	tb.Helper()
	for _, s := range sides {
		if _, err := s.run(1); err != nil {
			tb.Fatalf("%s: %s: %v", work, s.name, err)
		}
	}
	all := make(rounds, n)
	for i := range all {
		all[i] = make([]shot, len(sides))
		order := make([]int, len(sides))
		for j := range order {
			order[j] = j
		}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, j := range order {
			s, err := sides[j].run(seconds)
			if err != nil {
				tb.Fatalf("%s: %s: %v", work, sides[j].name, err)
			}
			all[i][j] = s
			progress("%s %d/%d %-12s %8.0f/s p50 %6.2f p99 %6.2f ms, us/request: server %6.1f redis %5.1f postgres %6.1f generator %5.1f", work, i+1, n, sides[j].name,
				s.PerSecond(), ms(s.Median), ms(s.P99), us(s.Server), us(s.Redis), us(s.Postgres), us(s.generator()))
		}
	}
	return all
}

// progress tells what goes on.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// median of what f makes of each round.
func (r rounds) median(f func(round []shot) float64) float64 {
	values := make([]float64, len(r))
	for i, round := range r {
		values[i] = f(round)
	}
	return medianOf(values)
}

func medianOf(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// throughput is the requests a second of the first side as a share of the yardstick: the rate at which one would do
// the work of all the others one after the other.
func throughput(round []shot) float64 {
	var each float64
	for _, s := range round[1:] {
		each += 1 / s.PerSecond()
	}
	return round[0].PerSecond() * each
}

// cost is the time on processors of a request of the first side, of all that serve it, as a multiple of the others'.
func cost(round []shot) float64 {
	var others time.Duration
	for _, s := range round[1:] {
		others += s.total()
	}
	return float64(round[0].total()) / float64(others)
}

// processors is how much of the yardstick's work the first side does for the same time on processors, those of the
// load generator included: what throughput would be if processors were all that there is to wait for.
func processors(round []shot) float64 {
	var others time.Duration
	for _, s := range round[1:] {
		others += s.total() + s.generator()
	}
	return float64(others) / float64(round[0].total()+round[0].generator())
}

// total is the time on processors of a request of all that serve it.
func (s shot) total() time.Duration { return s.Server + s.Redis + s.Postgres }
