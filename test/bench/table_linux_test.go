package bench

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"bitbucket.org/templar/templar/test/bench/load"
	"bitbucket.org/templar/templar/test/servers"
)

// bench is a lab with a database in it and what the requests of the table are answered with.
type bench struct {
	*lab
	database servers.Database
	// rounds and seconds are how often and how long each side is measured.
	rounds, seconds int
	// bare answers the same bytes as Templar: get, create, page.
	bare *program
	// peak is the most memory that Templar has held under any load of the table, in bytes.
	peak int64
	// large is the database with the most rows, once there is one.
	large *table
}

func newBench(tb testing.TB, rounds, seconds, rows int) *bench {
	tb.Helper()
	b := &bench{lab: newLab(tb), rounds: rounds, seconds: seconds}
	b.database = b.postgres.Database(tb)
	first := b.templar(b.database, nil) // makes the tables
	b.fill(b.database, 1, rows, usual)
	key := "X-API-KEY: " + hashKey
	b.bare = startBare(tb, map[string][]byte{
		"get":    first.ask(tb, 200, "GET", "/v1/templates/"+idOf(1), "", key).body,
		"create": first.ask(tb, 201, "POST", "/v1/templates", draft(usual), key).body,
		"page":   first.ask(tb, 200, "GET", pagePath, "", key).body,
	})
	first.stop()
	return b
}

// over is the side of a program under a load of requests with numbers up to most.
func (b *bench) over(name string, p *program, text string, most int) side {
	return side{name, func(seconds int) (shot, error) {
		return b.shoot(p, load.Requests{Text: text, Numbers: most, Seconds: seconds})
	}}
}

// bareSide answers the same bytes.
func (b *bench) bareSide(method, name string) side {
	body := ""
	if method == "POST" {
		body = draft(usual)
	}
	return b.over("bare Echo", b.bare, load.Request(method, "/"+name+"/"+anyID, body, "X-API-KEY: "+hashKey), targets)
}

// sql is the side of a statement in pgbench.
func (b *bench) sql(text string) side {
	return side{"pgbench", func(seconds int) (shot, error) {
		// One second more, because pgbench counts the time in which it connects.
		return b.statements(load.Statements{URL: b.database.URL(), Text: text, Parameters: parameters, Seconds: seconds + 1})
	}}
}

// comparison is a line of the table: how Templar did next to its yardstick.
type comparison struct {
	work string
	// against says what the ratio is one of.
	against string
	// floor is what must be reached, aim what is wanted; 0: there is none.
	floor, aim float64
	// lessIsGood is set where floor and aim are the most that there may be.
	lessIsGood bool
	names      []string
	rounds     rounds
	ratio      func([]shot) float64
}

// value is the median of the ratio.
func (c comparison) value() float64 { return c.rounds.median(c.ratio) }

// compare measures the sides, the first of which is Templar, and has each round with new processes of it and of bare Echo.
func (b *bench) compare(c comparison, templar *program, sides ...side) comparison {
	b.tb.Helper()
	for _, s := range sides {
		c.names = append(c.names, s.name)
	}
	for i := range b.rounds {
		if i > 0 {
			templar.restart(b.tb)
			b.bare.restart(b.tb)
		}
		turn := slices.Clone(sides)
		if i%2 == 1 {
			slices.Reverse(turn)
		}
		one := alternate(b.tb, fmt.Sprintf("%s, round %d", c.work, i+1), 1, b.seconds, turn...)
		if i%2 == 1 {
			slices.Reverse(one[0])
		}
		c.rounds = append(c.rounds, one...)
	}
	for _, round := range c.rounds {
		b.peak = max(b.peak, round[0].Memory.Peak)
	}
	return c
}

// cached reads templates by id out of the cache. Where names what the key is kept in.
func (b *bench) cached(where, key string) comparison {
	p := b.templar(b.database, nil)
	defer p.stop()
	return b.compare(comparison{work: "cached GET by id" + where, against: "bare Echo", floor: 0.72, aim: 0.95, ratio: throughput}, p,
		b.over("Templar", p, getRequest(key), targets), b.bareSide("GET", "get"))
}

// databaseKey makes a key that Templar keeps in the database.
func (b *bench) databaseKey() string {
	p := b.templar(b.database, nil)
	defer p.stop()
	made := p.ask(b.tb, 201, "POST", "/v1/keys", `{"user": "bench", "scopes": ["templates:read", "templates:write"]}`, "Authorization: Bearer "+apiToken)
	var key struct{ Key string }
	if err := json.Unmarshal(made.body, &key); err != nil || key.Key == "" {
		b.tb.Fatalf("a new key: %v: %s", err, made.body)
	}
	return key.Key
}

// uncached reads templates by id, each from the database.
func (b *bench) uncached() comparison {
	p := b.templar(b.database, settings{"CACHE_TTL": "0"})
	defer p.stop()
	return b.compare(comparison{work: "GET by id, cache off", against: "1 / (1/bare Echo + 1/pgbench select)", floor: 0.50, aim: 0.85, ratio: throughput}, p,
		b.over("Templar", p, getRequest(hashKey), targets), b.bareSide("GET", "get"), b.sql(selectStatement))
}

