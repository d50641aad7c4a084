package bench

import "testing"

// TestGuard looks whether the program has become much slower, next to the same yardsticks as the report. Floors and
// aims are of a machine that does nothing else; here half a floor is enough, of the time on processors, which other
// tests on the same machine change the least.
func TestGuard(t *testing.T) {
	b := newBench(t, 3, 1, 2000)
	b.clients = 8 // to open many connections would be most of what pgbench does in a second
	for _, c := range []comparison{b.cached("", hashKey), b.uncached(), b.create(), b.page()} {
		share := c.rounds.median(processors)
		t.Logf("%s: %.2f of its yardstick by time on processors, %.2f by requests a second", c.work, share, c.value())
		if share < c.floor/2 {
			t.Errorf("%s does %.2f of its yardstick, %s, for the same time on processors; less than %.2f is too little", c.work, share, c.against, c.floor/2)
		}
	}
}
