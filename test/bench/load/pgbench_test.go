package load

import (
	"strings"
	"testing"
)

const told = `pgbench (15.18)
number of transactions actually processed: 12000
number of failed transactions: 0 (0.000%)
latency average = 2.500 ms
initial connection time = 100.000 ms
tps = 4000.000000 (without initial connection time)
`

func TestReadPgbench(t *testing.T) {
	r, err := readPgbench([]byte(told))
	if err != nil || r.Done != 12000 || r.PerSecond() != 4000 || r.Median.Microseconds() != 2500 {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, change := range [][2]string{{"failed transactions: 0", "failed transactions: 3"}, {"processed: 12000", "processed: 0"}, {"tps", "speed"}} {
		if r, err := readPgbench([]byte(strings.Replace(told, change[0], change[1], 1))); err == nil {
			t.Errorf("with %q it is %+v", change[1], r)
		}
	}
}
