package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bitbucket.org/templar/templar/ports"
)

var migratorBasics = []MigratorCheck{
	{Name: "an empty database has no status, and a plan changes nothing", Run: func(ctx context.Context, s MigratorSubject) error {
		status, err := s.Migrator().Status(ctx)
		if err != nil || len(status) != 0 {
			return fmt.Errorf("want an empty status, got %v, %v", status, err)
		}
		for range 2 {
			plan, err := s.Migrator().Plan(ctx, things(textNote))
			if err != nil {
				return err
			}
			if len(plan) == 0 {
				return errors.New("want a plan for an empty database, got none")
			}
			for _, c := range plan {
				if c.Summary == "" || len(c.Statements) == 0 || c.Drops || c.Held {
					return fmt.Errorf("want a summary and statements that drop nothing, got %+v", c)
				}
			}
		}
		if s.Exec(ctx, `SELECT id FROM things`) == nil {
			return errors.New("the plan made the table")
		}
		return nil
	}},
	{Name: "what is described is made, once", Run: func(ctx context.Context, s MigratorSubject) error {
		want := with(things(textNote), noteUnique, ports.Index{Name: "things_twice", Keys: []ports.Key{{Attribute: "note"}, {Attribute: "id"}}})
		plan, err := s.Migrator().Plan(ctx, want)
		if err != nil {
			return err
		}
		made, _, err := s.apply(ctx, want, ports.ApplyOptions{})
		if err != nil {
			return err
		}
		if listed(made) != listed(plan) {
			return fmt.Errorf("want what was planned (%s), made %s", listed(plan), listed(made))
		}
		if err := s.all(ctx, `INSERT INTO things (id, note) VALUES (1, 'a')`); err != nil {
			return err
		}
		if s.Exec(ctx, `INSERT INTO things (id, note) VALUES (1, 'b')`) == nil || s.Exec(ctx, `INSERT INTO things (id, note) VALUES (2, 'a')`) == nil {
			return errors.New("neither the primary key nor the unique index holds")
		}
		return s.settled(ctx, want)
	}},
	{Name: "schemas keep tables apart", Run: func(ctx context.Context, s MigratorSubject) error {
		want := things(textNote)
		other := want.Tables[0]
		other.Schema = "dungeonmaster"
		want.Schemas, want.Tables = []string{"dungeonmaster"}, append(want.Tables, other)
		if err := s.settle(ctx, want); err != nil {
			return err
		}
		if err := s.all(ctx, `INSERT INTO things (id) VALUES (1)`, `INSERT INTO `+s.Table("dungeonmaster", "things")+` (id) VALUES (2)`); err != nil {
			return err
		}
		return first(s.reads(ctx, `SELECT max(id) FROM things`, "1"), s.reads(ctx, `SELECT max(id) FROM `+s.Table("dungeonmaster", "things"), "2"))
	}},
	{Name: "what is not described is left alone", Run: func(ctx context.Context, s MigratorSubject) error {
		if err := s.all(ctx, `CREATE TABLE strangers (a integer, b text)`, `CREATE INDEX strangers_a ON strangers (a)`, `INSERT INTO strangers VALUES (1, 'x')`); err != nil {
			return err
		}
		if err := s.settle(ctx, things(textNote)); err != nil {
			return err
		}
		return s.reads(ctx, `SELECT b FROM strangers`, "x")
	}},
	{Name: "a drop needs leave", Run: dropNeedsLeave},
	{Name: "an index that does the same under another name is taken", Run: func(ctx context.Context, s MigratorSubject) error {
		if err := s.settle(ctx, things(textNote)); err != nil {
			return err
		}
		if err := s.all(ctx, `CREATE UNIQUE INDEX by_hand ON things (note)`); err != nil {
			return err
		}
		return s.settled(ctx, with(things(textNote), noteUnique))
	}},
	{Name: "a migration that rows forbid changes nothing", Run: func(ctx context.Context, s MigratorSubject) error {
		if err := first(s.settle(ctx, things(textNote)), s.all(ctx, `INSERT INTO things (id, note) VALUES (1, NULL), (2, 'twin'), (3, 'twin')`)); err != nil {
			return err
		}
		required := textNote
		required.Required = true
		more := ports.Attribute{Name: "more", Type: ports.TypeText}
		_, _, err := s.apply(ctx, things(more, required), ports.ApplyOptions{Name: "x", Checksum: "1"})
		if err := blocked(err, "note"); err != nil {
			return fmt.Errorf("a required attribute with nulls: %w", err)
		}
		_, _, err = s.apply(ctx, with(things(more, textNote), noteUnique), ports.ApplyOptions{Name: "x", Checksum: "1"})
		if err := blocked(err, "things_note_key", "twin"); err != nil {
			return fmt.Errorf("a unique index over twins: %w", err)
		}
		if s.Exec(ctx, `SELECT more FROM things`) == nil {
			return errors.New("a part of the failed migration stayed")
		}
		if status, err := s.Migrator().Status(ctx); err != nil || len(status) != 0 {
			return fmt.Errorf("want no record of a failed migration, got %v, %v", status, err)
		}
		return first(s.settled(ctx, things(textNote)), s.reads(ctx, `SELECT count(*) FROM things`, "3"))
	}},
	{Name: "several that start at once make each change once", Run: atOnce},
	{Name: "a wrong schema is refused with all that is wrong", Run: func(ctx context.Context, s MigratorSubject) error {
		wrong := things(ports.Attribute{Name: `x"; DROP TABLE things; --`, Type: ports.TypeText}, ports.Attribute{Name: "y", Type: "money"})
		_, planErr := s.Migrator().Plan(ctx, wrong)
		_, applyErr := s.Migrator().Apply(ctx, wrong, ports.ApplyOptions{})
		for _, err := range []error{planErr, applyErr} {
			if err == nil || !strings.Contains(err.Error(), "attributes[1]") || !strings.Contains(err.Error(), "attributes[2]") {
				return fmt.Errorf("want an error that names both attributes, got %v", err)
			}
		}
		return nil
	}},
	{Name: "the context ends a migration, which changed nothing", Run: func(ctx context.Context, s MigratorSubject) error {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.Migrator().Apply(ended, things(textNote), ports.ApplyOptions{}); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("want the context's error, got %v", err)
		}
		if s.Exec(ctx, `SELECT id FROM things`) == nil {
			return errors.New("the ended migration made the table")
		}
		return s.settle(ctx, things(textNote))
	}},
	{Name: "status lists what was applied, by checksum and time", Run: statusLists},
}

