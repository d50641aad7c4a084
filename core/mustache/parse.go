package mustache

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// opened is a section, parent or block whose end tag has not come yet.
type opened struct {
	node     uint32
	left     bool // nothing but white space stands before the start tag
	argument bool // a block that is passed to a parent
	stripped bool // it put an entry into parser.strips
}

// parser turns a source into nodes.
type parser struct {
	src        string
	nodes      []node
	open, shut string
	rawShut    string // ends a tag that started with “{”
	setShut    string // ends a tag that started with “=”
	pos        int    // everything before it is in nodes
	stack      []opened
	// strips are the intrinsic indentations of the block arguments around pos;
	// what they take off a line depends on nothing but the source, so it is done
	// here and not while rendering.
	strips []string
}

// Literal is a template without a tag: it renders as the text that it is made of,
// whatever that looks like. Text of 2 GiB or more is cut off there.
func Literal(text string) *Template {
	p := parser{src: text[:min(len(text), math.MaxInt32)]}
	p.text(len(p.src))
	return &Template{src: p.src, nodes: p.nodes}
}

// Parse reads a template. An error is always a *SyntaxError.
func Parse(source string) (*Template, error) {
	if uint64(len(source)) > math.MaxInt32 {
		return nil, &SyntaxError{Line: 1, Column: 1, Expected: "a template of less than 2 GiB"}
	}
	tags := min(strings.Count(source, defaultOpen), 2048)
	p := parser{src: source, nodes: make([]node, 0, 2*tags+1)}
	p.open, p.shut, p.rawShut, p.setShut = defaultOpen, defaultClose, "}}}", "=}}"
	for {
		next := strings.Index(source[p.pos:], p.open)
		if next < 0 {
			break
		}
		t, err := p.scan(p.pos + next)
		if err == nil {
			err = p.add(t)
		}
		if err != nil {
			return nil, err
		}
	}
	p.text(len(source))
	if len(p.stack) > 0 {
		n := &p.nodes[p.stack[len(p.stack)-1].node]
		return nil, p.fail(int(n.at), p.endTagOf(n)+" to close what is opened here", "the end of the template")
	}
	if cap(p.nodes)-len(p.nodes) > len(p.nodes)/8 {
		p.nodes = slices.Clip(append(make([]node, 0, len(p.nodes)), p.nodes...))
	}
	return &Template{src: source, nodes: p.nodes}, nil
}

func (p *parser) fail(offset int, expected, found string) *SyntaxError {
	return syntaxError(p.src, offset, expected, found)
}

// endTagOf returns the end tag that n needs, for errors.
func (p *parser) endTagOf(n *node) string {
	star := ""
	if n.flags&flagDynamic != 0 {
		star = "*"
	}
	return quote(p.open + "/" + star + p.src[n.name:n.nameEnd] + p.shut)
}

// closesDynamic reports whether the innermost open tag is a dynamic parent.
func (p *parser) closesDynamic() bool {
	return len(p.stack) > 0 && p.nodes[p.stack[len(p.stack)-1].node].flags&flagDynamic != 0
}

// inParent reports whether pos is in a parent, but in none of its blocks.
func (p *parser) inParent() bool {
	return len(p.stack) > 0 && p.nodes[p.stack[len(p.stack)-1].node].kind == kindParent
}

// atLineStart reports whether a line of the source starts at i.
func (p *parser) atLineStart(i int) bool { return i == 0 || p.src[i-1] == '\n' }

// skip returns i plus what the strips take off the line that starts at i; the
// line's white space ends at or before limit.
func (p *parser) skip(i, limit int) int {
	if i == limit || p.src[i] != ' ' && p.src[i] != '\t' {
		return i
	}
	for _, s := range p.strips {
		if strings.HasPrefix(p.src[i:limit], s) {
			i += len(s)
		}
	}
	return i
}

// text adds what stands between pos and to.
func (p *parser) text(to int) {
	if len(p.strips) == 0 || p.inParent() {
		if p.pos < to {
			p.textNode(p.pos, p.pos, to)
		}
		p.pos = to
		return
	}
	start, at := p.pos, p.pos
	for line := p.pos; line < to; {
		stop := to
		if i := strings.IndexByte(p.src[line:to], '\n'); i >= 0 {
			stop = line + i + 1
		}
		if p.atLineStart(line) {
			if kept := p.skip(line, stop); kept > line {
				if start < line {
					p.textNode(start, at, line)
				}
				start, at = line, kept
			}
		}
		line = stop
	}
	if start < to {
		p.textNode(start, at, to)
	}
	p.pos = to
}

func (p *parser) textNode(start, at, stop int) {
	n := node{kind: kindText, start: uint32(start), at: uint32(at), stop: uint32(stop), end: uint32(len(p.nodes) + 1)}
	if p.atLineStart(start) {
		n.flags = flagLineStart
	}
	p.nodes = append(p.nodes, n)
}

// put adds the node of t, whose span is [start, stop), and the text before it.
func (p *parser) put(t tag, start, stop int) *node {
	p.text(start)
	n := node{
		kind: t.kind, flags: t.flags,
		start: uint32(start), at: uint32(t.at), lead: uint32(t.at), stop: uint32(stop),
		name: uint32(t.name), nameEnd: uint32(t.nameEnd),
		end: uint32(len(p.nodes) + 1),
	}
	if start < t.at {
		n.lead = uint32(p.skip(start, t.at))
	}
	p.nodes = append(p.nodes, n)
	p.pos = stop
	return &p.nodes[len(p.nodes)-1]
}

