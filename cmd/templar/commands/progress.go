package commands

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress tells how far a command is, on standard error: a bar on a terminal, else a line now and then.
type progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	what  string
	lines int
	said  time.Time
}

const (
	barPause  = 100 * time.Millisecond
	linePause = 5 * time.Second
)

func newProgress(out io.Writer, what string) *progress {
	p := &progress{out: out, what: what, said: time.Now()}
	if isTerminal(out) {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("templates"),
			progressbar.OptionThrottle(barPause), progressbar.OptionClearOnFinish())
	}
	return p
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) add(n int) {
	p.lines += n
	switch {
	case p.bar != nil:
		_ = p.bar.Add(n) // a terminal that went away is no reason to stop
	case time.Since(p.said) >= linePause:
		p.said = time.Now()
		fmt.Fprintf(p.out, "%s: %d lines\n", p.what, p.lines)
	}
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish() // see add
	}
}
