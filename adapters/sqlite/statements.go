package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// mostKept is how many statements a connection keeps prepared beside those of its users.
const mostKept = 32

// keeper makes connections that keep the statements that they run prepared, by their texts. SQLite takes longer to
// parse a statement with a hundred rows in it than to find out where they belong.
type keeper struct{ driver.Connector }

// Connect implements driver.Connector.
func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(innerConn)
	if !ok {
		return nil, fmt.Errorf("a connection of the SQLite driver lacks what database/sql may ask of it: %T", conn)
	}
	return &keepingConn{innerConn: inner, kept: map[string]driver.Stmt{}}, nil
}

// innerConn is all that the driver's connections do.
type innerConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn keeps statements that change something: they have ended when ExecContext returns, so that none is run
// again while it runs. Like any connection it is used by one goroutine at a time.
type keepingConn struct {
	innerConn
	kept map[string]driver.Stmt
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 { // a script, or a step of a migration
		return c.innerConn.ExecContext(ctx, text, args)
	}
	s, kept := c.kept[text]
	if !kept {
		var err error
		if s, err = c.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
		if len(c.kept) >= mostKept {
			c.drop()
		}
		c.kept[text] = s
	}
	return s.(driver.StmtExecContext).ExecContext(ctx, args)
}

// drop gives up all that is kept.
func (c *keepingConn) drop() {
	for text, s := range c.kept {
		_ = s.Close() // nothing is done with it any more
		delete(c.kept, text)
	}
}

// Close implements driver.Conn.
func (c *keepingConn) Close() error {
	c.drop()
	return c.innerConn.Close()
}
