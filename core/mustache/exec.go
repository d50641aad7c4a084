package mustache

import "strings"

// run renders the nodes [i, to) of t. It reports whether to go on; if not,
// r.err says why.
func (r *renderer) run(t *Template, i, to uint32, s surroundings) bool {
	for i < to {
		n := &t.nodes[i]
		if r.steps++; r.steps > r.nextLook && !r.look() {
			return false
		}
		if n.kind == kindText {
			text := t.src[n.at:n.stop]
			if len(s.indent) == 0 {
				if !r.write(text) {
					return false
				}
			} else if !r.writeIndented(text, s.indent, n.flags&flagLineStart != 0) {
				return false
			}
			i++
			continue
		}
		if n.flags&flagLineStart != 0 && len(s.indent) > 0 && !r.writeBytes(s.indent) {
			return false
		}
		ok := true
		switch n.kind {
		case kindVariable:
			ok = r.variable(t, n)
		case kindSection:
			ok = r.section(t, i, n, s)
		case kindInverted:
			if v, found := r.lookup(t, n); !found || r.data.falsey(v) {
				ok = r.nested(t, i+1, n.end, s)
			}
		case kindPartial, kindParent:
			ok = r.partial(t, i, n, s)
		case kindBlock:
			ok = r.block(t, i, n, s)
		}
		if !ok {
			return false
		}
		i = n.end
	}
	return true
}

// nested renders the nodes [i, to), which stand in a section or a block.
func (r *renderer) nested(t *Template, i, to uint32, s surroundings) bool {
	if r.sections == r.opts.MaxSections {
		return r.limit(LimitSections, r.opts.MaxSections, "")
	}
	r.sections++
	ok := r.run(t, i, to, s)
	r.sections--
	return ok
}

// section renders the section n, which is at i.
func (r *renderer) section(t *Template, i uint32, n *node, s surroundings) bool {
	v, found := r.lookup(t, n)
	if !found || r.data.falsey(v) {
		return true
	}
	values := r.data.values
	top := len(r.stack)
	r.stack = append(r.stack, frame{value: v, name: t.nameOf(n)})
	ok := true
	if values[v].kind == valueArray {
		for item := v + 1; ok && item < values[v].end; item = values[item].end {
			if r.steps++; r.steps > r.nextLook && !r.look() {
				return false
			}
			r.stack[top].value = item
			ok = r.nested(t, i+1, n.end, s)
		}
	} else {
		ok = r.nested(t, i+1, n.end, s)
	}
	r.stack = r.stack[:top]
	return ok
}

// lookup resolves the name of n.
func (r *renderer) lookup(t *Template, n *node) (uint32, bool) {
	top := len(r.stack) - 1
	if n.flags&flagSelf != 0 {
		return r.stack[top].value, true
	}
	name, rest := t.nameOf(n), ""
	if n.flags&flagDotted != 0 {
		dot := strings.IndexByte(name, '.')
		name, rest = name[:dot], name[dot+1:]
	}
	for k := top; k >= 0; k-- {
		v, found := r.data.find(r.stack[k].value, name)
		if !found {
			continue
		}
		r.steps += top - k
		if n.flags&flagDotted != 0 {
			return r.inside(v, rest)
		}
		return v, true
	}
	r.steps += top
	return 0, false
}

// inside resolves the dotted name strictly inside of the value v.
func (r *renderer) inside(v uint32, name string) (uint32, bool) {
	for {
		part, rest, more := strings.Cut(name, ".")
		r.steps++
		var found bool
		if v, found = r.data.find(v, part); !found || !more {
			return v, found
		}
		name = rest
	}
}

// variable prints the value that n names.
func (r *renderer) variable(t *Template, n *node) bool {
	v, found := r.lookup(t, n)
	if !found {
		return r.noteMissing(t.nameOf(n))
	}
	raw := n.flags&flagRaw != 0 || r.opts.Escape == EscapeNone
	switch r.data.values[v].kind {
	case valueNull:
		return true
	case valueNumber, valueFalse, valueTrue:
		return r.write(r.data.text(v))
	case valueString, valueDecoded:
		if raw {
			return r.write(r.data.text(v))
		}
		return r.writeEscaped(r.data.text(v))
	}
	r.scratch = r.data.appendJSON(r.scratch[:0], v)
	if raw {
		return r.writeBytes(r.scratch)
	}
	return r.writeEscaped(string(r.scratch))
}

// The lists of names share one set; the first byte of a key tells the list.
const (
	keyMissing = 'm'
	keyUnknown = 'u'
)

// noteMissing notes that a name was found nowhere. It answers false, to end the
// rendering, only when a strict one has noted all that it can.
func (r *renderer) noteMissing(name string) bool {
	key := r.scratch[:0]
	key = append(key, keyMissing)
	for _, f := range r.stack[1:] {
		if f.name != "." {
			key = append(append(key, f.name...), '.')
		}
	}
	key = append(key, name...)
	r.scratch = key
	r.steps += len(key) / 64
	return r.note(key, &r.missing)
}

// noteUnknown notes, in the same way, that there is no partial of that name.
func (r *renderer) noteUnknown(prefix, name string) bool {
	r.scratch = append(append(append(r.scratch[:0], keyUnknown), prefix...), name...)
	return r.note(r.scratch, &r.unknown)
}

// note adds the name in key to a list, unless it is there.
func (r *renderer) note(key []byte, list *[]string) bool {
	if _, known := r.seen[string(key)]; known {
		return true
	}
	if len(*list) == maxNames || r.bytes+len(key) > maxNameBytes {
		// The rest of the list would help nobody.
		return !r.opts.Strict || !r.failed(true)
	}
	if r.seen == nil {
		r.seen = make(map[string]struct{})
	}
	r.bytes += len(key)
	kept := string(key)
	r.seen[kept] = struct{}{}
	*list = append(*list, kept[1:])
	return true
}
