package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// upload is an unfinished file.
type upload struct {
	ctx          context.Context
	folder, path string
	part         *os.File // nil when it has ended
	failed       error    // the first failure of Write or Commit
}

// Write implements ports.Upload.
func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	n, err := u.part.Write(p)
	u.failed = err
	return n, err
}

// Commit implements ports.Upload.
func (u *upload) Commit() error {
	if err := u.usable(); err != nil {
		return err
	}
	u.failed = u.commit()
	return u.failed
}

func (u *upload) commit() error {
	if err := u.part.Sync(); err != nil {
		return err
	}
	if err := give(u.part.Name(), u.path); err != nil {
		return err
	}
	// From here on the object is there; what fails is told, and Abort leaves it alone.
	err := u.part.Close()
	u.part = nil
	return errors.Join(err, syncFolder(u.folder))
}

// Abort implements ports.Upload.
func (u *upload) Abort() error {
	if u.part == nil {
		return nil
	}
	name := u.part.Name()
	err := u.part.Close()
	u.part = nil
	return errors.Join(err, os.Remove(name))
}

// usable is nil while the upload goes on.
func (u *upload) usable() error {
	switch {
	case u.part == nil:
		return &fs.PathError{Op: "write", Path: u.path, Err: fs.ErrClosed}
	case u.failed != nil:
		return u.failed
	}
	u.failed = u.ctx.Err()
	return u.failed
}

// give moves a file to a name that must be free. A rename would replace what is there; a second link is refused
// instead, by the file system itself, so that of two who come at once one wins.
func give(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EMLINK) {
		return err
	}
	// This file system has no links (FAT, some network shares): look and rename, with a gap between.
	if _, err := os.Lstat(to); err == nil {
		return &fs.PathError{Op: "create", Path: to, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// syncFolder makes the names in a folder last.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil // not every file system knows this for a folder
	}
	return errors.Join(err, f.Close())
}
