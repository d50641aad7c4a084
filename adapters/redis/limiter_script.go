package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

const (
	// leaseLife is how long an instance may spend the permits that it leased. It counts from before it asked, the
	// server from when it answered: the instance always stops first.
	leaseLife = 500 * time.Millisecond
	// longLease is how many times as long that is while more than half of the bucket is left: then nobody misses the
	// permits, and a user who asks now and then costs no trip each time. A lease that is at most a tinyShare-th of what is
	// left lives tinyLease times as long again.
	longLease = 10
	tinyLease = 4
	tinyShare = 500
	// smallBucket is below how many permits left they are given out one by one, so that no instance sits on permits
	// that another would need.
	smallBucket = 500
	// leaseShare, maxLease, leaseGrowth and firstLease size a lease: a 50th of what is left at most, and 2,000 at most,
	// and not more than four times what was spent of the last one, or ten.
	leaseShare  = 50
	maxLease    = 2000
	leaseGrowth = 4
	firstLease  = 10
)

// takeScript leases permits of one bucket. The bucket is a hash: u, the permits used and not yet refilled; t, when
// that was true, in microseconds of the server's clock; and for each instance with a lease its size and its end. The
// level is the bucket's size less u, so that a bucket keeps its debt when its rate changes.
//
// Leased permits are used up as far as u goes. While a lease is out, the bucket refills only up to what leaves room
// for all of it: an instance that spends a lease late, beside a bucket that became full meanwhile, would otherwise
// exceed it. For the same reason what was leased refills only from the end of the lease on, and only what has not
// refilled yet is given back.
//
// ARGV: the bucket's size, which is also its rate a minute; the instance; how many permits of its last lease it gives
// back; how many askers wait (0: only look); leaseLife in microseconds; the least debt that there must be; how many permits of its last lease it spent. Answers:
// permits leased, permits left, microseconds until there is one (0 when there is), until all are back, and until the
// lease ends.
var takeScript = rueidis.NewLuaScript(`
local size, me = tonumber(ARGV[1]), ARGV[2]
local back, want, life = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local rate = size / 60000000

local used, last, mine, others = 0, now, 0, 0
local gone = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local field, value = all[i], all[i + 1]
  if field == 'u' then used = tonumber(value)
  elseif field == 't' then last = tonumber(value)
  else
    local count, ends = string.match(value, '^(%d+) (%d+)$')
    if not ends then gone[#gone + 1] = field
    else
      count, ends = tonumber(count), tonumber(ends)
      if ends <= now then
        gone[#gone + 1] = field
        count = math.max(count - (now - ends) * rate, 0)
      end
      if field == me then mine = count else others = others + count end
    end
  end
end
back = math.min(back, mine)
used = math.min(used, math.max(used - math.max(now - last, 0) * rate, others + mine))
used = math.max(used - back, others, 0)
used = math.max(used, math.min(tonumber(ARGV[6]), size))

local left = math.max(math.floor(size - used + 0.000001), 0)
local count = 0
if want > 0 and left > 0 then
  if left < ` + strconv.Itoa(smallBucket) + ` then count = math.min(want, left)
  else
    local batch = math.min(math.floor(left / ` + strconv.Itoa(leaseShare) + `), ` + strconv.Itoa(maxLease) + `)
    batch = math.min(batch, math.max(tonumber(ARGV[7]) * ` + strconv.Itoa(leaseGrowth) + `, ` + strconv.Itoa(firstLease) + `))
    count = math.min(math.max(want, batch), left)
  end
end
if left * 2 > size then
  life = life * ` + strconv.Itoa(longLease) + `
  if count * ` + strconv.Itoa(tinyShare) + ` <= left then life = life * ` + strconv.Itoa(tinyLease) + ` end
end
used = used + count
left = left - count
if want > 0 then
  if count > 0 then
    redis.call('HSET', KEYS[1], 'u', string.format('%.6f', used), 't', string.format('%.0f', now),
      me, string.format('%.0f %.0f', count, now + life))
  else
    redis.call('HSET', KEYS[1], 'u', string.format('%.6f', used), 't', string.format('%.0f', now))
    gone[#gone + 1] = me
  end
  for i = 1, #gone do redis.call('HDEL', KEYS[1], gone[i]) end
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil(used / rate / 1000) + 60000))
end
local next = 0
if left < 1 then next = math.ceil((used - size + 1) / rate) end
return {count, left, math.max(next, 0), math.ceil(used / rate), life}`)

// ask is what takeScript is asked.
type ask struct {
	perMinute int
	back      int64
	want      int64
	used      float64
	spent     int64
}

// grant is what takeScript answers.
type grant struct {
	count, left int64
	next, full  time.Duration
	life        time.Duration
}

// askRedis runs takeScript on a bucket.
func (l *limiter) askRedis(ctx context.Context, rdb rueidis.Client, name string, a ask) (grant, error) {
	key := l.bucketKey(name)
	command := "take"
	if a.want == 0 {
		command = "peek"
	}
	var g grant
	err := l.client.trip(ctx, command, key, func(ctx context.Context) error {
		numbers, err := takeScript.Exec(ctx, rdb, []string{key}, []string{
			strconv.Itoa(a.perMinute), l.instance, strconv.FormatInt(a.back, 10), strconv.FormatInt(a.want, 10),
			strconv.FormatInt(leaseLife.Microseconds(), 10), strconv.FormatFloat(a.used, 'f', 6, 64),
			strconv.FormatInt(a.spent, 10),
		}).AsIntSlice()
		if err != nil {
			return err
		}
		if len(numbers) != 5 {
			return errStrangeAnswer
		}
		g = grant{count: numbers[0], left: numbers[1], next: time.Duration(numbers[2]) * time.Microsecond,
			full: time.Duration(numbers[3]) * time.Microsecond, life: time.Duration(numbers[4]) * time.Microsecond}
		return nil
	})
	return g, err
}
