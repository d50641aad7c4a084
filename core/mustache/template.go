package mustache

// kind is what a node of the tree stands for.
type kind uint8

const (
	kindText kind = iota
	kindVariable
	kindSection
	kindInverted
	kindPartial
	kindParent
	kindBlock
	kindEnd
	kindComment
	kindDelimiters
)

// The flags of a node.
const (
	// flagLineStart: the node is the first of its line, so that the indentation
	// of an enclosing partial comes right before it.
	flagLineStart uint8 = 1 << iota
	// flagRaw: the variable is not escaped.
	flagRaw
	// flagDotted: the name has more than one part.
	flagDotted
	// flagSelf: the name is the implicit iterator.
	flagSelf
	// flagDynamic: the partial's or parent's name is looked up in the data.
	flagDynamic
	// flagPair: the parent or block is standalone, or the partial is.
	flagPair
	// flagLead: the white space before the tag was taken into the node, but must
	// be printed where the tag is not standalone.
	flagLead
	// flagArgs: the parent has blocks; flagEndsLine: the block's start tag ends
	// its line. They never meet in one node.
	flagArgs
)

const flagEndsLine = flagArgs

// node is one piece of a template. All of them stand in one slice, in the order
// of the source; their spans [start, stop) cover the source without a gap.
type node struct {
	start   uint32 // first byte of the span
	at      uint32 // tag: its opening delimiter; text: first byte to print
	lead    uint32 // tag: [lead, at) is its indentation
	name    uint32 // [name, nameEnd) is the name, the comment or the delimiters
	nameEnd uint32
	stop    uint32 // first byte after the span
	end     uint32 // index of the first node after this one's end tag
	intr    uint32 // block: [intr, intrEnd) is its intrinsic indentation
	intrEnd uint32
	kind    kind
	flags   uint8
}

// nodeBytes is the size of a node in memory.
const nodeBytes = 40

// Template is a parsed template. It is immutable and safe for concurrent use.
type Template struct {
	src   string
	nodes []node
}

// MaxNesting is how deep sections, inverted sections, parents and blocks of one
// template may nest.
const MaxNesting = 256

// Size returns about how many bytes of memory the template holds, its source
// included.
func (t *Template) Size() int {
	const header = 48
	return header + len(t.src) + cap(t.nodes)*nodeBytes
}

// nameOf returns the name of n.
func (t *Template) nameOf(n *node) string { return t.src[n.name:n.nameEnd] }

// empty reports whether nothing stands between the tags of the node at i.
func (t *Template) empty(i uint32) bool { return t.nodes[i].end == i+2 }

// Source writes the template back from its tree. It is the text that was parsed,
// byte for byte.
func (t *Template) Source() string {
	out := make([]byte, 0, len(t.src))
	open, shut := defaultOpen, defaultClose
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.kind == kindText {
			out = append(out, t.src[n.start:n.stop]...)
			continue
		}
		tagEnd := trimSpaceEnd(t.src, int(n.at), int(n.stop))
		out = append(out, t.src[n.start:n.at]...)
		out = append(out, open...)
		out = append(out, t.src[int(n.at)+len(open):n.name]...)
		out = append(out, t.nameOf(n)...)
		out = append(out, t.src[n.nameEnd:tagEnd-len(shut)]...)
		out = append(out, shut...)
		out = append(out, t.src[tagEnd:n.stop]...)
		if n.kind == kindDelimiters {
			open, shut, _ = splitDelimiters(t.nameOf(n))
		}
	}
	return string(out)
}
