package bench

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"bitbucket.org/templar/templar/test/bench/load"
	"bitbucket.org/templar/templar/test/servers"
)

// curve shows how cost grows with one thing.
type curve struct {
	name   string // of its file
	title  string
	x      string // what grows, with its unit
	series []string
	points []point
	remark string
}

// point is one place on a curve.
type point struct {
	x      float64
	label  string
	rounds rounds // of each series
}

// add measures one more point.
func (b *bench) add(c *curve, x float64, label string, sides ...side) {
	b.tb.Helper()
	if c.series == nil {
		for _, s := range sides {
			c.series = append(c.series, s.name)
		}
	}
	c.points = append(c.points, point{x, label, alternate(b.tb, c.name+" at "+label, min(3, b.rounds), b.seconds, sides...)})
}

// short writes a number as people do.
func short(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprint(n/1_000_000, " million")
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprint(n/1000, ",000")
	}
	return fmt.Sprint(n)
}

// inBytes writes a power of two as a size.
func inBytes(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprint(n>>20, " MiB")
	case n >= 1<<10:
		return fmt.Sprint(n>>10, " KiB")
	}
	return fmt.Sprint(n, " B")
}

// table is a database whose table grows.
type table struct {
	database servers.Database
	rows     int
	// behind is the path of a page that begins after all rows that the benchmarks made by SQL.
	behind string
}

// newTable makes a table with a page of templates in it that come after all that will be made.
func (b *bench) newTable() *table {
	t := &table{database: b.postgres.Database(b.tb)}
	p := b.templar(t.database, nil)
	defer p.stop()
	key := "X-API-KEY: " + hashKey
	for range 60 { // two pages, and a third to show that they are whole
		p.ask(b.tb, 201, "POST", "/v1/templates", draft(usual), key)
	}
	var page struct{ Next string }
	if err := json.Unmarshal(p.ask(b.tb, 200, "GET", pagePath, "", key).body, &page); err != nil || page.Next == "" {
		b.tb.Fatalf("the first page has no next: %v", err)
	}
	// A cursor is a position, so it will stand after whatever is made before it.
	t.behind = pagePath + "&cursor=" + url.QueryEscape(page.Next)
	return t
}

// grow makes rows until there are so many. Indexes are made anew at the end, which is how anybody loads millions.
func (b *bench) grow(t *table, rows int) {
	b.tb.Helper()
	db := connect(b.tb, t.database)
	defer db.Close()
	result, err := db.Query(`SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'templates'
		AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)`)
	if err != nil {
		b.tb.Fatal(err)
	}
	definitions := map[string]string{}
	for result.Next() {
		var name, definition string
		if err := result.Scan(&name, &definition); err != nil {
			b.tb.Fatal(err)
		}
		definitions[name] = definition
	}
	if err := result.Err(); err != nil {
		b.tb.Fatal(err)
	}
	for name := range definitions {
		execute(b.tb, db, `DROP INDEX "`+name+`"`)
	}
	for t.rows < rows {
		next := min(rows, t.rows+500_000)
		execute(b.tb, db, fillStatement, t.rows+1, next, content(usual), worded)
		t.rows = next
		progress("%d of %d rows", next, rows)
	}
	for name, definition := range definitions {
		execute(b.tb, db, definition)
		progress("index %s", name)
	}
	execute(b.tb, db, "VACUUM ANALYZE templates")
	execute(b.tb, db, "CHECKPOINT")
}

// rows shows what lists and searches cost in ever larger tables, and how a page behind the largest compares with the
// first one.
func (b *bench) growingRows(sizes []int) (lists, searches curve, deep comparison) {
	lists = curve{name: "lists", title: "pages of ever longer lists", x: "rows", remark: "Pages of 20 with content."}
	searches = curve{name: "searches", title: "word search in ever larger tables", x: "rows",
		remark: "Pages of 20 with content, over 4 connections. The common words are in the first rows of the list, the rare ones in the name of one row in the middle."}
	t := b.newTable()
	for i, size := range sizes {
		b.grow(t, size)
		p := b.templar(t.database, nil)
		search := func(words string) string { return pagePath + "&q=" + url.QueryEscape(words) }
		rare := fmt.Sprint("Template ", size/2)
		over := func(name, path string) side { return b.over(name, p, pageRequest(hashKey, path), 1) }
		few := func(name, path string) side {
			return side{name, func(seconds int) (shot, error) {
				return b.shoot(p, load.Requests{Text: pageRequest(hashKey, path), Connections: 4, Seconds: seconds})
			}}
		}
		b.add(&lists, float64(size), short(size), over("first page", pagePath), over("page behind all", t.behind))
		b.add(&searches, float64(size), short(size), few("common words", search("thank made")), few("rare words", search(rare)))
		if i == len(sizes)-1 {
			deep = b.compare(comparison{work: fmt.Sprintf("page %s rows deep", short(size)), against: "time of page 1", floor: 1.2, aim: 1, lessIsGood: true,
				ratio: func(round []shot) float64 { return round[1].PerSecond() / round[0].PerSecond() }}, p,
				over("deep page", t.behind), over("page 1", pagePath))
		}
		p.stop()
	}
	b.large = t
	return lists, searches, deep
}

