package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// builder makes images of the project in the folder source.
type builder struct {
	source string
	log    io.Writer
	docker bool // Docker's media types in the place of OCI's
}

// supported are the platforms that Templar is built for.
var supported = []string{"linux/amd64", "linux/arm64"}

func parsePlatforms(list string) ([]v1.Platform, error) {
	var platforms []v1.Platform
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(supported, name) {
			return nil, fmt.Errorf("the platform %q is not one of %s", name, strings.Join(supported, ", "))
		}
		system, machine, _ := strings.Cut(name, "/")
		platforms = append(platforms, v1.Platform{OS: system, Architecture: machine})
	}
	return platforms, nil
}

// program builds the static binary for a platform.
func (b builder) program(ctx context.Context, c commit, p v1.Platform) ([]byte, error) {
	folder, err := os.MkdirTemp("", "templar-image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a leftover in the temporary folder harms nobody
	path := filepath.Join(folder, "templar")
	fmt.Fprintf(b.log, "image: building %s for %s\n", c.version, p)
	// Nothing of this machine gets into the binary: neither paths, nor what git knows (the version says it, and a copy
	// without .git must build the same), nor settings of the user.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", //nolint:gosec // the version is checked
		"-ldflags", "-s -w -buildid= -X bitbucket.org/templar/templar/cmd/templar/app.version="+c.version, "-o", path, "./cmd/templar")
	cmd.Dir = b.source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Architecture, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = b.log, b.log
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build for %s: %w", p, err)
	}
	return os.ReadFile(path)
}

func (b builder) files(ctx context.Context) ([]file, error) {
	goroot, err := output(ctx, b.source, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	return baseFiles(goroot)
}

func programFile(body []byte) []file { return []file{{path: "templar", mode: 0o755, body: body}} }

// rootfs writes what the image holds into a folder, for build/Containerfile.
func (b builder) rootfs(ctx context.Context, c commit, p v1.Platform, folder string) error {
	folder, err := absolute(folder)
	if err != nil {
		return err
	}
	files, err := b.files(ctx)
	if err != nil {
		return err
	}
	body, err := b.program(ctx, c, p)
	if err != nil {
		return err
	}
	return unpack(append(files, programFile(body)...), folder)
}

// index builds an image for each platform, and the index that lists them.
func (b builder) index(ctx context.Context, c commit, platforms []v1.Platform) (v1.ImageIndex, error) {
	files, err := b.files(ctx)
	if err != nil {
		return nil, err
	}
	base, err := b.layer(files)
	if err != nil {
		return nil, err
	}
	added := make([]mutate.IndexAddendum, len(platforms))
	for i, p := range platforms {
		body, err := b.program(ctx, c, p)
		if err != nil {
			return nil, err
		}
		program, err := b.layer(programFile(body))
		if err != nil {
			return nil, err
		}
		image, err := b.image(c, p, base, program)
		if err != nil {
			return nil, err
		}
		added[i] = mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &p}}
	}
	index := b.list(added...)
	if b.docker { // its lists have no annotations
		return index, nil
	}
	annotated, ok := mutate.Annotations(index, labels(c)).(v1.ImageIndex)
	if !ok {
		return nil, errors.New("an index with annotations is no index")
	}
	return annotated, nil
}

func (b builder) list(images ...mutate.IndexAddendum) v1.ImageIndex {
	media := types.OCIImageIndex
	if b.docker {
		media = types.DockerManifestList
	}
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, media), images...)
}

func (b builder) layer(files []file) (v1.Layer, error) {
	packed, err := archive(files)
	if err != nil {
		return nil, err
	}
	media := types.OCILayer
	if b.docker {
		media = types.DockerLayer
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil },
		tarball.WithMediaType(media), tarball.WithCompressedCaching)
}

// image puts layers together. What it is told here, build/Containerfile says too; a test compares the two.
func (b builder) image(c commit, p v1.Platform, layers ...v1.Layer) (v1.Image, error) {
	manifest, configuration := types.OCIManifestSchema1, types.OCIConfigJSON
	if b.docker {
		manifest, configuration = types.DockerManifestSchema2, types.DockerConfigJSON
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, manifest), configuration)
	var added []mutate.Addendum
	for i, l := range layers {
		added = append(added, mutate.Addendum{Layer: l, History: v1.History{Created: v1.Time{Time: c.made}, CreatedBy: "build/image",
			Comment: []string{"certificates, time zones, users", "templar " + c.version}[i]}})
	}
	image, err := mutate.Append(image, added...)
	if err != nil {
		return nil, err
	}
	image, err = mutate.ConfigFile(image, withSettings(image, c, p))
	if err != nil || b.docker {
		return image, err
	}
	annotated, ok := mutate.Annotations(image, labels(c)).(v1.Image)
	if !ok {
		return nil, errors.New("an image with annotations is no image")
	}
	return annotated, nil
}
