package harper

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
)

// Harper has no SQL worth the name, so the suite's statements are read here, as far as the checks that can be kept use
// them.
var (
	selectForm = regexp.MustCompile(`^SELECT (max\()?([\w*()]+?)\)? FROM (\S+)$`)
	insertForm = regexp.MustCompile(`^INSERT INTO (\S+) (?:\(([^)]*)\) )?VALUES \(([^)]*)\)$`)
	createForm = regexp.MustCompile(`^CREATE TABLE (\S+) \((\w+) \w+, (\w+) \w+\)$`)
)

// sqlSubject runs statements of the suite on a DB.
type sqlSubject struct{ d *DB }

func (s sqlSubject) physical(name string) (string, string) {
	if schema, table, has := strings.Cut(name, "."); has {
		return schema, table
	}
	return s.d.schema, name
}

func (s sqlSubject) exec(ctx context.Context, statement string) error {
	if m := selectForm.FindStringSubmatch(statement); m != nil {
		_, err := s.value(ctx, statement)
		return err
	}
	if m := createForm.FindStringSubmatch(statement); m != nil {
		schema, name := s.physical(m[1])
		t := physicalTable{schema, table{name, m[2]}, nil}
		return errors.Join(NewMigrator(s.d).books(ctx), s.d.client.do(ctx, t.create(), nil), s.d.client.do(ctx, t.attribute("create_attribute", m[3]), nil))
	}
	if strings.HasPrefix(statement, "CREATE INDEX ") {
		return nil // every attribute has one
	}
	m := insertForm.FindStringSubmatch(statement)
	if m == nil {
		return fmt.Errorf("%s is not read here", statement)
	}
	schema, name := s.physical(m[1])
	columns := strings.Split(m[2], ", ")
	if m[2] == "" {
		columns = []string{"a", "b"}
	}
	row := record{}
	for i, value := range strings.Split(m[3], ", ") {
		row[columns[i]] = strings.Trim(value, "'")
	}
	return s.d.client.do(ctx, operation{"operation": "insert", "schema": schema, "table": name, "records": []record{row}}, nil)
}

// value reads an attribute of the only row.
func (s sqlSubject) value(ctx context.Context, query string) (string, error) {
	m := selectForm.FindStringSubmatch(query)
	if m == nil {
		return "", fmt.Errorf("%s is not read here", query)
	}
	schema, name := s.physical(m[3])
	op := operation{"operation": "search_by_conditions", "schema": schema, "table": name, "get_attributes": []string{m[2]}, "operator": "and",
		"conditions": []operation{{"search_attribute": m[2], "search_type": "greater_than_equal", "search_value": ""}}}
	found := "<none>"
	err := rows(ctx, s.d.client, op, func(r *map[string]any) error { found = fmt.Sprint((*r)[m[2]]); return nil })
	return found, err
}

// loose is why most checks of the suite do not apply.
const (
	loose    = "Harper has no types, defaults, required and unique attributes, and counts nothing"
	noSQL    = "the check needs SQL"
	nothing  = "Harper changes nothing for a new default or type, so there is nothing to allow"
	seedless = "the seed's table was PostgreSQL's"
)

func TestMigrator(t *testing.T) {
	contract.Migrator(t, contract.MigratorHarness{
		Open: func(t *testing.T) contract.MigratorSubject {
			c, _ := place(t)
			s := sqlSubject{openAt(t, c)}
			dropOnce.Do(func() { dropSchemaLater(c, "dungeonmaster") })
			return contract.MigratorSubject{
				Migrator: func() ports.Migrator { return NewMigrator(openAt(t, c)) },
				Exec:     s.exec,
				Value:    s.value,
				Table:    func(schema, name string) string { return schema + "." + name },
			}
		},
		Lacks: map[string]string{
			"what is described is made, once":                                            loose,
			"a drop needs leave":                                                         loose,
			"an index that does the same under another name is taken":                    noSQL,
			"a migration that rows forbid changes nothing":                               loose,
			"every type with every default is as described":                              loose,
			"every type can be added to rows that are there":                             loose,
			"a serial counts and is never used twice":                                    loose,
			"several attributes form one primary key":                                    "whoever writes the rows joins the attributes in rowkey",
			"partial, prefix and nulls-least indexes stay as they are":                   loose,
			"a default can change, and needs leave to go":                                nothing,
			"a type that may lose values needs leave":                                    nothing,
			"a wider type keeps every value":                                             "Harper's integers lose precision above 2^53",
			"Templar's tables come up, and stay":                                         noSQL + "; TestTemplarsTables tries it",
			"the seed's table is brought up to date and loses nothing":                   seedless,
			"a database from before the characters gets their tables, and loses nothing": noSQL + "; TestTemplarsTables tries it",
			"an id that stands in two rows is named, and nothing changes":                seedless,
		},
	})
}