// create makes templates.
func (b *bench) create() comparison {
	p := b.templar(b.database, nil)
	defer p.stop()
	parameters["words"] = b.words()
	return b.compare(comparison{work: "create", against: "1 / (1/bare Echo POST + 1/pgbench insert)", floor: 0.70, aim: 1.2, ratio: throughput}, p,
		b.over("Templar", p, createRequest(hashKey, usual), 1), b.bareSide("POST", "create"), b.sql(insertStatement))
}

// words are the hashes of the words of what is created, in the form that the column takes: with them pgbench stores the
// row that Templar stores.
func (b *bench) words() string {
	b.tb.Helper()
	db := connect(b.tb, b.database)
	defer db.Close()
	var words string
	if err := db.QueryRow("SELECT ARRAY(SELECT DISTINCT unnest(templar_word_hashes($1)) ORDER BY 1)::text",
		draftName+" "+draftDescription+" "+content(usual)).Scan(&words); err != nil {
		b.tb.Fatal(err)
	}
	return words
}

// page reads the first 20 templates with their content. All clients read the same page, as those do that look for news.
func (b *bench) page() comparison {
	p := b.templar(b.database, nil)
	defer p.stop()
	return b.compare(comparison{work: "page of 20 with content", against: "1 / (1/bare Echo + 1/pgbench of the query)", floor: 0.45, aim: 0.85, ratio: throughput}, p,
		b.over("Templar", p, pageRequest(hashKey, pagePath), 1), b.bareSide("GET", "page"), b.sql(pageStatement))
}

// pages reads 20 templates with their content, and no two clients the same: each of a number of pages in turn.
func (b *bench) pages() comparison {
	p := b.templar(b.database, nil)
	defer p.stop()
	key := "X-API-KEY: " + hashKey
	var cursors []string
	for path := pagePath; len(cursors) < 4*connections; {
		var page struct{ Next string }
		if err := json.Unmarshal(p.ask(b.tb, 200, "GET", path, "", key).body, &page); err != nil || page.Next == "" {
			b.tb.Fatalf("page %d has no next: %v", len(cursors)+1, err)
		}
		cursors = append(cursors, url.QueryEscape(page.Next))
		path = pagePath + "&cursor=" + cursors[len(cursors)-1]
	}
	cursors = cursors[:len(cursors)-1] // the last may begin a page that is not full
	return b.compare(comparison{work: "page of 20 with content, each another", against: "1 / (1/bare Echo + 1/pgbench of the query)", floor: 0.45, aim: 0.85, ratio: throughput}, p,
		side{"Templar", func(seconds int) (shot, error) {
			return b.shoot(p, load.Requests{Text: pageRequest(hashKey, pagePath+"&cursor=%x"), Values: cursors, InTurn: true, Seconds: seconds})
		}}, b.bareSide("GET", "page"), b.sql(pageStatement))
}

// render renders a mail of 2 KB, next to reading a template whose answer is as long.
func (b *bench) render() comparison {
	p := b.templar(b.database, nil)
	defer p.stop()
	key, m := "X-API-KEY: "+hashKey, mail()
	mailID, sameID := idOf(1<<40), idOf(1<<40+1)
	b.put(p, mailID, m.source)
	body, path := `{"data":`+m.data+`}`, "/v1/templates/"+mailID+"/render"
	wanted := len(p.ask(b.tb, 200, "POST", path, body, key).body)
	b.put(p, sameID, "-")
	short := len(p.ask(b.tb, 200, "GET", "/v1/templates/"+sameID, "", key).body)
	b.put(p, sameID, strings.Repeat("-", 1+wanted-short))
	if got := len(p.ask(b.tb, 200, "GET", "/v1/templates/"+sameID, "", key).body); got < wanted-10 || got > wanted+10 {
		b.tb.Fatalf("a template of %d bytes was wanted, one of %d was made", wanted, got)
	}
	return b.compare(comparison{work: "render of a 2 KB mail", against: "time on processors of a cached GET as long", floor: 1.5, lessIsGood: true, ratio: cost}, p,
		b.over("render", p, load.Request("POST", path, body, key), 1), b.over("cached GET", p, load.Request("GET", "/v1/templates/"+sameID, "", key), 1))
}

// put makes a template or gives it another content.
func (b *bench) put(p *program, id, content string) {
	b.tb.Helper()
	body, err := json.Marshal(map[string]string{"templateid": id, "name": draftName, "content": content})
	if err != nil {
		b.tb.Fatal(err)
	}
	key := "X-API-KEY: " + hashKey
	db := connect(b.tb, b.database)
	defer db.Close()
	var n int
	if err := db.QueryRow("SELECT count(*) FROM templates WHERE templateid = $1", id).Scan(&n); err != nil {
		b.tb.Fatal(err)
	}
	if n == 0 {
		p.ask(b.tb, 201, "POST", "/v1/templates", string(body), key)
		return
	}
	p.ask(b.tb, 200, "PUT", "/v1/templates/"+id, string(body), key)
}
