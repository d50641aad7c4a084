package httpapi

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/jsonstring"
)

// storedOnly are the members of a stored document that are no fields of the player's.
var storedOnly = []string{"version", "characterid", "hit_points", "rolled_scores"}

// patchDepth is how deep objects of a character nest in its object: abilities, base.
const patchDepth = 2

// patchCharacter gives the draft that a JSON merge patch (RFC 7396) makes of a build: members that it does not name
// stay, null resets a member to its default, lists are replaced as a whole.
func (o *object) patchCharacter(b character.Build) (character.Draft, error) {
	target, err := parseObject(character.Encode(character.Character{Build: b}))
	if err != nil {
		return character.Draft{}, err
	}
	target.ignore(storedOnly...)
	target.merge(o.fields, patchDepth)
	target.patched = true
	target.broken = slices.Clone(o.broken)
	draft := takeCharacter(target)
	return draft, target.done()
}

// merge applies a patch to the members. Those that it resets are left as null, so that who reads them can tell fields
// that do not exist. Objects are merged to a depth, below it they are replaced: there is none that belongs there.
func (o *object) merge(patch map[string]jsontext.Value, depth int) {
	for name, value := range patch {
		if value.Kind() == '{' && depth > 0 {
			value = mergedValue(o.fields[name], value, depth-1)
		}
		o.fields[name] = value
	}
}

func mergedValue(target, patch jsontext.Value, depth int) jsontext.Value {
	members, err := parseObject(patch)
	if err != nil {
		return patch // whoever reads it says what is wrong
	}
	merged := &object{fields: map[string]jsontext.Value{}}
	if target.Kind() == '{' {
		if parsed, err := parseObject(target); err == nil {
			merged = parsed
		}
	}
	merged.merge(members.fields, depth)
	text := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(merged.fields)) {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(jsonstring.AppendQuoted(text, name), ':'), merged.fields[name]...)
	}
	return append(text, '}')
}
