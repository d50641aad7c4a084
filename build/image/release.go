package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// release writes, for each platform, the binary and what is in it (SBOM), and the SHA-256 sums of all of them in the form
// of sha256sum.
func (b builder) release(ctx context.Context, c commit, platforms []v1.Platform, folder string, out io.Writer) error {
	folder, err := absolute(folder)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // a release is no secret
		return err
	}
	var sums strings.Builder
	write := func(name string, mode os.FileMode, body []byte) error {
		sum := sha256.Sum256(body)
		fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(sum[:]), name)
		fmt.Fprintln(out, name)
		return os.WriteFile(filepath.Join(folder, name), body, mode)
	}
	for _, p := range platforms {
		body, err := b.program(ctx, c, p)
		if err != nil {
			return err
		}
		bill, err := sbom(body, c)
		if err != nil {
			return err
		}
		name := "templar-" + c.tag() + "-" + p.OS + "-" + p.Architecture
		if err := write(name, 0o755, body); err != nil {
			return err
		}
		if err := write(name+".cdx.json", 0o644, bill); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), []byte(sums.String()), 0o644) //nolint:gosec // a release is no secret
}

// component is a part of the program, in the form of CycloneDX 1.6
// (https://cyclonedx.org/docs/1.6/json/).
type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref,omitempty"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl,omitempty"`
}

// bill is a software bill of materials in the form of CycloneDX 1.6.
type bill struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

// sbom lists the modules that a binary was linked from, as the linker wrote them into it, and the Go that built it.
func sbom(program []byte, c commit) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("read what the binary was built from: %w", err)
	}
	purl := func(path, version string) string { return "pkg:golang/" + path + "@" + version }
	list := bill{Format: "CycloneDX", SpecVersion: "1.6", Version: 1, Metadata: metadata{c.made.Format(time.RFC3339),
		component{Type: "application", Ref: purl(info.Main.Path, c.version), Name: "templar", Version: c.version, PURL: purl(info.Main.Path, c.version)}}}
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	list.Components = append(list.Components, component{Type: "library", Ref: purl("std", goVersion), Name: "std", Version: goVersion, PURL: purl("std", goVersion)})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		p := purl(m.Path, m.Version)
		list.Components = append(list.Components, component{Type: "library", Ref: p, Name: m.Path, Version: m.Version, PURL: p})
	}
	slices.SortFunc(list.Components, func(a, b component) int { return strings.Compare(a.PURL, b.PURL) })
	text, err := json.MarshalIndent(list, "", "  ")
	return append(text, '\n'), err
}
