package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// Characters is a character.Store on a Handle.
type Characters struct{ h *Handle }

var _ character.Store = (*Characters)(nil)

// Characters gives the store of characters and rolls.
func (h *Handle) Characters() *Characters { return &Characters{h} }

var (
	errNoCharacter error = fault.New(fault.NotFound, "there is no character with this id")
	errNoRoll      error = fault.New(fault.NotFound, "there is no roll with this id")
	errRollTaken   error = fault.New(fault.Conflict, "a roll with this id exists already")
	errNoAnswer    error = fault.New(fault.NotFound, "the idempotency key has not been used")
)

const brokenDocument = "what is stored of a character or a roll cannot be read"

// characterColumns is what a characterRow reads.
const characterColumns = `document, created, deleted`

// characterRow is a row of characters as it is read: created is what the row says, because a Replace brings a document
// without looking at what it says of it.
type characterRow struct {
	document         []byte
	created, deleted time.Time
}

func (r *characterRow) fields() []any {
	return []any{&r.document, stamp{&r.created}, stamp{&r.deleted}}
}

func (r *characterRow) value() (character.Character, error) {
	c, err := character.Decode(r.document)
	if err != nil {
		return character.Character{}, fault.Wrap(fault.Internal, err, brokenDocument)
	}
	c.Created, c.Deleted = r.created, r.deleted
	return c, nil
}

// characterArgs are the values of a character's columns from name to document but for created and deleted.
func (d *Dialect) characterArgs(c character.Character) []any {
	columns := c.Columns()
	return []any{columns.Name, columns.Player, columns.Race, classList(columns.Classes), columns.Level, columns.Words, columns.Author,
		c.Revision, d.instant(c.Modified), string(character.Encode(c))}
}

// classList is the form of the column classes: the slugs, each with a space before and behind.
func classList(classes []string) string { return " " + strings.Join(classes, " ") + " " }

// instant gives the parameter of a time in whole microseconds, which a database would round.
func (d *Dialect) instant(t time.Time) any { return d.Time(t.UTC().Truncate(time.Microsecond)) }

const getCharacter = `SELECT ` + characterColumns + ` FROM characters WHERE characterid = $1`

// Get implements character.Store.
func (s *Characters) Get(ctx context.Context, id uuid.UUID) (c character.Character, err error) {
	err = s.h.run(ctx, "character.get", func(ctx context.Context) error {
		var row characterRow
		if err := s.h.row(ctx, getCharacter, row.fields(), id.String()); err != nil {
			return orElse(err, errNoCharacter)
		}
		c, err = row.value()
		return err
	})
	return c, err
}

const createCharacter = `INSERT INTO characters (characterid, name, player, race, classes, level, words, author, revision, modified, document, created)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (characterid) DO NOTHING`

// Create implements character.Store.
func (s *Characters) Create(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
	d := &s.h.dialect
	args := append(append([]any{c.ID.String()}, d.characterArgs(c)...), d.instant(c.Created))
	return s.h.run(ctx, "character.create", func(ctx context.Context) error {
		return s.write(ctx, claim, createCharacter, character.ErrTaken, args, c.ID, roll)
	})
}

const replaceCharacter = `UPDATE characters SET name = $2, player = $3, race = $4, classes = $5, level = $6, words = $7, author = $8, revision = $9,
modified = $10, document = $11 WHERE characterid = $1 AND revision = $12 AND deleted IS NULL`

// Replace implements character.Store.
func (s *Characters) Replace(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
	args := append(append([]any{c.ID.String()}, s.h.dialect.characterArgs(c)...), was)
	return s.h.run(ctx, "character.replace", func(ctx context.Context) error {
		return s.write(ctx, claim, replaceCharacter, character.ErrStale, args, c.ID, roll)
	})
}

const trashCharacter = `UPDATE characters SET deleted = $3 WHERE characterid = $1 AND revision = $2 AND deleted IS NULL`

