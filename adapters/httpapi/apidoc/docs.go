package apidoc

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ContentSecurityPolicy is the strictest policy (Content Security Policy Level 3) under which the page at /docs, the
// landing page and the problem pages work: nothing inline, nothing from elsewhere.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed docs
var stored embed.FS

// Docs holds the files of the page to try the service, meant to stand under /docs/. Big files are stored compressed:
// they open under their own name, decompressed, and with .gz behind it as they are stored.
func Docs() fs.FS { return docsFS{} }

const compressed = ".gz"

type docsFS struct{}

// Open opens a stored file, or the decompressed form of one.
func (docsFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	file, err := stored.Open(path.Join("docs", name))
	if err == nil {
		return file, nil
	}
	if doc, ok := File(name); ok {
		return &openFile{Reader: bytes.NewReader(doc.plain()), name: path.Base(name)}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// openFile is a decompressed file, open; it is its own FileInfo.
type openFile struct {
	*bytes.Reader
	name string
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *openFile) Close() error               { return nil }
func (f *openFile) Name() string               { return f.name }
func (f *openFile) Size() int64                { return f.Reader.Size() }
func (f *openFile) Mode() fs.FileMode          { return 0o444 }
func (f *openFile) ModTime() time.Time         { return time.Time{} }
func (f *openFile) IsDir() bool                { return false }
func (f *openFile) Sys() any                   { return nil }

// DocFile is one file of the page, ready to be served: it is an http.Handler.
type DocFile struct {
	contentType string
	etag        string
	plain       func() []byte
	gzipped     []byte // nil where only the plain form is stored
}

// File gives a file of the page by its name, such as index.html; false for a name that none has.
func File(name string) (*DocFile, bool) {
	file, ok := docFiles()[name]
	return file, ok
}

var docFiles = sync.OnceValue(func() map[string]*DocFile {
	entries, err := stored.ReadDir("docs")
	if err != nil {
		panic("apidoc: " + err.Error()) // the folder is part of the program
	}
	files := map[string]*DocFile{}
	for _, entry := range entries {
		raw, err := stored.ReadFile(path.Join("docs", entry.Name()))
		if err != nil {
			panic("apidoc: " + err.Error())
		}
		name, isCompressed := strings.CutSuffix(entry.Name(), compressed)
		sum := sha256.Sum256(raw)
		// Weak (RFC 9110, section 8.8.1), as both forms of a file share it.
		file := &DocFile{contentType: contentTypes[path.Ext(name)], etag: `W/"` + hex.EncodeToString(sum[:8]) + `"`}
		if isCompressed {
			file.gzipped = raw
			file.plain = sync.OnceValue(func() []byte { return decompress(raw) })
		} else {
			file.plain = func() []byte { return raw }
		}
		files[name] = file
	}
	return files
})

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",
	".png":  "image/png",
}

// maxFile bounds a decompressed file, in bytes.
const maxFile = 8 << 20

// decompress panics on what is no gzip: the files are part of the program and a test reads them all.
func decompress(raw []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(raw))
	if err == nil {
		var plain []byte
		if plain, err = io.ReadAll(io.LimitReader(reader, maxFile+1)); err == nil && len(plain) > maxFile {
			err = fmt.Errorf("a file of more than %d bytes", maxFile)
		}
		if err == nil {
			return plain
		}
	}
	panic("apidoc: " + err.Error())
}

// ServeHTTP answers a GET or HEAD: 200, or 304 when If-None-Match names the file as it is. A client that takes gzip is
// sent what is stored; the answer then has a Content-Encoding and must not be compressed again.
func (f *DocFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", ContentSecurityPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", f.etag)
	if f.gzipped != nil {
		addVary(header, "Accept-Encoding")
	}
	known := strings.Join(r.Header.Values("If-None-Match"), ",")
	if strings.TrimSpace(known) == "*" || strings.Contains(known, strings.TrimPrefix(f.etag, "W/")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", f.contentType)
	var body []byte
	if f.gzipped != nil && takesGzip(r.Header) {
		header.Set("Content-Encoding", "gzip")
		body = f.gzipped
	} else {
		body = f.plain()
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away is told nothing
	}
}

// addVary adds a name to Vary, unless it stands there.
func addVary(header http.Header, name string) {
	for _, value := range header.Values("Vary") {
		for _, known := range strings.Split(value, ",") {
			if strings.EqualFold(strings.TrimSpace(known), name) {
				return
			}
		}
	}
	header.Add("Vary", name)
}

// takesGzip tells whether Accept-Encoding (RFC 9110, section 12.5.3) names gzip with a weight above 0.
func takesGzip(header http.Header) bool {
	for _, coding := range strings.Split(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		name, parameter, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		weight, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q=")
		if !ok {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}
