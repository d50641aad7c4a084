// Command image makes Templar's container image with Go alone: no daemon, no docker, no base image. The same commit gives
// the same digest on every machine that has the same version of Go.
//
//	go -C build/image run . build -o ../out/image
//	go -C build/image run . push -from ../out/image registry.example.com/templar:1.2.3
//	go -C build/image run . ecr -from ../out/image -repository templar
//	go -C build/image run . release -o ../out/release
//	go -C build/image run . rootfs -platform linux/amd64 -o DIR
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp), errors.As(err, new(usageError)):
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// usageError is a command line that cannot be carried out.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func run(ctx context.Context, arguments []string, out io.Writer) error {
	if len(arguments) == 0 {
		return usagef("build, push, ecr, release or rootfs is needed")
	}
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	source := flags.String("source", "../..", "the folder of the project")
	version := flags.String("version", "", "the version; none: the tag of the commit, else 0.0.0+COMMIT")
	platforms := flags.String("platforms", "linux/amd64,linux/arm64", "what to build for")
	docker := flags.Bool("docker", false, "Docker's media types in the place of OCI's; only they carry the health check for podman")
	platform := flags.String("platform", "linux/amd64", "rootfs: what to build for")
	folder := flags.String("o", "", "the folder to write; build: an OCI image layout")
	from := flags.String("from", "", "push, ecr: the folder that build wrote")
	user := flags.String("username", "", "push: the user of the registry; the password is read from standard input. None: what docker login stored")
	cloud := cloud{}
	flags.StringVar(&cloud.repository, "repository", "templar", "ecr: the name of the repository")
	flags.StringVar(&cloud.region, "region", "", "ecr: the region; none: what the AWS CLI is set to")
	flags.StringVar(&cloud.registry, "registry", "", "ecr: the registry's host; none: ECR of the account that the AWS CLI is logged in to")
	flags.StringVar(&cloud.tag, "tag", "", "ecr: one more tag beside the version")
	if err := flags.Parse(arguments[1:]); err != nil {
		return usageError{err}
	}
	b := builder{source: *source, log: os.Stderr, docker: *docker}
	switch arguments[0] {
	case "build", "release":
		if *folder == "" || flags.NArg() > 0 {
			return usagef("%s needs -o FOLDER and no other argument", arguments[0])
		}
		wanted, err := parsePlatforms(*platforms)
		if err != nil {
			return usageError{err}
		}
		commit, err := readCommit(ctx, *source, *version)
		if err != nil {
			return err
		}
		if arguments[0] == "release" {
			return b.release(ctx, commit, wanted, *folder, out)
		}
		index, err := b.index(ctx, commit, wanted)
		if err != nil {
			return err
		}
		return save(index, commit, *folder, out)
	case "push":
		if *from == "" || flags.NArg() == 0 {
			return usagef("push needs -from FOLDER and at least one REGISTRY/NAME:TAG")
		}
		keys, err := keychain(*user, os.Stdin)
		if err != nil {
			return err
		}
		return push(ctx, *from, flags.Args(), keys, out)
	case "ecr":
		if *from == "" || flags.NArg() > 0 {
			return usagef("ecr needs -from FOLDER and no other argument")
		}
		return cloud.push(ctx, *from, out)
	case "rootfs":
		wanted, err := parsePlatforms(*platform)
		if *folder == "" || err != nil || len(wanted) != 1 {
			return usagef("rootfs needs -o FOLDER and one -platform such as linux/amd64")
		}
		commit, err := readCommit(ctx, *source, *version)
		if err != nil {
			return err
		}
		return b.rootfs(ctx, commit, wanted[0], *folder)
	}
	return usagef("%s is no command: build, push, ecr, release or rootfs is", arguments[0])
}

// absolute is a path that stays right when a command runs in another folder.
func absolute(path string) (string, error) {
	if strings.TrimSpace(path) == "" {
		return "", usagef("a folder is needed")
	}
	return filepath.Abs(path)
}
