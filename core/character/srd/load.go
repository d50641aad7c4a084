package srd

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// files holds the data of the package. A file is one JSON array of records; its keys match the names of the Go fields
// without regard to case.
//
//go:embed data/*.json
var files embed.FS

// load reads data/name into a slice, in the order of the file. A field that T does not have is refused. The files are
// part of the program, so a broken one is a mistake of its makers: load panics, and every test of the package shows it.
func load[T any](name string) []T {
	f, err := files.Open("data/" + name)
	if err != nil {
		panic(fmt.Sprintf("srd: %v", err))
	}
	defer f.Close() //nolint:errcheck // an embedded file has nothing to flush
	records, err := decode[T](f)
	if err != nil {
		panic(fmt.Sprintf("srd: data/%s: %v", name, err))
	}
	return records
}

// decode reads one JSON array of T and nothing after it.
func decode[T any](r io.Reader) ([]T, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var records []T
	if err := dec.Decode(&records); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the array")
	}
	return records, nil
}

// table is the records of one kind, sorted by slug. It never changes after newTable, so it is safe for concurrent use.
type table[T any] struct {
	sorted []T
	bySlug map[string]int
}

// newTable loads data/name and indexes it by slug; it panics if two records share a slug or one has none.
func newTable[T any](name string, slug func(T) string) table[T] {
	t, err := index(load[T](name), slug)
	if err != nil {
		panic(fmt.Sprintf("srd: data/%s: %v", name, err))
	}
	return t
}

// index sorts the records and makes the table.
func index[T any](records []T, slug func(T) string) (table[T], error) {
	slices.SortFunc(records, func(a, b T) int { return strings.Compare(slug(a), slug(b)) })
	t := table[T]{sorted: records, bySlug: make(map[string]int, len(records))}
	for i, r := range records {
		if slug(r) == "" {
			return table[T]{}, errors.New("a record has no slug")
		}
		if _, ok := t.bySlug[slug(r)]; ok {
			return table[T]{}, fmt.Errorf("%q stands there twice", slug(r))
		}
		t.bySlug[slug(r)] = i
	}
	return t, nil
}

// all returns every record, sorted by slug: the table's own slice, with no room to append in place.
func (t table[T]) all() []T { return slices.Clip(t.sorted) }

// find returns the record of a slug.
func (t table[T]) find(slug string) (T, bool) {
	i, ok := t.bySlug[slug]
	if !ok {
		var none T
		return none, false
	}
	return t.sorted[i], true
}
