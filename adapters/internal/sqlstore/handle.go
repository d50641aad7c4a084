package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"bitbucket.org/templar/templar/core/fault"
)

// Observer is told of every query of a store when it has ended: its name, such as "template.get", how long it took,
// and the fault that it ended with.
type Observer func(query string, took time.Duration, err error)

// longest bounds a query whose context has no deadline of its own.
const longest = 30 * time.Second

// busyPatience is how long a writer in another process is waited for.
const busyPatience = 5 * time.Second

// Handle runs statements on a database: prepared, bounded in time, observed, with its errors in the domain's words.
// It is safe for concurrent use.
type Handle struct {
	// read and write are the pools; they may be the same.
	read, write *sqlx.DB
	dialect     Dialect
	observe     Observer

	mu       sync.RWMutex
	prepared map[statementKey]*sqlx.Stmt
}

type statementKey struct {
	db   *sqlx.DB
	text string
}

// NewHandle makes a Handle on the pools for reading and for writing, which may be the same. It sends nothing to the
// database. The observer may be nil.
func NewHandle(read, write *sqlx.DB, dialect Dialect, observe Observer) *Handle {
	if observe == nil {
		observe = func(string, time.Duration, error) {}
	}
	return &Handle{read: read, write: write, dialect: dialect, observe: observe, prepared: map[statementKey]*sqlx.Stmt{}}
}

// run makes one attempt at something, and more when statements turned out to be outdated by a change of the tables,
// or when another process was writing.
func (h *Handle) run(ctx context.Context, name string, attempt func(context.Context) error) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longest)
		defer cancel()
	}
	start := time.Now()
	err := attempt(ctx)
	if err != nil && h.dialect.Outdated(err) {
		h.forget()
		err = attempt(ctx)
	}
	for err != nil && h.dialect.Busy != nil && h.dialect.Busy(err) && ctx.Err() == nil && time.Since(start) < busyPatience {
		err = attempt(ctx) // which has waited a while by itself
	}
	if err != nil {
		err = h.fault(ctx, err)
	}
	h.observe(name, time.Since(start), err)
	return err
}

// fault puts an error in the domain's words. What came of a context that ended is Unavailable, whatever the driver
// makes of it.
func (h *Handle) fault(ctx context.Context, err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	if ended := ctx.Err(); ended != nil {
		return fault.Wrap(fault.Unavailable, errors.Join(ended, err), "the database did not answer in time")
	}
	return h.dialect.Fault(err)
}

// statement gives the prepared statement of a text, made at first use. database/sql prepares it anew on every
// connection that has not seen it. Texts come from this package alone and are few, so all are kept.
func (h *Handle) statement(ctx context.Context, db *sqlx.DB, text string) (*sqlx.Stmt, error) {
	key := statementKey{db, text}
	h.mu.RLock()
	s := h.prepared[key]
	h.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	s, err := db.PreparexContext(ctx, text)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if other := h.prepared[key]; other != nil {
		_ = s.Close() // another goroutine was faster
		return other, nil
	}
	h.prepared[key] = s
	return s, nil
}

// forget gives up all prepared statements. They are closed when nobody can be using them any more.
func (h *Handle) forget() {
	h.mu.Lock()
	old := h.prepared
	h.prepared = map[statementKey]*sqlx.Stmt{}
	h.mu.Unlock()
	time.AfterFunc(2*longest, func() {
		for _, s := range old {
			_ = s.Close() // they are outdated, there is nothing to lose
		}
	})
}

// row reads the one row of a query, or answers sql.ErrNoRows.
func (h *Handle) row(ctx context.Context, text string, dest []any, args ...any) error {
	s, err := h.statement(ctx, h.read, text)
	if err != nil {
		return err
	}
	return s.QueryRowContext(ctx, args...).Scan(dest...)
}

// rows calls each for every row of a query; oneShot leaves it unprepared.
func (h *Handle) rows(ctx context.Context, oneShot bool, text string, args []any, each func(*sql.Rows) error) (err error) {
	var rows *sql.Rows
	if oneShot {
		rows, err = h.read.QueryContext(ctx, text, args...)
	} else {
		var s *sqlx.Stmt
		if s, err = h.statement(ctx, h.read, text); err != nil {
			return err
		}
		rows, err = s.QueryContext(ctx, args...)
	}
	return eachRow(rows, err, each)
}

// exec runs one statement that writes, as a transaction of its own, and tells how many rows it changed.
func (h *Handle) exec(ctx context.Context, text string, args ...any) (int64, error) {
	s, err := h.statement(ctx, h.write, text)
	if err != nil {
		return 0, err
	}
	return affected(s.ExecContext(ctx, args...))
}

// returning runs one statement that writes, as a transaction of its own, and calls each for every row that it returns.
func (h *Handle) returning(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error {
	s, err := h.statement(ctx, h.write, text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	return eachRow(rows, err, each)
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// tx is a running transaction and the statements that it may use.
type tx struct {
	tx         *sqlx.Tx
	statements map[string]*sqlx.Stmt
}

// inTx runs work in a transaction and commits it; any error, that of the commit included, means that nothing was
// done, unless it is one of a lost connection. The texts are prepared before, because preparing needs a connection,
// and a pool of one has none left inside.
func (h *Handle) inTx(ctx context.Context, texts []string, work func(tx) error) error {
	statements := make(map[string]*sqlx.Stmt, len(texts))
	for _, text := range texts {
		s, err := h.statement(ctx, h.write, text)
		if err != nil {
			return err
		}
		statements[text] = s
	}
	t, err := h.write.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	if err := work(tx{t, statements}); err != nil {
		_ = t.Rollback() // the first error is the one that counts; a connection that cannot roll back is dropped
		return err
	}
	return t.Commit()
}

func (t tx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	return affected(t.tx.StmtxContext(ctx, t.statements[text]).ExecContext(ctx, args...))
}

func (t tx) row(ctx context.Context, text string, dest any, args ...any) error {
	return t.tx.StmtxContext(ctx, t.statements[text]).QueryRowContext(ctx, args...).Scan(dest)
}

// rows calls each for every row of a query of the transaction.
func (t tx) rows(ctx context.Context, text string, each func(*sql.Rows) error, args ...any) error {
	rows, err := t.tx.StmtxContext(ctx, t.statements[text]).QueryContext(ctx, args...)
	return eachRow(rows, err, each)
}
