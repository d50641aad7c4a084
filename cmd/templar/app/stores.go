package app

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bitbucket.org/templar/templar/adapters/harper"
	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/adapters/postgres"
	"bitbucket.org/templar/templar/adapters/sqlite"
	"bitbucket.org/templar/templar/config"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
)

// Stores are the configured database, behind the ports of the core.
type Stores struct {
	Templates  template.Database
	Characters character.Store
	Keys       auth.KeyStore
	Probe      ports.Probe
	// Migrator brings up the schema; nil where the engine has none.
	Migrator ports.Migrator
	// InPlace tells whether Templar's tables are there; nil where the engine has no schema.
	InPlace func(context.Context) error
	// TimeColumn runs SELECT column FROM table LIMIT 1; nil where the engine has no SQL.
	TimeColumn func(ctx context.Context, table, column string) error
	// FillWords readies some rows that others wrote for word searches; see postgres.DB. nil where there are no others.
	FillWords func(ctx context.Context, after int64) (last int64, filled int, done bool, err error)
	// Stats tells the state of the connection pool; nil where there is none.
	Stats func() sql.DBStats
	// Hold takes the database for this process alone; nil where several may share it.
	Hold func(context.Context) error
	// Warning is what an operator of the engine should know at the start; "" when there is nothing.
	Warning string
	// Embedded is set for engines that live in this process.
	Embedded bool
	// Close ends the connections.
	Close func() error
}

// OpenStores opens the configured engine. A database that is away is no error: Probe tells, and everything works once
// it is there.
func OpenStores(c *config.Config, o Observers) (*Stores, error) {
	switch c.Database.Engine {
	case config.EngineMemory:
		store := memory.NewTemplates()
		return &Stores{Templates: store, Characters: memory.NewCharacters(), Keys: memory.NewKeys(), Probe: store, Embedded: true,
			Close: func() error { return nil }}, nil
	case config.EngineSQLite:
		db, err := sqlite.Open(sqlite.Config{Path: c.Database.Path, Observe: o.Query, Wrap: o.wrap("sqlite")})
		if err != nil {
			return nil, err
		}
		return &Stores{Templates: db.Templates(), Characters: db.Characters(), Keys: db.Keys(), Probe: db, Migrator: sqlite.NewMigrator(db.SQL()),
			InPlace: db.SchemaReady, TimeColumn: db.ProbeQuery, Stats: db.Stats, Embedded: true, Close: db.Close}, nil
	case config.EnginePostgres:
		db, err := postgres.Open(postgres.Config{DSN: c.Database.PostgresDSN().Reveal(), MaxConns: c.Database.MaxConn, Observe: o.Query, Wrap: o.wrap("postgresql")})
		if err != nil {
			return nil, err
		}
		return &Stores{Templates: db.Templates(), Characters: db.Characters(), Keys: db.Keys(), Probe: db, Migrator: postgres.NewMigrator(db.SQL()),
			InPlace: db.SchemaReady, TimeColumn: db.ProbeQuery, FillWords: db.FillWords, Stats: db.Stats, Close: db.Close}, nil
	case config.EngineHarper:
		db := harper.Open(harper.Config{URL: c.Harper.URL, User: c.Harper.User, Password: c.Harper.Password.Reveal(), Schema: c.Harper.Schema,
			Observe: o.Query, Trip: o.Harper})
		return &Stores{Templates: db.Templates(), Characters: db.Characters(), Keys: db.Keys(), Probe: db, Migrator: harper.NewMigrator(db),
			InPlace: db.SchemaReady, TimeColumn: db.ProbeAttribute, Hold: db.Hold, Warning: harperWarning, Close: db.Close}, nil
	}
	return nil, fmt.Errorf("DB_ENGINE=%s is not built into this version; use pg, sqlite, memory or harper", c.Database.Engine)
}

const harperWarning = "DB_ENGINE=harper: Harper cannot tell two writers apart, so only one Templar process may work on its schema; " +
	"a second one is refused, and whoever else writes these rows is not noticed. See the README"

// BringUp puts Templar's own tables in place, or with DB_MIGRATE=off sees that they are, and tells what it changed; a
// database that only one process may use is taken then. It has no time limit of its own: a million rows may need one index
// after the other.
func (s *Stores) BringUp(ctx context.Context, c *config.Config) ([]ports.Change, error) {
	changes, err := s.migrate(ctx, c)
	if err == nil && s.Hold != nil {
		err = s.Hold(ctx)
	}
	return changes, err
}

func (s *Stores) migrate(ctx context.Context, c *config.Config) ([]ports.Change, error) {
	if s.Migrator == nil {
		return nil, nil
	}
	if !c.Database.Migrate {
		if err := s.InPlace(ctx); err != nil {
			return nil, fmt.Errorf("the schema is not in place, and DB_MIGRATE=off: run templar migrate apply: %w", err)
		}
		return nil, nil
	}
	own := migrations.Templar()
	schema, err := own.Schema(migrations.All)
	if err != nil {
		return nil, err
	}
	changes, err := s.Migrator.Apply(ctx, schema, ports.ApplyOptions{Name: own.Name, Checksum: own.Checksum})
	if err != nil {
		return nil, fmt.Errorf("the schema could not be brought up: %w", err)
	}
	return changes, nil
}

// secretKey gives the configured SECRET_KEY; for the embedded engines without one it makes it at the first start: in a
// file of its own beside the database, or for this process only when everything is in memory.
func secretKey(c *config.Config) (string, error) {
	if key := c.Auth.SecretKey.Reveal(); key != "" {
		return key, nil
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	made := hex.EncodeToString(raw)
	if c.Database.Engine != config.EngineSQLite {
		return made, nil
	}
	path := filepath.Join(filepath.Dir(c.Database.Path), "secret_key")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		kept, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("the secret key: %w", err)
		}
		if key := strings.TrimSpace(string(kept)); len(key) >= 8 {
			return key, nil
		}
		return "", fmt.Errorf("the secret key in %s is too short; remove the file to have a new one made", path)
	}
	if err != nil {
		return "", fmt.Errorf("the secret key: %w", err)
	}
	_, err = file.WriteString(made + "\n")
	return made, errors.Join(err, file.Sync(), file.Close())
}
