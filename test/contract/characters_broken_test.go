package contract

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
)

// brokenCharacters is a store of which some methods are replaced.
type brokenCharacters struct {
	character.Store
	create   func(context.Context, character.Character, *character.Claim, uuid.UUID) error
	get      func(context.Context, uuid.UUID) (character.Character, error)
	replace  func(context.Context, character.Character, int, *character.Claim, uuid.UUID) error
	trash    func(context.Context, uuid.UUID, int, time.Time) error
	undelete func(context.Context, uuid.UUID, int, *character.Claim) error
	list     func(context.Context, character.Query) ([]character.Character, error)
	count    func(context.Context, character.Filter) (int, error)
	saveRoll func(context.Context, character.Roll, *character.Claim) error
	roll     func(context.Context, uuid.UUID) (character.Roll, error)
	receipt  func(context.Context, string, string, time.Time) (character.Receipt, error)
	forget   func(context.Context, time.Time, int) (int, error)
	purge    func(context.Context, time.Time, int) (int, error)
	counted  func(context.Context, time.Time) (int, error)
}

func breakCharacters(what string, breaks func(good character.Store, b *brokenCharacters)) breaker[character.Store] {
	return breaker[character.Store]{what, func(good character.Store) character.Store {
		b := &brokenCharacters{good, good.Create, good.Get, good.Replace, good.Trash, good.Undelete, good.List, good.Count, good.SaveRoll, good.Roll,
			good.Receipt, good.ForgetReceipts, good.Purge, good.CountTrash}
		breaks(good, b)
		return b
	}}
}

func (b *brokenCharacters) Create(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
	return b.create(ctx, c, claim, roll)
}
func (b *brokenCharacters) Get(ctx context.Context, id uuid.UUID) (character.Character, error) {
	return b.get(ctx, id)
}
func (b *brokenCharacters) Replace(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
	return b.replace(ctx, c, was, claim, roll)
}
func (b *brokenCharacters) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	return b.trash(ctx, id, was, at)
}
func (b *brokenCharacters) Undelete(ctx context.Context, id uuid.UUID, was int, claim *character.Claim) error {
	return b.undelete(ctx, id, was, claim)
}
func (b *brokenCharacters) List(ctx context.Context, q character.Query) ([]character.Character, error) {
	return b.list(ctx, q)
}
func (b *brokenCharacters) Count(ctx context.Context, f character.Filter) (int, error) {
	return b.count(ctx, f)
}
func (b *brokenCharacters) SaveRoll(ctx context.Context, r character.Roll, claim *character.Claim) error {
	return b.saveRoll(ctx, r, claim)
}
func (b *brokenCharacters) Roll(ctx context.Context, id uuid.UUID) (character.Roll, error) {
	return b.roll(ctx, id)
}
func (b *brokenCharacters) Receipt(ctx context.Context, user, key string, now time.Time) (character.Receipt, error) {
	return b.receipt(ctx, user, key, now)
}
func (b *brokenCharacters) ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error) {
	return b.forget(ctx, now, limit)
}
func (b *brokenCharacters) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	return b.purge(ctx, before, limit)
}
func (b *brokenCharacters) CountTrash(ctx context.Context, before time.Time) (int, error) {
	return b.counted(ctx, before)
}

// spoilsCharacters changes what is stored.
func spoilsCharacters(what string, spoil func(*character.Character)) breaker[character.Store] {
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			c = c.Clone()
			spoil(&c)
			return good.Create(ctx, c, claim, roll)
		}
		b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			c = c.Clone()
			spoil(&c)
			return good.Replace(ctx, c, was, claim, roll)
		}
	})
}

// readsCharacters changes what is answered.
func readsCharacters(what string, spoil func(*character.Character)) breaker[character.Store] {
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.get = func(ctx context.Context, id uuid.UUID) (character.Character, error) {
			c, err := good.Get(ctx, id)
			spoil(&c)
			return c, err
		}
	})
}

