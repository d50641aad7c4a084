package migrations

import (
	"bytes"
	_ "embed"
	"fmt"
)

//go:embed templar.yaml
var templarYAML []byte

// Templar is the file that describes Templar's own tables. Every engine is
// brought to it before it serves.
func Templar() File {
	f, err := Read("templar.yaml", bytes.NewReader(templarYAML))
	if err != nil {
		// The file is part of the program and a test reads it.
		panic(fmt.Sprintf("the embedded migration is wrong: %v", err))
	}
	return f
}
