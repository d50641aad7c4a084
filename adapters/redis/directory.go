package redis

import (
	"context"
	"slices"
	"time"

	"github.com/redis/rueidis"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// directoryTTL is how long a looked-up entry is believed without asking. The server tells of changes by itself, long
// before.
const directoryTTL = time.Minute

// directory is an auth.Directory over one Redis hash.
type directory struct {
	client *Client
	hash   string
	recall *recall[string, entry]
}

// entry is what the directory has of the first of some fields that it has.
type entry struct {
	fields []string
	value  string
}

// directoryBytes bounds the entries that are recalled without asking rueidis' copy, beside CacheBytes: some 200,000.
const directoryBytes = 64 << 20

var _ auth.Directory = (*directory)(nil)

// Directory makes an auth.Directory over the Redis hash of that name, to which no namespace is added. Entries are
// read through a copy in this process: the server tells of a change to the hash at once. When it cannot, because the
// connection swallows everything, the circuit opens within probeGap+opTimeout and the copy is not asked any more.
func (c *Client) Directory(hash string) auth.Directory {
	d := &directory{client: c, hash: hash, recall: newRecall[string, entry](min(directoryBytes, c.config.CacheBytes))}
	c.follow(d)
	return d
}

// changed implements follower.
func (d *directory) changed(key string) {
	if key == d.hash {
		d.recall.dropAll()
	}
}

// dropAll implements follower.
func (d *directory) dropAll() { d.recall.dropAll() }

// Lookup implements auth.Directory.
func (d *directory) Lookup(ctx context.Context, fields ...string) (string, bool, error) {
	if len(fields) == 0 {
		return "", false, nil
	}
	if err := ctx.Err(); err != nil {
		return "", false, fault.Wrap(fault.Unavailable, err, "the directory of keys was not asked in time")
	}
	rdb := d.client.ready()
	if rdb == nil {
		return "", false, d.client.unavailable()
	}
	known, ok, ticket := d.recall.get(fields[0])
	if ok && slices.Equal(known.fields, fields) {
		return known.value, true, nil
	}
	cmd := rdb.B().Hmget().Key(d.hash).Field(fields...).Cache()
	answer, err := d.client.read(ctx, "hmget", d.hash, cmd, directoryTTL, rdb)
	if err != nil {
		return "", false, fault.Wrap(fault.Unavailable, err, "the directory of keys cannot be read")
	}
	values, err := answer.ToArray()
	if err != nil {
		return "", false, fault.Wrap(fault.Unavailable, err, "the directory of keys cannot be read")
	}
	for i := range values {
		if values[i].IsNil() {
			continue
		}
		value, err := values[i].ToString()
		if err != nil {
			return "", false, fault.Wrap(fault.Unavailable, err, "the directory of keys cannot be read")
		}
		if !ok {
			size := len(value)
			for _, field := range fields {
				size += len(field)
			}
			d.recall.keep(fields[0], ticket, entry{slices.Clone(fields), value}, size, time.UnixMilli(answer.CachePXAT()))
		}
		return value, true, nil
	}
	return "", false, nil
}

// read answers from the copy in this process, or asks the server within opTimeout.
func (c *Client) read(ctx context.Context, command, key string, cmd rueidis.Cacheable, ttl time.Duration, rdb rueidis.Client) (rueidis.RedisMessage, error) {
	op := &opContext{parent: ctx}
	message, err := rdb.DoCache(op, cmd, ttl).ToMessage()
	if begun := op.end(); !begun.IsZero() {
		c.observe(ctx, command, begun, err)
		c.judge(key, err)
	} else if err != nil && !rueidis.IsRedisNil(err) {
		c.judge(key, err)
	}
	return message, err
}
