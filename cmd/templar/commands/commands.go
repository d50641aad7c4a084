// Package commands is Templar's command line, a file a command.
package commands

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/config"
)

// Exit codes of every command.
const (
	done   = 0
	failed = 1
	// misused is a wrong flag, argument or configuration.
	misused = 2
)

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// usageError is a command line that cannot be right.
type usageError struct{ error }

// Run runs one command line, without the program's name, and gives its exit code.
func Run(ctx context.Context, arguments []string, streams Streams) int {
	root := &cobra.Command{
		Use:   "templar",
		Short: "Templar stores, versions and renders text templates for other programs",
		Long: `Templar stores, versions and renders text templates for other programs.

Every variable of the configuration is a flag too (--http-port for HTTP_PORT). Flags win over the environment,
the environment over the file .env, that over the defaults; "templar config" shows what is in force and why.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	config.Register(root.PersistentFlags())
	root.SetArgs(arguments)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(serveCommand(), migrateCommand(), keysCommand(), configCommand(), exportCommand(), importCommand(), purgeCommand(), openapiCommand(), healthcheckCommand(), versionCommand())

	err := root.ExecuteContext(ctx)
	var invalid *config.InvalidError
	var usage usageError
	switch {
	case err == nil:
		return done
	case errors.As(err, &invalid):
		fmt.Fprintln(streams.Err, err)
		return misused
	case errors.As(err, &usage) || !started:
		fmt.Fprintf(streams.Err, "templar: %v\nTry templar --help, or --help behind a command.\n", err)
		return misused
	}
	fmt.Fprintf(streams.Err, "templar: %v\n", err)
	return failed
}

// load reads the configuration for a command.
func load(c *cobra.Command) (*config.Config, error) {
	loaded, err := config.Load(c.Flags(), nil, ".env")
	if err != nil {
		return nil, err
	}
	for _, warning := range loaded.Warnings {
		fmt.Fprintln(c.ErrOrStderr(), "templar: warning:", warning)
	}
	return loaded, nil
}

// withServices runs work on the configured database, as an operator; its tables are put in place first.
func withServices(c *cobra.Command, work func(context.Context, *app.Services) error) error {
	loaded, err := load(c)
	if err != nil {
		return err
	}
	if loaded.Database.Engine == config.EngineMemory {
		return usageError{errors.New("with DB_ENGINE=memory everything lives in the serving process; use its API")}
	}
	services, err := app.OpenServices(loaded, app.Observers{})
	if err != nil {
		return err
	}
	if _, err := services.Stores.BringUp(c.Context(), loaded); err != nil {
		return errors.Join(err, services.Close())
	}
	return errors.Join(work(app.AsOperator(c.Context()), services), services.Close())
}
