package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"bitbucket.org/templar/templar/test/servers"
)

// seedTable is the seed's own DDL.
const seedTable = `create table templates
(
    tidx        serial
        constraint templates_pk
            primary key,
    templateid  uuid      default gen_random_uuid() not null,
    name        varchar   default ''::character varying,
    description varchar   default ''::character varying,
    content     varchar   default ''::character varying,
    created     timestamp default now(),
    modified    timestamp default now()
);

alter table templates
    owner to root;
`

// oldRow is a row that breaks a rule which there was none of when it was written.
type oldRow struct {
	id      string
	columns string
	values  string
	want    object
	patch   map[string]string
}

var oldRows = []oldRow{
	{id: "00000000-0000-4000-8000-000000000001", columns: "name, description, content, created, modified", values: "NULL, NULL, NULL, NULL, NULL",
		patch: map[string]string{"name": "named"}},
	{id: "00000000-0000-4000-8000-000000000002", columns: "name, content", values: "'', ''", patch: map[string]string{"content": "filled"}},
	{id: "00000000-0000-4000-8000-000000000003", columns: "name", values: "repeat('n', 5000)", want: object{Name: strings.Repeat("n", 5000)},
		patch: map[string]string{"content": "filled"}},
	{id: "00000000-0000-4000-8000-000000000004", columns: "name, content", values: `E'a\tb\x07\x1b', 'x'`, want: object{Name: "a\tb\a\x1b", Content: "x"},
		patch: map[string]string{"description": "filled"}},
	{id: "00000000-0000-4000-8000-000000000005", columns: "name, description", values: "'long', repeat('ä', 30000)",
		want: object{Name: "long", Description: strings.Repeat("ä", 30000)}, patch: map[string]string{"content": "filled"}},
	{id: "00000000-0000-4000-8000-000000000006", columns: "name, content", values: "'broken', '{{#open}} {{unclosed'",
		want: object{Name: "broken", Content: "{{#open}} {{unclosed"}, patch: map[string]string{"name": "renamed"}},
	{id: "00000000-0000-4000-8000-000000000007", columns: "name, content", values: "'large', repeat('x', 3000000)",
		want: object{Name: "large", Content: strings.Repeat("x", 3000000)}, patch: map[string]string{"name": "renamed"}},
	{id: "00000000-0000-4000-8000-000000000008", columns: "name, created, modified", values: "'early', '0044-03-15 12:00:00 BC', '-infinity'",
		want: object{Name: "early"}, patch: map[string]string{"name": "renamed"}},
	{id: "00000000-0000-4000-8000-000000000009", columns: "name, created, modified", values: "'late', 'infinity', '294276-12-31 23:59:59'",
		want: object{Name: "late"}, patch: map[string]string{"name": "renamed"}},
	{id: "00000000-0000-4000-8000-00000000000a", columns: "name", values: "'  spaces around  '", want: object{Name: "  spaces around  "},
		patch: map[string]string{"content": "filled"}},
}

const seedRows = 20_000

// fillSeed makes the seed's table with rows of all sorts.
func fillSeed(t *testing.T, d servers.Database) {
	t.Helper()
	db := connect(t, d)
	execute(t, db, seedTable)
	execute(t, db, `INSERT INTO templates (name, description, content, created, modified)
		SELECT 'name ' || i % 5000, 'row ' || i, 'Hello {{name}}, ' || i, now() - i % 7000 * interval '1 minute', now() - i % 300 * interval '1 second'
		FROM generate_series(1, $1::int) AS i`, seedRows)
	for _, r := range oldRows {
		execute(t, db, "INSERT INTO templates (templateid, "+r.columns+") VALUES ('"+r.id+"', "+r.values+")")
	}
}

// startMany starts several instances at the same moment and waits for all.
func startMany(t *testing.T, n int, s settings) []*process {
	t.Helper()
	var instances []*process
	for range n {
		instances = append(instances, launch(t, t.TempDir(), s.with(settings{"HTTP_PORT": base(t)["HTTP_PORT"], "LOG_LEVEL": "WARNING"})))
	}
	for _, p := range instances {
		p.waitReady(t, 60*time.Second)
	}
	return instances
}

// TestManyStartOnAnEmptyDatabase has several instances make the tables at once.
func TestManyStartOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	for range 2 {
		instances := startMany(t, 5, base(t).with(postgresSettings(servers.Postgres(t).Database(t))))
		path := instances[0].create(t, "made by the first")
		for _, p := range instances {
			p.want(t, 200, "PUT", path, object{Name: "n", Content: word()}.draft())
			if log := p.Stderr.String(); strings.Contains(log, `"ERROR"`) || strings.Contains(log, `"WARNING"`) {
				t.Errorf("an instance complains: %s", log)
			}
		}
	}
}

