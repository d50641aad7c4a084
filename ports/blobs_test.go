package ports_test

import (
	"testing"
	"time"

	"bitbucket.org/templar/templar/ports"
)

func TestDatedName(t *testing.T) {
	east := time.FixedZone("east", 5*3600+1800)
	for _, c := range []struct {
		prefix string
		at     time.Time
		want   string
	}{
		{"templates-", time.Date(2026, 11, 22, 2, 29, 0, 999, time.UTC), "templates-20261122T022900Z.ndjson"},
		{"", time.Date(2026, 11, 22, 2, 29, 0, 0, east), "20261121T205900Z.ndjson"},
		{"20060102", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "2006010200010101T000000Z.ndjson"},
	} {
		got := ports.DatedName(c.prefix, c.at)
		if got != c.want {
			t.Errorf("DatedName(%q, %v): want %q, got %q", c.prefix, c.at, c.want, got)
		}
		if !ports.IsDatedName(c.prefix, got) {
			t.Errorf("IsDatedName(%q, %q): want true", c.prefix, got)
		}
		if ports.IsDatedName(c.prefix+"x", got) || ports.IsDatedName(c.prefix, got+"x") || ports.IsDatedName(c.prefix, "x"+got) {
			t.Errorf("%q counts for others", got)
		}
	}
	for _, name := range []string{"20261322T022900Z.ndjson", "20261122T022900.ndjson", "20261122t022900z.ndjson", "20261122T022960Z.ndjson",
		"20261122T022900.5Z.ndjson", "20261122T022900,5Z.ndjson", ".ndjson", ""} {
		if ports.IsDatedName("", name) {
			t.Errorf("IsDatedName(%q): want false", name)
		}
	}
}
