package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"bitbucket.org/templar/templar/core/template"
)

var templateWords = []TemplateCheck{
	{Name: "all words must be found, in any field", Run: func(ctx context.Context, s template.Store) error {
		rows := samples(6)
		for i, text := range [][3]string{
			{"alpha", "beta", "gamma"}, {"beta", "gamma", "alpha"}, {"alpha beta", "", ""}, {"", "alpha", "nothing else"}, {"", "", "gamma beta alpha beta"}, {"delta", "", ""},
		} {
			rows[i].Name, rows[i].Description, rows[i].Content = text[0], text[1], text[2]
		}
		return finds(ctx, s, rows, "alpha", "beta", "alpha beta", "beta alpha", "gamma alpha beta", "delta", "delta alpha", "absent", "alpha absent",
			"alpha alpha alpha", "  alpha\t\r\nbeta  ", "nothing", "else nothing alpha")
	}},
	{Name: "words are found case aside", Run: func(ctx context.Context, s template.Store) error {
		rows := contents("Hello World", "hello world", "HELLO", "\u00c9clair \u00c4pfel", "\u00e9clair \u00e4pfel", "eclair apfel", "\u041f\u0420\u0418\u0412\u0415\u0422", "\u043f\u0440\u0438\u0432\u0435\u0442",
			"\u0391\u03b8\u03ae\u03bd\u03b1", "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2")
		return finds(ctx, s, rows, "hello", "HELLO", "hElLo wOrLd", "\u00c9CLAIR", "\u00e9clair", "\u00e4PFEL", "eclair", "\u041f\u0440\u0438\u0432\u0435\u0442",
			"\u0430\u03b8", "\u0391\u0398\u0389\u039d\u0391", "\u03b1\u03b8\u03ae\u03bd\u03b1",
			"\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2")
	}},
	{Name: "words are found whole", Run: func(ctx context.Context, s template.Store) error {
		rows := contents("welcome", "welcomes", "unwelcome", "come", "42", "421", "42nd", "a42", "x42y", "running", "run", "runs", "the", "a", "is it", "1st", "2nd2")
		return finds(ctx, s, rows, "welcome", "come", "wel", "elcom", "42", "4", "2", "nd", "42nd", "a42", "x42y", "x", "run", "running", "the", "a", "is", "st", "1st", "2nd2")
	}},
	{Name: "punctuation parts words", Run: func(ctx context.Context, s template.Store) error {
		rows := contents("https://www.example.com/path/page-7.html?user=joe&x=%20#top", "joe@example.com", "snake_case", "kebab-case", "it's", "3.14", "-5", "1e10", "+49 171",
			"{{user.name}} {{#items}}{{price}}{{/items}}", "<b>bold</b>", "a/b", `c:\dir\file.txt`, "AT&T", "one,two;three", "caf\u00e9!", "\u00abquoted\u00bb", "\u201cdouble\u201d", "em\u2014dash", "tab\tbed", "line\nbreak", "$100")
		return finds(ctx, s, rows, "example", "com", "www", "page", "7", "html", "joe", "joe@example.com", "snake", "case", "snake_case", "kebab-case", "kebab", "it", "it's", "s", "14", "3.14", "5", "-5",
			"1e10", "49", "171", "user", "name", "user.name", "price", "items", "bold", "b", "dir", "file", "txt", "at", "t", "two", "caf\u00e9", "quoted", "double", "dash", "bed", "break", "100",
			"https://www.example.com/path/page-7.html?user=joe&x=%20#top", "path/page")
	}},
	{Name: "words have no operators", Run: func(ctx context.Context, s template.Store) error {
		rows := contents("alpha", "beta", "alpha beta", "beta alpha", "alpha or beta", "alpha and beta", "alpha not beta", "not", "or", "and", "near alpha beta", "alphabet", "name alpha", "content alpha")
		return finds(ctx, s, rows, "alpha OR beta", "alpha or beta", "alpha AND beta", "alpha NOT beta", "NOT alpha", "NOT", "OR", "AND", "AND AND", "alpha AND", "NEAR(alpha beta)", "NEAR(alpha beta, 2)",
			`"alpha beta"`, `"beta alpha"`, `"alpha`, `alpha"`, `"`, `""`, `""""`, "alph*", "alpha*", "alpha *", "*", "^beta", "^alpha", "name:alpha", "name : alpha", "content:alpha", "{name content}:alpha", "-alpha", "+alpha", "alpha -beta",
			"!alpha", "alpha & beta", "alpha | beta", "alpha & !beta", "alpha <-> beta", "alpha:*", "alpha:A", "(alpha", "alpha)", "(", ")", "()", "(alpha OR beta) AND NOT", "'alpha'", "'", "''", `\`, `alpha\`, `\'`,
			"alpha; drop table templates", "alpha -- beta", "alpha/*beta*/", "%", "_", "alph_", "alph%", "?", "$1", ":alpha", "@alpha", "alpha,beta", "alpha^2", "~alpha", "[alpha]", "{alpha}", "<alpha>", "alpha\x00beta", "\x00", "\xff", "alpha\xffbeta", "\xc3")
	}},
	{Name: "a text without words picks any", Run: func(ctx context.Context, s template.Store) error {
		rows := contents("alpha", "", "...", "beta")
		rows[1].Name, rows[1].Description = "", ""
		return finds(ctx, s, rows, "", " ", "...", "\t\n", "-", "{{}}", "\U0001F409", "\u2028", "\x00")
	}},
	{Name: "long words are found", Run: func(ctx context.Context, s template.Store) error {
		long, wide := strings.Repeat("abcde", 100), strings.Repeat("\u0416", 300)
		rows := contents(long, long+"f", long[:255], long[:254]+"z", wide, wide+"\u044f", strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("a", 510), "x "+long+" y")
		return finds(ctx, s, rows, long, strings.ToUpper(long), long+"f", long[:255], long[:254], long[:254]+"z", long+" x", wide, strings.ToLower(wide), wide+"\u044f", strings.Repeat("a", 254), strings.Repeat("a", 255),
			strings.Repeat("a", 256), strings.Repeat("a", 510))
	}},
	{Name: "words of blobs do no harm", Run: func(ctx context.Context, s template.Store) error {
		random := rand.New(rand.NewPCG(3, 4))
		blob := func(alphabet string, n int) string {
			var text strings.Builder
			for range n {
				text.WriteByte(alphabet[random.IntN(len(alphabet))])
			}
			return text.String()
		}
		rows := contents(blob("0123456789abcdef", 5000), blob("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 20000), strings.Repeat("9", 5000),
			strings.Repeat("\u4e2d\u6587\u5b57", 3000), "plain needle")
		rows[0].Name, rows[0].Description = "needle", rows[0].Content[:2000]
		if err := finds(ctx, s, rows, "needle", "needle plain", "absent", rows[0].Content); err != nil {
			return err
		}
		for _, t := range rows {
			if err := holds(ctx, s, t); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "words of a megabyte are found", Run: func(ctx context.Context, s template.Store) error {
		var text strings.Builder
		count := 0
		for ; text.Len() < 1<<20-10; count++ {
			fmt.Fprintf(&text, "w%d ", count)
		}
		rows := contents(text.String(), "w0")
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		for query, want := range map[string]int{"w0": 2, "w77777": 1, fmt.Sprintf("W%d w0", count-1): 1, fmt.Sprintf("w%d", count): 0} {
			items, err := s.List(ctx, template.Query{Filter: template.Filter{Words: query}, Limit: 5})
			if err != nil || len(items) != want || want > 0 && items[0].ID != rows[0].ID {
				return fmt.Errorf("List of the words %q, of %d in a megabyte: want %d items, got %d, %v", query, count, want, len(items), err)
			}
		}
		return nil
	}},
	{Name: "words of old revisions are not found", Run: func(ctx context.Context, s template.Store) error {
		rows := contents("alpha", "beta", "gamma")
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		rows[0] = next(rows[0], "delta")
		rows[0].Name, rows[0].Description = "fresh", "described"
		if err := s.Replace(ctx, rows[0], 1, nil); err != nil {
			return err
		}
		if err := s.Replace(ctx, next(rows[1], "lost"), 7, nil); err == nil {
			return fmt.Errorf("a Replace from revision 7 of a template at 1 was accepted")
		}
		return search(ctx, s, rows, "alpha", "beta", "delta", "fresh", "described", "lost", "row0", "row1")
	}},
	{Name: "words are found in the trash apart", Run: func(ctx context.Context, s template.Store) error {
		rows := contents("alpha", "alpha beta", "beta")
		if err := first(create(ctx, s, rows...), s.Trash(ctx, rows[1].ID, 1, at(3))); err != nil {
			return err
		}
		rows[1].Deleted = at(3)
		try := func() error {
			return first(search(ctx, s, rows, "alpha", "beta", "alpha beta"), lists(ctx, s, rows, template.Filter{Trash: true, Words: "alpha"}),
				lists(ctx, s, rows, template.Filter{Trash: true, Words: "beta alpha"}), lists(ctx, s, rows, template.Filter{Trash: true, Words: "gamma"}))
		}
		if err := try(); err != nil {
			return err
		}
		rows[1].Deleted = rows[0].Deleted // zero
		return first(s.Undelete(ctx, rows[1].ID, 1, nil), try())
	}},
}

// contents gives a template for each content, whose other fields share no words with them.
func contents(texts ...string) []template.Template {
	rows := samples(len(texts))
	for i, text := range texts {
		rows[i].Name, rows[i].Description, rows[i].Content = fmt.Sprintf("row%d", i), "", text
	}
	return rows
}

// finds stores the rows and searches them.
func finds(ctx context.Context, s template.Store, rows []template.Template, queries ...string) error {
	return first(create(ctx, s, rows...), search(ctx, s, rows, queries...))
}

// search demands that each query picks those of the rows that it should.
func search(ctx context.Context, s template.Store, rows []template.Template, queries ...string) error {
	for _, q := range queries {
		if err := lists(ctx, s, rows, template.Filter{Words: q}); err != nil {
			return err
		}
	}
	return nil
}
