package memory_test

import (
	"context"
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
)

func TestTemplates(t *testing.T) {
	contract.TemplateStore(t, contract.TemplateHarness{Open: func(*testing.T) template.Store { return memory.NewTemplates() }})
}

func openDatabase(*testing.T) template.Database { return memory.NewTemplates() }

func TestHistory(t *testing.T) {
	contract.TemplateHistory(t, contract.DatabaseHarness{Open: openDatabase})
}

func TestArchive(t *testing.T) {
	contract.TemplateArchive(t, contract.DatabaseHarness{Open: openDatabase})
}

func TestKeys(t *testing.T) {
	contract.KeyStore(t, contract.KeyHarness{Open: func(*testing.T) auth.KeyStore { return memory.NewKeys() }})
}

func TestDirectory(t *testing.T) {
	contract.AuthDirectory(t, contract.DirectoryHarness{Open: func(*testing.T) contract.Directory {
		d := memory.NewDirectory(nil)
		return contract.Directory{
			Directory: d,
			Set:       func(_ context.Context, field, value string) error { d.Set(field, value); return nil },
			Delete:    func(_ context.Context, field string) error { d.Delete(field); return nil },
			Clear:     func(context.Context) error { d.Clear(); return nil },
			Cut:       func() { d.SetAway(true) },
			Heal:      func() { d.SetAway(false) },
		}
	}})
}

func TestCache(t *testing.T) {
	contract.Cache(t, contract.CacheHarness{Open: func(_ *testing.T, ttl time.Duration) contract.CacheGroup {
		return contract.CacheGroup{Instances: []ports.Cache{memory.NewCache(ttl, 64<<20)}}
	}})
}

func TestLimiter(t *testing.T) {
	contract.Limiter(t, contract.LimiterHarness{Open: func(*testing.T) contract.LimiterGroup {
		return contract.LimiterGroup{Instances: []ports.Limiter{memory.NewLimiter(nil)}}
	}})
}
