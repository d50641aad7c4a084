package template

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/mustache"
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
// Implementations: adapters/postgres, adapters/sqlite, adapters/memory, adapters/harper.
type Store interface {
	// Create stores a new template at t.Revision (1, or what an import brings), with its claim, if one is given, in
	// the same transaction. ErrTaken, ErrClaimed, ErrClaimRunning; nothing is stored then.
	Create(ctx context.Context, t Template, claim *Claim) error
	// Get answers the current revision, also of one in the trash (Deleted is set then); NotFound.
	Get(ctx context.Context, id uuid.UUID) (Template, error)
	// Revision answers revision n as it was, with Created of the template; Deleted is zero. NotFound.
	Revision(ctx context.Context, id uuid.UUID, n int) (Template, error)
	// Replace makes t the current revision, if the template lives and stands at revision was; else ErrStale. What was
	// current stays as a revision. Created and Deleted of t are not looked at. The claim is as in Create.
	Replace(ctx context.Context, t Template, was int, claim *Claim) error
	// Claim stores a claim on its own, for a request about template id that found nothing to change. ErrClaimed,
	// ErrClaimRunning.
	Claim(ctx context.Context, id uuid.UUID, claim Claim) error
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

// History is the part of a database that looks back: revisions, labels on them, and names. The rules of Store hold.
//
// Implementations: those of Store.
type History interface {
	// Revisions answers up to limit revisions of a template with numbers below the given one, newest first, without
	// description and content; below 0 starts at the newest. NotFound for an id that does not exist.
	Revisions(ctx context.Context, id uuid.UUID, below, limit int) ([]Template, error)
	// Named answers the id of the living template of exactly that name that was created first (ids break ties);
	// NotFound.
	Named(ctx context.Context, name string) (uuid.UUID, error)
	// Labels answers the labels of a template, sorted by name; none for an id that does not exist.
	Labels(ctx context.Context, id uuid.UUID) ([]Label, error)
	// SetLabel puts a label on a revision, wherever it was before, and notes it in the label's history; the label's
	// name, Revision, User and Modified are those of l. NotFound when the template does not live or the revision
	// does not exist.
	SetLabel(ctx context.Context, id uuid.UUID, l Label) error
	// RemoveLabel takes a label away and notes it in its history; NotFound without one.
	RemoveLabel(ctx context.Context, id uuid.UUID, name, user string, at time.Time) error
	// LabelHistory answers up to limit moves of a label before the number given, newest first; before 0 starts at the
	// newest. It is kept after the label is removed. None for a label that never was.
	LabelHistory(ctx context.Context, id uuid.UUID, name string, before int64, limit int) ([]LabelMove, error)
}

// Label is a name for a revision of a template, such as production.
type Label struct {
	Name     string
	Revision int
	User     string
	// Modified is when the label was put there, in UTC with microseconds.
	Modified time.Time
}

// LabelMove is one entry of a label's history.
type LabelMove struct {
	// Number rises with each move of any label; it is the position in the list.
	Number int64
	// From and To are the revisions; 0 where there was or is none.
	From, To int
	User     string
	Time     time.Time
}

// Archive is the part of a database that moves many templates at once. The rules of Store hold.
//
// Implementations: those of Store.
type Archive interface {
	// Export calls each for every template that is wanted, oldest first (Created as SortTime has it, then id, then
	// revision), as they all stood at one moment, in constant memory. What each gets may not be kept. An error of each
	// ends it and is handed on.
	Export(ctx context.Context, w Wanted, each func(Record) error) error
	// Current answers the current revisions of those of the ids that exist, in the trash or not.
	Current(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Template, error)
	// Write makes all the changes in one transaction, in their order, and answers an error for each: nil, ErrTaken or
	// ErrStale for those that were left out. The second error is that of the whole; nothing was stored then.
	Write(ctx context.Context, changes []Writing) ([]error, error)
	// Purge removes for good up to limit templates that were moved to the trash before the moment, with their
	// revisions, labels and receipts, in one transaction, and tells how many.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
	// CountTrash tells how many Purge would remove, without a limit.
	CountTrash(ctx context.Context, before time.Time) (int, error)
	// Thin removes superseded revisions of living templates that are older than the newest keep (the current one
	// counts), but never a labelled one. It looks at up to limit templates with ids after the given one, rising, in one
	// transaction, tells how many revisions it removed (or, with dry set, would remove), and the last id it looked at;
	// done is set when there is no template behind it.
	Thin(ctx context.Context, keep int, after uuid.UUID, limit int, dry bool) (removed int, last uuid.UUID, done bool, err error)
}

// Wanted says what an Export holds.
type Wanted struct {
	// Trash adds the templates in the trash.
	Trash bool
	// Revisions gives every revision a record of its own, those of a template together and rising.
	Revisions bool
}

// Record is one line of an export: a template at a revision, with the labels on that revision, sorted. Deleted is set
// on every record of a template in the trash. Labels is nil unless revisions are wanted.
type Record struct {
	Template
	Labels []string
}

// Writing is one change of an import.
type Writing struct {
	// Template is what is stored. Deleted puts it in the trash, or takes it from there.
	Template Template
	// Was is the revision that it must stand at now, in the trash or not; 0 for a template that must not exist. What
	// is current then stays as a revision, unless Template has the same number: then only Deleted and Labels are set.
	Was int
	// Labels are put on Template.Revision, by its author at its Modified time.
	Labels []string
}

// Database is all that a service needs of a store.
type Database interface {
	Store
	History
	Archive
}

// Trees keeps parsed templates within a budget. What it answers is shared and must not be modified.
//
// Implementation: adapters/memory.
type Trees interface {
	// Tree answers what was kept under the key.
	Tree(key TreeKey) (*mustache.Template, bool)
	// Keep keeps a tree, or does not: it may be too large.
	Keep(key TreeKey, tree *mustache.Template)
}

// TreeKey names a parsed revision. The digest tells contents of the same number apart: rows may be changed by hand.
type TreeKey struct {
	ID       uuid.UUID
	Revision int
	Digest   uint64
}

// Differ compares texts.
//
// Implementation: adapters/udiff.
type Differ interface {
	// Unified gives the unified diff that turns before into after, as patch(1) applies it, with names for the two; "" when
	// they are the same. It is bounded by ctx.
	Unified(ctx context.Context, oldName, newName, before, after string) (string, error)
}
