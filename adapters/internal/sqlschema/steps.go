package sqlschema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/schema"
)

// Ordered is changes in an order in which each can be made by itself: an index
// goes before the columns that it covers.
func Ordered(changes []schema.Change) []schema.Change {
	rank := func(c schema.Change) int {
		switch c.(type) {
		case *schema.DropIndex:
			return 0
		case *schema.DropPrimaryKey:
			return 1
		}
		return 2
	}
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b schema.Change) int { return cmp.Compare(rank(a), rank(b)) })
	return changes
}

// Describe is one line for a person.
func Describe(t *schema.Table, change schema.Change) string {
	table := TableName(t)
	switch c := change.(type) {
	case *schema.AddColumn:
		return fmt.Sprintf("add column %q to table %q", c.C.Name, table)
	case *schema.DropColumn:
		return fmt.Sprintf("drop column %q from table %q", c.C.Name, table)
	case *schema.ModifyColumn:
		return fmt.Sprintf("change column %q of table %q: %s", c.To.Name, table, what(c))
	case *schema.AddIndex:
		return fmt.Sprintf("create index %q on table %q", c.I.Name, table)
	case *schema.DropIndex:
		return fmt.Sprintf("drop index %q from table %q", c.I.Name, table)
	case *schema.ModifyIndex:
		return fmt.Sprintf("replace index %q of table %q", c.From.Name, table)
	case *schema.AddPrimaryKey:
		return fmt.Sprintf("add the primary key to table %q", table)
	case *schema.DropPrimaryKey:
		return fmt.Sprintf("drop the primary key of table %q", table)
	case *schema.ModifyPrimaryKey:
		return fmt.Sprintf("replace the primary key of table %q", table)
	}
	return fmt.Sprintf("change table %q", table)
}

// TableName is the table as a person writes it.
func TableName(t *schema.Table) string {
	if t.Schema != nil && t.Schema.Name != "" {
		return t.Schema.Name + "." + t.Name
	}
	return t.Name
}

func what(c *schema.ModifyColumn) string {
	var parts []string
	if c.Change.Is(schema.ChangeType) {
		parts = append(parts, "another type")
	}
	if c.Change.Is(schema.ChangeNull) {
		if c.To.Type.Null {
			parts = append(parts, "drop not null")
		} else {
			parts = append(parts, "set not null")
		}
	}
	if c.Change.Is(schema.ChangeDefault) {
		if c.To.Default == nil {
			parts = append(parts, "drop the default")
		} else {
			parts = append(parts, "set the default")
		}
	}
	if len(parts) == 0 {
		return "other properties"
	}
	return strings.Join(parts, ", ")
}
