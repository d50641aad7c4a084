package mustache

import "strings"

// Escape is how values are escaped.
type Escape uint8

const (
	// EscapeHTML replaces & < > " ' by &amp; &lt; &gt; &quot; &#39;.
	EscapeHTML Escape = iota
	// EscapeNone prints every value as it is.
	EscapeNone
)

// entities holds what HTML escaping replaces, by byte.
var entities = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;", '\'': "&#39;"}

// special marks the bytes that have an entity; a table of bytes stays in the
// cache where one of strings does not.
var special = [256]bool{'&': true, '<': true, '>': true, '"': true, '\'': true}

// appendEscaped appends s with HTML escaping.
func appendEscaped(dst []byte, s string) []byte {
	last := 0
	for i := 0; i < len(s); i++ {
		if !special[s[i]] {
			continue
		}
		dst = append(dst, s[last:i]...)
		dst = append(dst, entities[s[i]]...)
		last = i + 1
	}
	return append(dst, s[last:]...)
}

// escapeChunk is how much of a value is escaped between two looks at the bound
// of the output.
const escapeChunk = 16 << 10

// write appends s, if the bound of the output allows it.
func (r *renderer) write(s string) bool {
	if len(s) > r.maxLen-len(r.out) {
		return r.limit(LimitOutput, r.opts.MaxBytes, "")
	}
	r.out = append(r.out, s...)
	return true
}

// writeBytes is write for bytes.
func (r *renderer) writeBytes(s []byte) bool {
	if len(s) > r.maxLen-len(r.out) {
		return r.limit(LimitOutput, r.opts.MaxBytes, "")
	}
	r.out = append(r.out, s...)
	return true
}

// writeEscaped is write with HTML escaping.
func (r *renderer) writeEscaped(s string) bool {
	for len(s) > escapeChunk {
		if len(r.out) > r.maxLen {
			return r.limit(LimitOutput, r.opts.MaxBytes, "")
		}
		r.out = appendEscaped(r.out, s[:escapeChunk])
		s = s[escapeChunk:]
	}
	if len(s) > r.maxLen-len(r.out) {
		return r.limit(LimitOutput, r.opts.MaxBytes, "")
	}
	if r.out = appendEscaped(r.out, s); len(r.out) > r.maxLen {
		return r.limit(LimitOutput, r.opts.MaxBytes, "")
	}
	return true
}

// writeIndented is write with the indentation before each line that starts in s
// and is not empty; lineStart tells whether s itself starts one.
func (r *renderer) writeIndented(s string, indent []byte, lineStart bool) bool {
	for {
		line, rest := s, ""
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			line, rest = s[:i+1], s[i+1:]
		}
		if lineStart && line != "\n" && line != "\r\n" && !r.writeBytes(indent) {
			return false
		}
		if !r.write(line) {
			return false
		}
		if rest == "" {
			return true
		}
		s, lineStart = rest, true
	}
}
