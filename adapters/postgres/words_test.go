package postgres

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

// TestHashes compares the hashes that Templar makes with the server's, of words of every length up to 600 bytes.
func TestHashes(t *testing.T) {
	db := openOnly(t, servers.Postgres(t).Database(t).URL())
	random := rand.New(rand.NewPCG(7, 8))
	letters := []rune("abcdefghijklmnopqrstuvwxyz0123456789\u00e9\u0416\u4e2d\U0001F9D9\u03c3")
	var texts []string
	for length := range 601 {
		ascii, any := make([]byte, length), make([]rune, length)
		for i := range length {
			ascii[i], any[i] = byte(1+random.IntN(127)), letters[random.IntN(len(letters))]
		}
		texts = append(texts, string(ascii), string(any))
	}
	var hashes pq.Int64Array
	if err := db.SQL().QueryRowContext(t.Context(), `SELECT array_agg(hashtextextended(w COLLATE "C", 0) ORDER BY n) FROM unnest($1::text[]) WITH ORDINALITY u(w, n)`,
		pq.Array(texts)).Scan(&hashes); err != nil || len(hashes) != len(texts) {
		t.Fatalf("%d hashes of %d, %v", len(hashes), len(texts), err)
	}
	for i, text := range texts {
		if got := hashText(text); got != hashes[i] {
			t.Fatalf("%q: want %d, got %d", text, hashes[i], got)
		}
	}
	if err := agree(t.Context(), db.SQL()); err != nil {
		t.Error(err)
	}
	if err := agreeOn(1, 2); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "hashes words in another way") {
		t.Errorf("another hash: %v", err)
	}
}

// TestWordsAreTheServers holds the words that Templar finds against those of the function that serves rows without
// hashes.
func TestWordsAreTheServers(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	random := rand.New(rand.NewPCG(9, 10))
	alphabet := []rune("aZ09 _-.{}\u00e9\u00c9\u00df\u0416\u0436\u0661\u4e2d\u1e9e\u01c5\U00010400\U0001F9D9\u0301\u00a0\u2014\u0300\t\n")
	texts := []string{"", " ", "Hello, World", strings.Repeat("x", 254), strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("\u0416", 511) + " y",
		strings.Repeat("ab ", 399_999) + "cut here", strings.Repeat("\u00c4", maxWordText) + "b c"}
	for range 300 {
		text := make([]rune, random.IntN(700))
		for i := range text {
			text[i] = alphabet[random.IntN(len(alphabet))]
		}
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		var theirs pq.Int64Array
		if err := db.SQL().QueryRowContext(t.Context(), `SELECT ARRAY(SELECT DISTINCT unnest(templar_word_hashes($1)) ORDER BY 1)`, text).Scan(&theirs); err != nil {
			t.Fatal(err)
		}
		ours := wordHashes(text)
		slices.Sort(ours)
		if !slices.Equal(ours, theirs) {
			t.Errorf("%.300q: %d words, the server finds %d", text, len(ours), len(theirs))
		}
	}
}

// TestRowsOfOthers searches rows that were written by hand: they are found by the words that they have, whether or not
// Templar wrote them before.
func TestRowsOfOthers(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	s := db.Templates()
	finds := func(step string, want map[string]int) {
		t.Helper()
		for words, n := range want {
			items, err := s.List(t.Context(), template.Query{Filter: template.Filter{Words: words}, Limit: 9})
			total, countErr := s.Count(t.Context(), template.Filter{Words: words})
			if err != nil || countErr != nil || len(items) != n || total != n {
				t.Errorf("%s: %q finds %d rows and counts %d, want %d (%v, %v)", step, words, len(items), total, n, err, countErr)
			}
		}
	}
	hashed := func(step string, want bool) {
		t.Helper()
		var has bool
		if err := db.SQL().QueryRowContext(t.Context(), `SELECT bool_and(word_hashes IS NOT NULL) FROM templates WHERE name LIKE 'own%'`).Scan(&has); err != nil || has != want {
			t.Errorf("%s: has its own hashes: %t, want %t, %v", step, has, want, err)
		}
	}
	run(t, db.SQL(), "INSERT INTO templates (name, content) VALUES ('byhand', 'Inserted \u00c9clair')")
	own := sample("own")
	own.Content = "written"
	if err := s.Create(t.Context(), own, nil); err != nil {
		t.Fatal(err)
	}
	hashed("created", true)
	finds("inserted", map[string]int{"inserted byhand": 1, "WRITTEN": 1, "absent": 0})

	run(t, db.SQL(), "UPDATE templates SET content = 'Changed to caf\u00e9 \u039f\u0394\u039f\u03a3' WHERE name LIKE 'own%'")
	hashed("updated by hand", false)
	finds("updated", map[string]int{"written": 0, "changed own": 1, "CAF\u00c9": 1, "inserted": 1})
	run(t, db.SQL(), `UPDATE templates SET content = 'Back', description = 'again' WHERE name = 'byhand'`)
	finds("updated by hand twice", map[string]int{"inserted": 0, "back again": 1})

	next := own
	next.Revision, next.Content = 2, "of our own \u039f\u0394\u039f\u03a3 \u00c9clair"
	if err := s.Replace(t.Context(), next, 1, nil); err != nil {
		t.Fatal(err)
	}
	hashed("replaced", true)
	finds("replaced", map[string]int{"changed": 0, "our": 1, "\u03bf\u03b4\u03bf\u03c2": 1, "\u00c9CLAIR": 1, "\u00e9clair absent": 0})
	same := next
	same.Revision, same.Content = 3, "of our own, \u039f\u0394\u039f\u03a3 \u00c9clair!"
	if err := s.Replace(t.Context(), same, 2, nil); err != nil {
		t.Fatal(err)
	}
	hashed("replaced by the same words", true)

	// An instance of the version before knows nothing of the column.
	run(t, db.SQL(), `UPDATE templates SET content = 'old instance', revision = 4, modified = now() WHERE name LIKE 'own%'`)
	hashed("replaced by an old instance", false)
	finds("replaced by an old instance", map[string]int{"our": 0, "old instance": 1})
	run(t, db.SQL(), `UPDATE templates SET deleted = now() WHERE name = 'byhand'`)
	finds("in the trash", map[string]int{"back": 0})
	run(t, db.SQL(), `UPDATE templates SET deleted = NULL, modified = now()`)
	finds("living again", map[string]int{"back": 1, "old instance": 1})
}

