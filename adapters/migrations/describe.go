package migrations

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"bitbucket.org/templar/templar/ports"
)

func (r *reader) root(n *yaml.Node) ports.Schema {
	var s ports.Schema
	top := r.mapping(n, "", "init")
	if top == nil || !r.need(n, "", top, "init") {
		return s
	}
	m := r.mapping(top["init"], "init", "schemas", "tables")
	if m == nil {
		return s
	}
	if m["schemas"] == nil && m["tables"] == nil {
		r.add(top["init"], "init", "neither schemas nor tables are described")
	}
	for i, item := range r.items(m["schemas"], "init.schemas") {
		s.Schemas = append(s.Schemas, r.schema(item, i))
	}
	if tables := m["tables"]; tables != nil {
		r.tables(&s, tables)
	}
	return s
}

func (r *reader) schema(n *yaml.Node, i int) string {
	path := fmt.Sprintf("schemas[%d]", i)
	r.at[path] = n
	if name, ok := bare(n); ok {
		return name
	}
	m := r.mapping(n, "init."+path, "name")
	if m == nil || !r.need(n, "init."+path, m, "name") {
		return placeholder("schema", i)
	}
	return r.text(m, "init."+path, "name")
}

// placeholder is a name for what has none: that problem is told already, and
// the checks of the whole schema should not add theirs.
func placeholder(what string, i int) string { return fmt.Sprintf("_%s_%d", what, i) }

func (r *reader) tables(s *ports.Schema, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		for i, item := range r.items(n, "init.tables") {
			path := fmt.Sprintf("tables[%d]", i)
			r.at[path] = item
			m := r.mapping(item, "init."+path, "name", "schema", "attributes", "indexes")
			if m == nil {
				continue
			}
			name := placeholder("table", i)
			if r.need(item, "init."+path, m, "name") {
				name = r.text(m, "init."+path, "name")
			}
			s.Tables = append(s.Tables, r.table(item, path, name, m))
		}
		return
	}
	r.mapping(n, "init.tables")
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		path := fmt.Sprintf("tables[%d]", len(s.Tables))
		r.at[path] = key
		if m := r.mapping(item, "init.tables."+key.Value, "schema", "attributes", "indexes"); m != nil {
			s.Tables = append(s.Tables, r.table(key, path, key.Value, m))
		}
	}
}

func (r *reader) table(n *yaml.Node, path, name string, m map[string]*yaml.Node) ports.Table {
	full := "init." + path
	r.need(n, full, m, "schema", "attributes")
	t := ports.Table{Name: name}
	if v := m["schema"]; v != nil && !null(v) {
		t.Schema = r.text(m, full, "schema")
		r.at[path+".schema"] = v
	}
	attributes := r.attributes(&t, m["attributes"], path)
	if len(t.Attributes) == 0 {
		// The missing list is told already; an empty one is told here.
		if v := m["attributes"]; v != nil && v.Kind == yaml.SequenceNode && len(v.Content) == 0 {
			r.add(v, full+".attributes", "a table needs at least one attribute")
		}
		t.Attributes = []ports.Attribute{{Name: placeholder("attribute", 0), Type: ports.TypeText}}
	}
	for i, item := range r.items(m["indexes"], full+".indexes") {
		at := fmt.Sprintf("%s.indexes[%d]", path, i)
		r.at[at] = item
		if x, ok := r.index(item, at, t); ok {
			t.Indexes = append(t.Indexes, x)
		}
	}
	for i, a := range t.Attributes {
		if i < len(attributes) && attributes[i] {
			x := ports.Index{Keys: []ports.Key{{Attribute: a.Name}}, Unique: true}
			x.Name = indexName(t, x)
			r.at[fmt.Sprintf("%s.indexes[%d]", path, len(t.Indexes))] = r.at[fmt.Sprintf("%s.attributes[%d]", path, i)]
			t.Indexes = append(t.Indexes, x)
		}
	}
	return t
}

// attributes reads the list into t and tells which are unique.
func (r *reader) attributes(t *ports.Table, n *yaml.Node, path string) []bool {
	if n == nil || null(n) {
		return nil
	}
	var unique []bool
	keyed := false
	items := r.items(n, "init."+path+".attributes")
	for i, item := range items {
		at := fmt.Sprintf("%s.attributes[%d]", path, len(t.Attributes))
		r.at[at] = item
		if name, ok := bare(item); ok {
			t.Attributes = append(t.Attributes, ports.Attribute{Name: name, Type: ports.TypeText})
			unique = append(unique, false)
			continue
		}
		m := r.mapping(item, "init."+at, "name", "type", "size", "primary_key", "required", "unique", "default")
		if m == nil {
			continue
		}
		a := ports.Attribute{Name: placeholder("attribute", i)}
		if r.need(item, "init."+at, m, "name") {
			a.Name = r.text(m, "init."+at, "name")
		}
		a.PrimaryKey = r.boolean(m, "init."+at, "primary_key")
		a.Required = r.boolean(m, "init."+at, "required")
		r.typeOf(&a, m, at)
		a.Default = r.defaultOf(a, m, at)
		t.Attributes = append(t.Attributes, a)
		unique = append(unique, r.boolean(m, "init."+at, "unique"))
		keyed = keyed || a.PrimaryKey
	}
	if len(items) > 0 && len(t.Attributes) > 0 && !keyed {
		if _, ok := bare(items[0]); ok {
			t.Attributes[0].PrimaryKey = true
		}
	}
	return unique
}

