package config

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Setting is one variable as it has become, for people.
type Setting struct {
	Name    string
	Value   string // secrets masked; empty when there is none
	Source  string // "flag --http-port", "environment", ".env", "default", or through another name "FLASK_PORT from .env"
	Meaning string
}

// Settings lists every variable in the order of the table. Secrets are masked.
func (c *Config) Settings() []Setting { return slices.Clone(c.settings) }

// describe makes the settings of a finished draft.
func (d *draft) describe() []Setting {
	settings := make([]Setting, len(variables))
	for i, v := range variables {
		value := d.values[v.name]
		text := shown(v, value.text)
		if v.name == "DATABASE_URL" && d.url != nil {
			text = d.url.shown
		}
		settings[i] = Setting{Name: v.name, Value: text, Source: value.source, Meaning: v.meaning}
	}
	return settings
}

// maxShownBytes bounds a value in a message.
const maxShownBytes = 200

// userinfo is the part of a URL that may hold a password. It is cut from whatever is shown: it can stand in a variable that
// should not hold a URL.
var userinfo = regexp.MustCompile(`(?s)://.*@`)

// shown is a value as people may see it.
func shown(v variable, text string) string {
	if text == "" {
		return ""
	}
	if v.secret {
		return mask
	}
	text = userinfo.ReplaceAllLiteralString(text, "://"+mask+"@")
	if len(text) > maxShownBytes {
		text = strings.ToValidUTF8(text[:maxShownBytes], "") + "..."
	}
	return text
}

// WriteSettings prints settings as aligned columns, "-" where there is no value.
func WriteSettings(w io.Writer, settings []Setting) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	// The tabwriter keeps its first error and returns it from Flush.
	_, _ = fmt.Fprintln(table, "VARIABLE\tVALUE\tSOURCE\tMEANING")
	for _, setting := range settings {
		value := setting.Value
		switch {
		case value == "":
			value = "-"
		case !utf8.ValidString(value) || strings.TrimSpace(value) != value || strings.ContainsFunc(value, isControl):
			value = strconv.QuoteToGraphic(value)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", setting.Name, value, setting.Source, setting.Meaning)
	}
	return table.Flush()
}
