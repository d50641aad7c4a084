package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/change"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// readBody reads a body of at most limit bytes in one of the media types; a fault of kind TooLarge, Unsupported or
// Malformed otherwise. An empty body has no type and is answered as nil.
func readBody(c echo.Context, limit int64, mediaTypes ...string) ([]byte, error) {
	return readBodyInto(&buffer{}, c, limit, mediaTypes...)
}

// readBodyInto is readBody into the memory of a buffer, with which the answer goes.
func readBodyInto(into *buffer, c echo.Context, limit int64, mediaTypes ...string) ([]byte, error) {
	request := c.Request()
	if request.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body := request.Body
	if request.ContentLength < 0 { // else net/http sees to it that no more comes than was announced
		body = http.MaxBytesReader(c.Response(), body, limit)
	}
	raw, err := readAll(into.bytes, body, request.ContentLength)
	into.bytes = raw
	restartWork(c)
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge(limit)
	case err != nil:
		return nil, fault.Wrap(fault.Malformed, err, "the body ended too soon, came too slowly or was not as long as announced")
	case len(raw) == 0:
		return nil, nil
	}
	if err := wantMediaType(request, mediaTypes...); err != nil {
		return nil, err
	}
	return raw, nil
}

// wantMediaType is an Unsupported fault for a body in any other type, or not in UTF-8.
func wantMediaType(request *http.Request, mediaTypes ...string) error {
	given := request.Header.Get(echo.HeaderContentType)
	if slices.Contains(mediaTypes, given) {
		return nil
	}
	mediaType, parameters, err := mime.ParseMediaType(given)
	charset := parameters["charset"]
	if err != nil || !slices.Contains(mediaTypes, mediaType) || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return fault.New(fault.Unsupported, "the Content-Type must be %s", strings.Join(mediaTypes, " or "))
	}
	return nil
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the body is over the limit of %d bytes", limit)
}

// readAll reads to the end into the room behind into, with as much as was announced but never more than 64 KiB before it
// came.
func readAll(into []byte, r io.Reader, announced int64) ([]byte, error) {
	into = slices.Grow(into, int(min(max(announced, 0), 64<<10))+1) // one more finds the end without growing
	for {
		n, err := r.Read(into[len(into):cap(into)])
		into = into[:len(into)+n]
		switch {
		case errors.Is(err, io.EOF):
			return into, nil
		case err != nil:
			return into, err
		case len(into) == cap(into):
			into = slices.Grow(into, max(512, len(into)))
		}
	}
}

// object reads the fields of a JSON object one by one and gathers what is wrong with them. JSON that is broken,
// has a key twice, text behind its end, invalid UTF-8 or half a surrogate pair is refused as a whole (RFC 8259
// leaves these open; we guess nothing).
type object struct {
	fields map[string]jsontext.Value
	broken []fault.Violation
	// patched objects have null in the place of every member that a merge patch resets: it reads as absent.
	patched bool
}

var (
	errNoBody   error = fault.New(fault.Malformed, "a body is needed: a JSON object")
	errNoObject error = fault.New(fault.Malformed, "the body must be a JSON object")
)

// readObject reads a request's body as a JSON object; optional allows no body at all, which reads as {}.
func readObject(c echo.Context, limit int64, optional bool, mediaTypes ...string) (*object, []byte, error) {
	raw, err := readBody(c, limit, mediaTypes...)
	if err != nil {
		return nil, nil, err
	}
	if raw == nil {
		if optional {
			return &object{}, nil, nil
		}
		return nil, nil, errNoBody
	}
	o, err := parseObject(raw)
	return o, raw, err
}

func parseObject(raw []byte) (*object, error) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(raw))
	token, err := decoder.ReadToken()
	if err != nil {
		return nil, notJSON(err)
	}
	if token.Kind() != '{' {
		return nil, errNoObject
	}
	o := &object{fields: map[string]jsontext.Value{}}
	for decoder.PeekKind() != '}' {
		name, err := decoder.ReadToken()
		if err != nil {
			return nil, notJSON(err)
		}
		key := name.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, notJSON(err)
		}
		o.fields[key] = value.Clone()
	}
	if _, err = decoder.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	if _, err = decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Malformed, "there is something behind the JSON object")
	}
	return o, nil
}

// creation is what a POST that makes something brings beside the fields of what it makes.
type creation struct {
	object *object
	// id is the one that the client chose, nil for none.
	id          *uuid.UUID
	onlyNew     bool
	idempotency *change.Idempotency
}

