package template

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

// ImportBatch is some lines of an import that are stored together. Several may be stored at the same time: one with
// lines of a template that an earlier one has too waits for that.
type ImportBatch struct {
	service *Service
	policy  ConflictPolicy
	lines   []checkedLine
	// count tells how many lines each template has.
	count map[uuid.UUID]int
	// behind are the earlier batches to wait for.
	behind []*ImportBatch
	// goesOn is the earlier batch whose last template is that of the first line; nil when it is another.
	goesOn *ImportBatch
	// lastID is the template of the last line that can be stored.
	lastID uuid.UUID

	// ended is closed when all is over; open may be read then.
	ended chan struct{}
	open  openTemplate
}

// checkedLine is a line of an import as it is to be stored, or why it cannot be.
type checkedLine struct {
	number  int
	record  Record
	problem error
}

// openTemplate is the template of the line before, with the revision that was stored of it: those of a template stand
// together, so more may follow. It is zero when nothing was stored.
type openTemplate struct {
	id       uuid.UUID
	revision int
}

// planned is a line on its way into the store.
type planned struct {
	line    int
	writing Writing
}

// shares tells whether both have lines of one template.
func (b *ImportBatch) shares(other *ImportBatch) bool {
	for id := range b.count {
		if other.count[id] > 0 {
			return true
		}
	}
	return false
}

func (b *ImportBatch) hasEnded() bool {
	select {
	case <-b.ended:
		return true
	default:
		return false
	}
}

// end lets those behind go on, and keeps nothing that they do not need.
func (b *ImportBatch) end() {
	b.lines, b.behind, b.goesOn = nil, nil, nil
	close(b.ended)
}

// Store stores the lines in their order in one transaction and tells what became of each; a line that fails stops
// none of the others. The error is that of the whole: then none of these lines is stored. It can be called once.
func (b *ImportBatch) Store(ctx context.Context) ([]Outcome, error) {
	defer b.end()
	for _, earlier := range b.behind {
		select {
		case <-earlier.ended:
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "the lines before were not stored in time")
		}
	}
	current, err := b.current(ctx)
	if err != nil {
		return nil, err
	}
	outcomes, plan, open, err := b.plan(ctx, current)
	if err != nil {
		return nil, err
	}
	if err := b.write(ctx, plan, outcomes); err != nil {
		return nil, err
	}
	// What others got ahead of is not open.
	if n := len(plan); n > 0 && outcomes[plan[n-1].line].stored() {
		b.open = open
	}
	return outcomes, nil
}

// current looks up what there is of the templates, where the plan depends on it: of a single line that replaces
// nothing, the store finds out by itself.
func (b *ImportBatch) current(ctx context.Context) (map[uuid.UUID]Template, error) {
	var ids []uuid.UUID
	for id, lines := range b.count {
		if lines > 1 || b.policy == ReplaceOnConflict {
			ids = append(ids, id)
		}
	}
	if ids == nil {
		return map[uuid.UUID]Template{}, nil
	}
	return b.service.stored.Current(ctx, ids)
}

// plan says what is done with each line, and which template is open at the end if its line is stored.
func (b *ImportBatch) plan(ctx context.Context, current map[uuid.UUID]Template) (outcomes []Outcome, plan []planned, open openTemplate, err error) {
	if b.goesOn != nil {
		open = b.goesOn.open
	}
	outcomes, plan = make([]Outcome, len(b.lines)), make([]planned, 0, len(b.lines))
	for n, line := range b.lines {
		outcome := Outcome{Line: line.number, ID: line.record.ID, Result: Failed, Problem: line.problem}
		if line.problem == nil {
			var w *Writing
			if outcome.Result, w, err = b.decide(ctx, line.record, open, current); err != nil {
				return nil, nil, open, err
			}
			open = openTemplate{}
			switch {
			case w != nil:
				current[w.Template.ID] = w.Template
				open = openTemplate{w.Template.ID, w.Template.Revision}
				plan = append(plan, planned{n, *w})
			case outcome.Result == Failed:
				outcome.Problem = ErrTaken
			}
		}
		outcomes[n] = outcome
	}
	return outcomes, plan, open, nil
}

// decide says what a line does to what is there.
func (b *ImportBatch) decide(ctx context.Context, r Record, open openTemplate, current map[uuid.UUID]Template) (ImportResult, *Writing, error) {
	present, exists := current[r.ID]
	switch {
	case r.ID == open.id && r.Revision > open.revision:
		return Updated, &Writing{Template: r.Template, Was: open.revision, Labels: r.Labels}, nil
	case !exists:
		return Created, &Writing{Template: r.Template, Labels: r.Labels}, nil
	case b.policy == SkipOnConflict:
		return Skipped, nil, nil
	case b.policy == FailOnConflict:
		return Failed, nil, nil
	}
	r.Created = present.Created
	if r.Draft() == present.Draft() {
		r.Revision = present.Revision
		if r.InTrash() == present.InTrash() {
			if stand, err := b.labelsStand(ctx, r); err != nil || stand {
				return Unchanged, nil, err
			}
		}
	} else {
		r.Revision = max(r.Revision, present.Revision+1)
	}
	return Updated, &Writing{Template: r.Template, Was: present.Revision, Labels: r.Labels}, nil
}

// labelsStand tells whether all labels of a line stand at its revision already. Those that earlier lines of the batch
// are going to put there are not seen, and are put there again.
func (b *ImportBatch) labelsStand(ctx context.Context, r Record) (bool, error) {
	if len(r.Labels) == 0 {
		return true, nil
	}
	labels, err := b.service.stored.Labels(ctx, r.ID)
	if err != nil {
		return false, err
	}
	for _, name := range r.Labels {
		if !slices.ContainsFunc(labels, func(l Label) bool { return l.Name == name && l.Revision == r.Revision }) {
			return false, nil
		}
	}
	return true, nil
}

// write stores the plan and corrects the outcomes of what others got ahead of.
func (b *ImportBatch) write(ctx context.Context, plan []planned, outcomes []Outcome) error {
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
	defer b.service.cached.cache.Changing(ctx, keys...)()
	failures, err := b.service.stored.Write(ctx, changes)
	if err != nil {
		return err
	}
	for n, failure := range failures {
		if failure == nil {
			continue
		}
		outcome := &outcomes[plan[n].line]
		if errors.Is(failure, ErrTaken) && b.policy == SkipOnConflict {
			outcome.Result = Skipped
			continue
		}
		outcome.Result, outcome.Problem = Failed, failure
	}
	return nil
}