// TestManyStartOnTheSeedsDatabase has several instances bring the seed's table up to date at once, with rows of all
// sorts in it.
func TestManyStartOnTheSeedsDatabase(t *testing.T) {
	t.Parallel()
	database := servers.Postgres(t).Database(t)
	fillSeed(t, database)
	instances := startMany(t, 4, base(t).with(postgresSettings(database)))
	db := connect(t, database)
	var count int
	if err := db.QueryRow("SELECT count(*) FROM templates").Scan(&count); err != nil || count != seedRows+len(oldRows) {
		t.Errorf("of %d rows %d are there, %v", seedRows+len(oldRows), count, err)
	}
	ids := map[string]bool{}
	rows, err := db.Query("SELECT templateid FROM templates")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids[id] = true
	}

	var walking sync.WaitGroup
	for n, sort := range []string{"created", "-created", "modified", "-modified", "name", "-name"} {
		walking.Go(func() { walkSeed(t, instances[n%len(instances)], sort, ids) })
	}
	walking.Wait()
	for n, r := range oldRows {
		t.Run(fmt.Sprint("row ", n+1), func(t *testing.T) { useOldRow(t, instances[n%len(instances)], r) })
	}
}

// walkSeed reads the list in one sort and demands every row once.
func walkSeed(t *testing.T, p *process, sort string, ids map[string]bool) {
	seen, cursor := map[string]int{}, ""
	for {
		path := "/v1/templates?limit=100&sort=" + sort + "&cursor=" + cursor
		if cursor == "" {
			path = "/v1/templates?limit=100&sort=" + sort
		}
		a, err := p.try("GET", path, nil)
		if err != nil || a.Status != 200 {
			t.Errorf("the list by %s: %+v, %v", sort, a, err)
			return
		}
		items, next := pageOf(a)
		for _, o := range items {
			seen[o.ID]++
		}
		if cursor = next; cursor == "" || len(items) == 0 {
			break
		}
	}
	wrong := 0
	for id := range ids {
		if seen[id] != 1 {
			if wrong++; wrong < 4 {
				t.Errorf("the list by %s shows %s %d times", sort, id, seen[id])
			}
		}
	}
	if len(seen) != len(ids) || wrong > 0 {
		t.Errorf("the list by %s shows %d rows of %d, %d of them wrongly", sort, len(seen), len(ids), wrong)
	}
}

// useOldRow reads, finds and changes a row that was there before.
func useOldRow(t *testing.T, p *process, r oldRow) {
	path := "/v1/templates/" + r.id
	a := p.want(t, 200, "GET", path, nil)
	o := a.object(t)
	if o.Name != r.want.Name || o.Content != r.want.Content || o.Description != r.want.Description || o.Revision != 1 {
		t.Errorf("an old row reads as %.200s", a.Body)
	}
	var times struct{ Created, Modified time.Time }
	if err := json.Unmarshal(a.Body, &times); err != nil {
		t.Errorf("its times are not as RFC 3339 has them: %v: %.300s", err, a.Body)
	}
	if _, err := http.ParseTime(a.Header.Get("Last-Modified")); err != nil && a.Header.Get("Last-Modified") != "" {
		t.Errorf("its Last-Modified: %v", err)
	}
	if etag := a.Header.Get("ETag"); etag != `"1"` {
		t.Errorf("its ETag is %s", etag)
	}
	changed := p.want(t, 200, "PATCH", path, r.patch, "If-Match", `"1"`).object(t)
	if changed.Revision != 2 {
		t.Errorf("its next revision is %d", changed.Revision)
	}
	if o := p.want(t, 200, "PUT", path, object{Name: "put", Content: "c"}.draft()).object(t); o.Revision != 3 {
		t.Errorf("the one after that is %d", o.Revision)
	}
	p.want(t, 204, "DELETE", path, nil)
	p.want(t, 200, "POST", path+"/undelete", nil)
	if found := p.walk(t, "name=put"); !containsID(found, r.id) {
		t.Errorf("the changed row is not found by its name")
	}
}

func containsID(list []object, id string) bool {
	for _, o := range list {
		if o.ID == id {
			return true
		}
	}
	return false
}

// TestSeedRowsWithTheSameID has two rows with one templateid, which the seed's DDL allows: whatever becomes of it,
// no row is lost, and the log says why.
func TestSeedRowsWithTheSameID(t *testing.T) {
	t.Parallel()
	database := servers.Postgres(t).Database(t)
	db := connect(t, database)
	execute(t, db, seedTable)
	for _, name := range []string{"one", "two"} {
		execute(t, db, "INSERT INTO templates (templateid, name) VALUES ('00000000-0000-4000-8000-000000000001', $1)", name)
	}
	p := launch(t, t.TempDir(), base(t).with(postgresSettings(database)))
	p.waitFor(t, "GET", "/livez", 200, 5*time.Second)
	time.Sleep(2 * time.Second)
	var count int
	if err := db.QueryRow("SELECT count(*) FROM templates").Scan(&count); err != nil || count != 2 {
		t.Errorf("%d rows of 2, %v", count, err)
	}
	if a := p.do(t, "GET", "/readyz", nil); a.Status == 503 {
		if log := p.Stderr.String(); !strings.Contains(log, "templateid") {
			t.Errorf("it is not ready and does not tell why:\n%s", log)
		}
		// Once somebody decided which row it is to be, it goes on by itself.
		execute(t, db, "UPDATE templates SET templateid = gen_random_uuid() WHERE name = 'two'")
		p.waitReady(t, 2*back)
	}
	if n := len(p.walk(t, "sort=name")); n != 2 {
		t.Errorf("%d of 2 rows are listed", n)
	}
}
