package documents

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// project is the folder of the project, seen from here.
const project = "../../.."

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(project, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var variableLine = regexp.MustCompile(`(?m)^#([A-Z0-9_]+)=`)

// knownVariables are the variables that Templar has, as .env.example lists them, and those of the Go runtime.
func knownVariables(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{"GOMEMLIMIT": true, "GOMAXPROCS": true, "TZ": true}
	for _, found := range variableLine.FindAllStringSubmatch(string(read(t, ".env.example")), -1) {
		known[found[1]] = true
	}
	if len(known) < 40 {
		t.Fatalf("only %d variables were found", len(known))
	}
	return known
}

// checkVariables refuses a variable that Templar does not know: a typing error would be read by nobody.
func checkVariables(t *testing.T, where string, names ...string) {
	t.Helper()
	known := knownVariables(t)
	for _, name := range names {
		if !known[name] {
			t.Errorf("%s: Templar has no variable %s", where, name)
		}
	}
}

// checkGraceful refuses a platform that kills before the service's own end.
func checkGraceful(t *testing.T, where string, own, platform float64) {
	t.Helper()
	if own <= 0 || platform <= own {
		t.Errorf("%s: it is killed after %v s, and may take %v s to end", where, platform, own)
	}
}

// words splits what a form lists with spaces.
func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// stat looks whether the project has a file.
func stat(name string) (os.FileInfo, error) { return os.Stat(filepath.Join(project, name)) }
