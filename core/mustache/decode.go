package mustache

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"bitbucket.org/templar/templar/core/jsonstring"
)

// decoder turns a JSON text (RFC 8259) into data.
type decoder struct {
	src     string
	pos     int
	depth   int
	values  []datum
	decoded []byte
	tables  [][]uint32
}

// ParseData decodes one JSON value of any type. Strict in what RFC 8259 leaves
// open: a duplicate key, invalid UTF-8, a lone surrogate, data after the value
// and nesting deeper than MaxDataDepth are errors. An error is a *DataError.
// The bytes are copied, the caller may reuse them.
func ParseData(text []byte) (Value, error) {
	if uint64(len(text)) > math.MaxInt32 {
		return Value{}, &DataError{Problem: "data of 2 GiB or more"}
	}
	// No text holds more values than this; brackets and commas inside of strings
	// must not make a huge slice, so the guess has a ceiling.
	guess := 2 + bytes.Count(text, comma) + bytes.Count(text, colon) + bytes.Count(text, brace) + bytes.Count(text, bracket)
	d := decoder{src: string(text), values: make([]datum, 0, min(guess, len(text)/6+16))}
	if err := d.value(); err != nil {
		return Value{}, err
	}
	d.space()
	if d.pos < len(d.src) {
		return Value{}, d.fail("data after the value")
	}
	return Value{data: &data{src: d.src, decoded: string(d.decoded), values: d.values, tables: d.tables}}, nil
}

var comma, colon, brace, bracket = []byte(","), []byte(":"), []byte("{"), []byte("[")

func (d *decoder) fail(problem string) error { return &DataError{Offset: d.pos, Problem: problem} }

