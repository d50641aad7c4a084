package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"bitbucket.org/templar/templar/ports"
)

// shelf is a place for objects in memory, good unless one of its mistakes is switched on.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
	open    map[*shelved]bool // uploads that were not ended

	replaces                             bool // what has a name that is taken
	showsEarly, showsBroken, cuts, flips bool
	wrongSize, byReference, anyName      bool
	keepsAborted, keepsTaken, reopens    bool
	deafCreate, deafWrite, deafRead      bool
	deafAbort, abortsCommitted, readsOn  bool
	latest                               func(s *shelf, prefix string) string
	name                                 func(name string) string
}

func newShelf() *shelf { return &shelf{objects: map[string][]byte{}, open: map[*shelved]bool{}} }

// trial puts a shelf on trial.
func (s *shelf) trial() BlobsTrial {
	return BlobsTrial{
		Blobs: s,
		Left: func(context.Context) (int, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.open), nil
		},
		Break: func(u ports.Upload) func() {
			u.(*shelved).broken = true
			return func() {}
		},
	}
}

func (s *shelf) check(ctx context.Context, name string) (string, error) {
	if s.name != nil {
		name = s.name(name)
	}
	if err := ports.CheckBlobName(name); err != nil && !s.anyName {
		return "", err
	}
	if s.deafCreate {
		return name, nil
	}
	return name, ctx.Err()
}

func (s *shelf) Create(ctx context.Context, name string) (ports.Upload, error) {
	name, err := s.check(ctx, name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &shelved{shelf: s, ctx: ctx, name: name}
	if _, taken := s.objects[name]; taken && !s.replaces {
		if s.keepsTaken {
			s.open[u] = true
		}
		return nil, fs.ErrExist
	}
	s.open[u] = true
	return u, nil
}

func (s *shelf) Open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	name, err := s.check(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	object, ok := s.objects[name]
	if !ok {
		return nil, 0, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	size := int64(len(object))
	if s.wrongSize {
		size++
	}
	return &shelfReader{shelf: s, ctx: ctx, Reader: bytes.NewReader(object)}, size, nil
}

func (s *shelf) Latest(ctx context.Context, prefix string) (string, error) {
	if err := ctx.Err(); err != nil && !s.deafCreate {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	latest := ""
	if s.latest != nil {
		latest = s.latest(s, prefix)
	} else {
		for name := range s.objects {
			if ports.IsDatedName(prefix, name) {
				latest = max(latest, name)
			}
		}
	}
	if latest == "" {
		return "", fs.ErrNotExist
	}
	return latest, nil
}

type shelfReader struct {
	*bytes.Reader
	shelf  *shelf
	ctx    context.Context
	closed bool
}

// WriteTo hides that of bytes.Reader, so that the context is asked.
func (r *shelfReader) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{r})
}

func (r *shelfReader) Read(p []byte) (int, error) {
	if r.closed && !r.shelf.readsOn {
		return 0, fs.ErrClosed
	}
	if err := r.ctx.Err(); err != nil && !r.shelf.deafRead {
		return 0, err
	}
	return r.Reader.Read(p)
}

func (r *shelfReader) Close() error { r.closed = true; return nil }

// shelved is an upload to a shelf.
type shelved struct {
	shelf         *shelf
	ctx           context.Context
	name          string
	chunks        [][]byte
	broken, ended bool
	failed        error
}

func (u *shelved) usable() error {
	if u.ended && !u.shelf.reopens {
		return fs.ErrClosed
	}
	if u.failed == nil && !u.shelf.deafWrite {
		u.failed = u.ctx.Err()
	}
	return u.failed
}

func (u *shelved) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	if u.broken {
		u.failed = errors.New("no space left")
		if u.shelf.showsBroken {
			u.failed = nil
			u.show()
			return 0, errors.New("no space left")
		}
		return 0, u.failed
	}
	if !u.shelf.byReference {
		p = bytes.Clone(p)
	}
	u.chunks = append(u.chunks, p)
	if u.shelf.showsEarly {
		u.show()
	}
	return len(p), nil
}

func (u *shelved) show() {
	object := bytes.Join(u.chunks, nil)
	if u.shelf.cuts {
		object = object[:min(len(object), 8*mebi)]
	}
	if u.shelf.flips && len(object) > 0 {
		object[len(object)-1] ^= 1
	}
	u.shelf.mu.Lock()
	defer u.shelf.mu.Unlock()
	u.shelf.objects[u.name] = object
}

func (u *shelved) Commit() error {
	if err := u.usable(); err != nil {
		return err
	}
	u.shelf.mu.Lock()
	_, taken := u.shelf.objects[u.name]
	if !taken {
		u.shelf.objects[u.name] = nil // the name is ours
	}
	u.shelf.mu.Unlock()
	if taken && !u.shelf.replaces && !u.shelf.showsEarly {
		u.failed = fs.ErrExist
		return u.failed
	}
	u.show()
	u.ended = true
	u.shelf.mu.Lock()
	defer u.shelf.mu.Unlock()
	delete(u.shelf.open, u)
	return nil
}

