package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

const (
	testBucket = "bucket"
	testKeyID  = "AKIATESTTESTTESTTEST"
	testSecret = "a-secret+that/nobody=may-see"
	testToken  = "a-token+that/nobody=may-see"
)

// server is an S3 server in this process, with ways to disturb it.
type server struct {
	*httptest.Server
	backend *s3mem.Backend
	fake    http.Handler
	naming  sync.Mutex // held while an object gets its name

	mu      sync.Mutex
	disturb func(w http.ResponseWriter, r *http.Request) bool // answers instead of the server, if true
	calls   map[string]int                                    // of each kind
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{backend: s3mem.New(), calls: map[string]int{}}
	if err := s.backend.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	s.fake = gofakes3.New(s.backend, gofakes3.WithTimeSkewLimit(0)).Server()
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// kind names what a request asks for.
func kind(r *http.Request) string {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		return "begin"
	case r.Method == http.MethodPut && q.Has("partNumber"):
		return "part"
	case r.Method == http.MethodPost && q.Has("uploadId"):
		return "complete"
	}
	return r.Method
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls[kind(r)]++
	disturb := s.disturb
	s.mu.Unlock()
	if disturb != nil && disturb(w, r) {
		return
	}
	// The fake knows If-None-Match of PUT, Amazon's of both, and in one step.
	if k := kind(r); k == "complete" || k == http.MethodPut {
		s.naming.Lock()
		defer s.naming.Unlock()
		if _, err := s.backend.HeadObject(testBucket, strings.TrimPrefix(r.URL.Path, "/"+testBucket+"/")); err == nil && r.Header.Get("If-None-Match") == "*" {
			refuse(w, r, http.StatusPreconditionFailed, "PreconditionFailed")
			return
		}
	}
	s.fake.ServeHTTP(w, r)
}

func (s *server) setDisturb(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disturb = f
}

func (s *server) count(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[kind]
}

// refuse answers with an error of S3.
func refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no, "+r.Header.Get("Authorization")+" with "+testSecret+"</Message></Error>")
}

// blobs opens a folder of the server's bucket.
func (s *server) blobs(t *testing.T, prefix string) *Blobs {
	t.Helper()
	b, err := Open(t.Context(), Config{Bucket: testBucket, Prefix: prefix, Region: "eu-south-2", EndpointURL: s.URL,
		AccessKeyID: testKeyID, SecretAccessKey: testSecret, SessionToken: testToken})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// keys are those of all objects in the bucket.
func (s *server) keys(t *testing.T) []string {
	t.Helper()
	list, err := s.backend.ListBucket(testBucket, nil, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, object := range list.Contents {
		keys = append(keys, object.Key)
	}
	return keys
}

// unfinished counts the uploads that were begun and not ended.
func unfinished(ctx context.Context, b *Blobs) (int, error) {
	out, err := b.client.ListMultipartUploads(ctx, &awss3.ListMultipartUploadsInput{Bucket: &b.bucket})
	var answer smithy.APIError
	if errors.As(err, &answer) && answer.ErrorCode() == "NoSuchUpload" {
		return 0, nil // the fake's word for a bucket that never had one
	} else if err != nil {
		return 0, err
	}
	return len(out.Uploads), nil
}

// put writes an object of so many bytes.
func put(t *testing.T, b *Blobs, name string, size int) error {
	t.Helper()
	u, err := b.Create(t.Context(), name)
	if err != nil {
		return err
	}
	defer func() {
		if err := u.Abort(); err != nil {
			t.Errorf("Abort: %v", err)
		}
	}()
	if _, err := u.Write(pattern(size)); err != nil {
		return err
	}
	return u.Commit()
}

// pattern is so many bytes in which every place can be told from others near it.
func pattern(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i) ^ byte(i>>8)*7 ^ byte(i>>16)*31
	}
	return p
}

var at = time.Date(2026, 11, 22, 2, 29, 0, 0, time.UTC)