// putPlain adds a tag whose white space is only special when it is standalone.
// It reports whether it is.
func (p *parser) putPlain(t tag) (n *node, standalone bool) {
	left, right := lineStartBefore(p.src, t.at), lineEndAfter(p.src, t.end)
	if left >= 0 && right >= 0 {
		return p.put(t, left, right), true
	}
	n = p.put(t, t.at, t.end)
	if p.atLineStart(t.at) {
		n.flags |= flagLineStart
	}
	return n, false
}

// add puts t into the tree.
func (p *parser) add(t tag) *SyntaxError {
	switch t.kind {
	case kindVariable:
		n := p.put(t, t.at, t.end)
		if p.atLineStart(t.at) {
			n.flags |= flagLineStart
		}
		return nil
	case kindComment:
		p.putPlain(t)
		return nil
	case kindDelimiters:
		p.putPlain(t)
		p.open, p.shut, _ = splitDelimiters(p.src[t.name:t.nameEnd])
		p.rawShut, p.setShut = "}"+p.shut, "="+p.shut
		return nil
	case kindPartial:
		if n, standalone := p.putPlain(t); standalone {
			n.flags |= flagPair
		}
		return nil
	case kindEnd:
		return p.end(t)
	}
	if len(p.stack) == MaxNesting {
		return p.fail(t.at, fmt.Sprintf("at most %d sections, parents and blocks in each other", MaxNesting), "one more")
	}
	o := opened{left: lineStartBefore(p.src, t.at) >= 0}
	switch {
	case t.kind == kindBlock && p.inParent():
		p.argument(t, &o)
	case t.kind == kindBlock:
		p.parameter(t)
	case t.kind == kindParent && o.left:
		p.put(t, lineStartBefore(p.src, t.at), t.end).flags |= flagLead
	case t.kind == kindParent:
		p.put(t, t.at, t.end)
	default:
		p.putPlain(t)
	}
	o.node = uint32(len(p.nodes) - 1)
	p.stack = append(p.stack, o)
	return nil
}

// argument adds the start tag of a block that is passed to a parent.
func (p *parser) argument(t tag, o *opened) {
	o.argument = true
	p.nodes[p.stack[len(p.stack)-1].node].flags |= flagArgs
	right := lineEndAfter(p.src, t.end)
	if right < 0 {
		p.put(t, t.at, t.end)
		return
	}
	p.put(t, t.at, right).flags |= flagEndsLine
	blanks := blanksEnd(p.src, right)
	if indent := p.src[p.skip(right, blanks):blanks]; indent != "" {
		p.strips = append(p.strips, indent)
		o.stripped = true
	}
}

// parameter adds the start tag of a block that can be replaced.
func (p *parser) parameter(t tag) {
	left, right := lineStartBefore(p.src, t.at), lineEndAfter(p.src, t.end)
	switch {
	case left >= 0 && right >= 0:
		n := p.put(t, left, right)
		n.flags |= flagEndsLine
		blanks := blanksEnd(p.src, right)
		n.intr, n.intrEnd = uint32(p.skip(right, blanks)), uint32(blanks)
	case left >= 0:
		p.put(t, left, t.end).flags |= flagLead
	default:
		p.put(t, t.at, t.end)
	}
}

// end adds an end tag and completes the node that it closes.
func (p *parser) end(t tag) *SyntaxError {
	if len(p.stack) == 0 {
		return p.fail(t.at, "a start tag before this end tag", quote(p.src[t.at:t.end]))
	}
	top := p.stack[len(p.stack)-1]
	start := p.nodes[top.node]
	if p.src[start.name:start.nameEnd] != p.src[t.name:t.nameEnd] || (start.flags^t.flags)&flagDynamic != 0 {
		line := syntaxError(p.src, int(start.at), "", "").Line
		return p.fail(t.at, fmt.Sprintf("%s to close what line %d opened", p.endTagOf(&start), line), quote(p.src[t.at:t.end]))
	}
	left, right := lineStartBefore(p.src, t.at), lineEndAfter(p.src, t.end)
	pair := top.left && right >= 0
	switch {
	case start.kind == kindParent && pair:
		p.put(t, t.at, right)
	case start.kind == kindParent:
		p.put(t, t.at, t.end)
	case top.argument && left >= 0:
		// Its white space ends the argument's last line, which is not printed.
		p.put(t, left, t.end)
	case top.argument:
		p.put(t, t.at, t.end)
	default:
		p.putPlain(t)
	}
	p.stack = p.stack[:len(p.stack)-1]
	if top.stripped {
		p.strips = p.strips[:len(p.strips)-1]
	}
	n := &p.nodes[top.node]
	n.end = uint32(len(p.nodes))
	if pair && !top.argument && (n.kind == kindParent || n.kind == kindBlock) {
		n.flags |= flagPair
	}
	if n.kind == kindParent && pair {
		n.flags &^= flagLead
	}
	return nil
}
