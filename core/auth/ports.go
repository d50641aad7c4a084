package auth

import (
	"context"

	"github.com/google/uuid"
)

// KeyStore keeps the keys that Templar made. What it takes and gives is copied: nobody shares a slice with it. Its
// faults: NotFound as named below, Conflict for an id or a secret that is taken, Unavailable when the database is away.
//
// Implementations: adapters/postgres, adapters/sqlite, adapters/memory, adapters/harper.
type KeyStore interface {
	// Add stores a new key.
	Add(ctx context.Context, k Key) error
	// Find answers the key whose Secret or Former digest is d, expired or not; NotFound without one.
	Find(ctx context.Context, d Digest) (Key, error)
	// Get answers the key of that id; NotFound without one.
	Get(ctx context.Context, id uuid.UUID) (Key, error)
	// List answers up to limit keys with ids after the given one, rising by id; uuid.Nil starts at the first.
	List(ctx context.Context, after uuid.UUID, limit int) ([]Key, error)
	// Rotate replaces Secret, Former and FormerUntil of the key k.ID by those of k, if its Secret still is was;
	// Conflict if another rotation came first, NotFound without such a key.
	Rotate(ctx context.Context, k Key, was Digest) error
	// Remove deletes the key of that id; NotFound without one.
	Remove(ctx context.Context, id uuid.UUID) error
}

// Directory is a list of keys that others keep: the Redis hash `sec_apikeys` of the service that Templar replaced.
//
// Implementations: adapters/redis, adapters/memory.
type Directory interface {
	// Lookup answers the value of the first of the fields that the directory has; found is false when it has none.
	// A change made by anyone shows within 2 seconds. The error is an Unavailable fault, given within a second,
	// when the directory cannot be asked.
	Lookup(ctx context.Context, fields ...string) (value string, found bool, err error)
}
