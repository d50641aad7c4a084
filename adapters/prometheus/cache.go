package prometheus

import (
	"context"

	"bitbucket.org/templar/templar/ports"
)

// CountedCache counts what a cache answers by itself (hit) and what it loads (miss).
func (m *Metrics) CountedCache(cache ports.Cache) ports.Cache { return &countedCache{cache, m} }

type countedCache struct {
	ports.Cache
	metrics *Metrics
}

func (c *countedCache) Kept(id [16]byte) ([]byte, bool) {
	value, ok := c.Cache.Kept(id)
	if ok {
		c.metrics.cacheHits.Inc()
	}
	return value, ok
}

func (c *countedCache) Fetch(ctx context.Context, id [16]byte, load func(context.Context) ([]byte, error)) ([]byte, error) {
	loaded := false
	value, err := c.Cache.Fetch(ctx, id, func(ctx context.Context) ([]byte, error) {
		loaded = true
		return load(ctx)
	})
	if loaded {
		c.metrics.cacheMisses.Inc()
	} else {
		c.metrics.cacheHits.Inc()
	}
	return value, err
}
