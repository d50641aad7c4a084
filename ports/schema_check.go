package ports

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// SchemaTime is the layout (package time) of a timestamp's literal default; the
// fraction may be shorter or absent.
const SchemaTime = "2006-01-02 15:04:05.999999"

// LedgerTable is the table in which a Migrator keeps what Status lists. It is
// the migrator's own: a Schema cannot describe it.
const LedgerTable = "templar_migrations"

const (
	maxName    = 63       // bytes; PostgreSQL cuts longer ones in silence
	maxVarchar = 10485760 // characters; PostgreSQL's limit
	maxPrefix  = 500      // characters; four bytes each must fit into an index entry
	maxColumn  = 48       // bytes; a trigger is named after the column of a word index
)

// SchemaProblem is one thing that is wrong with a Schema.
type SchemaProblem struct {
	// Path tells where: tables[0].attributes[2].default
	Path   string
	Detail string
}

// Problems lists everything that is wrong with s, in the order of the
// description. A Migrator refuses a schema that has any.
func (s Schema) Problems() []SchemaProblem {
	c := schemaCheck{relations: map[string]string{}}
	seen := map[string]bool{}
	for i, name := range s.Schemas {
		path := fmt.Sprintf("schemas[%d]", i)
		c.name(path, name)
		c.once(seen, path, "schema", name)
	}
	for i, t := range s.Tables {
		c.table(fmt.Sprintf("tables[%d]", i), t)
	}
	return c.found
}

// schemaCheck collects the problems of one schema.
type schemaCheck struct {
	found []SchemaProblem
	// relations has the tables and indexes seen so far: they share one space
	// of names. Names are compared without case, because SQLite does.
	relations map[string]string
}

func (c *schemaCheck) add(path, format string, args ...any) {
	c.found = append(c.found, SchemaProblem{Path: path, Detail: fmt.Sprintf(format, args...)})
}

func (c *schemaCheck) name(path, name string) {
	switch {
	case name == "":
		c.add(path, "the name is empty")
	case len(name) > maxName:
		c.add(path, "the name %.20q... is longer than %d characters", name, maxName)
	case !validName(name):
		c.add(path, "the name %q is not a letter or underscore with letters, digits and underscores after it", name)
	case strings.HasPrefix(strings.ToLower(name), "sqlite_") || strings.HasPrefix(strings.ToLower(name), "pg_"):
		c.add(path, "the name %q begins with a prefix that the database keeps for itself", name)
	}
}

