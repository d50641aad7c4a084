package servers_test

import (
	"os"
	"testing"

	"bitbucket.org/templar/templar/test/servers"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(m.Run()) // as a package without servers.Main
	}
	os.Exit(servers.Main(m))
}
