package harper

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bitbucket.org/templar/templar/ports"
)

// migrationWait bounds the wait for other processes that migrate.
const migrationWait = 10 * time.Minute

// ledgerTable is ports.LedgerTable.
var ledgerTable = table{ports.LedgerTable, rowKey}

// Migrator implements ports.Migrator for Harper.
//
// Harper knows databases (schemas), tables with a hash attribute, and names of attributes; it has no types, defaults,
// required or unique attributes. So these are not enforced, and a change of them is none. The hash attribute is the
// primary key; where that is counted by the engine, which Harper does not, it is the required attribute that has a
// unique index of its own; where it has several attributes, a further one, rowkey. Every attribute is indexed by
// itself; a described index of another kind becomes an attribute of its name, for the key that whoever writes the row
// puts there.
//
// There are no transactions: a migration that breaks off leaves what it has made, and the next goes on from there. A
// lease keeps two from running at once. The tables in which it and the stores keep their own books are made by Apply,
// and listed by nobody.
type Migrator struct{ d *DB }

// NewMigrator makes a Migrator of the schemas of a server; those of a description without a name are the DB's own.
func NewMigrator(d *DB) *Migrator { return &Migrator{d} }

// change is a step of a plan.
type migration struct {
	ports.Change
	operations []operation
}

// checked refuses a schema with problems.
func checked(want ports.Schema) error {
	problems := want.Problems()
	if len(problems) == 0 {
		return nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.Path + ": " + p.Detail
	}
	return errors.New("the schema is wrong: " + strings.Join(lines, "; "))
}

// Plan implements ports.Migrator.
func (m *Migrator) Plan(ctx context.Context, want ports.Schema) ([]ports.Change, error) {
	if err := checked(want); err != nil {
		return nil, err
	}
	steps, err := m.plan(ctx, want)
	if err != nil {
		return nil, fmt.Errorf("planning the migration: %w", err)
	}
	changes := make([]ports.Change, len(steps))
	for i, s := range steps {
		changes[i] = s.Change
	}
	return changes, nil
}

// Apply implements ports.Migrator, but for the transaction.
func (m *Migrator) Apply(ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
	if err := checked(want); err != nil {
		return nil, err
	}
	if err := m.books(ctx); err != nil {
		return nil, fmt.Errorf("beginning the migration: %w", err)
	}
	lock := newLease(m.d, migrationPrefix)
	waiting, cancel := context.WithTimeout(ctx, migrationWait)
	err := lock.wait(waiting, true)
	cancel()
	if err != nil {
		return nil, fmt.Errorf("waiting for the migration lock: %w", err)
	}
	defer lock.end()
	steps, err := m.plan(ctx, want)
	if err != nil {
		return nil, fmt.Errorf("planning the migration: %w", err)
	}
	changes := make([]ports.Change, 0, len(steps))
	for _, s := range steps {
		s.Held = s.Drops && !opts.AllowDrop
		if !s.Held {
			for _, op := range s.operations {
				if err := m.make(ctx, op); err != nil {
					return nil, fmt.Errorf("%s: %w", s.Summary, err)
				}
			}
		}
		changes = append(changes, s.Change)
	}
	if opts.Name != "" {
		if err := m.note(ctx, opts); err != nil {
			return nil, fmt.Errorf("recording the migration: %w", err)
		}
	}
	return changes, nil
}

// make sends an operation that creates or drops; what is there already is no error.
func (m *Migrator) make(ctx context.Context, op operation) error {
	err := m.d.client.do(ctx, op, nil)
	var r *refusal
	if errors.As(err, &r) && r.exists() {
		return nil
	}
	return err
}

// books makes the tables that stores and migrations keep for themselves.
func (m *Migrator) books(ctx context.Context) error {
	own := []physicalTable{
		{m.d.schema, stateTable, stateAttributes},
		{m.d.schema, ledgerTable, []string{rowKey, "name", "checksum", "applied"}},
	}
	have, err := m.describe(ctx)
	if err != nil {
		return err
	}
	if have[m.d.schema] == nil {
		if err := m.make(ctx, createSchema(m.d.schema)); err != nil {
			return err
		}
	}
	for _, t := range own {
		found := have[t.schema][t.name]
		if found == nil {
			if err := m.make(ctx, t.create()); err != nil {
				return err
			}
		}
		for _, attribute := range t.attributes {
			if attribute != t.hash && !found.has(attribute) {
				if err := m.make(ctx, t.attribute("create_attribute", attribute)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ledgerRow is a record of Status.
type ledgerRow struct {
	RowKey   string `json:"rowkey"`
	Name     string `json:"name"`
	Checksum string `json:"checksum"`
	Applied  string `json:"applied"`
}

// Status implements ports.Migrator.
func (m *Migrator) Status(ctx context.Context) ([]ports.Applied, error) {
	have, err := m.describe(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	if have[m.d.schema][ledgerTable.name] == nil {
		return nil, nil
	}
	var all []ports.Applied
	sc := scan{table: ledgerTable, along: rowKey, attributes: []string{rowKey, "name", "checksum", "applied"}, page: lightPage}
	err = walk(ctx, m.d, sc, func(r *ledgerRow) string { return r.RowKey }, func(r *ledgerRow) error {
		when, err := timeOf(r.Applied)
		all = append(all, ports.Applied{Name: r.Name, Checksum: r.Checksum, When: when})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	slices.SortFunc(all, func(a, b ports.Applied) int {
		return cmp.Or(a.When.Compare(b.When), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// note adds a record unless the newest one of that name has the same checksum. A file that went back to an old form
// has that record renewed.
func (m *Migrator) note(ctx context.Context, opts ports.ApplyOptions) error {
	all, err := m.Status(ctx)
	if err != nil {
		return err
	}
	for _, a := range slices.Backward(all) {
		if a.Name == opts.Name {
			if a.Checksum == opts.Checksum {
				return nil
			}
			break
		}
	}
	sum := sha256.Sum256([]byte(opts.Name + "\x00" + opts.Checksum))
	return m.d.upsert(ctx, ledgerTable, record{rowKey: hex.EncodeToString(sum[:]), "name": opts.Name, "checksum": opts.Checksum,
		"applied": timeText(time.UnixMicro(m.d.number()))})
}

// described is a table as Harper describes it.
type described struct {
	Hash       string `json:"hash_attribute"`
	Attributes []struct {
		Name string `json:"attribute"`
	} `json:"attributes"`
}

func (t *described) has(attribute string) bool {
	if t == nil {
		return false
	}
	for _, a := range t.Attributes {
		if a.Name == attribute {
			return true
		}
	}
	return false
}

// describe reads which tables there are, by schema and name.
func (m *Migrator) describe(ctx context.Context) (map[string]map[string]*described, error) {
	raw := map[string]json.RawMessage{}
	err := m.d.client.do(ctx, operation{"operation": "describe_all"}, func(body io.Reader) error { return json.NewDecoder(body).Decode(&raw) })
	if err != nil {
		return nil, err
	}
	have := map[string]map[string]*described{}
	for name, text := range raw {
		tables := map[string]*described{}
		if err := json.Unmarshal(text, &tables); err != nil {
			continue // what is no schema, such as a figure of the whole server
		}
		have[name] = tables
	}
	return have, nil
}
