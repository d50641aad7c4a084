package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDotenvValues(t *testing.T) {
	for line, want := range map[string]string{
		`A=b`:                    "b",
		`  A = b  `:              "b",
		`export A=b`:             "b",
		`A=`:                     "",
		`A= # nothing`:           "",
		`A=#b`:                   "#b",
		`A=pass#word`:            "pass#word",
		`A=pass # word`:          "pass",
		`A=a=b==`:                "a=b==",
		`A=$HOME${HOME}$$`:       "$HOME${HOME}$$",
		`A="b"`:                  "b",
		`A=" b # c "  # comment`: " b # c ",
		`A='b "c" $D \n'`:        `b "c" $D \n`,
		`A='it\'s \\ here'`:      `it's \ here`,
		`A="a\"b\\c\n\t\d"`:      "a\"b\\c\n\t\\d",
		`A=it's`:                 "it's",
		`A=""`:                   "",
		`A="b"#c`:                "b",
		"A=b\r":                  "b",
		"\ufeffA=b":              "b",
	} {
		entries, problems := parseDotenv(line)
		if len(problems) > 0 || len(entries) != 1 || entries[0].name != "A" || entries[0].value != want {
			t.Errorf("%q: %#v, %v; want %q", line, entries, problems, want)
		}
	}
	entries, problems := parseDotenv("# comment\r\n\r\n   # another\r\nA=1\r\nB=2")
	if len(problems) != 0 || len(entries) != 2 || entries[1] != (dotenvEntry{"B", "2", 5}) {
		t.Errorf("%#v, %v", entries, problems)
	}
}

func TestDotenvBadLines(t *testing.T) {
	for line, why := range map[string]string{
		"s3cret":         "there is no '='",
		"=s3cret":        "no name",
		"A B=s3cret":     "no name",
		`A="s3cret`:      "not closed",
		`A='s3cret\'`:    "not closed",
		`A="s3cret"more`: "after the closing quote",
		"A=s3cret\x00":   "NUL",
		"A=s3cret\xff":   "UTF-8",
	} {
		_, problems := parseDotenv("\nOK=1\n" + line)
		if len(problems) != 1 || problems[0].Source != ".env line 3" || !strings.Contains(problems[0].Why, why) {
			t.Errorf("%q: %v, want %q in line 3", line, problems, why)
			continue
		}
		if strings.Contains(problems[0].String(), "s3cret") {
			t.Errorf("%q: the problem repeats the line: %s", line, problems[0])
		}
	}
}

func TestDotenvFile(t *testing.T) {
	folder := t.TempDir()
	if _, err := Load(nil, nil, filepath.Join(folder, "absent")); err != nil {
		t.Errorf("an absent file: %v", err)
	}
	if _, err := Load(nil, nil, folder); err == nil {
		t.Error("a folder in the place of the file was accepted")
	}
	huge := filepath.Join(folder, "huge")
	if err := os.WriteFile(huge, []byte(strings.Repeat("#\n", maxDotenvBytes/2+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(nil, nil, huge); err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
		t.Errorf("a huge file: %v", err)
	}
}

func FuzzDotenv(f *testing.F) {
	f.Add(seedDotenv)
	f.Add("A='b\\'c'\nB=\"\\")
	f.Fuzz(func(t *testing.T, content string) {
		entries, problems := parseDotenv(content)
		lines := strings.Count(content, "\n") + 1
		if len(entries)+len(problems) > lines {
			t.Errorf("%d entries and %d problems from %d lines", len(entries), len(problems), lines)
		}
		for _, entry := range entries {
			if entry.name == "" || len(entry.value) > len(content) {
				t.Errorf("bad entry %#v", entry)
			}
		}
	})
}
