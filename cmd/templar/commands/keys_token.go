package commands

import (
	"crypto/rand"
	"fmt"

	"github.com/spf13/cobra"
)

func keysTokenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "token",
		Short: "Make a bearer token and print the line of .env that lets it in",
		Long: `Make a bearer token and print the line of .env that lets it in. What is printed can be appended to .env as it is.

The token is stored nowhere. It holds every scope and acts as the user "token". API_TOKENS takes several, with commas
between them; they are read when templar serve starts.`,
		Example: "  templar keys token >> .env",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			token := rand.Text() + rand.Text()
			_, err := fmt.Fprintf(c.OutOrStdout(), "# token: %s (send it as Authorization: Bearer TOKEN)\nAPI_TOKENS=%s\n", token, token)
			return err
		},
	}
}
