// Package jsonstring reads and writes strings of JSON texts (RFC 8259, 7) eight bytes at a time: they are most of what the
// service takes in and sends out.
package jsonstring

import (
	"math/bits"
	"strconv"
	"time"
	"unicode/utf8"
)

// Plain counts the bytes at the start of s that stand for themselves in a JSON string: all of ASCII but control
// characters, the quote and the backslash.
func Plain[T ~string | ~[]byte](s T) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, backslash := x^ones*'"', x^ones*'\\'
		// A subtraction borrows from the bytes behind it only where it found something: up to there the high bits are right.
		if special := (x | (x - ones*' ') | (quote - ones) | (backslash - ones)) & highs; special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for i < len(s) && plain[s[i]] {
		i++
	}
	return i
}

// plain tells which bytes Plain counts.
var plain = func() (is [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// AppendQuoted appends s as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD.
func AppendQuoted[T ~string | ~[]byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for {
		n := Plain(s)
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return append(dst, '"')
		}
		s = s[n:]
		switch c := s[0]; {
		case c == '"', c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst, s = appendRunes(dst, s)
			continue
		}
		s = s[1:]
	}
}

// appendRunes appends what s begins with beyond ASCII, and gives the rest.
func appendRunes[T ~string | ~[]byte](dst []byte, s T) ([]byte, T) {
	for len(s) > 0 && s[0] >= utf8.RuneSelf {
		r, size := utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
		dst = utf8.AppendRune(dst, r)
		s = s[size:]
	}
	return dst, s
}

// AppendSeconds appends a duration that is not negative as a number of seconds, without an exponent and without zeros that
// say nothing.
func AppendSeconds(dst []byte, d time.Duration) []byte {
	dst = strconv.AppendInt(dst, int64(d/time.Second), 10)
	rest := d % time.Second
	if rest > 0 {
		dst = append(dst, '.')
	}
	for unit := time.Second / 10; rest > 0; unit /= 10 {
		dst = append(dst, '0'+byte(rest/unit))
		rest %= unit
	}
	return dst
}

// AppendTime appends a time as RFC 3339 has it, in UTC and with microseconds, as a JSON string with its quotes. Years beyond
// 9999 have no such form.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, `"2006-01-02T15:04:05.000000Z"`)
	}
	const form = `"0000-00-00T00:00:00.000000Z"`
	at := len(dst)
	dst = append(dst, form...)
	text := dst[at:]
	write := func(end, number int) { // the digits before end
		for ; number > 0; number /= 10 {
			end--
			text[end] += byte(number % 10)
		}
	}
	write(5, year)
	write(8, int(month))
	write(11, day)
	write(14, hour)
	write(17, minute)
	write(20, second)
	write(27, t.Nanosecond()/1000)
	return dst
}
