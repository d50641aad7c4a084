package servers_test

import (
	"context"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// TestPatroni holds what the primary sends, sees a commit wait for it, and kills the primary: what was acknowledged is
// on the node that takes over.
func TestPatroni(t *testing.T) {
	t.Parallel()
	began := time.Now()
	c := servers.Patroni(t, 2)
	t.Logf("started in %v", time.Since(began))
	database, primary, standby := c.Database(t), c.Primary(), c.Synchronous()
	if primary == nil || standby == nil || primary == standby {
		t.Fatalf("the primary is %v, the synchronous node %v", primary, standby)
	}
	db := openDB(t, database.URL())
	mustExec(t, db, "CREATE TABLE t (word text)")
	mustExec(t, db, "INSERT INTO t VALUES ('acknowledged')")

	primary.HoldReplication()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	waited := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES ('in doubt')")
		waited <- err
	}()
	select {
	case err := <-waited:
		t.Errorf("a commit did not wait for the synchronous node: %v", err)
	case <-ctx.Done():
	}
	primary.Kill()
	began = time.Now()
	for c.Primary() == nil && time.Since(began) < time.Minute {
		time.Sleep(50 * time.Millisecond)
	}
	if heir := c.Primary(); heir != standby {
		t.Fatalf("the node that took over is %v", heir)
	}
	t.Logf("the standby took over after %v", time.Since(began))
	database.Port = standby.Port
	if got := mustSelect(t, openDB(t, database.URL()), "SELECT string_agg(word, ' ') FROM t"); got != "acknowledged" {
		t.Errorf("after the failover there is %q", got)
	}
}
