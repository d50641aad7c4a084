package template

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

// What a Store refuses with, beside fault.NotFound, fault.Unavailable (the database is away, or full) and
// fault.Internal. Compare with errors.Is.
var (
	// ErrTaken is an id that exists, be it in the trash.
	ErrTaken error = fault.New(fault.Conflict, "a template with this id exists already (be it in the trash)")
	// ErrStale is a template that is not at the revision, or not in the place (living, trash), that the change started from.
	ErrStale error = fault.New(fault.Stale, "the template is no longer at that revision; read it again")
	// ErrClaimed is an idempotency key that somebody has used; Receipt tells for what.
	ErrClaimed error = fault.New(fault.Conflict, "the idempotency key has been used")
	// ErrClaimRunning is an idempotency key whose first request has not ended yet.
	ErrClaimRunning error = fault.New(fault.Conflict, "a request with this Idempotency-Key is still running; try again in a moment")
)

// Store keeps templates with all their revisions. It only stores: ids, times, revisions and rules come from the
// Service. A change that was answered without an error is durable; one that was answered with an error may have
// happened all the same only if the error is Unavailable. Every method honours ctx and is safe for concurrent use.
//
// Implementations: adapters/postgres, adapters/sqlite, adapters/memory.
type Store interface {
	// Create stores a new template at t.Revision (1, or what an import brings), with its claim, if one is given, in
	// the same transaction. ErrTaken, ErrClaimed, ErrClaimRunning; nothing is stored then.
	Create(ctx context.Context, t Template, claim *Claim) error
	// Get answers the current revision, also of one in the trash (Deleted is set then); NotFound.
	Get(ctx context.Context, id uuid.UUID) (Template, error)
	// Revision answers revision n as it was, with Created of the template; Deleted is zero. NotFound.
	Revision(ctx context.Context, id uuid.UUID, n int) (Template, error)
	// Replace makes t the current revision, if the template lives and stands at revision was; else ErrStale. What was
	// current stays as a revision. Created and Deleted of t are not looked at.
	Replace(ctx context.Context, t Template, was int) error
	// Trash moves the template to the trash at the time at, if it lives and stands at revision was; else ErrStale.
	Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error
	// Undelete brings it back from the trash, if it is there at revision was; else ErrStale. The claim is as in Create.
	Undelete(ctx context.Context, id uuid.UUID, was int, claim *Claim) error
	// List answers one page in the query's order; never more than q.Limit.
	List(ctx context.Context, q Query) ([]Template, error)
	// Count tells how many templates the filter picks.
	Count(ctx context.Context, f Filter) (int, error)
	// Receipt answers what an idempotency key was used for, if it has not expired at the time now; NotFound.
	Receipt(ctx context.Context, user, key string, now time.Time) (Receipt, error)
	// ForgetReceipts removes up to limit receipts that had expired at the time now, and tells how many.
	ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error)
}

// Claim is an Idempotency-Key that a request brings. The same user can use it once until it expires.
type Claim struct {
	User string
	Key  string
	// Fingerprint is a digest of the whole request.
	Fingerprint [32]byte
	// Revision is the revision that the request makes or shows; its replay answers that one.
	Revision int
	// Expires is when the key may be used anew, in UTC with microseconds.
	Expires time.Time
}

// Receipt is what a claim was used for.
type Receipt struct {
	Fingerprint [32]byte
	ID          uuid.UUID
	Revision    int
}

// Codec turns a template into the bytes that its readers are sent, and back. They are made once for each revision
// that enters a cache, not once for each reader. Decode must give back what Encode was given.
//
// Implementation: adapters/httpapi (JSON).
type Codec interface {
	Encode(t Template) []byte
	Decode(body []byte) (Template, error)
}
