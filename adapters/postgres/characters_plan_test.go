package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/test/servers"
)

const manyCharacters = manyRows / 10

// fillCharacters makes many characters, one in four in the trash, in an order that has nothing to do with that of a
// list. Times and names repeat. One in 5000 is a tiefling of level 20 and of the player "Rare Player".
func fillCharacters(t testing.TB, db *DB) {
	t.Helper()
	run(t, db.SQL(), `WITH r AS (SELECT i, md5(i::text)::uuid AS id, 'name ' || (i * 7919 % 20000) AS name, i % 5000 = 0 AS rare,
	timestamp '2026-01-01' + (i * 7919 % 100000) * interval '1 second' AS created,
	timestamp '2026-02-01' + (i * 104729 % 100000) * interval '1 second' AS modified FROM generate_series(1, $1::bigint) i)
INSERT INTO characters (characterid, name, player, race, classes, level, words, author, revision, created, modified, deleted, document)
SELECT id, name, CASE WHEN rare THEN 'Rare Player' ELSE '' END, CASE WHEN rare THEN 'tiefling' ELSE 'human' END, CASE WHEN i % 2 = 0 THEN ' fighter wizard ' ELSE ' rogue ' END,
	CASE WHEN rare THEN 20 ELSE 1 + i % 5 END, ' ' || name || CASE WHEN rare THEN ' rare player tiefling' ELSE ' human' END || CASE WHEN i % 2 = 0 THEN ' fighter wizard ' ELSE ' rogue ' END,
	'ann', 1, created, modified, CASE WHEN i % 4 = 1 THEN timestamp '2026-03-01' END,
	'{"version":1,"characterid":"' || id || '","name":"' || name || '","created":"2026-01-01T00:00:00Z","modified":"' || to_char(modified, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '","race":"' ||
	CASE WHEN rare THEN 'tiefling' ELSE 'human' END || '","background":"' || repeat(md5(i::text), 45) || '"}' FROM r`, manyCharacters)
	run(t, db.SQL(), `VACUUM ANALYZE characters`)
}

func TestCharacterPlans(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	fillCharacters(t, db)
	for _, trash := range []bool{false, true} {
		place := map[bool]string{false: "living", true: "trash"}[trash]
		for _, sort := range []string{"created", "-created", "modified", "-modified", "name", "-name"} {
			t.Run(place+" by "+sort, func(t *testing.T) {
				order, err := page.ParseSort(sort)
				if err != nil {
					t.Fatal(err)
				}
				q := character.Query{Sort: order, Filter: character.Filter{Trash: trash}, Limit: 21}
				index := "characters_" + place + "_" + string(order.Key)
				planOfStatement(t, db, db.Characters().Page(q)) // brings the blocks into memory, where they are counted
				first, few := planOfStatement(t, db, db.Characters().Page(q))
				list := q
				list.Limit = manyCharacters / 5
				items, err := db.Characters().List(t.Context(), list)
				if err != nil || len(items) != list.Limit {
					t.Fatalf("%d rows of the list: got %d, %v", list.Limit, len(items), err)
				}
				after := character.PositionOf(items[list.Limit-1], order)
				q.After = &after
				second, many := planOfStatement(t, db, db.Characters().Page(q))
				for _, plan := range []string{first, second} {
					if !strings.Contains(plan, index) || strings.Contains(plan, "Sort") || strings.Contains(plan, "Filter") {
						t.Errorf("want a walk along %s, got\n%s", index, plan)
					}
				}
				// A handful of blocks for the way down the index and one for each row.
				if few == 0 || many > few+15 {
					t.Errorf("the first page touches %d blocks, a deep one %d\n%s", few, many, second)
				}
				q.Filter.Race = "tiefling"
				if near, blocks := planOfStatement(t, db, db.Characters().FilteredPage(q, sqlstore.Near)); !strings.Contains(near, index) || strings.Contains(near, "Seq Scan") || blocks > 2500 {
					t.Errorf("near wants the index %s and at most 2500 blocks, got %d\n%s", index, blocks, near)
				}
			})
		}
	}
	player := "Rare Player"
	for what, c := range map[string]struct {
		filter character.Filter
		index  string
	}{
		"words":  {character.Filter{Words: "tiefling"}, "characters_words"},
		"race":   {character.Filter{Race: "tiefling"}, "characters_words"},
		"player": {character.Filter{Player: &player}, "characters_words"},
		"class":  {character.Filter{Class: "monk"}, "characters_words"},
		"level":  {character.Filter{LevelMin: 20}, "characters_living_level"},
	} {
		t.Run(what, func(t *testing.T) {
			q := character.Query{Filter: c.filter, Sort: character.Sort{Key: character.ByModified}, Limit: 21, After: &character.Position{Time: at(-1_000_000_000)}}
			for _, statement := range []sqlstore.PageStatement{db.Characters().FilteredPage(q, sqlstore.Far), db.Characters().CountStatement(c.filter)} {
				if plan, blocks := planOfStatement(t, db, statement); !strings.Contains(plan, c.index) || strings.Contains(plan, "Seq Scan on characters") || blocks > 200 {
					t.Errorf("want %s and at most 200 blocks, got %d\n%s", c.index, blocks, plan)
				}
			}
		})
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
