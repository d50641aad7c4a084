package contract

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/auth"
)

type lookup func(ctx context.Context, fields ...string) (string, bool, error)

func (l lookup) Lookup(ctx context.Context, fields ...string) (string, bool, error) {
	return l(ctx, fields...)
}

func breakDirectory(what string, breaks func(good auth.Directory) lookup) breaker[Directory] {
	return breaker[Directory]{what, func(d Directory) Directory {
		d.Directory = breaks(d.Directory)
		return d
	}}
}

func goodDirectory() Directory {
	d := memory.NewDirectory(nil)
	return Directory{
		Directory: d,
		Set:       func(_ context.Context, field, value string) error { d.Set(field, value); return nil },
		Delete:    func(_ context.Context, field string) error { d.Delete(field); return nil },
		Clear:     func(context.Context) error { d.Clear(); return nil },
		Cut:       func() { d.SetAway(true) },
		Heal:      func() { d.SetAway(false) },
	}
}

// remembers keeps the first answer for each question, when keep says so.
func remembers(what string, keep func(found bool) bool) breaker[Directory] {
	return breakDirectory(what, func(good auth.Directory) lookup {
		type answer struct {
			value string
			found bool
		}
		var mu sync.Mutex
		kept := map[string]answer{}
		return func(ctx context.Context, fields ...string) (string, bool, error) {
			mu.Lock()
			defer mu.Unlock()
			question := strings.Join(fields, "\n")
			if a, ok := kept[question]; ok {
				return a.value, a.found, nil
			}
			value, found, err := good.Lookup(ctx, fields...)
			if err == nil && keep(found) {
				kept[question] = answer{value, found}
			}
			return value, found, err
		}
	})
}

var (
	remembersAll     = remembers("remembers for ever", func(bool) bool { return true })
	remembersMissing = remembers("remembers what is missing", func(found bool) bool { return !found })
)

var directoryBreakers = map[string][]breaker[Directory]{
	"the first field that is there is answered": {breakDirectory("answers the last one", func(good auth.Directory) lookup {
		return func(ctx context.Context, fields ...string) (value string, found bool, err error) {
			for _, field := range fields {
				if v, ok, err := good.Lookup(ctx, field); err != nil || ok {
					value, found = v, ok
				}
			}
			return value, found, err
		}
	})},
	"what is not there is not found": {breakDirectory("ignores case", func(good auth.Directory) lookup {
		return func(ctx context.Context, fields ...string) (string, bool, error) {
			for i := range fields {
				fields[i] = strings.ToLower(fields[i])
			}
			return good.Lookup(ctx, fields...)
		}
	})},
	"odd fields and values": {
		breakDirectory("takes empty for missing", func(good auth.Directory) lookup {
			return func(ctx context.Context, fields ...string) (string, bool, error) {
				value, found, err := good.Lookup(ctx, fields...)
				return value, found && value != "", err
			}
		}),
		breakDirectory("ends texts at NUL", func(good auth.Directory) lookup {
			return func(ctx context.Context, fields ...string) (string, bool, error) {
				value, found, err := good.Lookup(ctx, fields...)
				value, _, _ = strings.Cut(value, "\x00")
				return value, found, err
			}
		}),
	},
	"changes by others show": {remembersAll, remembersMissing},
	"a change shows and stays": {breakDirectory("lets an old answer come back", func(good auth.Directory) lookup {
		var mu sync.Mutex
		var old string
		var since time.Time
		return func(ctx context.Context, fields ...string) (string, bool, error) {
			value, found, err := good.Lookup(ctx, fields...)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case old == "":
				old = value
			case value != old && since.IsZero():
				since = time.Now()
			case value != old && time.Since(since) > 100*time.Millisecond:
				value = old
			}
			return value, found, err
		}
	})},
	"all entries may go at once": {remembersAll},
	"a directory that is away": {breakDirectory("says not found", func(good auth.Directory) lookup {
		return func(ctx context.Context, fields ...string) (string, bool, error) {
			value, found, _ := good.Lookup(ctx, fields...)
			return value, found, nil
		}
	}), breakDirectory("takes its time", func(good auth.Directory) lookup {
		return func(ctx context.Context, fields ...string) (string, bool, error) {
			value, found, err := good.Lookup(ctx, fields...)
			if err != nil {
				time.Sleep(1500 * time.Millisecond)
			}
			return value, found, err
		}
	})},
	"a directory that comes back": {breakDirectory("gives up for good", func(good auth.Directory) lookup {
		var mu sync.Mutex
		var gone error
		return func(ctx context.Context, fields ...string) (string, bool, error) {
			mu.Lock()
			defer mu.Unlock()
			value, found, err := good.Lookup(ctx, fields...)
			if gone == nil {
				gone = err
			}
			return value, found, gone
		}
	})},
	"a context that has ended": {breakDirectory("does not listen", func(good auth.Directory) lookup {
		return func(ctx context.Context, fields ...string) (string, bool, error) {
			return good.Lookup(context.WithoutCancel(ctx), fields...)
		}
	})},
}

func TestDirectoryTeeth(t *testing.T) {
	t.Parallel()
	demandTeeth(t, DirectoryChecks, goodDirectory, directoryBreakers)
}
