package memory

import (
	"context"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/character"
)

// List implements character.Store.
func (s *Characters) List(ctx context.Context, q character.Query) ([]character.Character, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	if q.Limit < 1 {
		return nil, nil
	}
	best := characterPage{query: q}
	if err := s.filtered(ctx, q.Filter, best.offer); err != nil {
		return nil, err
	}
	best.cut()
	items := make([]character.Character, len(best.entries))
	for i, e := range best.entries {
		items[i] = e.row.Clone()
	}
	return items, nil
}

// Count implements character.Store.
func (s *Characters) Count(ctx context.Context, f character.Filter) (int, error) {
	n := 0
	err := s.filtered(ctx, f, func(*characterRow) { n++ })
	return n, err
}

// filtered shows the rows that a filter picks, in no order.
func (s *Characters) filtered(ctx context.Context, f character.Filter, show func(*characterRow)) error {
	wanted := f.Wanted()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.each(ctx, func(row *characterRow) {
		if row.picked(f, wanted) {
			show(row)
		}
	})
}

// picked is character.Filter.Matches for a filter whose wanted words are known, with the columns of the row.
func (r *characterRow) picked(f character.Filter, wanted []string) bool {
	return r.InTrash() == f.Trash && (f.Race == "" || r.Race == f.Race) && (f.Player == nil || r.Player == *f.Player) &&
		(f.LevelMin == 0 || r.Level >= f.LevelMin) && (f.LevelMax == 0 || r.Level <= f.LevelMax) &&
		(f.Class == "" || slices.Contains(r.columns.Classes, f.Class)) &&
		!slices.ContainsFunc(wanted, func(word string) bool { return !strings.Contains(r.columns.Words, word) })
}

// characterPage keeps the first few of all that it is offered.
type characterPage struct {
	query   character.Query
	entries []characterEntry
	// full is set when entries holds a whole page in order, and perhaps more behind it.
	full bool
}

// characterEntry is a row with its place in the list at hand.
type characterEntry struct {
	position character.Position
	row      *characterRow
}

func (p *characterPage) compare(a, b character.Position) int {
	if p.query.Sort.Descending {
		return b.Compare(a)
	}
	return a.Compare(b)
}

// roomy is how many entries are gathered at least before those that are too many are cut off.
const roomy = 256

func (p *characterPage) offer(row *characterRow) {
	position := character.PositionOf(row.Character, p.query.Sort)
	if after := p.query.After; after != nil && p.compare(position, *after) <= 0 {
		return
	}
	if p.full && p.compare(position, p.entries[p.query.Limit-1].position) > 0 {
		return
	}
	p.entries = append(p.entries, characterEntry{position, row})
	if len(p.entries) >= roomy && len(p.entries)/2 >= p.query.Limit {
		p.cut()
	}
}

// cut puts the entries in order and leaves a page of them.
func (p *characterPage) cut() {
	slices.SortFunc(p.entries, func(a, b characterEntry) int { return p.compare(a.position, b.position) })
	if len(p.entries) >= p.query.Limit {
		p.entries, p.full = p.entries[:p.query.Limit], true
	}
}