func (d *decoder) space() {
	for d.pos < len(d.src) {
		switch d.src[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// peek returns the next byte after white space, 0 at the end.
func (d *decoder) peek() byte {
	d.space()
	if d.pos == len(d.src) {
		return 0
	}
	return d.src[d.pos]
}

// add appends a datum that holds nothing.
func (d *decoder) add(k valueKind, off, size int) {
	d.values = append(d.values, datum{kind: k, off: uint32(off), size: uint32(size), end: uint32(len(d.values) + 1)})
}

func (d *decoder) value() error {
	switch c := d.peek(); c {
	case '{':
		return d.object()
	case '[':
		return d.array()
	case '"':
		return d.str()
	case 'n':
		return d.word("null", valueNull)
	case 't':
		return d.word("true", valueTrue)
	case 'f':
		return d.word("false", valueFalse)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return d.number()
	default:
		if d.pos == len(d.src) {
			return d.fail("a value is missing at the end")
		}
		return d.fail("no value starts here")
	}
}

func (d *decoder) word(w string, k valueKind) error {
	if !strings.HasPrefix(d.src[d.pos:], w) {
		return d.fail("no value starts here")
	}
	d.add(k, d.pos, len(w))
	d.pos += len(w)
	return nil
}

// digits reads a run of digits and reports whether there was one.
func (d *decoder) digits() bool {
	start := d.pos
	for d.pos < len(d.src) && d.src[d.pos]-'0' < 10 {
		d.pos++
	}
	return d.pos > start
}

func (d *decoder) number() error {
	start := d.pos
	if d.src[d.pos] == '-' {
		d.pos++
	}
	zero := d.pos < len(d.src) && d.src[d.pos] == '0'
	first := d.pos
	if !d.digits() || zero && d.pos > first+1 {
		return d.fail("a malformed number")
	}
	if d.pos < len(d.src) && d.src[d.pos] == '.' {
		d.pos++
		if !d.digits() {
			return d.fail("a malformed number")
		}
	}
	if d.pos < len(d.src) && d.src[d.pos]|0x20 == 'e' {
		d.pos++
		if d.pos < len(d.src) && (d.src[d.pos] == '+' || d.src[d.pos] == '-') {
			d.pos++
		}
		if !d.digits() {
			return d.fail("a malformed number")
		}
	}
	d.add(valueNumber, start, d.pos-start)
	return nil
}

func (d *decoder) enter() error {
	if d.depth == MaxDataDepth {
		return d.fail(fmt.Sprintf("nested deeper than %d", MaxDataDepth))
	}
	d.depth++
	return nil
}

func (d *decoder) array() error {
	if err := d.enter(); err != nil {
		return err
	}
	self := len(d.values)
	d.add(valueArray, d.pos, 0)
	d.pos++
	count := uint32(0)
	for c := d.peek(); c != ']' || count > 0; count++ {
		if err := d.value(); err != nil {
			return err
		}
		if c = d.peek(); c == ']' {
			count++
			break
		}
		if c != ',' {
			return d.fail("neither “,” nor “]” after an element of a list")
		}
		d.pos++
	}
	d.pos++
	d.depth--
	d.values[self].size, d.values[self].end = count, uint32(len(d.values))
	return nil
}

func (d *decoder) object() error {
	if err := d.enter(); err != nil {
		return err
	}
	self := uint32(len(d.values))
	d.add(valueObject, 0, 0)
	d.pos++
	count := uint32(0)
	for c := d.peek(); c != '}' || count > 0; count++ {
		if c = d.peek(); c != '"' {
			return d.fail("no key where an object needs one")
		}
		if err := d.str(); err != nil {
			return err
		}
		if d.peek() != ':' {
			return d.fail("no “:” after a key")
		}
		d.pos++
		if err := d.value(); err != nil {
			return err
		}
		if c = d.peek(); c == '}' {
			count++
			break
		}
		if c != ',' {
			return d.fail("neither “,” nor “}” after a member of an object")
		}
		d.pos++
	}
	d.pos++
	d.depth--
	d.values[self].size, d.values[self].end = count, uint32(len(d.values))
	return d.index(self)
}

// index refuses duplicate keys and gives a large object its table.
func (d *decoder) index(self uint32) error {
	o := &d.values[self]
	if o.size <= maxLinear {
		for a := self + 1; a < o.end; a = d.values[a+1].end {
			for b := self + 1; b < a; b = d.values[b+1].end {
				if d.values[a].size == d.values[b].size && d.key(a) == d.key(b) {
					return d.fail("the key " + quote(d.key(a)) + " stands twice in an object")
				}
			}
		}
		return nil
	}
	length := uint32(64)
	for length < 2*o.size {
		length *= 2
	}
	table := make([]uint32, length)
	for k := self + 1; k < o.end; k = d.values[k+1].end {
		key := d.key(k)
		slot := tableSlot(key, length-1)
		for ; table[slot] != 0; slot = (slot + 1) & (length - 1) {
			if d.key(table[slot]) == key {
				return d.fail("the key " + quote(key) + " stands twice in an object")
			}
		}
		table[slot] = k
	}
	d.tables = append(d.tables, table)
	o.off = uint32(len(d.tables))
	return nil
}

// key returns the text of the key at i while decoding goes on.
func (d *decoder) key(i uint32) string {
	v := &d.values[i]
	if v.kind == valueDecoded {
		return string(d.decoded[v.off : v.off+v.size])
	}
	return d.src[v.off : v.off+v.size]
}

// str reads a string.
func (d *decoder) str() error {
	d.pos++
	start, ascii := d.pos, true
	for ; d.pos < len(d.src); d.pos++ {
		if d.pos += jsonstring.Plain(d.src[d.pos:]); d.pos == len(d.src) {
			break
		}
		switch c := d.src[d.pos]; {
		case c == '"':
			if !ascii && !utf8.ValidString(d.src[start:d.pos]) {
				return d.fail("invalid UTF-8 in a string")
			}
			d.add(valueString, start, d.pos-start)
			d.pos++
			return nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return d.fail("a control character in a string")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return d.fail("a string without an end")
}

// escaped reads on in a string that started at start and has its first escape
// at pos.
func (d *decoder) escaped(start int) error {
	if d.decoded == nil {
		// What is decoded is never longer than what stood there.
		d.decoded = make([]byte, 0, min(len(d.src)-start, 4096))
	}
	from := len(d.decoded)
	d.decoded = append(d.decoded, d.src[start:d.pos]...)
	for d.pos < len(d.src) {
		c := d.src[d.pos]
		switch {
		case c == '"':
			if !utf8.Valid(d.decoded[from:]) {
				return d.fail("invalid UTF-8 in a string")
			}
			d.add(valueDecoded, from, len(d.decoded)-from)
			d.pos++
			return nil
		case c < ' ':
			return d.fail("a control character in a string")
		case c != '\\':
			run := max(1, jsonstring.Plain(d.src[d.pos:]))
			d.decoded = append(d.decoded, d.src[d.pos:d.pos+run]...)
			d.pos += run
		default:
			if err := d.escape(); err != nil {
				return err
			}
		}
	}
	return d.fail("a string without an end")
}

// unescape tells what a letter after a backslash stands for.
var unescape = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape decodes the escape at pos.
func (d *decoder) escape() error {
	if d.pos+1 == len(d.src) {
		return d.fail("a string without an end")
	}
	c := d.src[d.pos+1]
	if c != 'u' {
		if unescape[c] == 0 {
			return d.fail("an unknown escape in a string")
		}
		d.decoded = append(d.decoded, unescape[c])
		d.pos += 2
		return nil
	}
	r, ok := d.hex(d.pos)
	if !ok {
		return d.fail("a malformed \\u escape in a string")
	}
	d.pos += 6
	if utf16.IsSurrogate(r) {
		low, _ := d.hex(d.pos)
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			d.pos -= 6
			return d.fail("a lone surrogate in a string")
		}
		d.pos += 6
	}
	d.decoded = utf8.AppendRune(d.decoded, r)
	return nil
}

// hex reads the \uXXXX at i.
func (d *decoder) hex(i int) (rune, bool) {
	if i+6 > len(d.src) || d.src[i] != '\\' || d.src[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(d.src[i+2 : i+6]) {
		switch {
		case c-'0' < 10:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
