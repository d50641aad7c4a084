package redis

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/servers"
)

// number is a truth that only grows, and the load that reads it.
type number struct{ value atomic.Uint64 }

func (n *number) load(context.Context) ([]byte, error) {
	return binary.BigEndian.AppendUint64(nil, n.value.Load()), nil
}

func (n *number) read(ctx context.Context, c ports.Cache, id [16]byte) (uint64, error) {
	raw, err := c.Fetch(ctx, id, n.load)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(raw), nil
}

// TestAChangeShowsAtOnce changes one id thousands of times beside readers on two instances and, in the second case, beside
// somebody who removes all keys again and again. No read that begins after a change, on its instance, may be older.
func TestAChangeShowsAtOnce(t *testing.T) {
	for _, flush := range []bool{false, true} {
		t.Run(fmt.Sprintf("keys vanish %t", flush), func(t *testing.T) {
			server := servers.Redis(t)
			mine := open(t, server, server.Addr()).Cache(time.Hour)
			theirs := open(t, server, server.Addr()).Cache(time.Hour)
			flusher := open(t, server, server.Addr())
			var truth number
			var told atomic.Uint64
			id := [16]byte{1}
			ctx, stop := context.WithCancel(t.Context())
			var others sync.WaitGroup
			var reads atomic.Int64
			for n := range 6 {
				others.Go(func() {
					for ctx.Err() == nil {
						cache, least := mine, told.Load()
						if n%3 == 0 {
							cache, least = theirs, 0
						}
						got, err := truth.read(context.Background(), cache, id)
						if err != nil || got < least {
							t.Errorf("a reader: want %d or later, got %d, %v", least, got, err)
							return
						}
						reads.Add(1)
						time.Sleep(10 * time.Microsecond) // else nothing but readers runs on a small machine
					}
				})
			}
			if flush {
				others.Go(func() {
					for ctx.Err() == nil {
						if rdb := flusher.ready(); rdb != nil {
							rdb.Do(ctx, rdb.B().Flushall().Build())
						}
						time.Sleep(300 * time.Microsecond)
					}
				})
			}
			rounds := 0
			for begun := time.Now(); time.Since(begun) < 5*time.Second && !t.Failed(); rounds++ {
				changed := mine.Changing(ctx, id)
				now := truth.value.Add(1)
				changed()
				told.Store(now)
				if got, err := truth.read(ctx, mine, id); err != nil || got < now {
					t.Fatalf("right after change %d: got %d, %v", now, got, err)
				}
			}
			stop()
			others.Wait()
			t.Logf("%d changes, %d reads beside them", rounds, reads.Load())
			if rounds < 1000 {
				t.Errorf("only %d changes: this proves little", rounds)
			}
			eventually(t, time.Second, func() error {
				if got, err := truth.read(t.Context(), theirs, id); err != nil || got != truth.value.Load() {
					return fmt.Errorf("the other instance: got %d, %v", got, err)
				}
				return nil
			})
		})
	}
}

