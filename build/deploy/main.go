// Command deploy rolls Templar out with Nomad, through its HTTP API alone, and waits until the deployment is healthy. When it is
// not, Nomad goes back to the last good version by itself, and this exits with 1. With TEMPLAR_URL and TEMPLAR_KEY set,
// `task smoke` afterwards walks through what was rolled out.
//
//	go run ./build/deploy -stage staging
//
// The stage names nomad/STAGE.vars.hcl. NOMAD_ADDR, NOMAD_TOKEN, NOMAD_NAMESPACE, NOMAD_REGION and NOMAD_CACERT are Nomad's own
// variables. TEMPLAR_EXPORT_BUCKET, where it is set, brings the nightly export along.
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
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "deploy:", err)
		os.Exit(1)
	}
}

func start() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	o := options{folder: ".", bucket: os.Getenv("TEMPLAR_EXPORT_BUCKET"), out: os.Stdout}
	flag.StringVar(&o.stage, "stage", "", "the stage: nomad/STAGE.vars.hcl")
	flag.StringVar(&o.image, "image", "", "REPOSITORY@sha256:…; none: what the last push wrote into build/out/pushed")
	limit := flag.Duration("timeout", 15*time.Minute, "how long it may take until the deployment is healthy")
	flag.Parse()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	return o.run(ctx)
}

type options struct {
	folder, stage, image, bucket string
	out                          io.Writer
}

var (
	stageForm = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	imageForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.:/_-]*@sha256:[0-9a-f]{64}$`)
	placeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)
)

func (o options) run(ctx context.Context) error {
	if !stageForm.MatchString(o.stage) {
		return errors.New("-stage is needed, such as staging")
	}
	variables, err := os.ReadFile(filepath.Join(o.folder, "nomad", o.stage+".vars.hcl"))
	if err != nil {
		return err
	}
	if o.image == "" {
		pushed, err := os.ReadFile(filepath.Join(o.folder, "build", "out", "pushed"))
		if err != nil {
			return fmt.Errorf("no image is named and none was pushed (task ecr:push): %w", err)
		}
		o.image, _, _ = strings.Cut(string(pushed), "\n")
	}
	if !imageForm.MatchString(o.image) {
		return fmt.Errorf("the image %q must be named by its digest: REPOSITORY@sha256:…", o.image)
	}
	if o.bucket != "" && !placeForm.MatchString(o.bucket) {
		return errors.New("TEMPLAR_EXPORT_BUCKET is no name of a bucket")
	}
	n, err := newNomad(os.Getenv)
	if err != nil {
		return err
	}
	image := fmt.Sprintf("image = %q\n", o.image)
	if err := o.job(ctx, n, "templar", image+string(variables)); err != nil {
		return err
	}
	if err := o.job(ctx, n, "templar-purge", image); err != nil || o.bucket == "" {
		return err
	}
	return o.job(ctx, n, "templar-export", image+fmt.Sprintf("bucket = %q\n", o.bucket))
}

// job registers one of the job files with its variables, and follows what comes of it.
func (o options) job(ctx context.Context, n *nomad, name, variables string) error {
	text, err := os.ReadFile(filepath.Join(o.folder, "nomad", name+".nomad.hcl"))
	if err != nil {
		return err
	}
	evaluation, err := n.register(ctx, string(text), variables)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if evaluation == "" { // periodic: it waits for its time
		_, err := fmt.Fprintf(o.out, "%s is registered\n", name)
		return err
	}
	if err := n.follow(ctx, evaluation, func(told string) { fmt.Fprintf(o.out, "%s: %s\n", name, told) }); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
