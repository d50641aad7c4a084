package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/contract"
)

func TestBlobsContract(t *testing.T) {
	contract.Blobs(t, contract.BlobsHarness{Open: func(t *testing.T) contract.BlobsTrial {
		s := serve(t)
		b := s.blobs(t, "/Größe 漢字/a+b%41")
		return contract.BlobsTrial{
			Blobs: b,
			Left:  func(ctx context.Context) (int, error) { return unfinished(ctx, b) },
			Break: func(ports.Upload) func() {
				s.setDisturb(func(w http.ResponseWriter, r *http.Request) bool {
					if k := kind(r); k != "part" && k != "complete" && k != http.MethodPut {
						return false
					}
					refuse(w, r, http.StatusForbidden, "AccessDenied")
					return true
				})
				return func() { s.setDisturb(nil) }
			},
		}
	}})
}

func TestPrefixes(t *testing.T) {
	for prefix, want := range map[string]string{
		"": "object", "/": "object", "a": "a/object", "a/": "a/object", "/a/b": "a/b/object", "a b/ö+%": "a b/ö+%/object",
	} {
		s := serve(t)
		b := s.blobs(t, prefix)
		if err := put(t, b, "object", 3); err != nil {
			t.Fatalf("prefix %q: %v", prefix, err)
		}
		if keys := s.keys(t); !slices.Equal(keys, []string{want}) {
			t.Errorf("prefix %q: want the key %q, got %q", prefix, want, keys)
		}
	}
}

// TestFoldersDoNotMix looks for the newest beside, above and below.
func TestFoldersDoNotMix(t *testing.T) {
	s := serve(t)
	for i, prefix := range []string{"a", "", "a/b", "ab", "a-"} {
		if err := put(t, s.blobs(t, prefix), ports.DatedName("t-", at.AddDate(0, 0, i)), 1); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.blobs(t, "a").Latest(t.Context(), "t-"); err != nil || got != ports.DatedName("t-", at) {
		t.Errorf("Latest: want that of the folder, got %q, %v", got, err)
	}
	_, err := s.blobs(t, "b").Latest(t.Context(), "t-")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Latest of a folder that is not there: want fs.ErrNotExist, got %v", err)
	}
}

func TestLatestOverPages(t *testing.T) {
	s := serve(t)
	want := ""
	for i := range 2300 {
		want = ports.DatedName("t-", at.Add(time.Duration(i)*time.Hour))
		if _, err := s.backend.PutObject(testBucket, "x/"+want, nil, bytes.NewReader(nil), 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.blobs(t, "x").Latest(t.Context(), "t-"); err != nil || got != want {
		t.Errorf("Latest: want %q, got %q, %v", want, got, err)
	}
	if n := s.count(http.MethodGet); n < 3 {
		t.Errorf("2,300 names were listed with %d requests: the pages are not tried", n)
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"s3://bucket": "bucket| true", "s3://bucket/": "bucket| true", "s3://b/a/": "b|a/ true", "s3://b/a b/ö?c#d%41": "b|a b/ö?c#d%41 true",
		"s3://": "| false", "s3:///a": "|a false", "S3://b": "| false", "b/a": "| false", "-": "| false", "": "| false",
	} {
		bucket, key, ok := ParseURL(text)
		if got := fmt.Sprintf("%s|%s %v", bucket, key, ok); got != want && (ok || strings.HasSuffix(want, "true")) {
			t.Errorf("ParseURL(%q): want %q, got %q", text, want, got)
		}
	}
}

func TestConfigurationsRefused(t *testing.T) {
	good := Config{Bucket: "b", Region: "eu-south-2", AccessKeyID: testKeyID, SecretAccessKey: testSecret}
	for what, breaks := range map[string]func(c *Config){
		"no bucket":              func(c *Config) { c.Bucket = "" },
		"half a credential":      func(c *Config) { c.AccessKeyID = "" },
		"half a credential, too": func(c *Config) { c.SecretAccessKey = "" },
		"no URL":                 func(c *Config) { c.EndpointURL = "minio:9000" },
		"a user in the URL":      func(c *Config) { c.EndpointURL = "http://joe:" + testSecret + "@minio:9000" },
	} {
		c := good
		breaks(&c)
		_, err := Open(t.Context(), c)
		if !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: want fs.ErrInvalid, got %v", what, err)
		} else {
			showsNoSecret(t, err)
		}
	}
	if _, err := Open(t.Context(), good); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
}

// TestEndpointOfTheEnvironment: the SDK reads these itself.
func TestEndpointOfTheEnvironment(t *testing.T) {
	s := serve(t)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": s.URL, "AWS_REGION": "eu-south-2", "AWS_ACCESS_KEY_ID": testKeyID,
		"AWS_SECRET_ACCESS_KEY": testSecret, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"} {
		t.Setenv(name, value)
	}
	b, err := Open(t.Context(), Config{Bucket: testBucket})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t, b, "object", 3); err != nil || len(s.keys(t)) != 1 {
		t.Errorf("want the object at the endpoint of the environment, got %v, %q", err, s.keys(t))
	}
}

func showsNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{testKeyID, testSecret, testToken} {
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
			if strings.Contains(text, secret) {
				t.Errorf("an error shows %q: %s", secret, text)
			}
		}
	}
}

// TestErrors looks at the kind of each refusal, and that none shows a credential, even if the server repeats it.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error // nil: of no kind
	}{
		{http.StatusForbidden, "AccessDenied", fs.ErrPermission},
		{http.StatusForbidden, "InvalidAccessKeyId", fs.ErrPermission},
		{http.StatusForbidden, "SignatureDoesNotMatch", fs.ErrPermission},
		{http.StatusUnauthorized, "Unauthorized", fs.ErrPermission},
		{http.StatusNotFound, "NoSuchBucket", fs.ErrNotExist},
		{http.StatusPreconditionFailed, "PreconditionFailed", fs.ErrExist},
		{http.StatusConflict, "ConditionalRequestConflict", fs.ErrExist},
		{http.StatusMovedPermanently, "PermanentRedirect", nil},
		{http.StatusBadRequest, "EntityTooLarge", nil},
		{http.StatusTeapot, strings.Repeat("long", 1000), nil},
	} {
		s := serve(t)
		s.setDisturb(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead {
				return false
			}
			refuse(w, r, c.status, c.code)
			return true
		})
		b := s.blobs(t, "")
		_, _, opened := b.Open(t.Context(), "object")
		_, latest := b.Latest(t.Context(), "t-")
		for what, err := range map[string]error{"Open": opened, "Latest": latest, "put": put(t, b, "object", 3), "large put": putQuietly(t, b, "large", 9<<20)} {
			if err == nil {
				t.Errorf("%d %.30s, %s: want an error", c.status, c.code, what)
				continue
			}
			for _, kind := range []error{fs.ErrPermission, fs.ErrNotExist, fs.ErrExist, fs.ErrInvalid, fs.ErrClosed} {
				if errors.Is(err, kind) != (kind == c.want) {
					t.Errorf("%d %.30s, %s: want the kind %v, got %v", c.status, c.code, what, c.want, err)
				}
			}
			if len(err.Error()) > longestText+100 || !strings.Contains(err.Error(), "s3://bucket/") {
				t.Errorf("%d %.30s, %s: the text is too long, or does not say where: %v", c.status, c.code, what, err)
			}
			showsNoSecret(t, err)
		}
	}
}

// putQuietly writes an object where Abort cannot work.
func putQuietly(t *testing.T, b *Blobs, name string, size int) error {
	u, err := b.Create(t.Context(), name)
	if err != nil {
		return err
	}
	defer func() { _ = u.Abort() }()
	if _, err := u.Write(pattern(size)); err != nil {
		return err
	}
	return u.Commit()
}

func TestUnreachable(t *testing.T) {
	s := serve(t)
	b := s.blobs(t, "")
	s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := b.Create(ctx, "object")
	if err == nil || !strings.Contains(err.Error(), "connection refused") && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Create without a server: want what is wrong, got %v", err)
	}
	showsNoSecret(t, err)
}

func readAll(ctx context.Context, b *Blobs, name string) ([]byte, error) {
	r, _, err := b.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(r)
	return got, errors.Join(err, r.Close())
}
