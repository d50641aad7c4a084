package app

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"bitbucket.org/templar/templar/adapters/otel"
)

// lastSpans is how long Close waits for a collector.
const lastSpans = 2 * time.Second

// openTraces begins to trace where a collector is configured; a.traces stays nil otherwise, and requests pay nothing.
func (a *App) openTraces() error {
	// The library reads its variables from the environment of the process, where those of `.env` are not.
	for name, value := range a.config.SDKEnvironment {
		if strings.HasPrefix(name, "OTEL_") {
			if err := os.Setenv(name, value.Reveal()); err != nil {
				return err
			}
		}
	}
	if !otel.Wanted(a.config.Tracing.Endpoint) {
		return nil
	}
	var err error
	a.traces, err = otel.Open(otel.Config{Endpoint: a.config.Tracing.Endpoint, Version: Version(), Warn: func(err error) {
		a.log.Warn("trouble with the traces; requests are not affected", zap.Error(err))
	}})
	return err
}

// observers are what the services tell of what they do.
func (a *App) observers() Observers {
	o := Observers{Query: a.metrics.Query, Redis: a.redisChanged, Cache: a.metrics.CountedCache}
	if a.traces == nil {
		o.Command = func(_ context.Context, command string, took time.Duration, err error) {
			a.metrics.Command(command, took, err)
		}
		return o
	}
	trip := a.traces.Trip("redis")
	o.Command = func(ctx context.Context, command string, took time.Duration, err error) {
		a.metrics.Command(command, took, err)
		trip(ctx, command, took, err)
	}
	o.SQL, o.Harper = a.traces.SQL, a.traces.Trip("harper")
	return o
}

// closeTraces sends the last spans. A collector that is away is no failure of the service.
func (a *App) closeTraces() {
	if a.traces == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastSpans)
	defer cancel()
	if err := a.traces.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
		a.log.Warn("trouble with the traces; requests are not affected", zap.Error(err))
	}
}
