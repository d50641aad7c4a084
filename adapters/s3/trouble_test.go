package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAPartIsTriedAgain refuses each part once, as a busy server does.
func TestAPartIsTriedAgain(t *testing.T) {
	s := serve(t)
	b := s.blobs(t, "")
	var mu sync.Mutex
	seen := map[string]bool{}
	s.setDisturb(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		number := r.URL.Query().Get("partNumber")
		if kind(r) != "part" || seen[number] {
			return false
		}
		seen[number] = true
		refuse(w, r, http.StatusServiceUnavailable, "SlowDown")
		return true
	})
	if err := put(t, b, "object", 20<<20); err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(t.Context(), b, "object"); err != nil || !bytes.Equal(got, pattern(20<<20)) {
		t.Errorf("want what was written, got %d bytes, %v", len(got), err)
	}
	if len(seen) != 3 || s.count("part") != 6 {
		t.Errorf("want 3 parts of two tries, got %d of %d", len(seen), s.count("part"))
	}
}

// TestTriesAreBounded: a server that never takes a part ends the upload.
func TestTriesAreBounded(t *testing.T) {
	s := serve(t)
	b := s.blobs(t, "")
	s.setDisturb(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "part" {
			refuse(w, r, http.StatusServiceUnavailable, "SlowDown")
			return true
		}
		return false
	})
	if err := put(t, b, "object", 9<<20); err == nil || !strings.Contains(err.Error(), "SlowDown") {
		t.Errorf("want the server's word, got %v", err)
	}
	if n := s.count("part"); n > 10 {
		t.Errorf("two parts were tried %d times", n)
	}
	if n, err := unfinished(t.Context(), b); n != 0 || err != nil {
		t.Errorf("want no upload left, got %d, %v", n, err)
	}
}

