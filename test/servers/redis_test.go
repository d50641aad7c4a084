package servers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"bitbucket.org/templar/templar/test/servers"
)

func openRedis(t *testing.T, addr string) rueidis.Client {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, Password: "password"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestRedisIsPrivate(t *testing.T) {
	t.Parallel()
	one, two := servers.Redis(t), servers.Redis(t)
	client := openRedis(t, one.Addr())
	if err := client.Do(t.Context(), client.B().Hset().Key("sec_apikeys").FieldValue().FieldValue("k", "user: a b").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if got := one.CLI("HGET", "sec_apikeys", "k"); got != "user: a b" {
		t.Errorf("redis-cli reads %q", got)
	}
	if got := two.CLI("EXISTS", "sec_apikeys"); got != "0" {
		t.Error("a key of one server shows in another")
	}
	if got := one.CLI("NOSUCH"); !strings.Contains(got, "ERR unknown command") {
		t.Errorf("an error of Redis is answered as %q", got)
	}
	if got := one.CLI("CONFIG", "GET", "save"); strings.TrimSpace(got) != "save" {
		t.Errorf("save is %q", got)
	}
	if _, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{one.Addr()}, Password: "wrong"}); err == nil {
		t.Error("a wrong password was let in")
	}
}

func TestRedisSurvivesKillAndStop(t *testing.T) {
	t.Parallel()
	server := servers.NewRedis(t, servers.RedisAppendOnly())
	server.CLI("SET", "kept", "yes")
	server.Kill()
	server.Start()
	if got := server.CLI("GET", "kept"); got != "yes" {
		t.Errorf("after the kill the value is %q", got)
	}
	server.Stop()
	server.Start()
	if got := server.CLI("GET", "kept"); got != "yes" {
		t.Errorf("after the stop the value is %q", got)
	}

	forgetful := servers.Redis(t)
	forgetful.CLI("SET", "kept", "yes")
	forgetful.Stop()
	forgetful.Start()
	if got := forgetful.CLI("GET", "kept"); got != "" {
		t.Errorf("a server without files still has %q", got)
	}
}

func TestRedisPause(t *testing.T) {
	t.Parallel()
	server := servers.Redis(t)
	client := openRedis(t, server.Addr())
	server.Pause()
	answer := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		answer <- client.Do(ctx, client.B().Ping().Build()).Error()
	}()
	select {
	case err := <-answer:
		t.Fatalf("a paused server answered: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	server.Resume()
	if err := <-answer; err != nil {
		t.Fatalf("the command that waited failed: %v", err)
	}
	server.Pause() // and ends paused
}

func TestRedisMaxMemory(t *testing.T) {
	t.Parallel()
	server := servers.NewRedis(t, servers.RedisMaxMemory(4<<20), servers.RedisSetting("maxmemory-policy", "allkeys-lru"))
	if got := server.CLI("CONFIG", "GET", "maxmemory*"); !strings.Contains(got, "4194304") || !strings.Contains(got, "allkeys-lru") {
		t.Errorf("the settings are %q", got)
	}
}
