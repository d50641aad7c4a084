package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// failure is an error of the SDK in words that may be shown: it does not wrap it, as what the SDK keeps in its errors,
// requests and answers included, is for nobody to print.
type failure struct {
	text  string
	kinds []error // what errors.Is finds
}

func (f *failure) Error() string        { return f.text }
func (f *failure) Is(target error) bool { return slices.Contains(f.kinds, target) }

// longestText bounds what a server can put into an error.
const longestText = 500

// failure makes an error of the SDK into one of this package; nil stays nil, and its own stay.
func (b *Blobs) failure(what string, err error) error {
	var own *failure
	if err == nil || errors.As(err, &own) {
		return err
	}
	text, kinds := err.Error(), []error(nil)
	var answered *awshttp.ResponseError
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
		text = code
		if m := api.ErrorMessage(); m != "" {
			text += ": " + m
		}
	}
	status := 0
	if errors.As(err, &answered) {
		status = answered.HTTPStatusCode()
	}
	if status != 0 {
		text = fmt.Sprintf("status %d: %s", status, text)
	}
	switch {
	case errors.Is(err, context.Canceled):
		kinds = append(kinds, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		kinds = append(kinds, context.DeadlineExceeded)
	case status == http.StatusNotFound:
		kinds = append(kinds, fs.ErrNotExist)
	case status == http.StatusPreconditionFailed, code == "ConditionalRequestConflict": // another upload, before or beside
		kinds = append(kinds, fs.ErrExist)
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		kinds = append(kinds, fs.ErrPermission)
	}
	text = strings.ToValidUTF8(b.secrets.Replace(text), "?")
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "") + "..."
	}
	return &failure{what + ": " + text, kinds}
}

// hiding replaces credentials by stars.
func hiding(secrets ...string) *strings.Replacer {
	var pairs []string
	for _, secret := range secrets {
		if secret != "" {
			pairs = append(pairs, secret, "***")
		}
	}
	return strings.NewReplacer(pairs...)
}
