package postgres

import (
	"strings"

	atlas "ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/ports"
)

// schemaEngine is what PostgreSQL makes of a description.
type schemaEngine struct{}

func (schemaEngine) Fold(name string) string { return name }

func (schemaEngine) Column(a ports.Attribute) *schema.Column {
	c := &schema.Column{Name: a.Name, Type: &schema.ColumnType{Type: columnType(a), Null: !a.Required && !a.PrimaryKey}}
	if a.Default != nil {
		c.Default = &schema.RawExpr{X: defaultExpr(*a.Default, a.Type)}
	}
	return c
}

func columnType(a ports.Attribute) schema.Type {
	switch a.Type {
	case ports.TypeUUID:
		return &schema.UUIDType{T: atlas.TypeUUID}
	case ports.TypeVarchar:
		return &schema.StringType{T: atlas.TypeCharVar, Size: a.Size}
	case ports.TypeInteger:
		return &schema.IntegerType{T: atlas.TypeInteger}
	case ports.TypeBigint:
		return &schema.IntegerType{T: atlas.TypeBigInt}
	case ports.TypeSerial:
		return &atlas.SerialType{T: atlas.TypeSerial}
	case ports.TypeBigserial:
		return &atlas.SerialType{T: atlas.TypeBigSerial}
	case ports.TypeFloat:
		return &schema.FloatType{T: atlas.TypeDouble}
	case ports.TypeBoolean:
		return &schema.BoolType{T: atlas.TypeBoolean}
	case ports.TypeTimestamp:
		return &schema.TimeType{T: atlas.TypeTimestampWOTZ}
	case ports.TypeBytes:
		return &schema.BinaryType{T: atlas.TypeBytea}
	case ports.TypeJSON:
		return &schema.JSONType{T: atlas.TypeJSONB}
	}
	return &schema.StringType{T: atlas.TypeText}
}

func defaultExpr(d ports.Default, t ports.Type) string {
	switch {
	case d.Kind == ports.DefaultNow:
		return "now()"
	case d.Kind == ports.DefaultRandom:
		return "gen_random_uuid()"
	case t == ports.TypeBytes:
		return `'\x` + d.Text + `'::bytea`
	case t == ports.TypeBoolean:
		return d.Text
	}
	return sqlschema.Quote(d.Text)
}

// nowDefaults are the expressions that people write for the time of an insert, and
// uuidDefaults those for a random id. One is as good as another.
var (
	nowDefaults  = []string{"now()", "current_timestamp", "localtimestamp", "transaction_timestamp()", "statement_timestamp()", "clock_timestamp()"}
	uuidDefaults = []string{"gen_random_uuid()", "uuid_generate_v4()"}
)

func (schemaEngine) SameDefault(have *schema.Column, want ports.Default, t ports.Type) bool {
	text := exprText(have.Default)
	switch want.Kind {
	case ports.DefaultNow:
		return containsAny(text, nowDefaults)
	case ports.DefaultRandom:
		return containsAny(text, uuidDefaults)
	}
	literal, ok := sqlschema.Unquote(text)
	if ok && t == ports.TypeBytes {
		literal, ok = strings.CutPrefix(literal, `\x`)
	}
	return ok && sqlschema.SameLiteral(t, literal, want.Text)
}

