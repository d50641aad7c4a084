package commands

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/adapters/migrations"
	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/ports"
)

func migrateCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to what YAML files describe",
		Long: `Bring the database to what YAML files describe: Templar's own tables, or those of the --file that is given.
Nothing is dropped without --allow-drop, and running it twice changes nothing.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	group.AddCommand(migrateInitCommand(), migratePlanCommand(), migrateApplyCommand(), migrateStatusCommand())
	return group
}

// withMigrator runs work with the migrator of the configured database.
func withMigrator(c *cobra.Command, work func(context.Context, ports.Migrator) error) error {
	loaded, err := load(c)
	if err != nil {
		return err
	}
	stores, err := app.OpenStores(loaded, app.Observers{})
	if err != nil {
		return err
	}
	if stores.Migrator == nil {
		return errors.Join(usageError{fmt.Errorf("DB_ENGINE=%s has no schema to migrate", loaded.Database.Engine)}, stores.Close())
	}
	return errors.Join(work(c.Context(), stores.Migrator), stores.Close())
}

// described reads the part of the file that is wanted; Templar's own tables without a file.
func described(path string, part migrations.Part) (migrations.File, ports.Schema, error) {
	file := migrations.Templar()
	if path != "" {
		var err error
		if file, err = migrations.ReadFile(path); err != nil {
			return file, ports.Schema{}, usageError{err}
		}
	}
	schema, err := file.Schema(part)
	if err != nil {
		return file, schema, usageError{err}
	}
	return file, schema, nil
}

// apply brings the database to the wanted part of a file and prints what it did. The file is read, and found to be
// right, before the database is touched.
func apply(c *cobra.Command, path string, part migrations.Part, allowDrop bool) error {
	file, schema, err := described(path, part)
	if err != nil {
		return err
	}
	options := ports.ApplyOptions{Name: file.Name, Checksum: file.Checksum, AllowDrop: allowDrop}
	return withMigrator(c, func(ctx context.Context, m ports.Migrator) error {
		changes, err := m.Apply(ctx, schema, options)
		if err != nil {
			return err
		}
		made := 0
		for _, change := range changes {
			fmt.Fprintln(c.OutOrStdout(), change)
			if !change.Held {
				made++
			}
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%d changes made\n", made)
		return err
	})
}

func migrateInitCommand() *cobra.Command {
	var path string
	command := &cobra.Command{
		Use:     "init [schemas|table] --file FILE",
		Short:   "Create the schemas, the tables, or both, that a file describes",
		Example: "  templar migrate init schemas --file init.yaml\n  templar migrate init table --file init.yaml\n  templar migrate init --file init.yaml",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return initialise(c, path, migrations.All) },
	}
	command.PersistentFlags().StringVar(&path, "file", "", "the YAML file")
	command.AddCommand(
		&cobra.Command{Use: "schemas --file FILE", Aliases: []string{"schema"}, Short: "Create the schemas that a file describes", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error { return initialise(c, path, migrations.Schemas) }},
		&cobra.Command{Use: "table --file FILE", Aliases: []string{"tables"}, Short: "Create the tables that a file describes", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error { return initialise(c, path, migrations.Tables) }},
	)
	return command
}

func initialise(c *cobra.Command, path string, part migrations.Part) error {
	if path == "" {
		return usageError{errors.New("--file is needed: the YAML file that describes schemas and tables")}
	}
	return apply(c, path, part, false)
}

func migratePlanCommand() *cobra.Command {
	var path string
	var statements bool
	command := &cobra.Command{
		Use:   "plan [--file FILE]",
		Short: "Print what apply would change, and change nothing",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, schema, err := described(path, migrations.All)
			if err != nil {
				return err
			}
			return withMigrator(c, func(ctx context.Context, m ports.Migrator) error {
				changes, err := m.Plan(ctx, schema)
				if err != nil {
					return err
				}
				for _, change := range changes {
					fmt.Fprintln(c.OutOrStdout(), change)
					if statements {
						for _, statement := range change.Statements {
							fmt.Fprintf(c.OutOrStdout(), "    %s;\n", statement)
						}
					}
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "%d changes to make\n", len(changes))
				return err
			})
		},
	}
	command.Flags().StringVar(&path, "file", "", "a YAML file; none given: Templar's own tables")
	command.Flags().BoolVar(&statements, "statements", false, "print the statements too")
	return command
}

func migrateApplyCommand() *cobra.Command {
	var path string
	var allowDrop bool
	command := &cobra.Command{
		Use:   "apply [--file FILE] [--allow-drop]",
		Short: "Change the database to what is described",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return apply(c, path, migrations.All, allowDrop) },
	}
	command.Flags().StringVar(&path, "file", "", "a YAML file; none given: Templar's own tables")
	command.Flags().BoolVar(&allowDrop, "allow-drop", false, "also drop what the described tables have and the file does not")
	return command
}

func migrateStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List what was applied, when, by which checksum",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withMigrator(c, func(ctx context.Context, m ports.Migrator) error {
				applied, err := m.Status(ctx)
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "NAME\tAPPLIED\tCHECKSUM")
				for _, a := range applied {
					fmt.Fprintf(table, "%s\t%s\t%s\n", a.Name, a.When.Format(time.RFC3339), a.Checksum)
				}
				return table.Flush()
			})
		},
	}
}
