// Command check looks at files before they are committed: what git hooks need beside the Go tools, without a network.
//
//	check yaml FILES       YAML that a strict reader takes, keys once each
//	check hcl FILES        HCL that parses, in the form of its own formatter
//	check secrets FILES    nothing that looks like a credential
//	check message FILE     a commit message in the form that this repository keeps
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 || checks[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "check: yaml, hcl, secrets or message is needed, and files")
		os.Exit(2)
	}
	bad := false
	for _, name := range os.Args[2:] {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "check:", err)
			bad = true
			continue
		}
		for _, problem := range checks[os.Args[1]](name, text) {
			fmt.Fprintln(os.Stderr, problem)
			bad = true
		}
	}
	if bad {
		os.Exit(1)
	}
}

// checks are the looks at a file by their names; each gives what is wrong, with the place.
var checks = map[string]func(name string, text []byte) []string{
	"yaml": checkYAML, "hcl": checkHCL, "secrets": checkSecrets, "message": checkMessage,
}
