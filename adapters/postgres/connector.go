package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

const (
	// grace is how long a server has to answer a request to cancel; then the connection is cut.
	grace = 400 * time.Millisecond
	// keepAlive finds peers that have vanished without a word.
	keepAlive = 15 * time.Second
)

// connector opens connections of lib/pq and keeps hold of the network connection under each, to be able to cut it.
type connector struct {
	hosts []*pq.Connector // at least one
	// patience bounds opening one connection, over all hosts.
	patience time.Duration
	// era rises when the server turns out to take no writes any more; connections of an earlier era are not used again.
	era atomic.Int64
}

func newConnector(hosts []*pq.Connector, patience time.Duration) *connector {
	for _, h := range hosts {
		h.Dialer(dialer{})
	}
	return &connector{hosts: hosts, patience: patience}
}

// frugal keeps PostgreSQL from compiling a statement or starting processes for it. It does so by an estimate of the rows,
// and of rare words it has none: to find one row among ten million took 45 ms of its time then, and takes 1 ms without.
// A parameter of the connection's start would spare the trip, but PgBouncer refuses those that it does not know. Behind one
// that pools transactions the setting belongs to whoever comes next; ALTER ROLE ... SET is the way there.
const frugal = `SET jit = off; SET max_parallel_workers_per_gather = 0`

// open makes a connection to one host. It ends with its context, also while the server is silent.
func (c *connector) open(ctx context.Context, host *pq.Connector, era int64) (*connection, error) {
	w := &wire{}
	stop := context.AfterFunc(ctx, w.cut)
	inner, err := host.Connect(context.WithValue(ctx, wireKey{}, w))
	if err == nil {
		if _, err = inner.(pqConn).ExecContext(context.Background(), frugal, nil); err != nil {
			_ = inner.Close()
		}
	}
	if !stop() {
		if err == nil {
			_ = inner.Close() // it has been cut
		}
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, lost(err)
	}
	opened := &connection{inner: inner.(pqConn), wire: w, connector: c, era: era}
	pq.SetNoticeHandler(inner, opened.notice)
	return opened, nil
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return c.hosts[0].Driver() }

// wire is the network connection of a database connection.
type wire struct {
	mu   sync.Mutex
	conn net.Conn
	down bool
}

// set takes the connection that is being opened; with several hosts, that is one after the other.
func (w *wire) set(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	if w.down {
		_ = conn.Close() // nobody waits for it any more
	}
}

// cut closes the connection under whatever is waiting for it.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	if w.conn != nil {
		_ = w.conn.Close() // the reader on the other side of lib/pq learns of it
	}
}

type wireKey struct{}

// dialer makes network connections for lib/pq: one that a wire is waiting for, or else one that only carries a
// request to cancel, which must not take longer than grace.
type dialer struct{}

func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	w, wanted := ctx.Value(wireKey{}).(*wire)
	plain := net.Dialer{KeepAlive: keepAlive}
	if wanted {
		conn, err := plain.DialContext(ctx, network, address)
		if err == nil {
			w.set(conn)
		}
		return conn, err
	}
	end := time.Now().Add(grace)
	plain.Deadline = end
	conn, err := plain.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return brief{conn}, conn.SetDeadline(end)
}

// brief is a connection whose deadline stands.
type brief struct{ net.Conn }

// SetDeadline does nothing.
func (brief) SetDeadline(time.Time) error { return nil }

// errLost is a connection that broke while something was under way. database/sql does not know it and so does not
// send the same again, as it would for driver.ErrBadConn: a write may have been done.
var errLost = errors.New("the connection to PostgreSQL broke")

// errAlone is a commit that the standby which has to have it, by synchronous_standby_names, is not known to have. The
// primary shows it, and a failover would undo it: it is no success, and may yet turn out to be one.
var errAlone = errors.New("PostgreSQL committed without its synchronous standby")

func lost(err error) error {
	if errors.Is(err, driver.ErrBadConn) {
		return errLost
	}
	return err
}
