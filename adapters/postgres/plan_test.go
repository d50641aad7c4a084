package postgres

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

const manyRows = 200_000

// fill makes many templates, one in four in the trash, in an order that has nothing to do with that of a list. Times
// and names repeat; some are null. One word in them is common, one in a thousand is rare.
func fill(t testing.TB, db *DB) {
	t.Helper()
	run(t, db.SQL(), `INSERT INTO templates (templateid, name, description, content, created, modified, deleted)
SELECT md5(i::text)::uuid, CASE WHEN i % 50 <> 0 THEN 'name ' || (i * 7919 % 50000) END, 'about ' || i % 100, 'common text and word' || i % 1000,
	CASE WHEN i % 50 <> 0 THEN timestamp '2026-01-01' + (i * 7919 % 100000) * interval '1 second' END,
	timestamp '2026-02-01' + (i * 104729 % 100000) * interval '1 second', CASE WHEN i % 4 = 0 THEN timestamp '2026-03-01' END
FROM generate_series(1, $1::bigint) i`, manyRows)
	run(t, db.SQL(), `VACUUM ANALYZE templates`)
}

// lavish has the planner think that processes and compilers cost nothing, as it does by itself for millions of rows.
func lavish(t *testing.T, db *DB) {
	t.Helper()
	for _, setting := range []string{"parallel_setup_cost = 0", "parallel_tuple_cost = 0", "min_parallel_table_scan_size = 0", "jit = on", "jit_above_cost = 0"} {
		run(t, db.SQL(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET `+setting+`', current_database()); END $$`)
	}
}

var buffers = regexp.MustCompile(`Buffers: shared hit=(\d+)(?: read=(\d+))?`)

// planOf runs the statement of a page as a prepared one with a generic plan, or as it is when it is filtered, and
// gives its plan and the number of blocks that it touched.
func planOf(t *testing.T, db *DB, q template.Query) (plan string, blocks int) {
	t.Helper()
	return planOfStatement(t, db, db.Templates().Page(q))
}

func planOfStatement(t *testing.T, db *DB, statement sqlstore.PageStatement) (plan string, blocks int) {
	t.Helper()
	conn, err := db.SQL().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	mode := "force_generic_plan"
	if statement.OneShot {
		mode = "force_custom_plan"
	}
	if _, err := conn.ExecContext(t.Context(), "SET plan_cache_mode = "+mode); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) "+statement.Text, statement.Args...)
	if err != nil {
		t.Fatalf("%s: %v", statement.Text, err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if m := buffers.FindStringSubmatch(plan); m != nil {
		hit, _ := strconv.Atoi(m[1])
		read, _ := strconv.Atoi(m[2])
		blocks = hit + read
	}
	return plan, blocks
}

// deep gives the position after so many rows of a list.
func deep(t *testing.T, db *DB, q template.Query, rows int) *template.Position {
	t.Helper()
	q.Limit, q.After = rows, nil
	list, err := db.Templates().List(t.Context(), q)
	if err != nil || len(list) != rows {
		t.Fatalf("%d rows of the list: got %d, %v", rows, len(list), err)
	}
	p := template.PositionOf(list[rows-1], q.Sort)
	return &p
}

func TestPlans(t *testing.T) {
	database := servers.Postgres(t).Database(t)
	db := open(t, database)
	fill(t, db)
	for _, trash := range []bool{false, true} {
		place := map[bool]string{false: "living", true: "trash"}[trash]
		for _, sort := range []string{"created", "-created", "modified", "-modified", "name", "-name"} {
			t.Run(place+" by "+sort, func(t *testing.T) {
				order, err := page.ParseSort(sort)
				if err != nil {
					t.Fatal(err)
				}
				q := template.Query{Sort: order, Filter: template.Filter{Trash: trash}, Limit: 21, WithContent: true}
				index := "templates_" + place + "_" + string(order.Key)
				first, few := planOf(t, db, q)
				q.After = deep(t, db, q, manyRows/5)
				second, many := planOf(t, db, q)
				for _, plan := range []string{first, second} {
					if !strings.Contains(plan, index) || strings.Contains(plan, "Sort") || strings.Contains(plan, "Filter") {
						t.Errorf("want a walk along %s, got\n%s", index, plan)
					}
				}
				// A handful of blocks for the way down the index and one for each row.
				if few == 0 || many > few+15 {
					t.Errorf("the first page touches %d blocks, a deep one %d\n%s", few, many, second)
				}
			})
		}
	}
	t.Run("filters", func(t *testing.T) { plansOfFilters(t, db) })
	t.Run("words", func(t *testing.T) { plansOfWords(t, db) })
	t.Run("time", func(t *testing.T) { deepPageTime(t, db) })
	t.Run("frugal", func(t *testing.T) {
		lavish(t, db)
		q := template.Query{Sort: template.Sort{Key: template.ByCreated}, Filter: template.Filter{Words: "word77"}, Limit: 21}
		again := open(t, database)
		far, _ := planOfStatement(t, again, again.Templates().WordPage(q, sqlstore.Far))
		if strings.Contains(far, "Gather") || strings.Contains(far, "JIT") {
			t.Errorf("a rare word wants neither processes nor a compiler\n%s", far)
		}
	})
}

func plansOfFilters(t *testing.T, db *DB) {
	byName, newest := template.Sort{Key: template.ByName}, template.Sort{Key: template.ByCreated, Descending: true}
	name := "name 4711"
	for _, c := range []struct {
		what   string
		sort   template.Sort
		filter template.Filter
		index  string
	}{
		{"an exact name", newest, template.Filter{Name: &name}, "templates_living_name"},
		{"a rare prefix", newest, template.Filter{NamePrefix: "name 4711"}, "templates_living_name"},
		{"a prefix by name", byName, template.Filter{NamePrefix: "name 4"}, "templates_living_name"},
		{"a prefix with the signs of patterns", newest, template.Filter{NamePrefix: "name_%"}, "templates_living_name"},
	} {
		t.Run(c.what, func(t *testing.T) {
			plan, blocks := planOf(t, db, template.Query{Sort: c.sort, Filter: c.filter, Limit: 21})
			if !strings.Contains(plan, c.index) || strings.Contains(plan, "Seq Scan") || blocks > 1000 {
				t.Errorf("want the index %s and at most 1000 blocks, got %d\n%s", c.index, blocks, plan)
			}
		})
	}
}

// plansOfWords shows that each way of a word search takes the index that it is meant for, whatever the words are.
func plansOfWords(t *testing.T, db *DB) {
	for _, words := range []string{"word77", "Word77 common", "absent", "common", "common text"} {
		for _, key := range []template.SortKey{template.ByCreated, template.ByName} {
			q := template.Query{Sort: template.Sort{Key: key}, Filter: template.Filter{Words: words}, Limit: 21}
			near, blocks := planOfStatement(t, db, db.Templates().WordPage(q, sqlstore.Near))
			if want := "templates_living_" + string(key); !strings.Contains(near, want) || strings.Contains(near, "Seq Scan") || blocks > 2000 {
				t.Errorf("%s: near wants the index %s and at most 2000 blocks, got %d\n%s", words, want, blocks, near)
			}
			if strings.HasPrefix(words, "common") {
				continue // near finds them
			}
			far, blocks := planOfStatement(t, db, db.Templates().WordPage(q, sqlstore.Far))
			if !strings.Contains(far, "templates_words") || strings.Contains(far, "Seq Scan on templates") || blocks > 1000 {
				t.Errorf("%s: far wants the word index and at most 1000 blocks, got %d\n%s", words, blocks, far)
			}
		}
	}
}

// deepPageTime shows that the time of a page does not depend on its place.
func deepPageTime(t *testing.T, db *DB) {
	q := template.Query{Sort: template.Sort{Key: template.ByCreated}, Limit: 21, WithContent: true}
	after := deep(t, db, q, manyRows/2)
	best := map[bool]time.Duration{}
	for range 300 {
		for _, far := range []bool{false, true} {
			q.After = nil
			if far {
				q.After = after
			}
			start := time.Now()
			if _, err := db.Templates().List(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); best[far] == 0 || took < best[far] {
				best[far] = took
			}
		}
	}
	t.Logf("first page %v, deep page %v", best[false], best[true])
	if best[true] > 2*best[false]+time.Millisecond {
		t.Errorf("the first page takes %v, one after %d rows %v", best[false], manyRows/2, best[true])
	}
}
