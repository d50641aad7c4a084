package postgres

import (
	"context"
	"errors"

	"github.com/lib/pq"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// fillRows and fillBytes bound how much one call of FillWords takes: one row at least, and some ten milliseconds where they
// are letters.
const (
	fillRows  = 100
	fillBytes = 1_000_000
)

// bareRows finds rows without numbers by an index of theirs alone; none before a migration has made it, because to look
// for them in all rows would take too long, and none where nothing can be written.
const bareRows = `SELECT ARRAY(SELECT tidx FROM (
	SELECT tidx, sum(size) OVER (ORDER BY tidx) - size AS before FROM (
		SELECT tidx, COALESCE(octet_length(name), 0) + COALESCE(octet_length(description), 0) + COALESCE(octet_length(content), 0) AS size
		FROM templates WHERE word_hashes IS NULL AND tidx > $1::bigint
			AND to_regclass('templates_words` + bareSuffix + `') IS NOT NULL AND current_setting('transaction_read_only') = 'off'
		ORDER BY tidx LIMIT $2) AS sized) AS summed
	WHERE before < $3 ORDER BY tidx)`

// textsOf reads rows as they are now; xmin is another one after every change.
const textsOf = `SELECT tidx, xmin::text, revision, COALESCE(name, ''), COALESCE(description, ''), left(COALESCE(content, ''), $2)
	FROM templates WHERE tidx = ANY($1) AND word_hashes IS NULL`

// writeWords leaves out what somebody has changed since it was read, or is changing: it waits for nobody, and so is in no
// deadlock.
const writeWords = `WITH free AS MATERIALIZED (
	SELECT t.tidx, filled.words FROM templates AS t JOIN unnest($1::bigint[], $2::text[], $3::text[]) AS filled(tidx, version, words)
		ON t.tidx = filled.tidx AND t.xmin::text = filled.version
	WHERE t.word_hashes IS NULL FOR UPDATE OF t SKIP LOCKED)
UPDATE templates SET word_hashes = free.words::bigint[] FROM free WHERE templates.tidx = free.tidx`

// FillWords gives rows that something else than Templar wrote the numbers of their words, which word searches over them
// make anew each time otherwise. It takes the next rows behind after, by tidx, and gives the last of them, also with an
// error, and how many it filled; done tells that there were no more. No reader sees a difference, and writers wait at
// most for the moment of the write.
func (db *DB) FillWords(ctx context.Context, after int64) (last int64, filled int, done bool, err error) {
	var bare []int64
	if err := db.pool.QueryRowContext(ctx, bareRows, after, fillRows, fillBytes).Scan(pq.Array(&bare)); err != nil {
		return after, 0, false, faultOf(err)
	}
	if len(bare) == 0 {
		return after, 0, true, nil
	}
	last = bare[len(bare)-1]
	filled, err = db.fill(ctx, bare)
	if err == nil {
		return last, filled, false, nil
	}
	if err = faultOf(err); fault.Is(err, fault.Unavailable) {
		return last, 0, false, err
	}
	// A row that others guard against changes does not keep its neighbours from being filled.
	for i := range bare {
		n, refused := db.fill(ctx, bare[i:i+1])
		filled += n
		if refused != nil {
			err = faultOf(refused)
		}
	}
	return last, filled, false, err
}

// fill reads rows one after the other, so that no more than one text is in memory, and writes the numbers of all at once.
func (db *DB) fill(ctx context.Context, rows []int64) (filled int, err error) {
	found, err := db.pool.QueryContext(ctx, textsOf, pq.Array(rows), maxWordText)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	var ids []int64
	var versions, numbers []string
	for found.Next() {
		var id int64
		var version string
		var t template.Template
		if err := found.Scan(&id, &version, &t.Revision, &t.Name, &t.Description, &t.Content); err != nil {
			return 0, err
		}
		ids, versions, numbers = append(ids, id), append(versions, version), append(numbers, words.Value(&t))
	}
	if err := found.Err(); err != nil || len(ids) == 0 {
		return 0, err
	}
	done, err := db.pool.ExecContext(ctx, writeWords, pq.Array(ids), pq.Array(versions), pq.Array(numbers))
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}
