package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/ports"
)

// The checks with Templar's own tables and those of the files that people write.
var migratorTemplar = []MigratorCheck{
	{Name: "Templar's tables come up, and stay", Run: func(ctx context.Context, s MigratorSubject) error {
		want, err := templarSchema()
		if err != nil {
			return err
		}
		if err := s.settle(ctx, want); err != nil {
			return err
		}
		for _, table := range []string{"templates", "template_revisions", "api_keys", "idempotency_keys"} {
			if err := s.reads(ctx, `SELECT count(*) FROM `+table, "0"); err != nil {
				return err
			}
		}
		if err := s.all(ctx, `INSERT INTO templates (name) VALUES ('a')`); err != nil {
			return err
		}
		return s.reads(ctx, `SELECT name || description || content || syntax || author || revision FROM templates
			WHERE templateid IS NOT NULL AND created IS NOT NULL AND modified IS NOT NULL AND deleted IS NULL`, "amustache1")
	}},
	{Name: "the seed's table is brought up to date and loses nothing", Run: seedComesUp},
	{Name: "a database from before the characters gets their tables, and loses nothing", Run: charactersCome},
	{Name: "an id that stands in two rows is named, and nothing changes", Run: func(ctx context.Context, s MigratorSubject) error {
		want, err := templarSchema()
		if err != nil {
			return err
		}
		const twin = "12345678-90ab-cdef-1234-567890abcdef"
		if err := s.all(ctx, s.SeedTable, `INSERT INTO templates (templateid, name) VALUES ('`+twin+`', 'a'), ('`+twin+`', 'b'), ('00000000-0000-4000-8000-000000000000', 'c')`); err != nil {
			return err
		}
		_, _, err = s.apply(ctx, want, ports.ApplyOptions{Name: "x", Checksum: "y"})
		if err := blocked(err, twin, "templateid", "templates"); err != nil {
			return err
		}
		if strings.Contains(fmt.Sprint(err), "00000000-0000") {
			return fmt.Errorf("an id that stands once is named: %w", err)
		}
		if s.Exec(ctx, `SELECT deleted FROM templates`) == nil {
			return errors.New("a part of the failed migration stayed")
		}
		if err := s.all(ctx, `DELETE FROM templates WHERE name = 'b'`); err != nil {
			return err
		}
		return first(s.settle(ctx, want), s.reads(ctx, `SELECT count(*) FROM templates`, "2"))
	}},
	{Name: "short and long forms of a file mean the same", Run: func(ctx context.Context, s MigratorSubject) error {
		long, err := fileSchema(`
init:
  schemas:
    - name: dungeonmaster
  tables:
    - name: characters
      schema: dungeonmaster
      attributes:
        - {name: characterid, type: text, primary_key: true}
        - {name: name, type: text}
`)
		if err != nil {
			return err
		}
		short, err := fileSchema("init:\n  schemas: [dungeonmaster]\n  tables:\n    characters: {schema: dungeonmaster, attributes: [characterid, name]}\n")
		if err != nil {
			return err
		}
		if err := s.settle(ctx, short); err != nil {
			return err
		}
		if err := s.all(ctx, `INSERT INTO `+s.Table("dungeonmaster", "characters")+` (characterid, name) VALUES ('1', 'Tordek')`); err != nil {
			return err
		}
		return s.settled(ctx, long)
	}},
	{Name: "a file's own tables stand beside Templar's", Run: func(ctx context.Context, s MigratorSubject) error {
		want, err := templarSchema()
		if err != nil {
			return err
		}
		own, err := fileSchema("init:\n  schemas: [dungeonmaster]\n  tables:\n    templates: {schema: dungeonmaster, attributes: [id, name]}\n")
		if err != nil {
			return err
		}
		return first(s.settle(ctx, want), s.settle(ctx, own), s.settled(ctx, want))
	}},
}

func templarSchema() (ports.Schema, error) { return migrations.Templar().Schema(migrations.All) }

func fileSchema(text string) (ports.Schema, error) {
	f, err := migrations.Read("check.yaml", strings.NewReader(text))
	if err != nil {
		return ports.Schema{}, err
	}
	return f.Schema(migrations.All)
}

func seedComesUp(ctx context.Context, s MigratorSubject) error {
	want, err := templarSchema()
	if err != nil {
		return err
	}
	long, blob := strings.Repeat("name ", 2000), strings.Repeat("0123456789abcdef", 400)
	if err := s.all(ctx, s.SeedTable,
		`INSERT INTO templates (templateid, name, description, content, created, modified) VALUES
			('12345678-90ab-cdef-1234-567890abcdef', NULL, NULL, NULL, NULL, NULL),
			('12345678-90ab-cdef-1234-567890abcd00', '`+long+`', 'it''s', '`+blob+`', '2020-01-02 03:04:05', '2021-01-02 03:04:05'),
			('12345678-90ab-cdef-1234-567890abcd01', '', '', 'Hello {{name}}!', '2020-01-02 03:04:05', '2021-01-02 03:04:05')`,
		`INSERT INTO templates (name) VALUES ('by default')`); err != nil {
		return err
	}
	plan, err := s.Migrator().Plan(ctx, want)
	if err != nil {
		return err
	}
	for _, c := range plan {
		if c.Drops {
			return fmt.Errorf("want nothing dropped from the seed's table, got %s", c)
		}
	}
	if err := s.settle(ctx, want); err != nil {
		return err
	}
	return first(
		s.reads(ctx, `SELECT count(*) FROM templates WHERE syntax = 'mustache' AND revision = 1 AND author = '' AND deleted IS NULL`, "4"),
		s.reads(ctx, `SELECT count(*) FROM templates WHERE name IS NULL AND description IS NULL AND content IS NULL AND created IS NULL AND modified IS NULL`, "1"),
		s.reads(ctx, `SELECT name FROM templates WHERE description = 'it''s'`, long),
		s.reads(ctx, `SELECT content FROM templates WHERE description = 'it''s'`, blob),
		s.reads(ctx, `SELECT max(tidx) FROM templates`, "4"),
		s.all(ctx, `INSERT INTO templates (name) VALUES (NULL)`),
		s.reads(ctx, `SELECT max(tidx) FROM templates`, "5"),
		s.settled(ctx, want))
}
