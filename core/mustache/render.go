package mustache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// The bounds that hold where Options names none.
const (
	DefaultMaxBytes        = 8 << 20
	DefaultMaxSteps        = 50_000_000
	DefaultMaxPartialDepth = 32
	DefaultMaxSections     = 256
	DefaultMaxPartials     = 1000
)

// The lists of missing names and unknown partials end at these bounds.
const (
	maxNames     = 1000
	maxNameBytes = 1 << 20
)

// Loader finds the templates that partials and parents name.
type Loader interface {
	// Partial returns the template of that name; found is false when there is
	// none. An error ends the rendering as a *PartialError. During one rendering
	// it is asked at most once for a name.
	Partial(ctx context.Context, name string) (t *Template, found bool, err error)
}

// LoaderFunc is a function as a Loader.
type LoaderFunc func(ctx context.Context, name string) (*Template, bool, error)

// Partial calls f.
func (f LoaderFunc) Partial(ctx context.Context, name string) (*Template, bool, error) {
	return f(ctx, name)
}

// Templates is a fixed set of partials as a Loader.
type Templates map[string]*Template

// Partial returns the template of that name in the set.
func (m Templates) Partial(_ context.Context, name string) (*Template, bool, error) {
	t, found := m[name]
	return t, found, nil
}

// Options tells how to render. The zero Options is not strict, escapes for HTML,
// knows no partials and has the default bounds.
type Options struct {
	// Strict makes missing names and unknown partials errors.
	Strict bool
	// Escape is how values are escaped.
	Escape Escape
	// Partials finds partials and parents; nil knows none.
	Partials Loader
	// MaxBytes bounds the output.
	MaxBytes int
	// MaxSteps bounds the work: about one step for each piece of a template that
	// is rendered, each round of a section and each context that is searched.
	MaxSteps int
	// MaxPartialDepth bounds how deep partials and parents nest.
	MaxPartialDepth int
	// MaxSections bounds how deep sections, inverted sections and blocks nest,
	// those of the partials included.
	MaxSections int
	// MaxPartials bounds how many different partials one rendering uses.
	MaxPartials int
	// Deadline is when the rendering must have ended; zero is never. It costs less than a context with one, which a
	// Loader needs and a template without partials does not.
	Deadline time.Time
}

// Result is what a rendering made.
type Result struct {
	// Output is the buffer that Render got with the output appended.
	Output []byte
	// Missing are the names that were found nowhere in the data, each once, in
	// the order of their first use, with the path of the sections around them
	// (“items.price”). The names of dynamic partials are among them. At most 1,000
	// names are listed.
	Missing []string
	// UnknownPartials are the partials and parents that the Loader did not know.
	UnknownPartials []string
}

// Render appends the template, rendered with v, to dst. A Strict rendering that
// misses something answers with a *MissingError, an *UnknownPartialError or both
// joined. Past a bound it is a *LimitError; when ctx ends or the Deadline has passed,
// an error that wraps ctx.Err() or context.DeadlineExceeded. After an error there is no Result.
func (t *Template) Render(ctx context.Context, dst []byte, v Value, o Options) (Result, error) {
	r := renderers.Get().(*renderer)
	defer r.release()
	r.start(ctx, dst, v, o)
	if r.failed(r.run(t, 0, uint32(len(t.nodes)), surroundings{scope: noScope})) {
		return Result{}, r.err
	}
	return Result{Output: r.out, Missing: r.missing, UnknownPartials: r.unknown}, nil
}

// frame is one entry of the context stack.
type frame struct {
	value uint32
	name  string // of the section that pushed it
}

// surroundings is what a piece of a template is rendered in, besides the context
// stack.
type surroundings struct {
	// indent stands before each of its lines.
	indent []byte
	// scope holds the arguments for its blocks.
	scope int32
}

// loaded is a partial that this rendering has asked for.
type loaded struct {
	name     string
	template *Template // nil: unknown
}

// renderer is the state of one rendering. It is reused through a pool.
type renderer struct {
	ctx    context.Context
	opts   Options
	data   *data
	out    []byte
	maxLen int // of out
	err    error

	stack    []frame
	scopes   []scope
	indents  []byte
	sections int
	partials int

	steps    int
	nextLook int

	missing []string
	unknown []string
	bytes   int // held by missing and unknown
	seen    map[string]struct{}
	scratch []byte

	loaded      []loaded
	loadedIndex map[string]int
}

var renderers = sync.Pool{New: func() any { return new(renderer) }}

func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

func (r *renderer) start(ctx context.Context, dst []byte, v Value, o Options) {
	o.MaxBytes = orDefault(o.MaxBytes, DefaultMaxBytes)
	o.MaxSteps = orDefault(o.MaxSteps, DefaultMaxSteps)
	o.MaxPartialDepth = orDefault(o.MaxPartialDepth, DefaultMaxPartialDepth)
	o.MaxSections = orDefault(o.MaxSections, DefaultMaxSections)
	o.MaxPartials = orDefault(o.MaxPartials, DefaultMaxPartials)
	r.ctx, r.opts, r.data, r.out = ctx, o, v.doc(), dst
	r.maxLen = len(dst) + o.MaxBytes
	r.stack = append(r.stack[:0], frame{value: v.at})
	r.nextLook = 0
}

// release gives the renderer back, without what a caller or a big template left
// in it.
func (r *renderer) release() {
	const keep = 64 << 10
	clear(r.stack[:cap(r.stack)])
	clear(r.scopes[:cap(r.scopes)])
	kept := renderer{stack: r.stack[:0], scopes: r.scopes[:0]}
	if cap(r.loaded) <= 4*manyLoaded {
		clear(r.loaded[:cap(r.loaded)])
		kept.loaded = r.loaded[:0]
	}
	if cap(r.indents) <= keep {
		kept.indents = r.indents[:0]
	}
	if cap(r.scratch) <= keep {
		kept.scratch = r.scratch[:0]
	}
	*r = kept
	renderers.Put(r)
}

// failed turns what was collected into the rendering's error.
func (r *renderer) failed(ok bool) bool {
	if ok && r.opts.Strict {
		var missing, unknown error
		if len(r.missing) > 0 {
			missing = &MissingError{Names: r.missing}
		}
		if len(r.unknown) > 0 {
			unknown = &UnknownPartialError{Names: r.unknown}
		}
		switch {
		case missing != nil && unknown != nil:
			r.err = errors.Join(missing, unknown)
		case missing != nil:
			r.err = missing
		default:
			r.err = unknown
		}
	}
	return r.err != nil
}

// limit ends the rendering at one of its bounds.
func (r *renderer) limit(which Limit, most int, name string) bool {
	r.err = &LimitError{Which: which, Max: most, Name: name}
	return false
}

// look is called every lookEvery steps.
func (r *renderer) look() bool {
	if r.steps > r.opts.MaxSteps {
		return r.limit(LimitSteps, r.opts.MaxSteps, "")
	}
	err := r.ctx.Err()
	if err == nil && !r.opts.Deadline.IsZero() && time.Now().After(r.opts.Deadline) {
		err = context.DeadlineExceeded
	}
	if err != nil {
		r.err = fmt.Errorf("rendering stopped: %w", err)
		return false
	}
	r.nextLook = min(r.steps+lookEvery, r.opts.MaxSteps)
	return true
}

const lookEvery = 1024
