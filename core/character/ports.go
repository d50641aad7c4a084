package character

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
	ErrTaken error = fault.New(fault.Conflict, "a character with this id exists already (be it in the trash)")
	// ErrStale is a character that is not at the revision, or not in the place (living, trash), that the change started from.
	ErrStale error = fault.New(fault.Stale, "the character is no longer at that revision; read it again")
	// ErrClaimed is an idempotency key that somebody has used; Receipt tells for what.
	ErrClaimed error = fault.New(fault.Conflict, "the idempotency key has been used")
	// ErrClaimRunning is an idempotency key whose first request has not ended yet.
	ErrClaimRunning error = fault.New(fault.Conflict, "a request with this Idempotency-Key is still running; try again in a moment")
	// ErrRollUsed is a roll that does not exist, or that another character has used.
	ErrRollUsed error = fault.InvalidAt("/abilities/rollid", "must be a roll that no other character has used; make a new one with POST /v1/rolls")
)

// Store keeps characters, each at its current revision only, and rolls. It only stores: ids, times, revisions and
// rules come from the Service. A change that was answered without an error is durable; one that was answered with an
// error may have happened all the same only if the error is Unavailable. Every method honours ctx and is safe for
// concurrent use. What it takes and gives is copied: nobody shares a slice or a map with it.
//
// A character is stored as one document, as Encode makes it, beside the columns that lists need: its id, Columns,
// Revision, Created, Modified and Deleted. Deleted is not part of the document.
//
// Implementations: adapters/postgres, adapters/sqlite, adapters/memory, adapters/harper.
type Store interface {
	// Create stores a new character. In the same transaction it stores the claim, if one is given, and notes that the
	// character uses the roll, if that is not uuid.Nil. ErrTaken; ErrClaimed, ErrClaimRunning; ErrRollUsed when there
	// is no such roll or another character uses it. Nothing is stored then.
	Create(ctx context.Context, c Character, claim *Claim, roll uuid.UUID) error
	// Get answers the current revision, also of one in the trash (Deleted is set then); NotFound.
	Get(ctx context.Context, id uuid.UUID) (Character, error)
	// Replace stores c in the place of what was there, if the character lives and stands at revision was; else
	// ErrStale. c.Revision is was+1, or was when nothing is new but the claim. Created and Deleted of c are not looked at.
	// Claim and roll are as in Create; a roll that this character uses already is no error. Where several errors apply,
	// any of them is right.
	Replace(ctx context.Context, c Character, was int, claim *Claim, roll uuid.UUID) error
	// Trash moves the character to the trash at the time at, if it lives and stands at revision was; else ErrStale.
	Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error
	// Undelete brings it back from the trash, if it is there at revision was; else ErrStale. The claim is as in Create.
	Undelete(ctx context.Context, id uuid.UUID, was int, claim *Claim) error
	// List answers one page in the query's order; never more than q.Limit.
	List(ctx context.Context, q Query) ([]Character, error)
	// Count tells how many characters the filter picks.
	Count(ctx context.Context, f Filter) (int, error)

	// SaveRoll stores a new roll, with its claim, if one is given, in the same transaction. ErrClaimed,
	// ErrClaimRunning; Conflict for an id that exists. Nothing is stored then.
	SaveRoll(ctx context.Context, r Roll, claim *Claim) error
	// Roll answers a roll, UsedBy as it stands now; NotFound.
	Roll(ctx context.Context, id uuid.UUID) (Roll, error)

	// Receipt answers what an idempotency key was used for, if it has not expired at the time now; NotFound.
	Receipt(ctx context.Context, user, key string, now time.Time) (Receipt, error)
	// ForgetReceipts removes up to limit receipts that had expired at the time now, and tells how many.
	ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error)
	// Purge removes for good up to limit characters that were moved to the trash before the moment, in one
	// transaction, and tells how many. The rolls that they used stay used.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
	// CountTrash tells how many Purge would remove, without a limit.
	CountTrash(ctx context.Context, before time.Time) (int, error)
}

// Claim is an Idempotency-Key that a request brings. The same user can use it once, for characters and rolls
// together, until it expires: a receipt that has expired at the time Made does not stand in the way and is replaced.
type Claim struct {
	User string
	Key  string
	// Fingerprint is a digest of the whole request.
	Fingerprint [32]byte
	// Answer is what the request answers, to be given again to its repeats: JSON of at most 1 MiB, kept byte for byte.
	Answer []byte
	// Made is the time of the request, Expires is when the key may be used anew, in UTC with microseconds.
	Made    time.Time
	Expires time.Time
}

// Receipt is what a claim was used for.
type Receipt struct {
	Fingerprint [32]byte
	Answer      []byte
}

// Columns are the parts of a character that filters and sorts look at; they follow from its document.
type Columns struct {
	Name   string
	Player string
	Race   string
	// Classes are the slugs of all classes, the first class first.
	Classes []string
	Level   int
	// Words are what Filter.Words are searched in: each word once, with a space before and behind each, such as
	// " tordek hill dwarf ". Filter.Wanted gives the pieces that must all be found in it.
	Words  string
	Author string
}
