package character

import (
	"context"
	"errors"
	"time"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// receiptsLast is how long the answer to an Idempotency-Key is kept.
const receiptsLast = 24 * time.Hour

// answer notes what the request answers, if there is a claim.
func (c *Claim) answer(encode func() []byte) {
	if c != nil {
		c.Answer = encode()
	}
}

// answerOf decodes the answers of a kind of request.
type answerOf[T any] func(answer []byte) (T, error)

var (
	characterAnswer answerOf[Character] = Decode
	rollAnswer      answerOf[Roll]      = DecodeRoll
)

// once runs work at most once for an Idempotency-Key and answers its answer to every repeat.
func once[T any](ctx context.Context, s *Service, caller *auth.Principal, key *Idempotency, decode answerOf[T],
	work func(*Claim) (T, error)) (answer T, replayed bool, err error) {
	var none T
	if key == nil {
		if answer, err = work(nil); err != nil {
			return none, false, err
		}
		return answer, false, nil
	}
	answer, replayed, err = replay(ctx, s, caller, key, decode)
	if err != nil || replayed {
		return answer, replayed, err
	}
	now := s.instant()
	answer, err = work(&Claim{User: caller.User, Key: key.Key, Fingerprint: key.Fingerprint, Made: now, Expires: now.Add(receiptsLast)})
	if err == nil {
		return answer, false, nil
	}
	if fault.Is(err, fault.Unavailable) {
		return none, false, err
	}
	// Whatever stood in the way may be the same request, a moment ahead of us.
	if earlier, replayed, lookErr := replay(ctx, s, caller, key, decode); lookErr != nil || replayed {
		return earlier, replayed, lookErr
	}
	if errors.Is(err, ErrClaimed) {
		err = ErrClaimRunning
	}
	return none, false, err
}

func replay[T any](ctx context.Context, s *Service, caller *auth.Principal, key *Idempotency, decode answerOf[T]) (answer T, found bool, err error) {
	var none T
	receipt, err := s.stored.Receipt(ctx, caller.User, key.Key, s.instant())
	if fault.Is(err, fault.NotFound) {
		return none, false, nil
	}
	if err != nil {
		return none, false, err
	}
	if receipt.Fingerprint != key.Fingerprint {
		return none, false, fault.New(fault.Invalid, "this Idempotency-Key was used for another request; make a new key for each request")
	}
	if answer, err = decode(receipt.Answer); err != nil {
		return none, false, fault.Wrap(fault.Internal, err, "the stored answer cannot be read")
	}
	return answer, true, nil
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
