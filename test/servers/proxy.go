package servers

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// ProxyServer stands between a client and a server and disturbs what passes. Its
// methods report what goes wrong with tb.Errorf and may be called from any goroutine.
type ProxyServer struct {
	tb   testing.TB
	addr string

	mu     sync.Mutex
	proxy  *toxiproxy.Proxy
	toxics []string // the names of those at work
}

// Proxy starts a proxy for a server's address, ended when the test is over.
func Proxy(tb testing.TB, upstream string) *ProxyServer {
	tb.Helper()
	var err error
	for range 3 {
		var port int
		var lock *os.File
		if port, lock, err = takePort(); err != nil {
			break
		}
		server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
		addr := net.JoinHostPort(host, strconv.Itoa(port))
		p := &ProxyServer{tb: tb, addr: addr, proxy: toxiproxy.NewProxy(server, tb.Name(), addr, upstream)}
		if err = p.proxy.Start(); err == nil {
			tb.Cleanup(func() {
				p.Cut()
				lock.Close()
			})
			return p
		}
		lock.Close()
	}
	tb.Fatalf("servers: start a proxy: %v", err)
	return nil
}

// Addr returns where the proxy listens, as in 127.0.0.1:20123.
func (p *ProxyServer) Addr() string { return p.addr }

// Cut closes all connections and refuses new ones.
func (p *ProxyServer) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.proxy.Stop()
}

// Blackhole lets nothing pass, in neither direction, on connections that stay
// open and on new ones alike. What was sent into it is lost, so Heal closes the connections.
func (p *ProxyServer) Blackhole() {
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add("timeout", "upstream", `{"timeout": 0}`)
	p.add("timeout", "downstream", `{"timeout": 0}`)
}

// Latency delays every answer by d, in whole milliseconds. It replaces an earlier one.
func (p *ProxyServer) Latency(d time.Duration) {
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove("latency downstream")
	p.add("latency", "downstream", fmt.Sprintf(`{"latency": %d}`, d.Milliseconds()))
}

// Heal ends every disturbance.
func (p *ProxyServer) Heal() {
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.toxics) > 0 {
		p.remove(p.toxics[0])
	}
	if err := p.proxy.Start(); err != nil && err != toxiproxy.ErrProxyAlreadyStarted {
		p.tb.Errorf("servers: start the proxy again: %v", err)
	}
}

// add puts a toxic to work on one stream. The caller holds p.mu.
func (p *ProxyServer) add(kind, direction, attributes string) {
	p.tb.Helper()
	name := kind + " " + direction
	for _, present := range p.toxics {
		if present == name {
			return
		}
	}
	wrapper, err := json.Marshal(map[string]any{
		"name": name, "type": kind, "stream": direction, "attributes": json.RawMessage(attributes),
	})
	if err == nil {
		_, err = p.proxy.Toxics.AddToxicJson(strings.NewReader(string(wrapper)))
	}
	if err != nil {
		p.tb.Errorf("servers: disturb a proxy: %v", err)
		return
	}
	p.toxics = append(p.toxics, name)
}

// remove ends one toxic, if it is at work. The caller holds p.mu.
func (p *ProxyServer) remove(name string) {
	p.tb.Helper()
	for i, present := range p.toxics {
		if present != name {
			continue
		}
		p.toxics = append(p.toxics[:i], p.toxics[i+1:]...)
		if err := p.proxy.Toxics.RemoveToxic(context.Background(), name); err != nil {
			p.tb.Errorf("servers: heal a proxy: %v", err)
		}
		return
	}
}
