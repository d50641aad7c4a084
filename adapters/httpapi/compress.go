package httpapi

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/labstack/echo/v4"
)

// varyEncoding is said of answers that another client might get compressed; writeJSON takes it from those that are too
// small.
var varyEncoding = []string{echo.HeaderAcceptEncoding}

// smallest is the size from which on answers are compressed, in bytes: below, it costs more than it saves.
const smallest = 1024

// compressed serves answers in gzip to clients that take it. A HEAD gets the headers that the GET would get, which only
// the same way through the compressor can tell (RFC 9110 9.3.2): it goes there as a GET whose body is thrown away.
func compressed(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(smallest))
	if err != nil {
		return nil, err
	}
	whole := wrap(next)
	headers := wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := *r
		head.Method = http.MethodHead
		next.ServeHTTP(w, &head)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header["Accept-Encoding"] == nil {
			w.Header()[echo.HeaderVary] = varyEncoding
			next.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodHead {
			whole.ServeHTTP(w, r)
			return
		}
		get := *r
		get.Method = http.MethodGet
		headers.ServeHTTP(bodiless{w}, &get)
	}), nil
}

// bodiless throws the body away.
type bodiless struct{ http.ResponseWriter }

func (bodiless) Write(p []byte) (int, error) { return len(p), nil }

// Unwrap lets http.ResponseController through.
func (b bodiless) Unwrap() http.ResponseWriter { return b.ResponseWriter }
