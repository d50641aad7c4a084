package page_test

import (
	"strings"
	"testing"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
)

func TestCursors(t *testing.T) {
	s := page.NewSealer("key")
	for _, position := range []string{"", "x", strings.Repeat("long", 200)} {
		cursor := s.Seal("list a", []byte(position))
		got, err := page.NewSealer("key").Open("list a", cursor)
		if err != nil || string(got) != position {
			t.Errorf("%q comes back as %q, %v", position, got, err)
		}
		if _, err := s.Open("list b", cursor); !fault.Is(err, fault.Malformed) {
			t.Errorf("the cursor opens another list: %v", err)
		}
		if _, err := page.NewSealer("other key").Open("list a", cursor); !fault.Is(err, fault.Malformed) {
			t.Errorf("the cursor opens under another key: %v", err)
		}
		for i := range cursor {
			for _, c := range []byte("Az0_") {
				if bent := cursor[:i] + string(c) + cursor[i+1:]; bent != cursor {
					if _, err := s.Open("list a", bent); !fault.Is(err, fault.Malformed) {
						t.Fatalf("a cursor changed at %d opens", i)
					}
				}
			}
		}
	}
	for _, junk := range []string{"", "A", "!!!!", strings.Repeat("A", 100_000)} {
		if _, err := s.Open("list a", junk); !fault.Is(err, fault.Malformed) {
			t.Errorf("%.10q opens: %v", junk, err)
		}
	}
}

func TestLimit(t *testing.T) {
	number := func(n int) *int { return &n }
	for _, c := range []struct {
		asked *int
		want  int
	}{{nil, 20}, {number(1), 1}, {number(100), 100}, {number(0), 0}, {number(101), 0}, {number(-1), 0}} {
		got, err := page.Limit(c.asked)
		if got != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%v: %d, %v", c.asked, got, err)
		}
	}
}
