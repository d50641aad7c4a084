package contract

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
)

// Directory is an auth.Directory on trial, with the hands of those who keep it.
type Directory struct {
	auth.Directory
	// Set and Delete change an entry the way that others do: past the Directory.
	Set    func(ctx context.Context, field, value string) error
	Delete func(ctx context.Context, field string) error
	// Clear removes all entries with one command; nil: there is none.
	Clear func(ctx context.Context) error
	// Cut makes it impossible to ask the directory and Heal possible again; nil: it cannot be cut off.
	Cut, Heal func()
	// Disturbed says what kept it from being asked though nobody cut it off, such as a machine too busy to
	// answer in time, "" for nothing: a check that failed meanwhile is made again. nil: nothing can.
	Disturbed func() string
}

func (d Directory) disturbance() string { return disturbed(d.Disturbed) }

// DirectoryCheck is one promise of auth.Directory, tried on a fresh and empty one.
type DirectoryCheck = Check[Directory]

// DirectoryHarness is how an adapter is tried.
type DirectoryHarness struct {
	// Open gives a fresh and empty directory; it registers its own clean-up. Checks run side by side.
	Open  func(t *testing.T) Directory
	Lacks map[string]string
}

// AuthDirectory runs the suite of auth.Directory.
func AuthDirectory(t *testing.T, h DirectoryHarness) {
	runChecks(t, DirectoryChecks, h.Lacks, true, h.Open)
}

// shows is how soon a change made by anyone must show.
const shows = 2 * time.Second