// TestLostAnswer: the server does what Commit asks, and the answer gets lost. The next try finds the name taken, or the
// upload gone, by ourselves.
func TestLostAnswer(t *testing.T) {
	for what, size := range map[string]int{"small": 1000, "large": 9 << 20} {
		s := serve(t)
		b := s.blobs(t, "")
		var lost atomic.Bool
		s.setDisturb(func(w http.ResponseWriter, r *http.Request) bool {
			if k := kind(r); (k != "complete" && k != http.MethodPut) || lost.Swap(true) {
				return false
			}
			s.fake.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
		if err := put(t, b, "object", size); err != nil {
			t.Errorf("%s: want the object committed, got %v", what, err)
		}
		if got, err := readAll(t.Context(), b, "object"); err != nil || !bytes.Equal(got, pattern(size)) || !lost.Load() {
			t.Errorf("%s: want what was written, got %d bytes, %v", what, len(got), err)
		}
	}
}

// breaking passes an answer on until so many bytes of the body, then breaks the connection, or stands still.
type breaking struct {
	http.ResponseWriter
	left  int
	still <-chan struct{}
}

func (b *breaking) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	_, _ = b.ResponseWriter.Write(p[:n])
	b.left -= n
	if n < len(p) || b.left == 0 {
		_ = http.NewResponseController(b.ResponseWriter).Flush()
		if b.still != nil {
			<-b.still
		}
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// TestReadingGoesOn breaks each connection after a while.
func TestReadingGoesOn(t *testing.T) {
	s := serve(t)
	b := s.blobs(t, "")
	const size = 10 << 20
	if err := put(t, b, "object", size); err != nil {
		t.Fatal(err)
	}
	s.setDisturb(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		s.fake.ServeHTTP(&breaking{ResponseWriter: w, left: 3 << 20}, r)
		return true
	})
	if got, err := readAll(t.Context(), b, "object"); err != nil || !bytes.Equal(got, pattern(size)) {
		t.Errorf("over broken connections: want what was written, got %d bytes, %v", len(got), err)
	}
	if n := s.count(http.MethodGet); n != 4 {
		t.Errorf("want 4 connections, got %d", n)
	}
}

func TestReadingAfterAStandstill(t *testing.T) {
	s := serve(t)
	b := s.blobs(t, "")
	b.readIdle = 100 * time.Millisecond
	if err := put(t, b, "object", 1<<20); err != nil {
		t.Fatal(err)
	}
	still := make(chan struct{})
	var once atomic.Bool
	s.setDisturb(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || once.Swap(true) {
			return false
		}
		s.fake.ServeHTTP(&breaking{ResponseWriter: w, left: 1 << 19, still: still}, r)
		return true
	})
	got, err := readAll(t.Context(), b, "object")
	close(still)
	if err != nil || !bytes.Equal(got, pattern(1<<20)) {
		t.Errorf("after a standstill: want what was written, got %d bytes, %v", len(got), err)
	}
}

// TestReadingEnds where going on is not possible: no more bytes come, or the object is another one.
func TestReadingEnds(t *testing.T) {
	for what, c := range map[string]struct {
		left    int // bytes of the connections after the first
		replace bool
		says    string
	}{"nothing more": {0, false, "broke off after"}, "replaced": {1 << 20, true, "was replaced while it was read"}} {
		s := serve(t)
		b := s.blobs(t, "")
		if err := put(t, b, "object", 1<<20); err != nil {
			t.Fatal(err)
		}
		var connections atomic.Int32
		s.setDisturb(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet {
				return false
			}
			first := connections.Add(1) == 1
			// The fake does not know If-Match; Amazon's does.
			if info, err := s.backend.HeadObject(testBucket, "object"); !first && err == nil && info.Size != 1<<20 && r.Header.Get("If-Match") != "" {
				refuse(w, r, http.StatusPreconditionFailed, "PreconditionFailed")
				return true
			}
			left := c.left
			if first {
				left = 1 << 19
			}
			s.fake.ServeHTTP(&breaking{ResponseWriter: w, left: left}, r)
			return true
		})
		r, _, err := b.Open(t.Context(), "object")
		if err != nil {
			t.Fatal(err)
		}
		if c.replace {
			if _, err := s.backend.PutObject(testBucket, "object", map[string]string{}, strings.NewReader("another"), 7, nil); err != nil {
				t.Fatal(err)
			}
		}
		n, err := io.Copy(io.Discard, r)
		if err == nil || !strings.Contains(err.Error(), c.says) || n > 1<<19 || errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: want an error that says %q, got %v after %d bytes", what, c.says, err, n)
		}
		if _, again := r.Read(make([]byte, 1)); again == nil || again.Error() != err.Error() {
			t.Errorf("%s: want the same error again, got %v", what, again)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: Close: %v", what, err)
		}
		if connections.Load() > 3*mostBreaks {
			t.Errorf("%s: %d connections were made", what, connections.Load())
		}
	}
}

// TestAWriteThatIsStuckEndsWithItsContext: the server takes no part and answers nothing.
func TestAWriteThatIsStuckEndsWithItsContext(t *testing.T) {
	s := serve(t)
	b := s.blobs(t, "")
	release := make(chan struct{})
	s.setDisturb(func(_ http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "part" {
			<-release
			return true
		}
		return false
	})
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	u, err := b.Create(ctx, "object")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	n := 0
	for err == nil && n < 100 {
		_, err = u.Write(make([]byte, 1<<20))
		n++
	}
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second || n > 25 {
		t.Errorf("Write: want the end of the context within 24 MiB, got %v after %v and %d MiB", err, time.Since(began), n)
	}
	if err := u.Abort(); err != nil {
		t.Errorf("Abort: %v", err)
	}
	if n, err := unfinished(t.Context(), b); n != 0 || err != nil {
		t.Errorf("want no upload left, got %d, %v", n, err)
	}
}