// dropOnce is for the schema that checks of the suite share.
var dropOnce sync.Once

func schemaOf(t *testing.T, text string) ports.Schema {
	t.Helper()
	f, err := migrations.Read("a.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func templarSchema(t *testing.T) ports.Schema {
	t.Helper()
	s, err := migrations.Templar().Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTemplarsTables(t *testing.T) {
	c, _ := place(t)
	d := openAt(t, c)
	m, want := NewMigrator(d), templarSchema(t)
	before := want
	before.Tables = slices.DeleteFunc(slices.Clone(want.Tables), func(t ports.Table) bool { return strings.HasPrefix(t.Name, "character") })
	if _, err := m.Apply(t.Context(), before, ports.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := d.SchemaReady(t.Context()); err == nil {
		t.Error("ready without the tables of characters")
	}
	plan, err := m.Plan(t.Context(), want)
	if err != nil || len(plan) != 3 {
		t.Fatalf("want a plan of 3 tables, got %v, %v", plan, err)
	}
	for _, c := range plan {
		if c.Drops || strings.Contains(c.Summary, "templates") || len(c.Statements) == 0 {
			t.Errorf("not what was missing: %s", c)
		}
	}
	made, err := m.Apply(t.Context(), want, ports.ApplyOptions{Name: "templar.yaml", Checksum: "1"})
	if err != nil || len(made) != 3 {
		t.Fatalf("want 3 changes, got %v, %v", made, err)
	}
	if err := d.SchemaReady(t.Context()); err != nil {
		t.Error(err)
	}
	if again, err := m.Apply(t.Context(), want, ports.ApplyOptions{AllowDrop: true}); err != nil || len(again) != 0 {
		t.Errorf("want no change, got %v, %v", again, err)
	}
	if err := d.ProbeAttribute(t.Context(), "templates", "templateid"); err != nil {
		t.Error(err)
	}
	if err := d.ProbeAttribute(t.Context(), "templates", "nothing"); err == nil {
		t.Error("an attribute that is not there was read")
	}
}

func TestADropOfAnAttributeNeedsLeave(t *testing.T) {
	c, _ := place(t)
	d := openAt(t, c)
	m := NewMigrator(d)
	long := schemaOf(t, "init:\n  schemas: [dm]\n  tables:\n    things: {schema: '', attributes: [id, name, more]}\n")
	short := schemaOf(t, "init:\n  tables:\n    things: {schema: '', attributes: [id, name]}\n")
	if _, err := m.Apply(t.Context(), long, ports.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	dropSchemaLater(c, "dm")
	for _, allowed := range []bool{false, true} {
		changes, err := m.Apply(t.Context(), short, ports.ApplyOptions{AllowDrop: allowed})
		if err != nil || len(changes) != 1 || !changes[0].Drops || changes[0].Held == allowed {
			t.Fatalf("allowed %t: got %v, %v", allowed, changes, err)
		}
	}
	if plan, err := m.Plan(t.Context(), short); err != nil || len(plan) != 0 {
		t.Errorf("want an empty plan, got %v, %v", plan, err)
	}
	other := schemaOf(t, "init:\n  tables:\n    things: {schema: '', attributes: [name, id]}\n")
	if _, err := m.Plan(t.Context(), other); !errors.Is(err, ports.ErrSchemaBlocked) {
		t.Errorf("another hash attribute: want ErrSchemaBlocked, got %v", err)
	}
}

// TestAMigrationThatBrokeOffGoesOn ends Harper's patience in the middle of a table.
func TestAMigrationThatBrokeOffGoesOn(t *testing.T) {
	s := startServer(t)
	d := openAt(t, Config{URL: s.URL, User: serverUser, Password: serverPassword, Schema: "x"})
	m, want := NewMigrator(d), templarSchema(t)
	left := 40
	s.refuse = func(op map[string]any) (int, string) {
		if op["operation"] == "create_attribute" {
			if left--; left < 0 {
				return 500, `{"error": "disk full"}`
			}
		}
		return 0, ""
	}
	if _, err := m.Apply(t.Context(), want, ports.ApplyOptions{Name: "x", Checksum: "y"}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("want the refusal, got %v", err)
	}
	left = 1 << 20
	if _, err := m.Apply(t.Context(), want, ports.ApplyOptions{Name: "x", Checksum: "y"}); err != nil {
		t.Fatal(err)
	}
	if err := d.SchemaReady(t.Context()); err != nil {
		t.Error(err)
	}
}
