package httpapi

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/jsonstring"
	"bitbucket.org/templar/templar/core/template"
)

// timeLayout is RFC 3339 in UTC with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// TemplateCodec encodes templates as the JSON object that the API answers.
type TemplateCodec struct{}

var _ template.Codec = TemplateCodec{}

// Encode gives the object of t, with its content. Written by hand: it is on the way of every read and write.
func (TemplateCodec) Encode(t template.Template) []byte {
	body := make([]byte, 0, 320+len(t.Name)+len(t.Description)+len(t.Content)+len(t.Content)/8)
	return appendTemplate(body, t, true)
}

func appendTemplate(body []byte, t template.Template, withContent bool) []byte {
	body = append(body, `{"templateid":"`...)
	body = appendUUID(body, t.ID)
	body = append(body, `","name":`...)
	body = jsonstring.AppendQuoted(body, t.Name)
	body = append(body, `,"description":`...)
	body = jsonstring.AppendQuoted(body, t.Description)
	if withContent {
		body = append(body, `,"content":`...)
		body = jsonstring.AppendQuoted(body, t.Content)
	}
	body = append(body, `,"syntax":`...)
	body = jsonstring.AppendQuoted(body, string(t.Syntax))
	body = append(body, `,"revision":`...)
	body = strconv.AppendInt(body, int64(t.Revision), 10)
	body = append(body, `,"author":`...)
	body = jsonstring.AppendQuoted(body, t.Author)
	body = append(body, `,"created":`...)
	body = appendTime(body, t.Created)
	body = append(body, `,"modified":`...)
	body = appendTime(body, t.Modified)
	if t.InTrash() {
		body = append(body, `,"deleted":`...)
		body = appendTime(body, t.Deleted)
	}
	return append(body, '}')
}

func appendUUID(body []byte, id uuid.UUID) []byte {
	var text [36]byte
	raw, _ := id.MarshalText() // never fails
	copy(text[:], raw)
	return append(body, text[:]...)
}

// appendTime writes a time, or null for one that is not known.
func appendTime(body []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(body, "null"...)
	}
	return jsonstring.AppendTime(body, t)
}

// Decode reads what Encode wrote.
func (TemplateCodec) Decode(body []byte) (template.Template, error) {
	var wire struct {
		TemplateID  uuid.UUID  `json:"templateid"`
		Name        string     `json:"name"`
		Description string     `json:"description"`
		Content     string     `json:"content"`
		Syntax      string     `json:"syntax"`
		Revision    int        `json:"revision"`
		Author      string     `json:"author"`
		Created     *time.Time `json:"created"`
		Modified    *time.Time `json:"modified"`
		Deleted     *time.Time `json:"deleted"`
	}
	if err := json.Unmarshal(body, &wire); err != nil {
		return template.Template{}, fmt.Errorf("httpapi: a template cannot be decoded: %w", err)
	}
	known := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return t.UTC()
	}
	return template.Template{ID: wire.TemplateID, Name: wire.Name, Description: wire.Description, Content: wire.Content,
		Syntax: template.Syntax(wire.Syntax), Revision: wire.Revision, Author: wire.Author,
		Created: known(wire.Created), Modified: known(wire.Modified), Deleted: known(wire.Deleted)}, nil
}
