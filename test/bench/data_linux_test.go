package bench

import (
	"encoding/json"
	"fmt"
	"strings"

	"bitbucket.org/templar/templar/test/bench/load"
	"bitbucket.org/templar/templar/test/servers"
)

// letter is what all templates of the benchmarks are cut from.
var letter = strings.Repeat(`Dear {{name}},

thank you for "{{order}}", which left our house on {{day}}. You will find it at {{shop}}.
{{#gift}}There is a gift in it.{{/gift}} Sed ut perspiciatis unde omnis iste natus error sit voluptatem accusantium doloremque.
`, 8192)[:1<<20]

// content is a template of so many bytes.
func content(bytes int) string {
	text := letter[:bytes]
	// No tag may be left open: cut before the last line that would be.
	for open := strings.LastIndex(text, "{{"); open >= 0 && (!strings.Contains(text[open:], "}}") || strings.HasPrefix(text[open:], "{{#gift}}")); open = strings.LastIndex(text, "{{") {
		text = text[:open]
	}
	return text + strings.Repeat(".", bytes-len(text))
}

// usual is how long the content of most benchmarks is, in bytes.
const usual = 600

// idOf is the id of a template that the benchmarks made.
func idOf(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }

// anyID stands in requests for the id of a random template.
const anyID = "00000000-0000-4000-8000-%x"

// worded is how many templates have a content of real words. More are only there to be passed by: their content is as
// long, but nearly without words, because the index of words would take an hour to make.
const worded = 2000

// fillStatement makes the templates from the number $1 to $2 with the content $3, created one second after the other, and
// with the numbers of their words, as Templar itself writes them.
const fillStatement = `INSERT INTO templates (templateid, name, description, content, created, modified, author, word_hashes)
	SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, name, description, content,
		timestamp '2020-01-01' + i * interval '1 second', timestamp '2020-01-01' + i * interval '1 second', 'bench',
		templar_word_hashes(name || ' ' || description || ' ' || content)
	FROM (SELECT i, 'Template ' || i AS name, 'made for a benchmark' AS description,
		CASE WHEN i <= $4 THEN $3 ELSE rpad('Hello {{name}}, this is a letter.', length($3), '.') END AS content
		FROM generate_series($1::bigint, $2::bigint) AS i) AS made`

// fill makes the templates from the number first to last in a database where Templar has made its
// tables.
func (l *lab) fill(d servers.Database, first, last, bytes int) {
	l.tb.Helper()
	db := connect(l.tb, d)
	defer db.Close()
	execute(l.tb, db, fillStatement, first, last, content(bytes), worded)
	// VACUUM also empties the pending list of the word index, CHECKPOINT leaves no work for later.
	execute(l.tb, db, "VACUUM ANALYZE templates")
	execute(l.tb, db, "CHECKPOINT")
}

// The yardstick's statements. They are what the adapter of PostgreSQL sends for one request, column by column; they
// stand here by themselves, so that the yardstick stays when the adapter finds a better way.
const (
	templateColumns = `templateid, COALESCE(name, ''), COALESCE(description, ''), COALESCE(content, ''), syntax, revision, author, created, modified, deleted`
	selectStatement = `SELECT ` + templateColumns + ` FROM templates WHERE templateid = :id`
	insertStatement = `INSERT INTO templates (templateid, name, description, content, syntax, revision, author, created, modified, word_hashes)
		VALUES (gen_random_uuid(), :name, :description, :content, :syntax, :revision, :author, :created, :modified, :words) ON CONFLICT (templateid) DO NOTHING`
	pageStatement = `SELECT * FROM (SELECT ` + templateColumns + ` FROM templates WHERE deleted IS NULL
		ORDER BY COALESCE("created", '1970-01-01 00:00:00'::timestamp), templateid LIMIT 128) AS page LIMIT :limit`
)

// parameters are those of the statements.
var parameters = map[string]string{"id": idOf(1), "limit": "21", // one more tells whether there is a next page
	"name": draftName, "description": draftDescription, "content": content(usual), "syntax": "mustache", "revision": "1", "author": "bench",
	"created": "2026-01-01 12:00:00.123456", "modified": "2026-01-01 12:00:00.123456"}

const (
	draftName        = "Template"
	draftDescription = "made for a benchmark"
)

// draft is the body of a request that makes a template.
func draft(bytes int) string {
	body, err := json.Marshal(map[string]string{"name": draftName, "description": draftDescription, "content": content(bytes)})
	if err != nil {
		panic(err) // strings are always encoded
	}
	return string(body)
}

// Requests as they go over the wire.

func getRequest(key string, headers ...string) string {
	return load.Request("GET", "/v1/templates/"+anyID, "", append(headers, "X-API-KEY: "+key)...)
}

func createRequest(key string, bytes int) string {
	return load.Request("POST", "/v1/templates", draft(bytes), "X-API-KEY: "+key)
}

const pagePath = "/v1/templates?limit=20&include=content"

func pageRequest(key, path string) string { return load.Request("GET", path, "", "X-API-KEY: "+key) }
