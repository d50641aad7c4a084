package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// host is where every server listens.
const host = "127.0.0.1"

// How long a server may take: to answer after its start, recovery after a crash
// included, and to end when it is asked to.
const (
	startWait = 60 * time.Second
	stopWait  = 30 * time.Second
)

// process is one server: what PostgreSQL and Redis have in common. Its exported
// methods report what goes wrong with tb.Errorf, so that any goroutine of the
// test may call them. They panic for the server that all tests share.
type process struct {
	tb   testing.TB // nil for a shared server
	dir  string     // its own folder, removed at the end
	dog  *watchdog
	port *os.File // holds the port

	command    string
	args       []string
	credential *syscall.Credential
	orderly    syscall.Signal              // ends it with everything in order
	immediate  syscall.Signal              // ends it at once, children included
	ready      func(context.Context) error // asks whether it answers
	afterKill  func()                      // clears what a killed one leaves; may be nil

	mu      sync.Mutex
	pid     int // 0: does not run
	done    chan struct{}
	paused  bool
	removed bool
}

// Start starts a server that was stopped or killed, on its port and with its
// files, and returns once it answers.
func (p *process) Start() { p.check("start", p.start) }

// Stop ends the server in an orderly way, its clients' connections included,
// and returns once it is gone.
func (p *process) Stop() { p.check("stop", p.stop) }

// Kill ends the server and all its children with SIGKILL, as a crash would, and
// returns once they are gone. Start brings it back.
func (p *process) Kill() { p.check("kill", p.kill) }

// Pause stops the server and all its children with SIGSTOP: connections stay,
// nothing answers.
func (p *process) Pause() { p.check("pause", p.pause) }

// Resume lets a paused server go on.
func (p *process) Resume() { p.check("resume", p.resume) }

// Running tells whether the server runs, or is paused.
func (p *process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running()
}

func (p *process) check(what string, do func() error) {
	if p.tb == nil {
		panic("servers: cannot " + what + " the PostgreSQL that all tests share; use NewPostgres")
	}
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := do(); err != nil {
		p.tb.Errorf("servers: %s %s: %v", what, filepath.Base(p.command), err)
	}
}

// The methods below expect p.mu to be held.

func (p *process) start() error {
	if p.removed {
		return errors.New("its test is over")
	}
	if p.running() {
		return errors.New("it is running")
	}
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.command, p.args...)
	cmd.Dir = p.dir
	cmd.Env = serverEnvironment()
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own: an interrupt typed at the terminal is for the tests.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential, Setpgid: true}
	withParent(cmd.SysProcAttr, p.immediate)
	if err := startOnKeeper(cmd); err != nil {
		return err
	}
	p.pid, p.paused, p.done = cmd.Process.Pid, false, make(chan struct{})
	told := p.dog.started(p.pid, p.immediate)
	go func(pid int, done chan struct{}) {
		_ = cmd.Wait() // how it ended stands in its log
		p.dog.ended(pid)
		close(done)
	}(p.pid, p.done)
	if told != nil {
		return told
	}
	return p.awaitReady()
}

func (p *process) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended at once: %s", p.logEnd())
		case <-ctx.Done():
			return fmt.Errorf("no answer within %v: %w; its log ends with: %s", startWait, err, p.logEnd())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (p *process) stop() error {
	if !p.running() {
		return errors.New("it is not running")
	}
	err := errors.Join(signalAll([]int{p.pid}, p.orderly), p.resumeIfPaused())
	if err != nil {
		return err
	}
	return p.awaitEnd(stopWait)
}

func (p *process) kill() error {
	if !p.running() {
		return errors.New("it is not running")
	}
	if err := killTree(p.pid); err != nil {
		return err
	}
	return p.awaitEnd(stopWait)
}

func (p *process) pause() error {
	if !p.running() || p.paused {
		return errors.New("it is not running")
	}
	p.paused = true
	_, err := stopTree(p.pid)
	return err
}

func (p *process) resume() error {
	if !p.running() || !p.paused {
		return errors.New("it is not paused")
	}
	return p.resumeIfPaused()
}

func (p *process) resumeIfPaused() error {
	if !p.paused {
		return nil
	}
	p.paused = false
	return resumeTree(p.pid)
}

// discard ends the server in the quickest way that leaves nothing behind, and
// removes its files.
func (p *process) discard() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.removed {
		return nil
	}
	p.removed = true
	defer p.port.Close()
	var err error
	if p.running() {
		if err = endTree(p.pid, p.immediate, 8*time.Second); err == nil {
			err = p.awaitEnd(stopWait)
		}
	}
	if p.afterKill != nil {
		p.afterKill()
	}
	return errors.Join(err, removeAll(p.dir))
}

func (p *process) running() bool {
	if p.pid == 0 {
		return false
	}
	select {
	case <-p.done:
		p.pid = 0
		return false
	default:
		return true
	}
}

func (p *process) awaitEnd(wait time.Duration) error {
	select {
	case <-p.done:
		p.pid = 0
		return nil
	case <-time.After(wait):
		return fmt.Errorf("it still runs after %v", wait)
	}
}

func (p *process) logPath() string { return filepath.Join(p.dir, "log") }

// logEnd returns the last part of what the server wrote.
func (p *process) logEnd() string {
	text, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-1500):])
}

// serverEnvironment is what a server sees of the environment: nothing that
// would change its behaviour from machine to machine.
func serverEnvironment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// keeper runs functions on one thread of the operating system that lives as
// long as the process. The kernel's parent-death signal is tied to the thread
// that started the child, not to its process, and Go ends idle threads.
var keeper = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

func startOnKeeper(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	keeper() <- func() { done <- cmd.Start() }
	return <-done
}
