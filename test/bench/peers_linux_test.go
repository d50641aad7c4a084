package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"bitbucket.org/templar/templar/test/bench/load"
	"bitbucket.org/templar/templar/test/servers"
)

// contest is one work done by Templar, by what somebody might use instead, and by the bare handler.
type contest struct {
	work   string
	names  []string
	rounds rounds
}

// peer is one of those services, with the requests for the same work as Templar's.
type peer struct {
	name              string
	program           *program
	get, create, page string
	// numbers are how many templates its get can ask for.
	numbers int
}

// python is the one that Debian's packages are for; there may be others on the PATH.
const python = "/usr/bin/python3"

// seedTable is the predecessor's table with the indexes that its queries want.
const seedTable = `create table templates (tidx serial constraint templates_pk primary key, templateid uuid default gen_random_uuid() not null unique,
	name varchar default '', description varchar default '', content varchar default '', created timestamp default now(), modified timestamp default now());
	create index on templates (created, templateid)`

// flask starts the service that Flask's users would write, on a database of its own with so many templates.
func (b *bench) flask(rows int) peer {
	b.tb.Helper()
	for _, module := range []string{"flask", "gunicorn", "psycopg2", "redis"} {
		servers.Package(b.tb, "python3-"+module, func() bool { return exec.Command(python, "-c", "import "+module).Run() == nil })
	}
	d := b.postgres.Database(b.tb)
	db := connect(b.tb, d)
	defer db.Close()
	execute(b.tb, db, seedTable)
	execute(b.tb, db, `INSERT INTO templates (templateid, name, description, content, created, modified)
		SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'Template ' || i, 'made for a benchmark', $2,
			timestamp '2020-01-01' + i * interval '1 second', timestamp '2020-01-01' + i * interval '1 second' FROM generate_series(1, $1::bigint) AS i`,
		rows, content(usual))
	execute(b.tb, db, "VACUUM ANALYZE templates")
	folder, err := filepath.Abs("peers/flask")
	if err != nil {
		b.tb.Fatal(err)
	}
	addr := freeAddr(b.tb)
	p := launch(b.tb, addr, "/ready", settings{"REDIS_HOST": b.redis.Host, "REDIS_PORT": strconv.Itoa(b.redis.Port), "REDIS_PASS": b.redis.Password,
		"DATABASE_URL": d.URL(), "DEFAULT_RATE_LIMIT": "1000000000", "PYTHONDONTWRITEBYTECODE": "1"},
		python, "-m", "gunicorn", "--chdir", folder, "--bind", addr, "--workers", strconv.Itoa(2*runtime.NumCPU()+1), "--worker-class", "gthread", "--threads", "4",
		"--access-logfile", "-", "app:app")
	return peer{name: "Flask + gunicorn", program: p, numbers: targets,
		get: getRequest(hashKey), create: createRequest(hashKey, usual), page: pageRequest(hashKey, "/v1/templates?limit=20")}
}

// pocketbase starts PocketBase with so many templates.
func (b *bench) pocketbase(rows int) peer {
	b.tb.Helper()
	dir, addr := b.tb.TempDir(), freeAddr(b.tb)
	p := launch(b.tb, addr, "/api/health", nil, build(b.tb, "peers/pocketbase", "."), addr, dir, strconv.Itoa(rows), strconv.Itoa(usual))
	token, err := os.ReadFile(filepath.Join(dir, "token"))
	if err != nil {
		b.tb.Fatal(err)
	}
	const records = "/api/collections/templates/records"
	header := "Authorization: " + string(token)
	return peer{name: "PocketBase", program: p, numbers: targets, get: load.Request("GET", records+"/tpl%x", "", header),
		create: load.Request("POST", records, draft(usual), header),
		page:   load.Request("GET", records+"?perPage=20&skipTotal=1&sort=created,id", "", header)}
}

// check has a peer answer each request once, as it must.
func (b *bench) check(p peer) {
	b.tb.Helper()
	for _, text := range []string{p.get, p.create, p.page} {
		head, body, _ := strings.Cut(strings.ReplaceAll(text, "%x", fmt.Sprintf("%012x", 7)), "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		line := strings.Fields(lines[0])
		status := 200
		if line[0] == "POST" && p.name != "PocketBase" { // which answers 200
			status = 201
		}
		a := p.program.ask(b.tb, status, line[0], line[1], body, lines[2:]...)
		if items := strings.Count(string(a.body), `"content":`); text == p.page && items != 20 || text != p.page && items != 1 || len(a.body) < usual {
			b.tb.Fatalf("%s answers %d templates: %.300s", p.name, items, a.body)
		}
	}
}

// peers does the same work in all services.
func (b *bench) peers() (all []contest, versions string) {
	const rows = 10_000
	t := b.templar(b.database, nil)
	services := []peer{{name: "Templar", program: t, numbers: targets, get: getRequest(hashKey), create: createRequest(hashKey, usual), page: pageRequest(hashKey, pagePath)},
		b.flask(rows), b.pocketbase(rows)}
	for _, p := range services {
		defer p.program.stop()
		b.check(p)
	}
	for _, w := range []struct {
		work, method, bare string
		request            func(peer) (text string, numbers int)
	}{
		{"GET by id", "GET", "get", func(p peer) (string, int) { return p.get, p.numbers }},
		{"create", "POST", "create", func(p peer) (string, int) { return p.create, 1 }},
		{"page of 20 with content", "GET", "page", func(p peer) (string, int) { return p.page, 1 }},
	} {
		c := contest{work: w.work}
		var sides []side
		for _, p := range services {
			text, numbers := w.request(p)
			sides = append(sides, b.over(p.name, p.program, text, numbers))
		}
		sides = append(sides, b.bareSide(w.method, w.bare))
		for _, s := range sides {
			c.names = append(c.names, s.name)
		}
		c.rounds = alternate(b.tb, "peers, "+w.work, b.rounds, b.seconds, sides...)
		all = append(all, c)
	}
	versions = said(".", python, "-c", `import flask, gunicorn; print("Flask", flask.__version__ + ", gunicorn", gunicorn.__version__)`) +
		", PocketBase " + said("peers/pocketbase", "go", "list", "-m", "-f", "{{.Version}}", "github.com/pocketbase/pocketbase")
	return all, versions
}
