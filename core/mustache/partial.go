package mustache

// scope holds the block arguments of one parent tag: they stand in the tree, as
// the children of the parent.
type scope struct {
	template *Template
	parent   uint32
	// around is what the parent tag stands in; arguments of around.scope go
	// before those of this one.
	around surroundings
}

const noScope = -1

// manyLoaded is the number of partials from which on a map finds them.
const manyLoaded = 16

// partialName returns the name of the partial or parent n.
func (r *renderer) partialName(t *Template, n *node) (name string, ok bool) {
	if n.flags&flagDynamic == 0 {
		return t.nameOf(n), true
	}
	v, found := r.lookup(t, n)
	if !found {
		r.noteMissing(t.nameOf(n))
		return "", false
	}
	switch r.data.values[v].kind {
	case valueString, valueDecoded, valueNumber, valueTrue, valueFalse:
		return r.data.text(v), true
	}
	r.noteUnknown("*", t.nameOf(n))
	return "", false
}

// load returns the template of a partial, nil when there is none.
func (r *renderer) load(name string) (*Template, bool) {
	if r.loadedIndex != nil {
		if i, known := r.loadedIndex[name]; known {
			return r.loaded[i].template, true
		}
	} else {
		for i := range r.loaded {
			if r.loaded[i].name == name {
				return r.loaded[i].template, true
			}
		}
	}
	if len(r.loaded) == r.opts.MaxPartials {
		return nil, r.limit(LimitPartials, r.opts.MaxPartials, name)
	}
	var p *Template
	if r.opts.Partials != nil {
		t, found, err := r.opts.Partials.Partial(r.ctx, name)
		if err != nil {
			r.err = &PartialError{Name: name, Err: err}
			return nil, false
		}
		if found {
			p = t
		}
	}
	r.loaded = append(r.loaded, loaded{name, p})
	if len(r.loaded) == manyLoaded {
		r.loadedIndex = make(map[string]int)
		for i, l := range r.loaded {
			r.loadedIndex[l.name] = i
		}
	} else if r.loadedIndex != nil {
		r.loadedIndex[name] = len(r.loaded) - 1
	}
	return p, true
}

// partial renders the partial or parent n, which is at i.
func (r *renderer) partial(t *Template, i uint32, n *node, s surroundings) bool {
	if n.flags&flagLead != 0 && !r.lead(t, n, s) {
		return false
	}
	name, ok := r.partialName(t, n)
	if !ok {
		return r.err == nil
	}
	p, ok := r.load(name)
	if !ok {
		return false
	}
	if p == nil {
		return r.noteUnknown("", name)
	}
	if r.partials == r.opts.MaxPartialDepth {
		return r.limit(LimitPartialDepth, r.opts.MaxPartialDepth, name)
	}
	r.partials++
	indents, scopes := len(r.indents), len(r.scopes)
	inner := surroundings{scope: s.scope}
	if n.flags&flagPair != 0 {
		if inner.indent, ok = r.indent(s.indent, t.src[n.lead:n.at]); !ok {
			return false
		}
	}
	if n.kind == kindParent && n.flags&flagArgs != 0 {
		r.scopes = append(r.scopes, scope{template: t, parent: i, around: s})
		inner.scope = int32(scopes)
	}
	ok = r.run(p, 0, uint32(len(p.nodes)), inner)
	r.scopes, r.indents = r.scopes[:scopes], r.indents[:indents]
	r.partials--
	return ok
}

// indent returns a followed by b. It stands in r.indents, which the caller cuts
// back when it is done.
func (r *renderer) indent(a []byte, b string) ([]byte, bool) {
	if len(b) == 0 {
		return a, true
	}
	start := len(r.indents)
	if start+len(a)+len(b) > r.opts.MaxBytes {
		return nil, r.limit(LimitOutput, r.opts.MaxBytes, "")
	}
	r.indents = append(append(r.indents, a...), b...)
	return r.indents[start:len(r.indents):len(r.indents)], true
}

// lead prints the indentation of the line that n starts.
func (r *renderer) lead(t *Template, n *node, s surroundings) bool {
	return r.writeBytes(s.indent) && r.write(t.src[n.lead:n.at])
}

// block renders the block n, which is at i and can be replaced.
func (r *renderer) block(t *Template, i uint32, n *node, s surroundings) bool {
	pair, empty := n.flags&flagPair != 0, t.empty(i)
	given, at := r.argument(s.scope, t.nameOf(n))
	if given == nil {
		if n.flags&flagLead != 0 && (!pair || !empty) && !r.lead(t, n, s) {
			return false
		}
		return r.nested(t, i+1, n.end, s)
	}
	indents := len(r.indents)
	body := surroundings{scope: given.around.scope}
	ok := true
	switch {
	case pair && n.flags&flagEndsLine != 0 && !empty:
		body.indent, ok = r.indent(s.indent, t.src[n.intr:n.intrEnd])
	case pair:
		body.indent, ok = r.indent(s.indent, t.src[n.lead:n.at])
	case n.flags&flagLead != 0:
		ok = r.lead(t, n, s)
	}
	if !ok {
		return false
	}
	from, argument := given.template, &given.template.nodes[at]
	if argument.flags&flagEndsLine == 0 {
		// Its first line starts here and not in its text; its others still have
		// the indentation of the template in which it is written.
		if !from.empty(at) && !r.writeBytes(body.indent) {
			return false
		}
		if around := given.around.indent; len(around) > 0 {
			start := len(r.indents)
			r.indents = append(append(r.indents, body.indent...), around...)
			body.indent = r.indents[start:len(r.indents):len(r.indents)]
		}
	}
	ok = r.nested(from, at+1, argument.end, body)
	r.indents = r.indents[:indents]
	return ok
}

// argument finds what was passed for a block: the outermost parent tag's
// argument wins, and in one parent the last of that name.
func (r *renderer) argument(from int32, name string) (given *scope, at uint32) {
	for from != noScope {
		s := &r.scopes[from]
		nodes := s.template.nodes
		last := nodes[s.parent].end
		for i := s.parent + 1; i < last; i = nodes[i].end {
			r.steps++
			if nodes[i].kind == kindBlock && s.template.nameOf(&nodes[i]) == name {
				given, at = s, i
			}
		}
		from = s.around.scope
	}
	return given, at
}
