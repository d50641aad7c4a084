package mustache

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError tells why a template does not parse.
type SyntaxError struct {
	// Line and Column are where, counted from 1; columns are code points.
	Line, Column int
	// Expected says what should have stood there.
	Expected string
	// Found says what stood there instead; it may be empty.
	Found string
}

// Error returns the place, what was expected and what was found.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message())
	return s
}

// Message is the error without its place.
func (e *SyntaxError) Message() string {
	if e.Found == "" {
		return "expected " + e.Expected
	}
	return "expected " + e.Expected + ", found " + e.Found
}

// DataError tells why bytes are no acceptable JSON data.
type DataError struct {
	// Offset is the byte, from 0, at which it was noticed.
	Offset int
	// Problem is what is wrong there.
	Problem string
}

// Error returns the offset and the problem.
func (e *DataError) Error() string {
	return fmt.Sprintf("data at byte %d: %s", e.Offset, e.Problem)
}

// MissingError is the answer of a strict rendering whose data lacks names.
type MissingError struct {
	// Names are the missing ones, each once, in the order of their first use,
	// with the path of the sections around them. At most 1,000 are listed.
	Names []string
}

// Error names all that is missing.
func (e *MissingError) Error() string {
	return "missing in the data: " + strings.Join(e.Names, ", ")
}

// UnknownPartialError is the answer of a strict rendering that met partials or
// parents which the Loader does not know.
type UnknownPartialError struct {
	// Names are the unknown ones, each once, in the order of their first use. A
	// dynamic name whose value cannot be a name is given as *path.
	Names []string
}

// Error names all unknown partials.
func (e *UnknownPartialError) Error() string {
	return "unknown partials: " + strings.Join(e.Names, ", ")
}

// PartialError says that a partial exists but could not be had: the Loader
// failed, for instance because its content does not parse.
type PartialError struct {
	// Name is the partial's name as the template has it.
	Name string
	// Err is the Loader's error.
	Err error
}

// Error returns the name and the Loader's error.
func (e *PartialError) Error() string { return "partial " + quote(e.Name) + ": " + e.Err.Error() }

// Unwrap returns the Loader's error.
func (e *PartialError) Unwrap() error { return e.Err }

// Limit names one of the engine's bounds.
type Limit string

// The bounds that a LimitError can name.
const (
	LimitOutput       Limit = "output bytes"
	LimitSteps        Limit = "steps"
	LimitSections     Limit = "nested sections"
	LimitPartialDepth Limit = "nested partials"
	LimitPartials     Limit = "different partials"
	LimitVariables    Limit = "bytes of variable names"
)

// LimitError says that a template went past one of the engine's bounds.
type LimitError struct {
	// Which bound it was.
	Which Limit
	// Max is the bound's value.
	Max int
	// Name is the partial at which it happened; it may be empty.
	Name string
}

// Error names the bound, its value and the partial.
func (e *LimitError) Error() string {
	s := fmt.Sprintf("the template needs more than %d %s", e.Max, e.Which)
	if e.Name != "" {
		s += " (at partial " + quote(e.Name) + ")"
	}
	return s
}

// quote shortens s, so that an error never carries a whole template.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return "“" + s + "”"
}

// syntaxError makes the error for a byte offset of src.
func syntaxError(src string, offset int, expected, found string) *SyntaxError {
	before := src[:offset]
	line := strings.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Line:     strings.Count(before, "\n") + 1,
		Column:   utf8.RuneCountInString(before[line:]) + 1,
		Expected: expected,
		Found:    found,
	}
}
