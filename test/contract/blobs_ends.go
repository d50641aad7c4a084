package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"bitbucket.org/templar/templar/ports"
)

// blobsSizes are a small object, and one that adapters send in parts.
var blobsSizes = []int64{1000, 20 * mebi}

// eachSize tries something for each of blobsSizes, under a name of its own.
func eachSize(try func(name string, size int64) error) error {
	for _, size := range blobsSizes {
		if err := try(ports.DatedName("templates-", time.Unix(size, 0)), size); err != nil {
			return fmt.Errorf("with %d bytes: %w", size, err)
		}
	}
	return nil
}

// isClosed complains unless an upload takes nothing any more.
func isClosed(when string, u ports.Upload) error {
	if _, err := u.Write([]byte("more")); !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("%s, Write: want fs.ErrClosed, got %v", when, err)
	}
	if err := u.Commit(); !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("%s, Commit: want fs.ErrClosed, got %v", when, err)
	}
	if err := u.Abort(); err != nil {
		return fmt.Errorf("%s, Abort: want nothing, got %v", when, err)
	}
	return nil
}

// isUnseen complains if anything shows of a name.
func isUnseen(ctx context.Context, when string, b ports.Blobs, name string) error {
	if err := isAbsent(ctx, when, b, name); err != nil {
		return err
	}
	_, err := b.Latest(ctx, "templates-")
	return wantErr(when+", Latest", err, fs.ErrNotExist)
}

