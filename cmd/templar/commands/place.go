package commands

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"bitbucket.org/templar/templar/adapters/file"
	"bitbucket.org/templar/templar/adapters/s3"
	"bitbucket.org/templar/templar/config"
	"bitbucket.org/templar/templar/ports"
)

const (
	// exportPrefix starts the names of exports whose name is not given.
	exportPrefix = "templates-"
	// exportEnd ends them, and tells an object's name from a prefix.
	exportEnd = ".ndjson"
)

// place is where an export goes or an import comes from.
type place struct {
	blobs ports.Blobs // nil for the standard stream
	name  string      // "" for a dated name, or the latest of them
}

// findPlace reads --to and --from: a file, a folder, s3://BUCKET/PREFIX, or - for the standard stream. Without it, it is
// the configured bucket, else the standard stream.
func findPlace(ctx context.Context, text string, c *config.Config) (place, error) {
	switch {
	case text == "" && c.AWS.Bucket != "":
		return bucket(ctx, c.AWS.Bucket, c.AWS.Prefix, c)
	case text == "" || text == "-":
		return place{}, nil
	case strings.HasPrefix(text, "s3://"):
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return place{}, usageError{fmt.Errorf("%s is no place: s3://BUCKET/PREFIX is expected", text)}
		}
		return bucket(ctx, u.Host, strings.TrimPrefix(u.Path, "/"), c)
	}
	folder, name := filepath.Split(text)
	if info, err := os.Stat(text); err == nil && info.IsDir() {
		folder, name = text, ""
	}
	if folder == "" {
		folder = "."
	}
	blobs, err := file.Open(folder)
	return place{blobs, name}, err
}

// bucket is a place in a bucket. A prefix that ends as exports do is the name of one.
func bucket(ctx context.Context, name, prefix string, c *config.Config) (place, error) {
	object := ""
	if strings.HasSuffix(prefix, exportEnd) {
		cut := strings.LastIndexByte(prefix, '/') + 1
		prefix, object = prefix[:cut], prefix[cut:]
	}
	blobs, err := s3.Open(ctx, s3.Config{Bucket: name, Prefix: prefix, Region: c.AWS.Region, EndpointURL: c.AWS.EndpointURL,
		AccessKeyID: c.AWS.AccessKeyID.Reveal(), SecretAccessKey: c.AWS.SecretAccessKey.Reveal(), SessionToken: c.AWS.SessionToken.Reveal()})
	return place{blobs, object}, err
}
