package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

func keysCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "keys",
		Short: "Make, list, revoke and rotate API keys in the database; make a bearer token",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	group.AddCommand(keysCreateCommand(), keysListCommand(), keysRevokeCommand(), keysRotateCommand(), keysTokenCommand())
	return group
}

// commandTimeout bounds what a command waits for the database.
const commandTimeout = 30 * time.Second

// withKeys runs work with the keys of the configured database, as an operator.
func withKeys(c *cobra.Command, work func(context.Context, *auth.Service) error) error {
	return withServices(c, func(ctx context.Context, s *app.Services) error {
		ctx, cancel := context.WithTimeout(ctx, commandTimeout)
		defer cancel()
		return work(ctx, s.Keys)
	})
}

func keysCreateCommand() *cobra.Command {
	var user string
	var scopes []string
	var expires string
	rate := auth.DefaultRate
	command := &cobra.Command{
		Use:     "create --user NAME [--scope SCOPE]... [--expires TIME|DURATION] [--rate N]",
		Short:   "Make a key and print its secret, this once",
		Example: "  templar keys create --user billing --scope templates:read --expires 720h --rate 6000",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			n := auth.NewKey{User: user, Rate: rate}
			if user == "" {
				return usageError{errors.New("--user is needed: the name that the key acts under")}
			}
			if c.Flags().Changed("rate") && rate < 0 {
				return usageError{errors.New("--rate must be 0 (no limit) or more")}
			}
			for _, scope := range scopes {
				n.Scopes = append(n.Scopes, auth.Scope(scope))
			}
			if len(scopes) == 0 {
				n.Scopes = auth.AllScopes()
			}
			var err error
			if n.Expires, err = readExpiry(expires); err != nil {
				return usageError{err}
			}
			return withKeys(c, func(ctx context.Context, keys *auth.Service) error {
				k, secret, err := keys.Create(ctx, n)
				if fault.Is(err, fault.Invalid) {
					return usageError{err}
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "keyid: %s\nuser: %s\nkey: %s\n", k.ID, k.User, secret)
				return err
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&user, "user", "", "the name that the key acts under")
	flags.StringSliceVar(&scopes, "scope", nil, "a right, repeatable; none given: all of them")
	flags.StringVar(&expires, "expires", "", "when it ends: a time (RFC 3339) or a duration from now (720h); none given: never")
	flags.IntVar(&rate, "rate", auth.DefaultRate, "requests a minute; 0: no limit; none given: DEFAULT_RATE_LIMIT")
	return command
}

func readExpiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(d), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, errors.New("--expires must be a time such as 2027-01-31T00:00:00Z or a duration such as 720h")
	}
	return t, nil
}

// listBatch is how many keys are read at a time.
const listBatch = 100

func keysListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the keys, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withKeys(c, func(ctx context.Context, keys *auth.Service) error {
				table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "KEYID\tUSER\tSCOPES\tEXPIRES\tRATE\tCREATED")
				for after := uuid.Nil; ; {
					batch, err := keys.List(ctx, after, listBatch)
					if err != nil {
						return err
					}
					for _, k := range batch {
						expires, rate := "never", "default"
						if !k.Expires.IsZero() {
							expires = k.Expires.Format(time.RFC3339)
						}
						if k.Rate != auth.DefaultRate {
							rate = fmt.Sprint(k.Rate)
						}
						fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.User, joined(k.Scopes), expires, rate, k.Created.Format(time.RFC3339))
						after = k.ID
					}
					if len(batch) < listBatch {
						return table.Flush()
					}
				}
			})
		},
	}
}

func joined(scopes []auth.Scope) string {
	texts := make([]string, len(scopes))
	for i, s := range scopes {
		texts[i] = string(s)
	}
	return strings.Join(texts, ",")
}

func keysRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke KEYID",
		Short: "End a key for good, on every instance within 2 seconds",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error {
			id, err := uuid.Parse(arguments[0])
			if err != nil {
				return usageError{errors.New("KEYID must be a UUID, as templar keys list shows it")}
			}
			return withKeys(c, func(ctx context.Context, keys *auth.Service) error { return keys.Revoke(ctx, id) })
		},
	}
}

func keysRotateCommand() *cobra.Command {
	var grace time.Duration
	command := &cobra.Command{
		Use:   "rotate KEYID [--grace DURATION]",
		Short: "Give a key a new secret and print it, this once",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error {
			id, err := uuid.Parse(arguments[0])
			if err != nil {
				return usageError{errors.New("KEYID must be a UUID, as templar keys list shows it")}
			}
			return withKeys(c, func(ctx context.Context, keys *auth.Service) error {
				k, secret, err := keys.Rotate(ctx, id, grace)
				if fault.Is(err, fault.Invalid) {
					return usageError{err}
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "keyid: %s\nuser: %s\nkey: %s\n", k.ID, k.User, secret)
				return err
			})
		},
	}
	command.Flags().DurationVar(&grace, "grace", 0, "how long the old secret stays good")
	return command
}