// Trash implements character.Store.
func (s *Characters) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	return s.h.run(ctx, "character.trash", func(ctx context.Context) error {
		n, err := s.h.exec(ctx, trashCharacter, id.String(), was, s.h.dialect.instant(at))
		return oneOr(n, err, character.ErrStale)
	})
}

const undeleteCharacter = `UPDATE characters SET deleted = NULL WHERE characterid = $1 AND revision = $2 AND deleted IS NOT NULL`

// Undelete implements character.Store.
func (s *Characters) Undelete(ctx context.Context, id uuid.UUID, was int, claim *character.Claim) error {
	return s.h.run(ctx, "character.undelete", func(ctx context.Context) error {
		return s.write(ctx, claim, undeleteCharacter, character.ErrStale, []any{id.String(), was}, id, uuid.Nil)
	})
}

// A roll that was used by a character which is gone stays with its id.
const useRoll = `UPDATE character_rolls SET used_by = $2 WHERE rollid = $1 AND (used_by IS NULL OR used_by = $2)`

// write runs a statement that must change one row, else it is refused; in the same transaction it stores the claim and
// notes that the character id uses the roll, where they are given.
func (s *Characters) write(ctx context.Context, claim *character.Claim, text string, refused error, args []any, id, roll uuid.UUID) error {
	if claim == nil && roll == uuid.Nil {
		n, err := s.h.exec(ctx, text, args...)
		return oneOr(n, err, refused)
	}
	needed := append(s.h.dialect.claimTexts(claim), text)
	if roll != uuid.Nil {
		needed = append(needed, useRoll)
	}
	return s.h.inTx(ctx, needed, func(t tx) error {
		if err := t.claimAnswer(ctx, &s.h.dialect, claim); err != nil {
			return err
		}
		n, err := t.exec(ctx, text, args...)
		if err = oneOr(n, err, refused); err != nil || roll == uuid.Nil {
			return err
		}
		n, err = t.exec(ctx, useRoll, roll.String(), id.String())
		return oneOr(n, err, character.ErrRollUsed)
	})
}

const (
	saveRoll = `INSERT INTO character_rolls (rollid, created, document) VALUES ($1, $2, $3) ON CONFLICT (rollid) DO NOTHING`
	getRoll  = `SELECT document, used_by FROM character_rolls WHERE rollid = $1`
)

// SaveRoll implements character.Store. UsedBy of r is not looked at: a new roll is used by nobody.
func (s *Characters) SaveRoll(ctx context.Context, r character.Roll, claim *character.Claim) error {
	args := []any{r.ID.String(), s.h.dialect.instant(r.Created), string(character.EncodeRoll(r))}
	return s.h.run(ctx, "roll.save", func(ctx context.Context) error {
		return s.write(ctx, claim, saveRoll, errRollTaken, args, uuid.Nil, uuid.Nil)
	})
}

// Roll implements character.Store.
func (s *Characters) Roll(ctx context.Context, id uuid.UUID) (r character.Roll, err error) {
	err = s.h.run(ctx, "roll.get", func(ctx context.Context) error {
		var document []byte
		var usedBy uuid.NullUUID
		if err := s.h.row(ctx, getRoll, []any{&document, &usedBy}, id.String()); err != nil {
			return orElse(err, errNoRoll)
		}
		if r, err = character.DecodeRoll(document); err != nil {
			return fault.Wrap(fault.Internal, err, brokenDocument)
		}
		r.UsedBy = usedBy.UUID
		return nil
	})
	return r, err
}

const claimAnswer = `INSERT INTO character_receipts (username, idempotency_key, fingerprint, answer, expires)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (username, idempotency_key) DO UPDATE SET fingerprint = excluded.fingerprint,
answer = excluded.answer, expires = excluded.expires WHERE character_receipts.expires <= $6`

// claimTexts are the statements that claimAnswer runs.
func (d *Dialect) claimTexts(c *character.Claim) []string {
	switch {
	case c == nil:
		return nil
	case d.LockClaim == "":
		return []string{claimAnswer}
	}
	return []string{claimAnswer, d.LockClaim}
}

