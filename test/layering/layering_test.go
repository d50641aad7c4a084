// Package layering holds the rules of who may import whom against what `go list` says.
package layering

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "bitbucket.org/templar/templar"

// listed is what `go list -json` tells of a package.
type listed struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	packages := list(t)
	seen := map[string]bool{}
	for _, p := range packages {
		place := strings.TrimPrefix(p.ImportPath, module+"/")
		top, _, _ := strings.Cut(place, "/")
		seen[top] = true
		for _, imported := range p.Imports {
			if why := refused(place, imported); why != "" {
				t.Errorf("%s imports %s: %s", place, imported, why)
			}
		}
	}
	for _, top := range []string{"cmd", "core", "adapters", "ports", "config", "test"} {
		if !seen[top] {
			t.Errorf("there is no package under %s: the list is not of this project", top)
		}
	}
}

// TestRefusals shows that the rules refuse what they are there for.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ place, imported string }{
		{"ports", module + "/core/fault"},
		{"core/template", module + "/adapters/memory"},
		{"core/template", module + "/config"},
		{"core/auth", "go.uber.org/zap"},
		{"core/auth", "database/sql"},
		{"core/auth", "log/slog"},
		{"config", module + "/ports"},
		{"adapters/redis", module + "/config"},
		{"adapters/redis", module + "/adapters/memory"},
		{"adapters/memory", module + "/adapters/internal/sqlstore"},
		{"adapters/httpapi", module + "/cmd/templar/app"},
		{"adapters/sqlite", "github.com/spf13/viper"},
		{"adapters/memory", "github.com/labstack/echo/v4"},
		{"cmd/templar/app", module + "/test/servers"},
	} {
		if refused(c.place, c.imported) == "" {
			t.Errorf("%s may import %s", c.place, c.imported)
		}
	}
}

// sqlEngines share statements and schema work that are the same; see adapters/internal.
var sqlEngines = []string{"postgres", "sqlite"}

// refused says why the package at place must not import something; "" when it may.
func refused(place, imported string) string {
	top, rest, _ := strings.Cut(place, "/")
	own, inProject := strings.CutPrefix(imported, module+"/")
	if inProject && strings.HasPrefix(own, "test/") && top != "test" {
		return "only tests import test"
	}
	if imported == "github.com/spf13/viper" && top != "config" {
		return "viper is known in config and nowhere else"
	}
	// test/bench/bare is the bare Echo that the service is measured against.
	if strings.HasPrefix(imported, "github.com/labstack/echo") && !strings.HasPrefix(place, "adapters/httpapi") && place != "test/bench/bare" {
		return "Echo is known in adapters/httpapi and nowhere else"
	}
	switch top {
	case "ports", "config":
		if inProject {
			return top + " imports nothing of the project"
		}
	case "core":
		return refusedInCore(own, imported, inProject)
	case "adapters":
		adapter, _, _ := strings.Cut(rest, "/")
		if inProject {
			return refusedInAdapter(adapter, own)
		}
	}
	return ""
}

func refusedInCore(own, imported string, inProject bool) string {
	switch {
	case inProject && (own == "ports" || strings.HasPrefix(own, "core/")):
	case inProject:
		return "the core imports ports and core"
	case imported == "github.com/google/uuid":
	case strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
		return "the core imports the standard library and one UUID package"
	case imported == "log" || strings.HasPrefix(imported, "log/") || strings.HasPrefix(imported, "database/") || strings.HasPrefix(imported, "net/http"):
		return "the core knows no log, no SQL and no HTTP"
	}
	return ""
}

func refusedInAdapter(adapter, own string) string {
	switch {
	case own == "ports" || strings.HasPrefix(own, "core/"):
	case own == "adapters/"+adapter || strings.HasPrefix(own, "adapters/"+adapter+"/"):
	case strings.HasPrefix(own, "adapters/internal/sql") && slices.Contains(sqlEngines, adapter):
	default:
		return "an adapter imports core, ports and its own libraries"
	}
	return ""
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
