package harper

import (
	"context"
	"slices"
	"strings"
	"time"

	"bitbucket.org/templar/templar/core/character"
)

// each shows the rows that a query picks, in its order. With a filter it looks at every row on the way.
func (s *Characters) each(ctx context.Context, q character.Query, attributes []string, page int, show func(*characterRow) error) error {
	sp := span{descending: q.Sort.Descending}
	index, skip := "characters_living_", ""
	if q.Filter.Trash {
		index = "characters_trash_"
	}
	switch q.Sort.Key {
	case character.ByName:
		index += "name"
	case character.ByModified:
		index += "modified"
	default:
		index += "created"
	}
	if p := q.After; p != nil {
		skip = timeKey(p.Time, p.ID)
		if q.Sort.Key == character.ByName {
			skip = nameKey(p.Name, p.ID)
		}
		sp.from(skip)
	}
	wanted := q.Filter.Wanted()
	sc := scan{table: charactersTable, along: index, low: sp.low, high: sp.high, descending: sp.descending, attributes: append([]string{index}, attributes...), page: page}
	return walk(ctx, s.d, sc, (*characterRow).key, func(r *characterRow) error {
		if r.key() == skip || !r.picked(q.Filter, wanted) {
			return nil
		}
		return show(r)
	})
}

// picked is character.Filter.Matches with the columns of a row, but for the place.
func (r *characterRow) picked(f character.Filter, wanted []string) bool {
	return (f.Race == "" || r.Race == f.Race) && (f.Player == nil || string(r.Player) == *f.Player) &&
		(f.LevelMin == 0 || r.Level >= f.LevelMin) && (f.LevelMax == 0 || r.Level <= f.LevelMax) &&
		(f.Class == "" || slices.Contains(strings.Fields(r.Classes), f.Class)) && holdsAll(string(r.Words), wanted)
}

// filtered tells whether a filter picks some of a place.
func filtered(f character.Filter) bool {
	f.Trash = false
	return f != character.Filter{}
}

// List implements character.Store. A page without a filter is one request for a stretch of an index; with one, every
// row up to the end of the page is looked at.
func (s *Characters) List(ctx context.Context, q character.Query) ([]character.Character, error) {
	var items []character.Character
	err := s.d.read(ctx, "character.list", func(ctx context.Context) error {
		items = nil
		if q.Limit < 1 {
			return nil
		}
		attributes, page := characterFull, q.Limit
		if filtered(q.Filter) {
			attributes, page = append(append([]string(nil), characterFilter...), characterFull[1:]...), max(page, heavyPage)
		}
		return s.each(ctx, q, attributes, page, func(r *characterRow) error {
			c, err := r.value()
			if err != nil {
				return err
			}
			if items = append(items, c); len(items) == q.Limit {
				return errEnough
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return items, nil
}

// Count implements character.Store. It costs a look at every character of the place, without the documents.
func (s *Characters) Count(ctx context.Context, f character.Filter) (n int, err error) {
	err = s.d.read(ctx, "character.count", func(ctx context.Context) error {
		release, err := s.d.locks.enter(ctx)
		if err != nil {
			return err
		}
		defer release()
		n = 0
		attributes := characterFull[:1]
		if filtered(f) {
			attributes = characterFilter
		}
		return s.each(ctx, character.Query{Filter: f}, attributes, lightPage, func(*characterRow) error { n++; return nil })
	})
	return n, err
}

// Purge implements character.Store.
func (s *Characters) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	purged := 0
	err := s.d.changeAlone(ctx, "character.purge", nil, func(ctx context.Context) error {
		if limit < 1 {
			return nil
		}
		gone := removes(charactersTable)
		if err := s.d.trashed(ctx, charactersTable, "characters_trash_deleted", before, min(limit, lightPage), func(id string) error {
			if gone.Removed = append(gone.Removed, id); len(gone.Removed) == limit {
				return errEnough
			}
			return nil
		}); err != nil {
			return err
		}
		if err := s.d.commit(ctx, gone); err != nil {
			return err
		}
		purged = len(gone.Removed)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return purged, nil
}

// CountTrash implements character.Store. It costs a look at each row that it counts.
func (s *Characters) CountTrash(ctx context.Context, before time.Time) (n int, err error) {
	err = s.d.read(ctx, "character.count_trash", func(ctx context.Context) error {
		n = 0
		return s.d.trashed(ctx, charactersTable, "characters_trash_deleted", before, lightPage, func(string) error { n++; return nil })
	})
	return n, err
}
