// Command smoke goes through the README's first walk. With TEMPLAR_URL and TEMPLAR_KEY (an API key) it walks through that
// service, as after a deployment; without, it starts one with the configuration of the environment, as in a pipeline
// beside a PostgreSQL and a Redis, and walks through that.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/config"
	"bitbucket.org/templar/templar/test/deploy/walk"
)

// patience bounds the whole walk, the wait for the database included.
const patience = 2 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "smoke:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (failed error) {
	s := walk.Service{URL: os.Getenv("TEMPLAR_URL"), Header: "X-API-KEY", Value: os.Getenv("TEMPLAR_KEY")}
	if s.URL == "" {
		token := uuid.NewString()
		loaded, err := config.Load(nil, func(name string) (string, bool) {
			if name == "API_TOKENS" {
				return token, true
			}
			return os.LookupEnv(name)
		}, ".env")
		if err != nil {
			return err
		}
		service, err := app.New(loaded, app.Output{})
		if err != nil {
			return err
		}
		running, end := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan error, 1)
		go func() { ended <- service.Run(running) }()
		defer func() {
			end()
			failed = errors.Join(failed, <-ended, service.Close())
		}()
		s.URL, s.Header, s.Value = service.URL(), "Authorization", "Bearer "+token
	}
	if err := s.WaitReady(ctx); err != nil {
		return err
	}
	if err := s.Walk(ctx); err != nil {
		return err
	}
	fmt.Printf("%s works\n", s.URL)
	return nil
}
