package template

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/ports"
)

// Representation is the current revision of a living template, encoded by the Codec.
type Representation struct {
	Revision int
	Modified time.Time
	// Body is shared with other readers and must not be modified.
	Body []byte
}

const representationHead = 16

// pack lays a representation out for a cache: revision, modification time in microseconds, body.
func (c *cachedStore) pack(t Template) []byte {
	body := c.codec.Encode(t)
	raw := make([]byte, representationHead, representationHead+len(body))
	binary.BigEndian.PutUint64(raw, uint64(t.Revision))
	var modified int64
	if !t.Modified.IsZero() {
		modified = t.Modified.UnixMicro()
	}
	binary.BigEndian.PutUint64(raw[8:], uint64(modified))
	return append(raw, body...)
}

func unpack(raw []byte) Representation {
	r := Representation{Revision: int(binary.BigEndian.Uint64(raw)), Body: raw[representationHead:]}
	if modified := int64(binary.BigEndian.Uint64(raw[8:])); modified != 0 {
		r.Modified = time.UnixMicro(modified).UTC()
	}
	return r
}

// cachedStore is a Store whose current revisions are read through a cache. Every change goes through it, so that it
// knows what to drop.
type cachedStore struct {
	Store
	cache ports.Cache
	codec Codec
}

// Cached puts a cache before the store's Get. Every change of the store must go through what it returns.
func Cached(store Store, cache ports.Cache, codec Codec) Store {
	return &cachedStore{Store: store, cache: cache, codec: codec}
}

// represent answers the representation of a living template; NotFound for any other, which is never kept.
func (c *cachedStore) represent(ctx context.Context, id uuid.UUID) (Representation, error) {
	if raw, ok := c.cache.Kept(id); ok {
		return unpack(raw), nil
	}
	raw, err := c.cache.Fetch(ctx, id, func(ctx context.Context) ([]byte, error) {
		t, err := living(c.Store.Get(ctx, id))
		if err != nil {
			return nil, err
		}
		return c.pack(t), nil
	})
	if err != nil {
		return Representation{}, err
	}
	return unpack(raw), nil
}

// Get answers living templates from the cache and asks the store for the others.
func (c *cachedStore) Get(ctx context.Context, id uuid.UUID) (Template, error) {
	r, err := c.represent(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return c.Store.Get(ctx, id)
	}
	if err != nil {
		return Template{}, err
	}
	return c.codec.Decode(r.Body)
}

func (c *cachedStore) Replace(ctx context.Context, t Template, was int, claim *Claim) error {
	defer c.cache.Changing(ctx, t.ID)()
	return c.Store.Replace(ctx, t, was, claim)
}

func (c *cachedStore) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	defer c.cache.Changing(ctx, id)()
	return c.Store.Trash(ctx, id, was, at)
}

func (c *cachedStore) Undelete(ctx context.Context, id uuid.UUID, was int, claim *Claim) error {
	defer c.cache.Changing(ctx, id)()
	return c.Store.Undelete(ctx, id, was, claim)
}

// living hands on a template that is not in the trash; NotFound for one that is.
func living(t Template, err error) (Template, error) {
	if err == nil && t.InTrash() {
		return Template{}, errNoTemplate
	}
	return t, err
}

var errNoTemplate error = fault.New(fault.NotFound, "there is no template with this id")
