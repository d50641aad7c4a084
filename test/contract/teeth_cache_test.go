package contract

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/ports"
)

// bus tells instances of each other's changes, as a shared store does.
type bus struct {
	mu      sync.Mutex
	members []ports.Cache
	cut     []bool
	pending []func() // what could not be told
	lossy   bool     // forgets what could not be told
	sticky  bool     // who was cut off once stays so
}

// onBus joins caches to a group: what one changes is invalidated on the others.
func onBus(b *bus, ttl time.Duration, members ...ports.Cache) CacheGroup {
	b.members, b.cut = members, make([]bool, len(members))
	g := CacheGroup{TTL: ttl, Cut: func(i int) { b.set(i, true) }, Heal: func(i int) { b.set(i, false) }}
	for i := range members {
		g.Instances = append(g.Instances, &member{b, i})
	}
	return g
}

func (b *bus) set(i int, cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut[i] = cut || b.sticky
	if pending := b.pending; !cut {
		b.pending = nil
		for _, tell := range pending {
			tell()
		}
	}
}

// tell invalidates ids on every instance but one, which the change was made on. It is called with mu held.
func (b *bus) tell(from int, ids [][16]byte) {
	for to := range b.members {
		switch {
		case to == from:
		case !b.cut[from] && !b.cut[to]:
			b.members[to].Changing(context.Background(), ids...)()
		case !b.lossy:
			b.pending = append(b.pending, func() { b.members[to].Changing(context.Background(), ids...)() })
		}
	}
}

type member struct {
	bus *bus
	i   int
}

func (m *member) Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	return m.bus.members[m.i].Fetch(ctx, id, load)
}

func (m *member) Kept(id [16]byte) ([]byte, bool) { return m.bus.members[m.i].Kept(id) }

func (m *member) Changing(ctx context.Context, ids ...[16]byte) func() {
	changed := m.bus.members[m.i].Changing(ctx, ids...)
	return func() {
		changed()
		m.bus.mu.Lock()
		defer m.bus.mu.Unlock()
		m.bus.tell(m.i, ids)
	}
}

func goodCaches(ttl time.Duration) func() CacheGroup {
	return func() CacheGroup {
		return onBus(&bus{}, ttl, memory.NewCache(ttl, 64<<20), memory.NewCache(ttl, 64<<20), memory.NewCache(ttl, 64<<20))
	}
}

// naive is a cache as one writes it before thinking, with more mistakes on demand.
type naive struct {
	ttl      time.Duration
	sliding  bool                      // reading lengthens a life
	key      func([16]byte) [16]byte   // what it takes for the id
	keep     func(value []byte) []byte // what it keeps of a value
	errorsOK bool                      // keeps values that came with an error
	joins    bool                      // shares loads, with whoever comes later
	counts   bool                      // does not keep what was loaded before the last changed, but what Changing alone preceded
	mu       sync.Mutex
	kept     map[[16]byte]keptValue
	flights  map[[16]byte]*naiveFlight
	changes  map[[16]byte]int
}

type keptValue struct {
	value []byte
	ends  time.Time
}

type naiveFlight struct {
	done  chan struct{}
	value []byte
	err   error
}

func newNaive(ttl time.Duration) *naive {
	return &naive{ttl: ttl, kept: map[[16]byte]keptValue{}, flights: map[[16]byte]*naiveFlight{}, changes: map[[16]byte]int{}}
}

func (n *naive) Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	if n.key != nil {
		id = n.key(id)
	}
	n.mu.Lock()
	if k, ok := n.kept[id]; ok && time.Now().Before(k.ends) {
		if n.sliding {
			n.kept[id] = keptValue{k.value, time.Now().Add(n.ttl)}
		}
		n.mu.Unlock()
		return k.value, nil
	}
	if f := n.flights[id]; f != nil && n.joins {
		n.mu.Unlock()
		<-f.done
		return f.value, f.err
	}
	f := &naiveFlight{done: make(chan struct{})}
	n.flights[id] = f
	before := n.changes[id]
	n.mu.Unlock()
	f.value, f.err = load(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.flights, id)
	close(f.done)
	if n.keep != nil {
		f.value = n.keep(f.value)
	}
	if (f.err == nil || n.errorsOK) && (!n.counts || before == n.changes[id]) {
		n.kept[id] = keptValue{f.value, time.Now().Add(n.ttl)}
	}
	return f.value, f.err
}

func (n *naive) Kept(id [16]byte) ([]byte, bool) {
	if n.key != nil {
		id = n.key(id)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	k, ok := n.kept[id]
	if ok = ok && time.Now().Before(k.ends); ok && n.sliding {
		n.kept[id] = keptValue{k.value, time.Now().Add(n.ttl)}
	}
	return k.value, ok
}

func (n *naive) Changing(_ context.Context, ids ...[16]byte) func() {
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, id := range ids {
			delete(n.kept, id)
			if n.counts {
				n.changes[id]++
			}
		}
	}
}

