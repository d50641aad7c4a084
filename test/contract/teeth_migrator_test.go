package contract_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"bitbucket.org/templar/templar/adapters/sqlite"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
)

// brokenMigrator is a migrator of which some methods are replaced.
type brokenMigrator struct {
	ports.Migrator
	want  func(ports.Schema) ports.Schema
	plan  func(m ports.Migrator, ctx context.Context, want ports.Schema) ([]ports.Change, error)
	apply func(m ports.Migrator, ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error)
}

func (b brokenMigrator) Plan(ctx context.Context, want ports.Schema) ([]ports.Change, error) {
	if b.want != nil {
		want = b.want(want)
	}
	if b.plan != nil {
		return b.plan(b.Migrator, ctx, want)
	}
	return b.Migrator.Plan(ctx, want)
}

func (b brokenMigrator) Apply(ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
	if b.want != nil {
		want = b.want(want)
	}
	if b.apply != nil {
		return b.apply(b.Migrator, ctx, want, opts)
	}
	return b.Migrator.Apply(ctx, want, opts)
}

// described breaks a migrator by changing each attribute and index of what is described.
func described(attribute func(*ports.Attribute), index func(*ports.Index) (keep bool)) brokenMigrator {
	return brokenMigrator{want: func(s ports.Schema) ports.Schema {
		s.Tables = slices.Clone(s.Tables)
		for i := range s.Tables {
			t := &s.Tables[i]
			t.Attributes, t.Indexes = slices.Clone(t.Attributes), slices.Clone(t.Indexes)
			for j := range t.Attributes {
				if attribute != nil {
					attribute(&t.Attributes[j])
				}
			}
			if index != nil {
				var kept []ports.Index
				for _, x := range t.Indexes {
					if index(&x) {
						kept = append(kept, x)
					}
				}
				t.Indexes = kept
			}
		}
		return s
	}}
}

// brokenMigrators are what is wrong with each.
var brokenMigrators = map[string]brokenMigrator{
	"does nothing": {
		plan: func(ports.Migrator, context.Context, ports.Schema) ([]ports.Change, error) { return nil, nil },
		apply: func(ports.Migrator, context.Context, ports.Schema, ports.ApplyOptions) ([]ports.Change, error) {
			return nil, nil
		},
	},
	"plans by doing": {plan: func(m ports.Migrator, ctx context.Context, want ports.Schema) ([]ports.Change, error) {
		return m.Apply(ctx, want, ports.ApplyOptions{})
	}},
	"drops without leave": {apply: func(m ports.Migrator, ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
		opts.AllowDrop = true
		return m.Apply(ctx, want, opts)
	}},
	"records nothing": {apply: func(m ports.Migrator, ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
		opts.Name = ""
		return m.Apply(ctx, want, opts)
	}},
	"is deaf to the context": {apply: func(m ports.Migrator, ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
		return m.Apply(context.WithoutCancel(ctx), want, opts)
	}},
	"always changes": {apply: func(m ports.Migrator, ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
		changes, err := m.Apply(ctx, want, opts)
		return append(changes, ports.Change{Summary: "again"}), err
	}},
	"works in pieces": {apply: func(m ports.Migrator, ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
		first := described(func(a *ports.Attribute) { a.Required = false }, func(*ports.Index) bool { return false }).want(want)
		if _, err := m.Apply(ctx, first, ports.ApplyOptions{}); err != nil {
			return nil, err
		}
		return m.Apply(ctx, want, opts)
	}},
	"hides why": {apply: func(m ports.Migrator, ctx context.Context, want ports.Schema, opts ports.ApplyOptions) ([]ports.Change, error) {
		changes, err := m.Apply(ctx, want, opts)
		if err != nil {
			return nil, errors.New("failed")
		}
		return changes, nil
	}},
	"takes anything":          {plan: lenient},
	"forgets schemas":         {want: func(s ports.Schema) ports.Schema { return withoutSchemas(s) }},
	"forgets defaults":        described(func(a *ports.Attribute) { a.Default = nil }, nil),
	"forgets keys":            described(func(a *ports.Attribute) { a.PrimaryKey = a.Counted() }, nil),
	"forgets indexes":         described(nil, func(x *ports.Index) bool { return false }),
	"forgets conditions":      described(nil, func(x *ports.Index) bool { x.Where = nil; return true }),
	"knows only text":         described(func(a *ports.Attribute) { a.Type, a.Default = ports.TypeText, nil }, func(x *ports.Index) bool { return len(x.Words) == 0 }),
	"demands what was absent": described(func(a *ports.Attribute) { a.Required = true }, nil),
}

func lenient(m ports.Migrator, ctx context.Context, want ports.Schema) ([]ports.Change, error) {
	if len(want.Problems()) > 0 {
		return nil, nil
	}
	return m.Plan(ctx, want)
}

func withoutSchemas(s ports.Schema) ports.Schema {
	s.Schemas = nil
	s.Tables = slices.Clone(s.Tables)
	for i := range s.Tables {
		s.Tables[i].Schema = ""
	}
	return s
}

func TestMigratorChecksHaveTeeth(t *testing.T) {
	for _, check := range contract.MigratorChecks {
		t.Run(check.Name, func(t *testing.T) {
			t.Parallel()
			if err := check.Run(t.Context(), migratorOnTrial(t, nil)); err != nil {
				t.Fatalf("the sound migrator fails: %v", err)
			}
			var bitten []string
			for name, broken := range brokenMigrators {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if check.Run(ctx, migratorOnTrial(t, &broken)) != nil {
					bitten = append(bitten, name)
				}
				cancel()
			}
			if len(bitten) == 0 {
				t.Error("no broken migrator fails this check")
			}
			if slices.Equal(bitten, []string{"does nothing"}) {
				t.Error("only a migrator that does nothing fails this check")
			}
		})
	}
}

func TestEveryBrokenMigratorIsFound(t *testing.T) {
	for name, broken := range brokenMigrators {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, check := range contract.MigratorChecks {
				if check.Run(t.Context(), migratorOnTrial(t, &broken)) != nil {
					return
				}
			}
			t.Error("it passes every check")
		})
	}
}

// migratorOnTrial is a fresh SQLite database, whose migrator is broken unless broken is nil.
func migratorOnTrial(t *testing.T, broken *brokenMigrator) contract.MigratorSubject {
	path := filepath.Join(t.TempDir(), "trial.db")
	open := func() *sql.DB {
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	db := open()
	return contract.MigratorSubject{
		Migrator: func() ports.Migrator {
			var m ports.Migrator = sqlite.NewMigrator(open())
			if broken != nil {
				b := *broken
				b.Migrator = m
				m = b
			}
			return m
		},
		Exec: func(ctx context.Context, statement string) error {
			_, err := db.ExecContext(ctx, statement)
			return err
		},
		Value: func(ctx context.Context, query string) (string, error) {
			var v sql.NullString
			err := db.QueryRowContext(ctx, query).Scan(&v)
			if errors.Is(err, sql.ErrNoRows) || err == nil && !v.Valid {
				return "<none>", nil
			}
			return v.String, err
		},
		Table: func(schema, name string) string { return schema + "_" + name },
		SeedTable: `CREATE TABLE templates (tidx integer PRIMARY KEY AUTOINCREMENT, templateid text NOT NULL DEFAULT (lower(hex(randomblob(16)))),
			name text DEFAULT '', description text DEFAULT '', content text DEFAULT '', created timestamp DEFAULT CURRENT_TIMESTAMP, modified timestamp DEFAULT CURRENT_TIMESTAMP)`,
	}
}
