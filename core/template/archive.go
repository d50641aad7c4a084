package template

import (
	"context"
	"errors"
	"sync"
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

// ConflictPolicy says what an import does with an id that exists, be it in the trash.
type ConflictPolicy string

// The policies that exist.
const (
	// FailOnConflict leaves what exists and reports the line as failed.
	FailOnConflict ConflictPolicy = "fail"
	// SkipOnConflict leaves what exists and reports the line as skipped.
	SkipOnConflict ConflictPolicy = "skip"
	// ReplaceOnConflict makes the line the next revision, and brings it back from the trash.
	ReplaceOnConflict ConflictPolicy = "replace"
)

// ParseConflictPolicy reads a policy; "" is FailOnConflict. A Malformed fault for any other.
func ParseConflictPolicy(text string) (ConflictPolicy, error) {
	switch p := ConflictPolicy(text); p {
	case "":
		return FailOnConflict, nil
	case FailOnConflict, SkipOnConflict, ReplaceOnConflict:
		return p, nil
	}
	return "", fault.New(fault.Malformed, "on_conflict must be fail, skip or replace")
}

// Incoming is one line of an import.
type Incoming struct {
	// Line counts from 1.
	Line int
	// Record is what the line says; its zero ID asks for a new one, its zero Revision is 1.
	Record Record
	// NoAuthor and NoTimes are set where the line does not say: the caller and the present then stand in.
	NoAuthor, NoCreated, NoModified bool
	// Problem is set for a line that could not be read.
	Problem error
}

// ImportResult says what became of a line.
type ImportResult string

// The results of lines.
const (
	Created   ImportResult = "created"
	Updated   ImportResult = "updated"
	Unchanged ImportResult = "unchanged"
	Skipped   ImportResult = "skipped"
	Failed    ImportResult = "failed"
)

// Outcome is what became of a line. Whatever is not Failed is stored.
type Outcome struct {
	Line   int
	ID     uuid.UUID
	Result ImportResult
	// Problem says why it Failed.
	Problem error
}

// MaxImportBatch is the most lines that one call of Import takes.
const MaxImportBatch = 1000

// Importer takes the lines of one import, in batches. It remembers which templates came with this import, so that
// their further revisions follow. It is for one goroutine.
type Importer struct {
	service *Service
	policy  ConflictPolicy
	caller  string
	// open is the template whose revisions may go on, with the one that was stored last: those of a template stand
	// together.
	open     uuid.UUID
	revision int
}

// NewImporter starts an import. Needs templates:write.
func (s *Service) NewImporter(ctx context.Context, policy ConflictPolicy) (*Importer, error) {
	caller, err := auth.Require(ctx, auth.TemplatesWrite)
	if err != nil {
		return nil, err
	}
	return &Importer{service: s, policy: policy, caller: caller.User}, nil
}

// planned is a line on its way into the store.
type planned struct {
	outcome int
	writing Writing
}

// Import stores the lines in their order in one transaction and tells what became of each; a line that fails stops
// none of the others. The error is that of the whole: then none of these lines is stored.
func (i *Importer) Import(ctx context.Context, lines []Incoming) ([]Outcome, error) {
	s := i.service
	ids := make([]uuid.UUID, 0, len(lines))
	for _, line := range lines {
		if line.Problem == nil && line.Record.ID != uuid.Nil {
			ids = append(ids, line.Record.ID)
		}
	}
	current, err := s.stored.Current(ctx, ids)
	if err != nil {
		return nil, err
	}
	open, revision := i.open, i.revision
	outcomes := make([]Outcome, len(lines))
	var plan []planned
	for n, line := range lines {
		outcome := Outcome{Line: line.Line, ID: line.Record.ID, Problem: line.Problem}
		if outcome.Problem == nil {
			var record Record
			if record, outcome.Problem = i.complete(line); outcome.Problem == nil {
				var w *Writing
				outcome.ID = record.ID
				outcome.Result, w, outcome.Problem = i.decide(record, current)
				if w != nil {
					current[record.ID] = w.Template
					i.open, i.revision = record.ID, w.Template.Revision
					plan = append(plan, planned{n, *w})
				}
			}
		}
		if outcome.Problem != nil {
			outcome.Result = Failed
		}
		outcomes[n] = outcome
	}
	if err := i.write(ctx, plan, outcomes); err != nil {
		i.open, i.revision = open, revision
		return nil, err
	}
	return outcomes, nil
}

// complete fills in what the line leaves out and holds it against the rules. An empty name stays: rows of the seed's
// service may have one.
func (i *Importer) complete(line Incoming) (Record, error) {
	r, now := line.Record, i.service.instant()
	if r.ID == uuid.Nil {
		r.ID = i.service.newID()
	}
	if r.Revision == 0 {
		r.Revision = 1
	}
	if line.NoAuthor {
		r.Author = i.caller
	}
	if line.NoCreated {
		r.Created = now
	}
	if line.NoModified {
		r.Modified = now
	}
	for _, label := range r.Labels {
		if CheckLabel(label) != nil {
			return r, fault.InvalidAt("/labels", "a label has 1 to 63 characters: lower-case letters, digits and, behind the first, . _ -")
		}
	}
	if why := checkText(r.Author, MaxName); why != "" {
		return r, fault.InvalidAt("/author", "%s", why)
	}
	given := r.Draft()
	// What is the same as in an old draft is not checked: with the name in it, an empty one passes.
	var old *Draft
	if given.Name == "" {
		old = &Draft{Syntax: "none"}
	}
	draft, err := given.check(old, i.service.maxContent)
	r.Syntax = draft.Syntax
	return r, err
}

// decide says what a line does to what is there.
func (i *Importer) decide(r Record, current map[uuid.UUID]Template) (ImportResult, *Writing, error) {
	present, exists := current[r.ID]
	switch {
	case !exists:
		return Created, &Writing{Template: r.Template, Labels: r.Labels}, nil
	case r.ID == i.open && r.Revision > i.revision:
		return Updated, &Writing{Template: r.Template, Was: present.Revision, Labels: r.Labels}, nil
	case i.policy == SkipOnConflict:
		return Skipped, nil, nil
	case i.policy == FailOnConflict:
		return Failed, nil, ErrTaken
	}
	r.Created = present.Created
	if r.Draft() == present.Draft() {
		r.Revision = present.Revision
		if r.InTrash() == present.InTrash() && len(r.Labels) == 0 {
			return Unchanged, nil, nil
		}
	} else {
		r.Revision = max(r.Revision, present.Revision+1)
	}
	return Updated, &Writing{Template: r.Template, Was: present.Revision, Labels: r.Labels}, nil
}

// write stores the plan and corrects the outcomes of what others got ahead of.
func (i *Importer) write(ctx context.Context, plan []planned, outcomes []Outcome) error {
	if len(plan) == 0 {
		return nil
	}
	changes := make([]Writing, len(plan))
	keys := make([][16]byte, 0, 3*len(plan))
	for n, p := range plan {
		changes[n] = p.writing
		keys = append(keys, nameKey(p.writing.Template.Name))
		if p.writing.Was != 0 {
			keys = append(keys, p.writing.Template.ID, labelsKey(p.writing.Template.ID))
		}
	}
	defer i.service.changingAll(ctx, keys)()
	failures, err := i.service.stored.Write(ctx, changes)
	if err != nil {
		return err
	}
	for n, failure := range failures {
		if failure == nil {
			continue
		}
		outcome := &outcomes[plan[n].outcome]
		if errors.Is(failure, ErrTaken) && i.policy == SkipOnConflict {
			outcome.Result = Skipped
			continue
		}
		outcome.Result, outcome.Problem = Failed, failure
	}
	return nil
}

// changers is how many changes are told to the cache at the same time.
const changers = 64

// changingAll frames a change of many keys of the cache; the trips that they cost run beside each other.
func (s *Service) changingAll(ctx context.Context, keys [][16]byte) (changed func()) {
	ends := make([]func(), len(keys))
	forAll(len(keys), func(n int) { ends[n] = s.cached.cache.Changing(ctx, keys[n]) })
	return func() { forAll(len(ends), func(n int) { ends[n]() }) }
}

// forAll runs work for 0 to n-1, several at a time.
func forAll(n int, work func(int)) {
	var running sync.WaitGroup
	for first := range min(changers, n) {
		running.Go(func() {
			for k := first; k < n; k += changers {
				work(k)
			}
		})
	}
	running.Wait()
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
