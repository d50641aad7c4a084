package sqlite

import (
	"strings"
	"time"

	"ariga.io/atlas/sql/schema"
	atlas "ariga.io/atlas/sql/sqlite"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/ports"
)

// schemaEngine is what SQLite makes of a description.
type schemaEngine struct{}

func (schemaEngine) Fold(name string) string { return strings.ToLower(name) }

func (schemaEngine) Column(a ports.Attribute) *schema.Column {
	c := &schema.Column{Name: a.Name, Type: &schema.ColumnType{Type: columnType(a), Null: !a.Required && !a.PrimaryKey}}
	if a.Counted() {
		c.Attrs = append(c.Attrs, &atlas.AutoIncrement{})
	}
	if a.Default != nil {
		c.Default = defaultExpr(*a.Default, a.Type)
	}
	return c
}

func columnType(a ports.Attribute) schema.Type {
	switch a.Type {
	case ports.TypeVarchar:
		return &schema.StringType{T: "varchar", Size: a.Size}
	case ports.TypeInteger, ports.TypeSerial, ports.TypeBigserial:
		return &schema.IntegerType{T: "integer"}
	case ports.TypeBigint:
		return &schema.IntegerType{T: "bigint"}
	case ports.TypeFloat:
		return &schema.FloatType{T: "real"}
	case ports.TypeBoolean:
		return &schema.BoolType{T: "boolean"}
	case ports.TypeTimestamp:
		return &schema.TimeType{T: "timestamp"}
	case ports.TypeBytes:
		return &schema.BinaryType{T: "blob"}
	}
	return &schema.StringType{T: "text"}
}

// The time with microseconds, three of which SQLite does not know, and a
// version 4 UUID (RFC 9562).
const (
	defaultNow    = `strftime('%Y-%m-%d %H:%M:%f000', 'now')`
	defaultRandom = `lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||` +
		` substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))`
)

// defaultExpr makes a literal where it can: SQLite adds a column with any other
// expression only by copying the table.
func defaultExpr(d ports.Default, t ports.Type) schema.Expr {
	switch d.Kind {
	case ports.DefaultNow:
		return &schema.RawExpr{X: defaultNow}
	case ports.DefaultRandom:
		return &schema.RawExpr{X: defaultRandom}
	}
	switch t {
	case ports.TypeBytes:
		return &schema.RawExpr{X: "x'" + d.Text + "'"}
	case ports.TypeInteger, ports.TypeBigint, ports.TypeFloat, ports.TypeBoolean:
		return &schema.Literal{V: d.Text}
	case ports.TypeTimestamp:
		if when, err := time.Parse(ports.SchemaTime, d.Text); err == nil {
			return &schema.Literal{V: sqlschema.Quote(when.Format(sqlstore.SQLiteTime))}
		}
	case ports.TypeUUID:
		return &schema.Literal{V: sqlschema.Quote(strings.ToLower(d.Text))}
	}
	quoted := sqlschema.Quote(d.Text)
	if strings.Contains(quoted, `\`) {
		return &schema.RawExpr{X: quoted} // Atlas takes a backslash for an escape in a literal
	}
	return &schema.Literal{V: quoted}
}

func (schemaEngine) SameDefault(have *schema.Column, want ports.Default, t ports.Type) bool {
	text := exprText(have.Default)
	lower := strings.ToLower(text)
	switch want.Kind {
	case ports.DefaultNow:
		return strings.Contains(lower, "'now'") || strings.Contains(lower, "current_timestamp")
	case ports.DefaultRandom:
		return strings.Contains(lower, "randomblob(")
	}
	if t == ports.TypeBytes {
		text = strings.TrimPrefix(strings.Trim(lower, "()"), "x")
	}
	literal, ok := sqlschema.Unquote(text)
	if t == ports.TypeBoolean {
		literal = map[string]string{"0": "false", "1": "true"}[literal] + strings.Trim(literal, "01")
	}
	return ok && sqlschema.SameLiteral(t, literal, want.Text)
}

func exprText(x schema.Expr) string {
	switch x := x.(type) {
	case *schema.Literal:
		return x.V
	case *schema.RawExpr:
		return x.X
	}
	return ""
}

// Fit compares by kind: SQLite's columns take values of any size.
func (schemaEngine) Fit(have *schema.Column, want ports.Attribute) sqlschema.Fit {
	fits := false
	switch have.Type.Type.(type) {
	case *schema.StringType:
		fits = want.Type == ports.TypeText || want.Type == ports.TypeVarchar || want.Type == ports.TypeUUID || want.Type == ports.TypeJSON
	case *schema.UUIDType:
		fits = want.Type == ports.TypeUUID
	case *schema.JSONType:
		fits = want.Type == ports.TypeJSON
	case *schema.IntegerType:
		fits = want.Type == ports.TypeInteger || want.Type == ports.TypeBigint || want.Counted()
	case *schema.FloatType:
		fits = want.Type == ports.TypeFloat
	case *schema.BoolType:
		fits = want.Type == ports.TypeBoolean
	case *schema.TimeType:
		fits = want.Type == ports.TypeTimestamp
	case *schema.BinaryType:
		fits = want.Type == ports.TypeBytes
	}
	if fits {
		return sqlschema.Same
	}
	return sqlschema.Lossy
}

func (e schemaEngine) Index(t *schema.Table, x ports.Index) *schema.Index {
	idx := &schema.Index{Name: x.Name, Unique: x.Unique, Table: t}
	for i, k := range x.Keys {
		p := &schema.IndexPart{SeqNo: i + 1}
		switch c := sqlschema.Column(e, t, k.Attribute); {
		case k.Prefix > 0:
			p.X = &schema.RawExpr{X: sqlstore.TextKey(sqlstore.EngineSQLite, c.Name, k.Prefix)}
		case k.NullsLeast:
			p.X = &schema.RawExpr{X: sqlstore.TimeKey(sqlstore.EngineSQLite, c.Name)}
		default:
			p.C = c
		}
		idx.Parts = append(idx.Parts, p)
	}
	if w := x.Where; w != nil {
		is := " IS NULL"
		if w.NotNull {
			is = " IS NOT NULL"
		}
		idx.Attrs = append(idx.Attrs, &atlas.IndexPredicate{P: sqlschema.Ident(w.Attribute) + is})
	}
	return idx
}

func (e schemaEngine) SameIndex(have, want *schema.Index) bool {
	if have.Unique != want.Unique || len(have.Parts) != len(want.Parts) || predicateText(have) != predicateText(want) {
		return false
	}
	for i := range have.Parts {
		h, w := have.Parts[i], want.Parts[i]
		if e.Fold(partText(h)) != e.Fold(partText(w)) || h.Desc != w.Desc {
			return false
		}
	}
	return true
}

func partText(p *schema.IndexPart) string {
	if p.C != nil {
		return p.C.Name
	}
	return sqlschema.Bare(exprText(p.X))
}

func predicateText(x *schema.Index) string {
	for _, a := range x.Attrs {
		if p, ok := a.(*atlas.IndexPredicate); ok {
			return strings.ToLower(sqlschema.Bare(p.P))
		}
	}
	return ""
}
