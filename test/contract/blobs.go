package contract

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"bitbucket.org/templar/templar/ports"
)

// BlobsTrial is a place for large objects on trial.
type BlobsTrial struct {
	ports.Blobs
	// Left counts what is stored apart from whole objects: temporary files, uploads that nobody ended.
	Left func(ctx context.Context) (int, error)
	// Break makes what is written to the upload from now on fail; the bytes that it keeps may still go in. What it
	// answers makes other uploads possible again, if they are not.
	Break func(u ports.Upload) (mend func())
}

// BlobsCheck is one promise of ports.Blobs, tried on an empty place.
type BlobsCheck = Check[BlobsTrial]

// BlobsHarness is how an adapter is tried.
type BlobsHarness struct {
	// Open gives an empty place; it registers its own clean-up. Checks run side by side.
	Open  func(t *testing.T) BlobsTrial
	Lacks map[string]string
}

// Blobs runs the suite of ports.Blobs.
func Blobs(t *testing.T, h BlobsHarness) { runChecks(t, BlobsChecks, h.Lacks, true, h.Open) }

// BlobsChecks are the promises of ports.Blobs.
var BlobsChecks = slices.Concat(blobsContents, blobsEnds, blobsNames)

const (
	mebi = 1 << 20
	// bigBlob is more than adapters keep in memory on the way.
	bigBlob = 30 * mebi
)

// blobContent is a stream of so many bytes that nobody has seen before, the same for the same seed.
func blobContent(seed byte, size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), size)
}

// writeBlob fills an upload with a content, so many bytes at a time.
func writeBlob(u ports.Upload, seed byte, size int64, step int) error {
	// io.CopyBuffer with nothing but Read and Write on both sides, so that the steps are kept.
	n, err := io.CopyBuffer(struct{ io.Writer }{u}, struct{ io.Reader }{blobContent(seed, size)}, make([]byte, step))
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes of %d went in", n, size)
	}
	return err
}

// storeBlob makes an object of a content.
func storeBlob(ctx context.Context, b ports.Blobs, name string, seed byte, size int64, step int) (err error) {
	u, err := b.Create(ctx, name)
	if err != nil {
		return fmt.Errorf("Create of %q: %w", name, err)
	}
	defer func() { err = errors.Join(err, u.Abort()) }()
	if err := writeBlob(u, seed, size, step); err != nil {
		return fmt.Errorf("Write to %q: %w", name, err)
	}
	if err := u.Commit(); err != nil {
		return fmt.Errorf("Commit of %q: %w", name, err)
	}
	return nil
}

