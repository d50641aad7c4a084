package template

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// Export calls each for every template, oldest first, as they all stood at one moment. What each gets may not be
// kept. Needs templates:read.
func (s *Service) Export(ctx context.Context, w Wanted, each func(Record) error) error {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return err
	}
	return s.stored.Export(ctx, w, each)
}

// purgeBatch is how many templates one transaction of Purge or Thin looks at.
const purgeBatch = 200

// Purge removes for good what was moved to the trash before the moment, with all its revisions, and tells how many
// templates. With dry set it only counts. It is the operator's: keys:admin is needed.
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

// Thin removes old revisions of living templates, but for the newest keep of each and those with a label, and tells
// how many. With dry set it only counts. It is the operator's: keys:admin is needed. Invalid for keep below 1.
func (s *Service) Thin(ctx context.Context, keep int, dry bool) (int, error) {
	if _, err := auth.Require(ctx, auth.KeysAdmin); err != nil {
		return 0, err
	}
	if keep < 1 {
		return 0, fault.New(fault.Invalid, "at least 1 revision must be kept: the current one")
	}
	total, after := 0, uuid.Nil
	for {
		removed, last, done, err := s.stored.Thin(ctx, keep, after, purgeBatch, dry)
		total += removed
		if err != nil || done {
			return total, err
		}
		after = last
	}
}
