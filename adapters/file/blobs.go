// Package file keeps objects as the files of one folder. What is being written is a hidden file beside its goal,
// .NAME.NUMBER.part, and gets its name when it is whole and on disk. A process that is killed leaves at most that
// hidden file behind, which nobody reads and anybody may remove.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"bitbucket.org/templar/templar/ports"
)

// Blobs is a folder. It implements ports.Blobs.
type Blobs struct{ folder string }

var _ ports.Blobs = (*Blobs)(nil)

// Open takes a folder, which must be there; "" is the current one. An absent folder is fs.ErrNotExist, what is no
// folder fs.ErrInvalid.
func Open(folder string) (*Blobs, error) {
	folder = filepath.Clean(folder)
	info, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: folder, Err: errors.Join(errors.New("not a folder"), fs.ErrInvalid)}
	}
	return &Blobs{folder}, nil
}

// Create implements ports.Blobs. The file will be readable for its owner alone, as an export holds everything.
func (b *Blobs) Create(ctx context.Context, name string) (ports.Upload, error) {
	path, err := b.path(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	part, err := os.CreateTemp(b.folder, "."+name+".*.part")
	if err != nil {
		return nil, err
	}
	return &upload{ctx: ctx, folder: b.folder, path: path, part: part}, nil
}

// Open implements ports.Blobs. The size of what is no regular file, such as a pipe, is not known.
func (b *Blobs) Open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	path, err := b.path(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if info.IsDir() {
		return nil, 0, errors.Join(&fs.PathError{Op: "open", Path: path, Err: errors.Join(errors.New("a folder"), fs.ErrInvalid)}, f.Close())
	}
	size := int64(-1)
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	// Closing ends a read that waits, of a pipe for instance.
	stop := context.AfterFunc(ctx, func() { _ = f.Close() })
	return &reader{ctx: ctx, file: f, stop: stop}, size, nil
}

// Latest implements ports.Blobs.
func (b *Blobs) Latest(ctx context.Context, prefix string) (string, error) {
	folder, err := os.Open(b.folder)
	if err != nil {
		return "", err
	}
	defer func() { _ = folder.Close() }()
	latest := ""
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		// A bounded number at a time: a folder may hold more than should be in memory.
		entries, err := folder.ReadDir(1000)
		for _, entry := range entries {
			if name := entry.Name(); !entry.IsDir() && name > latest && ports.IsDatedName(prefix, name) {
				latest = name
			}
		}
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}
	}
	if latest == "" {
		return "", fmt.Errorf("%s holds no export whose name begins with %q: %w", b.folder, prefix, fs.ErrNotExist)
	}
	return latest, nil
}

// path is where a name leads, if it is one and ctx goes on.
func (b *Blobs) path(ctx context.Context, name string) (string, error) {
	if err := ports.CheckBlobName(name); err != nil {
		return "", err
	}
	return filepath.Join(b.folder, name), ctx.Err()
}

// reader is a file that stops with its context.
type reader struct {
	ctx  context.Context
	file *os.File
	stop func() bool
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.file.Read(p)
	if ended := r.ctx.Err(); ended != nil && errors.Is(err, fs.ErrClosed) {
		err = ended
	}
	return n, err
}

func (r *reader) Close() error {
	if !r.stop() {
		return nil // the context's end has closed it, or an earlier Close
	}
	return r.file.Close()
}
