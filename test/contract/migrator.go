package contract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/ports"
)

// MigratorSubject is one database on trial, empty at first, with a way around the migrator.
type MigratorSubject struct {
	// Migrator gives a migrator of this database; each call as another process has it, with its own connections.
	Migrator func() ports.Migrator
	// Exec executes SQL of the dialect that the engines share.
	Exec func(ctx context.Context, statement string) error
	// Value reads one text; no row and null are "<none>".
	Value func(ctx context.Context, query string) (string, error)
	// Table is a described table as SQL names it.
	Table func(schema, name string) string
	// SeedTable is the DDL of the table that Templar's predecessor made.
	SeedTable string
}

// MigratorCheck is one promise of ports.Migrator.
type MigratorCheck = Check[MigratorSubject]

// MigratorHarness is how an adapter is tried.
type MigratorHarness struct {
	// Open gives an empty database; it registers its own clean-up.
	Open  func(t *testing.T) MigratorSubject
	Lacks map[string]string
}

// Migrator runs the suite of ports.Migrator.
func Migrator(t *testing.T, h MigratorHarness) {
	runChecks(t, MigratorChecks, h.Lacks, true, h.Open)
}

// MigratorChecks are the promises of ports.Migrator.
var MigratorChecks = slices.Concat(migratorBasics, migratorColumns, migratorTemplar)

// apply applies and answers the changes that were made, without those that were left out.
func (s MigratorSubject) apply(ctx context.Context, want ports.Schema, opts ports.ApplyOptions) (made, held []ports.Change, err error) {
	changes, err := s.Migrator().Apply(ctx, want, opts)
	for _, c := range changes {
		if c.Held {
			held = append(held, c)
		} else {
			made = append(made, c)
		}
	}
	return made, held, err
}

// settle applies, and then demands that nothing is left to do, neither planned nor applied.
func (s MigratorSubject) settle(ctx context.Context, want ports.Schema) error {
	if _, _, err := s.apply(ctx, want, ports.ApplyOptions{}); err != nil {
		return err
	}
	return s.settled(ctx, want)
}

func (s MigratorSubject) settled(ctx context.Context, want ports.Schema) error {
	plan, err := s.Migrator().Plan(ctx, want)
	if err != nil {
		return err
	}
	if len(plan) != 0 {
		return fmt.Errorf("want an empty plan after the migration, got %s", listed(plan))
	}
	again, err := s.Migrator().Apply(ctx, want, ports.ApplyOptions{AllowDrop: true})
	if err != nil {
		return err
	}
	if len(again) != 0 {
		return fmt.Errorf("want no change by the second migration, got %s", listed(again))
	}
	return nil
}

// reads complains unless the query answers want.
func (s MigratorSubject) reads(ctx context.Context, query, want string) error {
	got, err := s.Value(ctx, query)
	if err != nil {
		return fmt.Errorf("%s: %w", shorten(query), err)
	}
	if got != want {
		return fmt.Errorf("%s: want %s, got %s", shorten(query), shorten(want), shorten(got))
	}
	return nil
}

// all executes the statements in order.
func (s MigratorSubject) all(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if err := s.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", shorten(statement), err)
		}
	}
	return nil
}

// listed lists changes with their statements.
func listed(changes []ports.Change) string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, c.String()+" {"+strings.Join(c.Statements, "; ")+"}")
	}
	return strings.Join(lines, " | ")
}

// blocked complains unless err is ErrSchemaBlocked and says each of the words.
func blocked(err error, words ...string) error {
	if !errors.Is(err, ports.ErrSchemaBlocked) {
		return fmt.Errorf("want ErrSchemaBlocked, got %v", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			return fmt.Errorf("want an error that says %q, got %v", w, err)
		}
	}
	return nil
}

// things is a described table with an id and the attributes.
func things(attributes ...ports.Attribute) ports.Schema {
	id := ports.Attribute{Name: "id", Type: ports.TypeInteger, PrimaryKey: true}
	return ports.Schema{Tables: []ports.Table{{Name: "things", Attributes: append([]ports.Attribute{id}, attributes...)}}}
}

// with gives the only table of the schema indexes.
func with(s ports.Schema, indexes ...ports.Index) ports.Schema {
	s.Tables = slices.Clone(s.Tables)
	s.Tables[0].Indexes = indexes
	return s
}

var (
	textNote   = ports.Attribute{Name: "note", Type: ports.TypeText}
	noteUnique = ports.Index{Name: "things_note_key", Keys: []ports.Key{{Attribute: "note"}}, Unique: true}
)
