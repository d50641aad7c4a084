package scale

import (
	"testing"
	"time"
)

// TestLedgerHasTeeth gives the ledger what a broken service would show.
func TestLedgerHasTeeth(t *testing.T) {
	now := time.Now()
	full := func() *record {
		r := newRecord("id")
		for n, content := range []string{"a", "b", "c"} {
			r.send(content)
			// Two seconds between the writes; the last is two seconds old.
			if err := r.acknowledge(object{"id", content, n + 1}, content, n, now.Add(time.Duration(n-3)*2*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		r.send("in doubt")
		return r
	}
	for name, revisions := range map[string]map[int]string{
		"all":          {1: "a", 2: "b", 3: "c"},
		"one in doubt": {1: "a", 2: "b", 3: "c", 4: "in doubt"},
	} {
		if wrong := full().kept(revisions); wrong != nil {
			t.Errorf("%s: %v", name, wrong)
		}
	}
	for name, revisions := range map[string]map[int]string{
		"nothing":                 {},
		"the last is lost":        {1: "a", 2: "b"},
		"a gap":                   {1: "a", 3: "c"},
		"another in place":        {1: "a", 2: "in doubt", 3: "c"},
		"never written":           {1: "a", 2: "b", 3: "c", 4: "x"},
		"one write, stored twice": {1: "a", 2: "b", 3: "c", 4: "in doubt", 5: "in doubt"},
	} {
		if wrong := full().kept(revisions); wrong == nil {
			t.Errorf("%s: passed", name)
		}
	}
	for name, o := range map[string]object{
		"a revision acknowledged twice": {"id", "in doubt", 3},
		"another content":               {"id", "x", 4},
		"another template":              {"other", "in doubt", 4},
	} {
		if full().acknowledge(o, "in doubt", 0, now) == nil {
			t.Errorf("%s: passed", name)
		}
	}
	strict := bounds{own: 0, others: time.Second}
	for _, c := range []struct {
		what   string
		began  time.Time
		reader int
		b      bounds
		least  int
	}{
		{"another's write, 2 s later", now, 0, strict, 3},
		{"another's write, 1 s later", now.Add(-time.Second), 0, strict, 3},
		{"another's write, half a second later", now.Add(-1500 * time.Millisecond), 0, strict, 2},
		{"its own write, at once", now.Add(-2 * time.Second), 2, strict, 3},
		{"with a wider bound", now, 0, bounds{3 * time.Second, 3 * time.Second}, 2},
		{"before everything", now.Add(-time.Hour), 0, strict, 0},
	} {
		if least := full().least(c.began, c.reader, c.b); least != c.least {
			t.Errorf("%s: revision %d is the least, want %d", c.what, least, c.least)
		}
	}
	for name, o := range map[string]object{
		"too old":    {"id", "b", 2},
		"of another": {"id", "b", 3},
		"of nobody":  {"id", "x", 4},
	} {
		if full().shown(o, 3) == nil {
			t.Errorf("%s: passed", name)
		}
	}
	for _, o := range []object{{"id", "c", 3}, {"id", "in doubt", 4}} {
		if err := full().shown(o, 3); err != nil {
			t.Error(err)
		}
	}
}
