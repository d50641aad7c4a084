package mustache

import "hash/maphash"

// valueKind is the type of a JSON value.
type valueKind uint8

const (
	valueNull valueKind = iota
	valueFalse
	valueTrue
	valueNumber
	// valueString is a string whose text stands in the source as it is.
	valueString
	// valueDecoded is a string that had escapes; its text stands in data.decoded.
	valueDecoded
	valueObject
	valueArray
)

// datum is one value, or one key, of a JSON text. They stand in one slice in
// the order of the text: after an object its keys and values, after a list its
// elements.
type datum struct {
	off  uint32 // start of the text; of an object: its table's number plus one
	size uint32 // length of the text; of an object or a list: how many elements
	end  uint32 // index of the first datum after this one and all it holds
	kind valueKind
}

// data is a decoded JSON text. It is immutable.
type data struct {
	src     string
	decoded string
	values  []datum
	tables  [][]uint32
}

// Value is JSON data to render with. It is immutable and safe for concurrent
// use. The zero Value is null.
type Value struct {
	data *data
	at   uint32 // its place among the data's values
}

// nullData is what the zero Value stands for.
var nullData = &data{values: []datum{{kind: valueNull, end: 1}}}

func (v Value) doc() *data {
	if v.data == nil {
		return nullData
	}
	return v.data
}

// AppendJSON appends the value as compact JSON: keys in their order, numbers as
// they were written, strings with no more escapes than JSON demands.
func (v Value) AppendJSON(dst []byte) []byte {
	return v.doc().appendJSON(dst, v.at)
}

// MaxDataDepth is how deep objects and lists of the data may nest.
const MaxDataDepth = 1000

// maxLinear is the number of keys up to which an object is searched key by key.
const maxLinear = 16

var tableSeed = maphash.MakeSeed()

// text returns the text of a string, a key or a number.
func (d *data) text(i uint32) string {
	v := &d.values[i]
	if v.kind == valueDecoded {
		return d.decoded[v.off : v.off+v.size]
	}
	return d.src[v.off : v.off+v.size]
}

// find returns the value of a key of the object at i.
func (d *data) find(i uint32, key string) (uint32, bool) {
	o := &d.values[i]
	if o.kind != valueObject {
		return 0, false
	}
	if o.off != 0 {
		return d.findInTable(d.tables[o.off-1], key)
	}
	for k := i + 1; k < o.end; k = d.values[k+1].end {
		if d.values[k].size == uint32(len(key)) && d.text(k) == key {
			return k + 1, true
		}
	}
	return 0, false
}

func (d *data) findInTable(table []uint32, key string) (uint32, bool) {
	mask := uint32(len(table) - 1)
	for slot := tableSlot(key, mask); table[slot] != 0; slot = (slot + 1) & mask {
		if k := table[slot]; d.text(k) == key {
			return k + 1, true
		}
	}
	return 0, false
}

func tableSlot(key string, mask uint32) uint32 {
	return uint32(maphash.String(tableSeed, key)) & mask
}

// falsey reports whether a section over the value at i is skipped.
func (d *data) falsey(i uint32) bool {
	v := &d.values[i]
	return v.kind <= valueFalse || v.kind == valueArray && v.size == 0
}

// appendJSON appends the value at i as compact JSON. It recurses at most
// MaxDataDepth deep.
func (d *data) appendJSON(dst []byte, i uint32) []byte {
	v := &d.values[i]
	switch v.kind {
	case valueNull:
		return append(dst, "null"...)
	case valueFalse:
		return append(dst, "false"...)
	case valueTrue:
		return append(dst, "true"...)
	case valueNumber:
		return append(dst, d.text(i)...)
	case valueString, valueDecoded:
		return appendQuoted(dst, d.text(i))
	case valueObject:
		dst = append(dst, '{')
		for k := i + 1; k < v.end; k = d.values[k+1].end {
			if k > i+1 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(dst, d.text(k))
			dst = append(dst, ':')
			dst = d.appendJSON(dst, k+1)
		}
		return append(dst, '}')
	default:
		dst = append(dst, '[')
		for k := i + 1; k < v.end; k = d.values[k].end {
			if k > i+1 {
				dst = append(dst, ',')
			}
			dst = d.appendJSON(dst, k)
		}
		return append(dst, ']')
	}
}

// appendQuoted appends s as a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	last := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[last:i]...)
		last = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[last:]...), '"')
}
