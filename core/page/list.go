package page

import "bitbucket.org/templar/templar/core/fault"

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	// Next is the cursor of the page behind this one; "" on the last.
	Next string
	// Total is set when it was asked for.
	Total *int
}

// Source is what pages are taken from.
type Source[T any] struct {
	// Read gives up to limit items behind a position, from the start when it is nil.
	Read func(after *Position, limit int) ([]T, error)
	// Place is where an item stands.
	Place func(T) Position
	// Count counts all items; nil where nobody asked for the total.
	Count func() (int, error)
}

// Take gives the page of up to limit items that a cursor stands before, the first without one. The scope says which list,
// filter and order the cursors belong to. A Malformed fault for a cursor that was not given for that scope; others come
// from the source.
func Take[T any](s *Sealer, scope, cursor string, limit int, from Source[T]) (Page[T], error) {
	var after *Position
	if cursor != "" {
		raw, err := s.Open(scope, cursor)
		if err != nil {
			return Page[T]{}, err
		}
		position, ok := DecodePosition(raw)
		if !ok {
			return Page[T]{}, fault.New(fault.Malformed, "the cursor is broken; start again without it")
		}
		after = &position
	}
	items, err := from.Read(after, limit+1)
	if err != nil {
		return Page[T]{}, err
	}
	taken := Page[T]{Items: items}
	if len(items) > limit {
		taken.Items = items[:limit]
		taken.Next = s.Seal(scope, from.Place(items[limit-1]).Encode())
	}
	if from.Count != nil {
		total, err := from.Count()
		if err != nil {
			return Page[T]{}, err
		}
		taken.Total = &total
	}
	return taken, nil
}
