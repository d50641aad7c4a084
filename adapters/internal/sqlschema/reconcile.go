// Package sqlschema compares a described table with the one that a database
// has, for the migrators of PostgreSQL and SQLite. Atlas inspects the database
// and writes the statements; what may be changed at all is decided here.
package sqlschema

import (
	"slices"

	"ariga.io/atlas/sql/schema"

	"bitbucket.org/templar/templar/ports"
)

// Fit tells how the type of a column that exists serves a described attribute.
type Fit int

// The ways in which a type can fit.
const (
	// Same needs no change.
	Same Fit = iota
	// Widens is a change that every value survives unchanged.
	Widens
	// Lossy is a change that may refuse or alter values.
	Lossy
)

// Engine is what a database makes of a description.
type Engine interface {
	// Fold is the form in which two names of the same thing are equal.
	Fold(name string) string
	// Column is the described attribute as a new column.
	Column(a ports.Attribute) *schema.Column
	// Fit compares the type of a column that exists.
	Fit(have *schema.Column, want ports.Attribute) Fit
	// SameDefault compares its default, which it has.
	SameDefault(have *schema.Column, want ports.Default, t ports.Type) bool
	// Index is the described index with Keys (not Words), over the columns of t.
	Index(t *schema.Table, x ports.Index) *schema.Index
	// SameIndex compares all but the names.
	SameIndex(have, want *schema.Index) bool
}

// Target is where a table that exists should go, in two steps.
type Target struct {
	// Have is the table as inspected, without its word indexes.
	Have *schema.Table
	// Kept is Have with all that the description adds. Nothing is lost on the
	// way from Have to Kept.
	Kept *schema.Table
	// Full is exactly as described. What is lost on the way from Kept to Full
	// needs leave.
	Full *schema.Table
}

// Fresh is a described table that does not exist yet.
func Fresh(e Engine, want ports.Table, name string, in *schema.Schema) *schema.Table {
	t := &schema.Table{Name: name, Schema: in}
	for _, a := range want.Attributes {
		t.Columns = append(t.Columns, e.Column(a))
	}
	t.PrimaryKey = primaryKey(e, want, t)
	for _, x := range want.Indexes {
		if len(x.Keys) > 0 {
			t.Indexes = append(t.Indexes, e.Index(t, x))
		}
	}
	return t
}

// Reconcile finds the way from have to want. Constraints and comments that no
// description can name are left as they are.
func Reconcile(e Engine, want ports.Table, have *schema.Table) Target {
	have = withoutWords(e, want, have)
	kept := &schema.Table{Name: have.Name, Schema: have.Schema, Attrs: have.Attrs, ForeignKeys: have.ForeignKeys}
	full := &schema.Table{Name: have.Name, Schema: have.Schema, Attrs: have.Attrs, ForeignKeys: have.ForeignKeys}
	for _, c := range have.Columns {
		a, described := attribute(e, want, c.Name)
		if !described {
			kept.Columns = append(kept.Columns, c)
			continue
		}
		k, f := columns(e, c, a)
		kept.Columns = append(kept.Columns, k)
		full.Columns = append(full.Columns, f)
	}
	for _, a := range want.Attributes {
		if Column(e, have, a.Name) == nil {
			c := e.Column(a)
			kept.Columns = append(kept.Columns, c)
			full.Columns = append(full.Columns, c)
		}
	}
	full.PrimaryKey = primaryKey(e, want, full)
	kept.PrimaryKey = have.PrimaryKey
	switch {
	case have.PrimaryKey == nil:
		kept.PrimaryKey = full.PrimaryKey
	case samePrimaryKey(e, have.PrimaryKey, full.PrimaryKey):
		full.PrimaryKey = have.PrimaryKey
	}
	indexes(e, want, have, kept, full)
	return Target{Have: have, Kept: kept, Full: full}
}

