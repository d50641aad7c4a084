package harper

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"bitbucket.org/templar/templar/core/fault"
)

// writeTime bounds a change that goes on after its caller has left.
const writeTime = 30 * time.Second

// Config says where Harper is.
type Config struct {
	// URL is that of the Operations API, such as http://localhost:9925.
	URL string
	// User and Password are sent with every request (Basic authentication).
	User     string
	Password string
	// Schema is where Templar's tables are; Harper calls it a database too.
	Schema string
	// Observe is told every use of a store, under a name such as template.get, after it ended; nil tells nobody.
	Observe func(query string, took time.Duration, err error)
	// Trip is told every request to the Operations API, under its operation's name, after it ended. The context has the
	// values of the call that it was made for. nil tells nobody.
	Trip func(ctx context.Context, operation string, took time.Duration, err error)
}

// DB is a schema of a Harper server. Its methods are safe for concurrent use.
type DB struct {
	client  *client
	schema  string
	observe func(string, time.Duration, error)
	locks   *locks
	lease   *lease
	journal journal
	// exports keeps revisions from going while somebody exports them.
	exports *locks
	numbers atomic.Int64

	running sync.WaitGroup
	closed  atomic.Bool
}

// Open makes a DB. It sends nothing: a Harper that is away is no error, and everything works once it is there.
func Open(c Config) *DB {
	d := &DB{client: newClient(c.URL, c.User, c.Password), schema: c.Schema, observe: c.Observe, locks: newLocks(), exports: newLocks()}
	d.client.trip = c.Trip
	if d.observe == nil {
		d.observe = func(string, time.Duration, error) {}
	}
	d.lease = newLease(d, leasePrefix)
	d.lease.taken = d.journal.reopen
	return d
}

// Close waits for changes that still run, up to 30 seconds, and gives the lease back, so that another process can have
// it at once.
func (d *DB) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	d.running.Wait()
	d.lease.end()
	d.client.http.CloseIdleConnections()
	return nil
}

// Ping makes one round trip; an Unavailable fault when Harper is away or refuses the credentials.
func (d *DB) Ping(ctx context.Context) error {
	return d.seen(ctx, "ping", func(ctx context.Context) error {
		_, err := one[stateRow](ctx, d, stateTable, "ping", stateAttributes)
		var r *refusal
		if errors.As(err, &r) && r.missing() {
			return nil // it answers; whether the tables are in place is another question
		}
		return err
	})
}

// Hold takes the lease, which writing needs, and carries out what a crash left in the journal. While another process
// holds the lease it is an Unavailable fault that tells which; it takes up to 12 seconds to see that one is gone that
// did not say so.
func (d *DB) Hold(ctx context.Context) error {
	return d.seen(ctx, "hold", func(ctx context.Context) error {
		if err := d.lease.wait(ctx, false); err != nil {
			return err
		}
		return d.settle(ctx)
	})
}

// seen runs a use of a store, maps its error to a fault and tells the observer.
func (d *DB) seen(ctx context.Context, name string, use func(context.Context) error) error {
	began := time.Now()
	err := ctx.Err()
	if err == nil {
		err = use(ctx)
	}
	err = faultOf(err)
	d.observe(name, time.Since(began), err)
	return err
}

// read runs a use that changes nothing.
func (d *DB) read(ctx context.Context, name string, use func(context.Context) error) error {
	return d.seen(ctx, name, func(ctx context.Context) error {
		if err := d.settle(ctx); err != nil {
			return err
		}
		return use(ctx)
	})
}

// change runs a use that changes what the names stand for, when nobody else does. It goes on when ctx ends, and nobody
// gets at the names before its end.
func (d *DB) change(ctx context.Context, name string, names []string, use func(context.Context) error) error {
	return d.apart(ctx, name, func(ctx context.Context) (func(), error) { return d.locks.take(ctx, names) }, use)
}

// changeAlone is change when nobody else changes anything, and nobody has a place of first, which may be nil.
func (d *DB) changeAlone(ctx context.Context, name string, first *locks, use func(context.Context) error) error {
	return d.apart(ctx, name, func(ctx context.Context) (func(), error) {
		if first == nil {
			return d.locks.alone(ctx)
		}
		outer, err := first.alone(ctx)
		if err != nil {
			return nil, err
		}
		inner, err := d.locks.alone(ctx)
		if err != nil {
			outer()
			return nil, err
		}
		return func() { inner(); outer() }, nil
	}, use)
}

// apart runs a change with the locks that take gives.
func (d *DB) apart(ctx context.Context, name string, take func(context.Context) (func(), error), use func(context.Context) error) error {
	return d.seen(ctx, name, func(ctx context.Context) error {
		release, err := d.enter(ctx, take)
		if err != nil {
			return err
		}
		done := make(chan error, 1)
		d.running.Add(1)
		go func() {
			defer d.running.Done()
			defer release()
			lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
			defer cancel()
			done <- use(lasting)
		}()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// enter waits for the locks of a change, with the lease held and the journal in order.
func (d *DB) enter(ctx context.Context, take func(context.Context) (func(), error)) (release func(), err error) {
	for {
		if d.closed.Load() {
			return nil, fault.New(fault.Unavailable, "the database is closed")
		}
		if err := d.lease.hold(ctx); err != nil {
			return nil, err
		}
		if err := d.settle(ctx); err != nil {
			return nil, err
		}
		release, err = take(ctx)
		// Whoever had the locks before may have left something half done.
		if err != nil || !d.journal.open.Load() {
			return release, err
		}
		release()
	}
}

// number gives microseconds since 1970 that rise with every call.
func (d *DB) number() int64 {
	for {
		last := d.numbers.Load()
		next := max(last+1, time.Now().UnixMicro())
		if d.numbers.CompareAndSwap(last, next) {
			return next
		}
	}
}

// faultOf maps an error of a use to the faults of the ports.
func faultOf(err error) error {
	var known *fault.Error
	var r *refusal
	var silent *away
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Unavailable, err, "the request ended before the database answered")
	case errors.As(err, &silent):
		return fault.Wrap(fault.Unavailable, err, "the database is away")
	case !errors.As(err, &r):
		return fault.Wrap(fault.Internal, err, "the database failed")
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		return fault.Wrap(fault.Unavailable, err, "the database does not let Templar in")
	case r.missing():
		return fault.Wrap(fault.Unavailable, err, "the database is not ready: its tables are not in place")
	case r.status == http.StatusTooManyRequests || r.status >= http.StatusBadGateway:
		return fault.Wrap(fault.Unavailable, err, "the database is busy")
	}
	return fault.Wrap(fault.Internal, err, "the database failed")
}