func containsAny(text string, parts []string) bool {
	text = strings.ToLower(text)
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
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

func (schemaEngine) Fit(have *schema.Column, want ports.Attribute) sqlschema.Fit {
	switch h := have.Type.Type.(type) {
	case *schema.StringType:
		return stringFit(h, want)
	case *schema.IntegerType:
		if want.Counted() && hasIdentity(have) {
			return sqlschema.Same
		}
		return integerFit(h.T, want)
	case *atlas.SerialType:
		if want.Counted() {
			return sqlschema.Same // a serial of either width counts
		}
		return integerFit(h.IntegerType().T, want)
	case *schema.FloatType:
		if want.Type == ports.TypeFloat {
			return sameIf(h.T == atlas.TypeDouble || h.T == atlas.TypeFloat8, sqlschema.Widens)
		}
	case *schema.TimeType:
		if want.Type == ports.TypeTimestamp {
			zoneless := h.T == atlas.TypeTimestamp || h.T == atlas.TypeTimestampWOTZ
			return sameIf(zoneless && (h.Precision == nil || *h.Precision == 6), widensIf(zoneless || h.T == atlas.TypeDate))
		}
	case *schema.JSONType:
		if want.Type == ports.TypeJSON {
			return sameIf(h.T == atlas.TypeJSONB, sqlschema.Lossy)
		}
	case *schema.UUIDType:
		return sameIf(want.Type == ports.TypeUUID, sqlschema.Lossy)
	case *schema.BoolType:
		return sameIf(want.Type == ports.TypeBoolean, sqlschema.Lossy)
	case *schema.BinaryType:
		return sameIf(want.Type == ports.TypeBytes, sqlschema.Lossy)
	}
	return sqlschema.Lossy
}

func sameIf(same bool, other sqlschema.Fit) sqlschema.Fit {
	if same {
		return sqlschema.Same
	}
	return other
}

func widensIf(widens bool) sqlschema.Fit {
	if widens {
		return sqlschema.Widens
	}
	return sqlschema.Lossy
}

// stringFit takes text and a varchar without a limit for the same, which they
// are.
func stringFit(have *schema.StringType, want ports.Attribute) sqlschema.Fit {
	varying := have.T == atlas.TypeText || have.T == atlas.TypeCharVar || have.T == atlas.TypeVarChar
	unlimited := varying && have.Size == 0
	switch {
	case want.Type != ports.TypeText && want.Type != ports.TypeVarchar || !varying:
		return sqlschema.Lossy
	case want.Size == 0:
		return sameIf(unlimited, sqlschema.Widens)
	}
	return sameIf(have.Size == want.Size, widensIf(!unlimited && have.Size < want.Size))
}

func integerFit(have string, want ports.Attribute) sqlschema.Fit {
	width := map[string]int{atlas.TypeSmallInt: 2, atlas.TypeInteger: 4, atlas.TypeBigInt: 8}
	need := map[ports.Type]int{ports.TypeInteger: 4, ports.TypeBigint: 8, ports.TypeSerial: 4, ports.TypeBigserial: 8}[want.Type]
	switch {
	case need == 0 || width[have] == 0 || width[have] > need:
		return sqlschema.Lossy
	case width[have] == need && !want.Counted():
		return sqlschema.Same
	}
	return sqlschema.Widens
}

func hasIdentity(c *schema.Column) bool {
	for _, a := range c.Attrs {
		if _, ok := a.(*atlas.Identity); ok {
			return true
		}
	}
	return false
}

func (e schemaEngine) Index(t *schema.Table, x ports.Index) *schema.Index {
	idx := &schema.Index{Name: x.Name, Unique: x.Unique, Table: t}
	for i, k := range x.Keys {
		p := &schema.IndexPart{SeqNo: i + 1}
		switch c := sqlschema.Column(e, t, k.Attribute); {
		case k.Prefix > 0:
			p.X = &schema.RawExpr{X: sqlstore.TextKey(sqlstore.EnginePostgres, c.Name, k.Prefix)}
		case k.NullsLeast:
			p.X = &schema.RawExpr{X: sqlstore.TimeKey(sqlstore.EnginePostgres, c.Name)}
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
		idx.Attrs = append(idx.Attrs, &atlas.IndexPredicate{P: "(" + sqlschema.Ident(w.Attribute) + is + ")"})
	}
	return idx
}

func (schemaEngine) SameIndex(have, want *schema.Index) bool {
	if have.Unique != want.Unique || len(have.Parts) != len(want.Parts) || predicateText(have) != predicateText(want) {
		return false
	}
	for _, a := range have.Attrs {
		switch a := a.(type) {
		case *atlas.IndexType:
			if !strings.EqualFold(a.T, atlas.IndexTypeBTree) {
				return false
			}
		case *atlas.IndexInclude, *atlas.IndexNullsDistinct:
			return false
		}
	}
	for i := range have.Parts {
		if partText(have.Parts[i]) != partText(want.Parts[i]) || have.Parts[i].Desc != want.Parts[i].Desc {
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
			return sqlschema.Bare(p.P)
		}
	}
	return ""
}