func TestReadsGoOnWithoutRedis(t *testing.T) {
	server := servers.Redis(t)
	client := open(t, server, server.Addr())
	cache, limiter, directory := client.Cache(time.Minute), client.Limiter(), client.Directory("keys")
	if _, err := cache.Fetch(t.Context(), [16]byte{1}, answer("text")); err != nil {
		t.Fatal(err)
	}
	for what, away := range map[string]struct{ go_, back func() }{
		"killed": {server.Kill, server.Start}, "frozen": {server.Pause, server.Resume},
	} {
		t.Run(what, func(t *testing.T) {
			away.go_()
			var slowest, first time.Duration
			var slow int
			const calls = 5000
			begun := time.Now()
			for n := range calls {
				begun := time.Now()
				if _, err := cache.Fetch(t.Context(), [16]byte{1}, answer("text")); err != nil {
					t.Fatal(err)
				}
				cache.Changing(t.Context(), [16]byte{2, byte(n)})()
				limiter.Take(t.Context(), "ann", 1_000_000)
				_, _, _ = directory.Lookup(t.Context(), "key")
				took := time.Since(begun)
				if n == 0 {
					first = took
				}
				slowest = max(slowest, took)
				if took > 5*time.Millisecond {
					slow++
				}
			}
			t.Logf("%d rounds of fetch, change, take and look-up in %v: first %v, slowest %v, %d slower than 5ms", calls, time.Since(begun), first, slowest, slow)
			if slowest > 2*time.Second || slow > calls/100 {
				t.Errorf("Redis is away: slowest round %v, %d of %d slower than 5ms", slowest, slow, calls)
			}
			away.back()
			took := eventually(t, 5*time.Second, isUp(client, true))
			t.Logf("up again %v after Redis was back", took)
			eventually(t, 5*time.Second, func() error { return client.Ping(t.Context()) })
			eventually(t, time.Second, func() error {
				if n := cache.(*sharedCache).changes.count.Load(); n != 0 {
					return fmt.Errorf("%d changes are still owed", n)
				}
				return nil
			})
		})
	}
}

func TestWhatIsNotKept(t *testing.T) {
	server := servers.Redis(t)
	client := open(t, server, server.Addr())
	cache := client.Cache(time.Minute)
	loads := 0
	fetch := func(id byte, value []byte) {
		t.Helper()
		got, err := cache.Fetch(t.Context(), [16]byte{id}, func(context.Context) ([]byte, error) {
			loads++
			return value, nil
		})
		if err != nil || !bytes.Equal(got, value) {
			t.Fatalf("Fetch: want %d bytes, got %d, %v", len(value), len(got), err)
		}
	}
	huge := make([]byte, cache.(*sharedCache).most+1)
	fetch(1, huge)
	fetch(1, huge)
	if loads != 2 {
		t.Errorf("a value over the limit: want 2 loads, got %d", loads)
	}
	loads = 0
	fetch(2, huge[1:])
	fetch(2, huge[1:])
	if loads != 1 {
		t.Errorf("a value at the limit: want 1 load, got %d", loads)
	}
	key := cache.(*sharedCache).key([16]byte{3})
	if want := "templar:t:03000000-0000-0000-0000-000000000000"; key != want {
		t.Errorf("key: want %s, got %s", want, key)
	}
	server.CLI("set", key, "x of another program")
	fetch(3, []byte("text"))
	server.CLI("del", key)
	server.CLI("rpush", key, "a list")
	fetch(3, []byte("text"))
	cache.Changing(t.Context(), [16]byte{3})()
	fetch(3, []byte("text"))
	if got := server.CLI("get", key); got != "vtext" {
		t.Errorf("after a change, Redis has %q", got)
	}
	server.CLI("script", "flush")
	fetch(4, []byte("text"))
	if got := server.CLI("get", cache.(*sharedCache).key([16]byte{4})); got != "vtext" {
		t.Errorf("after the scripts were lost, Redis has %q", got)
	}
	if off := client.Cache(0); true {
		loads, cache = 0, off
		fetch(4, []byte("other"))
		fetch(4, []byte("other"))
		if loads != 2 {
			t.Errorf("a cache with no time to live: want 2 loads, got %d", loads)
		}
	}
}