var sizedVarchar = regexp.MustCompile(`^varchar\((\d{1,9})\)$`)

// otherNames are spellings of types that people use.
var otherNames = map[string]ports.Type{
	"string": ports.TypeText, "int": ports.TypeInteger, "bool": ports.TypeBoolean,
	"double": ports.TypeFloat, "datetime": ports.TypeTimestamp, "jsonb": ports.TypeJSON, "blob": ports.TypeBytes,
}

func (r *reader) typeOf(a *ports.Attribute, m map[string]*yaml.Node, path string) {
	a.Type = ports.TypeText
	if n := m["type"]; n != nil {
		r.at[path+".type"] = n
		name := strings.ToLower(r.text(m, "init."+path, "type"))
		a.Type = ports.Type(name)
		if t, ok := otherNames[name]; ok {
			a.Type = t
		}
		if size := sizedVarchar.FindStringSubmatch(name); size != nil {
			a.Type = ports.TypeVarchar
			a.Size, _ = strconv.Atoi(size[1])
			if a.Size == 0 {
				r.add(n, "init."+path+".type", "a varchar of size 0")
			}
		}
	}
	if n := m["size"]; n != nil {
		r.at[path+".size"] = n
		if a.Size != 0 {
			r.add(n, "init."+path+".size", "the size is given twice")
		}
		a.Size = r.number(m, "init."+path, "size")
	}
}

func (r *reader) defaultOf(a ports.Attribute, m map[string]*yaml.Node, path string) *ports.Default {
	n := m["default"]
	if n == nil || null(n) {
		return nil
	}
	r.at[path+".default"] = n
	if n.Kind != yaml.ScalarNode {
		r.add(n, "init."+path+".default", "expected one value; JSON stands in quotes")
		return nil
	}
	word := strings.TrimSuffix(strings.ToLower(n.Value), "()")
	switch {
	case a.Type == ports.TypeTimestamp && word == "now":
		return &ports.Default{Kind: ports.DefaultNow}
	case a.Type == ports.TypeUUID && (word == "random" || word == "gen_random_uuid"):
		return &ports.Default{Kind: ports.DefaultRandom}
	case a.Type == ports.TypeBoolean:
		return &ports.Default{Text: strings.ToLower(n.Value)}
	}
	return &ports.Default{Text: n.Value}
}

var condition = regexp.MustCompile(`(?i)^\s*(\w+)\s+is\s+(not\s+)?null\s*$`)

func (r *reader) index(n *yaml.Node, path string, t ports.Table) (ports.Index, bool) {
	full := "init." + path
	m := r.mapping(n, full, "name", "keys", "unique", "where", "words", "column")
	if m == nil {
		return ports.Index{}, false
	}
	x := ports.Index{Name: r.text(m, full, "name"), Unique: r.boolean(m, full, "unique"), Column: r.text(m, full, "column")}
	if n := m["column"]; n != nil {
		r.at[path+".column"] = n
	}
	for i, item := range r.items(m["keys"], full+".keys") {
		at := fmt.Sprintf("%s.keys[%d]", path, i)
		r.at[at] = item
		x.Keys = append(x.Keys, r.key(item, at))
	}
	for i, item := range r.items(m["words"], full+".words") {
		at := fmt.Sprintf("%s.words[%d]", path, i)
		r.at[at] = item
		name, ok := bare(item)
		if !ok {
			r.add(item, "init."+at, "expected the name of an attribute")
			return x, false
		}
		x.Words = append(x.Words, name)
	}
	if w := m["where"]; w != nil {
		r.at[path+".where"] = w
		c := condition.FindStringSubmatch(w.Value)
		if w.Kind != yaml.ScalarNode || c == nil {
			r.add(w, full+".where", "expected \"<attribute> is null\" or \"<attribute> is not null\"")
			return x, false
		}
		x.Where = &ports.Condition{Attribute: c[1], NotNull: c[2] != ""}
	}
	if m["name"] == nil {
		x.Name = indexName(t, x)
	}
	return x, true
}

func (r *reader) key(n *yaml.Node, path string) ports.Key {
	if name, ok := bare(n); ok {
		return ports.Key{Attribute: name}
	}
	full := "init." + path
	m := r.mapping(n, full, "name", "prefix", "nulls")
	if m == nil || !r.need(n, full, m, "name") {
		return ports.Key{}
	}
	k := ports.Key{Attribute: r.text(m, full, "name"), Prefix: r.number(m, full, "prefix")}
	if v := m["nulls"]; v != nil {
		if v.Value != "least" {
			r.add(v, full+".nulls", "expected \"least\"")
		}
		k.NullsLeast = true
	}
	return k
}

// indexName names an index after its table and attributes, in at most 63 bytes.
func indexName(t ports.Table, x ports.Index) string {
	parts := []string{t.Name}
	for _, k := range x.Keys {
		parts = append(parts, k.Attribute)
	}
	parts = append(parts, x.Words...)
	switch {
	case len(x.Words) > 0:
		parts = append(parts, "words")
	case x.Unique:
		parts = append(parts, "key")
	default:
		parts = append(parts, "idx")
	}
	name := strings.Join(parts, "_")
	if len(name) > 63 {
		sum := sha256.Sum256([]byte(name))
		name = name[:54] + "_" + hex.EncodeToString(sum[:4])
	}
	return name
}
