package migrations_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/ports"
)

func read(t *testing.T, text string) ports.Schema {
	t.Helper()
	f, err := migrations.Read("some/dir/a.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLongForm(t *testing.T) {
	got := read(t, `
init:
  schemas:
    - name: dungeonmaster
  tables:
    - name: characters
      schema: dungeonmaster
      attributes:
        - {name: characterid, type: uuid, primary_key: true, default: random}
        - {name: name, type: text, default: ""}
        - {name: label, type: varchar, size: 20, required: true, unique: true, default: 7}
        - {name: other, type: varchar(30)}
        - {name: made, type: timestamp, default: now()}
        - {name: alive, type: bool, default: True}
        - {name: xp, type: int, default: 0}
        - {name: nothing, default: null}
      indexes:
        - {name: by_made, keys: [{name: made, nulls: least}, {name: name, prefix: 10}, characterid], where: alive IS NOT NULL}
        - {keys: [xp, alive], unique: true}
`)
	literal := func(s string) *ports.Default { return &ports.Default{Text: s} }
	want := ports.Schema{Schemas: []string{"dungeonmaster"}, Tables: []ports.Table{{
		Schema: "dungeonmaster", Name: "characters",
		Attributes: []ports.Attribute{
			{Name: "characterid", Type: ports.TypeUUID, PrimaryKey: true, Default: &ports.Default{Kind: ports.DefaultRandom}},
			{Name: "name", Type: ports.TypeText, Default: literal("")},
			{Name: "label", Type: ports.TypeVarchar, Size: 20, Required: true, Default: literal("7")},
			{Name: "other", Type: ports.TypeVarchar, Size: 30},
			{Name: "made", Type: ports.TypeTimestamp, Default: &ports.Default{Kind: ports.DefaultNow}},
			{Name: "alive", Type: ports.TypeBoolean, Default: literal("true")},
			{Name: "xp", Type: ports.TypeInteger, Default: literal("0")},
			{Name: "nothing", Type: ports.TypeText},
		},
		Indexes: []ports.Index{
			{Name: "by_made", Keys: []ports.Key{{Attribute: "made", NullsLeast: true}, {Attribute: "name", Prefix: 10}, {Attribute: "characterid"}}, Where: &ports.Condition{Attribute: "alive", NotNull: true}},
			{Name: "characters_xp_alive_key", Keys: []ports.Key{{Attribute: "xp"}, {Attribute: "alive"}}, Unique: true},
			{Name: "characters_label_key", Keys: []ports.Key{{Attribute: "label"}}, Unique: true},
		},
	}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestShortForms(t *testing.T) {
	got := read(t, `
init:
  schemas: [one, {name: two}]
  tables:
    a: {schema: one, attributes: [id, name]}
    b: {schema: two, attributes: [x, {name: id, type: integer, primary_key: true}]}
    c: {schema: "", attributes: [{name: x}, y]}
`)
	text := func(name string, key bool) ports.Attribute {
		return ports.Attribute{Name: name, Type: ports.TypeText, PrimaryKey: key}
	}
	want := ports.Schema{Schemas: []string{"one", "two"}, Tables: []ports.Table{
		{Schema: "one", Name: "a", Attributes: []ports.Attribute{text("id", true), text("name", false)}},
		{Schema: "two", Name: "b", Attributes: []ports.Attribute{text("x", false), {Name: "id", Type: ports.TypeInteger, PrimaryKey: true}}},
		{Name: "c", Attributes: []ports.Attribute{text("x", false), text("y", false)}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAllThatIsWrongIsToldWithItsLine(t *testing.T) {
	_, err := migrations.Read("bad.yaml", strings.NewReader(`init:
  schemas:
    - {}
    - name: "bad name"
    - {name: ok, colour: red}
  tables:
    - schema: ok
      attributes: [a]
    - name: t
      attributes:
        - {type: uuid}
        - {name: x, type: money}
        - {name: n, type: integer, default: many}
        - {name: n, type: text}
    - name: u
      schema: ok
    - name: v
      schema: ok
      attributes: []
    - name: w
      schema: ok
      attributes: [a]
      attributes: [b]
    - name: x
      schema:
      attributes: [a, "b; drop"]
      indexes:
        - {keys: [zzz]}
        - {keys: [a], where: a > 5}
`))
	var problems migrations.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("want Problems, got %v", err)
	}
	text := err.Error()
	for _, want := range []string{
		`bad.yaml:3: init.schemas[0].name: the required parameter "name" is missing`,
		`bad.yaml:4: init.schemas[1]: the name "bad name"`,
		`bad.yaml:5: init.schemas[2].colour: unknown parameter`,
		`bad.yaml:7: init.tables[0].name: the required parameter "name" is missing`,
		`bad.yaml:9: init.tables[1].schema: the required parameter "schema" is missing`,
		`bad.yaml:11: init.tables[1].attributes[0].name: the required parameter "name" is missing`,
		`bad.yaml:12: init.tables[1].attributes[1].type: unknown type "money"`,
		`bad.yaml:13: init.tables[1].attributes[2].default: "many" is no integer`,
		`bad.yaml:14: init.tables[1].attributes[3].name: the attribute "n" is described twice`,
		`bad.yaml:15: init.tables[2].attributes: the required parameter "attributes" is missing`,
		`bad.yaml:19: init.tables[3].attributes: a table needs at least one attribute`,
		`bad.yaml:23: init.tables[4].attributes: the parameter is given twice`,
		`bad.yaml:25: init.tables[5].schema: the required parameter "schema" is missing`,
		`bad.yaml:26: init.tables[5].attributes[1].name: the name "b; drop"`,
		`bad.yaml:28: init.tables[5].indexes[0].keys[0]: the table has no attribute "zzz"`,
		`bad.yaml:29: init.tables[5].indexes[1].where: expected`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the error lacks %s", want)
		}
	}
	if t.Failed() || len(problems) != 16 {
		t.Errorf("want 16 problems, got %d:\n%s", len(problems), text)
	}
}

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty":           "",
		"only a comment":  "# nothing\n",
		"no mapping":      "- a\n",
		"no init":         "tables: []\n",
		"null init":       "init:\n",
		"nothing in init": "init: {}\n",
		"unknown":         "init: {schemas: [a], views: [b]}\n",
		"two documents":   "init: {schemas: [a]}\n---\ninit: {schemas: [b]}\n",
		"anchor":          "init: {schemas: [&a x, *a]}\n",
		"merge key":       "init: {schemas: [{<<: {name: x}}]}\n",
		"broken":          "init: {schemas: [a\n",
		"deep":            "init: " + strings.Repeat("[", 60) + strings.Repeat("]", 60),
		"very deep":       "init: " + strings.Repeat("[", 200000),
		"binary":          "init: {schemas: [\x00]}\n",
		"number as name":  "init: {schemas: [1]}\n",
		"scalar schemas":  "init: {schemas: a}\n",
		"text as bool":    "init: {tables: {a: {schema: s, attributes: [{name: x, primary_key: 'true'}]}}}\n",
		"words uncounted": "init: {tables: {a: {schema: s, attributes: [a], indexes: [{words: [a]}]}}}\n",
		"column of keys":  "init: {tables: {a: {schema: s, attributes: [a], indexes: [{keys: [a], column: w}]}}}\n",
		"column taken":    "init: {tables: {a: {schema: s, attributes: [{name: i, type: serial, primary_key: true}, a], indexes: [{words: [a], column: A}]}}}\n",
		"columns shared":  "init: {tables: {a: {schema: s, attributes: [{name: i, type: serial, primary_key: true}, a], indexes: [{name: x, words: [a], column: w}, {name: y, words: [a], column: w}]}}}\n",
		"long column":     "init: {tables: {a: {schema: s, attributes: [{name: i, type: serial, primary_key: true}, a], indexes: [{words: [a], column: " + strings.Repeat("w", 49) + "}]}}}\n",
		"no column name":  "init: {tables: {a: {schema: s, attributes: [{name: i, type: serial, primary_key: true}, a], indexes: [{words: [a], column: 'a b'}]}}}\n",
		"index names":     "init: {tables: {a: {schema: s, attributes: [a], indexes: [{name: i, keys: [a]}, {name: I, keys: [a]}]}}}\n",
		"ledger":          "init: {tables: {templar_migrations: {schema: '', attributes: [a]}}}\n",
		"reserved":        "init: {schemas: [pg_catalog]}\n",
		"long name":       "init: {schemas: [" + strings.Repeat("a", 64) + "]}\n",
		"size of text":    "init: {tables: {a: {schema: s, attributes: [{name: a, type: text, size: 5}]}}}\n",
		"too large":       "init: {schemas: [a]}\n#" + strings.Repeat("x", migrations.MaxBytes),
		"alias bomb":      "a: &a [x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\ninit: {schemas: [a]}\n",
	} {
		if _, err := migrations.Read("x.yaml", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "x.yaml") {
			t.Errorf("%s: want an error that names the file, got %v", name, err)
		}
	}
}

func TestParts(t *testing.T) {
	f, err := migrations.Read("x.yaml", strings.NewReader("init: {schemas: [a], tables: {t: {schema: a, attributes: [id]}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := f.Schema(migrations.Schemas)
	if err != nil || len(schemas.Schemas) != 1 || len(schemas.Tables) != 0 {
		t.Errorf("schemas: got %+v, %v", schemas, err)
	}
	tables, err := f.Schema(migrations.Tables)
	if err != nil || len(tables.Schemas) != 0 || len(tables.Tables) != 1 {
		t.Errorf("tables: got %+v, %v", tables, err)
	}
	f, err = migrations.Read("x.yaml", strings.NewReader("init: {schemas: [a]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Schema(migrations.Tables); !errors.Is(err, migrations.ErrNothing) || !strings.Contains(err.Error(), "init.tables") {
		t.Errorf("want ErrNothing that names init.tables, got %v", err)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(path, []byte("init: {schemas: [a]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const sum = "b37f3dd08b629bedd69af76f64d7a746250635bda02410328bb178b07b37e79f"
	f, err := migrations.ReadFile(path)
	if err != nil || f.Name != "m.yaml" || f.Checksum != sum {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := migrations.ReadFile(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want ErrNotExist, got %v", err)
	}
}

func TestTemplarDescribesItsTables(t *testing.T) {
	s, err := migrations.Templar().Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, table := range s.Tables {
		names = append(names, table.Name)
	}
	if got := strings.Join(names, " "); got != "templates template_revisions template_labels template_label_moves api_keys idempotency_keys characters character_rolls character_receipts" {
		t.Errorf("got the tables %s", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("init: {schemas: [a], tables: {t: {schema: a, attributes: [id, {name: x, type: integer, default: 1}]}}}")
	f.Add("init:\n  tables:\n    - {name: a, schema: '', attributes: [{name: b, type: serial, primary_key: true}], indexes: [{words: [c]}]}")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := migrations.Read("f.yaml", strings.NewReader(text))
		if err != nil {
			return
		}
		s, err := file.Schema(migrations.All)
		if err == nil && len(s.Problems()) > 0 {
			t.Errorf("a file was read whose schema has problems: %v", s.Problems())
		}
	})
}
