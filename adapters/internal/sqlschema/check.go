package sqlschema

import (
	"fmt"
	"strings"

	"bitbucket.org/templar/templar/ports"
)

// Check is an error that lists all problems of a schema, nil where it has none.
func Check(s ports.Schema) error {
	problems := s.Problems()
	if len(problems) == 0 {
		return nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.Path + ": " + p.Detail
	}
	return fmt.Errorf("the schema cannot be applied: %s", strings.Join(lines, "; "))
}
