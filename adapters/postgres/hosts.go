package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
)

// headStart is how long a host is waited for before the next one is asked as well. lib/pq itself asks the next one when
// the first has failed, which a machine that has gone without a word does only after the whole time for connecting, and
// so after the request that needs the connection has been given up.
const headStart = 250 * time.Millisecond

// connectors makes one connector for each host of the settings, in their order.
func connectors(settings pq.Config) ([]*pq.Connector, error) {
	multi := settings.Multi
	settings.Multi = nil
	each := []pq.Config{settings}
	for _, m := range multi {
		one := settings.Clone()
		one.Host, one.Hostaddr, one.Port = m.Host, m.Hostaddr, m.Port
		each = append(each, one)
	}
	made := make([]*pq.Connector, 0, len(each))
	for _, one := range each {
		c, err := pq.NewConnectorConfig(one)
		if err != nil {
			return nil, err
		}
		made = append(made, c)
	}
	return made, nil
}

// attempt is what came of asking one host.
type attempt struct {
	opened *connection
	err    error
}

// Connect implements driver.Connector. With several hosts they are asked in their order, the next one as soon as one has
// failed or is silent for a while, and the first that will do is taken.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel() // which ends the attempts that are not needed any more
	era := c.era.Load()
	done := make(chan attempt, len(c.hosts))
	asked, answered := 0, 0
	defer func() { go closeLate(done, asked-answered) }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var failed []error
	for {
		select {
		case <-timer.C:
			if asked == len(c.hosts) {
				continue
			}
			host := c.hosts[asked]
			asked++
			go func() {
				opened, err := c.open(ctx, host, era)
				done <- attempt{opened, err}
			}()
			timer.Reset(headStart)
		case a := <-done:
			answered++
			if a.err == nil {
				return a.opened, nil
			}
			failed = append(failed, a.err)
			if answered == len(c.hosts) {
				return nil, noHost(failed)
			}
			timer.Reset(0)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// errNoHost is a search over several hosts of which none would do.
var errNoHost = errors.New("none of the hosts takes writes")

func noHost(failed []error) error {
	if len(failed) == 1 {
		return failed[0]
	}
	return fmt.Errorf("%w: %w", errNoHost, errors.Join(failed...))
}

// closeLate closes the connections that are opened after one has been chosen.
func closeLate(done <-chan attempt, open int) {
	for range open {
		if a := <-done; a.err == nil {
			_ = a.opened.Close()
		}
	}
}
