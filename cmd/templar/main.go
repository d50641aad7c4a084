// Templar stores, versions and renders text templates for other programs.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"bitbucket.org/templar/templar/cmd/templar/commands"
)

func main() {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		stop()
		<-signals
		os.Exit(1) // the second signal does not wait for anything
	}()
	os.Exit(commands.Run(ctx, os.Args[1:], commands.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