// naively makes a group of three naive caches on a bus.
func naively(what string, with func(n *naive)) breaker[CacheGroup] {
	return breaker[CacheGroup]{what, func(g CacheGroup) CacheGroup {
		var members []ports.Cache
		for range g.Instances {
			n := newNaive(g.TTL)
			with(n)
			members = append(members, n)
		}
		return onBus(&bus{}, g.TTL, members...)
	}}
}

// faced is a cache with something in front.
type faced struct {
	ports.Cache
	fetch    func(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error)
	changing func(ctx context.Context, ids ...[16]byte) func()
}

func (f *faced) Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	return f.fetch(ctx, id, load)
}
func (f *faced) Kept([16]byte) ([]byte, bool)                         { return nil, false }
func (f *faced) Changing(ctx context.Context, ids ...[16]byte) func() { return f.changing(ctx, ids...) }

// hoarder keeps a copy of its own that no change drops.
type hoarder struct {
	ports.Cache
	mu   sync.Mutex
	seen map[[16]byte][]byte
}

func (h *hoarder) Kept(id [16]byte) ([]byte, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	value, ok := h.seen[id]
	return value, ok
}

func (h *hoarder) Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	value, err := h.Cache.Fetch(ctx, id, load)
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.seen[id] = value
	}
	return value, err
}

// facing puts something in front of each cache of a good group.
func facing(what string, breaks func(good ports.Cache, f *faced)) breaker[CacheGroup] {
	return breaker[CacheGroup]{what, func(g CacheGroup) CacheGroup {
		for i, good := range g.Instances {
			f := &faced{good, good.Fetch, good.Changing}
			breaks(good, f)
			g.Instances[i] = f
		}
		return g
	}}
}

// layered is a group whose instances keep what they take from a shared layer, for as long again; what one changes
// while it is cut off does not reach the shared layer.
func layered(what string) breaker[CacheGroup] {
	return breaker[CacheGroup]{what, func(g CacheGroup) CacheGroup {
		shared := newNaive(g.TTL)
		b := &bus{}
		var members []ports.Cache
		for i := range g.Instances {
			local := memory.NewCache(g.TTL, 1<<20)
			f := &faced{Cache: local}
			cut := func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.cut[i] }
			f.fetch = func(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
				if cut() {
					return load(ctx)
				}
				return local.Fetch(ctx, id, func(ctx context.Context) ([]byte, error) { return shared.Fetch(ctx, id, load) })
			}
			f.changing = func(ctx context.Context, ids ...[16]byte) func() {
				return func() {
					local.Changing(ctx, ids...)()
					if b.mu.TryLock() { // not when the bus itself tells of a change
						if away := b.cut[i]; !away {
							shared.Changing(ctx, ids...)()
						}
						b.mu.Unlock()
					}
				}
			}
			members = append(members, f)
		}
		return onBus(b, g.TTL, members...)
	}}
}

