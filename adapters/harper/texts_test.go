package harper

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"bitbucket.org/templar/templar/core/template"
)

func TestTextsComeBack(t *testing.T) {
	for _, plain := range []string{"", "a", packedMark, packedMark + "YQ==", strings.Repeat("a", 1000), strings.Repeat("é", 128), strings.Repeat("é", 129), "<&>\u2028\x01\"\\"} {
		body, err := json.Marshal(text(plain))
		if err != nil {
			t.Fatal(err)
		}
		var back text
		if err := json.Unmarshal(body, &back); err != nil || string(back) != plain {
			t.Errorf("%.20q: got %.20q, %v", plain, back, err)
		}
		if ascii := !strings.ContainsFunc(string(body), func(r rune) bool { return r > 0x7f }); len(plain) > mostPlain && !ascii {
			t.Errorf("%.20q of %d bytes is written as it is", plain, len(plain))
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		plain := rapid.String().Draw(r, "plain")
		body, _ := json.Marshal(text(plain))
		var back text
		if err := json.Unmarshal(body, &back); err != nil || string(back) != strings.ToValidUTF8(plain, "\ufffd") {
			r.Fatalf("%q: got %q, %v", plain, back, err)
		}
	})
	var back text
	if json.Unmarshal([]byte(`null`), &back) != nil || back != "" {
		t.Error("null is not empty")
	}
	if json.Unmarshal([]byte(`"`+"\\u0001base64:"+`%"`), &back) == nil {
		t.Error("broken base64 was read")
	}
}

// TestLargeRowsAreNotMangled keeps rows of the kind that Harper mangles.
func TestLargeRowsAreNotMangled(t *testing.T) {
	store := open(t).Templates()
	for _, one := range []string{"é", "中", "\U0001F9D9"} {
		for _, size := range []int{20_000, 40_000, 70_000} {
			a := sample()
			a.ID = uuid.New()
			a.Name, a.Description, a.Content, a.Author = strings.Repeat(one, size/8), strings.Repeat(one, size/4), strings.Repeat(one+" ", size/2), strings.Repeat(one, size/8)
			b := a
			b.Revision, b.Content = 2, a.Content+"!"
			if err := store.Create(t.Context(), a, nil); err != nil {
				t.Fatal(err)
			}
			if err := store.Replace(t.Context(), b, 1, &template.Claim{User: a.Author, Key: a.Name, Revision: 2, Expires: a.Created.AddDate(100, 0, 0)}); err != nil {
				t.Fatal(err)
			}
			now, err := store.Get(t.Context(), a.ID)
			if err != nil || now != b {
				t.Errorf("%q, %d: the current revision: %v", one, size, err)
			}
			if old, err := store.Revision(t.Context(), a.ID, 1); err != nil || old != a {
				t.Errorf("%q, %d: the old revision: %v", one, size, err)
			}
		}
	}
}
