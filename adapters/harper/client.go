package harper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// maxRequest is the largest request that is sent: a batch of an import, as it stands in the journal.
	maxRequest = 256 << 20
	// maxAnswer is the largest answer that is read. Rows are read one by one, so that memory holds one of them.
	maxAnswer = 1 << 30
	// maxRefusal is how much of an error's text is read.
	maxRefusal = 4 << 10
	// atOnce is how many requests are under way at the same time.
	atOnce = 64
	// idleTime is shorter than the 30 seconds after which Harper closes an idle connection.
	idleTime = 20 * time.Second
	// dialTime bounds connecting.
	dialTime = 5 * time.Second
)

// operation is one request to the Operations API: its name under "operation", and its parameters.
type operation map[string]any

// client speaks the Operations API.
type client struct {
	url, user, password string
	http                *http.Client
	places              chan struct{}
	trip                func(ctx context.Context, operation string, took time.Duration, err error) // Config.Trip
}

func newClient(url, user, password string) *client {
	return &client{
		url: strings.TrimSuffix(url, "/") + "/", user: user, password: password,
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				DialContext:         (&net.Dialer{Timeout: dialTime}).DialContext,
				MaxIdleConnsPerHost: atOnce, MaxConnsPerHost: atOnce, IdleConnTimeout: idleTime, TLSHandshakeTimeout: dialTime,
			},
			// A redirect would carry the credentials to another place.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		places: make(chan struct{}, atOnce),
	}
}

// refusal is an answer of Harper that is no success.
type refusal struct {
	operation string
	status    int
	text      string
}

// Error is for logs: what was asked, never with which values.
func (e *refusal) Error() string {
	return fmt.Sprintf("harper: %s: %d %s", e.operation, e.status, e.text)
}

// exists tells whether what was to be created is there already. Harper has no code for that, only words.
func (e *refusal) exists() bool {
	return e.status == http.StatusBadRequest && strings.Contains(e.text, "already exists")
}

// missing tells whether the request named a database, table or attribute that is not there. The status depends on the
// operation: 404, 400 or 500.
func (e *refusal) missing() bool {
	return strings.Contains(e.text, "does not exist") || strings.Contains(e.text, "unknown attribute")
}

// errEnough ends the reading of an answer whose reader has what it needs.
var errEnough = errors.New("enough")

// enough gives nil for errEnough.
func enough(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// do sends an operation and hands the body of a success to read, which may be nil.
func (c *client) do(ctx context.Context, op operation, read func(io.Reader) error) error {
	name, _ := op["operation"].(string)
	if c.trip == nil {
		return c.send(ctx, name, op, read)
	}
	began := time.Now()
	err := c.send(ctx, name, op, read)
	c.trip(ctx, name, time.Since(began), err)
	return err
}

func (c *client) send(ctx context.Context, name string, op operation, read func(io.Reader) error) error {
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return ctx.Err()
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(op); err != nil {
		return fmt.Errorf("harper: %s: %w", name, err)
	}
	if body.Len() > maxRequest {
		return fmt.Errorf("harper: %s: a request of %d bytes is over the limit of %d", name, body.Len(), maxRequest)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, &body)
	if err != nil {
		return fmt.Errorf("harper: %s: %w", name, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(c.user, c.password)
	if name != "insert" {
		// Everything else can be repeated: net/http may do so on a connection that was closed while idle. A header
		// without a value is not sent.
		request.Header["Idempotency-Key"] = nil
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return &away{name, err}
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return refused(name, answer)
	}
	bounded := io.LimitReader(answer.Body, maxAnswer)
	if read == nil {
		_, err = io.Copy(io.Discard, bounded)
	} else {
		err = read(bounded)
	}
	if err = enough(err); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var cut net.Error
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &cut) {
			return &away{name, err}
		}
		return err
	}
	return nil
}

// away is a request that got no answer, or half of one.
type away struct {
	operation string
	err       error
}

// Error is for logs.
func (e *away) Error() string { return fmt.Sprintf("harper: %s: %v", e.operation, e.err) }

// Unwrap gives the cause.
func (e *away) Unwrap() error { return e.err }

func refused(name string, answer *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // what could be read has to do
	var told struct {
		Error any `json:"error"`
	}
	e := &refusal{operation: name, status: answer.StatusCode, text: http.StatusText(answer.StatusCode)}
	if json.Unmarshal(text, &told) == nil {
		if said, ok := told.Error.(string); ok {
			e.text = said
		}
	}
	return e
}

// rows sends a search and shows each row of its answer, until each answers an error; errEnough is none.
func rows[T any](ctx context.Context, c *client, op operation, each func(*T) error) error {
	return c.do(ctx, op, func(body io.Reader) error {
		decoder := json.NewDecoder(body)
		start, err := decoder.Token()
		if err != nil {
			return err
		}
		if start != json.Delim('[') {
			return errors.New("a list was expected")
		}
		for decoder.More() {
			row := new(T)
			if err := decoder.Decode(row); err != nil {
				return err
			}
			if err := each(row); err != nil {
				return err
			}
		}
		_, err = decoder.Token()
		return err
	})
}
