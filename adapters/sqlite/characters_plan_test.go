package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/page"
)

const manyCharacters = manyRows / 8

// fillCharacters makes many characters, one in four in the trash, in an order that has nothing to do with that of a
// list. Times and names repeat. One in 5000 is a tiefling of level 20 and of the player "Rare Player".
func fillCharacters(t testing.TB, db *DB) {
	t.Helper()
	run(t, db.SQL(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1),
r AS (SELECT i, printf('%08x-%04x-4%03x-8%03x-%012x', i * 7919 % 4000000000, i % 65521, i % 4093, i % 4091, i) AS id,
	'name ' || (i * 7919 % 20000) AS name, i % 5000 = 0 AS rare,
	strftime('%Y-%m-%d %H:%M:%f000', '2026-01-01', (i * 7919 % 100000) || ' seconds') AS created,
	strftime('%Y-%m-%d %H:%M:%f000', '2026-02-01', (i * 104729 % 100000) || ' seconds') AS modified FROM n)
INSERT INTO characters (characterid, name, player, race, classes, level, words, author, revision, created, modified, deleted, document)
SELECT id, name, iif(rare, 'Rare Player', ''), iif(rare, 'tiefling', 'human'), iif(i % 2 = 0, ' fighter wizard ', ' rogue '), iif(rare, 20, 1 + i % 5),
	' ' || name || iif(rare, ' rare player tiefling', ' human') || iif(i % 2 = 0, ' fighter wizard ', ' rogue '), 'ann', 1, created, modified,
	CASE WHEN i % 4 = 1 THEN '2026-03-01 00:00:00.000000' END,
	'{"version":1,"characterid":"' || id || '","name":"' || name || '","created":"2026-01-01T00:00:00Z","modified":"' || replace(modified, ' ', 'T') || 'Z","race":"' ||
	iif(rare, 'tiefling', 'human') || '","background":"' || printf('%.1500c', 'x') || '"}' FROM r`, manyCharacters)
}

func characterPlanOf(t *testing.T, db *DB, statement sqlstore.PageStatement) (plan string) {
	t.Helper()
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

func TestCharacterPlans(t *testing.T) {
	db := open(t)
	fillCharacters(t, db)
	player := "Rare Player"
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
					q := character.Query{Sort: order, Filter: character.Filter{Trash: trash}, Limit: 21}
					index := "USING INDEX characters_" + place + "_" + string(order.Key)
					if first := characterPlanOf(t, db, db.Characters().Page(q)); !strings.Contains(first, index) || strings.Contains(first, "B-TREE") {
						t.Errorf("want a walk along %s, got\n%s", index, first)
					}
					q.After = &character.Position{Time: at(0), Name: "name 2", ID: [16]byte{1}}
					// Both halves must be ranges of the index.
					if second := characterPlanOf(t, db, db.Characters().Page(q)); strings.Count(second, index+" (") != 2 || !strings.Contains(second, "=? AND characterid") ||
						strings.Contains(second, "SCAN characters") || strings.Contains(second, "B-TREE") {
						t.Errorf("want a search in %s by both parts of its key, got\n%s", index, second)
					}
					q.Filter.Race = "tiefling"
					if near := characterPlanOf(t, db, db.Characters().FilteredPage(q, sqlstore.Near)); strings.Count(near, "characters_"+place+"_"+string(order.Key)+" (") != 4 || strings.Contains(near, "SCAN characters") {
						t.Errorf("near wants a search in %s, got\n%s", index, near)
					}
				})
			}
		}
		for what, c := range map[string]struct {
			filter character.Filter
			want   string
		}{
			"words":  {character.Filter{Words: "tiefling"}, "characters_words VIRTUAL TABLE INDEX"},
			"race":   {character.Filter{Race: "tiefling"}, "characters_words VIRTUAL TABLE INDEX"},
			"player": {character.Filter{Player: &player}, "characters_words VIRTUAL TABLE INDEX"},
			"class":  {character.Filter{Class: "monk"}, "characters_words VIRTUAL TABLE INDEX"},
			"level":  {character.Filter{LevelMin: 20}, "characters_living_level (level>?"},
		} {
			t.Run(what, func(t *testing.T) {
				q := character.Query{Filter: c.filter, Sort: character.Sort{Key: character.ByModified}, Limit: 21, After: &character.Position{Time: at(0)}}
				for _, statement := range []sqlstore.PageStatement{db.Characters().FilteredPage(q, sqlstore.Far), db.Characters().CountStatement(c.filter)} {
					if plan := characterPlanOf(t, db, statement); !strings.Contains(plan, c.want) || strings.Contains(plan, "SCAN characters\n") {
						t.Errorf("want %s, got\n%s", c.want, plan)
					}
				}
			})
		}
	}
	t.Run("filters of many", func(t *testing.T) { filtersOfMany(t, db) })
}

// filtersOfMany walks lists that Near finds pages of, and others that it does not, and one that changes in between.
func filtersOfMany(t *testing.T, db *DB) {
	player := "Rare Player"
	for _, c := range []struct {
		what   string
		filter character.Filter
		limit  int
	}{
		{"common", character.Filter{Class: "wizard"}, 101},
		{"common, in pages larger than what Near looks at", character.Filter{Class: "wizard"}, 4000},
		{"rare", character.Filter{Race: "tiefling"}, 3},
		{"rare by words", character.Filter{Words: "tiefling rare"}, 3},
		{"rare by player", character.Filter{Player: &player}, 3},
		{"rare by level", character.Filter{LevelMin: 20}, 3},
		{"none", character.Filter{Race: "gnome"}, 3},
	} {
		for _, key := range []character.SortKey{character.ByCreated, character.ByName} {
			want, err := db.Characters().Count(t.Context(), c.filter)
			if err != nil {
				t.Fatal(err)
			}
			seen, longest := map[uuid.UUID]bool{}, time.Duration(0)
			q := character.Query{Filter: c.filter, Sort: character.Sort{Key: key, Descending: true}, Limit: c.limit}
			for {
				start := time.Now()
				items, err := db.Characters().List(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				longest = max(longest, time.Since(start))
				for _, i := range items {
					seen[i.ID] = true
				}
				if len(items) < c.limit {
					break
				}
				after := character.PositionOf(items[len(items)-1], q.Sort)
				q.After = &after
			}
			t.Logf("%s by %s: %d of %d, at most %v for a page of %d", c.what, key, len(seen), manyCharacters, longest, c.limit)
			if len(seen) != want {
				t.Errorf("%s by %s: want %d, got %d", c.what, key, want, len(seen))
			}
		}
	}
}
