package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// pqConn and pqStmt and pqRows are what the types of lib/pq can do.
type pqConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

type pqStmt interface {
	driver.Stmt
	driver.StmtQueryContext
	driver.StmtExecContext
}

type pqRows interface {
	driver.Rows
	driver.RowsNextResultSet
	driver.RowsColumnTypeScanType
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypePrecisionScale
}

// connection is one of lib/pq, of which every call ends soon after its context. lib/pq itself sends the server a
// request to cancel and goes on waiting for an answer, for ever when the server has stopped.
type connection struct {
	inner     pqConn
	wire      *wire
	connector *connector
	era       int64

	// alone is set when the server has warned that a commit did not reach its synchronous standby.
	alone atomic.Bool

	mu sync.Mutex
	// call numbers what is under way, so that a late cut meets nothing else.
	call uint64
}

// watch cuts the wire when ctx has ended and the call is still running after grace. The function that it returns
// ends the call.
func (c *connection) watch(ctx context.Context) (end func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	c.mu.Lock()
	c.call++
	call := c.call
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.call == call {
				c.wire.cut()
			}
		})
	})
	return func() {
		stop()
		c.mu.Lock()
		c.call++
		c.mu.Unlock()
	}
}

// notice is called with what the server says beside its answers, before the answer that it belongs to is known.
//
// A commit that waits for its synchronous standby and is cancelled, by the end of a context or by an operator, is
// answered as done, with a warning that it is so on the primary alone. The warning's text is in the server's language;
// the place in the server's source that it comes from has had the same name since there are synchronous standbys.
func (c *connection) notice(n *pq.Error) {
	if n.Routine == "SyncRepWaitForLSN" {
		c.alone.Store(true)
	}
}

// told looks at what came of a call before database/sql does. read is set for a call that can be made again.
func (c *connection) told(ctx context.Context, err error, read bool) error {
	if err == nil && c.alone.Swap(false) {
		return errAlone
	}
	if err == nil {
		return nil
	}
	if codeOf(err) == pqerror.ReadOnlySQLTransaction {
		// After a failover the old primary takes no writes; the next connection finds the new one.
		c.connector.era.CompareAndSwap(c.era, c.era+1)
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if read {
		return err
	}
	return lost(err)
}

// ResetSession implements driver.SessionResetter: it is called before a connection is used again.
func (c *connection) ResetSession(ctx context.Context) error {
	if c.era != c.connector.era.Load() || !c.wire.quiet() {
		return driver.ErrBadConn
	}
	return c.inner.ResetSession(ctx)
}

// IsValid implements driver.Validator: it is called before a connection goes back into the pool.
func (c *connection) IsValid() bool {
	return c.era == c.connector.era.Load() && c.inner.IsValid()
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *connection) CheckNamedValue(v *driver.NamedValue) error { return c.inner.CheckNamedValue(v) }

// Ping implements driver.Pinger.
func (c *connection) Ping(ctx context.Context) error {
	defer c.watch(ctx)()
	return c.told(ctx, c.inner.Ping(ctx), true)
}

// Close implements driver.Conn. It says goodbye to a server that may not be there any more, so there is no error, and
// waits for nothing longer than grace.
func (c *connection) Close() error {
	defer c.briefly()()
	_ = c.inner.Close()
	return nil
}

// briefly bounds a call that has no context.
func (c *connection) briefly() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	end = c.watch(ctx)
	cancel()
	return end
}

// Prepare implements driver.Conn.
func (c *connection) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *connection) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	defer c.watch(ctx)()
	inner, err := c.inner.PrepareContext(ctx, query)
	if err != nil {
		return nil, c.told(ctx, err, true)
	}
	return &statement{inner.(pqStmt), c, !strings.Contains(query, "INSERT INTO")}, nil
}

// ExecContext implements driver.ExecerContext.
func (c *connection) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.watch(ctx)()
	r, err := c.inner.ExecContext(ctx, query, args)
	return r, c.told(ctx, err, false)
}

// QueryContext implements driver.QueryerContext.
func (c *connection) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	end := c.watch(ctx)
	r, err := c.inner.QueryContext(ctx, query, args)
	return c.rows(ctx, r, err, end, true)
}

func (c *connection) rows(ctx context.Context, r driver.Rows, err error, end func(), read bool) (driver.Rows, error) {
	if err != nil {
		end()
		return nil, c.told(ctx, err, read)
	}
	return &result{r.(pqRows), c, end}, nil
}

// Begin implements driver.Conn.
func (c *connection) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx implements driver.ConnBeginTx.
func (c *connection) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	defer c.watch(ctx)()
	inner, err := c.inner.BeginTx(ctx, o)
	if err != nil {
		return nil, c.told(ctx, err, true)
	}
	return &transaction{inner, c, ctx}, nil
}

// statement is a prepared statement.
type statement struct {
	pqStmt
	c *connection
	// reads is not set where the rows of a query are what it has written.
	reads bool
}

// ExecContext implements driver.StmtExecContext.
func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	defer s.c.watch(ctx)()
	r, err := s.pqStmt.ExecContext(ctx, args)
	return r, s.c.told(ctx, err, false)
}

// QueryContext implements driver.StmtQueryContext.
func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	end := s.c.watch(ctx)
	r, err := s.pqStmt.QueryContext(ctx, args)
	return s.c.rows(ctx, r, err, end, s.reads)
}

// Close implements driver.Stmt; it is a round trip.
func (s *statement) Close() error {
	defer s.c.briefly()()
	return s.pqStmt.Close()
}

// result is the rows of a query, whose call lasts until they are closed.
type result struct {
	pqRows
	c   *connection
	end func()
}

// Next implements driver.Rows. The end of the rows that a write returns is also the end of its transaction.
func (r *result) Next(dest []driver.Value) error {
	err := r.pqRows.Next(dest)
	if errors.Is(err, io.EOF) && r.c.alone.Swap(false) {
		return errAlone
	}
	return err
}

// Close implements driver.Rows.
func (r *result) Close() error {
	defer r.end()
	err := r.pqRows.Close()
	if err == nil && r.c.alone.Swap(false) {
		return errAlone
	}
	return err
}

// transaction ends soon after the context that it was begun with.
type transaction struct {
	inner driver.Tx
	c     *connection
	ctx   context.Context
}

// Commit implements driver.Tx. An error of a lost connection leaves open whether the transaction was committed.
func (t *transaction) Commit() error {
	defer t.c.watch(t.ctx)()
	return t.c.told(t.ctx, t.inner.Commit(), false)
}

// Rollback implements driver.Tx.
func (t *transaction) Rollback() error {
	defer t.c.briefly()()
	return lost(t.inner.Rollback())
}