// DirectoryChecks are all promises of auth.Directory.
var DirectoryChecks = []DirectoryCheck{
	{Name: "the first field that is there is answered", Run: func(ctx context.Context, d Directory) error {
		if err := first(d.Set(ctx, "a", "value a"), d.Set(ctx, "b", "value b"), d.Set(ctx, "c", "value c")); err != nil {
			return err
		}
		for _, try := range []struct {
			fields []string
			want   string
		}{
			{[]string{"a"}, "value a"}, {[]string{"b", "a"}, "value b"}, {[]string{"x", "c", "b"}, "value c"}, {[]string{"x", "y", "a"}, "value a"}, {[]string{"a", "x"}, "value a"}, {[]string{"b", "b"}, "value b"},
		} {
			if err := d.shows(ctx, try.want, true, try.fields...); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "what is not there is not found", Run: func(ctx context.Context, d Directory) error {
		if err := d.shows(ctx, "", false, "nothing"); err != nil {
			return fmt.Errorf("an empty directory: %w", err)
		}
		return first(d.Set(ctx, "a", "value a"), d.shows(ctx, "value a", true, "a"), d.shows(ctx, "", false, "x"), d.shows(ctx, "", false, "A", "a ", "", "aa"), d.shows(ctx, "", false))
	}},
	{Name: "odd fields and values", Run: func(ctx context.Context, d Directory) error {
		for field, value := range map[string]string{
			"empty value": "", "sha256:" + strings.Repeat("ab", 32): "user: J\u00f6rg", "\u0416 '\"%_\\ {x}": "\x00\xff\r\n binary", "*": "star", "": "empty field", "[a-z]": "class",
			"long": strings.Repeat("0123456789", 10000),
		} {
			if err := first(d.Set(ctx, field, value), d.shows(ctx, value, true, field)); err != nil {
				return fmt.Errorf("field %s: %w", shorten(field), err)
			}
		}
		return d.shows(ctx, "", false, "other", "?")
	}},
	{Name: "changes by others show", Run: func(ctx context.Context, d Directory) error {
		if err := d.shows(ctx, "", false, "x", "a"); err != nil {
			return err
		}
		for round := range 3 {
			value := fmt.Sprintf("value %d", round)
			if err := first(d.Set(ctx, "a", value), d.shows(ctx, value, true, "x", "a"),
				d.Set(ctx, "x", "before it"), d.shows(ctx, "before it", true, "x", "a"), d.Delete(ctx, "x"), d.shows(ctx, value, true, "x", "a"),
				d.Set(ctx, "a", value+" changed"), d.shows(ctx, value+" changed", true, "a"), d.Delete(ctx, "a"), d.shows(ctx, "", false, "x", "a"), d.shows(ctx, "", false, "a")); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
		}
		return nil
	}},
	{Name: "a change shows and stays", Run: func(ctx context.Context, d Directory) error {
		// Readers keep asking while the entry changes: none may keep an answer from before.
		if err := first(d.Set(ctx, "a", "old"), d.shows(ctx, "old", true, "a")); err != nil {
			return err
		}
		reading, stop := context.WithCancel(ctx)
		done := make(chan []error, 1)
		go func() {
			done <- together(4, func(int) error {
				for reading.Err() == nil {
					if _, _, err := d.Lookup(ctx, "a"); err != nil {
						return err
					}
					_ = pause(reading, 100*time.Microsecond)
				}
				return nil
			})
		}()
		err := pause(ctx, 20*time.Millisecond)
		if err == nil {
			err = first(d.Set(ctx, "a", "new"), d.shows(ctx, "new", true, "a"), pause(ctx, shows/4))
		}
		stop()
		if err := first(append(<-done, err)...); err != nil {
			return err
		}
		if value, found, err := d.Lookup(ctx, "a"); value != "new" || !found || err != nil {
			return fmt.Errorf("Lookup a while after a change had shown: want the new value, got %q, %t, %v", value, found, err)
		}
		return nil
	}},
	{Name: "all entries may go at once", Inapplicable: func(d Directory) string {
		if d.Clear == nil {
			return "there is no way to clear it"
		}
		return ""
	}, Run: func(ctx context.Context, d Directory) error {
		return first(d.Set(ctx, "a", "1"), d.Set(ctx, "b", "2"), d.shows(ctx, "1", true, "a"), d.shows(ctx, "2", true, "b"), d.Clear(ctx),
			d.shows(ctx, "", false, "a"), d.shows(ctx, "", false, "b"))
	}},
	{Name: "a directory that is away", Inapplicable: cannotCutDirectory, Run: func(ctx context.Context, d Directory) error {
		if err := first(d.Set(ctx, "a", "value"), d.shows(ctx, "value", true, "a")); err != nil {
			return err
		}
		d.Cut()
		defer d.Heal()
		// What was looked up before may be answered for the 2 seconds that a change may take to show.
		if err := pause(ctx, shows); err != nil {
			return err
		}
		for _, field := range []string{"never asked", "a", "b"} {
			begun := time.Now()
			_, _, err := d.Lookup(ctx, field)
			if took := time.Since(begun); took > 1200*time.Millisecond {
				return fmt.Errorf("Lookup while the directory is away took %v, want at most a second", took)
			}
			if err := wantKind("Lookup while the directory is away", err, fault.Unavailable); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a directory that comes back", Inapplicable: cannotCutDirectory, Run: func(ctx context.Context, d Directory) error {
		if err := first(d.Set(ctx, "a", "value"), d.shows(ctx, "value", true, "a")); err != nil {
			return err
		}
		d.Cut()
		_, _, away := d.Lookup(ctx, "never asked")
		d.Heal()
		if err := wantKind("Lookup of an unknown field while the directory is away", away, fault.Unavailable); err != nil {
			return err
		}
		if err := eventually(ctx, recovery, func() error { return d.answers(ctx, "value", true, "a") }); err != nil {
			return fmt.Errorf("after the directory came back: %w", err)
		}
		return first(d.Set(ctx, "a", "changed"), d.shows(ctx, "changed", true, "a"), d.Delete(ctx, "a"), d.shows(ctx, "", false, "a"))
	}},
	{Name: "a context that has ended", Run: func(ctx context.Context, d Directory) error {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, found, err := d.Lookup(ended, "never asked")
		if err == nil || found {
			return fmt.Errorf("Lookup under a cancelled context: want an error, got %t, %v", found, err)
		}
		return wantKind("Lookup under a cancelled context", err, fault.Unavailable)
	}},
}

func cannotCutDirectory(d Directory) string {
	if d.Cut == nil || d.Heal == nil {
		return "it cannot be cut off"
	}
	return ""
}

// answers complains unless Lookup answers so.
func (d Directory) answers(ctx context.Context, want string, there bool, fields ...string) error {
	value, found, err := d.Lookup(ctx, fields...)
	if err != nil || found != there || value != want {
		return fmt.Errorf("Lookup %q: want %s, %t, got %s, %t, %v", fields, shorten(want), there, shorten(value), found, err)
	}
	return nil
}

// shows complains unless Lookup answers so within the time that a change may take.
func (d Directory) shows(ctx context.Context, want string, there bool, fields ...string) error {
	return eventually(ctx, shows, func() error { return d.answers(ctx, want, there, fields...) })
}
