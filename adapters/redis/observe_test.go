package redis

import (
	"context"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// TestTripsCarryTheirCaller has every trip tell whose it is, and those of the client itself tell nobody.
func TestTripsCarryTheirCaller(t *testing.T) {
	type callerKey struct{}
	server := servers.Redis(t)
	var mu sync.Mutex
	callers := map[string]any{}
	client := open(t, server, server.Addr(), func(c *Config) {
		c.Observe = func(ctx context.Context, command string, _ time.Duration, _ error) {
			mu.Lock()
			defer mu.Unlock()
			callers[command] = ctx.Value(callerKey{})
		}
	})
	as := func(caller string) context.Context { return context.WithValue(t.Context(), callerKey{}, caller) }
	cache := client.Cache(time.Minute)
	if _, err := cache.Fetch(as("fetch"), [16]byte{1}, answer("text")); err != nil {
		t.Fatal(err)
	}
	cache.Changing(as("change"), [16]byte{2})()
	if _, _, err := client.Directory("keys").Lookup(as("lookup"), "key"); err != nil {
		t.Fatal(err)
	}
	limiter := client.Limiter()
	limiter.Take(as("take"), "ann", 10)
	limiter.Peek(as("peek"), "bob", 10)
	if err := client.Ping(as("ping")); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for command, caller := range map[string]any{"get": "fetch", "lease": "fetch", "keep": "fetch", "hold": "change", "drop": "change",
		"hmget": "lookup", "take": "take", "peek": "peek", "ping": "ping", "probe": nil} {
		if got, told := callers[command]; got != caller || !told {
			t.Errorf("%s is told for %v, %v is wanted", command, got, caller)
		}
	}
}
