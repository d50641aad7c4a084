package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is who the program runs as: nobody that a host knows.
const user = 65532

// file is a file or folder of the image. Owner and group are the same; times are the Unix epoch, so that nothing
// depends on when the image was made.
type file struct {
	path  string // without a leading slash; folders end with one
	mode  int64
	owner int
	body  []byte
}

// baseFiles is all of the image but the program. It depends on the version of Go and of the certificates alone.
func baseFiles(goroot string) ([]file, error) {
	files := []file{
		{path: "data/", mode: 0o700, owner: user},
		{path: "etc/", mode: 0o755},
		{path: "etc/group", mode: 0o644, body: fmt.Appendf(nil, "root:x:0:\ntemplar:x:%d:\n", user)},
		{path: "etc/nsswitch.conf", mode: 0o644, body: []byte("hosts: files dns\n")},
		{path: "etc/passwd", mode: 0o644, body: fmt.Appendf(nil, "root:x:0:0:root:/:/sbin/nologin\ntemplar:x:%d:%d:Templar:/:/sbin/nologin\n", user, user)},
		{path: "etc/ssl/", mode: 0o755},
		{path: "etc/ssl/certs/", mode: 0o755},
		{path: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, body: certificates()},
		{path: "tmp/", mode: 0o1777},
		{path: "usr/", mode: 0o755},
		{path: "usr/share/", mode: 0o755},
	}
	zones, err := timeZones(filepath.Join(goroot, "lib", "time", "zoneinfo.zip"))
	return append(files, zones...), err
}

// certificates are the roots that Mozilla trusts, in PEM. Those that it trusts under a condition only, which a file of
// certificates cannot say, are left out.
func certificates() []byte {
	var all bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return all.Bytes()
}

// timeZones unpacks the zones that come with Go to where every program looks for them.
func timeZones(path string) ([]file, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("the time zones of Go: %w", err)
	}
	defer archive.Close()
	const folder = "usr/share/zoneinfo/"
	files := map[string]file{folder: {path: folder, mode: 0o755}}
	for _, zone := range archive.File {
		name := folder + zone.Name
		for at := len(folder); ; at++ {
			next := strings.IndexByte(name[at:], '/')
			if next < 0 {
				break
			}
			at += next
			files[name[:at+1]] = file{path: name[:at+1], mode: 0o755}
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		body, err := readZipped(zone)
		if err != nil {
			return nil, fmt.Errorf("the time zone %s: %w", zone.Name, err)
		}
		files[name] = file{path: name, mode: 0o644, body: body}
	}
	sorted := make([]file, 0, len(files))
	for _, f := range files {
		sorted = append(sorted, f)
	}
	slices.SortFunc(sorted, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return sorted, nil
}

// maxZone bounds one time zone, in bytes; the largest has 4 KB.
const maxZone = 1 << 20

func readZipped(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxZone))
}

// archive packs files as a layer's tar.
func archive(files []file) ([]byte, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, f := range files {
		header := &tar.Header{Name: f.path, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.body)),
			ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if strings.HasSuffix(f.path, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.path, err)
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// unpack writes files below a folder, as root with their owners.
func unpack(files []file, folder string) error {
	for _, f := range files {
		path := filepath.Join(folder, filepath.FromSlash(f.path))
		var err error
		if strings.HasSuffix(f.path, "/") {
			err = os.MkdirAll(path, 0o755) //nolint:gosec // the system of an image is no secret
		} else if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil { //nolint:gosec // the same
			err = os.WriteFile(path, f.body, 0o600)
		}
		if err != nil {
			return err
		}
		mode := os.FileMode(f.mode & 0o777)
		if f.mode&0o1000 != 0 {
			mode |= os.ModeSticky
		}
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
		if os.Getuid() == 0 {
			if err := os.Chown(path, f.owner, f.owner); err != nil {
				return err
			}
		}
		if err := os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0)); err != nil {
			return err
		}
	}
	return nil
}
