package migrations

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"bitbucket.org/templar/templar/ports"
)

// maxDepth is how deep the nodes of a file may be nested; a right file needs 9.
const maxDepth = 20

// reader turns the nodes of one file into a schema and collects what is wrong.
type reader struct {
	file     string
	problems Problems
	// at remembers where each path of the schema stands in the file.
	at map[string]*yaml.Node
}

// parse reads a whole file.
func parse(file string, data []byte) (ports.Schema, Problems) {
	r := &reader{file: file, at: map[string]*yaml.Node{}}
	root := r.document(data)
	if root == nil || !r.plain(root, 0) {
		return ports.Schema{}, r.problems
	}
	s := r.root(root)
	for _, p := range s.Problems() {
		r.addAt(p)
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return s, r.problems
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// document is the root node of the only document in data.
func (r *reader) document(data []byte) *yaml.Node {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) != 1 {
		r.problems = append(r.problems, Problem{r.file, 1, "init", "the file is empty"})
		return nil
	}
	if err == nil {
		if err = d.Decode(&second); errors.Is(err, io.EOF) {
			return doc.Content[0]
		}
		if err == nil {
			r.add(&second, "init", "a second document in the file")
			return nil
		}
	}
	line := 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	r.problems = append(r.problems, Problem{r.file, line, "init", "this is no YAML: " + err.Error()})
	return nil
}

// plain refuses what no migration needs: aliases, which can blow a file up,
// tags of another kind, and deep nesting.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	if depth > maxDepth {
		r.add(n, "init", "nested deeper than %d", maxDepth)
		return false
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.add(n, "init", "anchors and aliases are not read")
		return false
	}
	for _, c := range n.Content {
		if !r.plain(c, depth+1) {
			return false
		}
	}
	return true
}

func (r *reader) add(n *yaml.Node, path, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, n.Line, path, fmt.Sprintf(format, args...)})
}

// addAt adds a problem of the schema where the nearest thing that it is about
// stands in the file.
func (r *reader) addAt(p ports.SchemaProblem) {
	path := p.Path
	for {
		if n := r.at[path]; n != nil {
			r.add(n, "init."+p.Path, "%s", p.Detail)
			return
		}
		i := bytes.LastIndexAny([]byte(path), ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	r.problems = append(r.problems, Problem{r.file, 1, "init." + p.Path, p.Detail})
}

// mapping gives the values of a mapping by key, after saying what is wrong with
// its keys. It is nil where n is no mapping.
func (r *reader) mapping(n *yaml.Node, path string, known ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		r.add(n, path, "expected a mapping with %s", list(known))
		return nil
	}
	m := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode:
			r.add(k, path, "expected a name before the colon")
		case m[k.Value] != nil:
			r.add(k, join(path, k.Value), "the parameter is given twice")
		case known != nil && !slices.Contains(known, k.Value):
			r.add(k, join(path, k.Value), "unknown parameter; known are %s", list(known))
		default:
			m[k.Value] = n.Content[i+1]
		}
	}
	return m
}

// need says which of the parameters are missing.
func (r *reader) need(n *yaml.Node, path string, m map[string]*yaml.Node, params ...string) bool {
	ok := true
	for _, p := range params {
		if v := m[p]; v == nil || null(v) {
			at := n
			if v != nil {
				at = v
			}
			r.add(at, join(path, p), "the required parameter %q is missing", p)
			ok = false
		}
	}
	return ok
}

func (r *reader) text(m map[string]*yaml.Node, path, param string) string {
	n := m[param]
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		r.add(n, join(path, param), "expected a text")
		return ""
	}
	return n.Value
}

func (r *reader) boolean(m map[string]*yaml.Node, path, param string) bool {
	n := m[param]
	if n == nil {
		return false
	}
	var b bool
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&b) != nil {
		r.add(n, join(path, param), "expected true or false")
	}
	return b
}

func (r *reader) number(m map[string]*yaml.Node, path, param string) int {
	n := m[param]
	if n == nil {
		return 0
	}
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil || i < 1 {
		r.add(n, join(path, param), "expected a whole number of 1 or more")
		return 0
	}
	return i
}

// items are the entries of a list.
func (r *reader) items(n *yaml.Node, path string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.add(n, path, "expected a list")
		return nil
	}
	return n.Content
}

// bare is the value of a node that is just a name.
func bare(n *yaml.Node) (string, bool) {
	return n.Value, n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str"
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func join(path, param string) string {
	if path == "" {
		return param
	}
	return path + "." + param
}

func list(names []string) string {
	var b bytes.Buffer
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name)
	}
	return b.String()
}
