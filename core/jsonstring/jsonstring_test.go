package jsonstring_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bitbucket.org/templar/templar/core/jsonstring"
)

// plainByByte is what Plain should count, one byte after the other.
func plainByByte(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return i
		}
	}
	return len(s)
}

func FuzzPlain(f *testing.F) {
	for at := range 20 {
		for c := range 256 {
			text := []byte(strings.Repeat("a!]#[~ ", 3))
			text[at] = byte(c)
			f.Add(string(text))
			text[(at+1)%len(text)] = '!' // one above the quote: the borrow of a subtraction
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := jsonstring.Plain(s), plainByByte(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
		if got, want := jsonstring.Plain([]byte(s)), plainByByte(s); got != want {
			t.Errorf("%q as bytes: %d, want %d", s, got, want)
		}
	})
}

func FuzzAppendQuoted(f *testing.F) {
	for c := range 256 {
		f.Add("before the byte " + string([]byte{byte(c)}) + " and behind it")
	}
	for _, s := range []string{"", "\"", "\\", "grüße, 世界 🌍", "\xf0\x9f\x8c", "a\xff\xfeb", "\u2028\u2029", "</script>", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := jsonstring.AppendQuoted([]byte("x"), s)
		if same := jsonstring.AppendQuoted([]byte("x"), []byte(s)); string(same) != string(quoted) {
			t.Errorf("%q: %s as bytes, %s as a string", s, same, quoted)
		}
		var back string
		if err := json.Unmarshal(quoted[1:], &back); err != nil {
			t.Fatalf("%q: %s: %v", s, quoted, err)
		}
		if want := strings.ToValidUTF8(s, "\x00"); utf8.ValidString(s) && back != s || !utf8.ValidString(s) && !utf8.ValidString(want) {
			t.Errorf("%q: came back as %q from %s", s, back, quoted)
		}
		if want := string([]rune(s)); back != want {
			t.Errorf("%q: came back as %q, want %q", s, back, want)
		}
	})
}

func TestAppendTime(t *testing.T) {
	east := time.FixedZone("", 5*3600)
	for _, at := range []time.Time{
		time.Unix(0, 0), time.Date(2026, 11, 22, 2, 29, 0, 123_456_789, time.UTC), time.Date(2024, 2, 29, 23, 59, 59, 999_999_999, east),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 1000, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-3, 4, 5, 6, 7, 8, 9, time.UTC), time.Date(10, 10, 10, 10, 10, 10, 10_000_000, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 5000, time.UTC),
	} {
		if got, want := string(jsonstring.AppendTime([]byte("x"), at)), at.UTC().Format(`x"2006-01-02T15:04:05.000000Z"`); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestAppendSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "x0", 1: "x0.000000001", 10: "x0.00000001", 123_456: "x0.000123456", time.Millisecond: "x0.001", 1_500 * time.Millisecond: "x1.5",
		time.Second: "x1", 10 * time.Second: "x10", time.Hour + 1: "x3600.000000001", 999_999_999: "x0.999999999", -time.Second: "x-1",
	} {
		if got := string(jsonstring.AppendSeconds([]byte("x"), d)); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func BenchmarkAppendTime(b *testing.B) {
	at := time.Date(2026, 11, 22, 2, 29, 0, 123_456_789, time.UTC)
	var dst []byte
	for b.Loop() {
		dst = jsonstring.AppendTime(dst[:0], at)
	}
}

var texts = map[string]string{
	"short":   "value number 7 of O'Neill & Sons",
	"mail":    strings.Repeat("Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam <br>\n<p>value number of O&#39;Neill</p>\n", 20),
	"umlauts": strings.Repeat("Der Überblick über größere Häuser in Köln. ", 40),
}

func BenchmarkAppendQuoted(b *testing.B) {
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			dst := make([]byte, 0, 2*len(text))
			for b.Loop() {
				dst = jsonstring.AppendQuoted(dst[:0], text)
			}
		})
	}
}
