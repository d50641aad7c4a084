package ports

import "context"

// Probe tells whether an outside thing works right now.
//
// Implementations: adapters/postgres, adapters/sqlite, adapters/redis, adapters/memory, adapters/harper.
type Probe interface {
	// Ping makes one small round trip, bounded by ctx; nil means that it works.
	Ping(ctx context.Context) error
}
