package otel

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/collector"
)

// TestCollectorAway has requests go on at their speed while nobody takes their spans.
func TestCollectorAway(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for name, address := range map[string]string{"silent": silent.Addr().String(), "gone": gone.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
			tracing, told := open(t, "http://"+address)
			began := time.Now()
			for range 20_000 { // ten times what the queue holds
				_, span := tracing.Begin(t.Context(), get(nil))
				span.End(200, "")
			}
			if took := time.Since(began); took > 9*time.Second { // one attempt to send takes the silent one 10 s
				t.Errorf("20,000 spans took %v", took)
			}
			for deadline := time.Now().Add(5 * time.Second); len(told.all()) == 0 && time.Now().Before(deadline); {
				time.Sleep(10 * time.Millisecond)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			began = time.Now()
			_ = tracing.Close(ctx) // whether it worked is not the point
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("Close took %v", took)
			}
			if all := told.all(); len(all) != 1 || !strings.Contains(all[0], "spans could not be sent") {
				t.Errorf("warned: %q", all)
			}
			if waiting := tracing.exporter.waiting.Load(); waiting < 0 || waiting > 2048 {
				t.Errorf("%d spans wait", waiting)
			}
		})
	}
}

// TestFullQueueIsCounted has a collector that takes its time.
func TestFullQueueIsCounted(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	tracing, told := open(t, slow.URL)
	now := time.Now()
	tracing.exporter.reports.now = func() time.Time { return now }
	end := func() {
		_, span := tracing.Begin(t.Context(), get(nil))
		span.End(200, "")
	}
	for range 150 {
		end()
	}
	now = now.Add(time.Hour)
	end()
	all := told.all()
	if len(all) != 2 || !strings.HasPrefix(all[0], "1 spans") || !strings.HasPrefix(all[1], "50 spans") || !strings.Contains(all[1], errFull.Error()) {
		t.Errorf("warned: %q", all)
	}
	close(release)
	if err := tracing.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if waiting := tracing.exporter.waiting.Load(); waiting != 0 {
		t.Errorf("%d spans wait after the end", waiting)
	}
}

func TestRefusalIsReportedNowAndThen(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "key=hunter2")
	c := collector.New(t)
	c.Refuse(http.StatusUnauthorized, "no key hunter2 is known")
	tracing, told := open(t, c.URL)
	now := time.Now()
	tracing.exporter.reports.now = func() time.Time { return now }
	send := func(spans int) {
		for range spans {
			_, span := tracing.Begin(t.Context(), get(nil))
			span.End(200, "")
		}
		if err := tracing.provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	send(3)
	send(4)
	now = now.Add(59 * time.Second)
	send(5)
	if all := told.all(); len(all) != 1 || !strings.HasPrefix(all[0], "3 spans ") || !strings.Contains(all[0], "401") {
		t.Fatalf("warned: %q", all)
	}
	now = now.Add(2 * time.Second)
	send(1)
	all := told.all()
	if len(all) != 2 || !strings.HasPrefix(all[1], "10 spans ") {
		t.Errorf("warned: %q", all)
	}
	if strings.Contains(strings.Join(all, ""), "hunter2") {
		t.Errorf("a header was told: %q", all)
	}
}