// growingTemplates shows what reading ever more different templates costs, with the usual memory and with enough.
func (b *bench) growingTemplates(counts []int) []curve {
	var curves []curve
	for _, budget := range []struct {
		name, title string
		settings    settings
	}{
		{"templates", "cached GET of more templates, by default (CACHE_MAX_BYTES 64 MiB, CACHE_TTL 30 s)", nil},
		{"templates-memory", "cached GET of more templates, CACHE_MAX_BYTES 4 GiB, CACHE_TTL 24 h", settings{"CACHE_MAX_BYTES": "4GiB", "CACHE_TTL": "24h"}},
	} {
		c := curve{name: budget.name, title: budget.title, x: "templates",
			remark: "Read twice in turn before, then at random: the first reader of a template brings it into Redis, the second into the process. Memory is the program's PSS after the load."}
		for _, n := range counts {
			if n > b.large.rows {
				continue
			}
			p := b.templar(b.large.database, budget.settings)
			for range 2 {
				b.warm(p, getRequest(hashKey), n)
			}
			b.add(&c, float64(n), short(n), b.over("Templar", p, getRequest(hashKey), n))
			p.stop()
		}
		curves = append(curves, c)
	}
	return curves
}

// warm sends each of the numbered requests once.
func (b *bench) warm(p *program, text string, numbers int) {
	b.tb.Helper()
	for done := 0; done < numbers; {
		s, err := b.shoot(p, load.Requests{Text: text, Numbers: numbers, InTurn: true, From: done, Seconds: 1 + (numbers-done)/20_000})
		if err != nil {
			b.tb.Fatal(err)
		}
		done += int(s.Done)
	}
}

// growingConnections shows what a cached GET costs with more clients at a time.
func (b *bench) growingConnections(counts []int) curve {
	c := curve{name: "connections", title: "cached GET over more connections", x: "connections"}
	p := b.templar(b.database, nil)
	defer p.stop()
	for _, n := range counts {
		over := func(name string, p *program, text string) side {
			return side{name, func(seconds int) (shot, error) {
				return b.shoot(p, load.Requests{Text: text, Numbers: targets, Connections: n, Seconds: seconds})
			}}
		}
		b.add(&c, float64(n), fmt.Sprint(n), over("Templar", p, getRequest(hashKey)), over("bare Echo", b.bare, load.Request("GET", "/get/1", "")))
	}
	return c
}

// growingContent shows what a cached GET costs with longer content.
func (b *bench) growingContent(sizes []int) curve {
	c := curve{name: "content", title: "cached GET of longer content", x: "content"}
	p := b.templar(b.database, nil)
	defer p.stop()
	bodies, key := map[string][]byte{}, "X-API-KEY: "+hashKey
	for i, size := range sizes {
		id := idOf(1<<41 + i)
		b.put(p, id, content(size))
		bodies[fmt.Sprint(size)] = p.ask(b.tb, 200, "GET", "/v1/templates/"+id, "", key).body
	}
	same := startBare(b.tb, bodies)
	defer same.stop()
	for i, size := range sizes {
		b.add(&c, float64(size), inBytes(size), b.over("Templar", p, load.Request("GET", "/v1/templates/"+idOf(1<<41+i), "", key), 1),
			b.over("bare Echo", same, load.Request("GET", fmt.Sprintf("/%d/1", size), ""), 1))
	}
	return c
}

// growingKeys shows what a cached GET costs with more keys in use, each of a user of its own.
func (b *bench) growingKeys(counts []int) curve {
	c := curve{name: "keys", title: "cached GET with more keys, each of a user of its own", x: "keys",
		remark: "The keys are in the Redis hash; each is used in turn before, then at random. Memory is the program's PSS after the load."}
	b.redis.CLI("EVAL", `for i = 1, tonumber(ARGV[1]) do
		redis.call('HSET', 'sec_apikeys', string.format('00000000-0000-4000-8000-%012x', i), 'user: bench-' .. i) end`, "0", fmt.Sprint(slices.Max(counts)))
	defer func() {
		b.redis.CLI("DEL", "sec_apikeys")
		b.redis.CLI("HSET", "sec_apikeys", hashKey, "user: bench")
	}()
	for _, n := range counts {
		p := b.templar(b.database, nil)
		text := load.Request("GET", "/v1/templates/"+idOf(1), "", "X-API-KEY: "+anyID)
		b.warm(p, text, n)
		b.add(&c, float64(n), short(n), b.over("Templar", p, text, n))
		p.stop()
	}
	return c
}
