package redis

import (
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

func BenchmarkFetchHit(b *testing.B) {
	server := servers.Redis(b)
	cache := open(b, server, server.Addr()).Cache(time.Hour)
	load := answer(string(make([]byte, 900)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		id, ctx := [16]byte{1}, b.Context()
		for pb.Next() {
			if raw, err := cache.Fetch(ctx, id, load); err != nil || len(raw) != 900 {
				b.Error(len(raw), err)
				return
			}
		}
	})
}

func BenchmarkLookupHit(b *testing.B) {
	server := servers.Redis(b)
	client := open(b, server, server.Addr())
	rdb := client.ready()
	const key = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	if err := rdb.Do(b.Context(), rdb.B().Hset().Key("keys").FieldValue().FieldValue(key, "user: ann").Build()).Error(); err != nil {
		b.Fatal(err)
	}
	directory := client.Directory("keys")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ctx := b.Context()
		for pb.Next() {
			if v, found, err := directory.Lookup(ctx, "4c8a1f0e-53f5-4a47-9f0e-3b1d0c8a1f0e", key, "4C8A1F0E-53F5-4A47-9F0E-3B1D0C8A1F0E"); v != "user: ann" || !found || err != nil {
				b.Error(v, found, err)
				return
			}
		}
	})
}

func BenchmarkTakeHit(b *testing.B) {
	server := servers.Redis(b)
	limiter := open(b, server, server.Addr()).Limiter()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ctx := b.Context()
		for pb.Next() {
			if p := limiter.Take(ctx, "ann", 2_000_000_000); !p.Granted {
				b.Error(p)
				return
			}
		}
	})
}

// BenchmarkTakeDenied is a flood over a limit.
func BenchmarkTakeDenied(b *testing.B) {
	server := servers.Redis(b)
	limiter := open(b, server, server.Addr()).Limiter()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ctx := b.Context()
		for pb.Next() {
			limiter.Take(ctx, "ann", 60)
		}
	})
}