// createsBy replaces Create.
func createsBy(what string, create func(good character.Store, ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error) breaker[character.Store] {
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			return create(good, ctx, c, claim, roll)
		}
	})
}

// replacesBy replaces Replace.
func replacesBy(what string, replace func(good character.Store, ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error) breaker[character.Store] {
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			return replace(good, ctx, c, was, claim, roll)
		}
	})
}

// spoilsClaims changes the claims that are stored.
func spoilsClaims(what string, spoil func(*character.Claim) *character.Claim) breaker[character.Store] {
	spoiled := func(c *character.Claim) *character.Claim {
		if c == nil {
			return nil
		}
		copied := *c
		return spoil(&copied)
	}
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			return good.Create(ctx, c, spoiled(claim), roll)
		}
		b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			return good.Replace(ctx, c, was, spoiled(claim), roll)
		}
		b.undelete = func(ctx context.Context, id uuid.UUID, was int, claim *character.Claim) error {
			return good.Undelete(ctx, id, was, spoiled(claim))
		}
		b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error {
			return good.SaveRoll(ctx, r, spoiled(claim))
		}
	})
}

// noteClaim stores a claim on its own.
func noteClaim(ctx context.Context, good character.Store, claim *character.Claim) {
	if claim != nil {
		r := sampleRoll(1)
		r.ID = uuid.New()
		_ = good.SaveRoll(ctx, r, claim)
	}
}

var (
	ignoresCharacterRevisions = breakCharacters("does not compare revisions", func(good character.Store, b *brokenCharacters) {
		current := func(ctx context.Context, id uuid.UUID) int {
			c, _ := good.Get(ctx, id)
			return c.Revision
		}
		b.replace = func(ctx context.Context, c character.Character, _ int, claim *character.Claim, roll uuid.UUID) error {
			return good.Replace(ctx, c, current(ctx, c.ID), claim, roll)
		}
		b.trash = func(ctx context.Context, id uuid.UUID, _ int, at time.Time) error {
			return good.Trash(ctx, id, current(ctx, id), at)
		}
		b.undelete = func(ctx context.Context, id uuid.UUID, _ int, claim *character.Claim) error {
			return good.Undelete(ctx, id, current(ctx, id), claim)
		}
	})
	losesUpdates = breakCharacters("looks first and writes later", func(good character.Store, b *brokenCharacters) {
		gap := newGap()
		looked := func(ctx context.Context, id uuid.UUID, was int, inTrash bool, write func() error) error {
			if now, err := good.Get(ctx, id); err != nil || now.Revision != was || now.InTrash() != inTrash {
				return character.ErrStale
			}
			gap()
			if err := write(); !errors.Is(err, character.ErrStale) {
				return err
			}
			return nil
		}
		b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			return looked(ctx, c.ID, was, false, func() error { return good.Replace(ctx, c, was, claim, roll) })
		}
		b.trash = func(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
			return looked(ctx, id, was, false, func() error { return good.Trash(ctx, id, was, at) })
		}
		b.undelete = func(ctx context.Context, id uuid.UUID, was int, claim *character.Claim) error {
			return looked(ctx, id, was, true, func() error { return good.Undelete(ctx, id, was, claim) })
		}
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := good.CountTrash(ctx, before)
			gap()
			_, _ = good.Purge(ctx, before, limit)
			return n, err
		}
	})
	claimsCharactersLater = breakCharacters("looks for claims first and notes them later", func(good character.Store, b *brokenCharacters) {
		gap := newGap()
		free := func(ctx context.Context, claim *character.Claim) bool {
			if claim == nil {
				return true
			}
			_, err := good.Receipt(ctx, claim.User, claim.Key, claim.Made)
			if err == nil {
				return false
			}
			gap()
			return true
		}
		b.create = func(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
			if !free(ctx, claim) {
				return character.ErrClaimed
			}
			if err := good.Create(ctx, c, claim, roll); !errors.Is(err, character.ErrClaimed) {
				return err
			}
			return good.Create(ctx, c, nil, roll)
		}
		b.replace = func(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
			if !free(ctx, claim) {
				return character.ErrClaimed
			}
			if err := good.Replace(ctx, c, was, claim, roll); !errors.Is(err, character.ErrClaimed) {
				return err
			}
			return good.Replace(ctx, c, was, nil, roll)
		}
		b.saveRoll = func(ctx context.Context, r character.Roll, claim *character.Claim) error {
			if !free(ctx, claim) {
				return character.ErrClaimed
			}
			if err := good.SaveRoll(ctx, r, claim); !errors.Is(err, character.ErrClaimed) {
				return err
			}
			return good.SaveRoll(ctx, r, nil)
		}
	})
)