// readCreation reads a POST that makes something whose id stands in the field of that name.
func readCreation(c echo.Context, limit int64, idField string) (made creation, err error) {
	known, err := parseTags(c.Request().Header, "If-None-Match")
	if err != nil {
		return made, err
	}
	made.onlyNew = known != nil && known.any
	o, raw, err := readObject(c, limit, false, mediaJSON)
	if err != nil {
		return made, err
	}
	made.object = o
	if made.idempotency, err = idempotency(c, raw); err != nil {
		return made, err
	}
	if text, present := o.optionalText(idField); present {
		if id, err := template.ParseID(text); err != nil {
			o.fail(idField, "must be a UUID")
		} else {
			made.id = &id
		}
	}
	return made, nil
}

// notJSON tells where the JSON breaks, without repeating what was sent.
func notJSON(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		why := "it is broken"
		switch {
		case errors.Is(syntax.Err, jsontext.ErrDuplicateName):
			why = "a name stands twice in one object"
		case errors.Is(syntax.Err, io.ErrUnexpectedEOF):
			why = "it ends too soon"
		}
		return fault.Wrap(fault.Malformed, err, "the body is not JSON as RFC 8259 and UTF-8 have it: %s near byte %d", why, syntax.ByteOffset)
	}
	return fault.Wrap(fault.Malformed, err, "the body is not JSON")
}

func (o *object) fail(name, format string, args ...any) {
	o.broken = append(o.broken, fault.Violation{Pointer: pointerTo(name), Detail: fmt.Sprintf(format, args...)})
}

func (o *object) failUnknown(name string) { o.fail(name, "is not a field of this object") }

// pointerTo is the JSON pointer to a member of the body (RFC 6901).
func pointerTo(name string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// take removes a field and gives its value; ok is false without one.
func (o *object) take(name string) (value jsontext.Value, ok bool) {
	value, ok = o.fields[name]
	delete(o.fields, name)
	if o.patched && value.Kind() == 'n' {
		return nil, false
	}
	return value, ok
}

// text takes a string field; "" when it is absent.
func (o *object) text(name string) string {
	value, _ := o.optionalText(name)
	return value
}

// optionalText takes a string field and tells whether it is there.
func (o *object) optionalText(name string) (text string, present bool) {
	value, ok := o.take(name)
	if !ok {
		return "", false
	}
	if value.Kind() != '"' {
		o.fail(name, "must be a string")
		return "", false
	}
	unquoted, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		o.fail(name, "must be a string of Unicode text")
	}
	return string(unquoted), true
}

// isNull tells whether the field is there and null, and takes it if so.
func (o *object) isNull(name string) bool {
	if value, ok := o.fields[name]; ok && value.Kind() == 'n' {
		delete(o.fields, name)
		return true
	}
	return false
}

// integer takes a field that must be a whole number from least to most; standard when it is absent or null.
func (o *object) integer(name string, standard, least, most int) int {
	if o.isNull(name) {
		return standard
	}
	value, ok := o.take(name)
	if !ok {
		return standard
	}
	var number int
	if value.Kind() != '0' || json.Unmarshal(value, &number) != nil || number < least || number > most {
		o.fail(name, "must be a whole number from %d to %d", least, most)
		return standard
	}
	return number
}

// moment takes a field that must be a time (RFC 3339); zero when it is absent or null.
func (o *object) moment(name string) time.Time {
	if o.isNull(name) {
		return time.Time{}
	}
	text, ok := o.optionalText(name)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		o.fail(name, "must be a time as RFC 3339 has it, such as 2026-11-22T02:29:00Z")
	}
	return t.UTC()
}

// texts takes a field that must be a list of strings.
func (o *object) texts(name string) []string {
	value, ok := o.take(name)
	if !ok {
		return nil
	}
	var list []string
	if value.Kind() != '[' || json.Unmarshal(value, &list) != nil {
		o.fail(name, "must be a list of strings")
	}
	return list
}

// ignore drops fields that are the server's: what was read can be changed and sent back.
func (o *object) ignore(names ...string) {
	for _, name := range names {
		delete(o.fields, name)
	}
}

// done gives an Invalid fault that names every wrong field, and every one that nobody took.
func (o *object) done() error {
	for name := range o.fields {
		o.failUnknown(name)
	}
	if o.broken == nil {
		return nil
	}
	slices.SortFunc(o.broken, func(a, b fault.Violation) int { return strings.Compare(a.Pointer, b.Pointer) })
	return fault.Violations(o.broken)
}
