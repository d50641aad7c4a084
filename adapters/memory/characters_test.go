package memory

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/test/contract"
)

func TestCharacters(t *testing.T) {
	contract.CharacterStore(t, contract.CharacterHarness{Open: func(*testing.T) character.Store { return NewCharacters() }})
}

// TestCharacterPagesOfMany lists more than a page has room for, in the best and in the worst order.
func TestCharacterPagesOfMany(t *testing.T) {
	s := NewCharacters()
	for i := range 5000 {
		c := character.Character{ID: uuid.New(), Build: character.Build{Name: fmt.Sprintf("%05d", i*7919%5000)}, Revision: 1, Created: time.Unix(int64(i), 0).UTC()}
		if err := s.Create(t.Context(), c, nil, uuid.Nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, sort := range []character.Sort{{Key: character.ByCreated}, {Key: character.ByCreated, Descending: true}, {Key: character.ByName}} {
		for _, limit := range []int{1, 100, 300, 4999, 6000} {
			items, err := s.List(t.Context(), character.Query{Sort: sort, Limit: limit})
			if err != nil || len(items) != min(limit, 5000) {
				t.Fatalf("%s, limit %d: %d items, %v", sort, limit, len(items), err)
			}
			for i, c := range items {
				want := i
				if sort.Descending {
					want = 4999 - i
				}
				if got := c.Created.Unix(); sort.Key == character.ByCreated && got != int64(want) {
					t.Fatalf("%s, limit %d: item %d is %d", sort, limit, i, got)
				}
				if sort.Key == character.ByName && c.Name != fmt.Sprintf("%05d", i) {
					t.Fatalf("%s, limit %d: item %d is %s", sort, limit, i, c.Name)
				}
			}
		}
	}
}
