package httpapi

import (
	"sync"

	"bitbucket.org/templar/templar/core/template"
)

// maxBatchBytes bounds the lines of one batch of an import, in bytes; another batch may be read meanwhile.
const maxBatchBytes = 4 << 20

// intake hands lines from the goroutine that reads them to the one that stores them: as many at a time as have come,
// so that single lines are answered at once and fast senders get large batches.
type intake struct {
	mu      sync.Mutex
	changed sync.Cond
	lines   []template.Incoming
	bytes   int
	ended   bool // nothing more will come
	stopped bool // nothing more is wanted
	err     error
}

func newIntake() *intake {
	in := &intake{}
	in.changed.L = &in.mu
	return in
}

// put adds a line that took so many bytes, when there is room; false when nothing more is wanted.
func (in *intake) put(line template.Incoming, size int) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for !in.stopped && (len(in.lines) >= template.MaxImportBatch || in.bytes >= maxBatchBytes) {
		in.changed.Wait()
	}
	in.lines, in.bytes = append(in.lines, line), in.bytes+size
	in.changed.Broadcast()
	return !in.stopped
}

// end says that nothing more will come, and why.
func (in *intake) end(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ended, in.err = true, err
	in.changed.Broadcast()
}

// take waits for lines and takes all; none when there will be no more, with the reason, or when it was stopped.
func (in *intake) take() ([]template.Incoming, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for len(in.lines) == 0 && !in.ended && !in.stopped {
		in.changed.Wait()
	}
	if in.stopped {
		return nil, nil
	}
	lines := in.lines
	in.lines, in.bytes = nil, 0
	in.changed.Broadcast()
	if len(lines) == 0 {
		return nil, in.err
	}
	return lines, nil
}

// stop says that nothing more is wanted.
func (in *intake) stop() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stopped = true
	in.changed.Broadcast()
}
