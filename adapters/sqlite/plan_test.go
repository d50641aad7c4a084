package sqlite

import (
	"strings"
	"testing"
	"time"

	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
)

// fill makes many templates, one in four in the trash, in an order that has nothing to do with that of a list. Times
// and names repeat; some are null. One word in them is common, one in a thousand is rare.
func fill(t testing.TB, db *DB) {
	t.Helper()
	run(t, db.SQL(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO templates (templateid, name, description, content, created, modified, deleted)
SELECT printf('%08x-%04x-4%03x-8%03x-%012x', i * 7919 % 4000000000, i % 65521, i % 4093, i % 4091, i), CASE WHEN i % 50 <> 0 THEN 'name ' || (i * 7919 % 50000) END,
	'about ' || i % 100, 'common text and word' || i % 1000,
	CASE WHEN i % 50 <> 0 THEN strftime('%Y-%m-%d %H:%M:%f000', '2026-01-01', (i * 7919 % 100000) || ' seconds') END,
	strftime('%Y-%m-%d %H:%M:%f000', '2026-02-01', (i * 104729 % 100000) || ' seconds'), CASE WHEN i % 4 = 0 THEN '2026-03-01 00:00:00.000000' END
FROM n`, manyRows)
}

func planOf(t *testing.T, db *DB, q template.Query) (plan string) {
	t.Helper()
	statement := db.Templates().Page(q)
	rows, err := db.SQL().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement.Text, statement.Args...)
	if err != nil {
		t.Fatalf("%s: %v", statement.Text, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestPlans(t *testing.T) {
	db := open(t)
	fill(t, db)
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			run(t, db.SQL(), `ANALYZE`)
		}
		for _, trash := range []bool{false, true} {
			place := map[bool]string{false: "living", true: "trash"}[trash]
			for _, sort := range []string{"created", "-created", "modified", "-modified", "name", "-name"} {
				t.Run(place+" by "+sort, func(t *testing.T) {
					order, err := page.ParseSort(sort)
					if err != nil {
						t.Fatal(err)
					}
					q := template.Query{Sort: order, Filter: template.Filter{Trash: trash}, Limit: 21, WithContent: true}
					index := "USING INDEX templates_" + place + "_" + string(order.Key)
					first := planOf(t, db, q)
					if !strings.Contains(first, index) || strings.Contains(first, "B-TREE") {
						t.Errorf("want a walk along %s, got\n%s", index, first)
					}
					q.After = &template.Position{Time: at(0), Name: "name 2", ID: [16]byte{1}}
					// Both halves must be ranges of the index.
					second := planOf(t, db, q)
					if !strings.Contains(second, index+" (<expr>=? AND templateid") || strings.Count(second, index) != 2 || strings.Contains(second, "SCAN templates") ||
						strings.Contains(second, "B-TREE") {
						t.Errorf("want a search in %s by both parts of its key, got\n%s", index, second)
					}
				})
			}
		}
	}
	t.Run("time", func(t *testing.T) { deepPageTime(t, db) })
}

func TestPlansOfFilters(t *testing.T) {
	db := open(t)
	newest, byName := template.Sort{Key: template.ByCreated, Descending: true}, template.Sort{Key: template.ByName}
	name := "name 4711"
	for _, c := range []struct {
		what   string
		sort   template.Sort
		filter template.Filter
		want   string
	}{
		{"words", newest, template.Filter{Words: "word77"}, "templates_words VIRTUAL TABLE INDEX"},
		{"an exact name", newest, template.Filter{Name: &name}, "SEARCH templates USING INDEX templates_living_name (<expr>=?)"},
		{"a prefix by name", byName, template.Filter{NamePrefix: "name 4"}, "SEARCH templates USING INDEX templates_living_name (<expr>>? AND <expr><?)"},
		{"a prefix with the signs of patterns", newest, template.Filter{NamePrefix: "name_%"}, "SEARCH templates USING INDEX templates_living_name (<expr>>? AND <expr><?)"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if plan := planOf(t, db, template.Query{Sort: c.sort, Filter: c.filter, Limit: 21}); !strings.Contains(plan, c.want) {
				t.Errorf("want %s, got\n%s", c.want, plan)
			}
		})
	}
}

// deepPageTime shows that the time of a page does not depend on its place.
func deepPageTime(t *testing.T, db *DB) {
	q := template.Query{Sort: template.Sort{Key: template.ByModified, Descending: true}, Limit: manyRows / 2, WithContent: true}
	list, err := db.Templates().List(t.Context(), q)
	if err != nil || len(list) != q.Limit {
		t.Fatalf("%d rows of the list: got %d, %v", q.Limit, len(list), err)
	}
	after := template.PositionOf(list[q.Limit-1], q.Sort)
	q.Limit = 21
	best := map[bool]time.Duration{}
	for range 300 {
		for _, far := range []bool{false, true} {
			q.After = nil
			if far {
				q.After = &after
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
