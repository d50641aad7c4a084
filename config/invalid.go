package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one value that cannot be right.
type Problem struct {
	Variable string // the variable's name; empty when a line or the file itself is at fault
	Source   string // where the value came from, such as "flag --http-port", "environment", ".env line 3", "not set"
	Value    string // what was given, masked when it is or may hold a secret; empty when nothing was given
	Why      string // what would be right
}

// String is one line: the variable, its value, its source and what would be right.
func (p Problem) String() string {
	switch {
	case p.Variable == "":
		return p.Source + ": " + p.Why
	case p.Value == "":
		return fmt.Sprintf("%s (%s): %s", p.Variable, p.Source, p.Why)
	case p.Value == mask:
		return fmt.Sprintf("%s=%s (%s): %s", p.Variable, mask, p.Source, p.Why)
	}
	return fmt.Sprintf("%s=%s (%s): %s", p.Variable, strconv.QuoteToGraphic(p.Value), p.Source, p.Why)
}

// InvalidError holds everything that is wrong with a configuration. It is wrong use of the program: exit code 2.
type InvalidError struct {
	Problems []Problem // at least one, in the order of the table of variables
	Warnings []string  // what would have been in Config.Warnings; a misspelt name is often the cause of a problem
}

// Error lists every problem and every warning, one a line. It shows no secret.
func (e *InvalidError) Error() string {
	var text strings.Builder
	if len(e.Problems) == 1 {
		text.WriteString("the configuration has a value that cannot be right:")
	} else {
		fmt.Fprintf(&text, "the configuration has %d values that cannot be right:", len(e.Problems))
	}
	for _, problem := range e.Problems {
		text.WriteString("\n  " + problem.String())
	}
	for _, warning := range e.Warnings {
		text.WriteString("\n  warning: " + warning)
	}
	return text.String()
}
