package sqlschema

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"bitbucket.org/templar/templar/ports"
)

// Quote is text as an SQL string.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Unquote is the text of an SQL string, or of a bare number or word, without
// parentheses around it and casts behind it; false where it is anything else.
func Unquote(expr string) (string, bool) {
	expr = strings.TrimSpace(expr)
	for strings.HasPrefix(expr, "(") && strings.HasSuffix(expr, ")") {
		expr = strings.TrimSpace(expr[1 : len(expr)-1])
	}
	if !strings.HasPrefix(expr, "'") {
		bare, _, _ := strings.Cut(expr, "::")
		return strings.Trim(bare, "()"), bare != "" && !strings.ContainsAny(bare, "'\" ,")
	}
	var b strings.Builder
	for i := 1; i < len(expr); i++ {
		if expr[i] != '\'' {
			b.WriteByte(expr[i])
			continue
		}
		if i+1 < len(expr) && expr[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		rest := strings.TrimSpace(expr[i+1:])
		return b.String(), rest == "" || strings.HasPrefix(rest, "::")
	}
	return "", false
}

// SameLiteral tells whether two texts of a literal mean the same value.
func SameLiteral(t ports.Type, a, b string) bool {
	if a == b {
		return true
	}
	switch t {
	case ports.TypeInteger, ports.TypeBigint:
		x, err1 := strconv.ParseInt(a, 10, 64)
		y, err2 := strconv.ParseInt(b, 10, 64)
		return err1 == nil && err2 == nil && x == y
	case ports.TypeFloat:
		x, err1 := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		return err1 == nil && err2 == nil && x == y
	case ports.TypeTimestamp:
		x, err1 := time.Parse(ports.SchemaTime, a)
		y, err2 := time.Parse(ports.SchemaTime, b)
		return err1 == nil && err2 == nil && x.Equal(y)
	case ports.TypeUUID, ports.TypeBoolean:
		return strings.EqualFold(a, b)
	case ports.TypeBytes:
		x, err1 := hex.DecodeString(a)
		y, err2 := hex.DecodeString(b)
		return err1 == nil && err2 == nil && string(x) == string(y)
	case ports.TypeJSON:
		x, ok1 := jsonValue(a)
		y, ok2 := jsonValue(b)
		return ok1 && ok2 && reflect.DeepEqual(x, y)
	}
	return false
}

// jsonValue is text decoded, with every number in one spelling.
func jsonValue(text string) (any, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	return oneSpelling(v), true
}

func oneSpelling(v any) any {
	switch v := v.(type) {
	case json.Number:
		r := new(big.Rat)
		// An exponent could ask for a million digits, so it is not written out.
		if strings.ContainsAny(string(v), "eE") {
			f, err := v.Float64()
			if err != nil || r.SetFloat64(f) == nil {
				return string(v)
			}
			return r.RatString()
		}
		if _, ok := r.SetString(string(v)); ok {
			return r.RatString()
		}
		return string(v)
	case []any:
		for i := range v {
			v[i] = oneSpelling(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = oneSpelling(v[k])
		}
	}
	return v
}

// Bare is an SQL expression without spaces, parentheses, quotes around
// identifiers and casts: two spellings of a key by which an index is made, one
// of them the database's own, are the same if their bare forms are.
func Bare(expr string) string {
	for _, cast := range []string{
		"::character varying", "::text", "::timestamp without time zone", "::timestamp",
	} {
		expr = strings.ReplaceAll(expr, cast, "")
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n()\"`[]", r) {
			return -1
		}
		return r
	}, expr)
}

// Ident is a name as an SQL identifier.
func Ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
