package harper

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
)

// realServer names a Harper, as http://user:password@host:9925, that the suites run against in the place of the one in
// this package. It is asked for by hand (task test:harper): Harper's licence is for evaluation.
const realServer = "TEMPLAR_TEST_HARPER"

var schemas atomic.Int64

// drops are what is left to drop on a real server when all tests have run.
var drops []func()

// dropSchemaLater drops a schema of a real server, if it was made; the one of this package ends with its test.
func dropSchemaLater(c Config, schema string) {
	if os.Getenv(realServer) == "" {
		return
	}
	drops = append(drops, func() {
		var r *refusal
		err := Open(c).client.do(context.Background(), operation{"operation": "drop_schema", "schema": schema}, nil)
		if err != nil && (!errors.As(err, &r) || !r.missing()) {
			fmt.Fprintln(os.Stderr, err)
		}
	})
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, drop := range drops {
		drop()
	}
	os.Exit(code)
}

// place gives the configuration of a schema that nobody has.
func place(t testing.TB) (Config, *server) {
	t.Helper()
	schema := fmt.Sprintf("templar_test_%d_%d", time.Now().UnixNano(), schemas.Add(1))
	if text := os.Getenv(realServer); text != "" {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatalf("%s is no URL", realServer)
		}
		password, _ := u.User.Password()
		c := Config{URL: u.Scheme + "://" + u.Host, User: u.User.Username(), Password: password, Schema: schema}
		dropSchemaLater(c, schema)
		return c, nil
	}
	s := startServer(t)
	return Config{URL: s.URL, User: serverUser, Password: serverPassword, Schema: schema}, s
}

func openAt(t testing.TB, c Config) *DB {
	t.Helper()
	d := Open(c)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func bringUp(t testing.TB, d *DB) {
	t.Helper()
	own := migrations.Templar()
	schema, err := own.Schema(migrations.All)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewMigrator(d).Apply(t.Context(), schema, ports.ApplyOptions{Name: own.Name, Checksum: own.Checksum}); err != nil {
		t.Fatal(err)
	}
}

// shared is the one schema of a real Harper that the suites of stores use in turn: making one takes it some ten seconds.
var shared struct {
	once   sync.Once
	config Config
}

// emptied gives a DB of the shared schema without a row in it.
func emptied(t testing.TB) *DB {
	t.Helper()
	shared.once.Do(func() {
		shared.config, _ = place(t)
		d := Open(shared.config)
		bringUp(t, d)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	})
	d := openAt(t, shared.config)
	for used := range used() {
		var hashes []string
		err := walk(t.Context(), d, scan{table: used, along: used.hash, attributes: []string{used.hash}, page: lightPage},
			func(r *map[string]any) string { return (*r)[used.hash].(string) },
			func(r *map[string]any) error { hashes = append(hashes, (*r)[used.hash].(string)); return nil })
		if err == nil && len(hashes) > 0 {
			err = d.remove(t.Context(), used, hashes...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// open makes a database with Templar's tables in it, whose lease is taken.
func open(t testing.TB) *DB {
	d, _ := openBoth(t)
	return d
}

func openBoth(t testing.TB) (*DB, *server) {
	t.Helper()
	var d *DB
	var s *server
	if os.Getenv(realServer) != "" {
		d = emptied(t)
	} else {
		var c Config
		c, s = place(t)
		d = openAt(t, c)
		bringUp(t, d)
	}
	if err := d.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, s
}

// paused makes what the suites of a paused database need; nil for the real one, which is not this test's to stop.
func paused[S any](store func(*DB) S) func(t *testing.T) (S, func()) {
	if os.Getenv(realServer) != "" {
		return nil
	}
	return func(t *testing.T) (S, func()) {
		d, s := openBoth(t)
		return store(d), s.pause()
	}
}

// longNames is why that check of names does not hold.
const longNames = "an index of Harper keeps 256 characters: names that agree in their first 200 UTF-16 units are ordered by their ids"

func TestTemplateStore(t *testing.T) {
	contract.TemplateStore(t, contract.TemplateHarness{
		Open:  func(t *testing.T) template.Store { return open(t).Templates() },
		Pause: paused(func(d *DB) template.Store { return d.Templates() }),
		Lacks: map[string]string{"names of old rows may be very long": longNames},
	})
}

func TestTemplateHistory(t *testing.T) {
	contract.TemplateHistory(t, contract.DatabaseHarness{
		Open:  func(t *testing.T) template.Database { return open(t).Templates() },
		Pause: paused(func(d *DB) template.Database { return d.Templates() }),
	})
}

func TestTemplateArchive(t *testing.T) {
	contract.TemplateArchive(t, contract.DatabaseHarness{
		Open:  func(t *testing.T) template.Database { return open(t).Templates() },
		Pause: paused(func(d *DB) template.Database { return d.Templates() }),
		Lacks: map[string]string{
			"an export is of one moment, and stops no writer": "Harper has no snapshots: an export reads revisions that stay, so a purge and a thinning wait for its end; every other writer goes on",
		},
	})
}

func TestKeyStore(t *testing.T) {
	contract.KeyStore(t, contract.KeyHarness{
		Open:  func(t *testing.T) auth.KeyStore { return open(t).Keys() },
		Pause: paused(func(d *DB) auth.KeyStore { return d.Keys() }),
	})
}

func TestCharacterStore(t *testing.T) {
	contract.CharacterStore(t, contract.CharacterHarness{
		Open:  func(t *testing.T) character.Store { return open(t).Characters() },
		Pause: paused(func(d *DB) character.Store { return d.Characters() }),
	})
}
