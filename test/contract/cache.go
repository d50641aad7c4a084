package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bitbucket.org/templar/templar/ports"
)

// CacheGroup is a number of caches on trial, as the instances of one service have them.
type CacheGroup struct {
	// Instances share one store, empty at first; one instance if the adapter shares nothing.
	Instances []ports.Cache
	// TTL is their time to live; the suite sets it to what it gave to Open.
	TTL time.Duration
	// Cut parts instance i from the shared store, its connections included, and Heal joins it again; nil: it cannot be
	// parted.
	Cut, Heal func(i int)
	// Disturbed says what parted an instance from the shared store though nobody cut it, such as a machine too busy to
	// answer in time, "" for nothing: a check that failed meanwhile is made again. nil: nothing can.
	Disturbed func() string
}

func (g CacheGroup) disturbance() string { return disturbed(g.Disturbed) }

// KeptFirst asks Kept before each Fetch, as readers of templates do: a group of such caches holds Kept to all that Fetch
// promises.
func KeptFirst(cache ports.Cache) ports.Cache { return keptFirst{cache} }

type keptFirst struct{ ports.Cache }

func (k keptFirst) Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	if value, ok := k.Kept(id); ok {
		return value, nil
	}
	return k.Cache.Fetch(ctx, id, load)
}

// CacheCheck is one promise of ports.Cache, tried on a fresh group.
type CacheCheck = Check[CacheGroup]

// CacheHarness is how an adapter is tried.
type CacheHarness struct {
	// Open gives a fresh group of caches with that time to live; it registers its own clean-up. Checks run side by side.
	Open  func(t *testing.T, ttl time.Duration) CacheGroup
	Lacks map[string]string
}

// Cache runs the suite of ports.Cache.
func Cache(t *testing.T, h CacheHarness) {
	lacks := map[bool]map[string]string{true: {}, false: {}}
	for name, why := range h.Lacks {
		lacks[slices.ContainsFunc(CacheTTLChecks, func(c CacheCheck) bool { return c.Name == name })][name] = why
	}
	open := func(ttl time.Duration) func(*testing.T) CacheGroup {
		return func(t *testing.T) CacheGroup {
			g := h.Open(t, ttl)
			g.TTL = ttl
			return g
		}
	}
	runChecks(t, CacheChecks, lacks[false], true, open(LongTTL))
	runChecks(t, CacheTTLChecks, lacks[true], true, open(ShortTTL))
}

const (
	// LongTTL outlives every check: what shows was told.
	LongTTL = 5 * time.Minute
	// ShortTTL ends within a check.
	ShortTTL = time.Second
)

const (
	// told is how soon other instances see a change.
	told = time.Second
	// prompt is how long a call may take that waits for nothing but one bounded round trip.
	prompt = 3 * time.Second
)

// CacheChecks are the promises of ports.Cache that do not wait for a time to live; each is tried on a group with LongTTL.
var CacheChecks = slices.Concat(cacheBasics, cacheRaces, cacheCuts)

// CacheTTLChecks are the promises about the time to live; each is tried on a group with ShortTTL.
var CacheTTLChecks = []CacheCheck{
	{Name: "what was kept ends with its time to live", Run: timeToLive},
	{Name: "the time to live counts from the load", Inapplicable: alone, Run: timeFromLoad},
	{Name: "a slow load does not lengthen the time to live", Run: func(ctx context.Context, g CacheGroup) error {
		truth := newTruth(1)
		release, err := truth.slowLoad(ctx, g.Instances[0])
		if err != nil {
			return err
		}
		truth.value.Add(1) // changed by somebody who tells nobody, just after the load had read
		if err := pause(ctx, g.TTL/2); err != nil {
			return err
		}
		if _, err := release(); err != nil {
			return err
		}
		if err := pause(ctx, g.TTL/2+g.TTL/10+50*time.Millisecond); err != nil {
			return err
		}
		return truth.areCurrent(ctx, g.Instances, "a time to live after a slow load had read")
	}},
	{Name: "cut off, changes show everywhere within the time to live", Inapplicable: cannotCut, Run: cutOffTTL},
}

