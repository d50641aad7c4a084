package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxDotenvBytes bounds the `.env` file; a larger one is no configuration.
const maxDotenvBytes = 1 << 20

// dotenvEntry is one assignment of a `.env` file.
type dotenvEntry struct {
	name, value string
	line        int
}

var dotenvName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// readDotenv reads the file at path. An empty path or an absent file has no entries; anything else that keeps it from being
// read is a Problem.
//
// The reader is Templar's own, because the one inside of viper (gotenv) cuts an unquoted value at every '#', replaces
// $NAME inside of values, and quotes the faulty line in its error: a password would be changed or shown.
func readDotenv(path string) ([]dotenvEntry, []Problem) {
	if path == "" {
		return nil, nil
	}
	unreadable := func(why string) ([]dotenvEntry, []Problem) {
		return nil, []Problem{{Source: path, Why: why}}
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return unreadable("cannot be opened: " + cause(err))
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxDotenvBytes+1))
	if err != nil {
		return unreadable("cannot be read: " + cause(err))
	}
	if len(content) > maxDotenvBytes {
		return unreadable(fmt.Sprintf("is larger than %d bytes", maxDotenvBytes))
	}
	return parseDotenv(string(content))
}

// cause is the operating system's word for a failure, without the path around it.
func cause(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

// parseDotenv reads lines of NAME=value as python-dotenv does, with which the seed read its file: "export " before a name
// is allowed; a value may stand in single or double quotes, whose escapes are \\ and the quote (in double quotes \n, \r and
// \t too); an unquoted value ends at white space followed by '#', or at the end of the line. Nothing is expanded, and a
// quoted value ends on its line.
func parseDotenv(content string) ([]dotenvEntry, []Problem) {
	var entries []dotenvEntry
	var problems []Problem
	content = strings.TrimPrefix(content, "\ufeff")
	content = strings.ReplaceAll(content, "\r\n", "\n")
	number := 0
	for line := range strings.SplitSeq(content, "\n") {
		number++
		name, value, err := parseDotenvLine(line)
		if err != nil {
			problems = append(problems, Problem{Source: fmt.Sprintf(".env line %d", number), Why: err.Error()})
			continue
		}
		if name != "" {
			entries = append(entries, dotenvEntry{name: name, value: value, line: number})
		}
	}
	return entries, problems
}

// parseDotenvLine returns an empty name for a blank line and for a comment. Its errors do not repeat the line, which may
// hold a secret.
func parseDotenvLine(line string) (name, value string, err error) {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return "", "", nil
	}
	if !utf8.ValidString(line) {
		return "", "", errors.New("is not valid UTF-8")
	}
	if strings.ContainsRune(line, 0) {
		return "", "", errors.New("holds a NUL byte")
	}
	name, rest, found := strings.Cut(line, "=")
	if !found {
		return "", "", errors.New("must be NAME=value, a comment or blank: there is no '='")
	}
	name = strings.TrimSpace(name)
	if after, exported := strings.CutPrefix(name, "export "); exported {
		name = strings.TrimSpace(after)
	}
	if !dotenvName.MatchString(name) {
		return "", "", errors.New("must be NAME=value: before the '=' stands no name of letters, digits and '_'")
	}
	if trimmed := strings.TrimSpace(rest); strings.HasPrefix(trimmed, `"`) || strings.HasPrefix(trimmed, "'") {
		value, err = unquote(trimmed)
		return name, value, err
	}
	return name, cutComment(rest), nil
}

// unquote reads a quoted value and demands that nothing but a comment follows it.
func unquote(text string) (string, error) {
	quote := text[0]
	var value strings.Builder
	for i := 1; i < len(text); i++ {
		char := text[i]
		if char == quote {
			rest := strings.TrimSpace(text[i+1:])
			if rest != "" && !strings.HasPrefix(rest, "#") {
				return "", errors.New("has text after the closing quote; a quote inside of the value needs a '\\' before it")
			}
			return value.String(), nil
		}
		if char == '\\' && i+1 < len(text) {
			if plain, known := unescape(text[i+1], quote); known {
				value.WriteByte(plain)
				i++
				continue
			}
		}
		value.WriteByte(char)
	}
	return "", errors.New("has a quote that is not closed on the same line")
}

// unescape returns what a backslash and char stand for; an unknown pair stands for itself.
func unescape(char, quote byte) (byte, bool) {
	if char == '\\' || char == quote {
		return char, true
	}
	if quote == '"' {
		switch char {
		case 'n':
			return '\n', true
		case 'r':
			return '\r', true
		case 't':
			return '\t', true
		}
	}
	return 0, false
}

// cutComment ends an unquoted value before white space and '#'. A '#' right after the '=' or another character belongs to
// the value, as in pass#word.
func cutComment(text string) string {
	for i := 1; i < len(text); i++ {
		if text[i] == '#' && (text[i-1] == ' ' || text[i-1] == '\t') {
			text = text[:i]
			break
		}
	}
	return strings.TrimSpace(text)
}
