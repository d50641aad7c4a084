package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"bitbucket.org/templar/templar/adapters/httpapi"
	"bitbucket.org/templar/templar/config"
)

var sampleAccess = httpapi.Access{RequestID: "id-1", TraceID: strings.Repeat("a", 32), Method: "GET", Path: "/v1/\"x\"\n\xff", Route: "/v1/{id}", Status: 200,
	Bytes: 12, Took: 1500 * time.Microsecond, Address: "::1", User: "Zoë", Failure: "none"}

// TestAccessLinesAreAsOfEveryOtherEvent has the lines say the same, field by field, as zap would.
func TestAccessLinesAreAsOfEveryOtherEvent(t *testing.T) {
	read := func(line []byte) map[string]any {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if _, err := time.Parse(time.RFC3339Nano, fields["time"].(string)); err != nil {
			t.Errorf("its time: %v", err)
		}
		delete(fields, "time")
		return fields
	}
	for _, a := range []httpapi.Access{sampleAccess, {RequestID: "i", TraceID: "t", Method: "PUT", Path: "/", Status: 404}} {
		var events bytes.Buffer
		logAccess(newLog(config.Log{Level: config.Info}, zapcore.AddSync(&events)), &a)
		ours, theirs := read(appendAccess(nil, &a)), read(events.Bytes())
		if !maps.Equal(ours, theirs) {
			t.Errorf("a line of its own says\n%v, zap says\n%v", ours, theirs)
		}
	}
}

// TestAccessLinesAreWholeAndAllThere has many requests write at once, some of them while the log is closed.
func TestAccessLinesAreWholeAndAllThere(t *testing.T) {
	var out, rare bytes.Buffer
	var mu sync.Mutex
	l := newAccessLines(zapcore.Lock(zapcore.AddSync(&out)), func(a *httpapi.Access) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(&rare, a.RequestID)
	})
	const writers, each = 50, 200
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range each {
				a := sampleAccess
				a.RequestID, a.Broken = fmt.Sprintf("%d-%d", w, n), n == 7
				l.write(&a)
				if w == 0 && n == each/2 {
					go l.close()
				}
			}
		})
	}
	writing.Wait()
	l.close()
	l.close() // a second time is no harm
	var seen []string
	for line := range strings.Lines(out.String()) {
		var fields struct {
			ID string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("a broken line: %s", line)
		}
		seen = append(seen, fields.ID)
	}
	slices.Sort(seen)
	if n := len(slices.Compact(seen)); n != writers*(each-1) {
		t.Errorf("%d of %d lines are there", n, writers*(each-1))
	}
	if n := strings.Count(rare.String(), "\n"); n != writers {
		t.Errorf("%d of %d failures were logged as such", n, writers)
	}
}