// claimAnswer stores a claim, if there is one and it can be used.
func (t tx) claimAnswer(ctx context.Context, d *Dialect, c *character.Claim) error {
	if c == nil {
		return nil
	}
	if d.LockClaim != "" {
		var free bool
		if err := t.row(ctx, d.LockClaim, &free, characterLock(c)); err != nil {
			return err
		}
		if !free {
			return character.ErrClaimRunning
		}
	}
	n, err := t.exec(ctx, claimAnswer, c.User, c.Key, c.Fingerprint[:], append([]byte{}, c.Answer...), d.instant(c.Expires), d.instant(c.Made))
	return oneOr(n, err, character.ErrClaimed)
}

// characterLock is a number for a user's key, other than the one that the same key has for templates.
func characterLock(c *character.Claim) int64 {
	sum := sha256.Sum256([]byte("character\x00" + c.User + "\x00" + c.Key))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

const getAnswer = `SELECT fingerprint, answer FROM character_receipts WHERE username = $1 AND idempotency_key = $2 AND expires > $3`

// Receipt implements character.Store.
func (s *Characters) Receipt(ctx context.Context, user, key string, now time.Time) (character.Receipt, error) {
	var r character.Receipt
	err := s.h.run(ctx, "character_receipt.get", func(ctx context.Context) error {
		return orElse(s.h.row(ctx, getAnswer, []any{digest{r.Fingerprint[:]}, &r.Answer}, user, key, s.h.dialect.instant(now)), errNoAnswer)
	})
	return r, err
}

const forgetAnswers = `DELETE FROM character_receipts WHERE (username, idempotency_key) IN
(SELECT username, idempotency_key FROM character_receipts WHERE expires <= $1 ORDER BY expires LIMIT $2)`

// ForgetReceipts implements character.Store.
func (s *Characters) ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error) {
	return s.remove(ctx, "character_receipt.forget", forgetAnswers, now, limit)
}

// What is picked is read once, so that there is no more of it than the limit, whatever way the planner goes.
func (d *Dialect) purgeCharacters() string {
	return `WITH gone AS MATERIALIZED (SELECT cidx FROM characters WHERE deleted < $1 ORDER BY deleted, characterid LIMIT $2` + d.LockFree + `)
DELETE FROM characters WHERE cidx IN (SELECT cidx FROM gone)`
}

// Purge implements character.Store. A character that somebody is changing at the moment is left for the next time.
func (s *Characters) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	return s.remove(ctx, "character.purge", s.h.dialect.purgeCharacters(), before, limit)
}

// remove runs a statement that removes rows by a time, not more than limit of them.
func (s *Characters) remove(ctx context.Context, name, text string, at time.Time, limit int) (int, error) {
	var n int64
	err := s.h.run(ctx, name, func(ctx context.Context) (err error) {
		n, err = s.h.exec(ctx, text, s.h.dialect.instant(at), max(0, limit))
		return err
	})
	return int(n), err
}

const countCharacterTrash = `SELECT count(*) FROM characters WHERE deleted < $1`

// CountTrash implements character.Store.
func (s *Characters) CountTrash(ctx context.Context, before time.Time) (int, error) {
	var n int
	err := s.h.run(ctx, "character.count_trash", func(ctx context.Context) error {
		return s.h.row(ctx, countCharacterTrash, []any{&n}, s.h.dialect.instant(before))
	})
	return n, err
}

// readyCharacters names every column that the statements on characters do.
var readyCharacters = []string{
	`SELECT cidx, characterid, name, player, race, classes, level, words, author, revision, modified, ` + characterColumns + ` FROM characters LIMIT 0`,
	`SELECT rollid, used_by, created, document FROM character_rolls LIMIT 0`,
	`SELECT username, idempotency_key, fingerprint, answer, expires FROM character_receipts LIMIT 0`,
}
