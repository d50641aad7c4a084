package ports

import "context"

// Cache keeps encoded objects by id. It is the one place that knows how to stay right: callers only say what they
// load and what they are about to change.
//
// Promises: what Fetch answers was current in the store at some moment within the cache's time to live; and once the
// function returned by Changing has run, no Fetch and no Kept that begins later on this instance answers what was current
// before. Instances that share a store see it within a second while the store is reachable, else within the time
// to live. A load that raced a change is answered to its caller but never kept.
//
// Implementations: adapters/memory (one process), adapters/redis (shared by instances).
type Cache interface {
	// Fetch answers the value kept for id, or calls load and keeps what it gives. The value is shared: nobody may
	// modify it. An error of load is handed on and nothing is kept; a cache that is out of order calls load.
	Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error)
	// Kept answers what Fetch would answer from this process alone, without a load and without a wait; not ok where it
	// would not. It is Fetch's first step, for callers who want to do nothing else while it succeeds.
	Kept(id [16]byte) (value []byte, ok bool)
	// Changing is called before a change of ids is committed; what it returns is called after, whatever became of the
	// change, exactly once. In between nothing is kept for them. It does not fail: what could not be told to a shared
	// store at once is told as soon as it is back. It may block for a bounded round trip, and one more for every few
	// hundred ids.
	Changing(ctx context.Context, ids ...[16]byte) (changed func())
}
