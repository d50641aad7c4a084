package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

const password = "eyJwYXlsb2FkIjoi"

func TestParseLogin(t *testing.T) {
	for what, printed := range map[string]string{
		"a password":       password + "\n",
		"a docker command": "docker login -u AWS -p " + password + " https://123456789012.dkr.ecr.us-west-2.amazonaws.com\n",
		"an older command": "docker login -u AWS -p " + password + " -e none https://123456789012.dkr.ecr.us-west-2.amazonaws.com",
		"a token":          base64.StdEncoding.EncodeToString([]byte("AWS:" + password)),
	} {
		keys, err := parseLogin(printed)
		if err != nil || keys != (fixedKeychain{"AWS", password}) {
			t.Errorf("of %s it read %v, %v", what, keys, err)
		}
	}
	for _, printed := range []string{"", "two words", "docker login -u AWS https://x", "docker login"} {
		if keys, err := parseLogin(printed); err == nil {
			t.Errorf("of %q it read %v", printed, keys)
		}
	}
}

// fakeAWS puts an AWS CLI on the PATH that does what the script says; every call is a line of the file that is returned.
func fakeAWS(t *testing.T, script string) string {
	t.Helper()
	folder := t.TempDir()
	calls := filepath.Join(folder, "calls")
	text := "#!/bin/sh\necho \"$* token=$(cat \"$AWS_WEB_IDENTITY_TOKEN_FILE\" 2>/dev/null)\" >> " + calls + "\n" + script
	if err := os.WriteFile(filepath.Join(folder, "aws"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "BITBUCKET_STEP_OIDC_TOKEN"} {
		t.Setenv(name, "")
	}
	return calls
}

// lockedRegistry takes AWS and the password, nothing else.
func lockedRegistry(t *testing.T) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, given, ok := r.BasicAuth(); !ok || user != "AWS" || given != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func savedImage(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "image")
	if err := save(smallIndex(t, builder{}), testCommit, folder, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestECRPush logs in by what each age of the AWS CLI prints.
func TestECRPush(t *testing.T) {
	const unknown = "echo \"aws: error: argument operation: Invalid choice, valid choices are:\" >&2; exit 2"
	for what, script := range map[string]string{
		"version 2":       `case "$2" in get-login-password) echo ` + password + `;; *) exit 9;; esac`,
		"version 1.16":    `case "$2" in get-login) echo "docker login -u AWS -p ` + password + ` https://x";; *) ` + unknown + `;; esac`,
		"the token alone": `case "$2" in get-authorization-token) printf "AWS:` + password + `" | base64 -w0;; *) ` + unknown + `;; esac`,
	} {
		t.Run(what, func(t *testing.T) {
			fakeAWS(t, script)
			host := lockedRegistry(t)
			var told bytes.Buffer
			if err := (cloud{repository: "team/templar", region: "us-west-2", registry: host, tag: "latest"}).push(t.Context(), savedImage(t), &told); err != nil {
				t.Fatal(err)
			}
			if lines := strings.Fields(told.String()); len(lines) != 2 || !strings.HasPrefix(lines[0], host+"/team/templar@sha256:") {
				t.Errorf("it told %q", told.String())
			}
		})
	}
}

func TestECROwnRegistry(t *testing.T) {
	calls := fakeAWS(t, `case "$1 $2" in "sts get-caller-identity") echo 123456789012;; "configure get") echo eu-south-2;; *) exit 9;; esac`)
	c := cloud{}
	got, err := c.ownRegistry(t.Context())
	if err != nil || got != "123456789012.dkr.ecr.eu-south-2.amazonaws.com" {
		t.Errorf("the registry is %q, %v", got, err)
	}
	if text, err := os.ReadFile(calls); err != nil || !strings.Contains(string(text), "sts get-caller-identity") {
		t.Errorf("called was %q, %v", text, err)
	}
}

// TestECRIdentity hands the token of a pipeline's step to the AWS CLI, and removes it.
func TestECRIdentity(t *testing.T) {
	calls := fakeAWS(t, "echo "+password)
	t.Setenv("BITBUCKET_STEP_OIDC_TOKEN", "the-token")
	c := cloud{repository: "templar", registry: lockedRegistry(t)}
	if err := c.push(t.Context(), savedImage(t), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "AWS_ROLE_ARN") {
		t.Errorf("without a role the error is %v", err)
	}
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/push")
	if err := c.push(t.Context(), savedImage(t), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(calls)
	if err != nil || !strings.Contains(string(text), "token=the-token") {
		t.Errorf("called was %q, %v", text, err)
	}
	if left := os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE"); left != "" {
		t.Errorf("the file %s is left", left)
	}
}

func TestECRErrors(t *testing.T) {
	for told, want := range map[string]string{
		"Unable to locate credentials. You can configure credentials by running aws configure.":                    "run aws configure",
		"An error occurred (ExpiredTokenException) when calling the GetAuthorizationToken operation: ExpiredToken": "log in again",
		"An error occurred (AccessDeniedException) when calling GetAuthorizationToken":                             "build/aws/README.md",
	} {
		fakeAWS(t, "echo '"+told+"' >&2; exit 254")
		err := (cloud{repository: "templar", registry: "127.0.0.1:1"}).push(t.Context(), savedImage(t), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, it does not say %q", err, want)
		}
	}
	fakeAWS(t, "echo "+password)
	err := (cloud{repository: "Not A Name", registry: "127.0.0.1:1"}).push(t.Context(), savedImage(t), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "repository") {
		t.Errorf("the error is %v", err)
	}
}
