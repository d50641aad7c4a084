// Package migrations reads the YAML files that describe a database, the same
// for every engine, and holds the one that describes Templar's own tables.
//
//	init:
//	  schemas:
//	    - name: dungeonmaster            # or just: - dungeonmaster
//	  tables:
//	    - name: characters
//	      schema: dungeonmaster          # "" is the schema that the connection works in
//	      attributes:
//	        - {name: characterid, type: uuid, primary_key: true, default: random}
//	        - {name: name, type: varchar, size: 200, required: true, default: ""}
//	        - {name: made, type: timestamp, default: now}
//	        - nickname                   # a text
//	      indexes:
//	        - {name: characters_name, keys: [name, characterid], unique: true, where: made is not null}
//	        - {keys: [{name: made, nulls: least}, {name: name, prefix: 200}]}
//
// Tables may also be a map of name to {schema, attributes, indexes}. Where the
// first attribute is a bare name and no other is marked, it is the primary key.
// An attribute without a type is a text; unique: true on an attribute is an
// index over it alone. An index without a name is named after its table and
// attributes. Everything else that a file says is refused.
package migrations

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"bitbucket.org/templar/templar/ports"
)

// MaxBytes is the largest migration file that is read.
const MaxBytes = 1 << 20

// Part is what of a file is wanted.
type Part int

// The parts of a file.
const (
	All Part = iota
	Schemas
	Tables
)

// File is one migration file, read and found to be right.
type File struct {
	// Name is the file's name without its folder.
	Name string
	// Checksum is the SHA-256 of the file's bytes, in hexadecimal.
	Checksum string
	schema   ports.Schema
}

// Problem is one thing that is wrong with a file.
type Problem struct {
	File string
	Line int // from 1
	// Parameter is the path of what is wrong: init.tables[0].schema
	Parameter string
	Detail    string
}

func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Parameter, p.Detail)
}

// Problems is the error of a file that is wrong: all that is wrong with it, in
// the order of the file, one a line.
type Problems []Problem

// Error lists the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// ReadFile reads the file at path. The error is Problems where the file is
// wrong, else that of the file system.
func ReadFile(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer func() { _ = f.Close() }()
	return Read(path, f)
}

// Read reads a migration file from r; name stands in the problems.
func Read(name string, r io.Reader) (File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return File{}, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > MaxBytes {
		return File{}, fmt.Errorf("%s is larger than %d bytes", name, MaxBytes)
	}
	schema, problems := parse(name, data)
	if len(problems) > 0 {
		return File{}, problems
	}
	sum := sha256.Sum256(data)
	return File{Name: filepath.Base(name), Checksum: hex.EncodeToString(sum[:]), schema: schema}, nil
}

// ErrNothing is a file that does not have the wanted part.
var ErrNothing = errors.New("the file describes none")

// Schema is the wanted part of the file. The error (ErrNothing) names the
// parameter that would have to be there.
func (f File) Schema(part Part) (ports.Schema, error) {
	s := f.schema
	switch {
	case part == Schemas && len(s.Schemas) == 0:
		return ports.Schema{}, fmt.Errorf("%s: init.schemas: %w", f.Name, ErrNothing)
	case part == Tables && len(s.Tables) == 0:
		return ports.Schema{}, fmt.Errorf("%s: init.tables: %w", f.Name, ErrNothing)
	case part == Schemas:
		s.Tables = nil
	case part == Tables:
		s.Schemas = nil
	}
	return s, nil
}
