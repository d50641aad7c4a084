package redis

import (
	"context"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
	"bitbucket.org/templar/templar/test/servers"
)

// instances opens n clients of one server, each through a proxy of its own.
func instances(t *testing.T, n int) ([]*Client, []*servers.ProxyServer) {
	server := servers.Redis(t)
	var clients []*Client
	var proxies []*servers.ProxyServer
	for range n {
		proxy := servers.Proxy(t, server.Addr())
		proxies = append(proxies, proxy)
		clients = append(clients, open(t, server, proxy.Addr()))
	}
	return clients, proxies
}

func TestCacheContract(t *testing.T) {
	for name, cut := range map[string]func(*servers.ProxyServer){
		"connections refused": (*servers.ProxyServer).Cut, "packets swallowed": (*servers.ProxyServer).Blackhole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract.Cache(t, contract.CacheHarness{Open: func(t *testing.T, ttl time.Duration) contract.CacheGroup {
				g := contract.CacheGroup{TTL: ttl}
				clients, proxies := instances(t, 3)
				for _, c := range clients {
					g.Instances = append(g.Instances, c.Cache(g.TTL))
				}
				g.Cut = func(i int) { cut(proxies[i]) }
				g.Heal = func(i int) { proxies[i].Heal() }
				return g
			}})
		})
	}
}

func TestCacheContractOfOneInstance(t *testing.T) {
	contract.Cache(t, contract.CacheHarness{Open: func(t *testing.T, ttl time.Duration) contract.CacheGroup {
		server := servers.Redis(t)
		return contract.CacheGroup{TTL: ttl, Instances: []ports.Cache{open(t, server, server.Addr()).Cache(ttl)}}
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
				server := servers.Redis(t)
				proxy := servers.Proxy(t, server.Addr())
				client := open(t, server, proxy.Addr())
				other, err := rueidis.NewClient(rueidis.ClientOption{
					InitAddress: []string{server.Addr()}, Password: server.Password, DisableCache: true, ForceSingleClient: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(other.Close)
				return contract.Directory{
					Directory: client.Directory(hash),
					Set: func(ctx context.Context, field, value string) error {
						return other.Do(ctx, other.B().Hset().Key(hash).FieldValue().FieldValue(field, value).Build()).Error()
					},
					Delete: func(ctx context.Context, field string) error {
						return other.Do(ctx, other.B().Hdel().Key(hash).Field(field).Build()).Error()
					},
					Clear: func(ctx context.Context) error {
						return other.Do(ctx, other.B().Del().Key(hash).Build()).Error()
					},
					Cut:  func() { cut(proxy) },
					Heal: proxy.Heal,
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
				var g contract.LimiterGroup
				clients, proxies := instances(t, 3)
				for _, c := range clients {
					g.Instances = append(g.Instances, c.Limiter())
				}
				g.Cut = func(i int) { cut(proxies[i]) }
				g.Heal = func(i int) { proxies[i].Heal() }
				return g
			}})
		})
	}
}

func TestLimiterContractOfOneInstance(t *testing.T) {
	contract.Limiter(t, contract.LimiterHarness{Open: func(t *testing.T) contract.LimiterGroup {
		server := servers.Redis(t)
		return contract.LimiterGroup{Instances: []ports.Limiter{open(t, server, server.Addr()).Limiter()}}
	}})
}
