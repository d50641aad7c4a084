package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"bitbucket.org/templar/templar/core/change"
	"bitbucket.org/templar/templar/core/fault"
)

// entityTag is the strong validator of a revision (RFC 9110 8.8.3). It stays the same when the body is compressed:
// clients send it back in If-Match, whatever they read it with.
func entityTag(revision int) string { return `"` + strconv.Itoa(revision) + `"` }

// tagList is a parsed If-Match or If-None-Match.
type tagList struct {
	any  bool
	tags []tag
}

type tag struct {
	opaque string
	weak   bool
}

// parseTags reads a header of entity tags; nil when the request has none; a Malformed fault when it cannot be read.
func parseTags(header http.Header, name string) (*tagList, error) {
	values := header.Values(name)
	if len(values) == 0 {
		return nil, nil
	}
	malformed := fault.New(fault.Malformed, "%s must be * or a list of entity tags such as \"3\", with their quotes", name)
	text := strings.TrimSpace(strings.Join(values, ","))
	if text == "*" {
		return &tagList{any: true}, nil
	}
	list := &tagList{}
	for rest := text; ; {
		var one tag
		if after, weak := strings.CutPrefix(rest, "W/"); weak {
			one.weak, rest = true, after
		}
		if !strings.HasPrefix(rest, `"`) {
			return nil, malformed
		}
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 {
			return nil, malformed
		}
		one.opaque, rest = rest[1:1+end], strings.TrimLeft(rest[2+end:], " \t")
		for _, c := range []byte(one.opaque) {
			if c < 0x21 || c == 0x7f {
				return nil, malformed
			}
		}
		list.tags = append(list.tags, one)
		if rest == "" {
			return list, nil
		}
		after, comma := strings.CutPrefix(rest, ",")
		if !comma {
			return nil, malformed
		}
		rest = strings.TrimLeft(after, " \t")
	}
}

// holds compares weakly, as If-None-Match does (RFC 9110 13.1.2).
func (l *tagList) holds(revision int) bool {
	if l.any {
		return true
	}
	want := strconv.Itoa(revision)
	for _, t := range l.tags {
		if t.opaque == want {
			return true
		}
	}
	return false
}

// precondition reads If-Match, which compares strongly: weak tags meet nothing (RFC 9110 13.1.1).
func precondition(header http.Header) (*change.Precondition, error) {
	list, err := parseTags(header, "If-Match")
	if list == nil || err != nil {
		return nil, err
	}
	p := &change.Precondition{Any: list.any}
	for _, t := range list.tags {
		if revision, err := strconv.Atoi(t.opaque); err == nil && !t.weak && strconv.Itoa(revision) == t.opaque {
			p.Revisions = append(p.Revisions, revision)
		}
	}
	return p, nil
}

// wantsFresh tells whether the client asks for an answer from the source (RFC 9111 5.2.1.4).
func wantsFresh(header http.Header) bool {
	for _, value := range header["Cache-Control"] {
		for _, directive := range strings.Split(value, ",") {
			switch strings.ToLower(strings.TrimSpace(directive)) {
			case "no-cache", "no-store", "max-age=0":
				return true
			}
		}
	}
	return false
}
