package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"go.yaml.in/yaml/v3"
)

func checkYAML(name string, text []byte) []string {
	for documents := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document any
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return []string{name + ": " + err.Error()}
		}
	}
}

func checkHCL(name string, text []byte) []string {
	if _, problems := hclsyntax.ParseConfig(text, name, hcl.InitialPos); problems.HasErrors() {
		return []string{problems.Error()}
	}
	formatted := hclwrite.Format(text)
	if bytes.Equal(formatted, text) {
		return nil
	}
	was, is := strings.Split(string(text), "\n"), strings.Split(string(formatted), "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			return []string{fmt.Sprintf("%s:%d: the formatter would write %q", name, i+1, is[i])}
		}
	}
	return []string{name + ": the formatter would change its end"}
}

// Bounds of the first line of a commit message, in characters.
const shortest, longest = 10, 100

// checkMessage wants a first line that stands alone, and then nothing or a blank line. Lines of git's own comments do not count.
func checkMessage(_ string, text []byte) []string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "# ------------------------ >8") {
			break
		}
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimRight(line, " \t\r\n"))
		}
	}
	if len(lines) == 0 {
		return []string{"the commit message is empty"}
	}
	var wrong []string
	first := lines[0]
	if strings.HasPrefix(first, "Merge ") || strings.HasPrefix(first, "Revert ") || strings.HasPrefix(first, "fixup! ") {
		return nil
	}
	if n := utf8.RuneCountInString(first); n < shortest || n > longest {
		wrong = append(wrong, fmt.Sprintf("the first line has %d characters; %d to %d that say what changes are wanted", n, shortest, longest))
	}
	if r, _ := utf8.DecodeRuneInString(first); unicode.IsLower(r) {
		wrong = append(wrong, "the first line begins with a small letter")
	}
	if strings.HasSuffix(first, ".") {
		wrong = append(wrong, "the first line ends with a full stop; it is a title")
	}
	if len(lines) > 1 && lines[1] != "" {
		wrong = append(wrong, "the second line must be blank: what follows is the text")
	}
	return wrong
}
