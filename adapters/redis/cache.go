package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"bitbucket.org/templar/templar/ports"
)

// What stands in Redis under an object's key: one of these letters and what belongs to it.
const (
	markValue = 'v' // the object's bytes
	markLease = 'l' // the token of the instance that is loading it
	markHold  = 'h' // somebody is changing it: nobody may keep it
)

const (
	// leaseTime is how long a loader may take if what it loads is to be kept.
	leaseTime = 3 * time.Second
	// holdTime is how long a hold outlives an instance that died between its change and the end of it.
	holdTime = 10 * time.Second
	// settleGap is how often what is owed is looked through.
	settleGap = 100 * time.Millisecond
)

// keepScript puts a value in the place of the lease that its loader holds, if it still holds it. The time to live
// counts from when the lease was placed, by the server's clock, and so from before the load, however late the script
// arrives. ARGV: the lease, the value, the time to live and leaseTime in milliseconds.
var keepScript = rueidis.NewLuaScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left = tonumber(ARGV[3]) - (tonumber(ARGV[4]) - redis.call('PTTL', KEYS[1]))
if left < 1 then return 0 end
redis.call('SET', KEYS[1], 'v' .. ARGV[2], 'PX', left)
return 1`)

// sharedCache is a ports.Cache in Redis, read through a copy in this process.
//
// A loader that raced a change never wins. Before it loads, a loader puts a lease where there is nothing; what it
// loaded is kept only if that very lease is still there. A change puts a hold over whatever is there before it is
// committed, and removes whatever is there after. So a load that began before a commit finds its lease gone, also when
// Redis dropped a key or all of them in between: without the lease there is nothing to replace.
//
// A change shows at once on the instance that made it. While the change is under way, this instance passes Redis by
// for the id. The change ends with DEL and, right behind it, EXISTS of the same key, and waits for the answer to
// both. All commands of this instance go over one connection to the server that has the key, on which the server
// sends, in this order: the answers to earlier reads of the key; the invalidation that hold or DEL cause, in front of
// or right behind the answer to it (that differs between versions); the answer to EXISTS. rueidis handles them in
// that order in one goroutine. So when EXISTS is answered, the copy has nothing older than the DEL, and what a later
// read finds was put there by a loader whose lease, and thus whose load, is younger than the commit. If the
// connection broke in between, its copy went with it.
//
// What Redis could not be told is owed: until it is told, or until the last older value must have expired, this
// instance passes Redis by for that id.
type sharedCache struct {
	client  *Client
	ttl     time.Duration
	changes changes
	flights flights
	recall  *recall[[16]byte, []byte]
	most    int // the longest value that is kept, in bytes
}

var _ ports.Cache = (*sharedCache)(nil)

// Cache makes a ports.Cache whose values are at most ttl old. With ttl 0 nothing is kept, but changes are still told
// to instances that keep. All instances that share a namespace should be given the same ttl. Values of more than
// 4 MiB or a sixteenth of CacheBytes are not kept. Make one Cache for each Client.
func (c *Client) Cache(ttl time.Duration) ports.Cache {
	s := &sharedCache{client: c, ttl: ttl, recall: newRecall[[16]byte, []byte](c.config.recallBytes()), most: min(4<<20, c.config.CacheBytes/16)}
	c.follow(s)
	c.workers.Go(s.settle)
	return s
}

// margin is taken off the time that Redis is told to keep a value, so that what is read just before it expires, and
// answered a time-out later, is not too old.
func (s *sharedCache) margin() time.Duration { return min(opTimeout, s.ttl/10) }

func (s *sharedCache) key(id [16]byte) string {
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return s.client.config.Namespace + objectKind + string(text[:])
}

// objectKind is what the keys of objects have behind the namespace.
const objectKind = "t:"

// changed implements follower.
func (s *sharedCache) changed(key string) {
	text, ok := strings.CutPrefix(key, s.client.config.Namespace+objectKind)
	if !ok {
		return
	}
	var id [16]byte
	if n, err := hex.Decode(id[:], []byte(strings.ReplaceAll(text, "-", ""))); err == nil && n == len(id) {
		s.recall.drop(id)
	}
}

// dropAll implements follower.
func (s *sharedCache) dropAll() { s.recall.dropAll() }

// Kept implements ports.Cache.
func (s *sharedCache) Kept(id [16]byte) ([]byte, bool) {
	if s.client.ready() == nil || s.ttl <= 0 || s.changes.touch(id) {
		return nil, false
	}
	value, known, _ := s.recall.get(id)
	return value, known
}

// Fetch implements ports.Cache.
func (s *sharedCache) Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	rdb := s.client.ready()
	if rdb == nil || s.ttl <= 0 || s.changes.touch(id) {
		return s.flights.do(ctx, id, load)
	}
	known, ok, ticket := s.recall.get(id)
	if ok {
		return known, nil
	}
	key := s.key(id)
	kept, err := s.client.read(ctx, "get", key, rdb.B().Get().Key(key).Cache(), s.ttl, rdb)
	switch {
	case err == nil:
		if raw, err := kept.AsBytes(); err == nil && len(raw) > 0 && raw[0] == markValue {
			s.recall.keep(id, ticket, raw[1:], len(raw), time.UnixMilli(kept.CachePXAT()))
			return raw[1:], nil
		}
		return s.flights.do(ctx, id, load)
	case rueidis.IsRedisNil(err):
		return s.flights.do(ctx, id, func(ctx context.Context) ([]byte, error) {
			return s.loadAndKeep(ctx, rdb, key, load)
		})
	default:
		return s.flights.do(ctx, id, load)
	}
}

// loadAndKeep loads under a lease and keeps what it got, if it got the lease and nothing came in between.
func (s *sharedCache) loadAndKeep(ctx context.Context, rdb rueidis.Client, key string, load func(context.Context) ([]byte, error)) ([]byte, error) {
	lease := string(markLease) + rand.Text()
	refused := s.client.trip(ctx, "lease", key, func(ctx context.Context) error {
		return rdb.Do(ctx, rdb.B().Set().Key(key).Value(lease).Nx().PxMilliseconds(leaseTime.Milliseconds()).Build()).Error()
	})
	value, err := load(ctx)
	if refused != nil || err != nil || len(value) > s.most {
		return value, err
	}
	if s.client.ready() != nil {
		// What goes wrong here leaves the value out of the cache, which is all that can be done about it.
		_ = s.client.trip(ctx, "keep", key, func(ctx context.Context) error {
			return keepScript.Exec(ctx, rdb, []string{key}, []string{
				lease, rueidis.BinaryString(value), milliseconds(s.ttl - s.margin()), milliseconds(leaseTime)}).Error()
		})
	}
	return value, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Changing implements ports.Cache.
func (s *sharedCache) Changing(ctx context.Context, ids ...[16]byte) func() {
	for _, id := range ids {
		s.changes.hold(id)
		s.flights.detach(id)
	}
	for some := range slices.Chunk(ids, mostTold) {
		// Without the hold others may keep loading until the DEL; the DEL alone is enough to be right.
		if s.hold(ctx, s.keys(some)) != nil {
			break
		}
	}
	return sync.OnceFunc(func() {
		for _, id := range ids {
			s.flights.detach(id)
		}
		for some := range slices.Chunk(ids, mostTold) {
			refused := s.drop(ctx, s.keys(some))
			for _, id := range some {
				if refused != nil {
					// Whoever keeps an older value began to load it before now.
					s.changes.owe(id, time.Now().Add(s.ttl))
				}
				s.changes.release(id)
			}
		}
	})
}

func (s *sharedCache) keys(ids [][16]byte) []string {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.key(id)
	}
	return keys
}

// hold tells Redis that keys are being changed.
func (s *sharedCache) hold(ctx context.Context, keys []string) error {
	return s.tell(ctx, "hold", keys, func(b rueidis.Builder, key string) []rueidis.Completed {
		return []rueidis.Completed{b.Set().Key(key).Value(string(markHold)).PxMilliseconds(holdTime.Milliseconds()).Build()}
	})
}

// drop removes keys from Redis and waits until their removal has reached the copy in this process.
func (s *sharedCache) drop(ctx context.Context, keys []string) error {
	return s.tell(ctx, "drop", keys, func(b rueidis.Builder, key string) []rueidis.Completed {
		return []rueidis.Completed{b.Del().Key(key).Build(), b.Exists().Key(key).Build()}
	})
}

// tell sends the commands of all keys in one trip.
func (s *sharedCache) tell(ctx context.Context, what string, keys []string, commands func(rueidis.Builder, string) []rueidis.Completed) error {
	rdb := s.client.ready()
	if rdb == nil {
		return s.client.unavailable()
	}
	return s.client.trip(ctx, what, keys[0], func(ctx context.Context) error {
		all := make(rueidis.Commands, 0, 2*len(keys))
		for _, key := range keys {
			all = append(all, commands(rdb.B(), key)...)
		}
		for _, answer := range rdb.DoMulti(ctx, all...) {
			if err := answer.Error(); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle tells Redis what is owed, as soon as it is there.
func (s *sharedCache) settle() {
	ticker := time.NewTicker(settleGap)
	defer ticker.Stop()
	for {
		select {
		case <-s.client.closing:
			return
		case <-ticker.C:
		}
		for s.changes.count.Load() > 0 && s.settleBatch() {
			select {
			case <-s.client.closing:
				return
			default:
			}
		}
	}
}

// settleBatch tells Redis of some changes, and whether it should be called again at once.
func (s *sharedCache) settleBatch() bool {
	batch := s.changes.due()
	if len(batch) == 0 {
		return false
	}
	keys := make([]string, 0, len(batch))
	for id := range batch {
		keys = append(keys, s.key(id))
	}
	if s.drop(context.Background(), keys) != nil {
		return false
	}
	for id, d := range batch {
		s.changes.settle(id, d)
	}
	return true
}
