package commands

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/adapters/httpapi/apidoc"
	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/config"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "templar", app.Version())
			return err
		},
	}
}

func openapiCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "openapi",
		Short: "Print the OpenAPI document of the API",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			document := apidoc.YAML()
			if asJSON {
				document = append(append([]byte(nil), apidoc.JSON()...), '\n')
			}
			_, err := c.OutOrStdout().Write(document)
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of YAML")
	return command
}

func configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the configuration in force, secrets masked, and where each value came from",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			loaded, err := load(c)
			if err != nil {
				return err
			}
			return config.WriteSettings(c.OutOrStdout(), loaded.Settings())
		},
	}
}

func healthcheckCommand() *cobra.Command {
	var live bool
	command := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the service of this configuration whether it is ready: exit 0 when it is, else 1",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			loaded, err := load(c)
			if err != nil {
				return err
			}
			path := "/readyz"
			if live {
				path = "/livez"
			}
			return askHealth(c.Context(), loaded, path, c.OutOrStdout())
		},
	}
	command.Flags().BoolVar(&live, "live", false, "ask only whether the process serves (/livez), whatever its database does")
	return command
}

// maxHealthAnswer bounds what is read of the answer, in bytes.
const maxHealthAnswer = 4096

func askHealth(ctx context.Context, c *config.Config, path string, out io.Writer) error {
	host, scheme := c.HTTP.Host, "http"
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	client := &http.Client{Timeout: 3 * time.Second}
	if c.HTTP.TLSCert != "" {
		// The question goes to this machine; the certificate is made for the name that clients use.
		scheme, client.Transport = "https", &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, strconv.Itoa(c.HTTP.Port))+path, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxHealthAnswer))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n", answer)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", path, response.Status)
	}
	return nil
}
