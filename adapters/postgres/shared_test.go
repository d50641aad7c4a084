package postgres

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

// TestCreationsThatShareATrip has many at once, so that they share statements: of those with one id exactly one is
// stored, what cannot be stored is refused alone, and everything that was answered well is there.
func TestCreationsThatShareATrip(t *testing.T) {
	s := open(t, servers.Postgres(t).Database(t)).Templates()
	contested := uuid.New()
	var won, lost, refused atomic.Int64
	var creating sync.WaitGroup
	for n := range 400 {
		creating.Go(func() {
			made := sample(fmt.Sprint("template ", n))
			switch n % 10 {
			case 0:
				made.ID = contested
			case 1:
				made.Content = "no UTF-8: \xff"
			}
			err := s.Create(t.Context(), made, nil)
			switch {
			case n%10 == 0 && err == nil:
				won.Add(1)
			case n%10 == 0 && errors.Is(err, template.ErrTaken):
				lost.Add(1)
			case n%10 == 1 && fault.Is(err, fault.Malformed):
				refused.Add(1)
			case err != nil || n%10 < 2:
				t.Errorf("%d: %v", n, err)
			default:
				if got, err := s.Get(t.Context(), made.ID); err != nil || got.Name != made.Name {
					t.Errorf("%d was stored and reads as %q, %v", n, got.Name, err)
				}
			}
		})
	}
	creating.Wait()
	if won.Load() != 1 || lost.Load() != 39 || refused.Load() != 40 {
		t.Errorf("of 40 with one id %d are stored and %d told that it is taken; of 40 that cannot be stored %d are refused",
			won.Load(), lost.Load(), refused.Load())
	}
	if n, err := s.Count(t.Context(), template.Filter{}); err != nil || n != 400-40-39 {
		t.Errorf("%d rows, %v", n, err)
	}
}
