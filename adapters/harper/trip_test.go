package harper

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestTripsCarryTheirCaller has every request to Harper told once, with what it was made for.
func TestTripsCarryTheirCaller(t *testing.T) {
	type callerKey struct{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error": "it is in a bad mood"}`, http.StatusInternalServerError)
	}))
	defer server.Close()
	type told struct {
		operation string
		caller    any
		failed    bool
	}
	var trips []told
	db := Open(Config{URL: server.URL, Schema: "s", Trip: func(ctx context.Context, operation string, took time.Duration, err error) {
		if took <= 0 {
			t.Errorf("%s took %v", operation, took)
		}
		trips = append(trips, told{operation, ctx.Value(callerKey{}), err != nil})
	}})
	if err := db.Ping(context.WithValue(t.Context(), callerKey{}, "ann")); err == nil {
		t.Error("an error is no answer")
	}
	if len(trips) != 1 || trips[0] != (told{"search_by_hash", "ann", true}) {
		t.Errorf("told %+v", trips)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
