package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// mostBreaks is how many connections in a row may bring nothing before a reader gives up.
const mostBreaks = 5

// reader reads an object, over several connections if need be.
type reader struct {
	blobs *Blobs
	ctx   context.Context
	name  string
	size  int64 // -1: unknown
	etag  *string

	body   io.ReadCloser
	cancel context.CancelFunc // of the connection
	at     int64              // how much was read
	breaks int                // since the last bytes
	ended  error              // io.EOF, or what went wrong for good
}

// connect asks for what was not read yet.
func (r *reader) connect() error {
	ctx, cancel := context.WithCancel(r.ctx)
	in := &s3.GetObjectInput{Bucket: &r.blobs.bucket, Key: r.blobs.key(r.name)}
	if r.at > 0 {
		in.Range, in.IfMatch = aws.String(fmt.Sprintf("bytes=%d-", r.at)), r.etag
	}
	late := time.AfterFunc(callTime, cancel) // for the answer's head; the body has a bound of its own
	out, err := r.blobs.client.GetObject(ctx, in)
	late.Stop()
	if err != nil {
		cancel()
		return err
	}
	if r.at == 0 {
		r.size, r.etag = -1, out.ETag
		if out.ContentLength != nil {
			r.size = *out.ContentLength
		}
	} else if !strings.HasPrefix(aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-", r.at)) {
		cancel()
		return errors.Join(errors.New("the server does not continue where it stopped"), out.Body.Close())
	}
	r.body, r.cancel = out.Body, cancel
	return nil
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if r.ended != nil {
		return 0, r.ended
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.ended = r.ctx.Err(); r.ended != nil {
			return 0, r.ended
		}
		n, err := r.some(p)
		r.at += int64(n)
		if n > 0 {
			r.breaks = 0
			// The error, if there is one, comes again with the next call.
			return n, nil
		}
		if err == nil {
			continue
		}
		if r.ended = r.finished(err); r.ended != nil {
			return 0, r.ended
		}
	}
}

// some reads from the connection, and makes one if there is none; standing still counts as a break.
func (r *reader) some(p []byte) (int, error) {
	if r.body == nil {
		if err := r.connect(); err != nil {
			return 0, err
		}
	}
	still := time.AfterFunc(r.blobs.readIdle, r.cancel)
	defer still.Stop()
	return r.body.Read(p)
}

// finished says whether an error ends the reading; nil means that another connection is worth it.
func (r *reader) finished(err error) error {
	whole := r.size < 0 || r.at == r.size
	broken := r.body != nil
	r.disconnect()
	if errors.Is(err, io.EOF) && whole {
		return io.EOF
	}
	if ended := r.ctx.Err(); ended != nil {
		return ended
	}
	r.breaks++
	// A connection that cannot even be made was tried several times by the SDK; what was read whole but has the wrong
	// sum will not be better.
	if !broken || r.breaks >= mostBreaks || r.size < 0 || r.at >= r.size {
		failed := r.blobs.failure(r.blobs.place(r.name), fmt.Errorf("broke off after %d of %d bytes: %w", r.at, r.size, err))
		if errors.Is(failed, fs.ErrExist) { // If-Match: it is another object now
			return &failure{text: r.blobs.place(r.name) + ": was replaced while it was read"}
		}
		return failed
	}
	return nil
}

func (r *reader) disconnect() {
	if r.body == nil {
		return
	}
	r.cancel() // before Close, which would read on to keep the connection
	_ = r.body.Close()
	r.body = nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	r.disconnect()
	if r.ended == nil {
		r.ended = fs.ErrClosed
	}
	return nil
}