func (u *shelved) Abort() error {
	if u.ended && !u.shelf.abortsCommitted {
		return nil
	}
	if u.shelf.deafAbort {
		if err := u.ctx.Err(); err != nil {
			return err
		}
	}
	committed := u.ended
	u.ended = true
	u.shelf.mu.Lock()
	defer u.shelf.mu.Unlock()
	if !u.shelf.keepsAborted {
		delete(u.shelf.open, u)
	}
	if committed || u.shelf.showsEarly {
		delete(u.shelf.objects, u.name)
	}
	return nil
}

// mistaken is a shelf with a mistake.
func mistaken(what string, with func(s *shelf)) breaker[BlobsTrial] {
	return breaker[BlobsTrial]{what, func(BlobsTrial) BlobsTrial {
		s := newShelf()
		with(s)
		return s.trial()
	}}
}

// anyNewest is the greatest of the names that begin with a prefix.
func anyNewest(s *shelf, prefix string) (latest string) {
	for name := range s.objects {
		if strings.HasPrefix(name, prefix) {
			latest = max(latest, name)
		}
	}
	return latest
}

var (
	blobsShowEarly = mistaken("shows what is being written", func(s *shelf) { s.showsEarly = true })
	blobsLeave     = mistaken("leaves what was aborted", func(s *shelf) { s.keepsAborted = true })
	blobsReplace   = mistaken("replaces", func(s *shelf) { s.replaces = true })
	blobsFlip      = mistaken("changes the last byte", func(s *shelf) { s.flips = true })
	blobsReopen    = mistaken("goes on after the end", func(s *shelf) { s.reopens = true })
)

var blobsBreakers = map[string][]breaker[BlobsTrial]{
	"what was committed is read back byte for byte": {blobsFlip,
		mistaken("keeps 8 MiB", func(s *shelf) { s.cuts = true }),
		mistaken("tells a wrong size", func(s *shelf) { s.wrongSize = true })},
	"large objects pass in small steps":                    {blobsFlip, mistaken("keeps 8 MiB", func(s *shelf) { s.cuts = true })},
	"what is written is not kept by reference":             {mistaken("keeps the caller's bytes", func(s *shelf) { s.byReference = true })},
	"many read and write at once":                          {mistaken("has one name", func(s *shelf) { s.replaces = true; s.name = func(string) string { return "x" } })},
	"a reader may stop in the middle":                      {mistaken("reads on when closed", func(s *shelf) { s.readsOn = true })},
	"nothing shows before Commit":                          {blobsShowEarly},
	"after Commit the upload is over and the object stays": {blobsReopen, mistaken("aborts what was committed", func(s *shelf) { s.abortsCommitted = true })},
	"Abort leaves nothing":                                 {blobsLeave, blobsReopen},
	"a failure in the middle leaves nothing":               {blobsLeave, mistaken("keeps what it has", func(s *shelf) { s.showsBroken = true })},
	"a name that is taken is refused":                      {blobsReplace, mistaken("begins before it looks", func(s *shelf) { s.keepsTaken = true })},
	"of uploads of one name one wins":                      {blobsReplace, blobsLeave, mistaken("aborts what was committed", func(s *shelf) { s.abortsCommitted = true })},
	"a context that has ended stops all":                   {mistaken("asks no context", func(s *shelf) { s.deafCreate = true })},
	"a context that ends stops an upload, and Abort still works": {
		mistaken("writes on", func(s *shelf) { s.deafWrite = true }),
		mistaken("does not tidy up for those who have gone", func(s *shelf) { s.deafAbort = true })},
	"a context that ends stops a reader": {mistaken("reads on", func(s *shelf) { s.deafRead = true })},
	"an absent name is told": {
		mistaken("does not mind case", func(s *shelf) { s.name = strings.ToLower }),
		mistaken("drops the dot at the end", func(s *shelf) { s.name = func(name string) string { return strings.TrimRight(name, ".") } })},
	"what is no name is refused": {mistaken("takes every name", func(s *shelf) { s.anyName = true }),
		mistaken("cleans names", func(s *shelf) { s.name = func(name string) string { return "x" + strings.ReplaceAll(name, "/", "_") } })},
	"names are kept as they are": {
		mistaken("decodes names", func(s *shelf) { s.name = func(name string) string { return strings.ReplaceAll(name, "%41", "a") } }),
		mistaken("composes letters", func(s *shelf) {
			s.name = func(name string) string { return strings.ReplaceAll(name, "a\u0308", "ä") }
		})},
	"Latest is the newest of its prefix": {
		mistaken("takes any name", func(s *shelf) { s.latest = anyNewest }),
		mistaken("takes one of them", func(s *shelf) {
			s.latest = func(s *shelf, prefix string) (oldest string) {
				for name := range s.objects {
					if ports.IsDatedName(prefix, name) && (oldest == "" || name < oldest) {
						oldest = name
					}
				}
				return oldest
			}
		}),
		mistaken("does not mind the prefix", func(s *shelf) {
			s.latest = func(s *shelf, _ string) string { return anyNewest(s, "") }
		})},
}

func TestBlobsTeeth(t *testing.T) {
	t.Parallel()
	demandTeeth(t, BlobsChecks, func() BlobsTrial { return newShelf().trial() }, blobsBreakers)
}
