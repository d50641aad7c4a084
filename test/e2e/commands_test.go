package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"bitbucket.org/templar/templar/cmd/templar/commands"
)

// command runs one command line and gives its exit code and what it wrote.
func command(t *testing.T, input string, arguments ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = commands.Run(context.Background(), arguments, commands.Streams{In: strings.NewReader(input), Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

// done runs a command that must succeed and gives its output.
func done(t *testing.T, input string, arguments ...string) string {
	t.Helper()
	code, out, errOut := command(t, input, arguments...)
	if code != 0 {
		t.Fatalf("%v: exit %d\n%s\n%s", arguments, code, out, errOut)
	}
	return out
}

// onSQLite are the flags of a fresh embedded database.
func onSQLite(t *testing.T) []string {
	return []string{"--database-url", "sqlite:" + filepath.Join(t.TempDir(), "templar.db")}
}

func TestBulkCommands(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	if err := backend.CreateBucket("exports"); err != nil {
		t.Fatal(err)
	}
	bucket := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(bucket.Close)
	s3 := []string{"--aws-endpoint-url", bucket.URL, "--aws-access-key-id", "id", "--aws-secret-access-key", "secret-of-the-bucket"}

	source := onSQLite(t)
	var lines strings.Builder
	for n := range 50 {
		fmt.Fprintf(&lines, `{"templateid":"aaaaaaaa-0000-4000-8000-%012d","name":"t%d","content":"c","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z"}`+"\n", n, n)
	}
	done(t, lines.String(), append(source, "import")...)
	whole := done(t, "", append(source, "export", "--revisions", "--deleted")...)
	if strings.Count(whole, "\n") != 50 {
		t.Fatalf("exported %s", whole)
	}

	folder := t.TempDir()
	file := filepath.Join(folder, "some.ndjson")
	for _, place := range []struct{ to, from string }{
		{file, file}, {folder, folder}, {"s3://exports/nightly", "s3://exports/nightly"}, {"s3://exports", "s3://exports/"}, {"s3://exports/a/named.ndjson", "s3://exports/a/named.ndjson"},
	} {
		done(t, "", append(append(source, s3...), "export", "--revisions", "--deleted", "--to", place.to)...)
		target := onSQLite(t)
		done(t, "", append(append(target, s3...), "import", "--from", place.from)...)
		if again := done(t, "", append(target, "export", "--revisions", "--deleted", "--to", "-")...); again != whole {
			t.Errorf("by way of %s the export is another:\n%s", place.to, again)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != whole {
		t.Errorf("the file holds %.100q, %v", got, err)
	}
	// The configured bucket stands in for --to and --from.
	configured := append(s3, "--aws-s3-bucket", "exports", "--aws-s3-bucket-prefix", "standard")
	done(t, "", append(append(source, configured...), "export")...)
	done(t, "", append(append(onSQLite(t), configured...), "import")...)

	code, out, errOut := command(t, "not json\n"+strings.SplitN(whole, "\n", 2)[0], append(source, "import")...)
	if code != 1 || strings.Count(out, `"result":"failed"`) != 2 || !strings.Contains(errOut, "0 created, 0 updated, 0 unchanged, 0 skipped, 2 failed") {
		t.Errorf("an import that fails: exit %d\n%s\n%s", code, out, errOut)
	}
	if out := done(t, whole, append(source, "import", "--on-conflict", "replace")...); out != "" {
		t.Errorf("an import of the same: %s", out)
	}
	if code, _, errOut := command(t, "", append(append(source, s3...), "export", "--to", "s3://nosuch/x")...); code != 1 || strings.Contains(errOut, "secret-of-the-bucket") {
		t.Errorf("an export to nowhere: exit %d, %s", code, errOut)
	}
	for _, wrong := range [][]string{{"import", "--on-conflict", "maybe"}, {"export", "--to", "s3://"}, {"export", "x"}, {"purge"}, {"purge", "--keep-revisions", "0"}, {"purge", "--older-than", "x"}, {"nosuch"}, {"serve", "--http-port", "x"}} {
		if code, _, _ := command(t, "", append(source, wrong...)...); code != 2 {
			t.Errorf("%v: exit %d", wrong, code)
		}
	}
}

func TestPurgeCommand(t *testing.T) {
	t.Parallel()
	database := onSQLite(t)
	i := start(t, settings{"DATABASE_URL": database[1]})
	id := i.create(t, "kept", "0")
	for n := range 5 {
		i.do(t, "PATCH", "/v1/templates/"+id, map[string]any{"content": fmt.Sprint(n + 1)}).want(200)
	}
	i.do(t, "PUT", "/v1/templates/"+id+"/labels/production", `{"revision":2}`).want(200)
	gone := i.create(t, "gone", "")
	i.do(t, "DELETE", "/v1/templates/"+gone, nil).want(204)

	if out := done(t, "", append(database, "purge", "--older-than", "1h", "--keep-revisions", "2", "--dry-run")...); out != "0 templates would be removed from the trash\n0 characters would be removed from the trash\n3 old revisions would be removed\n" {
		t.Errorf("dry: %s", out)
	}
	if out := done(t, "", append(database, "purge", "--older-than", "0s", "--keep-revisions", "2")...); out != "1 templates removed from the trash\n0 characters removed from the trash\n3 old revisions removed\n" {
		t.Errorf("purge: %s", out)
	}
	if got := numbers(i.do(t, "GET", "/v1/templates/"+id+"/revisions", nil).want(200), "revision"); got != "[6 5 2]" {
		t.Errorf("revisions %s", got)
	}
	i.do(t, "GET", "/v1/templates/"+id+"/revisions/1", nil).want(404)
	i.do(t, "POST", "/v1/templates/"+id+"/render?label=production", `{}`).want(200).has("output", "1")
	i.do(t, "POST", "/v1/templates", map[string]any{"templateid": gone, "name": "anew"}).want(201)
}

func TestOtherCommands(t *testing.T) {
	t.Parallel()
	database := onSQLite(t)
	made := done(t, "", append(database, "keys", "create", "--user", "cli", "--scope", "templates:read", "--expires", "1h", "--rate", "7")...)
	key := made[strings.Index(made, "key: ")+5:]
	keyid := strings.TrimPrefix(strings.SplitN(made, "\n", 2)[0], "keyid: ")
	if list := done(t, "", append(database, "keys", "list")...); !strings.Contains(list, keyid) || strings.Contains(list, strings.TrimSpace(key)) {
		t.Errorf("keys list: %s", list)
	}
	done(t, "", append(database, "keys", "rotate", keyid, "--grace", "1m")...)
	done(t, "", append(database, "keys", "revoke", keyid)...)
	if code, _, _ := command(t, "", append(database, "keys", "revoke", keyid)...); code != 1 {
		t.Errorf("revoking twice: exit %d", code)
	}
	if plan := done(t, "", append(database, "migrate", "plan")...); plan != "0 changes to make\n" {
		t.Errorf("plan: %s", plan)
	}
	if status := done(t, "", append(database, "migrate", "status")...); !strings.Contains(status, "templar.yaml") {
		t.Errorf("status: %s", status)
	}
	file := filepath.Join(t.TempDir(), "init.yaml")
	if err := os.WriteFile(file, []byte("init:\n  schemas: [dungeonmaster]\n  tables:\n    characters:\n      schema: dungeonmaster\n      attributes: [characterid, name]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	done(t, "", append(database, "migrate", "init", "schemas", "--file", file)...)
	if out := done(t, "", append(database, "migrate", "init", "table", "--file", file)...); !strings.Contains(out, "characters") {
		t.Errorf("init table: %s", out)
	}
	if out := done(t, "", append(database, "migrate", "apply", "--file", file)...); out != "0 changes made\n" {
		t.Errorf("apply: %s", out)
	}
	if err := os.WriteFile(file, []byte("init:\n  tables:\n    - name: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := command(t, "", append(database, "migrate", "init", "--file", file)...); code != 2 || !strings.Contains(errOut, "init.yaml:3") || !strings.Contains(errOut, "schema") {
		t.Errorf("a file that lacks a parameter: exit %d, %s", code, errOut)
	}
	if out := done(t, "", append(database, "config", "--secret-key", "do-not-show-this")...); strings.Contains(out, "do-not-show-this") || !strings.Contains(out, "flag --secret-key") {
		t.Errorf("config: %s", out)
	}
	if out := done(t, "", "openapi"); !strings.HasPrefix(out, "openapi:") && !strings.Contains(out, "\nopenapi: ") {
		t.Errorf("openapi: %.100s", out)
	}
	done(t, "", "openapi", "--json")
	done(t, "", "version")
	i := start(t, settings{"DB_ENGINE": "memory"})
	port := i.URL[strings.LastIndexByte(i.URL, ':')+1:]
	done(t, "", "healthcheck", "--http-port", port)
	if err := i.stop(); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := command(t, "", "healthcheck", "--http-port", port); code != 1 {
		t.Errorf("healthcheck of nothing: exit %d", code)
	}
	for _, name := range []string{"serve", "migrate", "keys", "export", "import", "purge", "config", "openapi", "healthcheck", "version"} {
		if out := done(t, "", name, "--help"); !strings.Contains(out, "Usage:") {
			t.Errorf("%s --help: %s", name, out)
		}
	}
}
