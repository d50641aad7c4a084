package config

import (
	"fmt"
	"strconv"
	"strings"
)

// maxNameWarnings bounds the warnings about names, so that a wrong file does not flood the log.
const maxNameWarnings = 50

// checkNames warns of names in `.env` that are not known and of names that are set twice, and returns those that belong to
// the OpenTelemetry and AWS libraries.
func (d *draft) checkNames(entries []dotenvEntry, environ func(string) (string, bool)) map[string]Secret {
	libraries := map[string]Secret{}
	lines := map[string]int{}
	var warnings []string
	for _, entry := range entries {
		place := fmt.Sprintf(".env line %d: %s", entry.line, abridged(entry.name))
		if line, twice := lines[entry.name]; twice {
			warnings = append(warnings, fmt.Sprintf("%s is set again, after line %d; the last value that is not empty counts", place, line))
		}
		lines[entry.name] = entry.line
		switch {
		case known(entry.name):
		case strings.HasPrefix(entry.name, "OTEL_") || strings.HasPrefix(entry.name, "AWS_"):
			if text, found := environ(entry.name); (!found || text == "") && entry.value != "" {
				libraries[entry.name] = NewSecret(entry.value)
			}
		default:
			warning := place + " is no known variable"
			if near := nearest(entry.name); near != "" {
				warning += "; did you mean " + near + "?"
			}
			warnings = append(warnings, warning)
		}
	}
	if len(warnings) > maxNameWarnings {
		warnings = append(warnings[:maxNameWarnings:maxNameWarnings],
			fmt.Sprintf(".env has %d more names that are unknown or set again", len(warnings)-maxNameWarnings))
	}
	d.Warnings = append(d.Warnings, warnings...)
	return libraries
}

// warnQuotes warns of a value of the environment that stands in quotes. Some programs that read `.env` into the environment,
// `docker run --env-file` for one, leave the quotes in the value, and then instances disagree on a key or a password.
func (d *draft) warnQuotes() {
	for _, v := range variables {
		value := d.values[v.name]
		text := value.text
		if value.source != "environment" || len(text) < 2 {
			continue
		}
		if first := text[0]; (first == '"' || first == '\'') && text[len(text)-1] == first {
			d.warn("%s (environment) begins and ends with a quote, which is taken as part of the value", v.name)
		}
	}
}

func known(name string) bool {
	for _, v := range variables {
		if v.name == name {
			return true
		}
	}
	return false
}

// nearest returns the known name that name is most likely a misspelling of, or "".
func nearest(name string) string {
	if len(name) > 64 {
		return ""
	}
	name = strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
	best, bestDistance := "", 3
	for _, v := range variables {
		distance := editDistance(name, v.name)
		// In a short name two letters are no misspelling but another word.
		if distance < bestDistance && distance*3 < len(v.name) {
			best, bestDistance = v.name, distance
		}
	}
	return best
}

// editDistance is the least number of letters to insert, delete, replace or swap with their neighbour that makes a into b
// (optimal string alignment).
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// abridged is a name for a message.
func abridged(name string) string {
	if len(name) > 64 {
		name = name[:64] + "..."
	}
	return strconv.QuoteToGraphic(name)
}
