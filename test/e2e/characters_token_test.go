package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"bitbucket.org/templar/templar/config"
)

// TestBearerTokenFromTheCommandToACharacter goes the way of a new user: a token of the command, into .env, sent with
// every request.
func TestBearerTokenFromTheCommandToACharacter(t *testing.T) {
	t.Parallel()
	first, second := done(t, "", "keys", "token"), done(t, "", "keys", "token")
	found := regexp.MustCompile(`(?m)^API_TOKENS=([!-~]{40,})$`).FindStringSubmatch(first)
	if found == nil || first == second {
		t.Fatalf("the command printed %q, then %q", first, second)
	}
	dotenv := filepath.Join(t.TempDir(), ".env")
	lines := "DB_ENGINE=memory\nHTTP_PORT=0\nSECRET_KEY=a secret key of these tests\n" + first
	if err := os.WriteFile(dotenv, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(nil, func(string) (string, bool) { return "", false }, dotenv)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("the line that the command printed is warned of: %v", c.Warnings)
	}
	i := run(t, c)
	i.waitReady(t, 20*time.Second)
	bearer := header{"Authorization", "Bearer " + found[1]}
	path := i.do(t, "POST", "/v1/characters", `{"name":"Tordek","race":"hill-dwarf","class":"fighter"}`, bearer).want(201).has("author", "token").Header.Get("Location")
	i.do(t, "GET", path, nil, bearer).want(200).has("name", "Tordek")
	i.do(t, "GET", "/v1/whoami", nil, bearer).want(200).has("user", "token")
	i.do(t, "GET", path, nil, anonymous).want(401)
	i.do(t, "GET", path, nil, header{"Authorization", "Bearer " + found[1] + "x"}).want(401)
	i.do(t, "GET", path, nil, bearer, header{"X-API-KEY", found[1]}).want(400)
}
