package sqlstore

import (
	"context"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/fault"
)

// Every column that a statement names stands in one of these.
var ready = []string{
	`SELECT tidx, ` + templateColumns("content") + ` FROM templates LIMIT 0`,
	`SELECT templateid, revision, name, description, content, syntax, author, modified FROM template_revisions LIMIT 0`,
	`SELECT templateid, label, revision, username, modified FROM template_labels LIMIT 0`,
	`SELECT move, templateid, label, from_revision, to_revision, username, moved FROM template_label_moves LIMIT 0`,
	`SELECT username, idempotency_key, fingerprint, templateid, revision, expires FROM idempotency_keys LIMIT 0`,
	keyColumns + ` LIMIT 0`,
}

// SchemaReady tells whether the tables are in place with all columns that the stores use, and the server does what they
// take for granted; an Unavailable fault when that is not so, or when the database is away.
func (h *Handle) SchemaReady(ctx context.Context) error {
	return h.run(ctx, "schema.ready", func(ctx context.Context) error {
		texts := slices.Concat(ready, readyCharacters, h.dialect.Ready)
		if column := h.dialect.Words.Column; column != "" {
			texts = append(texts, `SELECT `+column+` FROM templates LIMIT 0`)
		}
		for _, text := range texts {
			rows, err := h.read.QueryContext(ctx, text)
			if err != nil {
				return err
			}
			if err := rows.Close(); err != nil {
				return err
			}
		}
		if h.dialect.Agree == nil {
			return nil
		}
		return h.dialect.Agree(ctx, h.read)
	})
}

// Ping makes one round trip to the database; an Unavailable fault when it is away.
func (h *Handle) Ping(ctx context.Context) error {
	return h.run(ctx, "ping", h.read.PingContext)
}

// ProbeQuery reads one column of any one row of a table, which may have its schema's name and a dot before it. Both
// are taken as identifiers, never as SQL. An empty table is fine. An Unavailable fault when it cannot be read, or does
// not exist.
func (h *Handle) ProbeQuery(ctx context.Context, table, column string) error {
	from := quotedTable(table)
	// With the table's name before it, SQLite cannot take an unknown column for a text in quotes.
	text := `SELECT ` + from + `.` + quoted(column) + ` FROM ` + from + ` LIMIT 1`
	return h.run(ctx, "probe", func(ctx context.Context) error {
		rows, err := h.read.QueryContext(ctx, text)
		if err != nil {
			return err
		}
		for rows.Next() {
			continue // the row has come over the wire; its value does not matter
		}
		if err := rows.Err(); err != nil {
			_ = rows.Close() // the first error is the one that counts
			return err
		}
		return rows.Close()
	})
}

func quotedTable(table string) string {
	if schema, name, has := strings.Cut(table, "."); has {
		return quoted(schema) + "." + quoted(name)
	}
	return quoted(table)
}

// ErrNoSchema is the fault of a database that has not been migrated yet.
func ErrNoSchema(cause error) error {
	return fault.Wrap(fault.Unavailable, cause, "the database is not ready: its tables are not in place")
}

// ErrAway is the fault of a database that cannot be asked.
func ErrAway(cause error) error { return fault.Wrap(fault.Unavailable, cause, "the database is away") }

// ErrBusy is the fault of a database that has too much to do.
func ErrBusy(cause error) error { return fault.Wrap(fault.Unavailable, cause, "the database is busy") }

// ErrFull is the fault of a database that cannot store anything more.
func ErrFull(cause error) error {
	return fault.Wrap(fault.Unavailable, cause, "the disk of the database is full")
}

// ErrReadOnly is the fault of a database that takes no changes now.
func ErrReadOnly(cause error) error {
	return fault.Wrap(fault.Unavailable, cause, "the database takes no changes now")
}

// ErrUnexpected is the fault of everything that nobody expects.
func ErrUnexpected(cause error) error {
	return fault.Wrap(fault.Internal, cause, "the database failed")
}
