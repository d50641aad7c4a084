package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"bitbucket.org/templar/templar/core/fault"
)

const (
	// probeGap is how often the server is asked whether it is there while it is.
	probeGap = 500 * time.Millisecond
	// minBackoff and maxBackoff bound how long is waited between two attempts while it is not.
	minBackoff = 50 * time.Millisecond
	maxBackoff = 400 * time.Millisecond
	// steady is how long the server must have been there for its next failure to be looked into at once. One that
	// answers the probe and nothing else is tried less and less often.
	steady = time.Second
)

// errClosed is what a closed Client answers with.
var errClosed = errors.New("the client is closed")

// outage is why and where the server was found away.
type outage struct {
	err error
	// key is what was asked for when it failed. The probe asks for it: in a Cluster another node may well be there.
	key string
}

// ready gives the connection, nil while the circuit is open.
func (c *Client) ready() rueidis.Client {
	if !c.up.Load() {
		return nil
	}
	if rdb := c.rdb.Load(); rdb != nil {
		return *rdb
	}
	return nil
}

// unavailable is the fault that callers get while the circuit is open.
func (c *Client) unavailable() error {
	return fault.Wrap(fault.Unavailable, c.outage.Load().err, "Redis is away")
}

// isOutage tells an error that says that the server, or a part of it, is away from an answer to one command.
func isOutage(err error) bool {
	if err == nil || rueidis.IsRedisNil(err) || errors.Is(err, context.Canceled) {
		return false
	}
	if answer, ok := rueidis.IsRedisErr(err); ok {
		code, _, _ := strings.Cut(answer.Error(), " ")
		switch code {
		case "LOADING", "CLUSTERDOWN", "MASTERDOWN", "NOAUTH", "WRONGPASS":
			return true
		}
		return false
	}
	return true
}

// judge opens the circuit when err is an outage.
func (c *Client) judge(key string, err error) {
	if !isOutage(err) {
		return
	}
	c.outage.Store(&outage{err: err, key: key})
	if c.up.CompareAndSwap(true, false) {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// trip sends what send sends, within opTimeout whatever becomes of ctx, whose values it carries. An outage opens the
// circuit. The caller had rdb from ready.
func (c *Client) trip(ctx context.Context, command, key string, send func(context.Context) error) error {
	op := &opContext{parent: ctx}
	defer op.end()
	begun := time.Now()
	var err error
	select {
	case c.inUse <- struct{}{}:
		err = send(op)
		<-c.inUse
	case <-op.Done():
		err = op.Err()
	}
	c.observe(ctx, command, begun, err)
	c.judge(key, err)
	return err
}

// watch connects, finds out when the server is back, and notices when it goes while nobody asks. It closes tried
// after its first attempt.
func (c *Client) watch(tried chan struct{}) {
	backoff := minBackoff
	var upSince time.Time
	told, toldUp := false, false
	tell := func(up bool, err error) {
		if told && toldUp == up {
			return
		}
		told, toldUp = true, up
		if c.config.OnState != nil {
			c.config.OnState(up, err)
		}
	}
	for {
		if told && !c.up.Load() {
			tell(false, c.outage.Load().err)
		}
		err := c.probe()
		if err == nil {
			if !c.up.Swap(true) {
				upSince = time.Now()
			}
		} else {
			c.outage.Store(&outage{err: err, key: c.outage.Load().key})
			c.up.Store(false)
		}
		tell(err == nil, err)
		if tried != nil {
			close(tried)
			tried = nil
		}
		var goOn bool
		if err != nil {
			goOn = c.pause(grow(&backoff))
		} else if goOn = c.pause(probeGap); time.Since(upSince) >= steady {
			backoff = minBackoff
		} else if !c.up.Load() {
			goOn = c.pause(grow(&backoff))
		}
		if !goOn {
			c.up.Store(false)
			c.outage.Store(&outage{err: errClosed})
			return
		}
	}
}

// grow gives the time to wait, about *backoff, and makes the next longer.
func grow(backoff *time.Duration) time.Duration {
	wait := *backoff + rand.N(*backoff/4)
	*backoff = min(2**backoff, maxBackoff)
	return wait
}

// pause waits until the next probe is due, which a failed command makes earlier; false when the client is closed.
func (c *Client) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.closing:
		return false
	case <-timer.C:
	case <-c.wake:
	}
	return true
}

// probe makes one trip to the server, over a new connection when there is none. Any answer is a good sign.
func (c *Client) probe() error {
	begun := time.Now()
	err := c.tryProbe()
	c.observe(context.Background(), "probe", begun, err)
	return err
}

func (c *Client) tryProbe() error {
	held := c.rdb.Load()
	if held == nil {
		rdb, err := c.connect()
		if err != nil {
			return err
		}
		held = &rdb
		c.rdb.Store(held)
	}
	rdb := *held
	ctx, cancel := context.WithTimeout(context.Background(), opTimeout)
	defer cancel()
	probe := rdb.B().Ping().Build()
	if key := c.outage.Load().key; key != "" {
		probe = rdb.B().Exists().Key(key).Build()
	}
	if err := rdb.Do(ctx, probe).Error(); isOutage(err) {
		return err
	}
	return nil
}
