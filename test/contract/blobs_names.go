package contract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"bitbucket.org/templar/templar/ports"
)

var blobsNames = []BlobsCheck{
	{Name: "an absent name is told", Run: func(ctx context.Context, b BlobsTrial) error {
		if err := storeBlob(ctx, b, "object", 1, 10, 10); err != nil {
			return err
		}
		for _, name := range []string{"absent", "objec", "object2", "Object", "object."} {
			if err := isAbsent(ctx, "beside another object", b, name); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "what is no name is refused", Run: func(ctx context.Context, b BlobsTrial) error {
		for _, name := range []string{"", ".", "..", "/", "a/b", "../a", "/a", "a/", `a\b`, "a\x00b", "a\nb", "\xff", strings.Repeat("a", 201)} {
			u, err := b.Create(ctx, name)
			if err == nil {
				err = u.Abort()
				return errors.Join(fmt.Errorf("Create of the name %q: want fs.ErrInvalid, got an upload", name), err)
			}
			if err := wantErr(fmt.Sprintf("Create of the name %q", name), err, fs.ErrInvalid); err != nil {
				return err
			}
			if r, _, err := b.Open(ctx, name); !errors.Is(err, fs.ErrInvalid) {
				if err == nil {
					_ = r.Close()
				}
				return fmt.Errorf("Open of the name %q: want fs.ErrInvalid, got %v", name, err)
			}
		}
		return nil
	}},
	{Name: "names are kept as they are", Run: func(ctx context.Context, b BlobsTrial) error {
		names := []string{"a", "A b", "ä", "a\u0308", "漢字 💾", "100%", "%41", "a+b", "a?b=c&d", "a#b", "~a", ".hidden", "...", "-", "*", `"q"`,
			"a;b:c,d=e@f", "{name}", "<a>", "a'b", strings.Repeat("n", 200)}
		for i, name := range names {
			if err := storeBlob(ctx, b, name, byte(i), 100, 100); err != nil {
				return err
			}
		}
		for i, name := range names {
			if err := isStored(ctx, b, name, byte(i), 100); err != nil {
				return err
			}
		}
		return nothingLeft(ctx, "after many names", b)
	}},
	{Name: "Latest is the newest of its prefix", Run: func(ctx context.Context, b BlobsTrial) error {
		_, err := b.Latest(ctx, "templates-")
		if err := wantErr("Latest of an empty place", err, fs.ErrNotExist); err != nil {
			return err
		}
		at := time.Date(2026, 11, 22, 2, 29, 0, 0, time.UTC)
		newest := map[string]string{}
		add := func(prefix string, times ...time.Time) error {
			for _, at := range times {
				name := ports.DatedName(prefix, at)
				newest[prefix] = max(newest[prefix], name)
				if err := storeBlob(ctx, b, name, 1, 1, 1); err != nil {
					return err
				}
			}
			return nil
		}
		var times []time.Time
		for i := range 30 { // neither rising nor falling
			times = append(times, at.Add(time.Duration(i*7%30)*31*time.Hour))
		}
		err = errors.Join(add("templates-", times...), add("", at.AddDate(-1, 0, 0)),
			add("templates-a-", at.AddDate(60, 0, 0)), add("characters-", at.AddDate(50, 0, 0)), add("vorlagen-ä b+*-", at, at.Add(time.Second)))
		if err != nil {
			return err
		}
		// None of these carries a time, wherever they sort.
		for _, other := range []string{"templates-zzz.ndjson", "templates-20991231T235959Z.ndjson.gz", "templates-20991231T235959.ndjson",
			"templates-20991331T235959Z.ndjson", "templates-99991231T235959Z.json", "templates-", "99999999T999999Z.ndjson"} {
			if err := storeBlob(ctx, b, other, 1, 1, 1); err != nil {
				return err
			}
		}
		for prefix, want := range newest {
			if got, err := b.Latest(ctx, prefix); err != nil || got != want {
				return fmt.Errorf("Latest of the prefix %q: want %q, got %q, %v", prefix, want, got, err)
			}
		}
		for _, prefix := range []string{"template", "templates-2", "Templates-", "z"} {
			_, err := b.Latest(ctx, prefix)
			if err := wantErr(fmt.Sprintf("Latest of the prefix %q, of which there is none", prefix), err, fs.ErrNotExist); err != nil {
				return err
			}
		}
		return nil
	}},
}
