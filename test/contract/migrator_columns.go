package contract

import (
	"context"
	"errors"
	"fmt"

	"bitbucket.org/templar/templar/ports"
)

var migratorColumns = []MigratorCheck{
	{Name: "every type with every default is as described", Run: everyType},
	{Name: "every type can be added to rows that are there", Run: func(ctx context.Context, s MigratorSubject) error {
		if err := first(s.settle(ctx, things()), s.all(ctx, `INSERT INTO things (id) VALUES (1)`)); err != nil {
			return err
		}
		var added []ports.Attribute
		for _, c := range typeCases() {
			if !c.Counted() {
				added = append(added, c.Attribute)
			}
		}
		if err := s.settle(ctx, things(added...)); err != nil {
			return err
		}
		for _, c := range typeCases() {
			if c.Default == nil || c.query == "" {
				continue
			}
			if err := s.reads(ctx, fmt.Sprintf(c.query, c.Name, "things"), c.want); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a serial counts and is never used twice", Run: func(ctx context.Context, s MigratorSubject) error {
		for _, typ := range []ports.Type{ports.TypeSerial, ports.TypeBigserial} {
			name := "counted_" + string(typ)
			want := ports.Schema{Tables: []ports.Table{{Name: name, Attributes: []ports.Attribute{{Name: "n", Type: typ, PrimaryKey: true}, textNote}}}}
			if err := first(s.settle(ctx, want), s.all(ctx, `INSERT INTO `+name+` (note) VALUES ('a'), ('b')`, `DELETE FROM `+name, `INSERT INTO `+name+` (note) VALUES ('c')`)); err != nil {
				return err
			}
			if err := s.reads(ctx, `SELECT n FROM `+name, "3"); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "several attributes form one primary key", Run: func(ctx context.Context, s MigratorSubject) error {
		want := things(ports.Attribute{Name: "part", Type: ports.TypeInteger, PrimaryKey: true})
		if err := first(s.settle(ctx, want), s.all(ctx, `INSERT INTO things (id, part) VALUES (1, 1), (1, 2)`)); err != nil {
			return err
		}
		if s.Exec(ctx, `INSERT INTO things (id, part) VALUES (1, 2)`) == nil {
			return errors.New("the key does not hold")
		}
		return nil
	}},
	{Name: "partial, prefix and nulls-least indexes stay as they are", Run: func(ctx context.Context, s MigratorSubject) error {
		made := ports.Attribute{Name: "made", Type: ports.TypeTimestamp}
		label := ports.Attribute{Name: "label", Type: ports.TypeVarchar, Size: 4000}
		want := with(things(textNote, label, made),
			ports.Index{Name: "things_live", Keys: []ports.Key{{Attribute: "note"}}, Unique: true, Where: &ports.Condition{Attribute: "made"}},
			ports.Index{Name: "things_made", Keys: []ports.Key{{Attribute: "made", NullsLeast: true}, {Attribute: "id"}}, Where: &ports.Condition{Attribute: "made", NotNull: true}},
			ports.Index{Name: "things_prefix", Keys: []ports.Key{{Attribute: "note", Prefix: 200}, {Attribute: "label", Prefix: 20}, {Attribute: "id"}}})
		if err := s.settle(ctx, want); err != nil {
			return err
		}
		if err := s.all(ctx, `INSERT INTO things (id, note) VALUES (1, 'a')`, `INSERT INTO things (id, note, made) VALUES (2, 'a', '2026-01-01 00:00:00')`); err != nil {
			return fmt.Errorf("a unique index took rows outside of its condition: %w", err)
		}
		if s.Exec(ctx, `INSERT INTO things (id, note) VALUES (3, 'a')`) == nil {
			return errors.New("a unique index missed a row inside of its condition")
		}
		other := with(want, want.Tables[0].Indexes...)
		other.Tables[0].Indexes[2].Keys = []ports.Key{{Attribute: "note", Prefix: 100}, {Attribute: "id"}}
		_, held, err := s.apply(ctx, other, ports.ApplyOptions{})
		if err != nil || len(held) != 1 {
			return fmt.Errorf("want an index of another description left out, got %s, %v", listed(held), err)
		}
		if _, _, err := s.apply(ctx, other, ports.ApplyOptions{AllowDrop: true}); err != nil {
			return err
		}
		return s.settled(ctx, other)
	}},
	{Name: "a default can change, and needs leave to go", Run: func(ctx context.Context, s MigratorSubject) error {
		a := textNote
		for _, text := range []string{"one", "two"} {
			a.Default = &ports.Default{Text: text}
			if err := s.settle(ctx, things(a)); err != nil {
				return err
			}
		}
		if err := first(s.all(ctx, `INSERT INTO things (id) VALUES (1)`), s.reads(ctx, `SELECT note FROM things`, "two")); err != nil {
			return err
		}
		_, held, err := s.apply(ctx, things(textNote), ports.ApplyOptions{})
		if err != nil || len(held) != 1 {
			return fmt.Errorf("want the going default left out, got %s, %v", listed(held), err)
		}
		return nil
	}},
	{Name: "a type that may lose values needs leave", Run: func(ctx context.Context, s MigratorSubject) error {
		if err := first(s.settle(ctx, things(textNote)), s.all(ctx, `INSERT INTO things (id, note) VALUES (1, 'no number')`)); err != nil {
			return err
		}
		number := ports.Attribute{Name: "note", Type: ports.TypeInteger}
		_, held, err := s.apply(ctx, things(number), ports.ApplyOptions{})
		if err != nil || len(held) != 1 {
			return fmt.Errorf("want the change of type left out, got %s, %v", listed(held), err)
		}
		return s.reads(ctx, `SELECT note FROM things`, "no number")
	}},
	{Name: "a wider type keeps every value", Run: func(ctx context.Context, s MigratorSubject) error {
		short := ports.Attribute{Name: "note", Type: ports.TypeVarchar, Size: 5}
		number := ports.Attribute{Name: "number", Type: ports.TypeInteger}
		if err := first(s.settle(ctx, things(short, number)), s.all(ctx, `INSERT INTO things (id, note, number) VALUES (1, 'short', 7)`)); err != nil {
			return err
		}
		number.Type, short.Size = ports.TypeBigint, 0
		if err := first(s.settle(ctx, things(short, number)), s.all(ctx, `INSERT INTO things (id, note, number) VALUES (2, 'much longer', 9007199254740993)`)); err != nil {
			return err
		}
		return first(s.reads(ctx, `SELECT max(number) FROM things`, "9007199254740993"), s.reads(ctx, `SELECT note FROM things WHERE number = 7`, "short"))
	}},
}

// typeCase is an attribute, a query of the value that its default gave (with the names of column and table), and that
// value.
type typeCase struct {
	ports.Attribute
	query, want string
}

func typeCases() []typeCase {
	literal := func(text string) *ports.Default { return &ports.Default{Text: text} }
	const plain = `SELECT CAST(%s AS text) FROM %s`
	const truth = `SELECT CASE WHEN %s THEN 'yes' ELSE 'no' END FROM %s`
	var cases []typeCase
	add := func(t ports.Type, d *ports.Default, query, want string) {
		name := fmt.Sprintf("c%d_%s", len(cases), t)
		cases = append(cases, typeCase{ports.Attribute{Name: name, Type: t, Default: d}, query, want})
		if d == nil || d.Kind == ports.DefaultLiteral && query != "" {
			required := cases[len(cases)-1]
			required.Name += "_required"
			required.Required = d != nil
			cases = append(cases, required)
		}
	}
	for _, t := range ports.Types() {
		if t != ports.TypeSerial && t != ports.TypeBigserial {
			add(t, nil, "", "")
		}
	}
	for _, text := range []string{"", "plain", "it's", `a\b\`, `"quoted"`, "'", "x'00'", "(now())", "null", "a::text", "été\nзима", "$1 ? %s"} {
		add(ports.TypeText, literal(text), plain, text)
		add(ports.TypeVarchar, literal(text), plain, text)
	}
	for _, text := range []string{"0", "-5", "2147483647"} {
		add(ports.TypeInteger, literal(text), plain, text)
	}
	add(ports.TypeBigint, literal("-9223372036854775807"), plain, "-9223372036854775807")
	add(ports.TypeBoolean, literal("true"), truth, "yes")
	add(ports.TypeBoolean, literal("false"), truth, "no")
	add(ports.TypeFloat, literal("-1.5"), plain, "-1.5")
	add(ports.TypeFloat, literal("1e20"), "", "")
	add(ports.TypeUUID, literal("12345678-90AB-cdef-1234-567890abcdef"), plain, "12345678-90ab-cdef-1234-567890abcdef")
	add(ports.TypeUUID, &ports.Default{Kind: ports.DefaultRandom}, `SELECT CASE WHEN length(CAST(%s AS text)) = 36 THEN 'yes' END FROM %s`, "yes")
	add(ports.TypeTimestamp, literal("2026-11-22 02:29:00.5"), `SELECT substr(CAST(%s AS text), 1, 21) FROM %s`, "2026-11-22 02:29:00.5")
	add(ports.TypeTimestamp, &ports.Default{Kind: ports.DefaultNow}, `SELECT CASE WHEN %s > '2026-01-01 00:00:00' THEN 'yes' END FROM %s`, "yes")
	add(ports.TypeBytes, literal("00ff27"), `SELECT CAST(length(%s) AS text) FROM %s`, "3")
	add(ports.TypeBytes, literal(""), `SELECT CAST(length(%s) AS text) FROM %s`, "0")
	add(ports.TypeJSON, literal(`{"b": [1, 1e2], "a": "it's"}`), "", "")
	add(ports.TypeJSON, literal(`5`), plain, "5")
	add(ports.TypeJSON, literal(`null`), plain, "null")
	return cases
}

func everyType(ctx context.Context, s MigratorSubject) error {
	var attributes []ports.Attribute
	cases := typeCases()
	for _, c := range cases {
		attributes = append(attributes, c.Attribute)
	}
	if err := first(s.settle(ctx, things(attributes...)), s.all(ctx, `INSERT INTO things (id) VALUES (1)`)); err != nil {
		return err
	}
	for _, c := range cases {
		if c.query == "" {
			continue
		}
		if err := s.reads(ctx, fmt.Sprintf(c.query, c.Name, "things"), c.want); err != nil {
			return fmt.Errorf("the default of a %s: %w", c.Type, err)
		}
	}
	return nil
}
