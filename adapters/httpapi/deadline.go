package httpapi

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Listener gives the connections of another one, with deadlines that cost next to nothing to put off. net/http moves the
// deadlines of a connection some seven times for each request, mostly to later times; each time Go's runtime sets a timer
// anew, all of which is a fortieth of what a cached read costs. Here only a deadline that comes nearer is told, and one that
// is to end a call only where there is one. When one is
// met that was put off, the later one is told then, and the call goes on.
func Listener(l net.Listener) net.Listener { return patientListener{l} }

type patientListener struct{ net.Listener }

// Accept implements net.Listener.
func (l patientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		p := &patientConn{Conn: tcp, tcp: tcp}
		p.read.tell, p.write.tell = tcp.SetReadDeadline, tcp.SetWriteDeadline
		return p, nil
	}
	return c, err
}

// patientConn is a connection whose deadlines are put off without telling.
type patientConn struct {
	net.Conn
	tcp         *net.TCPConn
	read, write deadline
}

// CloseWrite says that nothing more comes, which net/http does before it closes.
func (c *patientConn) CloseWrite() error { return c.tcp.CloseWrite() }

// Read implements net.Conn.
func (c *patientConn) Read(p []byte) (int, error) {
	if !c.read.begin() {
		return 0, os.ErrDeadlineExceeded
	}
	defer c.read.end()
	for {
		n, err := c.Conn.Read(p)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.read.wasPutOff() {
			continue
		}
		return n, err
	}
}

// Write implements net.Conn.
func (c *patientConn) Write(p []byte) (int, error) {
	if !c.write.begin() {
		return 0, os.ErrDeadlineExceeded
	}
	defer c.write.end()
	written := 0
	for {
		n, err := c.Conn.Write(p[written:])
		written += n
		if errors.Is(err, os.ErrDeadlineExceeded) && c.write.wasPutOff() {
			continue
		}
		return written, err
	}
}

// SetDeadline implements net.Conn.
func (c *patientConn) SetDeadline(t time.Time) error {
	return errors.Join(c.read.set(t), c.write.set(t))
}

// SetReadDeadline implements net.Conn.
func (c *patientConn) SetReadDeadline(t time.Time) error { return c.read.set(t) }

// SetWriteDeadline implements net.Conn.
func (c *patientConn) SetWriteDeadline(t time.Time) error { return c.write.set(t) }

// deadline is one of a connection. Times are zero where there is none.
type deadline struct {
	tell func(time.Time) error

	mu    sync.Mutex
	calls int // that are under way
	// wanted is what was asked for. told is what the connection has been told, never later than wanted, unless wanted is
	// long past and no call is under way, which then does not need to end.
	wanted, told time.Time
}

// longPast is a time that nobody sets but to end what is under way. net/http does so after each request, to what mostly
// has not begun yet.
var longPast = time.Now().Add(-24 * time.Hour)

func isCut(t time.Time) bool { return !t.IsZero() && t.Before(longPast) }

func (d *deadline) set(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	sooner := !t.IsZero() && (d.told.IsZero() || t.Before(d.told))
	if !isCut(d.told) && (!sooner || isCut(t) && d.calls == 0) {
		return nil
	}
	d.told = t
	return d.tell(t)
}

// begin says that a call comes; not where it would end at once.
func (d *deadline) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if isCut(d.wanted) {
		return false
	}
	d.calls++
	return true
}

func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls--
}

// wasPutOff is asked when a deadline was met. It tells the one that is wanted by now, if that is still to come.
func (d *deadline) wasPutOff() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.wanted.IsZero() && !d.wanted.After(time.Now()) {
		return false
	}
	d.told = d.wanted
	return d.tell(d.told) == nil
}
