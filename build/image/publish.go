package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// refName names an image inside of a layout
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md).
const refName = "org.opencontainers.image.ref.name"

// save writes an index into a folder as an OCI image layout, in the place of what was there, and prints its digest.
func save(index v1.ImageIndex, c commit, folder string, out io.Writer) error {
	folder, err := absolute(folder)
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(folder); err == nil && len(entries) > 0 {
		if _, err := layout.FromPath(folder); err != nil {
			return usagef("%s holds something else than an image; name another folder", folder)
		}
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	top, err := emptyLayout(folder)
	if err != nil {
		return err
	}
	if err := top.AppendIndex(index, layout.WithAnnotations(map[string]string{refName: c.tag()})); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s %s\n", c.tag(), digest)
	return err
}

// load reads what save wrote, and the tag that it was given.
func load(folder string) (v1.ImageIndex, string, error) {
	path, err := layout.FromPath(folder)
	if err != nil {
		return nil, "", fmt.Errorf("%s holds no image (task image makes one): %w", folder, err)
	}
	top, err := path.ImageIndex()
	if err != nil {
		return nil, "", err
	}
	list, err := top.IndexManifest()
	if err != nil {
		return nil, "", err
	}
	if len(list.Manifests) != 1 {
		return nil, "", fmt.Errorf("%s holds %d images, 1 is expected", folder, len(list.Manifests))
	}
	index, err := top.ImageIndex(list.Manifests[0].Digest)
	return index, list.Manifests[0].Annotations[refName], err
}

// push sends the image to each reference and prints REFERENCE@DIGEST, which is what to deploy.
func push(ctx context.Context, folder string, references []string, keys authn.Keychain, out io.Writer) error {
	index, _, err := load(folder)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	for _, text := range references {
		reference, err := name.NewTag(text, name.StrictValidation)
		if err != nil {
			return usageError{err}
		}
		if err := remote.WriteIndex(reference, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(keys)); err != nil {
			return fmt.Errorf("push %s: %w", reference, err)
		}
		if _, err := fmt.Fprintf(out, "%s@%s\n", reference.Context(), digest); err != nil {
			return err
		}
	}
	return nil
}

// maxPassword bounds the password on standard input, in bytes; ECR's have some 2 KB.
const maxPassword = 64 << 10

// keychain is where the registry's credentials come from.
func keychain(user string, stdin io.Reader) (authn.Keychain, error) {
	if user == "" {
		return authn.DefaultKeychain, nil
	}
	line, err := bufio.NewReader(io.LimitReader(stdin, maxPassword)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimSpace(line)
	if password == "" {
		return nil, usagef("with -username the password must come on standard input")
	}
	return fixedKeychain{user, password}, nil
}

// fixedKeychain gives the same credentials to every registry; a push goes to one.
type fixedKeychain struct{ user, password string }

func (k fixedKeychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: k.user, Password: k.password}), nil
}

func emptyLayout(folder string) (layout.Path, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // an image is no secret
		return "", err
	}
	return layout.Write(folder, empty.Index)
}
