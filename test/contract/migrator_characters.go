package contract

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/ports"
)

// charactersCome tries a database that a Templar of before the characters has made and used.
func charactersCome(ctx context.Context, s MigratorSubject) error {
	want, err := templarSchema()
	if err != nil {
		return err
	}
	before := want
	before.Tables = slices.DeleteFunc(slices.Clone(want.Tables), func(t ports.Table) bool { return strings.HasPrefix(t.Name, "character") })
	if len(before.Tables) == len(want.Tables) {
		return fmt.Errorf("no table of characters is described")
	}
	if err := first(s.settle(ctx, before), s.all(ctx, `INSERT INTO templates (name, content) VALUES ('a', 'Hello')`)); err != nil {
		return err
	}
	plan, err := s.Migrator().Plan(ctx, want)
	if err != nil {
		return err
	}
	for _, c := range plan {
		if c.Drops || strings.Contains(c.Summary, "templates") {
			return fmt.Errorf("want nothing done to the tables that are there, got %s", c)
		}
	}
	const insert = `INSERT INTO characters (characterid, name, player, race, classes, level, words, author, revision, created, modified, document)
		VALUES ('12345678-90ab-cdef-1234-567890abcdef', 'Tordek', '', 'hill-dwarf', ' fighter ', 1, ' tordek hill dwarf fighter ', 'ann', 1, '2026-01-02 03:04:05', '2026-01-02 03:04:05', '{}')`
	if err := first(s.settle(ctx, want), s.reads(ctx, `SELECT name || content FROM templates`, "aHello"), s.all(ctx, insert),
		s.reads(ctx, `SELECT count(*) FROM characters WHERE cidx > 0 AND deleted IS NULL`, "1"), s.reads(ctx, `SELECT count(*) FROM character_rolls`, "0"),
		s.reads(ctx, `SELECT count(*) FROM character_receipts`, "0")); err != nil {
		return err
	}
	if s.Exec(ctx, insert) == nil {
		return fmt.Errorf("an id of a character was taken twice")
	}
	return s.settled(ctx, want)
}