var cacheBasics = []CacheCheck{
	{Name: "what was loaded is kept", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			for range 50 {
				if err := truth.isCurrent(ctx, c); err != nil {
					return err
				}
			}
			if n := truth.loads.Load(); n > 2 {
				return fmt.Errorf("50 fetches of one id in a row: want 1 load, got %d", n)
			}
		}
		return nil
	}},
	{Name: "concurrent fetches share a load", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth := newTruth(byte(i))
			truth.delay = 50 * time.Millisecond
			for _, err := range together(40, func(int) error { return truth.isCurrent(ctx, c) }) {
				if err != nil {
					return err
				}
			}
			if n := truth.loads.Load(); n > 4 {
				return fmt.Errorf("40 fetches of one id at once: want few loads, got %d", n)
			}
		}
		return nil
	}},
	{Name: "values are kept byte for byte", Run: func(ctx context.Context, g CacheGroup) error {
		big := bytes.Repeat([]byte("0123456789abcde\x00"), 1<<16)
		for i, value := range [][]byte{{}, nil, []byte("text"), {0, 255, 13, 10, 0}, []byte("-1"), []byte("\x00"), []byte("NULL"), big} {
			for _, c := range append(g.Instances, g.Instances...) {
				got, err := fetch(ctx, c, [16]byte{byte(i)}, func(context.Context) ([]byte, error) { return value, nil })
				if err != nil || !bytes.Equal(got, value) {
					return fmt.Errorf("Fetch of value %d: want %s, got %s, %v", i, shorten(string(value)), shorten(string(got)), err)
				}
			}
		}
		return nil
	}},
	{Name: "ids do not meet", Run: func(ctx context.Context, g CacheGroup) error {
		var ids [][16]byte
		for i := range 16 {
			for _, b := range []byte{1, 0x80, 255} {
				var id [16]byte
				id[i] = b
				ids = append(ids, id)
			}
		}
		for range 2 {
			for _, id := range append(ids, [16]byte{}) {
				for _, c := range g.Instances {
					got, err := fetch(ctx, c, id, func(context.Context) ([]byte, error) { return id[:], nil })
					if err != nil || !bytes.Equal(got, id[:]) {
						return fmt.Errorf("Fetch of the id %x: got the value of %x, %v", id, got, err)
					}
				}
			}
		}
		return nil
	}},
	{Name: "errors are handed on and not kept", Run: func(ctx context.Context, g CacheGroup) error {
		for i, c := range g.Instances {
			truth, broken := newTruth(byte(i)), errors.New("broken on purpose")
			for range 2 {
				got, err := fetch(ctx, c, truth.id, func(context.Context) ([]byte, error) { return []byte("junk"), broken })
				if !errors.Is(err, broken) {
					return fmt.Errorf("Fetch with a load that fails: want its error, got %q, %v", got, err)
				}
			}
			if err := truth.isCurrent(ctx, c); err != nil {
				return fmt.Errorf("after a load that failed: %w", err)
			}
		}
		return nil
	}},
	{Name: "a fetch honours its context", Run: func(ctx context.Context, g CacheGroup) error {
		c, truth := g.Instances[0], newTruth(1)
		release := make(chan struct{})
		defer close(release)
		begun := make(chan struct{})
		go func() {
			_, _ = c.Fetch(ctx, truth.id, func(context.Context) ([]byte, error) {
				close(begun)
				<-release
				return truth.bytes(0), nil
			})
		}()
		<-begun
		limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		// Whether it waits for the other's load or loads itself, it ends with its context.
		_, err := fetch(limited, c, truth.id, func(ctx context.Context) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if took := time.Since(began); err == nil || took > prompt {
			return fmt.Errorf("Fetch beside a load that hangs: want an error when its context ends, got %v after %v", err, took)
		}
		return nil
	}},
	{Name: "a caller who gives up does not spoil it for others", Run: func(ctx context.Context, g CacheGroup) error {
		c, truth := g.Instances[0], newTruth(1)
		leaving, leave := context.WithCancel(ctx)
		defer leave()
		begun, gone := make(chan struct{}), make(chan error, 1)
		go func() {
			_, err := c.Fetch(leaving, truth.id, func(ctx context.Context) ([]byte, error) {
				close(begun)
				select {
				case <-leaving.Done():
				case <-ctx.Done():
				}
				return nil, context.Canceled
			})
			gone <- err
		}()
		<-begun
		results := make(chan error, 4)
		for range cap(results) {
			go func() { results <- truth.isCurrent(ctx, c) }()
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		leave()
		for range cap(results) {
			if err := <-results; err != nil {
				return fmt.Errorf("a fetch beside one that was given up: %w", err)
			}
		}
		<-gone
		return nil
	}},
}

func timeToLive(ctx context.Context, g CacheGroup) error {
	for i, c := range g.Instances[:min(2, len(g.Instances))] {
		truth := newTruth(byte(i))
		if err := truth.isCurrent(ctx, c); err != nil {
			return err
		}
		truth.value.Add(1) // changed by somebody who tells nobody
		// Reading all the while must not keep the old value alive.
		for deadline := time.Now().Add(g.TTL + g.TTL/10 + 50*time.Millisecond); time.Now().Before(deadline); {
			if _, err := fetch(ctx, c, truth.id, truth.load); err != nil {
				return err
			}
			if err := pause(ctx, g.TTL/50); err != nil {
				return err
			}
		}
		if err := truth.isCurrent(ctx, c); err != nil {
			return fmt.Errorf("after the time to live: %w", err)
		}
	}
	return nil
}

// timeFromLoad lets one instance take a value over from another when it is not young any more.
func timeFromLoad(ctx context.Context, g CacheGroup) error {
	truth := newTruth(1)
	deadline := time.Now().Add(g.TTL)
	if err := truth.isCurrent(ctx, g.Instances[0]); err != nil {
		return err
	}
	truth.value.Add(1) // changed by somebody who tells nobody
	if err := pause(ctx, g.TTL*3/4); err != nil {
		return err
	}
	if _, err := fetch(ctx, g.Instances[1], truth.id, truth.load); err != nil {
		return err
	}
	if err := pause(ctx, time.Until(deadline)+g.TTL/10+50*time.Millisecond); err != nil {
		return err
	}
	return truth.areCurrent(ctx, g.Instances, "after the time to live, counted from the load")
}

func alone(g CacheGroup) string {
	if len(g.Instances) < 2 {
		return "it shares nothing"
	}
	return ""
}

// fetch is Fetch with a bound: one that hangs fails.
func fetch(ctx context.Context, c ports.Cache, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*prompt)
	defer cancel()
	type answer struct {
		value []byte
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		value, err := c.Fetch(ctx, id, load)
		answered <- answer{value, err}
	}()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-time.After(3 * prompt):
		return nil, fmt.Errorf("the fetch hangs: no answer %v after its context ended", prompt)
	}
}

