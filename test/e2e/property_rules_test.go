package e2e

import (
	"encoding/json"
	"strings"

	"pgregory.net/rapid"
)

// ofCharacters tells whether an operation is about characters or rolls, whose rules no schema can have: what a fighter
// may choose depends on everything else of the fighter.
func ofCharacters(o *operation) bool {
	return strings.HasPrefix(o.route.Path, "/v1/characters") || strings.HasPrefix(o.route.Path, "/v1/rolls")
}

// shapes are what is said of values that have another form than the schema gives them.
var shapes = []string{"is not a field of", "must be a whole number", "must be a string", "must be an object", "must be a list", "must be true or false", "must be a UUID"}

// aboutShape tells whether a refusal is about the form of a value: then the document says something else than the service.
func aboutShape(detail string) bool {
	for _, shape := range shapes {
		if strings.Contains(detail, shape) {
			return true
		}
	}
	return false
}

// drawExample takes a body that the document shows in every third request; nil for none. Where a schema cannot tell what
// goes together, hardly anything else is ever accepted.
func (d *driver) drawExample(t *rapid.T, o *operation) any {
	list := examples(o)
	if len(list) == 0 || rapid.IntRange(0, 2).Draw(t, "example of the document?") < 2 {
		return nil
	}
	var value any
	if err := json.Unmarshal(rapid.SampledFrom(list).Draw(t, "example of the document"), &value); err != nil {
		t.Fatal(err)
	}
	return value
}