var (
	plainCaches = naively("does not think of races", func(*naive) {})
	keepsNone   = facing("keeps nothing", func(_ ports.Cache, f *faced) {
		f.fetch = func(ctx context.Context, _ [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
			return load(ctx)
		}
	})
	joinsAll = naively("shares loads with whoever comes", func(n *naive) { n.joins = true })
	deafBus  = breaker[CacheGroup]{"tells nobody", func(g CacheGroup) CacheGroup {
		for i := range g.Instances {
			g.Instances[i] = memory.NewCache(g.TTL, 1<<20)
		}
		return g
	}}
	failsCutOff = breaker[CacheGroup]{"fails when it is cut off", func(g CacheGroup) CacheGroup {
		var mu sync.Mutex
		cut := map[int]bool{}
		for i, good := range g.Instances {
			f := &faced{good, nil, good.Changing}
			f.fetch = func(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
				mu.Lock()
				away := cut[i]
				mu.Unlock()
				if away {
					return nil, errors.New("connection refused")
				}
				return good.Fetch(ctx, id, load)
			}
			g.Instances[i] = f
		}
		g.Cut = func(i int) { mu.Lock(); defer mu.Unlock(); cut[i] = true }
		g.Heal = func(i int) { mu.Lock(); defer mu.Unlock(); cut[i] = false }
		return g
	}}
)

// onBadBus is a group of good caches on a bus with a mistake.
func onBadBus(what string, with func(b *bus)) breaker[CacheGroup] {
	return breaker[CacheGroup]{what, func(g CacheGroup) CacheGroup {
		var members []ports.Cache
		for range g.Instances {
			members = append(members, memory.NewCache(g.TTL, 1<<20))
		}
		b := &bus{}
		with(b)
		return onBus(b, g.TTL, members...)
	}}
}

var cacheBreakers = map[string][]breaker[CacheGroup]{
	"what was loaded is kept":         {keepsNone},
	"concurrent fetches share a load": {plainCaches, keepsNone},
	"values are kept byte for byte": {
		naively("ends values at NUL", func(n *naive) {
			n.keep = func(value []byte) []byte { value, _, _ = bytes.Cut(value, []byte{0}); return value }
		}),
		naively("keeps small values", func(n *naive) { n.keep = func(value []byte) []byte { return value[:min(len(value), 1<<16)] } }),
	},
	"ids do not meet": {naively("takes half of an id", func(n *naive) {
		n.key = func(id [16]byte) [16]byte { clear(id[8:]); return id }
	})},
	"errors are handed on and not kept": {
		naively("keeps what came with an error", func(n *naive) { n.errorsOK = true }),
		facing("hides errors", func(good ports.Cache, f *faced) {
			f.fetch = func(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
				return good.Fetch(ctx, id, func(ctx context.Context) ([]byte, error) { value, _ := load(ctx); return value, nil })
			}
		}),
	},
	"a fetch honours its context":                        {joinsAll},
	"a caller who gives up does not spoil it for others": {joinsAll},
	"a change shows at once where it was made": {facing("ignores changes", func(_ ports.Cache, f *faced) {
		f.changing = func(context.Context, ...[16]byte) func() { return func() {} }
	}), {"has what no change drops", func(g CacheGroup) CacheGroup {
		for i, good := range g.Instances {
			g.Instances[i] = KeptFirst(&hoarder{Cache: good, seen: map[[16]byte][]byte{}})
		}
		return g
	}}},
	"a load that raced a change is not kept":         {plainCaches},
	"nobody joins a load that began before a change": {naively("joins old loads", func(n *naive) { n.joins, n.counts = true, true })},
	"a load that began during a change is not kept": {plainCaches, facing("drops before the change alone", func(good ports.Cache, f *faced) {
		f.changing = func(ctx context.Context, ids ...[16]byte) func() { good.Changing(ctx, ids...)(); return func() {} }
	})},
	"nothing is kept during a change": {plainCaches, naively("counts changes", func(n *naive) { n.counts = true })},
	"changes of one id may overlap": {facing("notes one change of an id", func(good ports.Cache, f *faced) {
		var mu sync.Mutex
		under := map[[16]byte]bool{}
		f.changing = func(ctx context.Context, ids ...[16]byte) func() {
			mu.Lock()
			defer mu.Unlock()
			if under[ids[0]] {
				return func() {}
			}
			under[ids[0]] = true
			changed := good.Changing(ctx, ids...)
			return func() {
				mu.Lock()
				defer mu.Unlock()
				delete(under, ids[0])
				changed()
			}
		}
	})},
	"many are changed at once": {plainCaches, facing("changes the first of them", func(good ports.Cache, f *faced) {
		f.changing = func(ctx context.Context, ids ...[16]byte) func() { return good.Changing(ctx, ids[0]) }
	})},
	"a change is told although its caller has gone": {facing("gives up with its caller", func(good ports.Cache, f *faced) {
		f.changing = func(ctx context.Context, ids ...[16]byte) func() {
			if ctx.Err() != nil {
				return func() {}
			}
			return good.Changing(ctx, ids...)
		}
	}), facing("gives up when its caller has gone meanwhile", func(good ports.Cache, f *faced) {
		f.changing = func(ctx context.Context, ids ...[16]byte) func() {
			return func() {
				if ctx.Err() == nil {
					good.Changing(ctx, ids...)()
				}
			}
		}
	})},
	"a change that came to nothing does no harm": {facing("never keeps again what changed once", func(good ports.Cache, f *faced) {
		f.changing = func(ctx context.Context, ids ...[16]byte) func() { good.Changing(ctx, ids...); return func() {} }
	})},
	"readers and writers at once":                      {plainCaches},
	"other instances see a change within a second":     {deafBus},
	"a load elsewhere that raced a change is not kept": {plainCaches},
	"cut off, fetches and changes go on":               {failsCutOff},
	"joined again, no old value comes back":            {layered("takes old values from the shared store")},
	"joined again, what was changed is told":           {onBadBus("forgets what it could not tell", func(b *bus) { b.lossy = true })},
	"joined again, changes are told within a second":   {onBadBus("does not come back", func(b *bus) { b.sticky = true })},
}

var cacheTTLBreakers = map[string][]breaker[CacheGroup]{
	"what was kept ends with its time to live": {
		naively("keeps for ever", func(n *naive) { n.ttl = time.Hour }),
		naively("lengthens lives by reading", func(n *naive) { n.sliding = true }),
	},
	"the time to live counts from the load":                    {layered("counts from where it took it")},
	"a slow load does not lengthen the time to live":           {naively("counts from the end of the load", func(*naive) {})},
	"cut off, changes show everywhere within the time to live": {naively("keeps for ever", func(n *naive) { n.ttl = time.Hour })},
}

func TestCacheTeeth(t *testing.T) {
	t.Parallel()
	demandTeeth(t, CacheChecks, goodCaches(LongTTL), cacheBreakers)
	demandTeeth(t, CacheTTLChecks, goodCaches(ShortTTL), cacheTTLBreakers)
}
