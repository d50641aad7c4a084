package character

import (
	"context"
	"time"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character/srd"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
)

// ListRequest is a request for one page.
type ListRequest struct {
	Filter Filter
	Sort   Sort
	// Limit is 1 to page.MaxLimit; nil for the default.
	Limit *int
	// Cursor is the Next of the page before; "" for the first page.
	Cursor string
	// WithTotal asks for the number of all that the filter picks.
	WithTotal bool
}

// Page is one page of a list.
type Page = page.Page[Character]

// List answers a page of characters. Walking the pages shows every character that was there all along exactly once,
// whatever is made or deleted meanwhile. Faults: Malformed for a bad limit, level or cursor.
func (s *Service) List(ctx context.Context, r ListRequest) (Page, error) {
	if _, err := auth.Require(ctx, auth.CharactersRead); err != nil {
		return Page{}, err
	}
	limit, err := page.Limit(r.Limit)
	if err != nil {
		return Page{}, err
	}
	for _, bound := range []int{r.Filter.LevelMin, r.Filter.LevelMax} {
		if bound < 0 || bound > srd.MaxLevel {
			return Page{}, fault.New(fault.Malformed, "level_min and level_max must be 1 to %d", srd.MaxLevel)
		}
	}
	from := page.Source[Character]{
		Read: func(after *Position, limit int) ([]Character, error) {
			return s.stored.List(ctx, Query{Filter: r.Filter, Sort: r.Sort, After: after, Limit: limit})
		},
		Place: func(one Character) Position { return PositionOf(one, r.Sort) },
	}
	if r.WithTotal {
		from.Count = func() (int, error) { return s.stored.Count(ctx, r.Filter) }
	}
	return page.Take(s.sealer, r.Filter.scope(r.Sort), r.Cursor, limit, from)
}

// purgeBatch is how many characters one transaction of Purge removes.
const purgeBatch = 200

// Purge removes for good what was moved to the trash before the moment, and tells how many characters. With dry set
// it only counts. It is the operator's: keys:admin is needed.
func (s *Service) Purge(ctx context.Context, before time.Time, dry bool) (int, error) {
	if _, err := auth.Require(ctx, auth.KeysAdmin); err != nil {
		return 0, err
	}
	if dry {
		return s.stored.CountTrash(ctx, before)
	}
	total := 0
	for {
		n, err := s.stored.Purge(ctx, before, purgeBatch)
		total += n
		if err != nil || n < purgeBatch {
			return total, err
		}
	}
}
