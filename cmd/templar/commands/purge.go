package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/cmd/templar/app"
)

func purgeCommand() *cobra.Command {
	var olderThan time.Duration
	var keep int
	var dry bool
	command := &cobra.Command{
		Use:   "purge [--older-than DURATION] [--keep-revisions N] [--dry-run]",
		Short: "Empty the trash, thin the history",
		Long: `Remove for good the templates, with all their revisions, and the characters that have been in the trash for longer than
--older-than, and of each living template the revisions but for the newest --keep-revisions and those with a label. In small transactions.`,
		Example: "  templar purge --older-than 720h --keep-revisions 50 --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			trash, thin := c.Flags().Changed("older-than"), c.Flags().Changed("keep-revisions")
			switch {
			case !trash && !thin:
				return usageError{errors.New("--older-than, --keep-revisions or both are needed")}
			case olderThan < 0:
				return usageError{errors.New("--older-than must be 0 or more")}
			case thin && keep < 1:
				return usageError{errors.New("--keep-revisions must be at least 1: the current one")}
			}
			return withServices(c, func(ctx context.Context, s *app.Services) error {
				done := "removed"
				if dry {
					done = "would be removed"
				}
				if trash {
					before := time.Now().Add(-olderThan)
					n, err := s.Templates.Purge(ctx, before, dry)
					fmt.Fprintf(c.OutOrStdout(), "%d templates %s from the trash\n", n, done)
					if err != nil {
						return err
					}
					n, err = s.Characters.Purge(ctx, before, dry)
					fmt.Fprintf(c.OutOrStdout(), "%d characters %s from the trash\n", n, done)
					if err != nil {
						return err
					}
				}
				if thin {
					n, err := s.Templates.Thin(ctx, keep, dry)
					fmt.Fprintf(c.OutOrStdout(), "%d old revisions %s\n", n, done)
					return err
				}
				return nil
			})
		},
	}
	command.Flags().DurationVar(&olderThan, "older-than", 0, "empty the trash of what has been there for longer")
	command.Flags().IntVar(&keep, "keep-revisions", 0, "how many revisions of each living template stay")
	command.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	return command
}
