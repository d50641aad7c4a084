package commands

import (
	"errors"

	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/config"
)

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
			service, err := app.New(loaded, app.Output{Log: c.ErrOrStderr(), Greeting: c.OutOrStdout()})
			if err != nil {
				return err
			}
			return errors.Join(service.Run(c.Context()), service.Close())
		},
	}
}
