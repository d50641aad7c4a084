package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestContainerfile compares what build/Containerfile says with what this program does.
func TestContainerfile(t *testing.T) {
	text, err := os.ReadFile("../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, final, found := strings.Cut(strings.ReplaceAll(string(text), "\\\n", " "), "\nFROM scratch\n")
	if !found {
		t.Fatal("the last stage is not from scratch")
	}
	got := map[string]string{}
	told := map[string]string{}
	pair := regexp.MustCompile(`(\S+?)="([^"]*)"`)
	for line := range strings.Lines(final) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "LABEL":
			for _, m := range pair.FindAllStringSubmatch(rest, -1) {
				told[m[1]] = m[2]
			}
		case "", "ARG", "COPY":
		default:
			got[word] = strings.TrimSpace(rest)
		}
	}
	s := settings(testCommit)
	asJSON := func(list []string) string {
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(text), ",", ", ")
	}
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) + "s" }
	want := map[string]string{
		"USER": s.User, "WORKDIR": s.WorkingDir, "STOPSIGNAL": s.StopSignal, "ENV": strings.Join(s.Env, " "),
		"ENTRYPOINT": asJSON(s.Entrypoint), "CMD": asJSON(s.Cmd),
		"EXPOSE": strings.Join(slices.Sorted(maps.Keys(s.ExposedPorts)), " "),
		"VOLUME": strings.Join(slices.Sorted(maps.Keys(s.Volumes)), " "),
		"HEALTHCHECK": fmt.Sprintf("--interval=%s --timeout=%s --start-period=%s --retries=%d CMD %s", seconds(s.Healthcheck.Interval),
			seconds(s.Healthcheck.Timeout), seconds(s.Healthcheck.StartPeriod), s.Healthcheck.Retries, asJSON(s.Healthcheck.Test[1:])),
	}
	if !maps.Equal(got, want) {
		t.Errorf("the Containerfile says\n%v\nthe program\n%v", got, want)
	}
	ours := labels(testCommit)
	for name, value := range told {
		if !strings.Contains(value, "$") && ours[name] != value {
			t.Errorf("the label %s is %q and %q", name, value, ours[name])
		}
	}
	delete(ours, "org.opencontainers.image.created") // a Containerfile cannot ask git
	if len(told) != len(ours) {
		t.Errorf("the labels are %v and %v", told, ours)
	}
}

// TestRootfs unpacks what the image packs.
func TestRootfs(t *testing.T) {
	folder := t.TempDir()
	files := append([]file{{path: "data/", mode: 0o700, owner: user}, {path: "tmp/", mode: 0o1777}}, programFile([]byte("program"))...)
	if err := unpack(files, folder); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{"data": os.ModeDir | 0o700, "tmp": os.ModeDir | os.ModeSticky | 0o777, "templar": 0o755} {
		info, err := os.Stat(folder + "/" + path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != mode || !info.ModTime().Equal(time.Unix(0, 0)) {
			t.Errorf("%s is %v of %v", path, info.Mode(), info.ModTime())
		}
	}
}
