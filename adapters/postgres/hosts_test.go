package postgres

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// TestASilentHost has a first host that takes connections and never says a word, as a machine does that has hung or
// whose packets are lost: the next host is found all the same, well within the time of one request.
func TestASilentHost(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	d := servers.Postgres(t).Database(t)
	open(t, d) // makes the tables
	_, port, err := net.SplitHostPort(silent.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	db := openOnly(t, fmt.Sprintf("host=127.0.0.1,%s port=%s,%d user=%s password=%s dbname=%s sslmode=disable", d.Host, port, d.Port, d.User, d.Password, d.Name))
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		began := time.Now()
		err := db.Ping(ctx)
		cancel()
		if err != nil {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	}
	if err := db.Templates().Create(t.Context(), sample("a"), nil); err != nil {
		t.Error(err)
	}
}
