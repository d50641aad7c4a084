package deploy

import (
	"os"
	"testing"

	"bitbucket.org/templar/templar/test/servers"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }
