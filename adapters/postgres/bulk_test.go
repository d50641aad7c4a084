package postgres

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/contract"
	"bitbucket.org/templar/templar/test/servers"
)

var harness = contract.DatabaseHarness{
	Open: func(t *testing.T) template.Database {
		return open(t, servers.Postgres(t).Database(t)).Templates()
	},
	Pause: func(t *testing.T) (template.Database, func()) {
		db, resume := paused(t)
		return db.Templates(), resume
	},
}

func TestTemplateHistory(t *testing.T) { contract.TemplateHistory(t, harness) }

func TestTemplateArchive(t *testing.T) { contract.TemplateArchive(t, harness) }

// planText explains a statement with a generic plan, as a prepared one has it in the end.
func planText(t *testing.T, db *DB, text string, args ...any) string {
	t.Helper()
	conn, err := db.SQL().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "SET plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN "+text, args...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// TestPlansInBulk holds that what is done to some templates never reads all of them.
func TestPlansInBulk(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	fill(t, db)
	run(t, db.SQL(), `INSERT INTO template_revisions (templateid, revision, name) SELECT templateid, n, 'old' FROM templates, generate_series(-1, 0) n`)
	run(t, db.SQL(), `INSERT INTO template_label_moves (templateid, label, to_revision) SELECT templateid, 'production', 0 FROM templates`)
	run(t, db.SQL(), `INSERT INTO template_labels (templateid, label, revision) SELECT templateid, 'production', 0 FROM templates`)
	run(t, db.SQL(), `INSERT INTO idempotency_keys (username, idempotency_key, fingerprint, templateid, expires) SELECT 'ann', tidx::text, '', templateid, now() FROM templates`)
	run(t, db.SQL(), `VACUUM ANALYZE`)
	ids := make([]uuid.UUID, 1000)
	for i := range ids {
		ids[i] = uuid.New()
	}
	for _, statement := range db.Templates().BulkStatements(ids) {
		plan := planText(t, db, statement.Text, statement.Args...)
		if strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s\n%s", statement.Text, plan)
		}
	}
}

// TestExportMemory exports far more than the process may take for it.
func TestExportMemory(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	run(t, db.SQL(), `INSERT INTO templates (name, content) SELECT 'n' || i, repeat('some text ', 60) FROM generate_series(1, 200000) i`)
	for _, w := range []template.Wanted{{}, {Trash: true, Revisions: true}} {
		records := 0
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		most := uint64(0)
		start := time.Now()
		err := db.Templates().Export(t.Context(), w, func(r template.Record) error {
			if records++; records%20_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
			}
			return nil
		})
		t.Logf("%+v: %d records in %v, %d bytes more in the heap", w, records, time.Since(start), most)
		if err != nil || records != manyRows || most > 4<<20 {
			t.Errorf("%+v: %d records, %v, %d bytes more in the heap", w, records, err, most)
		}
	}
}

// TestCutConnection holds that a connection that somebody in between has ended is the database that is away.
func TestCutConnection(t *testing.T) {
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, fmt.Errorf("read: %w", syscall.ECONNRESET), net.ErrClosed} {
		if got := faultOf(err); !fault.Is(got, fault.Unavailable) {
			t.Errorf("%v is %v", err, got)
		}
	}
}
