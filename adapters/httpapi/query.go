package httpapi

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/fault"
)

// query reads the query parameters of a request; the first thing that is wrong stays in err.
type query struct {
	values url.Values
	err    error
}

// readQuery takes the parameters that a route knows. Unknown ones are refused, as are repeated ones: a filter with a
// slip of the pen must not pick everything.
func readQuery(c echo.Context, known ...string) (*query, error) {
	raw := c.Request().URL.RawQuery
	if raw == "" {
		return &query{}, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.New(fault.Malformed, "the query of the address cannot be read: percent signs must start %%XX")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		given := values[name]
		if !slices.Contains(known, name) {
			return nil, fault.New(fault.Malformed, "there is no query parameter of that name here; there are %s", strings.Join(known, ", "))
		}
		if len(given) > 1 {
			return nil, fault.New(fault.Malformed, "%s is given twice", name)
		}
		if !utf8.ValidString(given[0]) || strings.IndexByte(given[0], 0) >= 0 {
			return nil, fault.New(fault.Malformed, "%s must be UTF-8 without NUL", name)
		}
	}
	return &query{values: values}, nil
}

func (q *query) refuse(why string) {
	if q.err == nil {
		q.err = fault.New(fault.Malformed, "%s", why)
	}
}

// word gives a value that cannot be empty, "" when it is absent.
func (q *query) word(name string) string {
	text := q.text(name)
	if text == "" && q.has(name) {
		q.refuse(name + " must not be empty; leave it out instead")
	}
	return text
}

func (q *query) has(name string) bool { return q.values.Has(name) }

func (q *query) text(name string) string { return q.values.Get(name) }

// integer gives a whole number, nil when it is absent.
func (q *query) integer(name string) *int {
	if !q.has(name) {
		return nil
	}
	number, err := strconv.Atoi(q.text(name))
	if err != nil {
		q.refuse(name + " must be a whole number")
		return nil
	}
	return &number
}

// flag gives a truth value, false when it is absent.
func (q *query) flag(name string) bool {
	text := q.text(name)
	if q.has(name) && text != "true" && text != "false" {
		q.refuse(name + " must be true or false")
	}
	return text == "true"
}