func validName(name string) bool {
	for i, r := range []byte(name) {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

func (c *schemaCheck) once(seen map[string]bool, path, what, name string) {
	if seen[strings.ToLower(name)] {
		c.add(path, "the %s %q is described twice", what, name)
	}
	seen[strings.ToLower(name)] = true
}

func (c *schemaCheck) relation(path, what, namespace, name string) {
	key := strings.ToLower(namespace + "." + name)
	if before, taken := c.relations[key]; taken {
		c.add(path, "the name %q is taken by %s", name, before)
		return
	}
	c.relations[key] = fmt.Sprintf("a%s of the same file", what)
}

func (c *schemaCheck) table(path string, t Table) {
	c.name(path+".name", t.Name)
	if t.Schema != "" {
		c.name(path+".schema", t.Schema)
	}
	if t.Schema == "" && strings.EqualFold(t.Name, LedgerTable) {
		c.add(path+".name", "the table %q is kept by the migrations themselves", t.Name)
	}
	c.relation(path+".name", " table", t.Schema, t.Name)
	if len(t.Attributes) == 0 {
		c.add(path+".attributes", "a table needs at least one attribute")
	}
	seen := map[string]bool{}
	for i, a := range t.Attributes {
		at := fmt.Sprintf("%s.attributes[%d]", path, i)
		c.name(at+".name", a.Name)
		c.once(seen, at+".name", "attribute", a.Name)
		c.attribute(at, t, a)
	}
	for i, x := range t.Indexes {
		c.index(fmt.Sprintf("%s.indexes[%d]", path, i), t, x)
	}
}

func (c *schemaCheck) attribute(path string, t Table, a Attribute) {
	if !slices.Contains(Types(), a.Type) {
		c.add(path+".type", "unknown type %q; the types are %s", a.Type, typeList())
		return
	}
	if a.Size != 0 && a.Type != TypeVarchar {
		c.add(path+".size", "only a varchar has a size")
	} else if a.Size < 0 || a.Size > maxVarchar {
		c.add(path+".size", "the size is not between 1 and %d", maxVarchar)
	}
	if a.Counted() {
		if keys := t.PrimaryKey(); !a.PrimaryKey || len(keys) != 1 {
			c.add(path+".type", "a %s attribute must be the only primary key of its table", a.Type)
		}
		if a.Default != nil {
			c.add(path+".default", "a %s attribute counts by itself and has no default", a.Type)
		}
		return
	}
	if a.Default != nil {
		if err := a.Default.check(a); err != nil {
			c.add(path+".default", "%v", err)
		}
	}
}

func (c *schemaCheck) index(path string, t Table, x Index) {
	c.name(path+".name", x.Name)
	c.relation(path+".name", "n index", t.Schema, x.Name)
	known := func(path, name string) (Attribute, bool) {
		a, ok := t.Attribute(name)
		if !ok {
			c.add(path, "the table has no attribute %q", name)
		}
		return a, ok
	}
	if (len(x.Keys) == 0) == (len(x.Words) == 0) {
		c.add(path, "an index has either keys or words")
	}
	for i, k := range x.Keys {
		at := fmt.Sprintf("%s.keys[%d]", path, i)
		a, ok := known(at, k.Attribute)
		if !ok {
			continue
		}
		switch {
		case k.Prefix != 0 && !a.text():
			c.add(at+".prefix", "only a text or varchar has a prefix")
		case k.Prefix < 0 || k.Prefix > maxPrefix:
			c.add(at+".prefix", "the prefix is not between 1 and %d", maxPrefix)
		}
		if k.NullsLeast && a.Type != TypeTimestamp {
			c.add(at+".nulls", "only the nulls of a timestamp can be ordered as the least")
		}
	}
	if x.Where != nil {
		known(path+".where", x.Where.Attribute)
	}
	if x.Column != "" {
		c.column(path+".column", t, x)
	}
	if len(x.Words) == 0 {
		return
	}
	if x.Unique || x.Where != nil {
		c.add(path, "a word index is neither unique nor limited to some rows")
	}
	for i, w := range x.Words {
		at := fmt.Sprintf("%s.words[%d]", path, i)
		if a, ok := known(at, w); ok && !a.text() {
			c.add(at, "only a text or varchar has words")
		}
	}
	if keys := t.PrimaryKey(); len(keys) != 1 || !keys[0].Counted() {
		c.add(path+".words", "a word index needs a table whose primary key is a serial")
	}
}

// column checks the column of a word index.
func (c *schemaCheck) column(path string, t Table, x Index) {
	c.name(path, x.Column)
	same := func(name string) bool { return strings.EqualFold(name, x.Column) }
	switch {
	case len(x.Words) == 0:
		c.add(path, "only a word index has a column")
	case len(x.Column) > maxColumn:
		c.add(path, "the column %.20q... is longer than %d characters", x.Column, maxColumn)
	case slices.ContainsFunc(t.Attributes, func(a Attribute) bool { return same(a.Name) }):
		c.add(path, "the column %q is an attribute; a word index has one of its own", x.Column)
	case slices.ContainsFunc(t.Indexes, func(other Index) bool { return other.Name != x.Name && same(other.Column) }):
		c.add(path, "the column %q is that of another word index", x.Column)
	}
}

// Attribute is the attribute of that name.
func (t Table) Attribute(name string) (Attribute, bool) {
	for _, a := range t.Attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// PrimaryKey lists the attributes that form the primary key.
func (t Table) PrimaryKey() []Attribute {
	var keys []Attribute
	for _, a := range t.Attributes {
		if a.PrimaryKey {
			keys = append(keys, a)
		}
	}
	return keys
}

// Counted tells whether the engine gives the attribute its values.
func (a Attribute) Counted() bool { return a.Type == TypeSerial || a.Type == TypeBigserial }

func (a Attribute) text() bool { return a.Type == TypeText || a.Type == TypeVarchar }

func typeList() string {
	var b strings.Builder
	for i, t := range Types() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(t))
	}
	return b.String()
}

// check tells whether d can be the default of a.
func (d Default) check(a Attribute) error {
	switch d.Kind {
	case DefaultNow:
		if a.Type != TypeTimestamp {
			return fmt.Errorf("only a timestamp can default to the present")
		}
		return nil
	case DefaultRandom:
		if a.Type != TypeUUID {
			return fmt.Errorf("only a uuid can default to a random value")
		}
		return nil
	}
	if !utf8.ValidString(d.Text) || strings.ContainsRune(d.Text, 0) {
		return fmt.Errorf("the default is not valid UTF-8 without NUL")
	}
	if a.Type == TypeVarchar && a.Size > 0 && utf8.RuneCountInString(d.Text) > a.Size {
		return fmt.Errorf("the default is longer than %d characters", a.Size)
	}
	if !literalFits(a.Type, d.Text) {
		return fmt.Errorf("%.40q is no %s", d.Text, a.Type)
	}
	return nil
}

func literalFits(t Type, text string) bool {
	var err error
	switch t {
	case TypeInteger:
		_, err = strconv.ParseInt(text, 10, 32)
	case TypeBigint:
		_, err = strconv.ParseInt(text, 10, 64)
	case TypeFloat:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		if math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(text, "xX_") {
			return false
		}
	case TypeBoolean:
		return text == "true" || text == "false"
	case TypeTimestamp:
		_, err = time.Parse(SchemaTime, text)
	case TypeUUID:
		return isUUID(text)
	case TypeBytes:
		_, err = hex.DecodeString(text)
	case TypeJSON:
		return json.Valid([]byte(text))
	}
	return err == nil
}

func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range []byte(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') {
			return false
		}
		if !dash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(r)) {
			return false
		}
	}
	return true
}