// TestWordsBeyondASCII searches a database that knows no letters beyond ASCII for what Templar wrote, which does, and
// for what others did.
func TestWordsBeyondASCII(t *testing.T) {
	d := servers.Postgres(t).Database(t)
	outside := openOnly(t, d.URL()).SQL()
	name := d.Name + "_ascii_words"
	run(t, outside, `CREATE DATABASE `+pq.QuoteIdentifier(name)+` ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	t.Cleanup(func() { _, _ = outside.Exec(`DROP DATABASE ` + pq.QuoteIdentifier(name) + ` WITH (FORCE)`) })
	d.Name = name
	db := open(t, d)
	own := sample("own")
	own.Content = "Caf\u00e9\u2014\u041f\u0440\u0438\u0432\u0435\u0442 hello"
	if err := db.Templates().Create(t.Context(), own, nil); err != nil {
		t.Fatal(err)
	}
	run(t, db.SQL(), "INSERT INTO templates (name, content) VALUES ('byhand', 'Caf\u00e9 Hello')")
	finds := func(when string) {
		t.Helper()
		for words, want := range map[string]int{"hello": 2, "HELLO own": 1, "caf\u00e9": 2, "CAF\u00c9": 2, "\u043f\u0440\u0438\u0432\u0435\u0442": 1, "byhand caf\u00e9": 1, "caf": 0} {
			found, err := db.Templates().List(t.Context(), template.Query{Filter: template.Filter{Words: words}, Limit: 9})
			if err != nil || len(found) != want {
				t.Errorf("%s: %q finds %d rows, want %d, %v", when, words, len(found), want, err)
			}
		}
	}
	finds("as written")
	fillWords(t, db, 1)
	finds("filled")
}

// fillWords fills all rows, and demands that there were so many.
func fillWords(t *testing.T, db *DB, want int) {
	t.Helper()
	after, total := int64(math.MinInt64), 0
	for {
		last, filled, done, err := db.FillWords(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		if total += filled; done {
			break
		}
		if last <= after || filled > fillRows {
			t.Fatalf("behind %d came %d, with %d rows", after, last, filled)
		}
		after = last
	}
	if total != want {
		t.Errorf("%d rows were filled, want %d", total, want)
	}
}

// TestFillWords fills rows that others wrote, of every kind: their words are then what the database itself would find,
// and stay true when somebody changes the row.
func TestFillWords(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	fillWords(t, db, 0)
	run(t, db.SQL(), `INSERT INTO templates (name, description, content, revision, deleted)
		SELECT CASE i % 5 WHEN 0 THEN NULL ELSE 'Nr ' || i END, CASE i % 7 WHEN 0 THEN NULL ELSE 'by hand' END,
			CASE i % 11 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'Some words, ' || i || ' of \u00c9clair' END, 1 + i % 3, CASE i % 13 WHEN 0 THEN now() END
		FROM generate_series(1, 321) i`)
	run(t, db.SQL(), `INSERT INTO templates (name, content) VALUES ('long', repeat('ab ', 399999) || 'cut here')`)
	own := sample("own")
	if err := db.Templates().Create(t.Context(), own, nil); err != nil {
		t.Fatal(err)
	}
	fillWords(t, db, 322)
	var wrong int
	err := db.SQL().QueryRowContext(t.Context(), `SELECT count(*) FROM templates WHERE word_hashes IS NULL OR ARRAY(SELECT unnest(word_hashes) ORDER BY 1) <>
		ARRAY(SELECT DISTINCT unnest(templar_word_hashes(COALESCE(name, '') || ' ' || COALESCE(description, '') || ' ' || COALESCE(content, ''))) ORDER BY 1)`).Scan(&wrong)
	if err != nil || wrong != 0 {
		t.Errorf("%d rows have other words than the database finds, %v", wrong, err)
	}
	fillWords(t, db, 0)
	// Whoever changes texts and nothing else takes the numbers away again.
	run(t, db.SQL(), `UPDATE templates SET content = 'new ' || content WHERE name LIKE 'Nr 1%' AND content <> ''`)
	var bare int
	if err := db.SQL().QueryRowContext(t.Context(), `SELECT count(*) FROM templates WHERE word_hashes IS NULL`).Scan(&bare); err != nil || bare == 0 {
		t.Fatalf("%d rows have no numbers, %v", bare, err)
	}
	fillWords(t, db, bare)

	// What comes by replication takes them away, too.
	run(t, db.SQL(), `SET session_replication_role = replica; UPDATE templates SET content = 'replicated ' || content WHERE name LIKE 'Nr 2%' AND content <> ''; RESET session_replication_role`)
	if err := db.SQL().QueryRowContext(t.Context(), `SELECT count(*) FROM templates WHERE word_hashes IS NULL`).Scan(&bare); err != nil || bare == 0 {
		t.Fatalf("%d rows have no numbers after replication, %v", bare, err)
	}
	fillWords(t, db, bare)

	// A row that must not be changed keeps no other from being filled; long rows are taken one by one.
	run(t, db.SQL(), `UPDATE templates SET word_hashes = NULL WHERE name LIKE 'Nr 3%';
		CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'guarded'; END $$;
		CREATE TRIGGER guard BEFORE UPDATE ON templates FOR EACH ROW WHEN (old.name = 'Nr 33') EXECUTE FUNCTION guard()`)
	if _, _, done, err := db.FillWords(t.Context(), math.MinInt64); err == nil || done {
		t.Errorf("filling a guarded row: done %t, %v", done, err)
	}
	if err := db.SQL().QueryRowContext(t.Context(), `SELECT count(*) FROM templates WHERE word_hashes IS NULL`).Scan(&bare); err != nil || bare != 1 {
		t.Errorf("%d rows are left beside a guarded one, %v", bare, err)
	}
	run(t, db.SQL(), `DROP TRIGGER guard ON templates; UPDATE templates SET word_hashes = NULL, content = repeat('long ', 150000) WHERE name LIKE 'Nr 3%'`)
	if _, filled, _, err := db.FillWords(t.Context(), math.MinInt64); err != nil || filled != 2 {
		t.Errorf("%d rows of 750,000 bytes were taken at once, want 2, %v", filled, err)
	}

	// Without its index there is no search for bare rows.
	run(t, db.SQL(), `UPDATE templates SET word_hashes = NULL; DROP INDEX templates_words_bare`)
	fillWords(t, db, 0)
}

// TestFillWordsBesideWriters has rows change between being read and being filled: none ends up with the words of another
// text.
func TestFillWordsBesideWriters(t *testing.T) {
	db := open(t, servers.Postgres(t).Database(t))
	run(t, db.SQL(), `INSERT INTO templates (name) SELECT 'row ' || i FROM generate_series(1, 50) i`)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for ctx.Err() == nil {
				run(t, db.SQL(), `UPDATE templates SET content = 'text ' || random() WHERE tidx IN (SELECT tidx FROM templates ORDER BY random() LIMIT 5 FOR UPDATE SKIP LOCKED)`)
			}
		})
	}
	total := 0
	for ctx.Err() == nil {
		_, filled, _, err := db.FillWords(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		total += filled
	}
	writers.Wait()
	var wrong int
	err := db.SQL().QueryRowContext(t.Context(), `SELECT count(*) FROM templates WHERE word_hashes IS NOT NULL AND ARRAY(SELECT unnest(word_hashes) ORDER BY 1) <>
		ARRAY(SELECT DISTINCT unnest(templar_word_hashes(name || '  ' || content)) ORDER BY 1)`).Scan(&wrong)
	if err != nil || wrong != 0 || total == 0 {
		t.Errorf("%d rows of %d that were filled have words of another text, %v", wrong, total, err)
	}
}

// BenchmarkWordHashes makes the hashes of an ordinary template.
func BenchmarkWordHashes(b *testing.B) {
	text := strings.Repeat("Hello {{name}}, your order 1234 is on its way. ", 13)
	for b.Loop() {
		arrayText(wordHashes(text))
	}
}
