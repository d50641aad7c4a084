package harper

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

var hasty = leaseTimes{beat: 30 * time.Millisecond, held: 200 * time.Millisecond, gone: 400 * time.Millisecond, look: 10 * time.Millisecond}

// instances opens DBs of one schema as several processes would, with short times.
func instances(t *testing.T, n int) ([]*DB, *server) {
	t.Helper()
	c, s := fakePlace(t)
	bringUp(t, openAt(t, c))
	all := make([]*DB, n)
	for i := range all {
		all[i] = openAt(t, c)
		all[i].lease.times = hasty
	}
	return all, s
}

func TestASecondProcessIsRefused(t *testing.T) {
	all, _ := instances(t, 2)
	a, b := all[0], all[1]
	if err := a.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Hold(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "another Templar process (process ") {
		t.Fatalf("want a fault that names the other, got %v", err)
	}
	if err := b.Templates().Create(t.Context(), sample(), nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write without the lease: want Unavailable, got %v", err)
	}
	if _, err := b.Templates().Get(t.Context(), sample().ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("a read without the lease: want NotFound, got %v", err)
	}
	if err := a.Templates().Create(t.Context(), sample(), nil); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := b.Hold(t.Context()); err != nil || time.Since(began) > hasty.gone {
		t.Errorf("after the other has closed: %v after %v", err, time.Since(began))
	}
	if err := a.Templates().Trash(t.Context(), sample().ID, 1, time.Now()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a closed DB: want Unavailable, got %v", err)
	}
}

// TestACrashedProcessIsFollowed leaves a lease behind that nobody renews.
func TestACrashedProcessIsFollowed(t *testing.T) {
	all, _ := instances(t, 1)
	d := all[0]
	dead := record{"entry": leasePrefix + uuid.NewString(), "beat": "7", "owner": "process 1 on moon", "steps": nil}
	if err := d.upsert(t.Context(), stateTable, dead); err != nil {
		t.Fatal(err)
	}
	if err := d.Templates().Create(t.Context(), sample(), nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("at once: want Unavailable, got %v", err)
	}
	began := time.Now()
	if err := d.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(began); waited < hasty.gone/2 {
		t.Errorf("taken over after %v", waited)
	}
	if err := d.Templates().Create(t.Context(), sample(), nil); err != nil {
		t.Error(err)
	}
}

// TestAHolderThatCannotRenewStops cuts a holder off until another has taken over, and lets it come back.
func TestAHolderThatCannotRenewStops(t *testing.T) {
	all, s := instances(t, 2)
	a, b := all[0], all[1]
	if err := a.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.trouble(func(op map[string]any) (int, string) {
		if op["operation"] == "update" && op["records"].([]any)[0].(map[string]any)["entry"] == a.lease.id {
			return 503, "{}"
		}
		return 0, ""
	}, nil)
	if err := b.Hold(t.Context()); err != nil {
		// It may have seen a last renewal.
		if err := b.Hold(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if a.lease.valid() {
		t.Error("two have the lease")
	}
	s.trouble(nil, nil)
	if err := a.Templates().Create(t.Context(), sample(), nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write of who was followed: want Unavailable, got %v", err)
	}
}

// TestManyAtOnce lets several come at the same time, again and again.
func TestManyAtOnce(t *testing.T) {
	all, _ := instances(t, 6)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var holders, most, times int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, d := range all {
		wg.Go(func() {
			if err := d.lease.wait(ctx, true); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			holders++
			times++
			most = max(most, holders)
			mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			holders--
			mu.Unlock()
			d.lease.end()
		})
	}
	wg.Wait()
	if most != 1 || times != len(all) {
		t.Errorf("want each of %d in turn, got %d, and %d at once", len(all), times, most)
	}
}
