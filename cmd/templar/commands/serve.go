package commands

import (
	"errors"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/config"
)

// collectAt is the growth of the heap, in percent, at which it is collected. What stays is little, some 5 MiB, and a busy
// instance fills as much again many times a second, so that Go's own 100 takes a twentieth of the processor; more than
// this takes more memory than it is worth.
const collectAt = 150

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve the API until SIGTERM or SIGINT",
		Long: `Serve the API until SIGTERM or SIGINT; a second signal exits at once.

Without any configuration the data is kept in an embedded database under ./data, and the first start prints an API key.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			loaded, err := config.Load(c.Flags(), nil, ".env")
			if err != nil {
				return err
			}
			if os.Getenv("GOGC") == "" {
				debug.SetGCPercent(collectAt)
			}
			service, err := app.New(loaded, app.Output{Log: c.ErrOrStderr(), Greeting: c.OutOrStdout()})
			if err != nil {
				return err
			}
			return errors.Join(service.Run(c.Context()), service.Close())
		},
	}
}
