package config

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestSettingsFollowTheTable(t *testing.T) {
	settings := sources{flags: []string{"--http-port", "8080"}, dotenv: seedDotenv}.mustLoad(t).Settings()
	equal(t, "number of settings", len(settings), len(variables))
	seen := map[string]bool{}
	for i, v := range variables {
		equal(t, "name", settings[i].Name, v.name)
		equal(t, "meaning", settings[i].Meaning, v.meaning)
		if v.meaning == "" || v.kind == "" || v.group == "" || v.apply == nil || seen[v.name] {
			t.Errorf("%s stands twice or is incomplete", v.name)
		}
		seen[v.name] = true
	}
}

func TestWriteSettings(t *testing.T) {
	var table bytes.Buffer
	err := WriteSettings(&table, []Setting{{"A", "1", "default", "first"}, {"LONGER", "", "flag --longer", "second"}, {"B", "x\ny", ".env", "third"}})
	want := "VARIABLE  VALUE   SOURCE         MEANING\nA         1       default        first\nLONGER    -       flag --longer  second\nB         \"x\\ny\"  .env           third\n"
	if err != nil || table.String() != want {
		t.Errorf("got %v:\n%s\nwant:\n%s", err, table.String(), want)
	}
	if err := WriteSettings(failing{}, []Setting{{"A", "1", "default", "first"}}); err == nil {
		t.Error("a failing writer goes unnoticed")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestFlagsFollowTheTable(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Register(flags)
	count := 0
	flags.VisitAll(func(*pflag.Flag) { count++ })
	equal(t, "number of flags", count, len(variables))
	for _, v := range variables {
		flag := flags.Lookup(strings.ReplaceAll(strings.ToLower(v.name), "_", "-"))
		if flag == nil || flag.DefValue != v.initial || !strings.Contains(flag.Usage, v.name) {
			t.Errorf("flag of %s: %+v", v.name, flag)
		}
	}
}

var exampleLine = regexp.MustCompile(`(?m)^#([A-Z][A-Z0-9_]*)=(.*)$`)

// .env.example has every variable of the table with its default and its meaning, and no other.
func TestExampleFollowsTheTable(t *testing.T) {
	content, err := os.ReadFile("../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	example := string(content)
	found := map[string]string{}
	var order []string
	for _, match := range exampleLine.FindAllStringSubmatch(example, -1) {
		if _, twice := found[match[1]]; twice {
			t.Errorf("%s stands twice", match[1])
		}
		found[match[1]] = match[2]
		order = append(order, match[1])
	}
	var want []string
	for _, v := range variables {
		want = append(want, v.name)
		value, has := found[v.name]
		if !has || value != v.initial {
			t.Errorf("%s=%s in the example, default %q", v.name, value, v.initial)
		}
		if !strings.Contains(example, "# "+v.meaning+"\n#"+v.name+"=") {
			t.Errorf("the meaning of %s is not above it", v.name)
		}
		if !strings.Contains(example, "# -- "+v.group+"\n") {
			t.Errorf("no heading %s", v.group)
		}
	}
	equal(t, "names in the example", order, want)

	defaults := sources{}.mustLoad(t)
	defaults.settings = nil
	for name, text := range map[string]string{"as it is": example, "with every line on": exampleLine.ReplaceAllString(example, "$1=$2")} {
		c := sources{dotenv: text}.mustLoad(t)
		c.settings = nil
		t.Run(name, func(t *testing.T) {
			c.Warnings = without(c.Warnings, "DB_HOST, DB_USER")
			equal(t, "Config", *c, *defaults)
		})
	}
}

// without drops the texts that begin with prefix.
func without(texts []string, prefix string) []string {
	var kept []string
	for _, text := range texts {
		if !strings.HasPrefix(text, prefix) {
			kept = append(kept, text)
		}
	}
	return kept
}
