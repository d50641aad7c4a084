package apidoc

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// vendored are the digests of what swagger-ui-dist 5.35.0 holds, from its npm package.
var vendored = map[string]string{
	"swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
	"swagger-ui.css":       "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}

func TestDocsHoldTheVendoredFiles(t *testing.T) {
	for name, want := range vendored {
		raw, err := fs.ReadFile(Docs(), name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not the file of the package", name)
		}
		packed, err := fs.ReadFile(Docs(), name+".gz")
		if err != nil || !bytes.Equal(gunzip(t, packed), raw) {
			t.Errorf("%s.gz is another file (%v)", name, err)
		}
	}
	for _, licence := range []string{"swagger-ui.LICENSE.txt", "swagger-ui.NOTICE.txt", "swagger-ui-bundle.js.LICENSE.txt"} {
		if raw, err := fs.ReadFile(Docs(), licence); err != nil || len(raw) == 0 {
			t.Errorf("%s is missing (%v)", licence, err)
		}
	}
}

func gunzip(t *testing.T, raw []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestDocsFSRefuses(t *testing.T) {
	for _, name := range []string{"other.js", "../apidoc.go", "/index.html", "docs/index.html", "index.html/x", "index.html.gz"} {
		if _, err := Docs().Open(name); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := File(name); ok {
			t.Errorf("%s is a file", name)
		}
	}
	info, err := fs.Stat(Docs(), "swagger-ui.css")
	if err != nil || info.Size() != 187956 || info.IsDir() || info.Name() != "swagger-ui.css" {
		t.Errorf("stat: %v %v", info, err)
	}
}

func ask(file http.Handler, method string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, "/docs/x", nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	file.ServeHTTP(answer, request)
	return answer
}

func TestEveryFileIsServed(t *testing.T) {
	entries, err := fs.ReadDir(Docs(), ".")
	if err != nil || len(entries) < 8 {
		t.Fatalf("%d files: %v", len(entries), err)
	}
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".gz")
		file, ok := File(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		want, err := fs.ReadFile(Docs(), name)
		if err != nil {
			t.Fatal(err)
		}
		plain := ask(file, "GET")
		if plain.Code != 200 || !bytes.Equal(plain.Body.Bytes(), want) || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: %d with %d bytes", name, plain.Code, plain.Body.Len())
		}
		if plain.Header().Get("Content-Type") == "" || plain.Header().Get("Content-Security-Policy") != ContentSecurityPolicy {
			t.Errorf("%s: headers %v", name, plain.Header())
		}
		packed := ask(file, "GET", "Accept-Encoding", "br, gzip;q=0.5")
		if body := packed.Body.Bytes(); packed.Header().Get("Content-Encoding") == "gzip" {
			if !bytes.Equal(gunzip(t, body), want) || packed.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: gzip gives something else", name)
			}
		} else if strings.HasSuffix(entry.Name(), ".gz") {
			t.Errorf("%s: is not sent as it is stored", name)
		}
		head := ask(file, "HEAD")
		if head.Body.Len() != 0 || head.Header().Get("Content-Length") != plain.Header().Get("Content-Length") {
			t.Errorf("%s: HEAD differs", name)
		}
		etag := plain.Header().Get("ETag")
		for _, known := range []string{etag, `"x", ` + strings.TrimPrefix(etag, "W/"), "*"} {
			if again := ask(file, "GET", "If-None-Match", known); again.Code != 304 || again.Body.Len() != 0 || again.Header().Get("ETag") != etag {
				t.Errorf("%s: If-None-Match %s: %d", name, known, again.Code)
			}
		}
		if other := ask(file, "GET", "If-None-Match", `"x"`); other.Code != 200 {
			t.Errorf("%s: another ETag: %d", name, other.Code)
		}
	}
}

func TestTakesGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"gzip": true, "GZIP": true, "deflate, gzip": true, "gzip;q=0.1": true, "gzip; q=1.000": true,
		"": false, "br": false, "gzip;q=0": false, "gzip;q=0.000": false, "gzip;q=x": false, "xgzip": false, "identity": false,
	} {
		if got := takesGzip(http.Header{"Accept-Encoding": {accept}}); got != want {
			t.Errorf("%q: %t", accept, got)
		}
	}
}

func TestVaryIsAddedOnce(t *testing.T) {
	header := http.Header{"Vary": {"Origin, accept-encoding"}}
	addVary(header, "Accept-Encoding")
	addVary(header, "Accept")
	if got := strings.Join(header.Values("Vary"), "|"); got != "Origin, accept-encoding|Accept" {
		t.Error(got)
	}
}

var (
	inline    = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(>|[^>]*>[^<])`)
	elsewhere = regexp.MustCompile(`(?i)https?:|(src|href)="//|@import`)
	link      = regexp.MustCompile(`(?:src|href)="([^"]*)"`)
)

// TestPagesNeedNothingFromElsewhere reads the pages and our own files; what the vendored ones do is held by the policy.
func TestPagesNeedNothingFromElsewhere(t *testing.T) {
	served := map[string]bool{"/docs": true, "/openapi.yaml": true, "/openapi.json": true, "/readyz": true}
	sources := map[string][]byte{"landing": Landing("1.2.3", "localhost:9000"), "problem": Problems()[0].HTML()}
	for _, name := range []string{"index.html", "initializer.js", "pages.css"} {
		raw, err := fs.ReadFile(Docs(), name)
		if err != nil {
			t.Fatal(err)
		}
		sources[name] = raw
	}
	for name, raw := range sources {
		if found := elsewhere.Find(raw); found != nil {
			t.Errorf("%s refers to elsewhere: %s", name, found)
		}
		if strings.HasSuffix(name, ".js") || strings.HasSuffix(name, ".css") {
			continue
		}
		if found := inline.Find(raw); found != nil {
			t.Errorf("%s has something inline: %s", name, found)
		}
		for _, match := range link.FindAllSubmatch(raw, -1) {
			target := string(match[1])
			file, inDocs := strings.CutPrefix(target, "/docs/")
			if _, ok := File(file); (!inDocs || !ok) && !served[target] {
				t.Errorf("%s refers to %s, which is not there", name, target)
			}
		}
	}
}
