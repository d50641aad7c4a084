package harper

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
)

// Characters is a character.Store on a DB.
type Characters struct{ d *DB }

// Characters gives the store of characters.
func (d *DB) Characters() *Characters { return &Characters{d} }

var errNoCharacter error = fault.New(fault.NotFound, "there is no character with this id")

// characterRow is a row of characters, with the one sort key that was asked for.
type characterRow struct {
	ID       string `json:"characterid"`
	Player   text   `json:"player"`
	Race     string `json:"race"`
	Classes  string `json:"classes"`
	Level    int    `json:"level"`
	Words    text   `json:"words"`
	Revision string `json:"revision"`
	Created  string `json:"created"`
	Deleted  string `json:"deleted"`
	Document text   `json:"document"`

	LivingCreated  string `json:"characters_living_created"`
	LivingModified string `json:"characters_living_modified"`
	LivingName     string `json:"characters_living_name"`
	TrashCreated   string `json:"characters_trash_created"`
	TrashModified  string `json:"characters_trash_modified"`
	TrashName      string `json:"characters_trash_name"`
}

func (r *characterRow) key() string {
	return r.LivingCreated + r.LivingModified + r.LivingName + r.TrashCreated + r.TrashModified + r.TrashName
}

var (
	characterFilter = []string{"characterid", "player", "race", "classes", "level", "words"}
	characterFull   = []string{"characterid", "created", "deleted", "document"}
)

func (r *characterRow) value() (character.Character, error) {
	c, err := character.Decode([]byte(r.Document))
	if err != nil {
		return character.Character{}, err
	}
	return c, timesOf([]string{r.Created, r.Deleted}, &c.Created, &c.Deleted)
}

// characterRecord is the row of a character that lives.
func characterRecord(c character.Character) record {
	c.Created, c.Modified, c.Deleted = instant(c.Created), instant(c.Modified), time.Time{}
	columns := c.Columns()
	r := record{
		"characterid": c.ID.String(), "name": text(columns.Name), "player": text(columns.Player), "race": columns.Race, "level": columns.Level,
		"classes": " " + strings.Join(columns.Classes, " ") + " ", "words": text(columns.Words), "author": text(columns.Author), "revision": strconv.Itoa(c.Revision),
		"created": timeText(c.Created), "modified": timeText(c.Modified), "document": text(character.Encode(c)),
	}
	placeCharacter(r, c)
	return r
}

// placeCharacter sets what follows from where c stands: in the trash or not, and in which order.
func placeCharacter(r record, c character.Character) {
	keys := map[string]string{"created": timeKey(c.Created, c.ID), "modified": timeKey(c.Modified, c.ID), "name": nameKey(c.Name, c.ID)}
	r["deleted"], r["characters_trash_deleted"] = timeText(c.Deleted), nil
	if c.InTrash() {
		r["characters_trash_deleted"] = timeKey(c.Deleted, c.ID)
	}
	for name, key := range keys {
		r["characters_living_"+name], r["characters_trash_"+name] = nil, nil
		if c.InTrash() {
			r["characters_trash_"+name] = key
		} else {
			r["characters_living_"+name] = key
		}
	}
}

// current reads a character; nil when there is none.
func (s *Characters) current(ctx context.Context, id uuid.UUID) (*character.Character, error) {
	row, err := one[characterRow](ctx, s.d, charactersTable, id.String(), characterFull)
	if err != nil || row == nil {
		return nil, err
	}
	c, err := row.value()
	return &c, err
}

// at reads a character that stands at revision was, in the trash or living; ErrStale otherwise.
func (s *Characters) at(ctx context.Context, id uuid.UUID, was int, inTrash bool) (*character.Character, error) {
	c, err := s.current(ctx, id)
	if err == nil && (c == nil || c.Revision != was || c.InTrash() != inTrash) {
		err = character.ErrStale
	}
	return c, err
}

// Create implements character.Store.
func (s *Characters) Create(ctx context.Context, c character.Character, claim *character.Claim, roll uuid.UUID) error {
	c = c.Clone()
	return s.change(ctx, "character.create", c.ID, claim, roll, func(ctx context.Context) (step, error) {
		old, err := one[characterRow](ctx, s.d, charactersTable, c.ID.String(), []string{"characterid"})
		if err == nil && old != nil {
			err = character.ErrTaken
		}
		return writes(charactersTable, characterRecord(c)), err
	})
}

// Get implements character.Store.
func (s *Characters) Get(ctx context.Context, id uuid.UUID) (c character.Character, err error) {
	err = s.d.read(ctx, "character.get", func(ctx context.Context) error {
		found, err := s.current(ctx, id)
		if err == nil && found == nil {
			err = errNoCharacter
		}
		if err == nil {
			c = *found
		}
		return err
	})
	return c, err
}

// Replace implements character.Store.
func (s *Characters) Replace(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
	c = c.Clone()
	return s.change(ctx, "character.replace", c.ID, claim, roll, func(ctx context.Context) (step, error) {
		old, err := s.at(ctx, c.ID, was, false)
		if err != nil {
			return step{}, err
		}
		c.Created = old.Created
		return writes(charactersTable, characterRecord(c)), nil
	})
}

// Trash implements character.Store.
func (s *Characters) Trash(ctx context.Context, id uuid.UUID, was int, at time.Time) error {
	return s.move(ctx, "character.trash", id, was, instant(at), nil)
}

// Undelete implements character.Store.
func (s *Characters) Undelete(ctx context.Context, id uuid.UUID, was int, claim *character.Claim) error {
	return s.move(ctx, "character.undelete", id, was, time.Time{}, claim)
}

