package contract_test

import (
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/httpapi"
	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/adapters/prometheus"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
)

// TestCachedStore holds the store with a cache before it to what every store promises.
func TestCachedStore(t *testing.T) {
	t.Parallel()
	contract.TemplateStore(t, contract.TemplateHarness{Open: func(*testing.T) template.Store {
		return template.Cached(memory.NewTemplates(), memory.NewCache(time.Minute, 64<<20), httpapi.TemplateCodec{})
	}})
}

// TestCountedCache holds the cache that is counted to what every cache promises.
func TestCountedCache(t *testing.T) {
	t.Parallel()
	contract.Cache(t, contract.CacheHarness{Open: func(_ *testing.T, ttl time.Duration) contract.CacheGroup {
		cache := prometheus.New("test").CountedCache(memory.NewCache(ttl, 64<<20))
		return contract.CacheGroup{Instances: []ports.Cache{contract.KeptFirst(cache)}, TTL: ttl}
	}})
}
