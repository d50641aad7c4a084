package template

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/mustache"
)

// Bounds of a rendering that its caller cannot raise. Depth of partials and sections are the engine's.
type Bounds struct {
	// MaxBytes bounds the output.
	MaxBytes int
	// Timeout bounds the work.
	Timeout time.Duration
}

// defaultRenderTimeout stands in for Bounds that name none.
const defaultRenderTimeout = time.Second

// maxHeadStart bounds the room that an output gets before it needs it, in bytes.
const maxHeadStart = 16 << 10

// Pick chooses the revision that is used: the current one, a number, or the one under a label. At most one is set.
type Pick struct {
	Revision *int
	Label    *string
}

// RenderRequest is what a template is rendered with.
type RenderRequest struct {
	// Data is any JSON value; the zero Value is null.
	Data mustache.Value
	// Strict refuses names that are found nowhere in the data, and unknown partials.
	Strict bool
	// Raw leaves values as they are instead of escaping them for HTML.
	Raw bool
	// Into is what the output is appended to, and whose room it uses; nil for memory of its own.
	Into []byte
}

// Rendered is the output of a template.
type Rendered struct {
	// Output is RenderRequest.Into with the output behind it.
	Output []byte
	// Revision is the one that was rendered; 0 for content that the caller brought.
	Revision int
	// Missing are the names that were found nowhere, with the path of the sections around them. Never nil.
	Missing []string
}

// MissingError is the Invalid fault of a strict rendering that lacks something; it names all of it.
type MissingError struct {
	// Names are the missing names and unknown partials, with the path of the sections around them.
	Names []string
	fault *fault.Error
}

func (e *MissingError) Error() string { return e.fault.Error() }

// Unwrap gives the fault.
func (e *MissingError) Unwrap() error { return e.fault }

// Render renders a living template. Faults: NotFound for template, revision or label; Invalid past a bound, for content that does not parse (old rows only), or, when strict, a *MissingError.
func (s *Service) Render(ctx context.Context, id uuid.UUID, pick Pick, r RenderRequest) (Rendered, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return Rendered{}, err
	}
	tree, revision, err := s.picked(ctx, id, pick)
	if err != nil {
		return Rendered{}, err
	}
	rendered, err := s.render(ctx, tree, r)
	rendered.Revision = revision
	return rendered, err
}

// RenderContent renders Mustache that the caller brings. Faults as in Render; Invalid for content that does not parse.
func (s *Service) RenderContent(ctx context.Context, content string, r RenderRequest) (Rendered, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return Rendered{}, err
	}
	if len(content) > s.maxContent {
		return Rendered{}, fault.InvalidAt("/content", "must have at most %d bytes, has %d", s.maxContent, len(content))
	}
	tree, err := mustache.Parse(content)
	if err != nil {
		return Rendered{}, fault.InvalidAt("/content", "%s", err.Error())
	}
	return s.render(ctx, tree, r)
}

// Variables tells the names that a living template uses. Faults: NotFound; Invalid for content that does not parse.
func (s *Service) Variables(ctx context.Context, id uuid.UUID, pick Pick) ([]mustache.Variable, error) {
	if _, err := auth.Require(ctx, auth.TemplatesRead); err != nil {
		return nil, err
	}
	tree, _, err := s.picked(ctx, id, pick)
	if err != nil {
		return nil, err
	}
	variables, err := tree.Variables()
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s", err.Error())
	}
	return variables, nil
}

func (s *Service) render(ctx context.Context, tree *mustache.Template, r RenderRequest) (Rendered, error) {
	deadline := time.Now().Add(s.bounds.Timeout)
	escape := mustache.EscapeHTML
	if r.Raw {
		escape = mustache.EscapeNone
	}
	// Values are mostly longer than the tags that they stand for.
	output := slices.Grow(r.Into, min(tree.Size()+tree.Size()/4, maxHeadStart))
	result, err := tree.Render(ctx, output, r.Data, mustache.Options{
		Strict: r.Strict, Escape: escape, Partials: partials{s, deadline}, MaxBytes: s.bounds.MaxBytes, Deadline: deadline,
	})
	if err != nil {
		return Rendered{}, s.refusal(ctx, err)
	}
	missing := append(append([]string{}, result.Missing...), result.UnknownPartials...)
	return Rendered{Output: result.Output, Missing: missing}, nil
}