func (s *Characters) move(ctx context.Context, name string, id uuid.UUID, was int, deleted time.Time, claim *character.Claim) error {
	return s.change(ctx, name, id, claim, uuid.Nil, func(ctx context.Context) (step, error) {
		c, err := s.at(ctx, id, was, deleted.IsZero())
		if err != nil {
			return step{}, err
		}
		c.Deleted = deleted
		r := record{"characterid": id.String()}
		placeCharacter(r, *c)
		return writes(charactersTable, r), nil
	})
}

// change makes a change of a character or a roll, with its claim and the roll that it uses.
func (s *Characters) change(ctx context.Context, name string, id uuid.UUID, claim *character.Claim, roll uuid.UUID, prepare func(context.Context) (step, error)) error {
	names := []string{"character:" + id.String()}
	if claim != nil {
		copied := *claim
		copied.Answer = slices.Clone(claim.Answer) // the change may go on when the caller has it back
		claim = &copied
		names = append(names, "answer:"+receiptKey(claim.User, claim.Key))
	}
	if roll != uuid.Nil {
		names = append(names, "roll:"+roll.String())
	}
	return s.d.change(ctx, name, names, func(ctx context.Context) error {
		receipt, err := s.claim(ctx, claim)
		if err != nil {
			return err
		}
		use, err := s.use(ctx, roll, id)
		if err != nil {
			return err
		}
		made, err := prepare(ctx)
		if err != nil {
			return err
		}
		return s.d.commit(ctx, made, use, receipt)
	})
}

// claim gives the step that stores a claim; none without one. ErrClaimed when it is used.
func (s *Characters) claim(ctx context.Context, c *character.Claim) (step, error) {
	if c == nil {
		return step{}, nil
	}
	key := receiptKey(c.User, c.Key)
	used, err := one[receiptRow](ctx, s.d, characterReceiptsTable, key, []string{rowKey, "expires"})
	if err != nil {
		return step{}, err
	}
	if used != nil {
		expires, err := timeOf(used.Expires)
		if err != nil || instant(c.Made).Before(expires) {
			return step{}, character.ErrClaimed
		}
	}
	return writes(characterReceiptsTable, record{
		rowKey: key, "username": text(c.User), "idempotency_key": text(c.Key), "fingerprint": hex.EncodeToString(c.Fingerprint[:]),
		"answer": base64.StdEncoding.EncodeToString(c.Answer), "expires": timeText(instant(c.Expires)),
	}), nil
}

// use gives the step that notes who uses a roll; none without one. ErrRollUsed when another does.
func (s *Characters) use(ctx context.Context, roll, by uuid.UUID) (step, error) {
	if roll == uuid.Nil {
		return step{}, nil
	}
	row, err := one[rollRow](ctx, s.d, rollsTable, roll.String(), rollAttributes)
	if err != nil {
		return step{}, err
	}
	if row == nil || row.UsedBy != "" && row.UsedBy != by.String() {
		return step{}, character.ErrRollUsed
	}
	return writes(rollsTable, record{"rollid": roll.String(), "used_by": by.String()}), nil
}

type rollRow struct {
	ID       string `json:"rollid"`
	UsedBy   string `json:"used_by"`
	Document text   `json:"document"`
}

var rollAttributes = []string{"rollid", "used_by", "document"}

// SaveRoll implements character.Store. UsedBy of r is not looked at: a new roll is used by nobody.
func (s *Characters) SaveRoll(ctx context.Context, r character.Roll, claim *character.Claim) error {
	made := writes(rollsTable, record{"rollid": r.ID.String(), "used_by": nil, "created": timeText(instant(r.Created)), "document": text(character.EncodeRoll(r))})
	return s.change(ctx, "character.save_roll", r.ID, claim, uuid.Nil, func(ctx context.Context) (step, error) {
		old, err := one[rollRow](ctx, s.d, rollsTable, r.ID.String(), []string{"rollid"})
		if err == nil && old != nil {
			err = fault.New(fault.Conflict, "a roll with this id exists already")
		}
		return made, err
	})
}

// Roll implements character.Store.
func (s *Characters) Roll(ctx context.Context, id uuid.UUID) (r character.Roll, err error) {
	err = s.d.read(ctx, "character.roll", func(ctx context.Context) error {
		row, err := one[rollRow](ctx, s.d, rollsTable, id.String(), rollAttributes)
		if err != nil {
			return err
		}
		if row == nil {
			return fault.New(fault.NotFound, "there is no roll with this id")
		}
		if r, err = character.DecodeRoll([]byte(row.Document)); err == nil && row.UsedBy != "" {
			r.UsedBy, err = uuid.Parse(row.UsedBy)
		}
		return err
	})
	return r, err
}

// Receipt implements character.Store.
func (s *Characters) Receipt(ctx context.Context, user, key string, now time.Time) (receipt character.Receipt, err error) {
	err = s.d.read(ctx, "character.receipt", func(ctx context.Context) error {
		row, err := one[receiptRow](ctx, s.d, characterReceiptsTable, receiptKey(user, key), []string{rowKey, "fingerprint", "answer", "expires"})
		if err != nil {
			return err
		}
		if err := row.open(now, receipt.Fingerprint[:]); err != nil {
			return err
		}
		receipt.Answer, err = base64.StdEncoding.DecodeString(row.Answer)
		return err
	})
	return receipt, err
}

// ForgetReceipts implements character.Store.
func (s *Characters) ForgetReceipts(ctx context.Context, now time.Time, limit int) (int, error) {
	return s.d.forgetReceipts(ctx, "character.forget_receipts", characterReceiptsTable, now, limit)
}
