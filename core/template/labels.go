package template

import (
	"context"
	"encoding/json"
	"regexp"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// labelForm is what a label looks like.
var labelForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// MaxLabels is how many labels a template can have.
const MaxLabels = 100

// CheckLabel is a Malformed fault for a name that no label can have.
func CheckLabel(name string) error {
	if labelForm.MatchString(name) {
		return nil
	}
	return fault.New(fault.Malformed, "a label has 1 to 63 characters: lower-case letters, digits and, behind the first, . _ -")
}

var errNoLabel error = fault.New(fault.NotFound, "the template has no such label")

// labelsKey keeps the labels of a template apart from the template itself: both are in one cache.
func labelsKey(id uuid.UUID) [16]byte { return uuid.NewSHA1(id, []byte("labels")) }

// labels answers the labels of a template through the cache.
func (s *Service) labels(ctx context.Context, id uuid.UUID) ([]Label, error) {
	raw, err := s.cached.cache.Fetch(ctx, labelsKey(id), func(ctx context.Context) ([]byte, error) {
		list, err := s.stored.Labels(ctx, id)
		if err != nil {
			return nil, err
		}
		return json.Marshal(list)
	})
	if err != nil {
		return nil, err
	}
	var list []Label
	return list, json.Unmarshal(raw, &list)
}

// labelled is the revision under a label.
func (s *Service) labelled(ctx context.Context, id uuid.UUID, name string) (int, error) {
	if err := CheckLabel(name); err != nil {
		return 0, err
	}
	list, err := s.labels(ctx, id)
	if err != nil {
		return 0, err
	}
	for _, l := range list {
		if l.Name == name {
			return l.Revision, nil
		}
	}
	return 0, errNoLabel
}

// Labels answers the labels of a living template, sorted by name. Faults: NotFound.
func (s *Service) Labels(ctx context.Context, id uuid.UUID) ([]Label, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return nil, err
	}
	if err := s.alive(ctx, id); err != nil {
		return nil, err
	}
	return s.labels(ctx, id)
}

// Label answers one label of a living template. Faults: NotFound, Malformed.
func (s *Service) Label(ctx context.Context, id uuid.UUID, name string) (Label, error) {
	if err := CheckLabel(name); err != nil {
		return Label{}, err
	}
	list, err := s.Labels(ctx, id)
	if err != nil {
		return Label{}, err
	}
	for _, l := range list {
		if l.Name == name {
			return l, nil
		}
	}
	return Label{}, errNoLabel
}

// SetLabel puts a label on a revision of a living template, wherever it was before. A label that stands there already
// stays as it is. Faults: NotFound for the template; Invalid for a revision that does not exist; Malformed.
func (s *Service) SetLabel(ctx context.Context, id uuid.UUID, name string, revision int) (Label, error) {
	caller, err := auth.Require(ctx, auth.TemplatesWrite)
	if err != nil {
		return Label{}, err
	}
	if err := CheckLabel(name); err != nil {
		return Label{}, err
	}
	if _, err := living(s.stored.Get(ctx, id)); err != nil {
		return Label{}, err
	}
	present, err := s.stored.Labels(ctx, id)
	if err != nil {
		return Label{}, err
	}
	known := false
	for _, l := range present {
		if l.Name == name && l.Revision == revision {
			return l, nil
		}
		known = known || l.Name == name
	}
	if !known && len(present) >= MaxLabels {
		return Label{}, fault.InvalidAt("", "a template can have %d labels; remove one first", MaxLabels)
	}
	l := Label{Name: name, Revision: revision, User: caller.User, Modified: s.instant()}
	defer s.cached.cache.Changing(ctx, labelsKey(id))()
	err = s.stored.SetLabel(ctx, id, l)
	if fault.Is(err, fault.NotFound) {
		return Label{}, fault.InvalidAt("/revision", "the template has no revision %d", revision)
	}
	return l, err
}

// RemoveLabel takes a label away from a living template; its history stays. Faults: NotFound, Malformed.
func (s *Service) RemoveLabel(ctx context.Context, id uuid.UUID, name string) error {
	caller, err := auth.Require(ctx, auth.TemplatesWrite)
	if err != nil {
		return err
	}
	if err := CheckLabel(name); err != nil {
		return err
	}
	if _, err := living(s.stored.Get(ctx, id)); err != nil {
		return err
	}
	defer s.cached.cache.Changing(ctx, labelsKey(id))()
	err = s.stored.RemoveLabel(ctx, id, name, caller.User, s.instant())
	if fault.Is(err, fault.NotFound) {
		return errNoLabel
	}
	return err
}

// LabelHistory answers a page of a label's moves, newest first, also after the label was removed, and the cursor of the
// next page. Faults: NotFound for the template, or a label that it never had; Malformed.
func (s *Service) LabelHistory(ctx context.Context, id uuid.UUID, name string, r PageRequest) (moves []LabelMove, next string, err error) {
	if _, err = auth.Require(ctx, auth.TemplatesRead); err != nil {
		return nil, "", err
	}
	if err = CheckLabel(name); err != nil {
		return nil, "", err
	}
	scope := "label " + id.String() + " " + name
	limit, before, err := s.open(r, scope)
	if err != nil {
		return nil, "", err
	}
	if err = s.alive(ctx, id); err != nil {
		return nil, "", err
	}
	if moves, err = s.stored.LabelHistory(ctx, id, name, before, limit+1); err != nil {
		return nil, "", err
	}
	if len(moves) == 0 && before == 0 {
		return nil, "", errNoLabel
	}
	if len(moves) > limit {
		moves = moves[:limit]
		next = s.seal(scope, moves[limit-1].Number)
	}
	return moves, next, nil
}
