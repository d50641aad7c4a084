package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"bitbucket.org/templar/templar/ports"
)

// markName is the object's metadata that tells an upload its own object from another's of the same name.
const markName = "templar-upload"

// contentType is what Templar writes in bulk.
const contentType = "application/x-ndjson"

// upload is an unfinished object: a buffer that is being filled, and the parts before it, which are sent beside.
type upload struct {
	blobs  *Blobs
	ctx    context.Context // of the caller; cancelled by the first part that fails
	cancel context.CancelCauseFunc
	name   string
	mark   string

	id      string // of the multipart upload, "" before there is one
	buffer  []byte // what is not sent yet
	places  chan []byte
	parts   []types.CompletedPart // by number - 1
	sending sync.WaitGroup
	mu      sync.Mutex // for parts
	ended   bool
}

var _ ports.Upload = (*upload)(nil)

func (b *Blobs) begin(ctx context.Context, name string) *upload {
	u := &upload{blobs: b, name: name, mark: rand.Text(), places: make(chan []byte, partsAtOnce+1)}
	u.ctx, u.cancel = context.WithCancelCause(ctx)
	for range cap(u.places) {
		u.places <- nil // a buffer is made when it is needed
	}
	u.buffer = <-u.places
	return u
}

// Write implements ports.Upload.
func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	written := 0
	for len(p) > 0 {
		// A full buffer waits until there is more, so that an object of exactly one part needs no multipart upload.
		if len(u.buffer) == u.blobs.partSize {
			if err := u.send(); err != nil {
				return written, err
			}
		}
		n := min(len(p), u.blobs.partSize-len(u.buffer))
		u.buffer = append(u.buffer, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, nil
}

// send gives the buffer to a goroutine and takes another one, once there is one.
func (u *upload) send() error {
	if u.id == "" {
		if err := u.create(); err != nil {
			return u.fail(err)
		}
	}
	if len(u.parts) == u.blobs.mostParts {
		return u.fail(fmt.Errorf("longer than %d parts of %d bytes", u.blobs.mostParts, u.blobs.partSize))
	}
	u.mu.Lock()
	u.parts = append(u.parts, types.CompletedPart{})
	number := len(u.parts)
	u.mu.Unlock()
	full := u.buffer
	u.buffer = nil
	u.sending.Go(func() {
		if err := u.part(number, full); err != nil {
			u.cancel(u.blobs.failure(u.blobs.place(u.name), err))
		}
		u.places <- full[:0]
	})
	select {
	case u.buffer = <-u.places:
		if cap(u.buffer) == 0 {
			u.buffer = make([]byte, 0, u.blobs.partSize)
		}
	case <-u.ctx.Done():
	}
	return u.usable()
}

func (u *upload) create() error {
	ctx, cancel := context.WithTimeout(u.ctx, callTime)
	defer cancel()
	out, err := u.blobs.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &u.blobs.bucket, Key: u.blobs.key(u.name), ContentType: aws.String(contentType), Metadata: u.metadata(),
		ChecksumAlgorithm: u.blobs.sums}) // S3 refuses parts with sums that were not announced here
	if err != nil {
		return err
	}
	if u.id = aws.ToString(out.UploadId); u.id == "" {
		return errors.New("the server gave no id for the upload")
	}
	return nil
}

// part sends one part; the SDK tries again, a bounded number of times.
func (u *upload) part(number int, content []byte) error {
	ctx, cancel := context.WithTimeout(u.ctx, callTime)
	defer cancel()
	out, err := u.blobs.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &u.blobs.bucket, Key: u.blobs.key(u.name),
		UploadId: &u.id, PartNumber: aws.Int32(int32(number)), Body: bytes.NewReader(content), ChecksumAlgorithm: u.blobs.sums})
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts[number-1] = types.CompletedPart{PartNumber: aws.Int32(int32(number)), ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32}
	return nil
}

// Commit implements ports.Upload.
func (u *upload) Commit() error {
	if err := u.usable(); err != nil {
		return err
	}
	finish := u.put
	if u.id != "" {
		finish = u.complete
		if err := u.send(); err != nil {
			return err
		}
		u.sending.Wait()
		if err := u.usable(); err != nil {
			return err
		}
	}
	if err := finish(); err != nil && !u.isThere() {
		return u.fail(err)
	}
	u.end()
	return nil
}

// put writes a small object in one go.
func (u *upload) put() error {
	ctx, cancel := context.WithTimeout(u.ctx, callTime)
	defer cancel()
	_, err := u.blobs.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &u.blobs.bucket, Key: u.blobs.key(u.name),
		ContentType: aws.String(contentType), Metadata: u.metadata(), IfNoneMatch: aws.String("*"), Body: bytes.NewReader(u.buffer)})
	return err
}

// complete makes one object of the parts.
func (u *upload) complete() error {
	ctx, cancel := context.WithTimeout(u.ctx, callTime)
	defer cancel()
	_, err := u.blobs.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &u.blobs.bucket,
		Key: u.blobs.key(u.name), UploadId: &u.id, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts}})
	return err
}

// isThere tells whether the object is this upload's. The answer to the last request may have been lost: then the
// SDK's next try finds the name taken, or the upload gone, by nobody but ourselves.
func (u *upload) isThere() bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTime)
	defer cancel()
	out, err := u.blobs.head(ctx, u.name)
	return err == nil && out.Metadata[markName] == u.mark
}

// Abort implements ports.Upload.
func (u *upload) Abort() error {
	if u.ended {
		return nil
	}
	u.end()
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTime)
	defer cancel()
	_, err := u.blobs.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.blobs.bucket, Key: u.blobs.key(u.name), UploadId: &u.id})
	if err = u.blobs.failure(u.blobs.place(u.name), err); errors.Is(err, fs.ErrNotExist) {
		return nil // it was completed after all, or somebody else tidied up
	}
	return err
}

// end waits for the parts that are on their way, having told them to stop: one that comes after an abort would bring
// storage back to life.
func (u *upload) end() {
	u.ended = true
	u.cancel(fs.ErrClosed)
	u.sending.Wait()
	u.buffer = nil
}

// fail makes an error the one of this upload, unless there was one before, and answers the upload's.
func (u *upload) fail(err error) error {
	u.cancel(u.blobs.failure(u.blobs.place(u.name), err))
	return u.usable()
}

// usable is nil while the upload goes on.
func (u *upload) usable() error {
	if u.ended {
		return fmt.Errorf("%s: %w", u.blobs.place(u.name), fs.ErrClosed)
	}
	var failed *failure
	if errors.As(context.Cause(u.ctx), &failed) {
		return failed
	}
	return u.ctx.Err()
}

func (u *upload) metadata() map[string]string { return map[string]string{markName: u.mark} }