func TestAFullRedisStopsNothing(t *testing.T) {
	server := servers.NewRedis(t, servers.RedisMaxMemory(3<<20), servers.RedisSetting("maxmemory-policy", "noeviction"))
	client := open(t, server, server.Addr())
	for i := 0; ; i++ {
		rdb := client.ready()
		if err := rdb.Do(t.Context(), rdb.B().Set().Key(fmt.Sprint("junk", i)).Value(strings.Repeat("x", 100_000)).Build()).Error(); err != nil {
			break
		}
	}
	cache, limiter := client.Cache(time.Minute), client.Limiter()
	var truth number
	for range 50 {
		changed := cache.Changing(t.Context(), [16]byte{1})
		want := truth.value.Add(1)
		changed()
		if got, err := truth.read(t.Context(), cache, [16]byte{1}); err != nil || got != want {
			t.Fatalf("want %d, got %d, %v", want, got, err)
		}
	}
	granted := 0
	for range 20 {
		if limiter.Take(t.Context(), "ann", 10).Granted {
			granted++
		}
	}
	if granted != 10 {
		t.Errorf("a bucket of 10 that Redis cannot keep: want 10 permits, got %d", granted)
	}
	if err := isUp(client, true)(); err != nil {
		t.Error(err)
	}
}

func TestChangesAreBounded(t *testing.T) {
	var c changes
	until := time.Now().Add(2 * time.Second)
	id := func(n int) (id [16]byte) {
		binary.BigEndian.PutUint64(id[:], uint64(n))
		return id
	}
	for n := range maxOwed {
		c.owe(id(n), until)
	}
	if !c.touch(id(0)) || c.touch(id(maxOwed)) {
		t.Fatal("only what is owed must be passed by")
	}
	c.owe(id(maxOwed), until)
	if len(c.owed) != maxOwed || !c.touch(id(maxOwed)) || !c.touch(id(2*maxOwed)) {
		t.Fatal("past the bound, everything must be passed by")
	}
	time.Sleep(time.Until(until) + time.Millisecond)
	if c.touch(id(0)) || c.touch(id(maxOwed)) {
		t.Fatal("what is owed must end by itself")
	}
	c.due()
	if n := c.count.Load(); n != 0 || len(c.owed) != 0 {
		t.Fatalf("nothing is owed, but %d are counted and %d kept", n, len(c.owed))
	}
	c.owe(id(1), time.Now().Add(time.Hour))
	batch := c.due()
	c.owe(id(1), time.Now().Add(time.Hour))
	for id, d := range batch {
		c.settle(id, d)
	}
	if !c.touch(id(1)) {
		t.Fatal("a change that is owed since must not be settled with the one before")
	}
}

func TestAPanicInALoadHurtsOnlyItsCaller(t *testing.T) {
	var f flights
	entered, goOn := make(chan struct{}), make(chan struct{})
	go func() {
		defer func() { _ = recover() }()
		_, _ = f.do(t.Context(), [16]byte{}, func(context.Context) ([]byte, error) {
			close(entered)
			<-goOn
			panic("on purpose")
		})
	}()
	<-entered
	done := make(chan error, 1)
	go func() {
		raw, err := f.do(t.Context(), [16]byte{}, answer("text"))
		if err == nil && string(raw) != "text" {
			err = fmt.Errorf("got %q", raw)
		}
		done <- err
	}()
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestTheCopyIsBounded reads six times what CacheBytes allows to be kept in the process.
func TestTheCopyIsBounded(t *testing.T) {
	const budget = 8 << 20
	server := servers.Redis(t)
	cache := open(t, server, server.Addr(), func(c *Config) { c.CacheBytes = budget }).Cache(time.Hour)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	value := make([]byte, 16<<10)
	for round := range 2 {
		for n := range 3000 {
			id := [16]byte{byte(n), byte(n >> 8)}
			if raw, err := cache.Fetch(t.Context(), id, func(context.Context) ([]byte, error) { return value, nil }); err != nil || len(raw) != len(value) {
				t.Fatalf("round %d: %d bytes, %v", round, len(raw), err)
			}
		}
	}
	grown := heap() - before
	t.Logf("the process keeps %.1f MiB more, of %.1f MiB read", float64(grown)/(1<<20), float64(3000*len(value))/(1<<20))
	if grown > budget*5/4 || grown < budget/2 {
		t.Errorf("want about %d bytes kept, got %d", budget, grown)
	}
}
