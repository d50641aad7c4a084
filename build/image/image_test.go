package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/x509"
	"debug/elf"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// maxImage is how large the image of one platform may be for whoever pulls it, in bytes.
const maxImage = 30 << 20

var testCommit = commit{revision: strings.Repeat("ab", 20), version: "1.2.3", made: time.Unix(1_795_300_000, 0).UTC()}

// testLog shows what a build tells.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

// built is the real image for both platforms, made once.
var built struct {
	sync.Once
	index v1.ImageIndex
	err   error
}

func realIndex(t *testing.T) v1.ImageIndex {
	t.Helper()
	built.Do(func() {
		var platforms []v1.Platform
		if platforms, built.err = parsePlatforms("linux/amd64,linux/arm64"); built.err == nil {
			built.index, built.err = builder{source: "../..", log: testLog{t}}.index(t.Context(), testCommit, platforms)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.index
}

func TestImage(t *testing.T) {
	index := realIndex(t)
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if list.MediaType != types.OCIImageIndex || len(list.Manifests) != 2 || list.Annotations["org.opencontainers.image.version"] != "1.2.3" {
		t.Fatalf("the index is %+v", list)
	}
	for i, machine := range []elf.Machine{elf.EM_X86_64, elf.EM_AARCH64} {
		descriptor := list.Manifests[i]
		t.Run(descriptor.Platform.String(), func(t *testing.T) {
			image, err := index.Image(descriptor.Digest)
			if err != nil {
				t.Fatal(err)
			}
			checkSize(t, image)
			checkSettings(t, image, descriptor.Platform)
			checkFiles(t, image, machine)
		})
	}
}

func checkSize(t *testing.T, image v1.Image) {
	t.Helper()
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	size := manifest.Config.Size
	for _, l := range manifest.Layers {
		size += l.Size
	}
	t.Logf("%d bytes to pull", size)
	if size > maxImage {
		t.Errorf("the image has %d bytes, at most %d are wanted", size, maxImage)
	}
}

func checkSettings(t *testing.T, image v1.Image, p *v1.Platform) {
	t.Helper()
	c, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c.OS != p.OS || c.Architecture != p.Architecture || !c.Created.Equal(testCommit.made) {
		t.Errorf("it is for %s/%s of %v", c.OS, c.Architecture, c.Created)
	}
	if c.Config.User != "65532:65532" || !slices.Equal(c.Config.Entrypoint, []string{"/templar"}) || !slices.Equal(c.Config.Cmd, []string{"serve"}) ||
		!slices.Contains(c.Config.Env, "HTTP_HOST=0.0.0.0") || c.Config.Healthcheck == nil {
		t.Errorf("the settings are %+v", c.Config)
	}
	for _, label := range []string{"title", "description", "source", "licenses", "version", "revision", "created"} {
		if c.Config.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("the label %s is missing", label)
		}
	}
}

func checkFiles(t *testing.T, image v1.Image, machine elf.Machine) {
	t.Helper()
	files := map[string]*tar.Header{}
	bodies := map[string][]byte{}
	flat := mutate.Extract(image)
	defer flat.Close()
	for r := tar.NewReader(flat); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(time.Unix(0, 0)) {
			t.Errorf("%s has the time %v", header.Name, header.ModTime)
		}
		files[strings.TrimSuffix(header.Name, "/")] = header
		if bodies[header.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	program, err := elf.NewFile(bytes.NewReader(bodies["templar"]))
	if err != nil {
		t.Fatal(err)
	}
	if program.Machine != machine {
		t.Errorf("the program is for %v", program.Machine)
	}
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			t.Error("the program is not static")
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(bodies["etc/ssl/certs/ca-certificates.crt"]) || bytes.Count(bodies["etc/ssl/certs/ca-certificates.crt"], []byte("BEGIN")) < 100 {
		t.Error("the certificates cannot be read, or are few")
	}
	for _, zone := range []string{"UTC", "Europe/Madrid", "America/Argentina/Ushuaia"} {
		if _, err := time.LoadLocationFromTZData(zone, bodies["usr/share/zoneinfo/"+zone]); err != nil {
			t.Errorf("the time zone %s: %v", zone, err)
		}
	}
	if h := files["data"]; h == nil || h.Uid != user || h.FileInfo().Mode().Perm() != 0o700 {
		t.Errorf("the folder for data is %+v", h)
	}
	if h := files["tmp"]; h == nil || h.Mode != 0o1777 {
		t.Errorf("the folder for temporary files is %+v", h)
	}
}

// TestSameCommitSameDigest builds again in another folder, without git and with other settings of the user.
func TestSameCommitSameDigest(t *testing.T) {
	first, err := realIndex(t).IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	folder := copyOfSources(t)
	t.Setenv("GOFLAGS", "-tags=somethingelse")
	t.Setenv("GOAMD64", "v3")
	again, err := builder{source: folder, log: testLog{t}}.index(t.Context(), testCommit, []v1.Platform{{OS: "linux", Architecture: "amd64"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := again.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if first.Manifests[0].Digest != second.Manifests[0].Digest {
		t.Errorf("the digests are %s and %s", first.Manifests[0].Digest, second.Manifests[0].Digest)
	}
}

// copyOfSources copies what the program is built from.
func copyOfSources(t *testing.T) string {
	t.Helper()
	to := t.TempDir()
	for _, part := range []string{"go.mod", "go.sum", "cmd", "core", "adapters", "ports", "config"} {
		if out, err := exec.Command("cp", "-r", filepath.Join("..", "..", part), filepath.Join(to, part)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return to
}

// smallIndex is an image of the right form whose program is a text, for what does not run it.
func smallIndex(t *testing.T, b builder) v1.ImageIndex {
	t.Helper()
	layer, err := b.layer(programFile([]byte("no program")))
	if err != nil {
		t.Fatal(err)
	}
	image, err := b.image(testCommit, v1.Platform{OS: "linux", Architecture: "amd64"}, layer)
	if err != nil {
		t.Fatal(err)
	}
	return b.list(mutate.IndexAddendum{Add: image})
}

// TestPushAndPull sends the real image to a registry and fetches it by its digest.
func TestPushAndPull(t *testing.T) {
	index := realIndex(t)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	folder, repository := filepath.Join(t.TempDir(), "image"), strings.TrimPrefix(server.URL, "http://")+"/team/templar"
	var told bytes.Buffer
	if err := save(index, testCommit, folder, &told); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if want := "1.2.3 " + digest.String() + "\n"; told.String() != want {
		t.Errorf("build told %q, want %q", told.String(), want)
	}
	told.Reset()
	if err := push(t.Context(), folder, []string{repository + ":1.2.3", repository + ":latest"}, authn.DefaultKeychain, &told); err != nil {
		t.Fatal(err)
	}
	want := repository + "@" + digest.String()
	if told.String() != want+"\n"+want+"\n" {
		t.Errorf("push told %q", told.String())
	}
	reference, err := name.NewDigest(want)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Index(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(pulled); err != nil {
		t.Errorf("what was pulled is broken: %v", err)
	}
}

// TestSaveKeepsOtherFolders does not remove what it did not write.
func TestSaveKeepsOtherFolders(t *testing.T) {
	folder := t.TempDir()
	precious := filepath.Join(folder, "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := save(smallIndex(t, builder{}), testCommit, folder, io.Discard)
	if !errors.As(err, new(usageError)) {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	twice := filepath.Join(folder, "image")
	for range 2 {
		if err := save(smallIndex(t, builder{docker: true}), testCommit, twice, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if _, tag, err := load(twice); err != nil || tag != "1.2.3" {
		t.Errorf("the image that was written twice has the tag %q, %v", tag, err)
	}
}

func TestDockerFormat(t *testing.T) {
	index := smallIndex(t, builder{docker: true})
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if list.MediaType != types.DockerManifestList || list.Manifests[0].MediaType != types.DockerManifestSchema2 || list.Annotations != nil {
		t.Errorf("the list is %+v", list)
	}
}

func TestCommit(t *testing.T) {
	folder := t.TempDir()
	git := func(arguments ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}, arguments...)...)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-11-22T10:00:00Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "first")
	read := func(version string) commit {
		t.Helper()
		c, err := readCommit(context.Background(), folder, version)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	plain := read("")
	if plain.version != "0.0.0+"+plain.revision[:12] || plain.tag() != "0.0.0-"+plain.revision[:12] || plain.made.Unix() != 1795341600 {
		t.Errorf("without a tag it is %+v", plain)
	}
	git("tag", "v1.4.0")
	if c := read(""); c.version != "1.4.0" || c.revision != plain.revision {
		t.Errorf("with a tag it is %+v", c)
	}
	if c := read("v2.0.0-rc.1"); c.version != "2.0.0-rc.1" {
		t.Errorf("with a version given it is %+v", c)
	}
	if err := os.WriteFile(filepath.Join(folder, "new"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if c := read(""); c.version != "1.4.0.dirty" || c.revision != plain.revision+".dirty" {
		t.Errorf("with a changed file it is %+v", c)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1000")
	if c := read(""); c.made.Unix() != 1000 {
		t.Errorf("with SOURCE_DATE_EPOCH it is of %v", c.made)
	}
	if _, err := readCommit(context.Background(), folder, "1.0 && rm"); err == nil {
		t.Error("a version with spaces is taken")
	}
}