// truth is what stands behind the caches: a number that only grows.
type truth struct {
	id    [16]byte
	value atomic.Int64
	loads atomic.Int64
	delay time.Duration
}

func newTruth(n byte) *truth { return &truth{id: [16]byte{15: n}} }

func (t *truth) bytes(value int64) []byte { return fmt.Appendf(nil, "%x is %d", t.id, value) }

func (t *truth) load(ctx context.Context) ([]byte, error) {
	t.loads.Add(1)
	value := t.value.Load()
	if t.delay > 0 {
		if err := pause(ctx, t.delay); err != nil {
			return nil, err
		}
	}
	return t.bytes(value), nil
}

// read answers the number that a cache gives.
func (t *truth) read(ctx context.Context, c ports.Cache) (int64, error) {
	return t.readWith(ctx, c, t.load)
}

func (t *truth) readWith(ctx context.Context, c ports.Cache, load func(context.Context) ([]byte, error)) (int64, error) {
	raw, err := fetch(ctx, c, t.id, load)
	if err != nil {
		return 0, fmt.Errorf("Fetch: %w", err)
	}
	var id []byte
	var value int64
	if _, err := fmt.Sscanf(string(raw), "%x is %d", &id, &value); err != nil || !bytes.Equal(id, t.id[:]) {
		return 0, fmt.Errorf("Fetch of the id %x: got %s", t.id, shorten(string(raw)))
	}
	return value, nil
}

// isCurrent complains unless the cache answers what is current.
func (t *truth) isCurrent(ctx context.Context, c ports.Cache) error {
	want := t.value.Load()
	got, err := t.read(ctx, c)
	if err == nil && got < want {
		err = fmt.Errorf("Fetch: want the value %d, got the older %d", want, got)
	}
	return err
}

func (t *truth) areCurrent(ctx context.Context, caches []ports.Cache, when string) error {
	for i, c := range caches {
		if err := t.isCurrent(ctx, c); err != nil {
			return fmt.Errorf("%s, instance %d: %w", when, i, err)
		}
	}
	return nil
}

// change changes the truth as a service does.
func (t *truth) change(ctx context.Context, c ports.Cache) error {
	began := time.Now()
	changed := c.Changing(ctx, t.id)
	t.value.Add(1)
	changed()
	if took := time.Since(began); took > 2*prompt {
		return fmt.Errorf("Changing and changed took %v", took)
	}
	return nil
}

// slowLoad is a load that has read the truth and then takes its time, until release is called.
func (t *truth) slowLoad(ctx context.Context, c ports.Cache) (release func() (int64, error), err error) {
	read, goOn, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var value int64
	var failed error
	var once sync.Once
	go func() {
		defer close(done)
		value, failed = t.readWith(ctx, c, func(context.Context) ([]byte, error) {
			old := t.value.Load()
			once.Do(func() { close(read) })
			<-goOn
			return t.bytes(old), nil
		})
	}()
	select {
	case <-read:
	case <-done:
		return nil, fmt.Errorf("Fetch of what is not kept did not load: got %d, %w", value, failed)
	}
	var released sync.Once
	return func() (int64, error) {
		released.Do(func() { close(goOn) })
		<-done
		return value, failed
	}, nil
}