var blobsEnds = []BlobsCheck{
	{Name: "nothing shows before Commit", Run: func(ctx context.Context, b BlobsTrial) error {
		for _, size := range blobsSizes {
			name := ports.DatedName("templates-", time.Unix(size, 0))
			u, err := b.Create(ctx, name)
			if err != nil {
				return err
			}
			err = writeBlob(u, 1, size, mebi)
			if err == nil {
				err = isAbsent(ctx, "before Commit", b, name)
			}
			if latest, found := b.Latest(ctx, "templates-"); err == nil && (found == nil && latest == name) {
				err = errors.New("before Commit: Latest finds it")
			}
			if err != nil {
				return errors.Join(err, u.Abort())
			}
			if err := u.Commit(); err != nil {
				return fmt.Errorf("Commit: %w", err)
			}
			if err := isStored(ctx, b, name, 1, size); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "after Commit the upload is over and the object stays", Run: func(ctx context.Context, b BlobsTrial) error {
		return eachSize(func(name string, size int64) error {
			u, err := b.Create(ctx, name)
			if err != nil {
				return err
			}
			if err := errors.Join(writeBlob(u, 1, size, mebi), u.Commit()); err != nil {
				return err
			}
			if err := isClosed("after Commit", u); err != nil {
				return err
			}
			return isStored(ctx, b, name, 1, size)
		})
	}},
	{Name: "Abort leaves nothing", Run: func(ctx context.Context, b BlobsTrial) error {
		err := eachSize(func(name string, size int64) error {
			u, err := b.Create(ctx, name)
			if err != nil {
				return err
			}
			if err := errors.Join(writeBlob(u, 1, size, mebi), u.Abort()); err != nil {
				return err
			}
			if err := isClosed("after Abort", u); err != nil {
				return err
			}
			if err := isUnseen(ctx, "after Abort", b, name); err != nil {
				return err
			}
			return nothingLeft(ctx, "after Abort", b)
		})
		if err != nil {
			return err
		}
		return eachSize(func(name string, size int64) error { // the names are free
			if err := storeBlob(ctx, b, name, 2, size, mebi); err != nil {
				return err
			}
			return isStored(ctx, b, name, 2, size)
		})
	}},
	{Name: "a failure in the middle leaves nothing", Run: func(ctx context.Context, b BlobsTrial) error {
		return eachSize(func(name string, size int64) error {
			u, err := b.Create(ctx, name)
			if err != nil {
				return err
			}
			err = writeBlob(u, 1, size, mebi)
			if err != nil {
				return errors.Join(err, u.Abort())
			}
			mend := b.Break(u)
			defer mend()
			broken := writeBlob(u, 2, 64*mebi, mebi)
			if broken == nil {
				return errors.Join(errors.New("64 MiB go into an upload that is broken"), u.Abort())
			}
			if err := u.Commit(); err == nil {
				return fmt.Errorf("Commit after Write has failed (%w): want an error", broken)
			}
			if err := isUnseen(ctx, "after a Commit that failed", b, name); err != nil {
				return err
			}
			_ = u.Abort() // it may say again what is broken
			if err := isUnseen(ctx, "after a failure", b, name); err != nil {
				return err
			}
			return nothingLeft(ctx, "after a failure", b)
		})
	}},
	{Name: "a name that is taken is refused", Run: func(ctx context.Context, b BlobsTrial) error {
		return eachSize(func(name string, size int64) error {
			if err := storeBlob(ctx, b, name, 1, 5000, 5000); err != nil {
				return err
			}
			if err := wantErr("a second object of the name", storeBlob(ctx, b, name, 2, size, mebi), fs.ErrExist); err != nil {
				return err
			}
			if err := isStored(ctx, b, name, 1, 5000); err != nil {
				return fmt.Errorf("after a second object of the name was refused: %w", err)
			}
			return nothingLeft(ctx, "after a refusal", b)
		})
	}},
	{Name: "of uploads of one name one wins", Run: func(ctx context.Context, b BlobsTrial) error {
		return eachSize(func(name string, size int64) error {
			uploads := make([]ports.Upload, 3)
			for i := range uploads {
				u, err := b.Create(ctx, name)
				if err != nil {
					return err
				}
				defer func() { _ = u.Abort() }()
				if err := writeBlob(u, byte(i), size+int64(i), mebi); err != nil {
					return err
				}
				uploads[i] = u
			}
			errs := together(len(uploads), func(i int) error { return uploads[i].Commit() })
			won, bad := winners(errs, fs.ErrExist)
			if won != 1 || bad != nil {
				return fmt.Errorf("want one of %d to win, got %d (%v)", len(uploads), won, errs)
			}
			for i, err := range errs {
				if err == nil {
					if err := isStored(ctx, b, name, byte(i), size+int64(i)); err != nil {
						return fmt.Errorf("the winner's: %w", err)
					}
				}
				if err := uploads[i].Abort(); err != nil {
					return fmt.Errorf("Abort after the race: %w", err)
				}
			}
			if r, _, err := b.Open(ctx, name); err != nil {
				return fmt.Errorf("after the losers' Abort: %w", err)
			} else if err := r.Close(); err != nil {
				return err
			}
			return nothingLeft(ctx, "after the race", b)
		})
	}},
	{Name: "a context that has ended stops all", Run: func(ctx context.Context, b BlobsTrial) error {
		ended, end := context.WithCancel(ctx)
		end()
		_, err := b.Create(ended, "object")
		if err := wantErr("Create", err, context.Canceled); err != nil {
			return err
		}
		if _, _, err = b.Open(ended, "object"); !errors.Is(err, context.Canceled) {
			return wantErr("Open", err, context.Canceled)
		}
		_, err = b.Latest(ended, "templates-")
		return wantErr("Latest", err, context.Canceled)
	}},
	{Name: "a context that ends stops an upload, and Abort still works", Run: func(ctx context.Context, b BlobsTrial) error {
		return eachSize(func(name string, size int64) error {
			limited, end := context.WithCancel(ctx)
			defer end()
			u, err := b.Create(limited, name)
			if err != nil {
				return err
			}
			err = writeBlob(u, 1, size, mebi)
			end()
			if err == nil {
				_, failed := u.Write([]byte("more"))
				err = errors.Join(wantErr("Write", failed, context.Canceled), wantErr("Commit", u.Commit(), context.Canceled))
			}
			if err := errors.Join(err, u.Abort()); err != nil {
				return err
			}
			if err := isUnseen(ctx, "after the context's end", b, name); err != nil {
				return err
			}
			return nothingLeft(ctx, "after the context's end", b)
		})
	}},
	{Name: "a context that ends stops a reader", Run: func(ctx context.Context, b BlobsTrial) error {
		if err := storeBlob(ctx, b, "object", 1, 20*mebi, mebi); err != nil {
			return err
		}
		limited, end := context.WithCancel(ctx)
		defer end()
		r, _, err := b.Open(limited, "object")
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		if _, err := io.CopyN(io.Discard, r, mebi); err != nil {
			return err
		}
		end()
		n, err := io.Copy(io.Discard, r)
		if n > mebi {
			return fmt.Errorf("%d more bytes come after the context's end", n)
		}
		return wantErr("Read after the context's end", err, context.Canceled)
	}},
}
