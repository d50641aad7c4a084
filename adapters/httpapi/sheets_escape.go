package httpapi

import (
	"strings"
	"unicode"
)

// plainText leaves out what a player may have typed that is no text: control characters, ends of lines and paragraphs,
// and characters that turn the direction of what follows. Those that join letters and emoji stay.
func plainText(typed string) string {
	return strings.Map(func(r rune) rune {
		turns := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c
		if unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || turns {
			return -1
		}
		return r
	}, typed)
}

// markdownText writes what a player typed so that Markdown (CommonMark) shows it as it is, wherever in a line it stands:
// what marks spans gets a backslash, what HTML is made of its entity, and so does what begins a block where it stands
// first.
func markdownText(typed string) string {
	typed = strings.TrimSpace(plainText(typed))
	var b strings.Builder
	digits := true // nothing but digits so far
	for i, r := range typed {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_[]|~#{}", r),
			i == 0 && strings.ContainsRune("-+=:", r),
			i > 0 && digits && (r == '.' || r == ')'):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		digits = digits && r >= '0' && r <= '9'
	}
	return b.String()
}
