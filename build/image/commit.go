package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// commit is what an image is made from.
type commit struct {
	revision string // the whole hash, with ".dirty" where files differ from it
	version  string // without a leading v
	made     time.Time
}

var versionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+.][0-9A-Za-z.-]+)*$`)

// readCommit asks git about the folder. The time is the commit's, or SOURCE_DATE_EPOCH where that is set
// (https://reproducible-builds.org/specs/source-date-epoch/).
func readCommit(ctx context.Context, source, version string) (commit, error) {
	var c commit
	revision, err := output(ctx, source, "git", "rev-parse", "HEAD")
	if err != nil {
		return c, err
	}
	stamp, err := output(ctx, source, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return c, err
	}
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		stamp = epoch
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return c, fmt.Errorf("the time %q is no number of seconds", stamp)
	}
	changed, err := output(ctx, source, "git", "status", "--porcelain")
	if err != nil {
		return c, err
	}
	c = commit{revision: revision, version: strings.TrimPrefix(version, "v"), made: time.Unix(seconds, 0).UTC()}
	if c.version == "" {
		c.version = "0.0.0+" + revision[:12]
		// Without a tag on this very commit git answers with an error; there is no version then.
		if tag, err := output(ctx, source, "git", "describe", "--tags", "--exact-match", "HEAD"); err == nil {
			if v := strings.TrimPrefix(tag, "v"); versionForm.MatchString(v) {
				c.version = v
			}
		}
		if changed != "" {
			c.version += ".dirty"
		}
	}
	if !versionForm.MatchString(c.version) {
		return c, usagef("the version %q must be like 1.2.3", version)
	}
	if changed != "" {
		c.revision += ".dirty"
	}
	return c, nil
}

// tag is the version as a tag of an image, where + is not allowed.
func (c commit) tag() string { return strings.ReplaceAll(c.version, "+", "-") }

// output runs a command in a folder and gives what it prints, without the white space around it.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // git and go, with arguments of this program
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%s is needed and not on the PATH", name)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}