// sink is a server that keeps nothing of what it takes, and gives zeros; seen is shown every request and its body.
func sink(t *testing.T, size int64, seen func(r *http.Request, body io.Reader)) *Blobs {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen(r, r.Body)
		_, _ = io.Copy(io.Discard, r.Body)
		switch kind(r) {
		case "begin":
			_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
		case "part":
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("X-Amz-Checksum-Crc32", r.Header.Get("X-Amz-Checksum-Crc32"))
		case "complete":
			_, _ = io.WriteString(w, "<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>")
		case http.MethodHead:
			w.WriteHeader(http.StatusNotFound)
		case http.MethodGet:
			http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(zeros{}, 0, size))
		}
	}))
	t.Cleanup(server.Close)
	b, err := Open(t.Context(), Config{Bucket: testBucket, Region: "eu-south-2", EndpointURL: server.URL, AccessKeyID: testKeyID, SecretAccessKey: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ignore sees nothing.
func ignore(*http.Request, io.Reader) {}

type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// TestMemory moves 400 MiB each way and looks at how much is held meanwhile.
func TestMemory(t *testing.T) {
	const size, most = 400 << 20, 48 << 20
	b := sink(t, size, ignore)
	held := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, peak := held(), int64(0)
	u, err := b.Create(t.Context(), "object")
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 1<<20)
	for i := range size / len(chunk) {
		if _, err := u.Write(chunk); err != nil {
			t.Fatal(err)
		}
		if i%20 == 0 {
			peak = max(peak, held()-before)
		}
	}
	if err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	if peak > most {
		t.Errorf("writing held %d MiB", peak>>20)
	}
	t.Logf("writing held %d MiB at most", peak>>20)
	r, told, err := b.Open(t.Context(), "object")
	if err != nil || told != size {
		t.Fatalf("Open: want the size %d, got %d, %v", size, told, err)
	}
	defer func() { _ = r.Close() }()
	before, peak = held(), 0
	for i := range size / len(chunk) {
		if _, err := io.ReadFull(r, chunk); err != nil {
			t.Fatal(err)
		}
		if i%20 == 0 {
			peak = max(peak, held()-before)
		}
	}
	if peak > most {
		t.Errorf("reading held %d MiB", peak>>20)
	}
}

// TestAnObjectThatIsTooLong ends with an error instead of a part that S3 refuses.
func TestAnObjectThatIsTooLong(t *testing.T) {
	b := sink(t, 0, ignore)
	b.partSize, b.mostParts = 10, 20
	u, err := b.Create(t.Context(), "object")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = u.Write(make([]byte, 10*(20+1)+1)); err == nil || !strings.Contains(err.Error(), "longer than 20 parts") {
		t.Errorf("want an error that says so, got %v", err)
	}
	if err := u.Abort(); err != nil {
		t.Errorf("Abort: %v", err)
	}
}

// TestSums: Amazon's S3 refuses a part with a sum that was not announced, and wants to see the sums again at the end.
func TestSums(t *testing.T) {
	var mu sync.Mutex
	announced, sums, completed, guarded := "", 0, 0, ""
	b := sink(t, 0, func(r *http.Request, body io.Reader) {
		mu.Lock()
		defer mu.Unlock()
		switch kind(r) {
		case "begin":
			announced = r.Header.Get("X-Amz-Checksum-Algorithm")
		case "part":
			if r.Header.Get("X-Amz-Checksum-Crc32") != "" {
				sums++
			}
		case "complete":
			list, _ := io.ReadAll(body)
			completed, guarded = strings.Count(string(list), "<ChecksumCRC32>"), r.Header.Get("If-None-Match")
		}
	})
	b.sums = "CRC32"
	if err := put(t, b, "object", 17<<20); err != nil {
		t.Fatal(err)
	}
	if announced != "CRC32" || sums != 3 || completed != 3 || guarded != "*" {
		t.Errorf("want CRC32 announced, in 3 parts and at the end, and If-None-Match there, got %q, %d, %d, %q", announced, sums, completed, guarded)
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	amazon, err := Open(t.Context(), Config{Bucket: testBucket, Region: "eu-south-2", AccessKeyID: testKeyID, SecretAccessKey: testSecret})
	if err != nil || amazon.sums != "CRC32" {
		t.Errorf("at Amazon's: want CRC32, got %v, %v", amazon, err)
	}
}
