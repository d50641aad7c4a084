package redis

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
	"bitbucket.org/templar/templar/test/servers"
)

// fleet is some clients of one server, each through a proxy of its own.
type fleet struct {
	server  *servers.RedisServer
	clients []*Client
	proxies []*servers.ProxyServer

	mu   sync.Mutex
	cut  []bool // whom a check cut off, now or before
	lost string // who lost the server by itself, and how
}

func newFleet(t *testing.T, n int) *fleet {
	server := servers.Redis(t)
	f := &fleet{server: server, cut: make([]bool, n)}
	for i := range n {
		proxy := servers.Proxy(t, server.Addr())
		f.proxies = append(f.proxies, proxy)
		f.clients = append(f.clients, open(t, server, proxy.Addr(), func(c *Config) {
			c.OnState = func(up bool, err error) { f.told(i, up, err) }
		}))
	}
	return f
}

func (f *fleet) told(i int, up bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !up && !f.cut[i] {
		f.lost = fmt.Sprintf("instance %d lost Redis: %v", i, err)
	}
}

// part cuts instance i off.
func (f *fleet) part(i int, how func(*servers.ProxyServer)) {
	f.mu.Lock()
	f.cut[i] = true
	f.mu.Unlock()
	how(f.proxies[i])
}

func (f *fleet) disturbed() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

func TestCacheContract(t *testing.T) {
	for name, cut := range map[string]func(*servers.ProxyServer){
		"connections refused": (*servers.ProxyServer).Cut, "packets swallowed": (*servers.ProxyServer).Blackhole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract.Cache(t, contract.CacheHarness{Open: func(t *testing.T, ttl time.Duration) contract.CacheGroup {
				f := newFleet(t, 3)
				g := contract.CacheGroup{TTL: ttl, Disturbed: f.disturbed}
				for _, c := range f.clients {
					cache := c.Cache(g.TTL)
					if name == "packets swallowed" {
						cache = contract.KeptFirst(cache)
					}
					g.Instances = append(g.Instances, cache)
				}
				g.Cut = func(i int) { f.part(i, cut) }
				g.Heal = func(i int) { f.proxies[i].Heal() }
				return g
			}})
		})
	}
}

func TestCacheContractOfOneInstance(t *testing.T) {
	contract.Cache(t, contract.CacheHarness{Open: func(t *testing.T, ttl time.Duration) contract.CacheGroup {
		f := newFleet(t, 1)
		return contract.CacheGroup{TTL: ttl, Instances: []ports.Cache{f.clients[0].Cache(ttl)}, Disturbed: f.disturbed}
	}})
}

func TestDirectoryContract(t *testing.T) {
	for name, cut := range map[string]func(*servers.ProxyServer){
		"connections refused": (*servers.ProxyServer).Cut, "packets swallowed": (*servers.ProxyServer).Blackhole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract.AuthDirectory(t, contract.DirectoryHarness{Open: func(t *testing.T) contract.Directory {
				const hash = "sec_apikeys"
				f := newFleet(t, 1)
				server := f.server
				other, err := rueidis.NewClient(rueidis.ClientOption{
					InitAddress: []string{server.Addr()}, Password: server.Password, DisableCache: true, ForceSingleClient: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(other.Close)
				return contract.Directory{
					Directory: f.clients[0].Directory(hash),
					Set: func(ctx context.Context, field, value string) error {
						return other.Do(ctx, other.B().Hset().Key(hash).FieldValue().FieldValue(field, value).Build()).Error()
					},
					Delete: func(ctx context.Context, field string) error {
						return other.Do(ctx, other.B().Hdel().Key(hash).Field(field).Build()).Error()
					},
					Clear: func(ctx context.Context) error {
						return other.Do(ctx, other.B().Del().Key(hash).Build()).Error()
					},
					Cut:       func() { f.part(0, cut) },
					Heal:      f.proxies[0].Heal,
					Disturbed: f.disturbed,
				}
			}})
		})
	}
}

func TestLimiterContract(t *testing.T) {
	for name, cut := range map[string]func(*servers.ProxyServer){
		"connections refused": (*servers.ProxyServer).Cut, "packets swallowed": (*servers.ProxyServer).Blackhole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract.Limiter(t, contract.LimiterHarness{Open: func(t *testing.T) contract.LimiterGroup {
				f := newFleet(t, 3)
				g := contract.LimiterGroup{Disturbed: f.disturbed}
				for _, c := range f.clients {
					g.Instances = append(g.Instances, c.Limiter())
				}
				g.Cut = func(i int) { f.part(i, cut) }
				g.Heal = func(i int) { f.proxies[i].Heal() }
				return g
			}})
		})
	}
}

func TestLimiterContractOfOneInstance(t *testing.T) {
	contract.Limiter(t, contract.LimiterHarness{Open: func(t *testing.T) contract.LimiterGroup {
		f := newFleet(t, 1)
		return contract.LimiterGroup{Instances: []ports.Limiter{f.clients[0].Limiter()}, Disturbed: f.disturbed}
	}})
}
