package httpapi

import "sync"

// buffer is memory that requests hand to one another: a rendering needs some for what comes in, what is made of it and what
// goes out, none of which outlives the request.
type buffer struct{ bytes []byte }

// maxKept is the largest buffer that is kept for the next request, in bytes.
const maxKept = 64 << 10

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// takeBuffer gives a buffer of no bytes. Nothing may hold on to its memory after it was given back.
func takeBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) giveBack() {
	if cap(b.bytes) > maxKept {
		return
	}
	b.bytes = b.bytes[:0]
	buffers.Put(b)
}