// relistedCharacters is a store whose lists are made anew, with another idea of what a filter picks or of the order; nil
// keeps the right one. The rows before the page are found by their order, ids breaking ties.
func relistedCharacters(what string, pick func(character.Filter, character.Character) bool, compare func(s character.Sort, a, b character.Character) int) breaker[character.Store] {
	if pick == nil {
		pick = character.Filter.Matches
	}
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		all := func(ctx context.Context, f character.Filter) ([]character.Character, error) {
			var rows []character.Character
			for _, trash := range []bool{false, true} {
				some, err := good.List(ctx, character.Query{Filter: character.Filter{Trash: trash}, Limit: 1 << 20})
				if err != nil {
					return nil, err
				}
				rows = append(rows, some...)
			}
			return slices.DeleteFunc(rows, func(c character.Character) bool { return !pick(f, c) }), nil
		}
		b.count = func(ctx context.Context, f character.Filter) (int, error) {
			rows, err := all(ctx, f)
			return len(rows), err
		}
		b.list = func(ctx context.Context, q character.Query) ([]character.Character, error) {
			rows, err := all(ctx, q.Filter)
			slices.SortFunc(rows, func(x, y character.Character) int {
				c := 0
				if compare != nil {
					c = compare(q.Sort, x, y)
				}
				if c == 0 {
					c = character.PositionOf(x, q.Sort).Compare(character.PositionOf(y, q.Sort))
				}
				if q.Sort.Descending {
					return -c
				}
				return c
			})
			if q.After != nil {
				for i, c := range rows {
					if c.ID == q.After.ID {
						rows = rows[i+1:]
						break
					}
				}
			}
			return rows[:min(len(rows), q.Limit)], err
		}
	})
}

// picksCharactersBy changes the filter and the character before the right picking.
func picksCharactersBy(what string, change func(f *character.Filter, c *character.Character)) breaker[character.Store] {
	return relistedCharacters(what, func(f character.Filter, c character.Character) bool {
		c = c.Clone()
		change(&f, &c)
		return f.Matches(c)
	}, nil)
}

// searchesBy replaces the search for words in the name, the player and the class.
func searchesBy(what string, found func(query, text string) bool) breaker[character.Store] {
	return relistedCharacters(what, func(f character.Filter, c character.Character) bool {
		query := f.Words
		f.Words = ""
		return f.Matches(c) && (query == "" || found(query, c.Columns().Words+c.Name))
	}, nil)
}

// asksFor replaces the query of a page.
func asksFor(what string, change func(q *character.Query)) breaker[character.Store] {
	return breakCharacters(what, func(good character.Store, b *brokenCharacters) {
		b.list = func(ctx context.Context, q character.Query) ([]character.Character, error) {
			change(&q)
			return good.List(ctx, q)
		}
	})
}

var countsRows = breakCharacters("pages by counting rows", func(good character.Store, b *brokenCharacters) {
	var mu sync.Mutex
	offsets := map[string]int{}
	b.list = func(ctx context.Context, q character.Query) ([]character.Character, error) {
		mu.Lock()
		defer mu.Unlock()
		key := describeFilter(q.Filter) + q.Sort.String()
		if q.After == nil {
			offsets[key] = 0
		}
		offset, limit := offsets[key], q.Limit
		q.After, q.Limit = nil, offset+limit
		rows, err := good.List(ctx, q)
		offsets[key] += limit
		return rows[min(offset, len(rows)):], err
	}
})
