package httpapi

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/jsonstring"
)

// describe sets what a GET of that revision says of it.
func describe(c echo.Context, revision int, modified time.Time) {
	header, work := c.Response().Header(), workOf(c)
	header["Etag"] = work.one(entityTag(revision))
	header[echo.HeaderCacheControl] = privateNoCache
	if !modified.IsZero() {
		header[echo.HeaderLastModified] = work.one(httpDate(modified))
	}
}

// httpDate is a time in the form of http.TimeFormat, made in a third of the time: every read has one.
func httpDate(t time.Time) string {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.Format(http.TimeFormat)
	}
	hour, minute, second := t.Clock()
	text := [len(http.TimeFormat)]byte([]byte("Mon, 00 Jan 0000 00:00:00 GMT"))
	copy(text[0:], t.Weekday().String()[:3])
	copy(text[8:], month.String()[:3])
	for _, part := range [...]struct{ at, number int }{{5, day}, {12, year / 100}, {14, year % 100}, {17, hour}, {20, minute}, {23, second}} {
		text[part.at] += byte(part.number / 10)
		text[part.at+1] += byte(part.number % 10)
	}
	return string(text[:])
}

var (
	privateNoCache = []string{"private, no-cache"}
	noStore        = []string{"no-store"}
	jsonType       = []string{mediaJSON}
)

// buffered is up to how many bytes net/http finds out the Content-Length by itself.
const buffered = 2048

func writeJSON(c echo.Context, status int, body []byte) error {
	response := c.Response()
	header := response.Header()
	if vary := header[echo.HeaderVary]; len(body) < smallest && len(vary) > 0 && vary[0] == echo.HeaderAcceptEncoding {
		// Never compressed, so it does not vary by that.
		if len(vary) == 1 {
			delete(header, echo.HeaderVary)
		} else {
			header[echo.HeaderVary] = vary[1:]
		}
	}
	if len(body) > buffered {
		header[echo.HeaderContentLength] = []string{strconv.Itoa(len(body))}
	}
	header[echo.HeaderContentType] = jsonType
	response.WriteHeader(status)
	_, err := response.Write(body)
	return err
}

// writeWritten answers what was just written, as a GET of it would.
func writeWritten(c echo.Context, status, revision int, modified time.Time, replayed bool, body []byte) error {
	if replayed {
		c.Response().Header().Set("Idempotency-Replayed", "true")
	}
	describe(c, revision, modified)
	return writeJSON(c, status, body)
}

// writePage completes a page whose items stand in body, from `{"items":[` on.
func writePage(c echo.Context, body []byte, next string, total *int) error {
	body = append(body, ']')
	if next != "" {
		linkNext(c, next)
		body = append(body, `,"next":`...)
		body = jsonstring.AppendQuoted(body, next)
	}
	if total != nil {
		body = append(body, `,"total":`...)
		body = strconv.AppendInt(body, int64(*total), 10)
	}
	c.Response().Header()[echo.HeaderCacheControl] = privateNoCache
	return writeJSON(c, http.StatusOK, append(body, '}'))
}

// linkNext names the next page (RFC 8288).
func linkNext(c echo.Context, cursor string) {
	next := url.URL{Path: c.Request().URL.Path}
	values := c.QueryParams()
	values.Set("cursor", cursor)
	next.RawQuery = values.Encode()
	c.Response().Header().Set("Link", "<"+next.String()+`>; rel="next"`)
}
