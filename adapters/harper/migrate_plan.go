package harper

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/ports"
)

// physicalTable is a described table as it is in Harper.
type physicalTable struct {
	schema string
	table
	attributes []string
}

func createSchema(name string) operation {
	return operation{"operation": "create_schema", "schema": name}
}

func (t physicalTable) create() operation {
	return operation{"operation": "create_table", "schema": t.schema, "table": t.name, "hash_attribute": t.hash}
}

// attribute is an operation on one attribute.
func (t physicalTable) attribute(name, attribute string) operation {
	return operation{"operation": name, "schema": t.schema, "table": t.name, "attribute": attribute}
}

func (m *Migrator) physical(t ports.Table) physicalTable {
	p := physicalTable{schema: t.Schema, table: table{t.Name, hashAttribute(t)}}
	if p.schema == "" {
		p.schema = m.d.schema
	}
	p.attributes = []string{p.hash}
	for _, a := range t.Attributes {
		p.attributes = append(p.attributes, a.Name)
	}
	for _, x := range t.Indexes {
		if len(x.Words) > 0 || len(x.Keys) > 1 {
			p.attributes = append(p.attributes, x.Name)
		}
	}
	seen := map[string]bool{}
	p.attributes = slices.DeleteFunc(p.attributes, func(name string) bool {
		again := seen[name]
		seen[name] = true
		return again
	})
	return p
}

// hashAttribute is what identifies a row.
func hashAttribute(t ports.Table) string {
	keys := t.PrimaryKey()
	if len(keys) > 1 {
		return rowKey
	}
	if len(keys) == 1 && !keys[0].Counted() {
		return keys[0].Name
	}
	for _, x := range t.Indexes {
		if x.Unique && len(x.Keys) == 1 && x.Where == nil && x.Keys[0].Prefix == 0 {
			if a, _ := t.Attribute(x.Keys[0].Attribute); a.Required {
				return a.Name
			}
		}
	}
	if len(keys) == 1 {
		return keys[0].Name
	}
	return rowKey
}

// plan lists the steps from what is there to what is wanted: first what adds, then what drops.
func (m *Migrator) plan(ctx context.Context, want ports.Schema) ([]migration, error) {
	have, err := m.describe(ctx)
	if err != nil {
		return nil, err
	}
	var steps, drops []migration
	schemas := slices.Clone(want.Schemas)
	for _, t := range want.Tables {
		if t.Schema != "" {
			schemas = append(schemas, t.Schema)
		}
	}
	for i, name := range schemas {
		if have[name] == nil && !slices.Contains(schemas[:i], name) {
			steps = append(steps, migrationOf(fmt.Sprintf("create schema %q", name), false, createSchema(name)))
		}
	}
	for _, t := range want.Tables {
		p := m.physical(t)
		found := have[p.schema][p.name]
		if found == nil {
			operations := []operation{p.create()}
			for _, name := range p.attributes {
				if name != p.hash {
					operations = append(operations, p.attribute("create_attribute", name))
				}
			}
			steps = append(steps, migrationOf(fmt.Sprintf("create table %q", title(t)), false, operations...))
			continue
		}
		if found.Hash != p.hash {
			return nil, fmt.Errorf("%w: the table %q has the hash attribute %q where %q is needed, and Harper cannot change it; copy its rows into a new table",
				ports.ErrSchemaBlocked, title(t), found.Hash, p.hash)
		}
		for _, name := range p.attributes {
			if !found.has(name) {
				steps = append(steps, migrationOf(fmt.Sprintf("add attribute %q to table %q", name, title(t)), false, p.attribute("create_attribute", name)))
			}
		}
		for _, a := range found.Attributes {
			if !slices.Contains(p.attributes, a.Name) && !strings.HasPrefix(a.Name, "__") {
				drops = append(drops, migrationOf(fmt.Sprintf("drop attribute %q of table %q", a.Name, title(t)), true, p.attribute("drop_attribute", a.Name)))
			}
		}
	}
	return append(steps, drops...), nil
}

func title(t ports.Table) string {
	if t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

func migrationOf(summary string, drops bool, operations ...operation) migration {
	s := migration{Change: ports.Change{Summary: summary, Drops: drops}, operations: operations}
	for _, op := range operations {
		text, err := json.Marshal(op)
		if err != nil {
			text = []byte(err.Error()) // texts under texts always are JSON
		}
		s.Statements = append(s.Statements, string(text))
	}
	return s
}

// used are the attributes that the stores ask for or write, by table.
func used() map[table][]string {
	templates := append(slices.Clone(templateFull), "templates_words", "templates_trash_deleted")
	characters := append(slices.Concat(characterFilter, characterFull), "name", "author", "revision", "modified", "characters_trash_deleted")
	for _, place := range []string{"living_", "trash_"} {
		for _, order := range []string{"created", "modified", "name"} {
			templates = append(templates, "templates_"+place+order)
			characters = append(characters, "characters_"+place+order)
		}
	}
	receipt := []string{rowKey, "username", "idempotency_key", "fingerprint", "expires"}
	return map[table][]string{
		templatesTable: templates, revisionsTable: revisionFull, labelsTable: labelAttributes, movesTable: append(slices.Clone(moveAttributes), "templateid", "label"),
		receiptsTable: append(slices.Clone(receipt), "templateid", "revision"), keysTable: keyAttributes, charactersTable: characters,
		rollsTable: append(slices.Clone(rollAttributes), "created"), characterReceiptsTable: append(slices.Clone(receipt), "answer"), stateTable: stateAttributes,
	}
}

// SchemaReady tells whether the tables are in place with all attributes that the stores use; an Unavailable fault when
// that is not so, or when Harper is away.
func (d *DB) SchemaReady(ctx context.Context) error {
	return d.seen(ctx, "schema.ready", func(ctx context.Context) error {
		have, err := NewMigrator(d).describe(ctx)
		if err != nil {
			return err
		}
		for t, attributes := range used() {
			found := have[d.schema][t.name]
			if found == nil || found.Hash != t.hash {
				return fault.New(fault.Unavailable, "the database is not ready: the table %s is not in place", t.name)
			}
			for _, name := range attributes {
				if !found.has(name) {
					return fault.New(fault.Unavailable, "the database is not ready: the attribute %s of the table %s is not in place", name, t.name)
				}
			}
		}
		return nil
	})
}

// ProbeAttribute reads one attribute of any one row of a table, which may have its schema's name and a dot before it.
// An empty table is fine. An Unavailable fault when it cannot be read, or does not exist.
func (d *DB) ProbeAttribute(ctx context.Context, name, attribute string) error {
	schema := d.schema
	if first, rest, has := strings.Cut(name, "."); has {
		schema, name = first, rest
	}
	return d.seen(ctx, "probe", func(ctx context.Context) error {
		op := operation{"operation": "search_by_conditions", "schema": schema, "table": name, "operator": "and", "limit": 1, "get_attributes": []string{attribute},
			"conditions": []operation{{"search_attribute": attribute, "search_type": "greater_than_equal", "search_value": ""}}}
		return rows(ctx, d.client, op, func(*json.RawMessage) error { return nil })
	})
}
