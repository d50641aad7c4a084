package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/ports"
)

// work runs what goes on beside the requests, until ctx ends.
func (a *App) work(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() {
		if a.prepare(ctx) {
			running.Go(func() { a.fillWords(ctx) })
			a.housekeep(ctx)
		}
	})
	running.Go(func() { a.probe(ctx) })
	running.Wait()
}

// prepare waits for the database and brings its schema up, however long that takes; false when ctx ended first.
func (a *App) prepare(ctx context.Context) bool {
	said := ""
	for {
		err := a.prepareOnce(ctx)
		if err == nil {
			close(a.prepared)
			a.log.Info("ready")
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if text := err.Error(); text != said {
			said = text
			a.log.Warn("not ready yet; trying again", zap.Error(err))
		}
		pause := 500 * time.Millisecond
		if errors.Is(err, ports.ErrSchemaBlocked) {
			pause = 5 * time.Second
		}
		if !sleep(ctx, pause) {
			return false
		}
	}
}

func (a *App) prepareOnce(ctx context.Context) error {
	ping, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := a.services.Stores.Probe.Ping(ping); err != nil {
		return err
	}
	changes, err := a.services.Stores.BringUp(ctx, a.config)
	if err != nil {
		return err
	}
	for _, change := range changes {
		a.log.Info("schema changed", zap.Stringer("change", change))
	}
	return a.greet(ctx)
}

// greet makes the first key of an embedded database that has no other way in, and tells it once.
func (a *App) greet(ctx context.Context) error {
	if !a.services.Stores.Embedded || a.services.Redis != nil || len(a.config.Auth.Tokens) > 0 {
		return nil
	}
	ctx = AsOperator(ctx)
	existing, err := a.services.Keys.List(ctx, [16]byte{}, 1)
	if err != nil || len(existing) > 0 {
		return err
	}
	_, secret, err := a.services.Keys.Create(ctx, auth.NewKey{User: "admin", Scopes: auth.AllScopes(), Rate: auth.DefaultRate})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.output.Greeting, strings.TrimLeft(`
This is the first start. Your API key, shown this once:

  %s

Try it:

  curl -H 'X-API-KEY: %s' -H 'Content-Type: application/json' -d '{"name": "Welcome", "content": "Hello {{name}}!"}' %s/v1/templates

`, "\n"), secret, secret, a.URL())
	return err
}

// AsOperator gives a context whose principal may do everything: whoever runs the commands owns the database anyway.
func AsOperator(ctx context.Context) context.Context {
	return auth.With(ctx, &auth.Principal{User: "operator", Scopes: auth.AllScopes()})
}

// housekeep removes what has expired, once a while.
func (a *App) housekeep(ctx context.Context) {
	for sleep(ctx, 10*time.Minute) {
		for _, forget := range []func(context.Context) (int, error){a.services.Templates.ForgetReceipts, a.services.Characters.ForgetReceipts} {
			if n, err := forget(ctx); err != nil {
				a.log.Warn("expired idempotency keys could not be removed", zap.Error(err))
			} else if n > 0 {
				a.log.Debug("expired idempotency keys removed", zap.Int("count", n))
			}
		}
	}
}

const (
	// fillPause is how long the words of rows that others write may be left to the database.
	fillPause   = time.Minute
	fillTimeout = 30 * time.Second
)

// fillWords readies rows that others wrote for word searches, for half of its time at most.
func (a *App) fillWords(ctx context.Context) {
	fill := a.services.Stores.FillWords
	if fill == nil {
		return
	}
	after, total, said := int64(math.MinInt64), 0, ""
	for {
		began := time.Now()
		bounded, cancel := context.WithTimeout(ctx, fillTimeout)
		last, filled, done, err := fill(bounded, after)
		cancel()
		after, total = last, total+filled
		pause := time.Since(began)
		if err != nil {
			if text := err.Error(); text != said && ctx.Err() == nil {
				said = text
				a.log.Warn("rows that others wrote could not be readied for word searches; trying again", zap.Error(err))
			}
			pause = fillPause
		}
		if done {
			if total > 0 {
				a.log.Info("rows that others wrote are ready for word searches", zap.Int("count", total))
			}
			after, total, pause = math.MinInt64, 0, fillPause
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

const (
	probePause   = 5 * time.Second
	probeTimeout = 3 * time.Second
)

// probe measures database and Redis in the background, so that a scrape never waits for them.
func (a *App) probe(ctx context.Context) {
	if !a.config.Metrics.Enabled {
		return
	}
	type probe struct {
		run  func(context.Context) error
		tell func(time.Duration, error)
	}
	var probes []probe
	if a.services.Stores.TimeColumn != nil {
		probes = append(probes, probe{func(ctx context.Context) error {
			return a.services.Stores.TimeColumn(ctx, a.config.Metrics.ProbeTable, a.config.Metrics.ProbeColumn)
		}, a.metrics.Latency("db_probe_latency_seconds")})
	}
	if a.services.Redis != nil {
		probes = append(probes, probe{a.services.Redis.Ping, a.metrics.Latency("redis_probe_latency_seconds")})
	}
	for {
		for _, p := range probes {
			bounded, cancel := context.WithTimeout(ctx, probeTimeout)
			began := time.Now()
			err := p.run(bounded)
			cancel()
			p.tell(time.Since(began), err)
		}
		if !sleep(ctx, probePause) {
			return
		}
	}
}

// sleep waits; false when ctx ended first.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
