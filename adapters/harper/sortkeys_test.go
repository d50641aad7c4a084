package harper

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
)

// TestKeysSortAsPositionsDo compares keys with what the core says of the order.
func TestKeysSortAsPositionsDo(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draw := func(label string) template.Template {
			id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, label+" id"))
			runes := rapid.SliceOfN(rapid.RuneFrom([]rune{' ', 'a', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '\U00010000', '\U0010ffff'}), 0, 100)
			when := time.UnixMicro(rapid.Int64Range(-1<<50, 1<<52).Draw(r, label+" time")).UTC()
			return template.Template{ID: id, Name: string(runes.Draw(r, label+" name")), Created: when}
		}
		a, b := draw("a"), draw("b")
		if rapid.Bool().Draw(r, "same") {
			b.Name, b.Created = a.Name, a.Created
		}
		for _, by := range []template.SortKey{template.ByName, template.ByCreated} {
			sort := template.Sort{Key: by}
			x, y := template.PositionOf(a, sort), template.PositionOf(b, sort)
			if got, want := strings.Compare(positionKey(x, by), positionKey(y, by)), x.Compare(y); got != want {
				r.Fatalf("%s: want %d, got %d", by, want, got)
			}
		}
	})
}

func TestAfter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune{'a', '\ud7ff', '\ue000', '\uffff', '\U0010ffff'}), 0, 5, -1)
		prefix, other := text.Draw(r, "prefix"), text.Draw(r, "other")
		bound := page.AfterPrefix(prefix)
		behind := bound != "" && other >= bound
		if want := other > prefix && !strings.HasPrefix(other, prefix); behind != want {
			r.Fatalf("after(%q) = %q; %q behind it: %t", prefix, bound, other, behind)
		}
	})
}

func TestCutName(t *testing.T) {
	for _, c := range []struct {
		name string
		want int // code points
	}{{"", 0}, {strings.Repeat("é", 300), 200}, {strings.Repeat("\U0001F9D9", 300), 100}, {"a" + strings.Repeat("\U0001F9D9", 300), 100}} {
		if got := len([]rune(cutName(c.name))); got != c.want {
			t.Errorf("cutName of %d bytes: want %d, got %d", len(c.name), c.want, got)
		}
	}
}
