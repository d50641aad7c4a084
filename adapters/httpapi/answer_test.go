package httpapi

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

func TestHTTPDate(t *testing.T) {
	zone := time.FixedZone("", -7*3600)
	for range 10_000 {
		at := time.Unix(rand.Int64N(300e9)-70e9, rand.Int64N(1e9)).In(zone)
		if got, want := httpDate(at), at.UTC().Format(http.TimeFormat); got != want {
			t.Fatalf("%v is %q, want %q", at, got, want)
		}
	}
}

func BenchmarkHTTPDate(b *testing.B) {
	at := time.Now()
	for b.Loop() {
		httpDate(at)
	}
}
