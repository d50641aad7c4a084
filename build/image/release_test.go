package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestRelease(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "release")
	var names strings.Builder
	b := builder{source: "../..", log: testLog{t}}
	if err := b.release(t.Context(), testCommit, []v1.Platform{{OS: "linux", Architecture: "amd64"}}, folder, &names); err != nil {
		t.Fatal(err)
	}
	if want := "templar-1.2.3-linux-amd64\ntemplar-1.2.3-linux-amd64.cdx.json\n"; names.String() != want {
		t.Errorf("it told %q, want %q", names.String(), want)
	}
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = folder
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(folder, "templar-1.2.3-linux-amd64.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list bill
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, c := range list.Components {
		if c.Version == "" || c.PURL == "" || found[c.PURL] {
			t.Errorf("the component %+v lacks something, or is there twice", c)
		}
		found[c.PURL] = true
		found[c.Name] = true
	}
	for _, name := range []string{"std", "github.com/labstack/echo/v4", "github.com/redis/rueidis", "modernc.org/sqlite"} {
		if !found[name] {
			t.Errorf("%s is missing", name)
		}
	}
	if list.Format != "CycloneDX" || list.Metadata.Component.Version != "1.2.3" {
		t.Errorf("the list is of %+v", list.Metadata)
	}
}