// refusal turns what the engine says into a fault.
func (s *Service) refusal(ctx context.Context, err error) error {
	var names []string
	var missing *mustache.MissingError
	var unknown *mustache.UnknownPartialError
	var partial *mustache.PartialError
	var limit *mustache.LimitError
	if errors.As(err, &missing) {
		names = append(names, missing.Names...)
	}
	if errors.As(err, &unknown) {
		names = append(names, unknown.Names...)
	}
	switch {
	case names != nil:
		return &MissingError{Names: names, fault: fault.InvalidAt("/data",
			"lacks what the template uses: %s; add it, or send \"strict\": false", strings.Join(names, ", "))}
	case errors.As(err, &limit):
		return fault.InvalidAt("", "%s", limit.Error())
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return fault.InvalidAt("", "the template takes more than %v to render", s.bounds.Timeout)
	case errors.As(err, &partial):
		var syntax *mustache.SyntaxError
		if errors.As(partial.Err, &syntax) {
			return fault.InvalidAt("", "%s", partial.Error())
		}
		return partial.Err
	}
	return err
}

// picked gives the parsed tree of the picked revision of a living template, and its number.
func (s *Service) picked(ctx context.Context, id uuid.UUID, pick Pick) (*mustache.Template, int, error) {
	current, err := s.cached.represent(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	wanted := current.Revision
	switch {
	case pick.Revision != nil:
		wanted = *pick.Revision
	case pick.Label != nil:
		if wanted, err = s.labelled(ctx, id, *pick.Label); err != nil {
			return nil, 0, err
		}
	}
	var tree *mustache.Template
	if wanted == current.Revision {
		tree, err = s.currentTree(id, current)
	} else {
		tree, err = s.oldTree(ctx, id, wanted)
	}
	var syntax *mustache.SyntaxError
	if errors.As(err, &syntax) {
		err = fault.InvalidAt("", "the content of the template does not parse: %s", err.Error())
	}
	return tree, wanted, err
}

var treeSeed = maphash.MakeSeed()

// currentTree parses what a representation holds, or finds it parsed.
func (s *Service) currentTree(id uuid.UUID, r Representation) (*mustache.Template, error) {
	key := TreeKey{ID: id, Revision: r.Revision, Digest: maphash.Bytes(treeSeed, r.Body)}
	if tree, ok := s.trees.Tree(key); ok {
		return tree, nil
	}
	t, err := s.codec.Decode(r.Body)
	if err != nil {
		return nil, err
	}
	return s.keepTree(key, t)
}

// oldTree parses a superseded revision, which never changes.
func (s *Service) oldTree(ctx context.Context, id uuid.UUID, revision int) (*mustache.Template, error) {
	key := TreeKey{ID: id, Revision: revision}
	if tree, ok := s.trees.Tree(key); ok {
		return tree, nil
	}
	t, err := s.stored.Revision(ctx, id, revision)
	if err != nil {
		return nil, noRevision(err)
	}
	return s.keepTree(key, t)
}

func (s *Service) keepTree(key TreeKey, t Template) (tree *mustache.Template, err error) {
	if t.Syntax == Plain {
		tree = mustache.Literal(t.Content)
	} else if tree, err = mustache.Parse(t.Content); err != nil {
		return nil, err
	}
	s.trees.Keep(key, tree)
	return tree, nil
}

// partials lets templates take each other, by id or by name.
type partials struct {
	service  *Service
	deadline time.Time
}

// Partial implements mustache.Loader.
func (p partials) Partial(ctx context.Context, name string) (*mustache.Template, bool, error) {
	ctx, cancel := context.WithDeadline(ctx, p.deadline)
	defer cancel()
	tree, err := p.service.partial(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return nil, false, nil
	}
	return tree, err == nil, err
}

func (s *Service) partial(ctx context.Context, name string) (*mustache.Template, error) {
	if id, err := ParseID(name); err == nil {
		r, err := s.cached.represent(ctx, id)
		if err == nil {
			return s.currentTree(id, r)
		}
		if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	id, err := s.names.find(ctx, name)
	if err != nil {
		return nil, err
	}
	r, err := s.cached.represent(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.currentTree(id, r)
}