func dropNeedsLeave(ctx context.Context, s MigratorSubject) error {
	extra := ports.Attribute{Name: "extra", Type: ports.TypeText, Required: true, Default: &ports.Default{Text: "kept"}}
	index := ports.Index{Name: "things_extra", Keys: []ports.Key{{Attribute: "extra"}, {Attribute: "id"}}}
	if err := first(s.settle(ctx, with(things(textNote, extra), index, noteUnique)), s.all(ctx, `INSERT INTO things (id, note) VALUES (1, 'a')`)); err != nil {
		return err
	}
	want := things(textNote)
	plan, err := s.Migrator().Plan(ctx, want)
	if err != nil {
		return err
	}
	if len(plan) == 0 {
		return errors.New("want a plan that drops, got an empty one")
	}
	for _, c := range plan {
		if !c.Drops || !strings.Contains(c.String(), "--allow-drop") {
			return fmt.Errorf("want only drops, marked as such, got %s", listed(plan))
		}
	}
	made, held, err := s.apply(ctx, want, ports.ApplyOptions{})
	if err != nil {
		return err
	}
	if len(made) != 0 || len(held) != len(plan) {
		return fmt.Errorf("want all %d drops left out and told, made %s, left out %s", len(plan), listed(made), listed(held))
	}
	if err := first(s.reads(ctx, `SELECT extra FROM things`, "kept"), s.all(ctx, `INSERT INTO things (id, note) VALUES (2, 'b')`)); err != nil {
		return err
	}
	if s.Exec(ctx, `INSERT INTO things (id, note) VALUES (3, 'a')`) == nil {
		return errors.New("the unique index went without leave")
	}
	made, held, err = s.apply(ctx, want, ports.ApplyOptions{AllowDrop: true})
	if err != nil {
		return err
	}
	if len(made) == 0 || len(held) != 0 {
		return fmt.Errorf("want the drops made, made %s, left out %s", listed(made), listed(held))
	}
	if s.Exec(ctx, `SELECT extra FROM things`) == nil {
		return errors.New("the column is still there")
	}
	return first(s.all(ctx, `INSERT INTO things (id, note) VALUES (3, 'a')`), s.reads(ctx, `SELECT count(*) FROM things`, "3"), s.settled(ctx, want))
}

func atOnce(ctx context.Context, s MigratorSubject) error {
	want := with(things(textNote), noteUnique)
	const starters = 5
	migrators := make([]ports.Migrator, starters)
	for i := range migrators {
		migrators[i] = s.Migrator()
	}
	changes := make([][]ports.Change, starters)
	errs := together(starters, func(i int) (err error) {
		changes[i], err = migrators[i].Apply(ctx, want, ports.ApplyOptions{Name: "start", Checksum: "1"})
		return err
	})
	makers := 0
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("starter %d: %w", i, err)
		}
		if len(changes[i]) > 0 {
			makers++
		}
	}
	if makers != 1 {
		return fmt.Errorf("want one that makes the changes, got %d", makers)
	}
	status, err := s.Migrator().Status(ctx)
	if err != nil || len(status) != 1 {
		return fmt.Errorf("want one record, got %v, %v", status, err)
	}
	return s.settled(ctx, want)
}

func statusLists(ctx context.Context, s MigratorSubject) error {
	began := time.Now().Add(-time.Minute)
	for i, sum := range []string{"one", "one", "two", "two", "one", "one"} {
		opts := ports.ApplyOptions{Name: "a.yaml", Checksum: sum}
		if _, _, err := s.apply(ctx, things(textNote), opts); err != nil {
			return err
		}
		status, err := s.Migrator().Status(ctx)
		if err != nil {
			return err
		}
		if want := min(2, 1+i/2); len(status) != want {
			return fmt.Errorf("want %d records after %d migrations, got %v", want, i+1, status)
		}
		last := status[len(status)-1]
		if last.Name != "a.yaml" || last.Checksum != sum {
			return fmt.Errorf("want a.yaml with the checksum %q as the last, got %+v", sum, last)
		}
		if last.When.Before(began) || last.When.After(time.Now().Add(time.Minute)) || last.When.Location() != time.UTC {
			return fmt.Errorf("want the present in UTC, got %v", last.When)
		}
	}
	if _, _, err := s.apply(ctx, things(textNote), ports.ApplyOptions{Name: "b.yaml", Checksum: "one"}); err != nil {
		return err
	}
	status, err := s.Migrator().Status(ctx)
	if err != nil || len(status) != 3 || status[2].Name != "b.yaml" {
		return fmt.Errorf("want b.yaml as the third record, got %v, %v", status, err)
	}
	return nil
}
