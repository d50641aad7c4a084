package harper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"bitbucket.org/templar/templar/core/page"
)

// journalPrefix begins the entries of the journal.
const journalPrefix = "journal:"

// voidTime is how long an entry that was made void stays, against one of its name that comes late.
const voidTime = 10 * time.Minute

func journalEntry(number int64) string { return fmt.Sprintf("%s%020d", journalPrefix, number) }

// step is one request of a change; all of them can be repeated.
type step struct {
	Table   string   `json:"table"`
	Hash    string   `json:"hash"`
	Upsert  []record `json:"upsert,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

func writes(t table, records ...record) step {
	return step{Table: t.name, Hash: t.hash, Upsert: records}
}

func removes(t table, hashes ...string) step {
	return step{Table: t.name, Hash: t.hash, Removed: hashes}
}

func (s step) empty() bool { return len(s.Upsert) == 0 && len(s.Removed) == 0 }

// journal is what this process knows of the changes that may be half done.
type journal struct {
	// open is set while there may be any.
	open atomic.Bool
	mu   sync.Mutex
	// doubtful are entries whose insert got no answer.
	doubtful []string
}

// reopen makes sure that the journal is read before anything else happens.
func (j *journal) reopen() { j.open.Store(true) }

func (j *journal) doubt(entry string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.doubtful = append(j.doubtful, entry)
	j.open.Store(true)
}

// commit makes all the steps of a change, or none. Its caller has the locks of all that they touch. After an error
// that is no refusal they may be made all the same: by settle, before anybody sees the difference.
func (d *DB) commit(ctx context.Context, all ...step) error {
	var needed []step
	for _, s := range all {
		if !s.empty() {
			needed = append(needed, s)
		}
	}
	switch len(needed) {
	case 0:
		return nil
	case 1:
		return d.carryOut(ctx, needed[0])
	}
	steps, err := json.Marshal(needed)
	if err != nil {
		return err
	}
	if err := d.lease.check(); err != nil {
		return err
	}
	entry := journalEntry(d.number())
	if _, err := d.insertNew(ctx, stateTable, record{stateTable.hash: entry, "steps": text(steps)}); err != nil {
		var r *refusal
		if !errors.As(err, &r) {
			d.journal.doubt(entry)
		}
		return err
	}
	for _, s := range needed {
		if err := d.carryOut(ctx, s); err != nil {
			d.journal.reopen()
			return err
		}
	}
	if err := d.remove(ctx, stateTable, entry); err != nil {
		d.journal.reopen() // all is done; doing it again, before anything else, does no harm
	}
	return nil
}

// carryOut makes one step. The lease may have been lost since the change began.
func (d *DB) carryOut(ctx context.Context, s step) error {
	if err := d.lease.check(); err != nil {
		return err
	}
	t := table{s.Table, s.Hash}
	if len(s.Removed) > 0 {
		if err := d.remove(ctx, t, s.Removed...); err != nil {
			return err
		}
	}
	if len(s.Upsert) > 0 {
		return d.upsert(ctx, t, s.Upsert...)
	}
	return nil
}

// stateRow is an entry of the adapter's own table.
type stateRow struct {
	Entry string `json:"entry"`
	Steps text   `json:"steps"`
	Beat  string `json:"beat"`
	Owner string `json:"owner"`
}

var stateAttributes = []string{"entry", "steps", "beat", "owner"}

// settle carries out what the journal holds, if there may be anything. An entry that came in doubt is made void by an
// insert of the same name: if that one is skipped, the first had come, and counts; if not, the first, should it come
// yet, is skipped.
func (d *DB) settle(ctx context.Context) error {
	if !d.journal.open.Load() {
		return nil
	}
	if err := d.lease.hold(ctx); err != nil {
		return err
	}
	release, err := d.locks.alone(ctx)
	if err != nil {
		return err
	}
	defer release()
	if !d.journal.open.Load() {
		return nil
	}
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	for len(d.journal.doubtful) > 0 {
		if _, err := d.insertNew(ctx, stateTable, record{stateTable.hash: d.journal.doubtful[0], "steps": ""}); err != nil {
			return err
		}
		d.journal.doubtful = d.journal.doubtful[1:]
	}
	all := scan{table: stateTable, along: stateTable.hash, low: journalPrefix, high: page.AfterPrefix(journalPrefix), attributes: stateAttributes, page: 1}
	forgotten := journalEntry(time.Now().Add(-voidTime).UnixMicro())
	var found []stateRow
	err = walk(ctx, d, all, func(r *stateRow) string { return r.Entry }, func(r *stateRow) error {
		if r.Steps != "" || r.Entry < forgotten {
			found = append(found, *r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range found {
		if r.Steps == "" {
			r.Steps = "[]"
		}
		var steps []step
		if err := json.Unmarshal([]byte(r.Steps), &steps); err != nil {
			return fmt.Errorf("the journal's entry %s: %w", r.Entry, err)
		}
		for _, s := range steps {
			if err := d.carryOut(ctx, s); err != nil {
				return err
			}
		}
		if err := d.remove(ctx, stateTable, r.Entry); err != nil {
			return err
		}
	}
	d.journal.open.Store(false)
	return nil
}
