package mustache

// VariableKind is how a template uses a name.
type VariableKind string

// The kinds of a Variable.
const (
	KindValue    VariableKind = "value"
	KindSection  VariableKind = "section"
	KindInverted VariableKind = "inverted"
	KindPartial  VariableKind = "partial"
)

// Variable is a name that a template uses.
type Variable struct {
	// Name is the name with the path of the sections around it (“items.price”).
	// The implicit iterator has the name of its section, and “.” where there is
	// none. A partial or parent has its own name, without a path, because its
	// name is none of the data; a dynamic one has a star and the path of the name
	// that is looked up (“*items.kind”).
	Name string
	// Kind is how the name is used. A name that is used in several ways is listed
	// once for each.
	Kind VariableKind
	// Escaped tells of a value whether every use of it is escaped for HTML; it is
	// false for the other kinds.
	Escaped bool
}

// maxVariableBytes bounds the names that Variables makes: nested sections with
// long names make paths that are much longer than the template.
const maxVariableBytes = 8 << 20

// maxVariableWork bounds the same with every use counted, not only the first.
const maxVariableWork = 64 << 20

// Variables lists the names that the template itself uses, in the order of their
// first use, each once for a kind; those of its partials are theirs. Blocks have
// names of their own kind and are not listed, what stands in them is. Names that
// together need more than 8 MiB are a *LimitError.
func (t *Template) Variables() ([]Variable, error) {
	l := variableLister{t: t, index: make(map[variableKey]int)}
	if !l.list(0, uint32(len(t.nodes))) {
		return nil, &LimitError{Which: LimitVariables, Max: maxVariableBytes}
	}
	return l.found, nil
}

type variableKey struct {
	name string
	kind VariableKind
}

type variableLister struct {
	t     *Template
	path  []byte // ends with a dot, unless it is empty
	bytes int    // of the names in found
	work  int    // of all names that were made
	found []Variable
	index map[variableKey]int
}

// list adds what the nodes [i, to) use. Its recursion ends at MaxNesting.
func (l *variableLister) list(i, to uint32) bool {
	for i < to {
		n := &l.t.nodes[i]
		ok := true
		switch n.kind {
		case kindVariable:
			ok = l.add("", n, KindValue, n.flags&flagRaw == 0)
		case kindSection:
			ok = l.add("", n, KindSection, false)
			before := len(l.path)
			if n.flags&flagSelf == 0 {
				l.path = append(append(l.path, l.t.nameOf(n)...), '.')
			}
			ok = ok && l.list(i+1, n.end)
			l.path = l.path[:before]
		case kindInverted:
			ok = l.add("", n, KindInverted, false) && l.list(i+1, n.end)
		case kindPartial:
			ok = l.partial(n)
		case kindParent:
			ok = l.partial(n)
			for k := i + 1; ok && k < n.end; k = l.t.nodes[k].end {
				if l.t.nodes[k].kind == kindBlock {
					ok = l.list(k+1, l.t.nodes[k].end)
				}
			}
		case kindBlock:
			ok = l.list(i+1, n.end)
		}
		if !ok {
			return false
		}
		i = n.end
	}
	return true
}

func (l *variableLister) partial(n *node) bool {
	if n.flags&flagDynamic != 0 {
		return l.add("*", n, KindPartial, false)
	}
	return l.note(l.t.nameOf(n), KindPartial, false)
}

// add adds the name of n under the current path.
func (l *variableLister) add(prefix string, n *node, kind VariableKind, escaped bool) bool {
	path, name := string(l.path), l.t.nameOf(n)
	if n.flags&flagSelf != 0 && path != "" {
		path, name = path[:len(path)-1], ""
	}
	if prefix != "" || path != "" {
		name = prefix + path + name
	}
	return l.note(name, kind, escaped)
}

func (l *variableLister) note(name string, kind VariableKind, escaped bool) bool {
	if l.work += len(name); l.work > maxVariableWork {
		return false
	}
	key := variableKey{name, kind}
	if i, known := l.index[key]; known {
		l.found[i].Escaped = l.found[i].Escaped && escaped
		return true
	}
	if l.bytes += len(name); l.bytes > maxVariableBytes {
		return false
	}
	l.index[key] = len(l.found)
	l.found = append(l.found, Variable{Name: name, Kind: kind, Escaped: escaped})
	return true
}