// columns is c after the first and after the second step towards a.
func columns(e Engine, c *schema.Column, a ports.Attribute) (kept, full *schema.Column) {
	kept, full = copyColumn(c), copyColumn(c)
	want := e.Column(a)
	switch e.Fit(c, a) {
	case Widens:
		kept.Type.Type, kept.Type.Raw = want.Type.Type, want.Type.Raw
		full.Type.Type, full.Type.Raw = want.Type.Type, want.Type.Raw
	case Lossy:
		full.Type.Type, full.Type.Raw = want.Type.Type, want.Type.Raw
	}
	// A counted key is never null, whether or not its column says so.
	if !a.Counted() {
		kept.Type.Null = c.Type.Null && want.Type.Null
		full.Type.Null = want.Type.Null
	}
	switch {
	case a.Counted():
		// The counting is part of the type.
	case a.Default == nil:
		full.Default = nil
	case c.Default == nil || !e.SameDefault(c, *a.Default, a.Type):
		kept.Default, full.Default = want.Default, want.Default
	}
	return kept, full
}

func copyColumn(c *schema.Column) *schema.Column {
	t := *c.Type
	return &schema.Column{Name: c.Name, Type: &t, Default: c.Default, Attrs: c.Attrs}
}

// indexes fills in the indexes of kept and full.
func indexes(e Engine, want ports.Table, have, kept, full *schema.Table) {
	var missing []ports.Index
	taken := map[*schema.Index]bool{}
	for _, x := range want.Indexes {
		if len(x.Keys) == 0 {
			continue
		}
		next := e.Index(full, x)
		before := findIndex(e, have, next, taken)
		switch {
		case before == nil:
			missing = append(missing, x)
			continue
		case e.SameIndex(before, next):
			full.Indexes = append(full.Indexes, before)
		default:
			full.Indexes = append(full.Indexes, next)
		}
		taken[before] = true
	}
	kept.Indexes = slices.Clone(have.Indexes)
	for _, x := range missing {
		kept.Indexes = append(kept.Indexes, e.Index(kept, x))
		full.Indexes = append(full.Indexes, e.Index(full, x))
	}
}

// findIndex is the index of that name, else one that does the same under
// another name.
func findIndex(e Engine, have *schema.Table, want *schema.Index, taken map[*schema.Index]bool) *schema.Index {
	for _, x := range have.Indexes {
		if e.Fold(x.Name) == e.Fold(want.Name) {
			return x
		}
	}
	for _, x := range have.Indexes {
		if !taken[x] && e.SameIndex(x, want) {
			return x
		}
	}
	return nil
}

// withoutWords is a copy of have that lacks the word indexes of want: the
// migrators make those themselves.
func withoutWords(e Engine, want ports.Table, have *schema.Table) *schema.Table {
	t := *have
	t.Indexes = slices.DeleteFunc(slices.Clone(have.Indexes), func(x *schema.Index) bool {
		return slices.ContainsFunc(want.Indexes, func(w ports.Index) bool {
			return len(w.Words) > 0 && e.Fold(w.Name) == e.Fold(x.Name)
		})
	})
	return &t
}

func attribute(e Engine, t ports.Table, name string) (ports.Attribute, bool) {
	for _, a := range t.Attributes {
		if e.Fold(a.Name) == e.Fold(name) {
			return a, true
		}
	}
	return ports.Attribute{}, false
}

// Column is the column of t with that name, nil where there is none.
func Column(e Engine, t *schema.Table, name string) *schema.Column {
	for _, c := range t.Columns {
		if e.Fold(c.Name) == e.Fold(name) {
			return c
		}
	}
	return nil
}

func primaryKey(e Engine, want ports.Table, t *schema.Table) *schema.Index {
	keys := want.PrimaryKey()
	if len(keys) == 0 {
		return nil
	}
	pk := &schema.Index{Table: t, Unique: true}
	for i, a := range keys {
		pk.Parts = append(pk.Parts, &schema.IndexPart{SeqNo: i + 1, C: Column(e, t, a.Name)})
	}
	return pk
}

func samePrimaryKey(e Engine, have, want *schema.Index) bool {
	if have == nil || want == nil || len(have.Parts) != len(want.Parts) {
		return have == nil && want == nil
	}
	for i := range have.Parts {
		h, w := have.Parts[i].C, want.Parts[i].C
		if h == nil || w == nil || e.Fold(h.Name) != e.Fold(w.Name) {
			return false
		}
	}
	return true
}
