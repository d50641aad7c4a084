package ports

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Blobs keeps large objects under names, in one place: a folder, or what lies under a prefix in a bucket. An object
// is written once and whole; it is never changed.
//
// Names are those that CheckBlobName accepts. Errors wrap, or answer to errors.Is for: fs.ErrNotExist, fs.ErrExist,
// fs.ErrPermission (the outside thing refuses, wrong credentials included), fs.ErrInvalid (a bad name), fs.ErrClosed,
// and the error of a context that ended. What else goes wrong has no kind. No error holds a credential.
//
// Implementations: adapters/file, adapters/s3.
type Blobs interface {
	// Create begins an object. Nothing shows under the name before Commit has succeeded. A name that is taken is
	// fs.ErrExist, here or at Commit. ctx is that of the whole upload: once it ends, Write and Commit fail.
	// Whoever gets an Upload ends it by Commit or Abort.
	Create(ctx context.Context, name string) (Upload, error)
	// Open reads an object; size is its length in bytes, -1 when that is not known. An absent name is fs.ErrNotExist.
	// ctx is that of all the reading. The reader answers io.EOF only at the true end: an object that breaks off in the
	// middle is an error.
	Open(ctx context.Context, name string) (content io.ReadCloser, size int64, err error)
	// Latest is the newest of the names that DatedName gives for the prefix; other names do not count. None at all is
	// fs.ErrNotExist.
	Latest(ctx context.Context, prefix string) (name string, err error)
}

// Upload is an object being written, by one goroutine.
type Upload interface {
	// Write takes the next bytes; it may keep some in memory, within a bound. After it has failed nothing can be
	// committed.
	io.Writer
	// Commit makes the object visible, whole and on lasting storage. Of several uploads of a name one wins, the others
	// are fs.ErrExist. After an error the object is there whole, or not at all; Abort is still called for.
	Commit() error
	// Abort throws away what was written; it works although the context has ended. After Commit has succeeded it does
	// nothing, so that it can be deferred. After either, Write and Commit are fs.ErrClosed.
	Abort() error
}

// datedForm is the time in a DatedName, to the second, so that names sort as their times do.
const datedForm = "20060102T150405Z"

// datedEnd is how a DatedName ends: what Templar writes in bulk is NDJSON.
const datedEnd = ".ndjson"

// DatedName is the name of an export made at a time: the prefix and the time in UTC, to the second, such as
// templates-20261122T022900Z.ndjson for the prefix "templates-". Of one prefix the names sort by their times, for the
// years 0 to 9999.
func DatedName(prefix string, at time.Time) string {
	return prefix + at.UTC().Format(datedForm) + datedEnd
}

// IsDatedName tells whether the name is one that DatedName gives for the prefix.
func IsDatedName(prefix, name string) bool {
	rest, begins := strings.CutPrefix(name, prefix)
	text, ends := strings.CutSuffix(rest, datedEnd)
	if !begins || !ends {
		return false
	}
	at, err := time.Parse(datedForm, text)
	return err == nil && at.Format(datedForm) == text
}

// longestBlobName leaves room, in the 255 bytes that file systems give to a name, for what an unfinished object is
// called.
const longestBlobName = 200

// CheckBlobName accepts what can be a name of an object everywhere: one element of a path, 1 to 200 bytes of UTF-8
// without slashes, backslashes, NUL and other control characters, and neither "." nor "..". Everything else is an
// error that wraps fs.ErrInvalid.
func CheckBlobName(name string) error {
	bad := func(why string) error { return fmt.Errorf("the name %.60q %s: %w", name, why, fs.ErrInvalid) }
	switch {
	case name == "":
		return bad("is empty")
	case len(name) > longestBlobName:
		return bad(fmt.Sprintf("is longer than %d bytes", longestBlobName))
	case name == "." || name == "..":
		return bad("is a folder")
	case !utf8.ValidString(name):
		return bad("is not UTF-8")
	case strings.ContainsAny(name, `/\`) || strings.ContainsFunc(name, unicode.IsControl):
		return bad("holds a slash, a backslash or a control character")
	}
	return nil
}
