// Package s3 keeps objects in a bucket of Amazon S3, or of another service that speaks its protocol, over
// aws-sdk-go-v2.
//
// Writing goes in parts of 8 MiB, two on their way and one being filled, so that it costs 24 MiB of memory at most; an
// object can have 10,000 of them (78 GiB). S3 shows an object when its upload is completed and never before. That
// nothing is replaced is asked of the service at that moment (If-None-Match); a service that does not know that header
// is protected by a look before the upload alone. An upload that can be ended is ended; those of killed processes stay
// in the bucket unseen, and cost storage, until a rule of its life cycle (AbortIncompleteMultipartUpload) removes them.
//
// The credentials need s3:PutObject, s3:GetObject, s3:AbortMultipartUpload and, for Latest, s3:ListBucket. Without
// s3:ListBucket an absent object is fs.ErrPermission, as S3 does not tell it from one that may not be read.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"

	"bitbucket.org/templar/templar/ports"
)

// Config says which bucket, and who asks.
type Config struct {
	// Bucket is needed: a bucket's name, or the ARN of an access point.
	Bucket string
	// Prefix is the folder of the objects in the bucket; slashes around it do not matter, "" is the top.
	Prefix string
	// Region is the bucket's, such as eu-south-2; "" leaves it to the SDK (AWS_REGION, the shared configuration).
	Region string
	// EndpointURL is another service than Amazon's, such as http://127.0.0.1:9000; buckets are then named in the path.
	// "" leaves it to the SDK (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the shared configuration).
	EndpointURL string
	// AccessKeyID and SecretAccessKey belong together; both "" is the SDK's own chain: environment, shared files, web
	// identity, the container, the machine.
	AccessKeyID, SecretAccessKey string
	// SessionToken is needed for temporary credentials.
	SessionToken string
}

const (
	// partSize is how many bytes go in one request; S3 wants 5 MiB at least of all but the last.
	partSize = 8 << 20
	// partsAtOnce are on their way at one time.
	partsAtOnce = 2
	// mostParts is S3's bound.
	mostParts = 10_000
	// callTime bounds one call with all its retries, the transfer of a part included; a part at 32 KiB/s takes 256 s.
	callTime = 10 * time.Minute
	// answerTime bounds the wait for the head of an answer once a request is sent.
	answerTime = 90 * time.Second
	// abortTime bounds the tidying up of a caller who has gone.
	abortTime = 30 * time.Second
	// mostPages bounds a listing, of 1,000 names a page.
	mostPages = 1000
)

// Blobs is a folder of a bucket. It implements ports.Blobs and may be used by many at once.
type Blobs struct {
	client         *s3.Client
	bucket, prefix string // the prefix is "" or ends with a slash
	secrets        *strings.Replacer
	sums           types.ChecksumAlgorithm // of parts, "" for none but those of the signature
	readIdle       time.Duration           // how long a reader waits for the next bytes
	partSize       int
	mostParts      int
}

var _ ports.Blobs = (*Blobs)(nil)

// Open makes a client; it reads configuration but asks no server, so that a wrong bucket shows at its first use. A
// configuration that cannot be used is fs.ErrInvalid.
func Open(ctx context.Context, c Config) (*Blobs, error) {
	b := &Blobs{bucket: c.Bucket, prefix: strings.Trim(c.Prefix, "/"), sums: types.ChecksumAlgorithmCrc32,
		readIdle: time.Minute, partSize: partSize, mostParts: mostParts}
	if b.prefix != "" {
		b.prefix += "/"
	}
	b.secrets = hiding(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	if err := check(c); err != nil {
		return nil, err
	}
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answerTime
		})),
		config.WithLogger(logging.Nop{}), // the SDK writes to the standard error otherwise
	}
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	if c.AccessKeyID != "" {
		options = append(options, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, b.failure("the configuration of AWS", err)
	}
	b.client = s3.NewFromConfig(loaded, func(o *s3.Options) {
		if c.EndpointURL != "" {
			o.BaseEndpoint = aws.String(c.EndpointURL)
		}
		if o.BaseEndpoint != nil {
			// Names of buckets are no names of hosts there, and the SDK's newer checksums are not known everywhere.
			o.UsePathStyle = true
			b.sums = ""
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		}
	})
	return b, nil
}

func check(c Config) error {
	bad := func(why string) error { return fmt.Errorf("s3: %s: %w", why, fs.ErrInvalid) }
	if c.Bucket == "" {
		return bad("no bucket is named")
	}
	if (c.AccessKeyID == "") != (c.SecretAccessKey == "") {
		return bad("the access key's id and its secret belong together")
	}
	if c.EndpointURL != "" {
		u, err := url.Parse(c.EndpointURL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
			return bad("the endpoint must be a URL such as https://s3.example.com, without a user")
		}
	}
	return nil
}

// ParseURL splits s3://BUCKET/KEY; the key may be empty, and is taken as it stands. ok is false for everything else.
func ParseURL(text string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(text, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	return bucket, key, ok && bucket != ""
}

// Create implements ports.Blobs. It looks whether the name is taken, as far as the credentials allow.
func (b *Blobs) Create(ctx context.Context, name string) (ports.Upload, error) {
	if err := ports.CheckBlobName(name); err != nil {
		return nil, err
	}
	what := b.place(name)
	_, err := b.head(ctx, name)
	switch err := b.failure(what, err); {
	case err == nil:
		return nil, &failure{text: what + ": there is an object of that name", kinds: []error{fs.ErrExist}}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission) && ctx.Err() == nil:
	default:
		return nil, err
	}
	return b.begin(ctx, name), nil
}

// Open implements ports.Blobs. A connection that breaks, or stands still for a minute, is made again where it stopped,
// as long as the object is the same.
func (b *Blobs) Open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	if err := ports.CheckBlobName(name); err != nil {
		return nil, 0, err
	}
	r := &reader{blobs: b, ctx: ctx, name: name}
	if err := r.connect(); err != nil {
		return nil, 0, b.failure(b.place(name), err)
	}
	return r, r.size, nil
}

// Latest implements ports.Blobs.
func (b *Blobs) Latest(ctx context.Context, prefix string) (string, error) {
	what := b.place(prefix)
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{
		Bucket: &b.bucket, Prefix: aws.String(b.prefix + prefix), Delimiter: aws.String("/")})
	latest := ""
	for n := 0; pages.HasMorePages(); n++ {
		if n == mostPages {
			return "", fmt.Errorf("%s: more than %d names to look through", what, mostPages*1000)
		}
		call, cancel := context.WithTimeout(ctx, callTime)
		page, err := pages.NextPage(call)
		cancel()
		if err != nil {
			return "", b.failure(what, err)
		}
		for _, object := range page.Contents {
			name, ours := strings.CutPrefix(aws.ToString(object.Key), b.prefix)
			if ours && name > latest && ports.IsDatedName(prefix, name) {
				latest = name
			}
		}
	}
	if latest == "" {
		return "", &failure{text: what + "*: there is no export", kinds: []error{fs.ErrNotExist}}
	}
	return latest, nil
}

// head asks what is known of an object.
func (b *Blobs) head(ctx context.Context, name string) (*s3.HeadObjectOutput, error) {
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return b.client.HeadObject(call, &s3.HeadObjectInput{Bucket: &b.bucket, Key: b.key(name)})
}

func (b *Blobs) key(name string) *string { return aws.String(b.prefix + name) }

// place is what an object is called in errors.
func (b *Blobs) place(name string) string { return "s3://" + b.bucket + "/" + b.prefix + name }
