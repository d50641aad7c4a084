package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character/srd"
	"bitbucket.org/templar/templar/core/fault"
)

// ruleHandlers serve the facts of the rules under /v1/rules: what a character can be made of.
type ruleHandlers struct{ documents *rules }

// rules are all answers of /v1/rules, encoded.
type rules struct {
	index       func() fact
	collections []*collection
}

// fact is an answer that never changes while the process runs, and its entity tag.
type fact struct {
	body []byte
	tag  string
}

// collection is a kind of records: races, spells, ...
type collection struct {
	// name is the last part of its path, parameter the name of the path's parameter for one record.
	name, parameter, title string
	// encoded encodes all records when they are first asked for: most instances never are, and their memory is small.
	encoded func() *encodedRecords
	// filters are the query parameters that pick records.
	filters []ruleFilter
}

// encodedRecords are the answers of a collection.
type encodedRecords struct {
	whole fact
	// single has the answer for one record by its slug; records are the bare ones, in the order of the list.
	single  map[string]fact
	records []record
}

// record is an encoded record with what filters look at.
type record struct {
	body   []byte
	values map[string][]string
}

// ruleFilter is a query parameter that records are picked by: those that have the value among theirs.
type ruleFilter struct {
	name string
	// check says what is wrong with a value, "" when nothing is.
	check func(value string) string
}

// ruleDocuments are the rules, the same for the whole process.
var ruleDocuments = sync.OnceValue(func() *rules {
	all := collections()
	return &rules{collections: all, index: sync.OnceValue(func() fact { return newFact(indexOf(all)) })}
})

// newCollection makes a kind of records. values gives what the filters look at; nil without filters.
func newCollection[T any](name, parameter, title string, records func() []T, slug func(T) string, values func(T) map[string][]string, filters ...ruleFilter) *collection {
	encode := func() *encodedRecords {
		e := &encodedRecords{single: map[string]fact{}}
		for _, r := range records() {
			one := record{body: encodeRule(r)}
			if values != nil {
				one.values = values(r)
			}
			e.records = append(e.records, one)
			e.single[slug(r)] = newFact(append(slices.Clone(one.body[:len(one.body)-1]), attributed...))
		}
		e.whole = e.pick(func(record) bool { return true })
		return e
	}
	return &collection{name: name, parameter: parameter, title: title, encoded: sync.OnceValue(encode), filters: filters}
}

// attributed closes an object with the notice that the SRD's license asks for.
var attributed = append([]byte(`,"attribution":`), append(encodeRule(srd.Attribution), '}')...)

// pick makes the answer with some of the records.
func (e *encodedRecords) pick(wanted func(record) bool) fact {
	body := []byte(`{"items":[`)
	for _, r := range e.records {
		if !wanted(r) {
			continue
		}
		if body[len(body)-1] != '[' {
			body = append(body, ',')
		}
		body = append(body, r.body...)
	}
	return newFact(append(append(body, ']'), attributed...))
}

func encodeRule(v any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("httpapi: a rule that is no JSON: " + err.Error()) // plain structs of texts and numbers always are
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

func newFact(body []byte) fact { return fact{body: body, tag: digestTag(body)} }

// digestTag is a strong validator that follows from the body alone.
func digestTag(body []byte) string {
	digest := sha256.Sum256(body)
	return `"` + hex.EncodeToString(digest[:12]) + `"`
}

// has compares weakly with a tag in its quotes, as If-None-Match does (RFC 9110 13.1.2).
func (l *tagList) has(entityTag string) bool {
	return l.any || slices.ContainsFunc(l.tags, func(t tag) bool { return `"`+t.opaque+`"` == entityTag })
}

func (h *ruleHandlers) routes(r *routes) {
	r.handle(http.MethodGet, "/v1/rules", func(c echo.Context) error { return answerFact(c, h.documents.index()) })
	for _, each := range h.documents.collections {
		r.handle(http.MethodGet, "/v1/rules/"+each.name, each.list)
		r.handle(http.MethodGet, "/v1/rules/"+each.name+"/:"+each.parameter, each.read)
	}
}

// answerFact answers a fact to callers who may read characters.
func answerFact(c echo.Context, f fact) error {
	if _, err := auth.Require(c.Request().Context(), auth.CharactersRead); err != nil {
		return err
	}
	known, err := parseTags(c.Request().Header, "If-None-Match")
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header["Etag"] = []string{f.tag}
	header[echo.HeaderCacheControl] = privateNoCache
	if known != nil && known.has(f.tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return writeJSON(c, http.StatusOK, f.body)
}

func (l *collection) read(c echo.Context) error {
	if _, err := auth.Require(c.Request().Context(), auth.CharactersRead); err != nil {
		return err
	}
	f, ok := l.encoded().single[c.Param(l.parameter)]
	if !ok {
		return fault.New(fault.NotFound, "there is nothing of this slug; GET /v1/rules/%s lists all", l.name)
	}
	return answerFact(c, f)
}

func (l *collection) list(c echo.Context) error {
	names := make([]string, len(l.filters))
	for i, f := range l.filters {
		names[i] = f.name
	}
	q, err := readQuery(c, names...)
	if err != nil {
		return err
	}
	wanted := map[string]string{}
	for _, f := range l.filters {
		if !q.has(f.name) {
			continue
		}
		wanted[f.name] = q.word(f.name)
		if why := f.check(wanted[f.name]); why != "" {
			q.refuse(f.name + " " + why)
		}
	}
	if q.err != nil {
		return q.err
	}
	if len(wanted) == 0 {
		return answerFact(c, l.encoded().whole)
	}
	return answerFact(c, l.encoded().pick(func(r record) bool {
		for name, value := range wanted {
			if !slices.Contains(r.values[name], value) {
				return false
			}
		}
		return true
	}))
}

// anySlug takes every value: one that nothing has picks nothing.
func anySlug(string) string { return "" }

// highestSpell is the highest level that spells have.
const highestSpell = 9

func spellLevel(value string) string {
	if level, err := strconv.Atoi(value); err != nil || level < 0 || level > highestSpell || strconv.Itoa(level) != value {
		return "must be a whole number from 0, for cantrips, to 9"
	}
	return ""
}
