package template

import (
	"context"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

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

// stored tells whether the line itself was stored.
func (o Outcome) stored() bool { return o.Result == Created || o.Result == Updated }

// MaxImportBatch is the most lines that one batch of an import takes.
const MaxImportBatch = 1000

// Importer takes the lines of one import, in batches. It is for one goroutine; the batches that it makes may be stored
// by others, several at a time.
type Importer struct {
	service *Service
	policy  ConflictPolicy
	caller  string
	// last is the batch before, of those with a line that can be stored.
	last *ImportBatch
	// running are the batches that may not have ended.
	running []*ImportBatch
}

// NewImporter starts an import. Needs templates:write.
func (s *Service) NewImporter(ctx context.Context, policy ConflictPolicy) (*Importer, error) {
	caller, err := auth.Require(ctx, auth.TemplatesWrite)
	if err != nil {
		return nil, err
	}
	return &Importer{service: s, policy: policy, caller: caller.User}, nil
}

// Batch takes the next lines of the import and holds them against the rules. Those that are behind it wait until it is
// stored, if they have lines of the same templates.
func (i *Importer) Batch(lines []Incoming) *ImportBatch {
	b := &ImportBatch{service: i.service, policy: i.policy, lines: make([]checkedLine, len(lines)),
		count: map[uuid.UUID]int{}, ended: make(chan struct{})}
	good := false
	for n, line := range lines {
		checked := checkedLine{number: line.Line, record: line.Record, problem: line.Problem}
		if checked.problem == nil {
			checked.record, checked.problem = i.complete(line)
		}
		b.lines[n] = checked
		if checked.problem != nil {
			continue
		}
		id := checked.record.ID
		if !good && i.last != nil && i.last.lastID == id {
			b.goesOn = i.last
		}
		good, b.lastID = true, id
		b.count[id]++
	}
	i.follow(b)
	if good {
		i.last = b
	}
	return b
}

// follow puts a batch behind those that have lines of the same templates.
func (i *Importer) follow(b *ImportBatch) {
	running := []*ImportBatch{b}
	for _, earlier := range i.running {
		if earlier.hasEnded() {
			continue
		}
		running = append(running, earlier)
		if b.shares(earlier) {
			b.behind = append(b.behind, earlier)
		}
	}
	i.running = running
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
