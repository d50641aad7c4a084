package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// cloud is a repository in Amazon's Elastic Container Registry, reached with the AWS CLI's login.
type cloud struct {
	repository, region, registry, tag string
}

var (
	accountForm    = regexp.MustCompile(`^[0-9]{12}$`)
	repositoryForm = regexp.MustCompile(`^[a-z0-9]+([._/-][a-z0-9]+)*$`)
)

// push logs in, tags with the version, and pushes: the three steps of the seed's README in one. It prints
// REPOSITORY@DIGEST for each tag.
func (c cloud) push(ctx context.Context, folder string, out io.Writer) error {
	if !repositoryForm.MatchString(c.repository) {
		return usagef("the repository %q must be a name such as templar or team/templar", c.repository)
	}
	_, version, err := load(folder)
	if err != nil {
		return err
	}
	forget, err := webIdentity()
	if err != nil {
		return err
	}
	defer forget()
	if c.registry == "" {
		if c.registry, err = c.ownRegistry(ctx); err != nil {
			return err
		}
	}
	keys, err := c.login(ctx)
	if err != nil {
		return err
	}
	references := []string{c.registry + "/" + c.repository + ":" + version}
	if c.tag != "" && c.tag != version {
		references = append(references, c.registry+"/"+c.repository+":"+c.tag)
	}
	return push(ctx, folder, references, keys, out)
}

// ownRegistry is the registry of the account that the AWS CLI is logged in to.
func (c *cloud) ownRegistry(ctx context.Context) (string, error) {
	account, err := c.aws(ctx, "sts", "get-caller-identity", "--query", "Account", "--output", "text")
	if err != nil {
		return "", err
	}
	if !accountForm.MatchString(account) {
		return "", fmt.Errorf("aws sts get-caller-identity printed %q, an account of 12 digits was expected", account)
	}
	if c.region == "" {
		for _, variable := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
			if c.region == "" {
				c.region = os.Getenv(variable)
			}
		}
	}
	if c.region == "" {
		// An unset value is exit code 1 and no text.
		c.region, _ = c.aws(ctx, "configure", "get", "region")
	}
	if c.region == "" {
		return "", usagef("no region: give -region, set AWS_REGION, or run aws configure")
	}
	suffix := "amazonaws.com"
	if strings.HasPrefix(c.region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	return fmt.Sprintf("%s.dkr.ecr.%s.%s", account, c.region, suffix), nil
}

// login asks the AWS CLI for credentials of the registry, which are good for 12 hours. Each age of the CLI has another way:
// get-login-password prints the password (1.17.10 and 2), get-login a whole command line of docker (1, gone in 2), and
// get-authorization-token user and password in base64.
func (c cloud) login(ctx context.Context) (fixedKeychain, error) {
	printed, err := c.aws(ctx, c.inRegion("ecr", "get-login-password")...)
	if unknownCommand(err) {
		printed, err = c.aws(ctx, c.inRegion("ecr", "get-login", "--no-include-email")...)
	}
	if unknownCommand(err) {
		printed, err = c.aws(ctx, c.inRegion("ecr", "get-authorization-token", "--output", "text", "--query", "authorizationData[].authorizationToken")...)
	}
	if err != nil {
		return fixedKeychain{}, err
	}
	return parseLogin(printed)
}

func (c cloud) inRegion(arguments ...string) []string {
	if c.region != "" {
		arguments = append(arguments, "--region", c.region)
	}
	return arguments
}

// parseLogin reads user and password from what the AWS CLI printed, in any of the three forms. The error does not repeat
// the text: it may hold a secret.
func parseLogin(printed string) (fixedKeychain, error) {
	words := strings.Fields(printed)
	switch {
	case len(words) >= 2 && words[0] == "docker" && words[1] == "login":
		keys := fixedKeychain{}
		for i := 2; i+1 < len(words); i++ {
			switch words[i] {
			case "-u", "--username":
				keys.user = words[i+1]
			case "-p", "--password":
				keys.password = words[i+1]
			}
		}
		if keys.user != "" && keys.password != "" {
			return keys, nil
		}
	case len(words) == 1:
		// A token is base64 of AWS:PASSWORD; a password, base64 of something else.
		if decoded, err := base64.StdEncoding.DecodeString(words[0]); err == nil {
			if user, password, found := bytes.Cut(decoded, []byte(":")); found && string(user) == "AWS" {
				return fixedKeychain{"AWS", string(password)}, nil
			}
		}
		return fixedKeychain{"AWS", words[0]}, nil
	}
	return fixedKeychain{}, fmt.Errorf("the AWS CLI printed %d words that are no login; a password, a docker login command or a token was expected", len(words))
}

// awsError is what the AWS CLI told on standard error.
type awsError struct {
	command, told string
	code          int
}

func (e awsError) Error() string {
	text := fmt.Sprintf("aws %s: exit code %d: %s", e.command, e.code, e.told)
	for _, known := range []struct{ sign, advice string }{
		{"Unable to locate credentials", "run aws configure, or set AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE"},
		{"ExpiredToken", "log in again: the credentials are over"},
		{"AccessDenied", "build/aws/README.md lists the rights that are needed"},
		{"could not be found", "build/aws/README.md says how the AWS CLI is set up"},
	} {
		if strings.Contains(e.told, known.sign) {
			text += " (" + known.advice + ")"
		}
	}
	return text
}

// unknownCommand tells an AWS CLI that does not know a command from one that failed.
func unknownCommand(err error) bool {
	var told awsError
	return errors.As(err, &told) && (strings.Contains(told.told, "Invalid choice") || strings.Contains(told.told, "invalid choice") ||
		strings.Contains(told.told, "Found invalid choice"))
}

func (c cloud) aws(ctx context.Context, arguments ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "aws", arguments...) //nolint:gosec // the arguments are of this file
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "AWS_PAGER=")
	printed, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return "", awsError{strings.Join(arguments[:2], " "), strings.Join(strings.Fields(stderr.String()), " "), exit.ExitCode()}
	case err != nil:
		return "", fmt.Errorf("the AWS CLI is needed on the PATH: %w", err)
	}
	return strings.TrimSpace(string(printed)), nil
}

// webIdentity hands the token of a Bitbucket step (oidc: true) to the AWS CLI, which reads it from a file; with
// AWS_ROLE_ARN it takes that role. The function that it gives removes the file.
func webIdentity() (func(), error) {
	token := os.Getenv("BITBUCKET_STEP_OIDC_TOKEN")
	if token == "" || os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" {
		return func() {}, nil
	}
	if os.Getenv("AWS_ROLE_ARN") == "" {
		return nil, usagef("BITBUCKET_STEP_OIDC_TOKEN is there, AWS_ROLE_ARN is not: set it to the role that build/aws/ecr-push.policy.json belongs to")
	}
	folder, err := os.MkdirTemp("", "templar-oidc-")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "token")
	if err := errors.Join(os.WriteFile(path, []byte(token), 0o600), os.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path)); err != nil {
		return nil, err
	}
	return func() {
		_ = os.Unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE")
		_ = os.RemoveAll(folder) // what is left is in a folder of this user alone
	}, nil
}
