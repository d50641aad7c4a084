package sqlstore

import (
	"fmt"
	"time"

	"bitbucket.org/templar/templar/core/template"
)

// InfinitePast and InfiniteFuture are how timestamps that PostgreSQL calls -infinity and infinity are read, and those
// outside the years 1 to 9999, for which RFC 3339 has no form. Rows of others may have them.
var (
	InfinitePast   = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	InfiniteFuture = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// stamp reads a timestamp of either engine into a time in UTC; null is the zero time.
type stamp struct{ to *time.Time }

// Scan implements sql.Scanner.
func (s stamp) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*s.to = time.Time{}
		return nil
	case time.Time:
		*s.to = v.UTC()
		if s.to.Before(InfinitePast) {
			*s.to = InfinitePast
		} else if s.to.After(InfiniteFuture) {
			*s.to = InfiniteFuture
		}
		return nil
	case []byte:
		return s.parse(string(v))
	case string:
		return s.parse(v)
	}
	return fmt.Errorf("a timestamp of the type %T", value)
}

func (s stamp) parse(text string) (err error) {
	switch text {
	case "infinity":
		*s.to = InfiniteFuture
	case "-infinity":
		*s.to = InfinitePast
	default:
		*s.to, err = time.ParseInLocation("2006-01-02 15:04:05.999999999", text, time.UTC)
	}
	return err
}

// templateColumns is what templateFields reads; old rows may hold nulls. Its parts are the expressions of content and
// of the columns that both tables have.
func templateColumns(content string) string {
	return `templateid, COALESCE(name, ''), COALESCE(description, ''), ` + content +
		`, syntax, revision, author, created, modified, deleted`
}

const currentContent = `COALESCE(content, '')`

func templateFields(t *template.Template) []any {
	return []any{&t.ID, &t.Name, &t.Description, &t.Content, (*string)(&t.Syntax), &t.Revision, &t.Author,
		stamp{&t.Created}, stamp{&t.Modified}, stamp{&t.Deleted}}
}
