package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/ports"
)

// The words of a text are those of core/template.Words: its runs of letters and
// digits in lower case, longer ones cut after every 255 characters; beyond ASCII
// a few may differ (see words.Condition). It is not
// to_tsvector, which refuses a text of 1 MiB and knows words that nobody would
// look for. The engine of regular expressions takes its time for every match and
// is slower the longer the run that it counts: so only what is no space is
// replaced by one, and a text without a run of 70 is not searched for one of 255.
//
// The index has hashes of 64 bits for the words. That two words of any library
// share one is as good as impossible, and numbers are entered in half the time
// and space of texts.
//
// STRICT keeps the planner from inlining the function, which would fetch a long
// text several times.
//
// Of texts longer than any that Templar takes by default (1 MiB, with its name and
// description) only the start is searched: rows of others with megabytes in one
// word would else take longer to store than a request may.
const wordsBody = ` SELECT COALESCE(pg_catalog.array_agg(pg_catalog.hashtextextended(w COLLATE pg_catalog."C", 0)), '{}')
 FROM (SELECT pg_catalog."left"($1, 1200000)) AS cut(t), LATERAL pg_catalog.unnest(pg_catalog.string_to_array(pg_catalog.regexp_replace(
  CASE WHEN pg_catalog.length(t) OPERATOR(pg_catalog.<=) 255 OR t%[1]s OPERATOR(pg_catalog.!~) '[[:alnum:]%[2]s]{70}'
  THEN pg_catalog.lower(t%[1]s)
  ELSE pg_catalog.regexp_replace(pg_catalog.lower(t%[1]s), '[[:alnum:]%[2]s]{255}', '\& ', 'g') END,
  '[^[:alnum:]%[2]s ]+', ' ', 'g'), ' ')) AS w WHERE w OPERATOR(pg_catalog.<>) '' `

// With ICU, letters and cases are Unicode's, whatever the locale of the cluster
// is. Without it (or in a database whose encoding ICU does not do, such as the
// SQL_ASCII that an initdb without a locale makes) all that is not ASCII counts
// as a letter.
const (
	icuCollation = ` COLLATE pg_catalog."und-x-icu"`
	beyondASCII  = `\u0080-\uffff`
	// It takes some 30 microseconds, which is 4000 of the units that the planner counts in.
	wordsFunction = `CREATE OR REPLACE FUNCTION %s.%s(text) RETURNS bigint[]
 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 4000 AS $words$%s$words$`
)

// planWords lists the steps for the word indexes of one table; retyped tells that the steps before take its triggers
// away.
func planWords(ctx context.Context, tx *sql.Tx, namespace string, t ports.Table, exists, retyped bool) ([]migrateStep, error) {
	steps, err := dropOldTriggers(ctx, tx, namespace, t)
	if err != nil {
		return nil, err
	}
	for _, x := range t.Indexes {
		if len(x.Words) == 0 {
			continue
		}
		body, err := wordsSource(ctx, tx)
		if err != nil {
			return nil, err
		}
		var old sql.NullString
		err = tx.QueryRowContext(ctx, `SELECT p.prosrc FROM pg_catalog.pg_proc p
			JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
			WHERE n.nspname = $1 AND p.proname = $2
			AND p.pronargs = 1 AND p.proargtypes[0] = 'text'::regtype`, namespace, sqlstore.WordsFunction).Scan(&old)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if old.String != body {
			steps = append(steps, migrateStep{Change: ports.Change{
				Summary:    fmt.Sprintf("create function %q", sqlstore.WordsFunction),
				Statements: []string{fmt.Sprintf(wordsFunction, sqlschema.Ident(namespace), sqlstore.WordsFunction, body)},
			}})
		}
		column, err := planWordColumn(ctx, tx, namespace, t, x, retyped)
		if err != nil {
			return nil, err
		}
		steps = append(steps, column...)
		index, err := planWordIndex(ctx, tx, namespace, t.Name, x, old.Valid && old.String != body)
		if err != nil {
			return nil, err
		}
		for i := range index {
			index[i].fills = exists
		}
		steps = append(steps, index...)
	}
	return steps, nil
}

// planWordIndex lists the steps for one word index. A stale one was made by
// another form of the function and is made anew, as is one over other columns;
// nothing is lost by that.
func planWordIndex(ctx context.Context, tx *sql.Tx, namespace, table string, x ports.Index, stale bool) ([]migrateStep, error) {
	key := strings.Replace(sqlstore.WordsKey(x.Column, x.Words...), sqlstore.WordsFunction+"(", sqlschema.Ident(namespace)+"."+sqlstore.WordsFunction+"(", 1)
	create := fmt.Sprintf(`CREATE INDEX %s ON %s.%s USING gin ((%s))`,
		sqlschema.Ident(x.Name), sqlschema.Ident(namespace), sqlschema.Ident(table), key)
	var have string
	err := tx.QueryRowContext(ctx, `SELECT pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index i
		JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
		JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND t.relname = $2 AND c.relname = $3`, namespace, table, x.Name).Scan(&have)
	if errors.Is(err, sql.ErrNoRows) {
		return []migrateStep{{Change: ports.Change{
			Summary:    fmt.Sprintf("create word index %q on table %q", x.Name, namespace+"."+table),
			Statements: []string{create},
		}}}, nil
	}
	if err != nil {
		return nil, err
	}
	if !stale && bareIndex(have, namespace) == bareIndex(create, namespace) {
		return nil, nil
	}
	return []migrateStep{{Change: ports.Change{
		Summary:    fmt.Sprintf("rebuild word index %q on table %q", x.Name, namespace+"."+table),
		Statements: []string{fmt.Sprintf(`DROP INDEX %s.%s`, sqlschema.Ident(namespace), sqlschema.Ident(x.Name)), create},
	}}}, nil
}

func bareIndex(definition, namespace string) string {
	return strings.ReplaceAll(sqlschema.Bare(definition), namespace+".", "")
}

// wordsSource is the body of the words function in this database.
func wordsSource(ctx context.Context, tx *sql.Tx) (string, error) {
	var icu bool
	err := tx.QueryRowContext(ctx, `SELECT pg_catalog.current_setting('server_encoding') = 'UTF8' AND EXISTS (
		SELECT FROM pg_catalog.pg_collation
		WHERE collname = 'und-x-icu' AND collnamespace = 'pg_catalog'::regnamespace)`).Scan(&icu)
	if err != nil {
		return "", err
	}
	if icu {
		return fmt.Sprintf(wordsBody, icuCollation, ""), nil
	}
	return fmt.Sprintf(wordsBody, "", beyondASCII), nil
}
