package ports

import (
	"context"
	"errors"
	"time"
)

// Type is what an attribute of a described table can hold. The set is closed:
// every engine has an equivalent for each member.
type Type string

// The types of attributes. What each engine makes of them stands beside its
// migrator.
const (
	TypeUUID      Type = "uuid"
	TypeText      Type = "text"      // any length
	TypeVarchar   Type = "varchar"   // any length, or at most Attribute.Size characters
	TypeInteger   Type = "integer"   // 32 bits, signed
	TypeBigint    Type = "bigint"    // 64 bits, signed
	TypeSerial    Type = "serial"    // 32 bits, counted by the engine, the only primary key of its table
	TypeBigserial Type = "bigserial" // the same with 64 bits
	TypeFloat     Type = "float"     // 64 bits, binary
	TypeBoolean   Type = "boolean"
	TypeTimestamp Type = "timestamp" // without a zone; Templar writes UTC
	TypeBytes     Type = "bytes"
	TypeJSON      Type = "json"
)

// Types lists every Type, in the order of the documentation.
func Types() []Type {
	return []Type{
		TypeUUID, TypeText, TypeVarchar, TypeInteger, TypeBigint, TypeSerial, TypeBigserial,
		TypeFloat, TypeBoolean, TypeTimestamp, TypeBytes, TypeJSON,
	}
}

// Schema describes what should be in a database. It says nothing of what else
// is there: tables that it does not name are left alone.
type Schema struct {
	// Schemas are the namespaces to create. An engine without namespaces
	// puts them in front of the table's name.
	Schemas []string
	Tables  []Table
}

// Table is one described table.
type Table struct {
	// Schema is the namespace; empty is the one that the connection works in.
	Schema     string
	Name       string
	Attributes []Attribute
	Indexes    []Index
}

// Attribute is one column.
type Attribute struct {
	Name string
	Type Type
	// Size is the largest number of characters of a varchar; 0 is no limit.
	Size int
	// PrimaryKey may be set on several attributes: they form the key together,
	// in the order of the table.
	PrimaryKey bool
	// Required forbids null. A primary key is required anyway.
	Required bool
	// Default is nil where there is none.
	Default *Default
}

// DefaultKind says where a default value comes from.
type DefaultKind int

// The kinds of defaults.
const (
	// DefaultLiteral is the value of Default.Text.
	DefaultLiteral DefaultKind = iota
	// DefaultNow is the time of the insert (timestamp only).
	DefaultNow
	// DefaultRandom is a random UUID (uuid only).
	DefaultRandom
)

// Default is the value of an attribute that an insert does not give.
type Default struct {
	Kind DefaultKind
	// Text is a literal in its usual text form: true or false, decimal
	// digits, "2006-01-02 15:04:05.999999", JSON, hexadecimal digits for
	// bytes.
	Text string
}

// Index is an index over a table. Keys or Words is given, never both.
type Index struct {
	Name   string
	Keys   []Key
	Unique bool
	// Where limits the index to some rows; nil takes all.
	Where *Condition
	// Words makes a word-search index over the text of these attributes
	// together. Its table needs a serial primary key.
	Words []string
	// Column, of a word index, names a column in which a writer may give the
	// words of a row ready-made, in a form that only the engine knows; where it
	// is null, and after the texts were changed without it, the engine finds
	// them itself. The column is part of the index, not an attribute. Engines
	// that have no use for one make none.
	Column string
}

// Key is one part of an index.
type Key struct {
	Attribute string
	// Prefix takes only so many characters of a text, compared by code point,
	// and null as empty; 0 takes the whole attribute as it is.
	Prefix int
	// NullsLeast orders a null timestamp as 1970-01-01 00:00:00, so that keyset
	// pages can compare it.
	NullsLeast bool
}

// Condition chooses the rows whose Attribute is null, or is not.
type Condition struct {
	Attribute string
	NotNull   bool
}

// ErrSchemaBlocked is in the chain of a Migrator's errors when what is already
// in the database forbids a change (duplicates under a unique index, a null in
// a required attribute, a value that does not fit the new type). Trying again
// does not help: somebody has to look at the rows. Nothing was changed.
var ErrSchemaBlocked = errors.New("rows in the database stand in the way of the migration")

// Migrator brings a database to a described Schema. It is safe for use by
// several goroutines and several processes at once.
//
// Every method returns the context's error when the context ends, the driver's
// error (wrapped) when the database cannot be reached, and an error that names
// the table and attribute when the Schema itself is wrong (Schema.Problems).
type Migrator interface {
	// Plan tells what Apply would do, and does nothing. An empty plan means
	// that the database is as described.
	Plan(ctx context.Context, want Schema) ([]Change, error)
	// Apply makes the changes in one transaction under a lock that is held
	// against every other Apply on the same database, and returns them. On an
	// error nothing was changed; ErrSchemaBlocked marks the errors that rows
	// cause. Applied to a database that is as described it returns no change.
	Apply(ctx context.Context, want Schema, opts ApplyOptions) ([]Change, error)
	// Status lists what was applied, oldest first; empty on a database that
	// no Apply has seen.
	Status(ctx context.Context) ([]Applied, error)
}

// ApplyOptions are the choices of one Apply.
type ApplyOptions struct {
	// AllowDrop makes the changes that have Drops set; without it they are
	// left out and returned with Held set.
	AllowDrop bool
	// Name and Checksum are recorded for Status. Without a Name nothing is
	// recorded.
	Name     string
	Checksum string
}

// Applied is one record of Status.
type Applied struct {
	Name     string
	Checksum string
	When     time.Time // UTC
}

// Change is one step of a plan.
type Change struct {
	// Summary is one line for a person: `add column "deleted" to table "templates"`.
	Summary string
	// Statements are what is sent to the database, in order.
	Statements []string
	// Drops is set where something is lost: a column, an index, a type that
	// may not hold every old value. Such a change needs AllowDrop.
	Drops bool
	// Held is set by Apply on the changes that it left out for lack of
	// AllowDrop.
	Held bool
}

// String is the summary, with a note where the change needs leave.
func (c Change) String() string {
	switch {
	case c.Held:
		return c.Summary + " (left out: needs --allow-drop)"
	case c.Drops:
		return c.Summary + " (needs --allow-drop)"
	}
	return c.Summary
}
