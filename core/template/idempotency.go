package template

import (
	"context"
	"errors"
	"time"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// receiptsLast is how long the answer to an Idempotency-Key is kept.
const receiptsLast = 24 * time.Hour

// once runs work at most once for an Idempotency-Key and answers its receipt to every repeat.
func (s *Service) once(ctx context.Context, caller *auth.Principal, key *Idempotency,
	work func(*Claim) (Template, error)) (t Template, replayed bool, err error) {
	if key == nil {
		t, err = work(nil)
		return t, false, err
	}
	t, replayed, err = s.replay(ctx, caller, key)
	if err != nil || replayed {
		return t, replayed, err
	}
	t, err = work(&Claim{User: caller.User, Key: key.Key, Fingerprint: key.Fingerprint, Expires: s.instant().Add(receiptsLast)})
	if err == nil || fault.Is(err, fault.Unavailable) {
		return t, false, err
	}
	// Whatever stood in the way may be the same request, a moment ahead of us.
	if earlier, replayed, lookErr := s.replay(ctx, caller, key); lookErr != nil || replayed {
		return earlier, replayed, lookErr
	}
	if errors.Is(err, ErrClaimed) {
		err = ErrClaimRunning
	}
	return Template{}, false, err
}

func (s *Service) replay(ctx context.Context, caller *auth.Principal, key *Idempotency) (Template, bool, error) {
	receipt, err := s.stored.Receipt(ctx, caller.User, key.Key, s.instant())
	if fault.Is(err, fault.NotFound) {
		return Template{}, false, nil
	}
	if err != nil {
		return Template{}, false, err
	}
	if receipt.Fingerprint != key.Fingerprint {
		return Template{}, false, fault.New(fault.Invalid, "this Idempotency-Key was used for another request; make a new key for each request")
	}
	t, err := s.stored.Revision(ctx, receipt.ID, receipt.Revision)
	return t, err == nil, err
}

// claimUnchanged stores the claim, if there is one, of a request that t was already as it asked for.
func (s *Service) claimUnchanged(ctx context.Context, t Template, claim *Claim) error {
	if claim == nil {
		return nil
	}
	claim.Revision = t.Revision
	return s.stored.Claim(ctx, t.ID, *claim)
}

// sweepBatch is how many receipts one statement removes.
const sweepBatch = 1000

// ForgetReceipts removes the receipts of Idempotency-Keys that have expired, in small steps, until none is left or
// ctx ends. It needs no principal: it is the service's own housekeeping.
func (s *Service) ForgetReceipts(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := s.stored.ForgetReceipts(ctx, s.instant(), sweepBatch)
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}
