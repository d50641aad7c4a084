package template

import (
	"context"
	"crypto/sha256"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/ports"
)

// names finds templates by name, through the cache: under a key made of the name stands the id of the oldest living
// template that bears it. Everything that can change that id says so with changing: a rename away from a name or
// to it, the trash, the way back from it, and an import. A new template cannot: it is the youngest, and a name that
// nobody bears is not kept.
type names struct {
	history History
	cache   ports.Cache
}

// nameKey keeps names apart from ids: both are keys of one cache.
func nameKey(name string) [16]byte {
	sum := sha256.Sum256([]byte("template name\x00" + name))
	return [16]byte(sum[:16])
}

// find answers the id of the oldest living template of exactly that name; NotFound.
func (n *names) find(ctx context.Context, name string) (uuid.UUID, error) {
	raw, err := n.cache.Fetch(ctx, nameKey(name), func(ctx context.Context) ([]byte, error) {
		id, err := n.history.Named(ctx, name)
		return id[:], err
	})
	if err != nil {
		return uuid.UUID{}, err
	}
	return uuid.FromBytes(raw)
}

// changing frames a change that may give one of the names to another template.
func (n *names) changing(ctx context.Context, names ...string) (changed func()) {
	keys := make([][16]byte, len(names))
	for i, name := range names {
		keys[i] = nameKey(name)
	}
	return n.cache.Changing(ctx, keys...)
}
