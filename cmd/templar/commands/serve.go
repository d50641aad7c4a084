package commands

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/config"
)

// ballast is memory that is never touched, and so takes none, but counts where Go decides when to collect: some 5 MiB are
// in use without a cache, and a busy instance fills as much again so often that collecting takes a twentieth of the
// processor. A higher GOGC would do the same, and take twice the size of the cache once that is full.
const ballast = 8 << 20

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
			untouched := make([]byte, ballast)
			defer runtime.KeepAlive(untouched)
			service, err := app.New(loaded, app.Output{Log: c.ErrOrStderr(), Greeting: c.OutOrStdout()})
			if err != nil {
				return err
			}
			go settle(c.Context(), service.Prepared())
			return errors.Join(service.Run(c.Context()), service.Close())
		},
	}
}

// settle gives memory back that only the start needed, when that is over.
func settle(ctx context.Context, started <-chan struct{}) {
	select {
	case <-started:
		debug.FreeOSMemory()
		_ = forgetStart() // without it the process works as well, and takes more
	case <-ctx.Done():
	}
}
