package harper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
)

// leaseTimes are the times of a lease.
type leaseTimes struct {
	// beat is how often a lease is renewed.
	beat time.Duration
	// held is for how long a renewal counts for its holder, from before it was sent.
	held time.Duration
	// gone is how long another's lease must stand still, by the clock of who looks at it, to be taken over. What it is
	// longer than held is the time that requests of the old holder have to end.
	gone time.Duration
	// look is how often a lease is looked at by who waits for it.
	look time.Duration
}

var usualTimes = leaseTimes{beat: 3 * time.Second, held: 8 * time.Second, gone: 12 * time.Second, look: 400 * time.Millisecond}

// What leases are for: writing, and migrating.
const (
	leasePrefix     = "lease:"
	migrationPrefix = "migration:"
)

// lease lets one of several processes be the only one, without an update that could tell who was first: each writes a
// row of its own and then looks for the rows of others. Of two that come at the same time, at least one sees the other,
// and who sees another goes back. A holder renews its row; one that stands still for long is removed by who waits
// for it, and its holder, should it still live, sees that its row is gone, or that it could not renew it in time.
type lease struct {
	d      *DB
	prefix string
	id     string
	times  leaseTimes
	// taken is called when the lease was got, before anybody is told.
	taken func()

	mu    sync.Mutex // of what follows; not held over requests but by turn
	until time.Time
	beat  int
	turn  chan struct{}
	stop  context.CancelFunc
	ended chan struct{}
	// others are the beats of others that were seen, and since when they stand.
	others map[string]seenBeat
}

type seenBeat struct {
	beat  string
	since time.Time
	// moved is set once the beat was seen to change.
	moved bool
}

func newLease(d *DB, prefix string) *lease {
	return &lease{d: d, prefix: prefix, id: prefix + uuid.NewString(), times: usualTimes, turn: make(chan struct{}, 1), others: map[string]seenBeat{}, taken: func() {}}
}

// errHeld is a lease that another process has.
type errHeld struct {
	owner string
	// alive is set when it was seen to be renewed.
	alive bool
}

func (e *errHeld) Error() string { return "another process has the lease: " + e.owner }

func (l *lease) valid() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.until)
}

// check tells whether this process still has the lease, without asking anybody.
func (l *lease) check() error {
	if l.valid() {
		return nil
	}
	return fault.New(fault.Unavailable, "the database could not be held: the lease was not renewed in time")
}

// hold makes one attempt to have the lease, if this process does not have it already.
func (l *lease) hold(ctx context.Context) error {
	if l.valid() {
		return nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if l.valid() {
		return nil
	}
	err := l.take(ctx)
	var held *errHeld
	if errors.As(err, &held) {
		return fault.Wrap(fault.Unavailable, err, "another Templar process (%s) works on this Harper, which only one can; stop it, or use its API. One that has crashed is seen to be gone after %d seconds", held.owner, int(l.times.gone.Seconds()))
	}
	return err
}

// wait tries until it has the lease. It gives up when the holder is seen to live, unless patient.
func (l *lease) wait(ctx context.Context, patient bool) error {
	for {
		err := l.hold(ctx)
		var held *errHeld
		if err == nil || !errors.As(err, &held) || held.alive && !patient {
			return err
		}
		// Several that wait must not come at the same time again and again.
		pause := time.NewTimer(l.times.look/8 + rand.N(l.times.look))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

func ownerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

func (l *lease) row() record {
	return record{stateTable.hash: l.id, "beat": strconv.Itoa(l.beat), "owner": ownerName(), "steps": nil}
}

// take makes one attempt. The caller has the turn.
func (l *lease) take(ctx context.Context) error {
	if l.stop != nil { // it was lost
		l.stop()
		<-l.ended
		l.stop = nil
	}
	// Looking first spares those that wait for a living holder the writing.
	if err := l.look(ctx); err != nil {
		return err
	}
	began := time.Now()
	l.beat++
	if err := l.d.upsert(ctx, stateTable, l.row()); err != nil {
		return err
	}
	if err := l.look(ctx); err != nil {
		return errors.Join(err, l.remove(ctx))
	}
	if time.Since(began) > l.times.held {
		return errors.Join(fault.New(fault.Unavailable, "the database is too slow to be held"), l.remove(ctx))
	}
	l.taken()
	beating, stop := context.WithCancel(context.Background())
	l.stop, l.ended = stop, make(chan struct{})
	l.extend(began)
	go l.renew(beating, l.ended)
	return nil
}

// removeTime bounds giving a lease back.
const removeTime = 2 * time.Second

func (l *lease) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	return l.d.remove(ctx, stateTable, l.id)
}

func (l *lease) extend(from time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = from.Add(l.times.held)
}

func (l *lease) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Time{}
}

// look answers errHeld when another has the lease, and removes the rows of those that are gone.
func (l *lease) look(ctx context.Context) error {
	all := scan{table: stateTable, along: stateTable.hash, low: l.prefix, high: page.AfterPrefix(l.prefix), attributes: stateAttributes, page: lightPage}
	var found *errHeld
	var gone []string
	now := time.Now()
	err := walk(ctx, l.d, all, func(r *stateRow) string { return r.Entry }, func(r *stateRow) error {
		if r.Entry == l.id || !strings.HasPrefix(r.Entry, l.prefix) {
			return nil
		}
		known, ok := l.others[r.Entry]
		if !ok || known.beat != r.Beat {
			known = seenBeat{beat: r.Beat, since: now, moved: ok}
			l.others[r.Entry] = known
		}
		if now.Sub(known.since) >= l.times.gone {
			gone = append(gone, r.Entry)
			return nil
		}
		found = &errHeld{owner: r.Owner, alive: known.moved}
		return nil
	})
	if err != nil {
		return err
	}
	if found != nil {
		return found
	}
	clear(l.others)
	if len(gone) > 0 {
		return l.d.remove(ctx, stateTable, gone...)
	}
	return nil
}

// renew goes on until ctx ends or the row is found to be gone.
func (l *lease) renew(ctx context.Context, ended chan<- struct{}) {
	defer close(ended)
	ticker := time.NewTicker(l.times.beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		began := time.Now()
		l.beat++
		bounded, cancel := context.WithTimeout(ctx, l.times.held-l.times.beat)
		found, err := l.d.updateOld(bounded, stateTable, l.row())
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && !found:
			l.lose()
			return
		case err == nil:
			l.extend(began)
		}
	}
}

// end gives the lease back.
func (l *lease) end() {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.stop == nil {
		return
	}
	l.stop()
	<-l.ended
	l.stop = nil
	l.lose()
	// Should it fail, the next one waits until it stands still for long.
	_ = l.remove(context.Background())
}
