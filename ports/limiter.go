package ports

import (
	"context"
	"time"
)

// Limiter counts requests in token buckets. A bucket holds as many permits as its rate gives in a minute, starts
// full and refills steadily.
//
// Implementations: adapters/redis (shared by all instances), adapters/memory (one process).
type Limiter interface {
	// Take asks for one permit of the named bucket at perMinute permits a minute; perMinute <= 0 is always granted
	// and counts nothing. All instances that share the store never grant more than the bucket holds. It never
	// fails: when the shared store is away, the instance keeps the limit by itself. It may block for one round trip
	// and honours ctx.
	Take(ctx context.Context, bucket string, perMinute int) Permit
	// Peek tells what Take would, without taking anything. What it tells of may be a moment old.
	Peek(ctx context.Context, bucket string, perMinute int) Permit
}

// Permit is the answer to one Take.
type Permit struct {
	// Granted tells whether the request may go on.
	Granted bool
	// Limit is the bucket's size; 0 when there is no limit, and then the rest is zero too.
	Limit int
	// Remaining is how many permits the bucket still holds, 0 or more.
	Remaining int
	// Reset is how long until the bucket is full again when nothing more is taken.
	Reset time.Duration
	// RetryAfter is how long until the next permit; 0 when Granted.
	RetryAfter time.Duration
}