// isStored complains unless an object holds that content, and says its size.
func isStored(ctx context.Context, b ports.Blobs, name string, seed byte, size int64) (err error) {
	r, told, err := b.Open(ctx, name)
	if err != nil {
		return fmt.Errorf("Open of %q: %w", name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if told != size && told != -1 {
		return fmt.Errorf("Open of %q: want the size %d or -1, got %d", name, size, told)
	}
	want, got := sha256.New(), sha256.New()
	if _, err := io.Copy(want, blobContent(seed, size)); err != nil {
		return err
	}
	n, err := io.Copy(got, r)
	if err != nil {
		return fmt.Errorf("reading %q, after %d bytes: %w", name, n, err)
	}
	if n != size || string(got.Sum(nil)) != string(want.Sum(nil)) {
		return fmt.Errorf("reading %q: want the %d bytes that were written, got %d, others", name, size, n)
	}
	return nil
}

// isAbsent complains unless there is no object of the name.
func isAbsent(ctx context.Context, when string, b ports.Blobs, name string) error {
	r, _, err := b.Open(ctx, name)
	if err == nil {
		err = r.Close()
		return errors.Join(fmt.Errorf("%s: there is an object %q", when, name), err)
	}
	return wantErr(fmt.Sprintf("%s, Open of %q", when, name), err, fs.ErrNotExist)
}

// nothingLeft complains about unfinished things.
func nothingLeft(ctx context.Context, when string, b BlobsTrial) error {
	if n, err := b.Left(ctx); err != nil || n != 0 {
		return fmt.Errorf("%s: want nothing left of it in the store, got %d, %v", when, n, err)
	}
	return nil
}

var blobsContents = []BlobsCheck{
	{Name: "what was committed is read back byte for byte", Run: func(ctx context.Context, b BlobsTrial) error {
		for i, c := range []struct {
			size int64
			step int
		}{{0, 1}, {1, 1}, {1000, 7}, {70_000, 70_000}, {5*mebi + 1, mebi}, {8 * mebi, 100_000}, {8*mebi + 1, 16 * mebi}, {16 * mebi, 8 * mebi}} {
			name := fmt.Sprintf("object-%d", c.size)
			if err := storeBlob(ctx, b, name, byte(i), c.size, c.step); err != nil {
				return err
			}
			if err := isStored(ctx, b, name, byte(i), c.size); err != nil {
				return err
			}
		}
		return nothingLeft(ctx, "after uploads that were committed", b)
	}},
	{Name: "large objects pass in small steps", Run: func(ctx context.Context, b BlobsTrial) error {
		if err := storeBlob(ctx, b, "large", 1, bigBlob, 3001); err != nil {
			return err
		}
		if err := isStored(ctx, b, "large", 1, bigBlob); err != nil {
			return err
		}
		return nothingLeft(ctx, "after a large upload", b)
	}},
	{Name: "what is written is not kept by reference", Run: func(ctx context.Context, b BlobsTrial) error {
		u, err := b.Create(ctx, "object")
		if err != nil {
			return err
		}
		chunk := make([]byte, 3*mebi)
		source := blobContent(1, 15*mebi)
		for range 5 {
			if _, err := io.ReadFull(source, chunk); err != nil {
				return err
			}
			if _, err := u.Write(chunk); err != nil {
				return errors.Join(err, u.Abort())
			}
			clear(chunk)
		}
		if err := u.Commit(); err != nil {
			return err
		}
		return isStored(ctx, b, "object", 1, 15*mebi)
	}},
	{Name: "many read and write at once", Run: func(ctx context.Context, b BlobsTrial) error {
		if err := storeBlob(ctx, b, "shared", 100, 9*mebi, mebi); err != nil {
			return err
		}
		errs := together(6, func(i int) error {
			if i%2 == 0 {
				return isStored(ctx, b, "shared", 100, 9*mebi)
			}
			name := fmt.Sprint("own-", i)
			if err := storeBlob(ctx, b, name, byte(i), 9*mebi, mebi); err != nil {
				return err
			}
			return isStored(ctx, b, name, byte(i), 9*mebi)
		})
		for i := 1; i < 6; i += 2 { // and none has become another's
			errs = append(errs, isStored(ctx, b, fmt.Sprint("own-", i), byte(i), 9*mebi))
		}
		return errors.Join(append(errs, isStored(ctx, b, "shared", 100, 9*mebi))...)
	}},
	{Name: "a reader may stop in the middle", Run: func(ctx context.Context, b BlobsTrial) error {
		if err := storeBlob(ctx, b, "object", 1, 9*mebi, mebi); err != nil {
			return err
		}
		for _, taken := range []int64{0, 10, 5 * mebi} {
			r, _, err := b.Open(ctx, "object")
			if err != nil {
				return err
			}
			if _, err := io.CopyN(io.Discard, r, taken); err != nil {
				return errors.Join(err, r.Close())
			}
			if err := r.Close(); err != nil {
				return fmt.Errorf("Close after %d bytes: %w", taken, err)
			}
			if n, err := r.Read(make([]byte, 10)); n != 0 || err == nil || errors.Is(err, io.EOF) {
				return fmt.Errorf("Read after Close: want an error that is not the end of the object, got %d bytes, %v", n, err)
			}
		}
		return isStored(ctx, b, "object", 1, 9*mebi)
	}},
}
