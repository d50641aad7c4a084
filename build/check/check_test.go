package main

import (
	"strings"
	"testing"
)

func TestChecks(t *testing.T) {
	key := "AKIA" + strings.Repeat("Q", 16)
	for _, c := range []struct {
		check, text string
		wrong       int
	}{
		{"yaml", "a: 1\nb: [2, 3]\n---\nc: 4\n", 0},
		{"yaml", "a: 1\na: 2\n", 1},
		{"yaml", "a: [1\n", 1},
		{"yaml", "\ta: 1\n", 1},
		{"hcl", "a = 1\n\nb \"c\" {\n  d = 2\n}\n", 0},
		{"hcl", "b \"c\" {\nd=2\n}\n", 1},
		{"hcl", "b \"c\" {\n", 1},
		{"secrets", "key: " + key + "\n", 1},
		{"secrets", "key: " + key + " # no secret: of the documentation\n", 0},
		{"secrets", "AKIAIOSFODNN7EXAMPLE\n", 0},
		{"secrets", "-----BEGIN RSA " + "PRIVATE KEY-----\n", 1},
		{"secrets", "token = ghp_" + strings.Repeat("a", 36), 1},
		{"secrets", "DATABASE_URL=postgres://root:" + "Xk2mQ9s@db/templar", 1},
		{"secrets", "DATABASE_URL=postgres://root:password@db/templar", 0},
		{"secrets", "DATABASE_URL=postgres://${DB_USER}:${DB_PASS}@db/templar", 0},
		{"secrets", "aws_secret_access_key = " + strings.Repeat("aB3/", 10), 1},
		{"secrets", "\x00" + key, 0},
		{"secrets", "id 45912a87-bfa2-4c36-8891-e85a558ca239", 0},
		{"message", "Word search of long rows looks at their start\n", 0},
		{"message", "Word search of long rows looks at their start\n\nThe rest of it would take memory.\n# a comment\n", 0},
		{"message", "Merge branch 'x'\n", 0},
		{"message", "# only a comment\n", 1},
		{"message", "fix\n", 2},
		{"message", "Mend the limiter.\n", 1},
		{"message", "Mend the limiter\nand more\n", 1},
		{"message", strings.Repeat("W", 101) + "\n", 1},
	} {
		if got := checks[c.check]("name", []byte(c.text)); len(got) != c.wrong {
			t.Errorf("%s of %q found %q, %d are wrong", c.check, c.text, got, c.wrong)
		}
	}
}
