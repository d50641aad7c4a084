package mustache

import "strings"

const (
	defaultOpen  = "{{"
	defaultClose = "}}"
)

// tag is one tag of the source, before its white space is looked at.
type tag struct {
	kind          kind
	flags         uint8
	at, end       int // from its opening to behind its closing delimiter
	name, nameEnd int
}

// isSpace reports ASCII white space, the only one that the tags' padding knows.
func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'
}

// trimSpaceEnd returns end less the white space of src[start:end] at its end.
func trimSpaceEnd(src string, start, end int) int {
	for end > start && isSpace(src[end-1]) {
		end--
	}
	return end
}

// trimSpaceStart returns start plus the white space at the start of src[start:end].
func trimSpaceStart(src string, start, end int) int {
	for start < end && isSpace(src[start]) {
		start++
	}
	return start
}

// blanksEnd returns the end of the run of spaces and tabs that starts at i.
func blanksEnd(src string, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\t') {
		i++
	}
	return i
}

// lineStartBefore returns the start of i's line when nothing but spaces and tabs
// stand between, else -1.
func lineStartBefore(src string, i int) int {
	for i > 0 && (src[i-1] == ' ' || src[i-1] == '\t') {
		i--
	}
	if i == 0 || src[i-1] == '\n' {
		return i
	}
	return -1
}

// lineEndAfter returns the start of the next line when nothing but spaces and
// tabs stand between i and the end of its line, else -1.
func lineEndAfter(src string, i int) int {
	i = blanksEnd(src, i)
	switch {
	case i == len(src):
		return i
	case src[i] == '\n':
		return i + 1
	case src[i] == '\r' && i+1 < len(src) && src[i+1] == '\n':
		return i + 2
	}
	return -1
}

// splitDelimiters returns the two delimiters of a set delimiter tag's content.
func splitDelimiters(content string) (open, shut string, ok bool) {
	gap := 0
	for gap < len(content) && !isSpace(content[gap]) {
		gap++
	}
	second := trimSpaceStart(content, gap, len(content))
	open, shut = content[:gap], content[second:]
	if open == "" || shut == "" || strings.ContainsAny(content, "=") {
		return "", "", false
	}
	for i := 0; i < len(shut); i++ {
		if isSpace(shut[i]) {
			return "", "", false
		}
	}
	return open, shut, true
}

// scan reads the tag whose opening delimiter stands at the offset at.
func (p *parser) scan(at int) (tag, *SyntaxError) {
	src := p.src
	t := tag{at: at}
	sigil := trimSpaceStart(src, at+len(p.open), len(src))
	shut, first := p.shut, sigil
	var mark byte
	if sigil < len(src) {
		mark = src[sigil]
	}
	switch mark {
	case '!':
		t.kind, first = kindComment, sigil+1
	case '=':
		t.kind, first, shut = kindDelimiters, sigil+1, p.setShut
	case '{':
		t.kind, t.flags, first, shut = kindVariable, flagRaw, sigil+1, p.rawShut
	case '&':
		t.kind, t.flags, first = kindVariable, flagRaw, sigil+1
	case '#':
		t.kind, first = kindSection, sigil+1
	case '^':
		t.kind, first = kindInverted, sigil+1
	case '/':
		t.kind, first = kindEnd, sigil+1
	case '>':
		t.kind, first = kindPartial, sigil+1
	case '<':
		t.kind, first = kindParent, sigil+1
	case '$':
		t.kind, first = kindBlock, sigil+1
	default:
		t.kind = kindVariable
	}
	// A closing delimiter that starts with the sigil must not share its byte.
	if strings.HasPrefix(src[sigil:], shut) && t.kind == kindVariable && t.flags == 0 {
		return t, p.fail(at, "a name before "+shut, "nothing")
	}
	length := strings.Index(src[first:], shut)
	if length < 0 {
		return t, p.fail(at, quote(shut)+" to end the tag that starts here", "the end of the template")
	}
	t.name, t.nameEnd, t.end = first, first+length, first+length+len(shut)
	if t.kind == kindComment {
		return t, nil
	}
	t.name = trimSpaceStart(src, t.name, t.nameEnd)
	t.nameEnd = trimSpaceEnd(src, t.name, t.nameEnd)
	return t, p.checkName(&t)
}

// checkName looks at what stands between the delimiters of t.
func (p *parser) checkName(t *tag) *SyntaxError {
	name := p.src[t.name:t.nameEnd]
	switch t.kind {
	case kindDelimiters:
		if _, _, ok := splitDelimiters(name); !ok {
			return p.fail(t.at, "two new delimiters, separated by white space and without “=”", quote(name))
		}
		return nil
	case kindPartial, kindParent, kindEnd:
		if strings.HasPrefix(name, "*") && (t.kind != kindEnd || p.closesDynamic()) {
			t.flags |= flagDynamic
			t.name = trimSpaceStart(p.src, t.name+1, t.nameEnd)
			name = p.src[t.name:t.nameEnd]
		}
	}
	if name == "" {
		return p.fail(t.at, "a name in the tag", "none")
	}
	switch {
	case t.kind == kindEnd:
	case (t.kind == kindPartial || t.kind == kindParent) && t.flags&flagDynamic == 0:
		if i := strings.IndexAny(name, "\r\n"); i >= 0 {
			return p.fail(t.name+i, "the name of a template, on one line", "a line break")
		}
	default:
		for i := 0; i < len(name); i++ {
			if isSpace(name[i]) {
				return p.fail(t.name+i, quote(p.shut)+" after the name "+quote(name[:i]), "white space inside of the tag")
			}
		}
	}
	if name == "." {
		t.flags |= flagSelf
	} else if strings.IndexByte(name, '.') >= 0 {
		t.flags |= flagDotted
	}
	return nil
}
