package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// allowed ends a line whose credential is none, with a word why.
const allowed = "no secret:"

const addressPassword = "a password in an address"

// patterns are credentials that have a form of their own. A UUID is not among them: ids and keys of Templar look alike.
var patterns = []struct {
	what string
	form *regexp.Regexp
}{
	{"an AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[A-Z2-7]{16}\b`)},
	{"an AWS secret key", regexp.MustCompile(`(?i)aws_?secret[a-z_]*["']?\s*[:=]\s*["']?[A-Za-z0-9/+]{40}(?:[^A-Za-z0-9/+]|$)`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"a token of GitHub, GitLab, Slack or Atlassian", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20}|xox[abprs]-[A-Za-z0-9-]{10,}|ATATT3[A-Za-z0-9_=-]{20,})`)},
	{"a JSON web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`)},
	{addressPassword, regexp.MustCompile(`\b(?:postgres(?:ql)?|redis|rediss|amqp|https?)://[^\s:/@"'{}$<]+:([^\s/@"'{}$<]{6,})@`)},
}

// examples are what stands for a credential in texts, tests and configurations for a laptop.
var examples = regexp.MustCompile(`(?i)^(password|passw0rd|example|x+|\*+)$|TEST.*TEST|EXAMPLE`)

func checkSecrets(name string, text []byte) []string {
	if bytes.IndexByte(text, 0) >= 0 { // not a text
		return nil
	}
	var found []string
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if strings.Contains(line, allowed) {
			continue
		}
		for _, p := range patterns {
			if p.what == addressPassword && strings.HasSuffix(name, "_test.go") { // tests make some up, in all forms
				continue
			}
			match := p.form.FindStringSubmatch(line)
			if match == nil || examples.MatchString(match[len(match)-1]) || examples.MatchString(match[0]) {
				continue
			}
			// The text itself stays out of logs.
			found = append(found, fmt.Sprintf("%s:%d: this looks like %s; take it out, or end the line with %q and why", name, number, p.what, allowed))
		}
	}
	return found
}
