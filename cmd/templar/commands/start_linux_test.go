package commands

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

func TestForgetStart(t *testing.T) {
	mapped := func() int {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		kilobytes, err := strconv.Atoi(string(regexp.MustCompile(`RssFile:\s+(\d+)`).FindSubmatch(status)[1]))
		if err != nil {
			t.Fatal(err)
		}
		return kilobytes
	}
	before := mapped()
	if err := forgetStart(); err != nil {
		t.Fatal(err)
	}
	if after := mapped(); after > before*2/3 {
		t.Errorf("of %d KiB of the program's file %d are still there", before, after)
	}
}
